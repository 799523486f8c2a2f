//! Budgets: the CPUs of one machine, split among programs that share it.
//!
//! ```text
//! pools   jvm: 4, go: 14       18 CPUs of 16: an error by `split`
//!                              in proportion by `scaled`: jvm 0-3, go 4-15
//! CPUs    as they lie (compact), so that a pool keeps cores, L3 groups and nodes together
//! ```
//!
//! # Invariants
//!
//! - **I1.** The CPUs of two shares are disjoint, and all of them are usable.

use super::CpuSet;
use super::machine::Machine;
use super::policy::usable;
use crate::error::PlanError;

/// Named pools and how many CPUs each asks for.
///
/// ```
/// use atomshard::PlanError;
/// use atomshard::topology::{Budget, Machine};
///
/// let machine = Machine::of_synthetic("core:16 pu:1")?;
/// let budget = Budget::new().pool("jvm", 4).pool("go", 14);
///
/// // Four collector threads and fourteen of Go are eighteen: on sixteen CPUs two wait.
/// let refused = budget.split(&machine);
/// assert_eq!(refused, Err(PlanError::OverBudget { asked: 18, available: 16 }));
///
/// let shares = budget.scaled(&machine)?;
/// assert_eq!(shares[0].cpus().to_string(), "0-3");
/// assert_eq!(shares[0].jvm(), "taskset -c 0-3 java -XX:ParallelGCThreads=4 -XX:ConcGCThreads=1");
/// assert_eq!(shares[1].go(), "GOMAXPROCS=12 taskset -c 4-15");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Budget {
    pools: Vec<(String, usize)>,
    reserved: CpuSet,
}

impl Budget {
    /// No pool, nothing reserved.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            pools: Vec::new(),
            reserved: CpuSet::new(),
        }
    }

    /// Adds a pool that asks for `cpus` CPUs.
    #[must_use]
    pub fn pool(mut self, name: impl Into<String>, cpus: usize) -> Self {
        self.pools.push((name.into(), cpus));
        self
    }

    /// Leaves these CPUs free.
    #[must_use]
    pub fn reserve(mut self, cpus: CpuSet) -> Self {
        self.reserved = cpus;
        self
    }

    /// Gives each pool what it asks for: disjoint CPUs, in the order of the pools. Isolated CPUs are left free. The quota does not
    /// count: it belongs to one control group, and the pools may have their own.
    ///
    /// A border between two pools may run through a core when its siblings are counted one by one. Ask
    /// for multiples of the siblings where that matters.
    ///
    /// # Errors
    ///
    /// If together they ask for more CPUs than there are, allowed and not reserved.
    pub fn split(&self, machine: &Machine) -> Result<Vec<Share>, PlanError> {
        let cpus = self.cpus(machine);
        let asked = self.asked();
        if asked > cpus.len() {
            let available = cpus.len();
            return Err(PlanError::OverBudget { asked, available });
        }
        let counts = self.pools.iter().map(|(_, cpus)| *cpus);
        Ok(self.share(&cpus, counts))
    }

    /// As [`split`](Self::split); pools that ask for too much together get all CPUs in proportion, each
    /// that asks for any at least one. What rounding leaves goes to those who lost most by it.
    ///
    /// # Errors
    ///
    /// If there are fewer CPUs than pools that ask for any.
    pub fn scaled(&self, machine: &Machine) -> Result<Vec<Share>, PlanError> {
        let cpus = self.cpus(machine);
        let (asked, available) = (self.asked(), cpus.len());
        if asked <= available {
            return self.split(machine);
        }
        let asking = self.pools.iter().filter(|(_, cpus)| *cpus > 0).count();
        if asking > available {
            return Err(PlanError::OverBudget {
                asked: asking,
                available,
            });
        }
        // 128 bits hold the product of two sizes.
        let parts = self.pools.iter().map(|(_, cpus)| {
            let part = *cpus as u128 * available as u128;
            let whole = usize::try_from(part / asked as u128).unwrap_or(available);
            match whole {
                // Raised to one: rounding has taken nothing from it.
                0 => (usize::from(*cpus > 0), 0),
                _ => (whole, part % asked as u128),
            }
        });
        let (mut counts, rests): (Vec<usize>, Vec<u128>) = parts.unzip();
        let mut by_rest: Vec<usize> = (0..counts.len()).collect();
        by_rest.sort_by_key(|pool| core::cmp::Reverse(rests[*pool])); // Stable.
        // Rounding down leaves less than one for each pool with a rest.
        let given: usize = counts.iter().sum();
        for pool in by_rest.into_iter().take(available.saturating_sub(given)) {
            counts[pool] += 1;
        }
        // At least one for each may have given too many: the largest give them back.
        for _ in available..counts.iter().sum() {
            if let Some(largest) = counts.iter_mut().max() {
                *largest -= 1;
            }
        }
        Ok(self.share(&cpus, counts.into_iter()))
    }

    /// The CPUs that can be given, as they lie.
    fn cpus(&self, machine: &Machine) -> Vec<usize> {
        let free = machine.allowed().difference(&self.reserved);
        let free = free.difference(machine.isolated());
        let usable = usable(machine.pus(), &free);
        usable.iter().map(|usable| usable.pu.cpu).collect()
    }

    fn asked(&self) -> usize {
        let asked = self.pools.iter().map(|(_, cpus)| *cpus);
        asked.fold(0, usize::saturating_add)
    }

    fn share(&self, cpus: &[usize], counts: impl Iterator<Item = usize>) -> Vec<Share> {
        let mut cpus = cpus.iter().copied();
        let shares = self
            .pools
            .iter()
            .zip(counts)
            .map(|((name, _), count)| Share {
                name: name.clone(),
                cpus: cpus.by_ref().take(count).collect(),
            });
        shares.collect()
    }
}

/// The CPUs of one pool, and the settings that keep a program to them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Share {
    name: String,
    cpus: CpuSet,
}

impl Share {
    /// The name of the pool.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Its CPUs.
    #[must_use]
    pub const fn cpus(&self) -> &CpuSet {
        &self.cpus
    }

    /// The beginning of a command that runs a JVM with the G1 collector on these CPUs; with none, empty.
    ///
    /// *Source*: the numbers that HotSpot takes for so many CPUs: all of 8 and five eighths of the rest
    /// in parallel, a quarter of those, rounded, concurrently.
    #[must_use]
    pub fn jvm(&self) -> String {
        let cpus = self.cpus.len();
        if cpus == 0 {
            return String::new();
        }
        let parallel = cpus.min(8) + cpus.saturating_sub(8) * 5 / 8;
        let concurrent = ((parallel + 2) / 4).max(1);
        format!(
            "taskset -c {} java -XX:ParallelGCThreads={parallel} -XX:ConcGCThreads={concurrent}",
            self.cpus
        )
    }

    /// The beginning of a command that runs a Go program on these CPUs; with none, empty.
    #[must_use]
    pub fn go(&self) -> String {
        if self.cpus.is_empty() {
            return String::new();
        }
        format!("GOMAXPROCS={} taskset -c {}", self.cpus.len(), self.cpus)
    }
}
