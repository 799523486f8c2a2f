//! Recorded histories of `ShardMap`, checked key by key.
//!
//! Each test records several threads on a few keys of a map that starts at capacity 0, while
//! storms of short-lived keys make it grow and shrink, and lets the checker look for an order
//! that explains what every operation returned. The recorded operations include iteration,
//! `retain`, `clear`, `reserve` and `shrink_to_fit`.
//!
//! `ATOMSHARD_SEED=n` repeats the choices of one run (the operating system still schedules as it
//! likes); `--cfg atomshard_stress` runs fifty times as many.

use atomshard::ResizeMode;
use core::time::Duration;
use evidence::checker::check;
use evidence::hashers::{HighBits, Identity, MiddleBits, OneHash, OneShard, TwoHash};
use evidence::length;
use evidence::seed::{many_threads, seeds, stress};
use evidence::set::Elements;
use evidence::subject::{Checked, Reference, Sharded};
use evidence::watchdog::Watchdog;
use evidence::words::{Lie, Words};
use evidence::workload::{Plan, assert_linearizable, on_threads, run};
use foldhash::fast::RandomState;

fn limit(name: &'static str) -> Watchdog {
    Watchdog::new(name, Duration::from_secs(60 * stress()))
}

#[test]
fn the_reference_is_linearizable() {
    assert_linearizable(4, Plan::SMALL, Reference::default);
}

#[test]
fn growing_and_shrinking() {
    let _watchdog = limit("growing_and_shrinking");
    let fresh = || Sharded::<u64, _>::new(RandomState::default());
    assert_linearizable(
        8 * stress(),
        Plan {
            wave: 2000,
            ..Plan::SMALL
        },
        fresh,
    );
}

#[test]
fn growing_and_shrinking_in_real_time() {
    let _watchdog = limit("growing_and_shrinking_in_real_time");
    let fresh = || Sharded::<Checked, _>::new(RandomState::default());
    assert_linearizable(
        8 * stress(),
        Plan {
            wave: 2000,
            time: true,
            ..Plan::SMALL
        },
        fresh,
    );
}

#[test]
fn values_with_drop_glue_and_guards_that_move() {
    let _watchdog = limit("values_with_drop_glue_and_guards_that_move");
    let fresh = || Sharded::<Checked, _>::new(RandomState::default()).with_owned_guards();
    assert_linearizable(8 * stress(), Plan::SMALL, fresh);
}

#[test]
fn a_set() {
    let _watchdog = limit("a_set");
    let fresh = || Elements::new(RandomState::default());
    assert_linearizable(8 * stress(), Plan::SMALL, fresh);
}

#[test]
fn words() {
    let _watchdog = limit("words");
    let fresh = || Words::new(RandomState::default());
    let plan = Plan {
        wave: 2000,
        ..Plan::SMALL
    };
    assert_linearizable(8 * stress(), plan, fresh);
}

#[test]
fn words_in_one_shard_and_in_one_line() {
    let _watchdog = limit("words_in_one_shard_and_in_one_line");
    assert_linearizable(8 * stress(), Plan::SMALL, || Words::that_lie(Lie::OneShard));
    let plan = Plan {
        keys: 8,
        wave: 20,
        ..Plan::SMALL
    };
    assert_linearizable(8 * stress(), plan, || Words::that_lie(Lie::OneLine));
}

#[test]
fn lengths_are_explained_by_the_writes_in_flight() {
    let _watchdog = limit("lengths_are_explained_by_the_writes_in_flight");
    for seed in seeds(200 * stress()) {
        let map = Sharded::<u64, _>::new(RandomState::default());
        if let Err(why) = length::check(&map, seed, on_threads) {
            panic!("ATOMSHARD_SEED={seed}\n{why}");
        }
    }
}

#[test]
fn resizes_that_move_the_least() {
    let _watchdog = limit("resizes_that_move_the_least");
    let fresh = || Sharded::<u64, _>::with_mode(RandomState::default(), ResizeMode::Incremental(1));
    assert_linearizable(
        8 * stress(),
        Plan {
            storms: 2,
            ..Plan::SMALL
        },
        fresh,
    );
}

#[test]
fn resizes_that_move_everything() {
    let _watchdog = limit("resizes_that_move_everything");
    let fresh = || Sharded::<u64, _>::with_mode(RandomState::default(), ResizeMode::Blocking);
    assert_linearizable(
        8 * stress(),
        Plan {
            storms: 2,
            ..Plan::SMALL
        },
        fresh,
    );
}

#[test]
fn a_large_table_that_moves_in_many_steps() {
    let _watchdog = limit("a_large_table_that_moves_in_many_steps");
    let plan = Plan {
        storms: 2,
        wave: 2500,
        keys: 12,
        ops: 1500,
        ..Plan::SMALL
    };
    let fresh = || Sharded::<Checked, _>::with_mode(OneShard, ResizeMode::Incremental(1));
    assert_linearizable(6 * stress(), plan, fresh);
}

#[test]
fn clear_against_everything() {
    let _watchdog = limit("clear_against_everything");
    let plan = Plan {
        storms: 0,
        bulk: 12,
        keys: 24,
        ops: 1000,
        ..Plan::SMALL
    };
    assert_linearizable(8 * stress(), plan, || {
        Sharded::<Checked, _>::new(RandomState::default())
    });
}

#[test]
fn bulk_operations_often() {
    let _watchdog = limit("bulk_operations_often");
    let plan = Plan {
        bulk: 4,
        wave: 64,
        ..Plan::SMALL
    };
    assert_linearizable(8 * stress(), plan, || {
        Sharded::<u64, _>::new(RandomState::default())
    });
}

#[test]
fn words_that_are_cleared() {
    let _watchdog = limit("words_that_are_cleared");
    let plan = Plan {
        storms: 0,
        bulk: 12,
        keys: 12,
        ..Plan::SMALL
    };
    for lie in [Lie::Anywhere, Lie::OneShard, Lie::OneLine] {
        assert_linearizable(4 * stress(), plan, || Words::that_lie(lie));
    }
}

#[test]
fn one_key_and_nothing_else() {
    let _watchdog = limit("one_key_and_nothing_else");
    let plan = Plan {
        keys: 1,
        storms: 0,
        bulk: 0,
        threads: 4,
        ops: 2000,
        ..Plan::SMALL
    };
    assert_linearizable(8 * stress(), plan, || {
        Sharded::<u64, _>::new(RandomState::default())
    });
}

#[test]
fn many_keys_on_one_hash() {
    let _watchdog = limit("many_keys_on_one_hash");
    for hash in [0, u64::MAX, 0x5555_5555_5555_5555] {
        let plan = Plan {
            wave: 40,
            keys: 24,
            ..Plan::SMALL
        };
        assert_linearizable(3 * stress(), plan, || {
            Sharded::<Checked, _>::new(OneHash(hash))
        });
    }
}

#[test]
fn many_keys_on_two_hashes() {
    let _watchdog = limit("many_keys_on_two_hashes");
    let plan = Plan {
        wave: 60,
        keys: 24,
        storms: 2,
        ..Plan::SMALL
    };
    assert_linearizable(6 * stress(), plan, || Sharded::<u64, _>::new(TwoHash));
}

#[test]
fn the_key_is_the_hash() {
    let _watchdog = limit("the_key_is_the_hash");
    assert_linearizable(6 * stress(), Plan::SMALL, || {
        Sharded::<u64, _>::new(Identity)
    });
}

#[test]
fn only_high_bits_differ() {
    let _watchdog = limit("only_high_bits_differ");
    assert_linearizable(6 * stress(), Plan::SMALL, || {
        Sharded::<u64, _>::new(HighBits)
    });
}

#[test]
fn only_middle_bits_differ() {
    let _watchdog = limit("only_middle_bits_differ");
    assert_linearizable(6 * stress(), Plan::SMALL, || {
        Sharded::<u64, _>::new(MiddleBits)
    });
}

#[test]
fn eight_threads_per_core() {
    let _watchdog = limit("eight_threads_per_core");
    let plan = Plan {
        threads: many_threads() - 2,
        storms: 2,
        ops: 150,
        ..Plan::SMALL
    };
    assert_linearizable(4 * stress(), plan, || {
        Sharded::<Checked, _>::new(RandomState::default())
    });
}

#[test]
fn eight_threads_per_core_undisturbed_on_one_hash() {
    let _watchdog = limit("eight_threads_per_core_undisturbed_on_one_hash");
    let threads = many_threads() - 1;
    let plan = Plan {
        threads,
        ops: 150,
        wave: 30,
        disturb: false,
        ..Plan::SMALL
    };
    assert_linearizable(4 * stress(), plan, || Sharded::<u64, _>::new(OneHash(9)));
}

/// Long: one history of a million operations. The checker's memory stays small.
#[test]
#[ignore = "takes about a minute"]
fn one_long_history() {
    let plan = Plan {
        ops: 250_000,
        threads: 4,
        disturb: false,
        wave: 5000,
        ..Plan::SMALL
    };
    let map = Sharded::<u64, _>::new(RandomState::default());
    for seed in seeds(1) {
        let stats = check(&run(&map, plan, seed)).unwrap_or_else(|v| panic!("seed {seed}: {v}"));
        assert!(stats.overlaps > 0 && stats.widest < 10_000, "{stats:?}");
    }
}
