//! Which hardware and kernel counters can be read here: found out by opening and reading each.
use super::Fact;
use serde::Serialize;

/// A counter and what it said of a short known piece of work.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Counter {
    pub(crate) name: String,
    pub(crate) fact: Fact,
}

#[cfg(target_os = "linux")]
pub(crate) fn try_all() -> Vec<Counter> {
    linux::try_all()
}

#[cfg(not(target_os = "linux"))]
pub(crate) fn try_all() -> Vec<Counter> {
    let fact = Fact::Unavailable {
        reason: "perf_event_open is a system call of Linux".to_owned(),
        remedy: String::new(),
    };
    vec![Counter {
        name: "all".to_owned(),
        fact,
    }]
}

#[cfg(target_os = "linux")]
mod linux {
    use super::{Counter, Fact};
    use core::hint::black_box;
    use perf_event::Builder;
    use perf_event::events::{Cache, CacheOp, CacheResult, Event, Hardware, Software, WhichCache};

    pub(super) fn try_all() -> Vec<Counter> {
        let cache = |which, result| {
            Event::Cache(Cache {
                which,
                operation: CacheOp::READ,
                result,
            })
        };
        let miss = CacheResult::MISS;
        [
            ("cycles", Event::Hardware(Hardware::CPU_CYCLES)),
            ("instructions", Event::Hardware(Hardware::INSTRUCTIONS)),
            ("branch misses", Event::Hardware(Hardware::BRANCH_MISSES)),
            ("cache misses", Event::Hardware(Hardware::CACHE_MISSES)),
            ("L1d read misses", cache(WhichCache::L1D, miss)),
            ("last-level read misses", cache(WhichCache::LL, miss)),
            ("dTLB read misses", cache(WhichCache::DTLB, miss)),
            ("task clock", Event::Software(Software::TASK_CLOCK)),
            ("page faults", Event::Software(Software::PAGE_FAULTS)),
            (
                "context switches",
                Event::Software(Software::CONTEXT_SWITCHES),
            ),
        ]
        .into_iter()
        .map(|(name, event)| Counter {
            name: name.to_owned(),
            fact: try_one(event),
        })
        .collect()
    }

    fn try_one(event: Event) -> Fact {
        let needs_kernel = matches!(event, Event::Software(Software::CONTEXT_SWITCHES));
        let mut builder = Builder::new().kind(event);
        if needs_kernel {
            // Left out, it would count nothing and read 0.
            builder.include_kernel();
        }
        let read = builder.build().and_then(|mut counter| {
            counter.enable()?;
            known_work();
            counter.disable()?;
            counter.read_count_and_time()
        });
        match read {
            Ok(read) if read.time_running == 0 => Fact::Unavailable {
                reason: "opened, but never got a place in the hardware".to_owned(),
                remedy: "stop other users of the counters, such as perf or the NMI watchdog"
                    .to_owned(),
            },
            Ok(read) if read.count == 0 => Fact::Unavailable {
                reason: "opened, but counted nothing of work that must count".to_owned(),
                remedy: "the host may not pass this event on".to_owned(),
            },
            Ok(read) => Fact::Is(format!("{} for the test loop", read.count)),
            Err(error) => refusal(&error),
        }
    }

    /// Touches new memory, branches on noise, and sleeps. The block is larger than any that
    /// malloc keeps for reuse, so its pages are new each time.
    fn known_work() {
        let mut noise = 1_u64;
        let mut block = vec![0_u8; 40 << 20];
        let mut sum = 0_u64;
        for index in (0..block.len()).step_by(16 << 10) {
            noise = noise.wrapping_mul(0x5851_f42d_4c95_7f2d).wrapping_add(1);
            if noise >> 63 == 1 {
                sum += noise >> 50;
            }
            block[index] = 1;
        }
        black_box((block, sum));
        std::thread::sleep(core::time::Duration::from_millis(1));
    }

    fn refusal(error: &std::io::Error) -> Fact {
        let paranoid = super::super::first_line("/proc/sys/kernel/perf_event_paranoid")
            .unwrap_or_else(|| "unknown".to_owned());
        let (reason, remedy) = match error.raw_os_error() {
            Some(libc::ENOENT | libc::EOPNOTSUPP | libc::ENODEV) => (
                "this machine has no such counter (often a guest without a virtual PMU)".to_owned(),
                "run on bare metal, or have the host pass the PMU through".to_owned(),
            ),
            Some(libc::EACCES | libc::EPERM) => (
                format!("not permitted, perf_event_paranoid is {paranoid}"),
                "sysctl kernel.perf_event_paranoid=1, or CAP_PERFMON; in a container a seccomp \
                 profile that allows perf_event_open"
                    .to_owned(),
            ),
            Some(libc::ENOSYS) => (
                "the kernel or the sandbox has no perf_event_open".to_owned(),
                "build the kernel with CONFIG_PERF_EVENTS, or leave the sandbox".to_owned(),
            ),
            _ => (error.to_string(), String::new()),
        };
        Fact::Unavailable { reason, remedy }
    }
}
