//! The freezing harness on trial: a lock must be found waiting, a counter must not.
#![cfg(atomshard_traced)]

use evidence::progress::{CONTROL, PARTS, Wanted};

const fn at_most(points: usize, only: &str) -> Wanted<'_> {
    Wanted {
        only,
        share: (0, 1),
        points,
    }
}

#[test]
fn a_lock_blocks_and_the_line_is_named() {
    for account in (CONTROL.accounts)(at_most(40, "")) {
        let why = account.class().expect_err("a lock blocks");
        assert!(
            why.contains("blocks") && why.contains("headers.rs"),
            "{why}"
        );
        // The exchange that takes the lock and the store that gives it back, at least.
        let cell = account.cells[0];
        assert!(cell.frozen.points >= 2, "{cell:?}");
    }
}

#[test]
fn a_wait_free_counter_withstands_the_adversary() {
    let part = PARTS.iter().find(|part| part.name == "ShardCounter");
    let accounts = (part.expect("there is one").accounts)(at_most(40, ""));
    assert_eq!(accounts.len(), 3);
    for account in accounts {
        assert_eq!(account.class(), Ok("wait-free"));
        assert!(account.cells.iter().all(|cell| cell.frozen.ended > 10));
    }
}

#[test]
fn an_overwriting_adversary_starves_an_update() {
    let part = PARTS.iter().find(|part| part.name == "ShardMap");
    let accounts = (part.expect("there is one").accounts)(at_most(2, "update"));
    let attacked = accounts[0].cells.iter().filter_map(|cell| cell.attacked);
    let starved: Vec<_> = attacked.filter_map(|attacked| attacked.starved).collect();
    assert!(starved.contains(&"overwriting"), "{accounts:?}");
    assert_eq!(accounts[0].class(), Ok("lock-free"));
}
