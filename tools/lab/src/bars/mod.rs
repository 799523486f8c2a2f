//! `atomshard bars`: the performance bars of the project, measured against its rivals.
//!
//! A bar that is a ratio is met when the whole 95 % interval of the paired ratio reaches it,
//! missed when none of it does, and otherwise this run cannot tell.
mod cases;
mod iteration;
mod memory;
mod record;

use crate::cli::{BarGroup, BarsArgs};
use crate::contest::{Lane, Pace, race, racers};
use crate::engines::Entrant;
use crate::error::LabError;
use crate::job::progress;
use crate::machine::Machine;
use crate::mixes::{MixPlan, growth};
use crate::stats::{Interval, Verdict, paired_ratio, spread};
use cases::{Case, Check, Load, Rival};
use clap::ValueEnum as _;
use std::io::Write;
use std::sync::Arc;

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
            (None, None) => "not measured: too few undisturbed rounds".to_owned(),
        }
    }

    /// What was found, in words.
    #[must_use]
    pub(crate) fn finding(&self) -> String {
        self.found.map_or_else(
            || "-".to_owned(),
            |found| format!("{:.2} ({:.2}-{:.2})", found.estimate, found.low, found.high),
        )
    }
}

/// How much to measure.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Effort {
    pub(crate) rounds: usize,
    /// Sizes are divided by this.
    pub(crate) divisor: u32,
}

/// Measures, prints, records.
pub(crate) fn run(args: &BarsArgs) -> Result<(), LabError> {
    if args.record && args.quick {
        return Err(LabError::Usage(
            "--record with --quick: expected one of them; a quick run measures nothing".to_owned(),
        ));
    }
    let machine = Machine::discover();
    let effort = if args.quick {
        Effort {
            rounds: 3,
            divisor: 100,
        }
    } else {
        Effort {
            rounds: usize::from(args.rounds),
            divisor: 1,
        }
    };
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
        .filter(|case| is_wanted(&case.name))
        .collect();
    let has_memory = groups.contains(&BarGroup::Memory) && is_wanted(memory::NAME);
    let has_iteration = groups.contains(&BarGroup::Iteration) && is_wanted(iteration::NAME);
    if cases.is_empty() && !has_memory && !has_iteration {
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
            "quick: a hundredth of the sizes, 3 rounds; the verdicts mean nothing"
        )?;
    }
    let progress = progress(cases.len() + usize::from(has_memory) + usize::from(has_iteration));
    let mut bars = Vec::new();
    let mut show = |found: Vec<Bar>| -> Result<(), LabError> {
        progress.suspend(|| found.iter().try_for_each(|bar| print(&mut out, bar)))?;
        out.flush()?;
        progress.inc(1);
        bars.extend(found);
        Ok(())
    };
    let mut uniform: Vec<(String, f64)> = Vec::new();
    for case in &cases {
        progress.set_message(case.name.clone());
        show(measure(case, effort, &machine, &mut uniform)?)?;
    }
    if has_memory {
        progress.set_message(memory::NAME);
        show(memory::measure(effort))?;
    }
    if has_iteration {
        progress.set_message(iteration::NAME);
        show(iteration::measure(effort))?;
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
        "\n{met} met, {missed} missed, {open} cannot tell or not measured"
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

/// Runs a case and judges its checks. `uniform` keeps the uniform rates for the Zipf cases.
fn measure(
    case: &Case,
    effort: Effort,
    machine: &Machine,
    uniform: &mut Vec<(String, f64)>,
) -> Result<Vec<Bar>, LabError> {
    if case.threads > machine.processors && case.crowd.is_none() {
        let why = format!("{} processors are too few", machine.processors);
        return Ok(unmeasured(case, &why));
    }
    if let Some(why) = too_big(case) {
        return Ok(unmeasured(case, &why));
    }
    let lanes = lanes(case, effort)?;
    if case.name.contains("uniform")
        && let Some(ours) = lanes.first().and_then(|lane| spread(&lane.counted()))
    {
        uniform.push((case.name.clone(), ours.median));
    }
    Ok(case
        .checks
        .iter()
        .map(|check| judge(case, check, &lanes, uniform))
        .collect())
}

fn unmeasured(case: &Case, why: &str) -> Vec<Bar> {
    let bar = |check: &Check| Bar::unmeasured(&case.name, &check.words(), why.to_owned());
    case.checks.iter().map(bar).collect()
}

/// All maps of a case are alive at once.
fn too_big(case: &Case) -> Option<String> {
    let mut system = sysinfo::System::new().ok()?;
    system.refresh_memory();
    let per_entry = if matches!(case.load, Load::Text(_)) {
        150
    } else {
        100
    };
    let needs = u64::from(case.keys) * per_entry * case.entrants.len() as u64;
    (needs > system.available_memory()).then(|| {
        format!(
            "about {} GiB of memory needed, less is available",
            (needs >> 30) + 1
        )
    })
}

fn lanes(case: &Case, effort: Effort) -> Result<Vec<Lane>, LabError> {
    let is_growth = matches!(case.load, Load::Growth);
    let pace = Pace {
        rounds: effort.rounds,
        budget: None,
        samples_all: is_growth,
    };
    let plan = |mix, dist, threads, crowd| MixPlan {
        mix,
        dist,
        keys: case.keys,
        threads,
        ops: (case.ops / threads).max(1000),
        runs: pace.runs_needed(),
        crowd,
    };
    let racers = match case.load {
        Load::Growth => racers(&case.entrants, &Arc::new(growth(case.keys, case.threads))),
        Load::Ints(mix, dist) => {
            let work = plan(mix, dist, case.threads, case.crowd).ints();
            let mut all = racers(&case.entrants, &Arc::new(work));
            if case.crowd.is_some() {
                // Our own rate without the crowd, in the same rounds.
                let calm = plan(mix, dist, 2, None).ints();
                all.extend(racers(&[Entrant::Shardmap], &Arc::new(calm)));
            }
            all
        }
        Load::Text(mix) => {
            let work = plan(mix, crate::mixes::Dist::Uniform, case.threads, None).texts();
            racers(&case.entrants, &Arc::new(work))
        }
    };
    race(racers, pace, &mut |_| {})
}

fn judge(case: &Case, check: &Check, lanes: &[Lane], uniform: &[(String, f64)]) -> Bar {
    let median = |lane: &Lane| spread(&lane.counted()).map_or(0.0, |spread| spread.median);
    let of = |entrant: Entrant| lanes.iter().find(|lane| lane.entrant == entrant);
    let best = |all: &[Entrant]| {
        lanes
            .iter()
            .filter(|lane| all.contains(&lane.entrant))
            .max_by(|a, b| median(a).total_cmp(&median(b)))
    };
    let mut bar = Bar::unmeasured(&case.name, &check.words(), String::new());
    bar.why_not = None;
    let Some(ours) = of(check.ours) else {
        return bar;
    };
    bar.ours = format!("{:.2} Mops/s", median(ours));
    let (rival, label) = match check.rival {
        Rival::One(entrant) => (of(entrant), entrant.label()),
        Rival::Best(all) => (best(all), ""),
        Rival::Calm => (lanes.last(), "2 threads on 2 cores"),
        Rival::P99 | Rival::P999 => {
            let (values, name) = match check.rival {
                Rival::P99 => (&ours.p99s, "p99"),
                _ => (&ours.p999s, "p99.9"),
            };
            bar.found = crate::stats::geometric_mean(values);
            bar.verdict = bar.found.map(|found| found.at_most(check.bar));
            bar.ours = bar
                .found
                .map_or_else(String::new, |f| format!("{name} {:.0} ns", f.estimate));
            let tail = |lane: &Lane| {
                let values = if name == "p99" {
                    &lane.p99s
                } else {
                    &lane.p999s
                };
                crate::stats::geometric_mean(values).map_or(0.0, |mean| mean.estimate)
            };
            let others = lanes.iter().filter(|lane| !lane.entrant.is_ours());
            let others: Vec<String> = others
                .map(|lane| format!("{} {:.0} ns", lane.entrant.label(), tail(lane)))
                .collect();
            bar.theirs = others.join(", ");
            return bar;
        }
        Rival::OwnUniform => {
            let name = case.name.replace("Zipf", "uniform");
            let rate = uniform
                .iter()
                .find(|(case, _)| *case == name)
                .map(|(_, rate)| *rate);
            let Some(rate) = rate else {
                bar.why_not = Some("the uniform case was not part of this run".to_owned());
                return bar;
            };
            let ratios: Vec<f64> = ours.counted().iter().map(|zipf| zipf / rate).collect();
            bar.found = crate::stats::geometric_mean(&ratios);
            bar.verdict = bar.found.map(|found| found.at_least(check.bar));
            bar.theirs = format!("uniform {rate:.2} Mops/s (not interleaved)");
            return bar;
        }
    };
    let Some(rival) = rival else { return bar };
    let label = if label.is_empty() {
        rival.entrant.label()
    } else {
        label
    };
    bar.theirs = format!("{label} {:.2} Mops/s", median(rival));
    bar.found = paired_ratio(&ours.rates, &rival.rates);
    bar.verdict = bar.found.map(|found| found.at_least(check.bar));
    bar
}
