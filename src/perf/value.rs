//! What came out of counting: a value, or why there is none and what would help.
//!
//! ```text
//! running = 0              Unavailable: not counted, although it was opened
//! running < enabled        Measured: raw * enabled / running
//! running < 0.9 enabled    Measured, but no ratio is made of it
//! ```

use core::fmt;

/// What a counter has shown in one run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Measured {
    /// Events, scaled to the time for which the counter was enabled.
    pub count: u64,
    /// Events as they were counted.
    pub raw: u64,
    /// Nanoseconds for which the counter was to count: time of its thread on a CPU.
    pub enabled_ns: u64,
    /// Nanoseconds for which it did. It is less where the kernel let others have the hardware.
    pub running_ns: u64,
}

impl Measured {
    /// Whether the count is an estimate from a part of the time.
    #[must_use]
    pub const fn is_scaled(&self) -> bool {
        self.running_ns < self.enabled_ns
    }

    /// The part of the time in which it was counted, from 0 to 1.
    #[must_use]
    pub fn running_ratio(&self) -> f64 {
        if self.is_scaled() {
            self.running_ns as f64 / self.enabled_ns as f64
        } else {
            1.0
        }
    }

    /// Events per operation.
    ///
    /// # Errors
    /// Below nine tenths of the time the estimate is not good enough for a ratio; without an
    /// operation there is none.
    pub fn per(&self, operations: u64) -> Result<f64, Unavailable> {
        // 0.9: below it the part that was not seen may differ as much as what is compared.
        if u128::from(self.running_ns) * 10 < u128::from(self.enabled_ns) * 9 {
            let reason = Reason::Multiplexed {
                enabled_ns: self.enabled_ns,
                running_ns: self.running_ns,
            };
            return Err(reason.into());
        }
        if operations == 0 {
            return Err(Reason::NoOperations.into());
        }
        Ok(self.count as f64 / operations as f64)
    }
}

/// A value, or why there is none. What was not counted is never 0.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Value {
    /// It was counted.
    Measured(Measured),
    /// It was not.
    Unavailable(Unavailable),
}

impl Value {
    /// The value of what a counter has added to its numbers.
    #[must_use]
    pub fn of(raw: u64, enabled_ns: u64, running_ns: u64) -> Self {
        if running_ns == 0 {
            return Self::Unavailable(Reason::NotScheduled { enabled_ns }.into());
        }
        let count = if running_ns < enabled_ns {
            let scaled = u128::from(raw) * u128::from(enabled_ns) / u128::from(running_ns);
            u64::try_from(scaled).unwrap_or(u64::MAX)
        } else {
            raw
        };
        Self::Measured(Measured {
            count,
            raw,
            enabled_ns,
            running_ns,
        })
    }

    /// What was counted.
    ///
    /// # Errors
    /// The reason, if it was not.
    pub fn measured(&self) -> Result<&Measured, &Unavailable> {
        match self {
            Self::Measured(measured) => Ok(measured),
            Self::Unavailable(why) => Err(why),
        }
    }
}

/// Why there is no number, and what would change that.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unavailable {
    /// What was in the way.
    pub reason: Reason,
    /// What a user can do about it.
    pub remedy: String,
}

impl From<Reason> for Unavailable {
    fn from(reason: Reason) -> Self {
        let remedy = reason.remedy();
        Self { reason, remedy }
    }
}

impl fmt::Display for Unavailable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.reason, self.remedy)
    }
}

/// Why there is no number.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Reason {
    /// The system is not Linux, or has 32 bits.
    NotLinux,
    /// The machine shows no counting unit of the CPU.
    NoPmu,
    /// The kernel forbids it to this process.
    Forbidden {
        /// What the system call answered.
        errno: i32,
        /// `kernel.perf_event_paranoid`, if it could be read.
        paranoid: Option<i32>,
        /// Whether the event counts while the kernel runs.
        kernel: bool,
    },
    /// Something before the kernel blocks the system call, or the kernel is built without it.
    Seccomp {
        /// What the system call answered.
        errno: i32,
    },
    /// The table has no row for the role and this CPU.
    NotInTable,
    /// The CPU has no event for the role.
    NoEvent {
        /// Why not.
        why: String,
        /// The document that says so.
        source: String,
    },
    /// The counting unit does not know the event.
    Unsupported {
        /// What the system call answered; `None` if the unit does not list the event in the first place.
        errno: Option<i32>,
    },
    /// More events than there are counters, or more files than the process may have open.
    TooMany {
        /// What the system call answered; `None` if no counter was allowed in the first place.
        errno: Option<i32>,
    },
    /// The system refused for another reason.
    Refused {
        /// What the system call answered, if it was a number.
        errno: Option<i32>,
    },
    /// The kernel gave less than a whole count.
    ShortRead,
    /// The event was opened, and never had a counter.
    NotScheduled {
        /// Nanoseconds for which it was to count.
        enabled_ns: u64,
    },
    /// It was counted in too small a part of the time for a ratio.
    Multiplexed {
        /// Nanoseconds for which it was to count.
        enabled_ns: u64,
        /// Nanoseconds for which it did.
        running_ns: u64,
    },
    /// There was no operation to divide by.
    NoOperations,
    /// No run has counted the role.
    NoRun,
}

impl Reason {
    fn remedy(&self) -> String {
        let text = match self {
            Self::NotLinux => "count on a Linux of 64 bits",
            Self::NoPmu => {
                "use bare metal, or a guest whose host passes the performance counters on"
            }
            Self::Forbidden {
                paranoid, kernel, ..
            } => return forbidden(*paranoid, *kernel),
            Self::Seccomp { .. } => {
                "allow `perf_event_open` in the container's seccomp profile, or count outside of it"
            }
            Self::NotInTable => "add a row for this CPU and role to the table",
            Self::NoEvent { .. } => "count a role that this CPU has, or use another one",
            Self::Unsupported { .. } => {
                "a guest may pass on a part of the events only; otherwise correct the row of the table"
            }
            Self::TooMany { errno: None } => "allow at least one counter",
            Self::TooMany { errno: Some(errno) } if matches!(*errno, 23 | 24) => {
                "raise the limit of open files (`ulimit -n`)"
            }
            Self::TooMany { .. } => {
                "allow fewer counters for a group; the NMI watchdog takes one (`kernel.nmi_watchdog`)"
            }
            Self::Refused { .. } => "see the error numbers in perf_event_open(2)",
            Self::ShortRead => "open the group again",
            Self::NotScheduled { .. } | Self::Multiplexed { .. } => {
                "allow fewer counters for a group, and end other programs that count"
            }
            Self::NoOperations => "count the operations of each thread",
            Self::NoRun => "run the workload once for each group of the plan",
        };
        text.to_owned()
    }
}

/// Levels: perf_event_open(2), and 3 of Debian and Android.
fn forbidden(paranoid: Option<i32>, kernel: bool) -> String {
    let enough = if kernel { 1 } else { 2 };
    match paranoid {
        Some(level) if level <= enough => {
            "give the process CAP_PERFMON, or ask what security module is in the way".to_owned()
        }
        _ => format!(
            "set kernel.perf_event_paranoid to {enough} or less, or give the process CAP_PERFMON"
        ),
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotLinux => f.write_str("only Linux of 64 bits counts here"),
            Self::NoPmu => f.write_str("the machine shows no counting unit of the CPU"),
            Self::Forbidden {
                errno,
                paranoid,
                kernel,
            } => {
                let what = if *kernel { "in the kernel" } else { "at all" };
                write!(f, "this process may not count {what} (error {errno}")?;
                match paranoid {
                    Some(level) => write!(f, ", kernel.perf_event_paranoid is {level})"),
                    None => f.write_str(", kernel.perf_event_paranoid cannot be read)"),
                }
            }
            Self::Seccomp { errno } => write!(
                f,
                "`perf_event_open` is blocked or not built in (error {errno})"
            ),
            Self::NotInTable => f.write_str("no row of the table is for this CPU and role"),
            Self::NoEvent { why, source } => {
                write!(f, "the CPU has no event for it: {why} ({source})")
            }
            Self::Unsupported { errno: Some(errno) } => {
                write!(
                    f,
                    "the counting unit does not know the event (error {errno})"
                )
            }
            Self::Unsupported { errno: None } => {
                f.write_str("the counting unit does not list the event")
            }
            Self::TooMany { errno: None } => f.write_str("no counter is allowed"),
            Self::TooMany { errno: Some(errno) } => {
                write!(f, "more than there are counters or files (error {errno})")
            }
            Self::Refused { errno: Some(errno) } => write!(f, "refused with error {errno}"),
            Self::Refused { errno: None } => f.write_str("refused without an error number"),
            Self::ShortRead => f.write_str("the kernel gave less than a whole count"),
            Self::NotScheduled { enabled_ns } => {
                write!(f, "no counter was free in {enabled_ns} ns")
            }
            Self::Multiplexed {
                enabled_ns,
                running_ns,
            } => write!(
                f,
                "counted in {running_ns} of {enabled_ns} ns, which is less than 0.9"
            ),
            Self::NoOperations => f.write_str("no operation was counted"),
            Self::NoRun => f.write_str("no run has counted it"),
        }
    }
}
