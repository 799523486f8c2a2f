//! `evidence`: histories under chosen interleavings, and threads frozen at every access.
//!
//! It needs the build with the tracer; `cargo xtask evidence` calls it.
#![expect(clippy::print_stdout, reason = "a command-line tool")]

use clap::{Parser, Subcommand};

#[derive(Parser)]
#[command(name = "evidence", version, about)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Histories from one seed on; the same arguments give the same histories.
    Histories {
        /// The first seed.
        #[arg(long)]
        seed: u64,
        /// How many runs.
        #[arg(long)]
        runs: u64,
        /// Only kinds of runs whose name contains this.
        #[arg(long, default_value = "")]
        only: String,
    },
}

#[cfg(atomshard_traced)]
fn main() -> anyhow::Result<()> {
    let Command::Histories { seed, runs, only } = Cli::parse().command;
    let scenarios = evidence::scheduled::scenarios();
    for s in scenarios.iter().filter(|s| s.name.contains(&only)) {
        let begun = std::time::Instant::now();
        let mut sum = evidence::scheduled::Ran::default();
        for seed in seed..seed + runs {
            let ran = s
                .run(seed)
                .map_err(|why| anyhow::anyhow!("{} {seed}: {why}", s.name))?;
            sum.operations += ran.operations;
            sum.overlaps += ran.overlaps;
            sum.accesses += ran.accesses;
            sum.digest ^= ran.digest;
        }
        println!("{} {:?} {:.3}s", s.name, sum, begun.elapsed().as_secs_f64());
    }
    Ok(())
}

#[cfg(not(atomshard_traced))]
fn main() -> anyhow::Result<()> {
    let _ = Cli::parse();
    anyhow::bail!("needs RUSTFLAGS='--cfg atomshard_traced'")
}
