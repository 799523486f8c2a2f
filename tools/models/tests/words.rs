//! Small runs of the words have nothing wrong in any state; each mistake is found, by a rule that it breaks.

use models::model::EVERYBODY_ENDS;
use models::progress;
use models::words::{Bug, Words, cases};
use stateright::{Checker as _, HasDiscoveries, Model as _};
use std::thread;

/// How many states a run has until something is found, or all of them; which rules are broken.
fn explore(run: Words, until: HasDiscoveries) -> (usize, Vec<&'static str>) {
    let checker = run.checker().finish_when(until).spawn_bfs().join();
    let found = checker.discoveries().into_keys().collect();
    (checker.unique_state_count(), found)
}

/// Every fourth run; all of them are those of `models quick`.
#[test]
fn runs_are_right_in_every_state() {
    let quick = cases::quick().into_iter().step_by(4);
    for run in quick.chain(cases::unasked()) {
        let name = run.name;
        // Beside each other, for each takes its time.
        let (ends, (states, found)) = thread::scope(|scope| {
            let ends = scope.spawn(|| progress::explore(&run).map(|ends| ends.states));
            let explored = explore(run.clone(), HasDiscoveries::All);
            (ends.join().expect("it does not panic"), explored)
        });
        assert_eq!(ends, Ok(states), "{name}: every schedule ends");
        assert_eq!(found, [EVERYBODY_ENDS], "{name}, of {states} states");
        assert!(states > 500, "{name} has {states} states only");
    }
}

#[test]
fn every_mistake_is_found() {
    const LOST: &str = "no key is lost";
    const ANSWER: &str = "every answer has an explanation";
    const TWICE: &str = "no key is there twice";
    const TRUE: &str = "a live word is true wherever it stands";
    const ENDS: &str = "every schedule ends";
    let expected = [
        (Bug::TwoPasses, TWICE),
        (Bug::EmptyAgain, TWICE),
        (Bug::VacantFirst, TWICE),
        (Bug::SettleBlind, TWICE),
        (Bug::ClaimsMissed, TWICE),
        (Bug::NoStamps, TWICE),
        (Bug::LinkForgets, LOST),
        (Bug::LinkBlind, LOST),
        (Bug::ShutBlind, TWICE),
        (Bug::ClaimsTaken, LOST),
        (Bug::EmptyBehind, TWICE),
        (Bug::LinkSettles, TWICE),
        (Bug::LinksLast, TRUE),
        (Bug::EmptyStays, TRUE),
        (Bug::BornEarly, LOST),
        (Bug::BornByStore, LOST),
        (Bug::BornAnywhere, TWICE),
        (Bug::EmptyStored, LOST),
        (Bug::AnswerFrozen, ANSWER),
        (Bug::ShutsOn, ENDS),
        (Bug::WaitForMover, ENDS),
        (Bug::StoredEarly, LOST),
        (Bug::OldLine, LOST),
        (Bug::StoredEarly, LOST),
        (Bug::OldLine, LOST),
        (Bug::CopiedOver, LOST),
        (Bug::CopiedUnfrozen, LOST),
        (Bug::WaitForCopier, ENDS),
        (Bug::KeyFirst, TWICE),
        (Bug::FrozenSkipped, TWICE),
        (Bug::EndUnseen, TWICE),
        (Bug::BehindUnseen, TWICE),
    ];
    let seeded = cases::seeded();
    assert_eq!(seeded.len(), expected.len());
    for (run, (bug, rule)) in seeded.into_iter().zip(expected) {
        assert_eq!(run.bug, Some(bug));
        let comes_back = rule == ENDS && progress::explore(&run).is_err();
        let (states, found) = explore(run, HasDiscoveries::AnyFailures);
        let found_it = comes_back || found.contains(&rule);
        assert!(
            found_it,
            "{bug:?} is found as {found:?}, after {states} states"
        );
    }
}
