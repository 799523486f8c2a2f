//! Small runs of the words have nothing wrong in any state; each mistake is found, by a rule that it breaks.

use models::explore::Goal;
use models::words::{Bug, cases};
use std::thread;

/// Every fourth run; all of them are those of `models quick`.
#[test]
fn runs_are_right_in_every_state() {
    let quick = cases::quick().into_iter().step_by(4);
    for run in quick.chain(cases::unasked()) {
        let name = run.name;
        // Beside each other, for each takes its time.
        let (ends, found) = thread::scope(|scope| {
            let ends = scope.spawn(|| run.ends().map(|ends| ends.states));
            let found = run.explore(Goal::States, 1);
            (ends.join().expect("it does not panic"), found)
        });
        assert_eq!(ends, Ok(found.states), "{name}: every schedule ends");
        assert!(found.ended && found.broken.is_empty(), "{name}: {found:?}");
        assert!(found.states > 500, "{name}: {found:?}");
    }
}

#[test]
fn every_mistake_is_found() {
    const LOST: &str = "no key is lost";
    const ANSWER: &str = "every answer has an explanation";
    const TWICE: &str = "no key is there twice";
    const TRUE: &str = "a live word is true wherever it stands";
    const SAYS: &str = "a link says who is behind it";
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
        (Bug::EndsAtEmpty, TWICE),
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
        (Bug::LinkUnsigned, SAYS),
        (Bug::EnteredLate, SAYS),
        (Bug::EntersAny, LOST),
        (Bug::SignedOnly, SAYS),
        (Bug::CountedOnly, SAYS),
        (Bug::StaysCounted, SAYS),
        (Bug::CountedTwice, SAYS),
        (Bug::GoesUncounted, LOST),
        (Bug::EntersBlind, ANSWER),
        (Bug::ChainUnsigned, SAYS),
        (Bug::CopyUnsigned, SAYS),
    ];
    let seeded = cases::seeded();
    assert_eq!(seeded.len(), expected.len());
    for (run, (bug, rule)) in seeded.into_iter().zip(expected) {
        assert_eq!(run.bug, Some(bug));
        let comes_back = rule == ENDS && run.ends().is_err();
        let found = run.explore(Goal::Mistake, 1);
        assert!(
            comes_back || found.breaks(rule),
            "{bug:?} is found as {found:?}"
        );
    }
}
