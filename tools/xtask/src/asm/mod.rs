//! `asm`: the machine code of the probes, against the contract and the snapshots in asm/.
//!
//! `check` and `diff` judge and write nothing outside of target/, `bless` records, `explain` says what
//! is expected of a probe and why, `mutate` shows that broken code is found.
//! Exit codes: 0 as it should be, 1 a contract is broken, 2 a snapshot differs, 3 a tool or a target
//! is missing or nothing could be judged.

mod build;
mod clean;
mod explain;
mod mutate;
mod variants;

use crate::shell::{Outcome, Shell, side_by_side};
use crate::toolchain;
use anyhow::{Context as _, Result, bail};
use asmguard::{Probes, Report, Rules, Snapshots, Variant as Judged, judge};
use build::{CRATE, Place};
use clap::{Args, Subcommand};
use std::collections::BTreeMap;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Instant;
use variants::Variant;

const RULES: &str = "asm/rules.toml";
const PROBES: &str = "tools/asm-probes/src";

#[derive(Args)]
pub(crate) struct Options {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Contract and snapshots of all variants; says which differ.
    Check(Judging),
    /// Like check, and shows the lines that differ.
    Diff(Judging),
    /// Record snapshots. What breaks its contract is not recorded.
    Bless {
        #[command(flatten)]
        wanted: Wanted,
        /// Install the pinned cargo-show-asm below target/ if it is not there.
        #[arg(long)]
        install: bool,
    },
    /// What is expected of a probe, by which rule or row, and where its source is.
    Explain {
        /// The probe's name.
        probe: String,
        /// The variants to explain it for; all if none is named.
        #[arg(long)]
        variant: Vec<String>,
    },
    /// Break copies of the crate; each must be found.
    Mutate {
        /// Only the mutants whose name has this in it.
        #[arg(long, default_value = "")]
        only: String,
    },
}

/// What to record is always said.
#[derive(Args)]
#[group(required = true, multiple = false)]
struct Wanted {
    /// The variants to record.
    #[arg(long)]
    variant: Vec<String>,
    /// Record all variants.
    #[arg(long)]
    all: bool,
}

#[derive(Args)]
struct Judging {
    /// The variants to judge; all if none is named.
    #[arg(long)]
    variant: Vec<String>,
    /// Write the report as JSON to this file; `-` is the standard output.
    #[arg(long)]
    json: Option<String>,
    /// Install the pinned cargo-show-asm below target/ if it is not there.
    #[arg(long)]
    install: bool,
}

/// Runs one command. Whatever kept it from judging is exit code 3.
pub(crate) fn run(root: &Path, options: &Options) -> ExitCode {
    // Builds run in another folder.
    let root = &std::path::absolute(root).unwrap_or_else(|_| root.to_path_buf());
    let result = match &options.command {
        Command::Check(judging) => check(root, judging, false).map(|report| report.exit_code()),
        Command::Diff(judging) => check(root, judging, true).map(|report| report.exit_code()),
        Command::Bless { wanted, install } if wanted.all => bless(root, &[], *install),
        Command::Bless { wanted, install } => bless(root, &wanted.variant, *install),
        Command::Explain { probe, variant } => {
            chosen(variant).and_then(|variants| explain::print(root, probe, &variants))
        }
        Command::Mutate { only } => mutate::run(root, only, usize::MAX),
    };
    match result {
        Ok(code) => ExitCode::from(code),
        Err(error) => {
            eprintln!("asm: {error:#}");
            ExitCode::from(3)
        }
    }
}

/// The step of CI: all variants.
pub(crate) fn step(shell: &Shell) -> Result<Outcome> {
    let judging = Judging {
        variant: Vec::new(),
        json: None,
        install: false,
    };
    let report = check(&shell.root, &judging, true)?;
    let mut groups = report.variants.iter();
    let compared = groups.all(|group| group.recording.compares());
    Ok(match outcome(report.exit_code(), "check") {
        Outcome::Passed(_) if !compared => {
            let text = "the contract alone: the snapshots were recorded with another compiler";
            Outcome::Passed(text.to_owned())
        }
        outcome => outcome,
    })
}

/// What the exit code of a command means; a missing tool is no pass, at home either.
fn outcome(code: u8, command: &str) -> Outcome {
    let why = match code {
        0 => return Outcome::Passed(String::new()),
        1 => "a contract is broken, or a mutant is missed",
        2 => "a snapshot differs",
        _ => "a tool or a target is missing",
    };
    Outcome::Failed(format!("`cargo xtask asm {command}`: {why}"))
}

/// The step of CI: a build of mutants for each variant. The command makes them all.
pub(crate) fn mutants(shell: &Shell) -> Result<Outcome> {
    Ok(outcome(mutate::run(&shell.root, "", 1)?, "mutate"))
}

fn check(root: &Path, judging: &Judging, lines: bool) -> Result<Report> {
    let (report, _) = judged(root, &judging.variant, judging.install)?;
    match judging.json.as_deref() {
        Some("-") => println!("{}", report.json()),
        Some(file) => {
            std::fs::write(file, report.json()).with_context(|| format!("cannot write {file}"))?;
            print!("{}", report.text(lines));
        }
        None => print!("{}", report.text(lines)),
    }
    if std::env::var_os("GITHUB_ACTIONS").is_some() && judging.json.as_deref() != Some("-") {
        print!("{}", report.annotations());
    }
    if let Some(file) = std::env::var_os("GITHUB_STEP_SUMMARY") {
        let options = std::fs::File::options()
            .append(true)
            .create(true)
            .open(&file);
        let mut file = options.with_context(|| format!("cannot write {}", file.display()))?;
        file.write_all(report.markdown().as_bytes())?;
    }
    Ok(report)
}

fn bless(root: &Path, names: &[String], install: bool) -> Result<u8> {
    let (report, records) = judged(root, names, install)?;
    if !report.missing.is_empty() || report.variants.iter().any(|group| group.broken() > 0) {
        print!("{}", report.text(false));
        println!("asm: nothing is recorded while a contract is broken or something is missing");
        return Ok(report.exit_code());
    }
    for (name, record) in records {
        if !record.pinned {
            bail!("snapshots are recorded with the pinned compiler; {name} was not compiled by it");
        }
        let folder = root.join("asm").join(name);
        record.snapshots.write(&folder)?;
        let count = record.snapshots.probes.len();
        println!("asm/{name}: {count} snapshots recorded");
    }
    Ok(0)
}

/// The variants of these names; all if there is none.
fn chosen(names: &[String]) -> Result<Vec<&'static Variant>> {
    if names.is_empty() {
        return Ok(variants::ALL.iter().collect());
    }
    let find = |name: &String| {
        let found = variants::ALL.iter().find(|variant| variant.name == name);
        found.with_context(|| {
            let names = variants::names().join(", ");
            format!("there is no variant `{name}`; there are {names}")
        })
    };
    names.iter().map(find).collect()
}

/// What could be recorded of a variant.
struct Record {
    snapshots: Snapshots,
    pinned: bool,
}

/// Builds, reads and judges.
fn judged(
    root: &Path,
    names: &[String],
    install: bool,
) -> Result<(Report, BTreeMap<&'static str, Record>)> {
    let shell = Shell::new(root);
    let variants = chosen(names)?;
    let rules = rules(root)?;
    let sources = sources(root)?;
    let mut report = Report::default();
    let mut records = BTreeMap::new();
    let tool = toolchain::show_asm(&shell, install);
    let tool = tool.map_err(|remedy| report.missing.push(remedy)).ok();
    let mut wanted = Vec::new();
    for variant in variants {
        if let Err(remedy) = toolchain::target(&shell, variant.target) {
            report.missing.push(remedy);
        } else if let Some(tool) = &tool {
            wanted.push((variant, tool));
        }
    }
    let done = side_by_side(wanted, |(variant, tool)| {
        let begun = Instant::now();
        let place = Place {
            tree: root,
            target: folder(&shell)?.join(variant.name),
            variant,
        };
        let header = place.header(&toolchain::show_asm_name())?;
        let pinned = clean::pinned(root).is_some_and(|channel| is_release(&header.rustc, &channel));
        let judged = Judged {
            name: variant.name,
            machine: variant.machine,
            krate: CRATE,
            header,
            pinned,
            sources: &sources,
        };
        let emitted = place.emitted(true)?;
        let emitted = emitted.map_err(|said| anyhow::anyhow!("{}: {said}", variant.name))?;
        let first = Probes::find(&judged, &emitted)?;
        let second = Probes::find(&judged, &place.shown(tool)?)?;
        let snapshots = Snapshots::read(&root.join("asm").join(variant.name))?;
        let mut group = judge(&judged, &first, Some(&second), &rules, &snapshots)?;
        group.seconds = begun.elapsed().as_secs_f64();
        let seen: Vec<String> = first.codes.keys().cloned().collect();
        let snapshots = first.record(&judged.header);
        Ok((variant.name, group, seen, Record { snapshots, pinned }))
    })?;
    let mut seen = Vec::new();
    for (name, group, probes, record) in done {
        seen.extend(probes);
        records.insert(name, record);
        report.variants.push(group);
    }
    if !seen.is_empty() {
        let unused = rules.unused(seen.iter().map(String::as_str));
        if let Some(rule) = unused.first() {
            bail!("{RULES}:{}: there is no probe `{}`", rule.line, rule.probe);
        }
    }
    Ok((report, records))
}

/// Where everything that is built for this command lies.
fn folder(shell: &Shell) -> Result<PathBuf> {
    Ok(std::path::absolute(shell.target("asm"))?)
}

/// True of the line of a release, like `rustc 1.95.0 (..)`.
fn is_release(rustc: &str, channel: &str) -> bool {
    rustc.split(' ').nth(1) == Some(channel)
}

fn rules(root: &Path) -> Result<Rules> {
    let text = crate::source::read(root, RULES)?;
    Ok(Rules::parse(RULES, &text, &variants::names())?)
}

/// Where each probe is written.
fn sources(root: &Path) -> Result<BTreeMap<String, (String, usize)>> {
    let name = regex::Regex::new(r"^\s*(?:pub fn )?((?:ours|core|hot)_\w+)\(")?;
    let mut found = BTreeMap::new();
    for path in crate::source::files(root)? {
        // Tests call probes; they do not write them.
        if !path.starts_with(PROBES) || !path.ends_with(".rs") || path.ends_with("/tests.rs") {
            continue;
        }
        for (index, line) in crate::source::read(root, &path)?.lines().enumerate() {
            if let Some(probe) = name.captures(line) {
                found.insert(probe[1].to_owned(), (path.clone(), index + 1));
            }
        }
    }
    Ok(found)
}
