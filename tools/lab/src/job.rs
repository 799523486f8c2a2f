//! The main job: which workloads run, with how many threads, in what time.
use crate::cli::RunArgs;
use crate::clock::Ticks;
use crate::contest::{Pace, Samples, most_bytes, race};
use crate::engines::Entrant;
use crate::error::LabError;
use crate::machine::Machine;
use crate::mixes::{Dist, MOST_KEYS, Mix, MixPlan};
use crate::ops::Stream;
use crate::racer::racers;
use crate::report::{
    BODY, Cell, Method, Report, Section, print_cell, print_machine, print_reasons, write_html,
    write_json,
};
use crate::run::SAMPLE_EVERY;
use crate::trace::{Trace, read, shipped};
use crate::work::Work;
use core::time::Duration;
use indicatif::{ProgressBar, ProgressStyle};
use std::io::Write as _;
use std::sync::Arc;
use std::time::Instant;

/// A workload, not yet made.
enum Task {
    Trace(Trace),
    Mix(Mix, Dist),
}

impl Task {
    fn title(&self, keys: u32) -> String {
        match self {
            Self::Trace(trace) => format!("trace {}", trace.name),
            Self::Mix(mix, dist) => format!("{mix} {dist}, {keys} keys"),
        }
    }

    fn about(&self) -> String {
        match self {
            Self::Trace(trace) => {
                format!("{}: {} operations", trace.about, trace.stats.ops())
            }
            Self::Mix(mix, _) => format!(
                "{} % get, {} % load (insert or overwrite), {} % delete; u64 keys and values; \
                 {:.0} % of the keys are present, before and after",
                mix.get,
                mix.load,
                mix.delete,
                100.0 * mix.steady_share()
            ),
        }
    }
}

/// Runs it.
pub(crate) fn run(args: &RunArgs) -> Result<(), LabError> {
    let began = Instant::now();
    let tasks = tasks(args)?;
    let machine = Machine::discover();
    let counts = thread_counts(args, machine.processors);
    check(args, &tasks, &counts)?;
    std::fs::create_dir_all(&args.out).map_err(LabError::at(&args.out))?;

    let mut out = std::io::stdout().lock();
    print_machine(&mut out, &machine)?;
    let bar = progress(tasks.len() * counts.len());
    let mut sections = Vec::new();
    let mut left = tasks.len() * counts.len();
    let budget = Duration::from_secs(u64::from(args.seconds));
    for task in &tasks {
        let title = task.title(args.keys);
        let mut cells = Vec::new();
        for &threads in &counts {
            let share = budget.saturating_sub(began.elapsed()) / u32::try_from(left).unwrap_or(1);
            bar.set_message(format!("{title}, {threads} threads"));
            let pace = Pace {
                rounds: 10,
                budget: Some(share),
                samples: Samples::Few,
                is_counted: true,
                most_bytes: most_bytes(),
            };
            let cell = one(task, args, threads, pace, &bar)?;
            bar.inc(1);
            left -= 1;
            bar.suspend(|| print_cell(&mut out, &title, &cell))?;
            out.flush()?;
            cells.push(cell);
        }
        sections.push(Section {
            title,
            about: task.about(),
            cells,
        });
    }
    bar.finish_and_clear();
    let report = Report {
        schema: 3,
        version: env!("CARGO_PKG_VERSION"),
        command: command_line(),
        date: jiff::Timestamp::now()
            .strftime("%Y-%m-%d %H:%M UTC")
            .to_string(),
        seconds: began.elapsed().as_secs_f64(),
        machine,
        method: method(),
        sections,
    };
    print_reasons(&mut out, &report)?;
    write_json(&report, &args.out)?;
    write_html(&report, &args.out)?;
    writeln!(out, "\n* shown, never recommended:")?;
    for entrant in Entrant::ALL
        .iter()
        .filter(|entrant| !entrant.is_contender())
    {
        writeln!(
            out,
            "  {}: {}",
            entrant.label(),
            entrant.note().unwrap_or_default()
        )?;
    }
    writeln!(
        out,
        "Latencies include {} ns for reading the clock. Every result was checked.",
        report.method.clock_overhead_ns
    )?;
    writeln!(
        out,
        "{}. Written: {}, {}",
        duration(report.seconds, args.seconds),
        args.out.join("report.json").display(),
        args.out.join("report.html").display()
    )?;
    Ok(())
}

/// How long the run took, and if that was too long, why.
fn duration(took: f64, asked: u32) -> String {
    if took <= 1.5 * f64::from(asked) {
        return format!("{took:.0} s");
    }
    format!(
        "{took:.0} s, {asked} were asked for: the machine was busy, or it has many processors; \
         each map must be filled and checked"
    )
}

/// The command as it was given.
#[must_use]
pub(crate) fn command_line() -> String {
    let args: Vec<String> = std::env::args().skip(1).collect();
    format!("atomshard {}", args.join(" "))
        .trim_end()
        .to_owned()
}

/// A bar on standard error, if that is a terminal.
#[must_use]
pub(crate) fn progress(steps: usize) -> ProgressBar {
    let bar = ProgressBar::new(steps as u64);
    if let Ok(style) = ProgressStyle::with_template("{bar:24} {pos}/{len} {elapsed} {wide_msg}") {
        bar.set_style(style);
    }
    bar
}

fn method() -> Method {
    Method {
        body: BODY,
        hasher: "foldhash 0.2 (fast) with a fixed seed",
        allocator: "the system's",
        bytes: crate::alloc::method(),
        sample_every: SAMPLE_EVERY,
        clock_overhead_ns: Ticks::get().overhead_ns(),
    }
}

fn tasks(args: &RunArgs) -> Result<Vec<Task>, LabError> {
    let mut tasks = Vec::new();
    // The keys of traces are text.
    let is_replayed = args.maps.is_empty() || args.maps.iter().any(|map| !map.is_of_words());
    if let Some(path) = &args.trace {
        if !is_replayed {
            return Err(LabError::Usage(
                "--maps: expected a map with text keys, which a trace has; WordMap has none"
                    .to_owned(),
            ));
        }
        tasks.push(Task::Trace(read(path)?));
    }
    let dists = match args.dist {
        Some(dist) => vec![dist],
        None => vec![Dist::Uniform, Dist::Zipf],
    };
    let mixes = match (args.mix, &args.trace) {
        (Some(mix), _) => vec![mix],
        (None, Some(_)) => vec![],
        (None, None) => {
            if is_replayed {
                tasks.extend(shipped()?.map(Task::Trace));
            }
            vec![Mix::new(95, 5, 0), Mix::new(70, 20, 10)]
        }
    };
    for mix in mixes {
        tasks.extend(dists.iter().map(|dist| Task::Mix(mix, *dist)));
    }
    Ok(tasks)
}

fn check(args: &RunArgs, tasks: &[Task], counts: &[usize]) -> Result<(), LabError> {
    let most = counts.iter().copied().max().unwrap_or(1);
    if args.keys >= MOST_KEYS {
        return Err(LabError::Usage(format!(
            "--keys: expected less than {MOST_KEYS}"
        )));
    }
    let has_mix = tasks.iter().any(|task| matches!(task, Task::Mix(..)));
    if has_mix && (args.keys as usize) < most {
        return Err(LabError::Usage(format!(
            "--keys {}: expected at least one key for each of {most} threads",
            args.keys
        )));
    }
    Ok(())
}

/// 1 to all processors, at most five counts of them.
fn thread_counts(args: &RunArgs, processors: usize) -> Vec<usize> {
    let mut counts: Vec<usize> = if args.threads.is_empty() {
        let part = |share: usize| (processors * share).div_ceil(8).max(1);
        if processors <= 4 {
            (1..=processors).collect()
        } else {
            vec![1, part(1), part(2), part(4), processors]
        }
    } else {
        args.threads
            .iter()
            .map(|count| usize::from(*count))
            .collect()
    };
    counts.sort_unstable();
    counts.dedup();
    counts
}

fn one(
    task: &Task,
    args: &RunArgs,
    threads: usize,
    pace: Pace,
    bar: &ProgressBar,
) -> Result<Cell, LabError> {
    let chosen: &[Entrant] = if args.maps.is_empty() {
        &Entrant::ALL
    } else {
        &args.maps
    };
    match task {
        Task::Trace(trace) => {
            // The limit row shares nothing, so it cannot replay a trace whose keys are shared.
            let fits = |entrant: &&Entrant| threads == 1 || **entrant != Entrant::Hashbrown;
            let entrants: Vec<Entrant> = chosen.iter().filter(fits).copied().collect();
            let what = format!("the trace {}", trace.name);
            contest(&entrants, trace.work(threads), &what, pace, bar)
        }
        Task::Mix(mix, dist) => {
            let plan = MixPlan {
                mix: *mix,
                dist: *dist,
                keys: args.keys,
                threads,
                // Some milliseconds a round, and a bounded total on machines with many cores.
                ops: (1_000_000 / threads).clamp(20_000, 150_000),
                runs: pace.runs_needed(),
                crowd: None,
            };
            let what = format!("{mix} {dist}");
            contest(chosen, plan.ints(), &what, pace, bar)
        }
    }
}

fn contest<S: Stream>(
    entrants: &[Entrant],
    work: Work<S>,
    what: &str,
    pace: Pace,
    bar: &ProgressBar,
) -> Result<Cell, LabError> {
    let threads = work.threads;
    let lanes = race(racers(entrants, &Arc::new(work)), pace, &mut |_| bar.tick())?;
    Ok(Cell::new(threads, what, &lanes))
}

#[cfg(test)]
mod tests {
    use super::duration;

    #[test]
    fn a_run_that_is_late_says_so() {
        assert_eq!(duration(89.6, 60), "90 s");
        assert!(duration(91.0, 60).starts_with("91 s, 60 were asked for: "));
    }
}
