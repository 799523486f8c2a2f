//! The accounts that the command prints.

use crate::cases::{self, Spec};
use crate::regions::{Region, Regions};
use crate::snapshot::{Case as Recorded, Snapshot};
use crate::{Case, Line};
use anyhow::{Context as _, Result, ensure};
use core::fmt::Write as _;
use std::collections::BTreeSet;

/// The account of one case, as text of a snapshot.
///
/// # Errors
/// There is no such case.
pub fn of(name: &str, threads: usize) -> Result<String> {
    let spec = named(name)?;
    let case = Case::new().threads(threads).operations(spec.operations);
    let recorded = Recorded::of(&(spec.run)(case).account)?;
    let plural = if threads == 1 { "thread" } else { "threads" };
    let key = format!("{}, {threads} {plural}", spec.operation);
    let mut snapshot = Snapshot::default();
    snapshot.cases.insert(key, recorded);
    Ok(snapshot.to_text(spec.structure))
}

fn named(name: &str) -> Result<Spec> {
    cases::find(name).with_context(|| {
        format!("there is no case `{name}`; `lines --list` names those of one thread")
    })
}

/// The lines of each operation of a case with one thread, by region, for lines of 64 and 128 bytes.
///
/// # Errors
/// There is no such case, or the kernel does not tell what is mapped.
pub fn lines(name: &str) -> Result<String> {
    let spec = named(name)?;
    let observed = (spec.run)(Case::new().operations(spec.operations));
    let regions = Regions::of_this_process()?;
    let mut text = String::new();
    for bytes in [64, 128] {
        let line = Line::new(bytes, 0)?;
        for (op, touched) in observed.touched.iter().enumerate() {
            let lines: BTreeSet<usize> = touched
                .iter()
                .flat_map(|(address, bytes)| line.covered(*address, *bytes))
                .collect();
            let count = |wanted: Region| {
                let first = |number: &usize| regions.of((number - 1) * bytes);
                lines
                    .iter()
                    .filter(|number| first(number) == wanted)
                    .count()
            };
            writeln!(
                text,
                "{{\"op\":{op},\"line\":{bytes},\"arena\":{},\"static\":{},\"thread\":{},\"other\":{}}}",
                count(Region::Arena),
                count(Region::Static),
                count(Region::Thread),
                count(Region::Other)
            )?;
        }
    }
    Ok(text)
}

/// What padding is worth by the model: transfers of each addition to counters whose cells lie 8, 64
/// and 128 bytes apart, for lines of 64 bytes.
///
/// # Errors
/// A case is missing.
pub fn scaling() -> Result<String> {
    let mut text = String::from(
        "threads  cells 8 bytes apart     64 bytes apart    128 bytes apart    (transfers, false shares an addition)\n",
    );
    for threads in [1, 2, 4, 8, 16, 32] {
        write!(text, "{threads:>7}")?;
        for structure in [
            "striped_counter_0",
            "striped_counter_64",
            "striped_counter_128",
        ] {
            let spec = named(&format!("{structure}/add"))?;
            // As many rounds for each thread, however many there are.
            let case = Case::new().threads(threads).operations(250 * threads);
            let account = (spec.run)(case).account;
            ensure!(account.operations != 0, "{structure} has no operation");
            #[expect(clippy::cast_precision_loss, reason = "counts are small")]
            let each = |total: u64| total as f64 / account.operations as f64;
            let (moved, shares) = (each(account.transfers), each(account.false_shares()));
            write!(text, "       {moved:>5.3} {shares:>6.3}")?;
        }
        text.push('\n');
    }
    Ok(text)
}
