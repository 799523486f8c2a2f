//! Explores the runs of the model and says how many states they have; fails if one breaks a rule.
//! The last line is a summary.

use clap::{Parser, ValueEnum};
use models::model::EVERYBODY_ENDS;
use models::{Config, cases};
use stateright::{Checker as _, HasDiscoveries, Model as _};
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
    let mut runs = match what {
        What::Quick => cases::quick(),
        What::Full => cases::quick().into_iter().chain(cases::full()).collect(),
        What::Seeded => cases::seeded(),
        What::SeededDeep => cases::seeded_deep(),
    };
    runs.retain(|config| config.name.contains(&only));
    if runs.is_empty() {
        say(&format!("no run is called like `{only}`"));
        return ExitCode::FAILURE;
    }
    let seeded = matches!(what, What::Seeded | What::SeededDeep);
    let (mut states, mut wrong) = (0, 0);
    for config in &runs {
        let (found, ok) = explore(config, seeded);
        states += found;
        wrong += usize::from(!ok);
    }
    let verdict = match wrong {
        0 if seeded => "all mistakes found".to_owned(),
        0 => "nothing found".to_owned(),
        _ => format!("{wrong} runs WRONG"),
    };
    say(&format!("{} runs, {states} states, {verdict}", runs.len()));
    if wrong == 0 {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}

/// Explores one run, a seeded one until its mistake is found; how many states, and whether it ended as
/// it should.
fn explore(config: &Config, seeded: bool) -> (usize, bool) {
    let begun = Instant::now();
    let until = if seeded {
        HasDiscoveries::AnyFailures
    } else {
        HasDiscoveries::All
    };
    let checker = config.clone().checker();
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
    let bug = config
        .bug
        .map_or(String::new(), |bug| format!("{bug:?} in "));
    let seconds = begun.elapsed().as_secs_f64();
    say(&format!(
        "{bug}{}: {states} states, {seconds:.1} s",
        config.name
    ));
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

#[expect(clippy::print_stdout, reason = "what the tool is for")]
fn say(text: &str) {
    println!("{text}");
}
