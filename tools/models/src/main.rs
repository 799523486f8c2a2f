//! Explores the runs of the model and says how many states they have; fails if one breaks a rule.
//! The last line is a summary.

use clap::{Parser, ValueEnum};
use core::fmt::Debug;
use core::hash::Hash;
use models::model::EVERYBODY_ENDS;
use models::{cases, progress, words};
use stateright::{Checker as _, HasDiscoveries, Model};
use std::process::ExitCode;
use std::time::Instant;

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum What {
    /// The runs of seconds.
    Quick,
    /// These, and those of minutes.
    Full,
    /// The runs with a mistake in each.
    Seeded,
    /// The mistake that takes minutes to find.
    SeededDeep,
}

#[derive(Parser)]
struct Options {
    /// What to explore.
    what: What,
    /// Only runs whose name contains this.
    #[arg(long, default_value = "")]
    only: String,
}

fn main() -> ExitCode {
    let Options { what, only } = Options::parse();
    let (mut moves, mut lines) = match what {
        What::Quick => (cases::quick(), words::cases::quick()),
        What::Full => (
            cases::quick().into_iter().chain(cases::full()).collect(),
            words::cases::quick()
                .into_iter()
                .chain(words::cases::full())
                .collect(),
        ),
        What::Seeded => (cases::seeded(), words::cases::seeded()),
        What::SeededDeep => (cases::seeded_deep(), Vec::new()),
    };
    moves.retain(|config| config.name.contains(&only));
    lines.retain(|config| config.name.contains(&only));
    let runs = moves.len() + lines.len();
    if runs == 0 {
        say(&format!("no run is called like `{only}`"));
        return ExitCode::FAILURE;
    }
    let seeded = matches!(what, What::Seeded | What::SeededDeep);
    let moves = moves.iter().map(|run| {
        let bug = run.bug.map(|bug| format!("{bug:?}"));
        explore(run, run.name, bug.as_deref(), seeded)
    });
    let lines = lines.iter().map(|run| {
        let bug = run.bug.map(|bug| format!("{bug:?}"));
        let (states, ok) = explore(run, run.name, bug.as_deref(), seeded);
        (
            states,
            if seeded {
                ok || !ends(run)
            } else {
                ok && ends(run)
            },
        )
    });
    let (mut states, mut wrong) = (0, 0);
    for (found, ok) in moves.chain(lines) {
        states += found;
        wrong += usize::from(!ok);
    }
    let verdict = match wrong {
        0 if seeded => "all mistakes found".to_owned(),
        0 => "nothing found".to_owned(),
        _ => format!("{wrong} runs WRONG"),
    };
    say(&format!("{runs} runs, {states} states, {verdict}"));
    if wrong == 0 {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}

/// Explores one run, a seeded one until its mistake is found; how many states, and whether it ended as
/// it should.
fn explore<M>(model: &M, name: &str, bug: Option<&str>, seeded: bool) -> (usize, bool)
where
    M: Model + Clone + Send + Sync + 'static,
    M::State: Clone + Debug + Eq + Hash + Send + Sync,
    M::Action: Clone + Debug + PartialEq + Send + Sync,
{
    let begun = Instant::now();
    let until = if seeded {
        HasDiscoveries::AnyFailures
    } else {
        HasDiscoveries::All
    };
    let checker = model.clone().checker();
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let checker = checker.finish_when(until).threads(threads);
    // A mistake is to be shown on the shortest way; where none is expected, the way takes no memory.
    let (states, mut found) = if seeded {
        let checker = checker.spawn_bfs().join();
        (checker.unique_state_count(), checker.discoveries())
    } else {
        let checker = checker.spawn_dfs().join();
        (checker.unique_state_count(), checker.discoveries())
    };
    let ended = found.remove(EVERYBODY_ENDS).is_some();
    let bug = bug.map_or(String::new(), |bug| format!("{bug} in "));
    let seconds = begun.elapsed().as_secs_f64();
    say(&format!("{bug}{name}: {states} states, {seconds:.1} s"));
    for (rule, path) in &found {
        say(&format!(
            "    broken after {} accesses: {rule}",
            path.clone().into_vec().len() - 1
        ));
    }
    if !seeded {
        for path in found.values() {
            say(&format!("{:#?}", path.clone().into_vec().last()));
        }
        if !ended {
            say(&format!("    no state in which {EVERYBODY_ENDS}"));
        }
    }
    (
        states,
        if seeded {
            !found.is_empty()
        } else {
            found.is_empty() && ended
        },
    )
}

/// Whether every schedule of a run comes to an end.
fn ends(run: &words::Words) -> bool {
    let begun = Instant::now();
    match progress::explore(run) {
        Ok(ends) => {
            let seconds = begun.elapsed().as_secs_f64();
            let longest = ends.longest;
            say(&format!(
                "    every schedule ends, the longest after {longest} accesses, {seconds:.1} s"
            ));
            true
        }
        Err(circle) => {
            let (way, round) = (circle.way.len(), circle.round.len());
            say(&format!(
                "    a circle of {round} accesses after {way}: {circle:?}"
            ));
            false
        }
    }
}

#[expect(clippy::print_stdout, reason = "what the tool is for")]
fn say(text: &str) {
    println!("{text}");
}
