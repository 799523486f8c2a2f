//! Explores the runs of the model and says how many states they have; fails if one breaks a rule.
//! The last line is a summary.

use clap::{Parser, ValueEnum};
use core::fmt::Debug;
use models::cases;
use models::explore::{Found, Goal};
use models::model::EVERYBODY_ENDS;
use models::progress::{Circle, Ends};
use models::words;
use std::process::ExitCode;
use std::thread;
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
    let goal = if seeded { Goal::Mistake } else { Goal::States };
    let threads = thread::available_parallelism().map_or(1, usize::from);
    let moves = moves.iter().map(|run| {
        let begun = Instant::now();
        let found = run.explore(goal, threads);
        let bug = run.bug.map(|bug| format!("{bug:?}"));
        let seconds = begun.elapsed().as_secs_f64();
        judge(&found, run.name, bug.as_deref(), seconds)
    });
    let lines = lines.iter().map(|run| {
        let begun = Instant::now();
        // Beside each other, for the first takes one thread. Most mistakes are found without it.
        let (ends, found) = thread::scope(|scope| {
            let ends = (!seeded).then(|| scope.spawn(|| run.ends()));
            let found = run.explore(goal, threads);
            (ends.and_then(|ends| ends.join().ok()), found)
        });
        let bug = run.bug.map(|bug| format!("{bug:?}"));
        let seconds = begun.elapsed().as_secs_f64();
        let (states, ok) = judge(&found, run.name, bug.as_deref(), seconds);
        let ok = match ends {
            Some(ends) => say_ends(&ends) && ok,
            None => seeded && (ok || !say_ends(&run.ends())),
        };
        (states, ok)
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

/// Says what was found in a run; how many states, and whether it ended as it should.
fn judge(found: &Found, name: &str, bug: Option<&str>, seconds: f64) -> (usize, bool) {
    let states = found.states;
    let in_bug = bug.map_or(String::new(), |bug| format!("{bug} in "));
    say(&format!("{in_bug}{name}: {states} states, {seconds:.1} s"));
    for breach in &found.broken {
        let (rule, accesses) = (breach.rule, breach.accesses);
        say(&format!("    broken after {accesses} accesses: {rule}"));
        if bug.is_none() {
            say(&breach.last);
        }
    }
    if bug.is_some() {
        return (states, !found.broken.is_empty());
    }
    if !found.ended {
        say(&format!("    no state in which {EVERYBODY_ENDS}"));
    }
    (states, found.broken.is_empty() && found.ended)
}

/// Says whether every schedule of a run comes to an end.
fn say_ends<A: Debug>(ends: &Result<Ends, Circle<A>>) -> bool {
    match ends {
        Ok(Ends { longest, .. }) => {
            say(&format!(
                "    every schedule ends, the longest after {longest} accesses"
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
