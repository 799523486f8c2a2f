//! `atomshard verify PLAN`: a plan of placement, applied in a child process and read back.
//!
//! ```text
//! child: thread i  pins itself   shards i, i + n, ..: places a block, writes to it, reads back where it lies
//!                                every n-th key: inserts it into maps that were built by the plan (`maps.rs`)
//! ```
//!
//! In a child, since a node that is full ends the process that has bound memory to it, and pins stay.
mod maps;

use crate::cli::VerifyArgs;
use crate::error::LabError;
use atomshard::topology::{FoundPages, FoundThread, Memory, Outcome, Placement, Plan};
use comfy_table::{ContentArrangement, Table, presets};
use maps::Maps;
use std::collections::BTreeSet;
use std::io::Write as _;
use std::panic::resume_unwind;
use std::path::Path;
use std::process::{Command, ExitCode};
use std::thread;

/// The smallest page of any system: who writes at this distance writes to every page.
const SMALLEST_PAGE: usize = 4096;

/// What fell short, and what helps.
type Trouble = (String, &'static str);

/// A thread of the plan, as it was read back.
struct ThreadRow {
    cpu: usize,
    found: FoundThread,
    trouble: Option<Trouble>,
}

/// Pages that belong together, as they were read back.
struct PagesRow {
    what: String,
    planned: String,
    found: FoundPages,
    trouble: Option<Trouble>,
}

/// Has the plan applied, and passes on the child's exit code.
pub(crate) fn run(args: &VerifyArgs) -> Result<ExitCode, LabError> {
    if args.apply {
        return apply(&read(&args.plan)?, args);
    }
    let own = std::env::current_exe().map_err(LabError::at("the lab itself"))?;
    let (memory, kib) = (args.memory.to_string(), args.kib.to_string());
    let mut child = Command::new(&own);
    child.args([
        "verify", "--apply", "--memory", &memory, "--kib", &kib, "--",
    ]);
    // So that glibc has each block from the kernel: else it hands out blocks again that were placed for another shard.
    child.env("MALLOC_MMAP_THRESHOLD_", "65536");
    let status = child.arg(&args.plan).status().map_err(LabError::at(own))?;
    let code = status.code().and_then(|code| u8::try_from(code).ok());
    code.map(ExitCode::from).ok_or(LabError::Ended { status })
}

/// Reads a plan.
fn read(path: &Path) -> Result<Plan, LabError> {
    let text = std::fs::read_to_string(path).map_err(LabError::at(path))?;
    let at = |line: usize, what: &str| LabError::Input {
        file: path.display().to_string(),
        line: u64::try_from(line).unwrap_or(u64::MAX),
        expected: format!("expected a plan with policy, threads and shards: {what}"),
    };
    let plan: Plan = if path
        .extension()
        .is_some_and(|extension| extension == "toml")
    {
        toml::from_str(&text).map_err(|error| {
            let before = text.get(..error.span().map_or(0, |span| span.start));
            let lines = before.unwrap_or_default().matches('\n').count();
            at(lines + 1, error.message())
        })?
    } else {
        serde_json::from_str(&text).map_err(|error| at(error.line(), &error.to_string()))?
    };
    let most = plan.threads().len().max(plan.shards().len());
    if most > Placement::LIMIT {
        return Err(at(
            1,
            &format!("{most} of one kind, at most {}", Placement::LIMIT),
        ));
    }
    Ok(plan)
}

/// Applies the plan in this process, and prints what was read back.
fn apply(plan: &Plan, args: &VerifyArgs) -> Result<ExitCode, LabError> {
    let kib = usize::try_from(args.kib).unwrap_or(usize::MAX);
    let bytes = kib.saturating_mul(1024);
    let workers = plan.threads().len().max(1);
    let (mut threads, mut shards) = (Vec::new(), Vec::new());
    let maps = Maps::of(plan, args.memory);
    for worker in 0..workers {
        // One after the other, each in a thread of its own, which ends with its pin.
        let work = || {
            let mine = (worker..plan.shards().len()).step_by(workers);
            let pinned = plan
                .threads()
                .get(worker)
                .map(|cpu| pin(plan, worker, *cpu));
            if let Ok(maps) = &maps {
                maps.fill(worker, workers);
            }
            let placed = mine.map(|shard| (shard, place(plan, shard, args.memory, bytes)));
            (pinned, placed.collect::<Vec<_>>())
        };
        let done = thread::scope(|scope| scope.spawn(work).join());
        let (pinned, placed) = done.unwrap_or_else(|panic| resume_unwind(panic));
        threads.extend(pinned);
        shards.extend(placed);
    }
    shards.sort_by_key(|(shard, _)| *shard);
    let shards: Vec<PagesRow> = shards.into_iter().map(|(_, row)| row).collect();
    let maps = maps.map(|maps| maps.rows(plan, args.memory));
    print(plan, args.memory, &threads, &shards, maps)
}

fn pin(plan: &Plan, thread: usize, cpu: usize) -> ThreadRow {
    let outcome = plan.pin(thread);
    ThreadRow {
        cpu,
        found: outcome.found().clone(),
        trouble: trouble(&outcome),
    }
}

/// Places a fresh block, writes to each page of it, and reads back.
fn place(plan: &Plan, shard: usize, memory: Memory, bytes: usize) -> PagesRow {
    let mut block = vec![0_u8; bytes];
    let placed = plan.place(shard, memory, &raw const block[..]);
    block
        .iter_mut()
        .step_by(SMALLEST_PAGE)
        .for_each(|byte| *byte = 1);
    let block = core::hint::black_box(block);
    let verified = plan.verify_place(shard, memory, &raw const block[..]);
    PagesRow {
        what: shard.to_string(),
        planned: number(plan.shards().get(shard).copied()),
        found: verified.found().clone(),
        // What was refused is the cause of what is then found.
        trouble: trouble(&placed).or_else(|| trouble(&verified)),
    }
}

fn trouble<F>(outcome: &Outcome<F>) -> Option<Trouble> {
    match outcome {
        Outcome::Applied { .. } => None,
        Outcome::Degraded { why, remedy, .. } => Some((why.to_string(), remedy)),
    }
}

/// A table of threads, one of shards, one of maps; the sum, and each remedy once.
fn print(
    plan: &Plan,
    memory: Memory,
    threads: &[ThreadRow],
    shards: &[PagesRow],
    maps: Result<Vec<PagesRow>, &str>,
) -> Result<ExitCode, LabError> {
    let mut out = std::io::stdout().lock();
    writeln!(out, "policy {}, memory {memory}", plan.policy())?;
    writeln!(out, "{}", thread_table(threads))?;
    writeln!(out, "{}", pages_table("shard", shards))?;
    match &maps {
        Ok(rows) => writeln!(out, "{}", pages_table("map", rows))?,
        Err(why) => writeln!(out, "no map was built: {why}")?,
    }
    let maps = maps.unwrap_or_default();
    let of_threads = threads.iter().filter_map(|row| row.trouble.as_ref());
    let troubles = |rows: &'_ [PagesRow]| rows.iter().filter(|row| row.trouble.is_some()).count();
    let pages = || shards.iter().chain(&maps);
    writeln!(
        out,
        "as planned: {} of {} threads, {} of {} shards, {} of {} parts of maps; pages misplaced: {}, not read back: {}",
        threads.len() - of_threads.clone().count(),
        threads.len(),
        shards.len() - troubles(shards),
        shards.len(),
        maps.len() - troubles(&maps),
        maps.len(),
        pages().map(|row| row.found.misplaced).sum::<usize>(),
        pages().map(|row| row.found.unknown).sum::<usize>(),
    )?;
    let of_pages = pages().filter_map(|row| row.trouble.as_ref());
    let remedies: BTreeSet<&str> = of_threads
        .chain(of_pages)
        .map(|(_, remedy)| *remedy)
        .collect();
    for remedy in &remedies {
        writeln!(out, "remedy: {remedy}")?;
    }
    Ok(ExitCode::from(u8::from(!remedies.is_empty())))
}

fn table<const N: usize>(header: [&str; N]) -> Table {
    let mut table = Table::new();
    table.load_style(presets::ASCII_MARKDOWN);
    table.set_content_arrangement(ContentArrangement::Disabled);
    table.set_header(header);
    table
}

fn thread_table(rows: &[ThreadRow]) -> Table {
    let mut table = table([
        "thread",
        "planned CPU",
        "CPU read back",
        "its node",
        "outcome",
    ]);
    for (thread, row) in rows.iter().enumerate() {
        let [cpu, node] = [row.found.cpu, row.found.node].map(number);
        table.add_row([
            thread.to_string(),
            row.cpu.to_string(),
            cpu,
            node,
            outcome(&row.trouble),
        ]);
    }
    table
}

fn pages_table(of: &str, rows: &[PagesRow]) -> Table {
    let header = [
        of,
        "planned node",
        "pages",
        "read back: node x pages",
        "not there yet",
        "misplaced",
        "outcome",
    ];
    let mut table = table(header);
    for row in rows {
        let found = &row.found;
        let nodes = found
            .nodes
            .iter()
            .map(|(node, pages)| format!("{node} x {pages}"));
        let nodes = nodes.collect::<Vec<_>>().join(", ");
        table.add_row([
            row.what.clone(),
            row.planned.clone(),
            found.pages.to_string(),
            if nodes.is_empty() {
                "none".to_owned()
            } else {
                nodes
            },
            found.untouched.to_string(),
            found.misplaced.to_string(),
            outcome(&row.trouble),
        ]);
    }
    table
}

/// What was not read back is not a number.
fn number(found: Option<usize>) -> String {
    found.map_or_else(|| "unknown".to_owned(), |number| number.to_string())
}

fn outcome(trouble: &Option<Trouble>) -> String {
    let why = trouble.as_ref().map(|(why, _)| why.clone());
    why.unwrap_or_else(|| "applied".to_owned())
}
