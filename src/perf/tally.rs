//! The values of all threads and runs, by thread and by operation.

use super::Role;
use super::plan::Plan;
use super::value::{Measured, Reason, Unavailable, Value};

/// One value: what a thread counted of a role in one run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sample {
    /// The number of the thread, as the caller gave it.
    pub thread: usize,
    /// The operations that the thread did in that run.
    pub operations: u64,
    /// The role.
    pub role: Role,
    /// What was counted.
    pub value: Value,
}

impl Sample {
    /// Events per operation of this thread.
    ///
    /// # Errors
    /// Why there is no number: the value has none, or it cannot be divided.
    pub fn per_operation(&self) -> Result<f64, Unavailable> {
        let measured = self.value.measured().map_err(Clone::clone)?;
        measured.per(self.operations)
    }
}

/// The values of all threads and runs.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Tally {
    samples: Vec<Sample>,
    missing: Vec<(Role, Unavailable)>,
}

impl Tally {
    /// No values yet, and the roles that the plan cannot count.
    #[must_use]
    pub fn new(plan: &Plan) -> Self {
        Self {
            samples: Vec::new(),
            missing: plan.missing().to_vec(),
        }
    }

    /// Adds what a thread has counted in one run, with the operations that it did in that run.
    pub fn record(&mut self, thread: usize, operations: u64, values: Vec<(Role, Value)>) {
        let samples = values.into_iter().map(|(role, value)| Sample {
            thread,
            operations,
            role,
            value,
        });
        self.samples.extend(samples);
    }

    /// The values of a role, in the order in which they were recorded.
    pub fn of(&self, role: Role) -> impl Iterator<Item = &Sample> {
        self.samples
            .iter()
            .filter(move |sample| sample.role == role)
    }

    /// The sum over all threads. It has no value if one of them has none: a part is not the sum.
    #[must_use]
    pub fn total(&self, role: Role) -> Value {
        match self.measured(role) {
            Err(why) => Value::Unavailable(why),
            Ok(samples) => {
                let sum = |part: fn(&Measured) -> u64| {
                    let parts = samples.iter().map(|(measured, _)| part(measured));
                    parts.fold(0, u64::saturating_add)
                };
                Value::Measured(Measured {
                    count: sum(|measured| measured.count),
                    raw: sum(|measured| measured.raw),
                    enabled_ns: sum(|measured| measured.enabled_ns),
                    running_ns: sum(|measured| measured.running_ns),
                })
            }
        }
    }

    /// Events per operation of all threads together.
    ///
    /// # Errors
    /// Why there is no number: a thread has no value, one was counted in less than nine tenths of its time,
    /// or there was no operation.
    pub fn per_operation(&self, role: Role) -> Result<f64, Unavailable> {
        let samples = self.measured(role)?;
        let mut count = 0_u128;
        let mut operations = 0_u128;
        for (measured, own) in samples {
            // One that was seen too little spoils the sum, even if the others hide it. A thread that
            // did nothing does not.
            measured.per(own.max(1))?;
            count += u128::from(measured.count);
            operations += u128::from(own);
        }
        if operations == 0 {
            return Err(Reason::NoOperations.into());
        }
        Ok(count as f64 / operations as f64)
    }

    /// What was counted of a role, and the operations; the first reason why something was not.
    fn measured(&self, role: Role) -> Result<Vec<(&Measured, u64)>, Unavailable> {
        let samples = self.of(role).map(|sample| {
            let measured = sample.value.measured().map_err(Clone::clone)?;
            Ok((measured, sample.operations))
        });
        let samples = samples.collect::<Result<Vec<_>, Unavailable>>()?;
        if !samples.is_empty() {
            return Ok(samples);
        }
        let missing = self.missing.iter().find(|(absent, _)| *absent == role);
        Err(missing.map_or_else(|| Reason::NoRun.into(), |(_, why)| why.clone()))
    }
}
