//! A stand-in for the kernel: it refuses what it is told to refuse, and counts what it is told to count.
use atomshard::perf::{Attr, Cpu, Host, Members, Pmu, Reading, System};
use std::io;

/// What the stand-in does.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Fake {
    /// The answer to a group.
    pub(crate) group: Option<i32>,
    /// The answer to an event that is to be the member of this index, or to stand alone.
    pub(crate) refuse: fn(&Attr, Option<usize>) -> Option<i32>,
    /// What one run adds to the member of this index; an error if it cannot be read.
    pub(crate) run: fn(usize) -> io::Result<Reading>,
    /// The answer to the start of a run.
    pub(crate) start: Option<i32>,
}

impl Default for Fake {
    fn default() -> Self {
        Self {
            group: None,
            refuse: |_, _| None,
            run: |index| Ok(reading(100 * (index as u64 + 1), 1_000, 1_000)),
            start: None,
        }
    }
}

/// An open group of the stand-in.
#[derive(Debug)]
pub(crate) struct FakeGroup {
    fake: Fake,
    members: usize,
    runs: u64,
}

pub(crate) fn reading(count: u64, enabled_ns: u64, running_ns: u64) -> Reading {
    Reading {
        count,
        enabled_ns,
        running_ns,
    }
}

fn answer(refused: Option<i32>) -> io::Result<()> {
    refused.map_or(Ok(()), |errno| Err(io::Error::from_raw_os_error(errno)))
}

impl System for Fake {
    type Group = FakeGroup;

    fn group(&self) -> io::Result<FakeGroup> {
        answer(self.group)?;
        Ok(FakeGroup {
            fake: *self,
            members: 0,
            runs: 0,
        })
    }

    fn probe(&self, attr: &Attr) -> io::Result<()> {
        answer((self.refuse)(attr, None))
    }
}

impl Members for FakeGroup {
    fn add(&mut self, attr: &Attr) -> io::Result<()> {
        answer((self.fake.refuse)(attr, Some(self.members)))?;
        self.members += 1;
        Ok(())
    }

    fn start(&mut self) -> io::Result<()> {
        answer(self.fake.start)
    }

    fn stop(&mut self) -> io::Result<()> {
        self.runs += 1;
        Ok(())
    }

    /// The counters are not 0 when they are opened, and go on from run to run.
    fn read(&mut self, index: usize) -> io::Result<Reading> {
        assert!(index < self.members, "only members are read");
        let run = (self.fake.run)(index)?;
        let all = |part: u64| 7 + part * self.runs;
        Ok(reading(
            all(run.count),
            all(run.enabled_ns),
            all(run.running_ns),
        ))
    }
}

/// A machine with Sapphire Rapids, whose unit has a number that is not 4.
pub(crate) fn server() -> Host {
    Host {
        linux: true,
        cpu: Some(Cpu::X86 {
            vendor: "GenuineIntel".to_owned(),
            family: 6,
            model: 0x8f,
        }),
        pmu: Some(Pmu {
            name: "cpu".to_owned(),
            type_id: 9,
            listed: None,
        }),
        paranoid: Some(2),
    }
}
