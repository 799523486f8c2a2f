//! `evidence`: histories under chosen interleavings, threads stopped at every access, and accounts.
//!
//! The first two need the build with the tracer; `cargo xtask evidence` calls it.
#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a command-line tool"
)]

use clap::{Parser, Subcommand};
use core::num::NonZeroUsize;
#[cfg(atomshard_traced)]
use evidence::progress::Wanted;
use std::path::PathBuf;
use std::process::ExitCode;

#[derive(Parser)]
#[command(name = "evidence", version, about)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Histories, from one seed on. The same arguments give the same histories.
    Histories {
        /// The first seed.
        #[arg(long, default_value_t = 1)]
        seed: u64,
        /// How many runs of each kind.
        #[arg(long, default_value_t = 10)]
        runs: u64,
        /// Only kinds of runs whose name contains this.
        #[arg(long, default_value = "")]
        only: String,
    },
    /// The table of progress: threads stopped at their accesses.
    Progress {
        /// Only operations whose name contains this.
        #[arg(default_value = "")]
        only: String,
        /// At how many accesses of an operation at most.
        #[arg(long, default_value_t = 8)]
        points: usize,
        /// Of these operations, leave out so many first ones of each type.
        #[arg(long, default_value_t = 0)]
        first: usize,
        /// And of the others, take the first of each so many.
        #[arg(long, default_value_t = NonZeroUsize::MIN)]
        step: NonZeroUsize,
        /// Compare the page with this file.
        #[arg(long)]
        check: Option<PathBuf>,
        /// Write the page to this file.
        #[arg(long)]
        write: Option<PathBuf>,
    },
    /// Two threads on maps with small values and with large ones, whose keys and values are counted.
    Accounts {
        /// How many operations; a tenth of them with large values.
        #[arg(long, default_value_t = 1_000_000)]
        operations: u64,
        /// The seed of the operations.
        #[arg(long, default_value_t = 1)]
        seed: u64,
    },
}

/// Runs the accounts and says what they came to.
fn accounts(operations: u64, seed: u64) -> anyhow::Result<()> {
    let large = evidence::accounts::run::<1024>(operations / 10, seed);
    let small = evidence::accounts::run::<8>(operations - operations / 10, seed);
    for (name, account) in [("1 KiB values", &large), ("small values", &small)] {
        println!("{name}: {account:?}");
    }
    let (large, small) = (
        large.map_err(anyhow::Error::msg)?,
        small.map_err(anyhow::Error::msg)?,
    );
    println!(
        "operations {operations} objects {} small {} large {}",
        small.objects + large.objects,
        small.most_kib,
        large.most_kib
    );
    Ok(())
}

fn main() -> ExitCode {
    match run(Cli::parse().command) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error:#}");
            ExitCode::FAILURE
        }
    }
}

#[cfg(atomshard_traced)]
fn run(command: Command) -> anyhow::Result<()> {
    match command {
        Command::Histories { seed, runs, only } => traced::histories(seed, runs, &only),
        Command::Progress {
            only,
            points,
            first,
            step,
            check,
            write,
        } => {
            let wanted = Wanted {
                only: &only,
                share: (first, step.get()),
                points,
            };
            traced::progress(wanted, check.as_deref(), write.as_deref())
        }
        Command::Accounts { operations, seed } => accounts(operations, seed),
    }
}

#[cfg(not(atomshard_traced))]
fn run(command: Command) -> anyhow::Result<()> {
    let Command::Accounts { operations, seed } = command else {
        anyhow::bail!("needs a build with RUSTFLAGS='--cfg atomshard_traced'")
    };
    accounts(operations, seed)
}

#[cfg(atomshard_traced)]
mod traced {
    use anyhow::{Context as _, Result, anyhow, ensure};
    use evidence::progress::{PARTS, Wanted, page};
    use evidence::scheduled::{Ran, scenarios};
    use std::path::Path;
    use std::time::Instant;

    /// Runs histories and says how many.
    pub(super) fn histories(seed: u64, runs: u64, only: &str) -> Result<()> {
        let begun = Instant::now();
        let mut sum = Ran::default();
        let mut histories: u32 = 0;
        for round in 0..runs {
            for scenario in scenarios().iter().filter(|s| s.name.contains(only)) {
                let seed = seed + round;
                let ran = scenario.run(seed).map_err(|why| {
                    let name = scenario.name;
                    anyhow!("`{name}`, seed {seed}, after {histories} histories: {why}")
                })?;
                histories += 1;
                sum.operations += ran.operations;
                sum.overlaps += ran.overlaps;
                sum.accesses += ran.accesses;
                sum.digest ^= ran.digest.rotate_left(histories % 64);
            }
        }
        ensure!(
            sum.overlaps > 0,
            "no two operations overlapped: nothing was shown"
        );
        println!(
            "histories {histories} operations {} overlaps {} accesses {} digest {:016x} seconds {:.1}",
            sum.operations,
            sum.overlaps,
            sum.accesses,
            sum.digest,
            begun.elapsed().as_secs_f64()
        );
        Ok(())
    }

    /// Stops threads, prints the page, and compares or writes it.
    pub(super) fn progress(
        wanted: Wanted<'_>,
        check: Option<&Path>,
        write: Option<&Path>,
    ) -> Result<()> {
        let part = |part: &evidence::progress::Part| (part.name, (part.accounts)(wanted));
        let parts: Vec<_> = PARTS.iter().map(part).collect();
        let accounts = || parts.iter().flat_map(|(_, accounts)| accounts);
        ensure!(
            accounts().count() > 0,
            "there is no such operation: `{}`",
            wanted.only
        );
        let page = page(&parts);
        println!("{page}");
        for account in accounts() {
            account.class().map_err(|why| anyhow!(why))?;
        }
        let cells = || accounts().flat_map(|account| &account.cells);
        let stops: usize = cells().map(|cell| cell.frozen.points).sum();
        let ended: usize = cells().map(|cell| cell.frozen.ended).sum();
        println!("rows {} stops {stops} ended {ended}", accounts().count());
        if let Some(file) = write {
            std::fs::write(file, &page)
                .with_context(|| format!("cannot write {}", file.display()))?;
        }
        if let Some(file) = check {
            let name = file.display();
            let present =
                std::fs::read_to_string(file).with_context(|| format!("cannot read {name}"))?;
            let line = present
                .lines()
                .zip(page.lines())
                .position(|(one, other)| one != other);
            let line = line.map_or(present.lines().count(), |line| line + 1);
            ensure!(
                present == page,
                "{name}:{line}: no longer what is seen; `cargo xtask evidence --write-progress` renews it"
            );
        }
        Ok(())
    }
}
