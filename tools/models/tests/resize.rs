//! Small runs have nothing wrong in any state; each mistake is found, by the rule it breaks.

use models::explore::Goal;
use models::{Bug, cases};

#[test]
fn small_runs_are_right_in_every_state() {
    for number in [0, 4, 6] {
        let config = cases::quick().swap_remove(number);
        let name = config.name;
        let found = config.explore(Goal::States, 1);
        assert!(found.ended && found.broken.is_empty(), "{name}: {found:?}");
        assert!(found.states > 70_000, "{name}: {found:?}");
    }
}

/// The first rule that is broken, and how many states that takes. By one thread, so that the number is the
/// same each time.
#[test]
fn every_mistake_is_found() {
    const LOST: &str = "no key is lost";
    const ANSWER: &str = "every answer has an explanation";
    const TWICE: &str = "no key is there twice";
    const FINAL: &str = "a frozen word is final";
    const RETIRED: &str = "nothing is used after it is retired";
    const ENDS: &str = "who takes steps comes to an end";
    let expected = [
        (Bug::SkipGeneration, ANSWER, 14_684),
        (Bug::CompleteEarly, LOST, 24_776),
        (Bug::CompleteWhenHanded, ANSWER, 1_854),
        (Bug::WaitForMover, ENDS, 3_705),
        (Bug::WriteFrozen, FINAL, 1_813),
        (Bug::ReadUnborn, ANSWER, 1_851),
        (Bug::ReadFrozen, RETIRED, 5_212),
        (Bug::BirthByStore, LOST, 5_357),
        (Bug::BornFirst, ANSWER, 1_870),
        (Bug::RetireTwice, RETIRED, 3_700),
        (Bug::RetireEarly, RETIRED, 5_385),
        (Bug::ClaimNotFrozen, LOST, 6_090),
        (Bug::SlotsBeforeLinks, LOST, 10_165),
        (Bug::SettleBlind, TWICE, 2_003),
        (Bug::MembersBeforeClaims, TWICE, 9_798),
    ];
    let seeded = cases::seeded();
    assert_eq!(seeded.len(), expected.len());
    for (config, (bug, rule, number)) in seeded.into_iter().zip(expected) {
        assert_eq!(config.bug, Some(bug));
        let found = config.explore(Goal::Mistake, 1);
        assert!(found.breaks(rule), "{bug:?} is found as {found:?}");
        assert_eq!(found.states, number, "until {bug:?} is found");
    }
}
