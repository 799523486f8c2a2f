//! The account of a case: what its operations touched, and what that cost.

use crate::model::{Event, Fill, Line};
use crate::names::{Names, Object};
use std::collections::{BTreeMap, BTreeSet};

/// What an access is, apart from where: what costs more than a load.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// An atomic read-modify-write.
    Rmw,
    /// One that changed nothing; counted besides its try.
    RmwFailed,
    /// A fence between threads.
    Fence,
    /// A barrier on all threads of the process.
    ProcessBarrier,
}

/// Totals over all operations of a case.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Account {
    /// Operations.
    pub operations: u64,
    /// Distinct lines, summed over the operations.
    pub lines: u64,
    /// Objects touched, summed over the operations.
    pub objects: u64,
    /// Of these, such as an operation touched in more than one line.
    pub crossed: u64,
    /// Atomic read-modify-writes, tried.
    pub rmws: u64,
    /// Of these, such as changed nothing.
    pub rmws_failed: u64,
    /// Fences between threads.
    pub fences: u64,
    /// Barriers on all threads.
    pub process_barriers: u64,
    /// Lines fetched that no cache had.
    pub cold_fills: u64,
    /// Lines fetched that others had unmodified.
    pub clean_fills: u64,
    /// Lines fetched out of another cache that had them modified.
    pub transfers: u64,
    /// Copies of others that ended.
    pub invalidations: u64,
    /// Of these by writes to other bytes than were used: by the field that was used last and the one
    /// that was written.
    pub false_shares: BTreeMap<(String, String), u64>,
    /// How often an operation touched these fields in one line.
    pub together: BTreeMap<Vec<String>, u64>,
}

impl Account {
    /// Copies that ended by writes to other bytes than were used.
    #[must_use]
    pub fn false_shares(&self) -> u64 {
        self.false_shares.values().sum()
    }

    /// The share of objects that an operation touched in more than one line.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "counts are small")]
    pub fn cross_line_rate(&self) -> f64 {
        self.crossed as f64 / self.objects.max(1) as f64
    }
}

/// An operation that is on.
#[derive(Debug, Default)]
struct Open {
    /// The names of what was touched, by line.
    lines: BTreeMap<usize, BTreeSet<String>>,
    /// The lines of each object.
    objects: BTreeMap<Object, BTreeSet<usize>>,
}

/// Counts while the case runs.
#[derive(Debug)]
pub struct Tally {
    line: Line,
    open: Vec<Open>,
    account: Account,
}

impl Tally {
    /// Nothing yet, of so many threads.
    #[must_use]
    pub fn new(threads: usize, line: Line) -> Self {
        Self {
            line,
            open: (0..threads).map(|_| Open::default()).collect(),
            account: Account::default(),
        }
    }

    /// An operation of `thread` begins.
    pub fn begin(&mut self, thread: usize) {
        self.open[thread] = Open::default();
    }

    /// An operation of `thread` does a step.
    pub fn step(&mut self, step: Step) {
        let count = match step {
            Step::Rmw => &mut self.account.rmws,
            Step::RmwFailed => &mut self.account.rmws_failed,
            Step::Fence => &mut self.account.fences,
            Step::ProcessBarrier => &mut self.account.process_barriers,
        };
        *count += 1;
    }

    /// An operation of `thread` touches memory; what has no name goes by `fallback`.
    pub fn touch(
        &mut self,
        thread: usize,
        (address, bytes): (usize, usize),
        events: &[Event],
        names: &Names,
        fallback: &str,
    ) {
        let account = &mut self.account;
        let open = &mut self.open[thread];
        let name = |at: usize| match names.at(at) {
            Some((_, name)) => name,
            None => fallback.to_owned(),
        };
        let whole = names.at(address).map(|(object, _)| object);
        let whole = whole.unwrap_or(Object { address, bytes });
        let lines = open.objects.entry(whole).or_default();
        lines.extend(events.iter().map(|event| event.line));
        for event in events {
            // The access may span fields, and each line has those of its own bytes.
            let fields = (address..address + bytes)
                .filter(|at| self.line.covered(*at, 1).start == event.line);
            let fields: BTreeSet<String> = fields.map(name).collect();
            open.lines.entry(event.line).or_default().extend(fields);
            match event.fill {
                Fill::Hit | Fill::Upgrade => {}
                Fill::Cold => account.cold_fills += 1,
                Fill::Clean => account.clean_fills += 1,
                Fill::Transfer => account.transfers += 1,
            }
            for victim in &event.victims {
                account.invalidations += 1;
                if victim.is_false {
                    let written = address.max(self.line.first(event.line));
                    let pair = (name(victim.address), name(written));
                    *account.false_shares.entry(pair).or_default() += 1;
                }
            }
        }
    }

    /// The operation of `thread` ends.
    pub fn end(&mut self, thread: usize) {
        let open = core::mem::take(&mut self.open[thread]);
        let account = &mut self.account;
        account.operations += 1;
        account.lines += open.lines.len() as u64;
        account.objects += open.objects.len() as u64;
        let crossed = open.objects.values().filter(|lines| lines.len() > 1);
        account.crossed += crossed.count() as u64;
        for names in open.lines.into_values() {
            let names = names.into_iter().collect();
            *account.together.entry(names).or_default() += 1;
        }
    }

    /// The account.
    #[must_use]
    pub fn finish(self) -> Account {
        self.account
    }
}
