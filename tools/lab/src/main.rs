//! The lab: replays traces and mixes on the crate's maps and their rivals, checks every result, and
//! prints what to choose.
//!
//! | file | what |
//! |---|---|
//! | `cli.rs` | the options |
//! | `job.rs` | the main job: which workloads, in what time |
//! | `bars/` | the performance bars |
//! | `doctor.rs` | what can be counted here, what disturbs, what to change |
//! | `drops.rs` | how long what was removed waits |
//! | `placing/` | what a machine looks like, and plans for it |
//! | `verify.rs` | a plan of placement, applied and read back |
//! | `versus.rs` | this build against one over another body of reclamation |
//! | `engines/` | one file per map |
//! | `ops.rs`, `keys.rs` | operation streams, made before the clock starts |
//! | `mixes.rs`, `trace.rs` | where the streams come from, and their oracles |
//! | `work.rs` | a workload and what must be true after it |
//! | `run.rs` | one timed run on some threads |
//! | `racer.rs` | one map on one workload |
//! | `contest.rs`, `counted.rs` | interleaved rounds of all maps, and runs that are counted |
//! | `machine/`, `clock.rs`, `alloc.rs` | the machine, its clock, its allocator |
//! | `report/` | table, JSON, page, advice |
mod alloc;
mod bars;
mod cli;
mod clock;
mod contest;
mod counted;
mod doctor;
mod drops;
mod engines;
mod error;
mod job;
mod keys;
mod machine;
mod mixes;
mod num;
mod ops;
mod placing;
mod racer;
mod report;
mod run;
#[cfg(test)]
mod tests;
mod trace;
mod verify;
mod versus;
mod work;

use clap::Parser as _;
use error::LabError;
use std::io::{ErrorKind, Write as _};
use std::process::ExitCode;

fn main() -> ExitCode {
    let cli = cli::Cli::parse();
    let done = |result: Result<(), LabError>| result.map(|()| ExitCode::SUCCESS);
    let result = match cli.command {
        Some(cli::Command::Bars(args)) => done(bars::run(&args)),
        Some(cli::Command::Doctor(args)) => done(doctor::run(&args)),
        Some(cli::Command::Drops(args)) => done(drops::run(&args)),
        Some(cli::Command::Latency(args)) => done(placing::latency(&args)),
        Some(cli::Command::Place(args)) => done(placing::place(&args)),
        Some(cli::Command::Topo(args)) => done(placing::topo(&args)),
        Some(cli::Command::Verify(args)) => verify::run(&args),
        Some(cli::Command::Versus(args)) => done(versus::run(&args)),
        None => done(job::run(&cli.run)),
    };
    match result {
        Ok(code) => code,
        // Whoever reads the output has had enough.
        Err(LabError::Output(error)) if error.kind() == ErrorKind::BrokenPipe => ExitCode::SUCCESS,
        Err(error) => {
            // Standard error is the last resort; if it is gone too, the exit code says it.
            let told = writeln!(std::io::stderr(), "atomshard: {error}");
            drop(told);
            error.exit_code()
        }
    }
}
