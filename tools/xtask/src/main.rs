//! `cargo xtask`: the checks of the repository, the same at home and in CI.
#![expect(
    clippy::print_stdout,
    reason = "a command-line tool reports on its standard output"
)]
#![expect(
    clippy::print_stderr,
    reason = "a command-line tool reports failures on standard error"
)]

mod aarch64;
mod asm;
mod ci;
mod coherence;
mod evidence;
mod features;
mod layers;
mod map;
mod mutants;
mod oracle;
mod orders;
mod report;
mod safety;
mod shell;
mod source;
mod tidy;
mod toolchain;
mod vm;

use anyhow::{Context as _, Result, bail};
use clap::{Parser, Subcommand};
use shell::Outcome;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

#[derive(Parser)]
#[command(name = "cargo xtask", about = "The checks of the repository", version)]
struct Cli {
    /// Folder to check instead of this repository (the self-tests use it).
    #[arg(long, global = true)]
    root: Option<PathBuf>,
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// File length, atomics through `sync`, words, links, scripts, the map.
    Tidy,
    /// Imports go downwards only; each cfg in its layer.
    Layers,
    /// Every strong ordering is explained, tagged at both ends and tested.
    Orders(orders::Options),
    /// Every unsafe site is argued by invariant number or caller's contract.
    Safety,
    /// The annotated tree in docs/MAP.md.
    Map {
        /// Write docs/MAP.md instead of comparing with it.
        #[arg(long)]
        write: bool,
    },
    /// The library's whole test suite as an aarch64 program, with LSE and without, under qemu-user.
    ///
    /// Exit code: 0 passed, 1 a test failed or a processor is not what it should be, 2 cannot run;
    /// the message says what is missing and the command that installs it.
    Aarch64(aarch64::Options),
    /// Tests in machines of `tools/vm`, on a kernel of their own: NUMA nodes, a CPU that counts.
    ///
    /// Exit code: 0 passed, 1 a test failed or none was run, 2 cannot run; the message says what is
    /// missing and the command that installs it.
    Vm(vm::Options),
    /// The test command of the README: `cargo test --workspace`.
    Test,
    /// All deterministic gates, with times and a summary.
    Ci(ci::Options),
    /// What shows that no key is lost, nothing stalls and nothing races: one table.
    Evidence(evidence::Options),
    /// The contract of reclamation over its second body, the crate `seize`.
    Oracle(oracle::Options),
    /// The machine code of the probes, against contract and snapshots.
    Asm(asm::Options),
    /// The cache lines that operations touch, against snapshots and valgrind.
    Coherence(coherence::Options),
}

fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => {
            // Where it cannot be printed nobody reads it. 3: `asm` has a meaning for 1 and 2.
            let _ = error.print();
            return ExitCode::from(if error.use_stderr() { 3 } else { 0 });
        }
    };
    match run(cli) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("xtask: {error:#}");
            ExitCode::from(2)
        }
    }
}

/// Runs one command; a failure means that it had findings.
fn run(cli: Cli) -> Result<ExitCode> {
    let root = match cli.root {
        Some(path) => path,
        None => repository()?,
    };
    if !root.is_dir() {
        bail!("{} is not a folder", root.display());
    }
    let passed = match cli.command {
        Command::Tidy => tidy::check(&root)?.print("tidy"),
        Command::Layers => layers::check(&root)?.print("layers"),
        Command::Orders(options) => orders::run(&root, &options)?,
        Command::Safety => safety::check(&root)?.print("safety"),
        Command::Map { write } => map::check(&root, write)?.print("map"),
        Command::Test => ci::test(&root)?,
        Command::Ci(options) => ci::run(&root, &options)?,
        Command::Evidence(options) => matches!(evidence::run(&root, &options)?, Outcome::Passed(_)),
        Command::Oracle(options) => oracle::run(&root, &options)?,
        Command::Aarch64(options) => aarch64::run(&root, &options)?,
        Command::Vm(options) => vm::run(&root, &options)?,
        Command::Asm(options) => return Ok(asm::run(&root, &options)),
        Command::Coherence(options) => return Ok(coherence::run(&root, &options)),
    };
    Ok(if passed {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

/// The root of the workspace that this tool was built in.
fn repository() -> Result<PathBuf> {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let root = here
        .ancestors()
        .nth(2)
        .context("tools/xtask lies two folders below the root")?;
    Ok(root.to_path_buf())
}
