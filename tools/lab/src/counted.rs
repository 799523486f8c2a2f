//! Counted runs of a map: one for each group of counters, after the rounds that are timed.
use crate::error::LabError;
use crate::racer::Racer;
use crate::run::How;
use measure::counting::{self, Count, Counting};
use measure::crew::Crew;

/// What counts here: the events of the core that the first thread of every run is on.
#[must_use]
pub(crate) fn here() -> Counting {
    Counting::here(Crew::new(1, None).core(0).unwrap_or(0))
}

/// Every role, an operation or why not.
pub(crate) fn count(racer: &mut dyn Racer, counting: &Counting) -> Result<Vec<Count>, LabError> {
    let mut tally = counting.tally();
    for group in counting.groups() {
        let turn = racer.run(How::Counted(counting, group))?;
        let counted = turn.into_iter().flat_map(|turn| turn.counted);
        for (thread, (ops, values)) in counted.enumerate() {
            tally.record(thread, ops, values);
        }
    }
    Ok(counting::counts(&tally))
}
