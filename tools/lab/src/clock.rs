//! The clock for single operations: the processor's counter where there is one, read through
//! `quanta`; and what a reading costs.
use quanta::Clock;
use std::sync::OnceLock;

/// A clock in ticks.
#[derive(Clone, Debug)]
pub(crate) struct Ticks(Clock);

static TICKS: OnceLock<Ticks> = OnceLock::new();

impl Ticks {
    /// The clock; calibrated on first use, which takes up to a fifth of a second.
    #[must_use]
    pub(crate) fn get() -> &'static Self {
        TICKS.get_or_init(|| Self(Clock::new()))
    }

    /// Now.
    #[inline]
    #[must_use]
    pub(crate) fn now(&self) -> u64 {
        self.0.raw()
    }

    /// Nanoseconds of so many ticks.
    #[must_use]
    pub(crate) fn ns(&self, ticks: u64) -> u64 {
        self.0.delta_as_nanos(0, ticks)
    }

    /// What an empty sample shows: the median distance of two readings in a row, in ns.
    /// It is part of every reported latency and is not subtracted.
    #[must_use]
    pub(crate) fn overhead_ns(&self) -> u64 {
        let mut gaps: Vec<u64> = (0..1001)
            .map(|_| {
                let start = self.now();
                self.now().saturating_sub(start)
            })
            .collect();
        gaps.sort_unstable();
        self.ns(gaps[gaps.len() / 2])
    }
}

#[cfg(test)]
mod tests {
    use super::Ticks;

    #[test]
    fn a_sleep_of_ten_milliseconds_measures_as_such() {
        let ticks = Ticks::get();
        let start = ticks.now();
        std::thread::sleep(core::time::Duration::from_millis(10));
        let ns = ticks.ns(ticks.now() - start);
        assert!((9_000_000..1_000_000_000).contains(&ns), "{ns} ns");
    }
}
