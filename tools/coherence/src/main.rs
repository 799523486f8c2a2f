//! `coherence`: accounts for the cache lines of each case, and compares them with what was recorded.
//!
//! The account needs the build with the tracer, `replay` the one without; `cargo xtask coherence`
//! calls each as it needs.
#![expect(clippy::print_stdout, reason = "a command-line tool")]
#![expect(clippy::print_stderr, reason = "a command-line tool")]

use clap::{Parser, Subcommand};
use std::path::PathBuf;
use std::process::ExitCode;

#[global_allocator]
static ARENA: coherence::arena::Arena = coherence::arena::Arena;

#[derive(Parser)]
#[command(name = "coherence", version, about)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Compare the accounts with the recorded ones: 0 the same, 1 something is worse, 2 something differs.
    Check(Which),
    /// Record the accounts.
    Bless(Which),
    /// As `check`, with each field that has moved.
    Diff(Which),
    /// The account of one case, as it is recorded.
    Account {
        /// `structure/operation`.
        case: String,
        /// Threads.
        threads: usize,
    },
    /// What padding is worth by the model, for 1 to 32 threads.
    Scaling,
    /// What padding is worth by the clock, for as many threads as there are cores.
    Timing,
    /// The lines that each operation of a case touches, by region.
    Lines(Case),
    /// A case of one thread with marks, for a memory trace from outside.
    Replay(Case),
}

#[derive(clap::Args)]
struct Which {
    /// Structures whose name contains this.
    #[arg(default_value = "")]
    filter: String,
    /// Where the accounts are recorded.
    #[arg(long, default_value = "benches/coherence")]
    folder: PathBuf,
}

#[derive(clap::Args)]
struct Case {
    /// `structure/operation`.
    #[arg(required_unless_present = "list")]
    case: Option<String>,
    /// List the cases and stop.
    #[arg(long)]
    list: bool,
}

fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => {
            // Where it cannot be printed nobody reads it.
            let _ = error.print();
            return ExitCode::from(if error.use_stderr() { 3 } else { 0 });
        }
    };
    if let Command::Lines(Case { list: true, .. }) | Command::Replay(Case { list: true, .. }) =
        &cli.command
    {
        let single = coherence::cases::all().into_iter();
        for spec in single.filter(|spec| spec.verified && spec.threads.contains(&1)) {
            println!("{}", spec.name());
        }
        return ExitCode::SUCCESS;
    }
    match body::run(cli.command) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("coherence: {error:#}");
            ExitCode::from(3)
        }
    }
}

/// What a build with the tracer can do.
#[cfg(atomshard_traced)]
mod body {
    use super::{Command, Which};
    use anyhow::{Context as _, Result, ensure};
    use coherence::{Snapshot, accounts, compare};
    use std::collections::BTreeMap;
    use std::process::{self, ExitCode, Stdio};

    pub(super) fn run(command: Command) -> Result<ExitCode> {
        match command {
            Command::Check(which) => judge(&which, false),
            Command::Diff(which) => judge(&which, true),
            Command::Bless(which) => bless(&which),
            Command::Account { case, threads } => {
                print!("{}", accounts::of(&case, threads)?);
                Ok(ExitCode::SUCCESS)
            }
            Command::Scaling => {
                print!("{}", accounts::scaling()?);
                Ok(ExitCode::SUCCESS)
            }
            Command::Lines(case) => {
                print!("{}", accounts::lines(&case.case.unwrap_or_default())?);
                Ok(ExitCode::SUCCESS)
            }
            Command::Replay(_) | Command::Timing => {
                anyhow::bail!("this is of the build without the tracer")
            }
        }
    }

    /// The present accounts, one process for each case: what a process has once, such as the numbers of
    /// its threads, begins anew. Their threads take turns, so as many run at once as there are processors.
    fn present(which: &Which) -> Result<BTreeMap<&'static str, Snapshot>> {
        let program = std::env::current_exe()?;
        let mut cases = Vec::new();
        for spec in coherence::cases::all() {
            if spec.structure.contains(&which.filter) {
                let of_spec = spec.threads.iter().map(|threads| (spec.name(), *threads));
                cases.extend(of_spec.map(|(name, threads)| (spec.structure, name, threads)));
            }
        }
        let mut all: BTreeMap<&str, Snapshot> = BTreeMap::new();
        let processors = std::thread::available_parallelism().map_or(1, usize::from);
        for some in cases.chunks(processors) {
            let start = |(structure, name, threads): &(&'static str, String, usize)| {
                let mut line = process::Command::new(&program);
                let line = line.args(["account", name, &threads.to_string()]);
                let child = line.stdout(Stdio::piped()).spawn()?;
                anyhow::Ok((*structure, format!("{name} with {threads} threads"), child))
            };
            let started: Vec<_> = some.iter().map(start).collect::<Result<_>>()?;
            for (structure, name, child) in started {
                let out = child.wait_with_output()?;
                ensure!(out.status.success(), "{name} failed");
                let one = Snapshot::parse(&String::from_utf8(out.stdout)?).context(name)?;
                all.entry(structure).or_default().cases.extend(one.cases);
            }
        }
        ensure!(
            !all.is_empty(),
            "no structure is called like `{}`",
            which.filter
        );
        Ok(all)
    }

    fn bless(which: &Which) -> Result<ExitCode> {
        std::fs::create_dir_all(&which.folder)?;
        let all = present(which)?;
        for (structure, snapshot) in &all {
            let path = which.folder.join(format!("{structure}.toml"));
            std::fs::write(&path, snapshot.to_text(structure))?;
        }
        println!("coherence: {} snapshots written", all.len());
        Ok(ExitCode::SUCCESS)
    }

    fn judge(which: &Which, is_long: bool) -> Result<ExitCode> {
        let all = present(which)?;
        let (mut worse, mut others, mut cases) = (0, 0, 0);
        for (structure, present) in &all {
            let path = which.folder.join(format!("{structure}.toml"));
            let text = std::fs::read_to_string(&path).with_context(|| {
                format!(
                    "{}: `cargo xtask coherence bless` records it",
                    path.display()
                )
            })?;
            let recorded = Snapshot::parse(&text).with_context(|| path.display().to_string())?;
            cases += present.cases.len();
            for finding in compare(&recorded, present) {
                if finding.is_worse() {
                    worse += 1;
                } else {
                    others += 1;
                }
                if is_long || !finding.is_detail() {
                    println!("{structure}: {finding}");
                }
            }
        }
        println!(
            "coherence: {} structures, {cases} cases: {worse} worse, {others} other differences",
            all.len()
        );
        Ok(ExitCode::from(match (worse, others) {
            (0, 0) => 0,
            (0, _) => 2,
            _ => 1,
        }))
    }
}

/// What a build without the tracer can do.
#[cfg(not(atomshard_traced))]
mod body {
    use super::Command;
    use anyhow::{Context as _, Result, bail};
    use std::process::ExitCode;

    pub(super) fn run(command: Command) -> Result<ExitCode> {
        let case = match command {
            Command::Replay(case) => case,
            Command::Timing => {
                print!("{}", coherence::timing::table());
                return Ok(ExitCode::SUCCESS);
            }
            _ => bail!("this needs the tracer: call `cargo xtask coherence`"),
        };
        let name = case.case.unwrap_or_default();
        let spec = coherence::cases::find(&name).with_context(|| format!("no case `{name}`"))?;
        (spec.run)(coherence::Case::new().operations(spec.operations));
        Ok(ExitCode::SUCCESS)
    }
}
