//! `atomshard bars`: the performance bars of the project, measured against its rivals.
//!
//! A bar that is a ratio is met when the whole 95 % interval of the paired ratio reaches it,
//! missed when none of it does, and otherwise this run cannot tell.
mod cases;
mod check;
mod iteration;
mod judge;
mod memory;
mod moments;
mod record;

use crate::cli::{BarGroup, BarsArgs};
use crate::contest::{Lane, Pace, Samples, most_bytes, race};
use crate::engines::Entrant;
use crate::error::LabError;
use crate::job::progress;
use crate::machine::Machine;
use crate::mixes::{Dist, MixPlan, growth};
use crate::racer::racers;
use cases::{Case, Load, Twin, ops_of};
use check::Check;
use clap::ValueEnum as _;
use measure::stats::{Interval, Verdict};
use std::io::Write;
use std::sync::Arc;
use std::time::Instant;

/// A bar and what was found.
#[derive(Clone, Debug)]
pub(crate) struct Bar {
    /// The workload.
    pub(crate) case: String,
    /// What is asked for, in words.
    pub(crate) asks: String,
    /// Our number and theirs, in words.
    pub(crate) ours: String,
    pub(crate) theirs: String,
    pub(crate) found: Option<Interval>,
    /// What `found` counts: pairs of rounds, or rounds.
    pub(crate) rests_on: &'static str,
    pub(crate) verdict: Option<Verdict>,
    /// Why it was not measured.
    pub(crate) why_not: Option<String>,
}

impl Bar {
    fn unmeasured(case: &str, asks: &str, why_not: String) -> Self {
        Self {
            case: case.to_owned(),
            asks: asks.to_owned(),
            ours: String::new(),
            theirs: String::new(),
            found: None,
            rests_on: "pairs",
            verdict: None,
            why_not: Some(why_not),
        }
    }

    /// The verdict in words.
    #[must_use]
    pub(crate) fn outcome(&self) -> String {
        match (&self.why_not, self.verdict) {
            (Some(why_not), _) => format!("not measured: {why_not}"),
            (None, Some(verdict)) => verdict.words().to_owned(),
            (None, None) => "not measured: no undisturbed round".to_owned(),
        }
    }

    /// What was found, in words, and on how many rounds it rests; of a count, the count.
    #[must_use]
    pub(crate) fn finding(&self) -> String {
        match self.found {
            None => "-".to_owned(),
            Some(found) if found.rounds == 1 => format!("{:.2}, counted", found.estimate),
            Some(found) => format!(
                "{:.2} ({:.2}-{:.2}), {} {}",
                found.estimate, found.low, found.high, found.rounds, self.rests_on
            ),
        }
    }
}

/// Bars that are not of maps side by side.
struct Apart {
    group: BarGroup,
    /// What they are chosen by.
    names: &'static [&'static str],
    /// What they take on 2 cores of a Zen 5, for the estimate.
    seconds: f64,
    measure: fn(Effort, &[&str]) -> Vec<Bar>,
}

static APART: [Apart; 3] = [
    Apart {
        group: BarGroup::Memory,
        names: &[memory::NAME],
        seconds: 90.0,
        measure: memory::measure,
    },
    Apart {
        group: BarGroup::Memory,
        names: &[moments::NAME],
        seconds: 90.0,
        measure: moments::measure,
    },
    Apart {
        group: BarGroup::Iteration,
        names: &iteration::NAMES,
        seconds: 45.0,
        measure: iteration::measure,
    },
];

/// How much to measure.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Effort {
    pub(crate) rounds: usize,
    /// With fewer rounds that count there is no verdict.
    pub(crate) least: usize,
    /// Sizes are divided by this.
    pub(crate) divisor: u32,
}

impl Effort {
    fn of(args: &BarsArgs) -> Result<Self, LabError> {
        const LEAST: u16 = 10;
        let rounds = args.rounds.unwrap_or(if args.quick { 3 } else { 12 });
        if args.record && args.quick {
            return Err(LabError::Usage(
                "--record with --quick: expected one of them; a quick run measures nothing"
                    .to_owned(),
            ));
        }
        if rounds < LEAST && !args.quick {
            return Err(LabError::Usage(format!(
                "--rounds {rounds}: expected at least {LEAST}, which a verdict rests on; fewer \
                 only with --quick"
            )));
        }
        Ok(Self {
            rounds: rounds.into(),
            least: if args.quick { 3 } else { LEAST.into() },
            divisor: if args.quick { 100 } else { 1 },
        })
    }
}

/// Measures, prints, records.
pub(crate) fn run(args: &BarsArgs) -> Result<(), LabError> {
    let began = Instant::now();
    let effort = Effort::of(args)?;
    let machine = Machine::discover();
    let groups: &[BarGroup] = if args.groups.is_empty() {
        BarGroup::value_variants()
    } else {
        &args.groups
    };
    let is_wanted = |name: &str| {
        args.only
            .as_ref()
            .is_none_or(|only| name.contains(only.as_str()))
    };
    let cases: Vec<Case> = groups
        .iter()
        .flat_map(|group| cases::of(*group, effort))
        .filter_map(|case| case.only(args.only.as_deref().unwrap_or_default()))
        .collect();
    let chosen = |apart: &Apart| -> Vec<&'static str> {
        let names = apart.names.iter().copied();
        names.filter(|name| is_wanted(name)).collect()
    };
    let apart: Vec<(&Apart, Vec<&str>)> = APART
        .iter()
        .filter(|apart| groups.contains(&apart.group))
        .map(|apart| (apart, chosen(apart)))
        .filter(|(_, chosen)| !chosen.is_empty())
        .collect();
    if cases.is_empty() && apart.is_empty() {
        return Err(LabError::Usage(
            "--only: expected a part of a bar's name, such as \"get-only 10k\"; none has it"
                .to_owned(),
        ));
    }
    let mut out = std::io::stdout().lock();
    writeln!(out, "{}, {} processors", machine.cpu, machine.processors)?;
    if args.quick {
        writeln!(
            out,
            "quick: a hundredth of the sizes, {} rounds; the verdicts mean nothing",
            effort.rounds
        )?;
    }
    let mut seconds: f64 = cases.iter().map(|case| estimate(case, effort)).sum();
    seconds += apart
        .iter()
        .map(|(apart, _)| apart.seconds / f64::from(effort.divisor))
        .sum::<f64>();
    writeln!(
        out,
        "{} cases, {} rounds each, about {:.0} minutes on 2 cores; at most {:.0} GiB held",
        cases.len(),
        effort.rounds,
        (seconds / 60.0).ceil(),
        most_bytes() as f64 / f64::from(1 << 30)
    )?;
    out.flush()?;
    let progress = progress(cases.len() + apart.len());
    let mut bars = Vec::new();
    let mut show = |found: Vec<Bar>| -> Result<(), LabError> {
        progress.suspend(|| found.iter().try_for_each(|bar| print(&mut out, bar)))?;
        out.flush()?;
        progress.inc(1);
        bars.extend(found);
        Ok(())
    };
    for case in &cases {
        progress.set_message(case.name.clone());
        show(measure(case, effort, &machine)?)?;
    }
    for (apart, chosen) in apart {
        progress.set_message(chosen.join(", "));
        show((apart.measure)(effort, &chosen))?;
    }
    progress.finish_and_clear();
    let count = |verdict| {
        bars.iter()
            .filter(|bar| bar.verdict == Some(verdict))
            .count()
    };
    let (met, missed) = (count(Verdict::Met), count(Verdict::Missed));
    let open = bars.len() - met - missed;
    writeln!(
        out,
        "\n{met} met, {missed} missed, {open} cannot tell or not measured, in {:.1} minutes",
        began.elapsed().as_secs_f64() / 60.0
    )?;
    if args.record {
        let path = record::write(&machine, effort, &bars)?;
        writeln!(out, "Written: {}", path.display())?;
    }
    Ok(())
}

fn print(out: &mut impl Write, bar: &Bar) -> std::io::Result<()> {
    writeln!(
        out,
        "{:<12} {}: {}",
        bar.outcome().to_uppercase(),
        bar.case,
        bar.asks
    )?;
    if bar.found.is_some() {
        writeln!(
            out,
            "             {}  ours {}  {}",
            bar.finding(),
            bar.ours,
            bar.theirs
        )?;
    }
    Ok(())
}

/// Runs a case and judges its checks.
fn measure(case: &Case, effort: Effort, machine: &Machine) -> Result<Vec<Bar>, LabError> {
    if case.threads > machine.processors && case.crowd.is_none() {
        let why = format!("{} processors are too few", machine.processors);
        return Ok(unmeasured(case, &why));
    }
    let (needs, may) = (needs_bytes(case), most_bytes());
    if needs > may {
        let gib = |bytes: u64| bytes as f64 / f64::from(1 << 30);
        let why = format!(
            "needs {:.0} GiB, {:.1} may be used",
            gib(needs).ceil(),
            gib(may)
        );
        return Ok(unmeasured(case, &why));
    }
    let lanes = lanes(case, effort, may)?;
    Ok(case
        .checks
        .iter()
        .map(|check| judge::judge(case, check, &lanes, effort))
        .collect())
}

fn unmeasured(case: &Case, why: &str) -> Vec<Bar> {
    let bar = |check: &Check| Bar::unmeasured(&case.name, &check.words(), why.to_owned());
    case.checks.iter().map(bar).collect()
}

fn needs_bytes(case: &Case) -> u64 {
    let is_text = matches!(case.load, Load::Text(..));
    let per_entry = |entrant: &Entrant| match entrant {
        _ if is_text => 150,
        Entrant::Wordmap | Entrant::WordmapMany => 50,
        limit if limit.is_limit() => 50,
        _ => 100,
    };
    let maps = case.entrants.iter().map(per_entry);
    let twins = case.twins();
    let per_key: u64 = match case.load {
        // One after the other.
        Load::Growth => maps.max().unwrap_or(0),
        Load::Ints(..) | Load::Text(..) => maps.chain(twins.iter().map(per_entry)).sum(),
    };
    u64::from(case.keys) * per_key
}

/// Seconds, roughly, from what the cases took on 2 cores of a Zen 5: half a microsecond an entry
/// to fill a map and a third for its keys' oracle, a tenth to a third an operation.
fn estimate(case: &Case, effort: Effort) -> f64 {
    let keys = f64::from(case.keys);
    let maps = (case.entrants.len() + case.twins().len()) as f64;
    let steps = pace(case, effort, 0).runs_needed() as f64 * 0.6;
    let threads = case.threads.min(2) as f64;
    let an_op = match case.load {
        Load::Growth => 0.3e-6,
        Load::Text(..) => 0.2e-6,
        Load::Ints(..) => 0.12e-6,
    };
    let fill = if matches!(case.load, Load::Growth) {
        0.0
    } else {
        0.35e-6 * maps + 0.1e-6
    };
    keys * fill + case.ops as f64 * maps * steps * an_op / threads
}

fn pace(case: &Case, effort: Effort, most_bytes: u64) -> Pace {
    let samples = match (case.load, case.crowd) {
        (Load::Growth, _) => Samples::Always,
        (_, Some(_)) => Samples::Many,
        _ => Samples::Never,
    };
    Pace {
        rounds: effort.rounds,
        budget: None,
        samples,
        is_counted: false,
        most_bytes,
    }
}

/// The lanes of the entrants, and behind them those of the twins.
fn lanes(case: &Case, effort: Effort, most_bytes: u64) -> Result<Vec<Lane>, LabError> {
    let pace = pace(case, effort, most_bytes);
    let plan = |mix, dist, threads, crowd, ops: usize| MixPlan {
        mix,
        dist,
        keys: case.keys,
        threads,
        ops: (ops / threads).max(1000),
        runs: pace.runs_needed(),
        crowd,
    };
    // Entrants with as many operations a round share the work.
    let mut shares: Vec<(usize, Vec<Entrant>)> = Vec::new();
    for entrant in &case.entrants {
        let ops = ops_of(case, *entrant);
        match shares.iter_mut().find(|(other, _)| *other == ops) {
            Some((_, share)) => share.push(*entrant),
            None => shares.push((ops, vec![*entrant])),
        }
    }
    let mut all = Vec::new();
    for (ops, share) in shares {
        all.extend(match case.load {
            Load::Growth => racers(&share, &Arc::new(growth(case.keys, case.threads))),
            Load::Ints(mix, dist) => {
                let mut work = plan(mix, dist, case.threads, case.crowd, ops).ints();
                work.is_read = ops == case.ops;
                racers(&share, &Arc::new(work))
            }
            Load::Text(mix, dist) => {
                let mut work = plan(mix, dist, case.threads, None, ops).texts();
                work.is_read = ops == case.ops;
                racers(&share, &Arc::new(work))
            }
        });
    }
    if let (Load::Ints(mix, dist), Some(twin)) = (case.load, case.twin) {
        let work = match twin {
            Twin::Calm => plan(mix, dist, 2, None, case.ops),
            Twin::Uniform => plan(mix, Dist::Uniform, case.threads, None, case.ops),
        };
        all.extend(racers(&case.twins(), &Arc::new(work.ints())));
    }
    race(all, pace, &mut |_| {})
}
