//! One group of counters of one thread, over whatever opens it.
//!
//! ```text
//! open    group, then each event into it; what fails is kept with its reason
//! count   read, start, the work, stop, read; a value is the difference
//! ```
//!
//! The members are read one by one after the stop, when nothing moves. The kernel has them on the CPU
//! together or not at all, so they saw the same time. Reading the group as one would fail with inherited
//! counters, and a short answer could not be told from others.

use super::Role;
use super::event::Attr;
use super::host::Host;
use super::value::{Reason, Unavailable, Value};
use core::fmt;
use std::io;

/// What opens groups: the kernel, or a stand-in for it in a test.
pub trait System {
    /// What it opens.
    type Group: Members;

    /// An empty group of the calling thread.
    ///
    /// # Errors
    /// What the system answered.
    fn group(&self) -> io::Result<Self::Group>;

    /// Opens an event by itself, and closes it.
    ///
    /// # Errors
    /// What the system answered.
    fn probe(&self, attr: &Attr) -> io::Result<()>;
}

/// An open group.
pub trait Members: fmt::Debug {
    /// Opens an event and puts it into the group. It gets the next index, from 0, if that succeeds.
    ///
    /// # Errors
    /// What the system answered.
    fn add(&mut self, attr: &Attr) -> io::Result<()>;

    /// Lets all of the group count.
    ///
    /// # Errors
    /// What the system answered.
    fn start(&mut self) -> io::Result<()>;

    /// Ends that.
    ///
    /// # Errors
    /// What the system answered.
    fn stop(&mut self) -> io::Result<()>;

    /// What the member with this index has counted since it was opened.
    ///
    /// # Errors
    /// What the system answered; `UnexpectedEof` for less than a whole reading.
    fn read(&mut self, index: usize) -> io::Result<Reading>;
}

/// The numbers of one counter since it was opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Reading {
    /// Events.
    pub count: u64,
    /// Nanoseconds for which it was to count.
    pub enabled_ns: u64,
    /// Nanoseconds for which it did.
    pub running_ns: u64,
}

/// A group of the thread that opened it.
#[derive(Debug)]
pub struct ThreadGroup<G> {
    group: Option<G>,
    /// The index of each role in the group, or why it is not in there.
    members: Vec<(Role, Result<usize, Unavailable>)>,
}

impl<G: Members> ThreadGroup<G> {
    pub(super) fn open<S>(system: &S, host: &Host, events: &[(Role, Attr)]) -> Self
    where
        S: System<Group = G>,
    {
        let mut opened = system.group();
        let mut size = 0;
        let member = |(role, attr): &(Role, Attr)| {
            let added = match &mut opened {
                Ok(group) => group
                    .add(attr)
                    .map_err(|error| refusal(&error, attr, host, size > 0, system)),
                Err(error) => Err(explain(error, attr, host)),
            };
            let index = added.map(|()| {
                size += 1;
                size - 1
            });
            (*role, index.map_err(Unavailable::from))
        };
        let members = events.iter().map(member).collect();
        Self {
            group: opened.ok(),
            members,
        }
    }

    /// Runs the work, and says what was counted meanwhile. Only the thread that opened the group is
    /// counted, so it must be the one that calls this.
    ///
    /// *Cost*: two system calls for each event and two for the group.
    pub fn count<T>(&mut self, work: impl FnOnce() -> T) -> (T, Vec<(Role, Value)>) {
        let before = self.readings();
        let started = self.group.as_mut().map_or(Ok(()), Members::start);
        let result = work();
        let stopped = self.group.as_mut().map_or(Ok(()), Members::stop);
        let after = self.readings();
        let ran = started.and(stopped).map_err(|error| failure(&error));
        let members = self.members.iter().zip(before.into_iter().zip(after));
        let values = members.map(|((role, _), (before, after))| {
            let value = before.and_then(|before| {
                let after = after?;
                ran.clone()?;
                Ok((before, after))
            });
            let value = match value {
                Err(why) => Value::Unavailable(why),
                Ok((before, after)) => Value::of(
                    after.count.saturating_sub(before.count),
                    after.enabled_ns.saturating_sub(before.enabled_ns),
                    after.running_ns.saturating_sub(before.running_ns),
                ),
            };
            (*role, value)
        });
        (result, values.collect())
    }

    fn readings(&mut self) -> Vec<Result<Reading, Unavailable>> {
        let group = &mut self.group;
        let read = |(_, index): &(Role, Result<usize, Unavailable>)| {
            let index = index.clone()?;
            match group {
                Some(group) => group.read(index).map_err(|error| failure(&error)),
                None => Err(Reason::Refused { errno: None }.into()),
            }
        };
        self.members.iter().map(read).collect()
    }
}

/// The numbers of Linux's errors: include/uapi/asm-generic/errno-base.h and errno.h.
mod errno {
    pub(super) const EPERM: i32 = 1;
    pub(super) const ENOENT: i32 = 2;
    pub(super) const EACCES: i32 = 13;
    pub(super) const ENODEV: i32 = 19;
    pub(super) const EINVAL: i32 = 22;
    pub(super) const ENFILE: i32 = 23;
    pub(super) const EMFILE: i32 = 24;
    pub(super) const ENOSPC: i32 = 28;
    pub(super) const ENOSYS: i32 = 38;
    pub(super) const EOPNOTSUPP: i32 = 95;
}

/// Why an event was not taken into a group. The kernel says the same, EINVAL, of an event that it does
/// not know and of one that does not fit beside the others: what opens by itself does not fit.
fn refusal(
    error: &io::Error,
    attr: &Attr,
    host: &Host,
    has_others: bool,
    system: &impl System,
) -> Reason {
    match error.raw_os_error() {
        Some(number @ errno::EINVAL) if has_others && system.probe(attr).is_ok() => {
            Reason::TooMany {
                errno: Some(number),
            }
        }
        _ => explain(error, attr, host),
    }
}

/// Why an event or a group could not be opened.
fn explain(error: &io::Error, attr: &Attr, host: &Host) -> Reason {
    let Some(number) = error.raw_os_error() else {
        return match error.kind() {
            io::ErrorKind::Unsupported => Reason::NotLinux,
            _ => Reason::Refused { errno: None },
        };
    };
    let forbidden = Reason::Forbidden {
        errno: number,
        paranoid: host.paranoid,
        kernel: attr.include_kernel,
    };
    let has_unit = attr.is_software() || host.pmu.is_some();
    match number {
        errno::ENOENT | errno::ENODEV | errno::EOPNOTSUPP if !has_unit => Reason::NoPmu,
        errno::ENOENT | errno::ENODEV | errno::EOPNOTSUPP | errno::EINVAL => Reason::Unsupported {
            errno: Some(number),
        },
        errno::EACCES => forbidden,
        // The kernel's own answer to the level is EACCES. EPERM is what seccomp profiles give.
        errno::EPERM if !host.level_allows(attr.include_kernel) => forbidden,
        errno::EPERM | errno::ENOSYS => Reason::Seccomp { errno: number },
        errno::EMFILE | errno::ENFILE | errno::ENOSPC => Reason::TooMany {
            errno: Some(number),
        },
        _ => Reason::Refused {
            errno: Some(number),
        },
    }
}

/// Why an open group did not count.
fn failure(error: &io::Error) -> Unavailable {
    let reason = match error.kind() {
        io::ErrorKind::UnexpectedEof => Reason::ShortRead,
        _ => Reason::Refused {
            errno: error.raw_os_error(),
        },
    };
    reason.into()
}
