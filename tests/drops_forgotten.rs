//! A guard that is forgotten pins the whole process for good; so it has a process of its own.

use atomshard::{Guard as _, ShardMap};
use evidence::drops::{Ledger, Token, TokenKey};
use foldhash::fast::RandomState;

type Map = ShardMap<TokenKey, Token, RandomState>;

/// What is removed from then on waits until its map goes; it is never freed under the guard, and
/// never twice.
#[test]
#[cfg_attr(
    atomshard_seize,
    ignore = "`seize` never drops what a forgotten guard holds up"
)]
fn what_a_forgotten_guard_holds_up_goes_with_its_map() {
    let ledger = Ledger::new(10_000);
    let (map, other): (Map, Map) = (ShardMap::default(), ShardMap::default());
    core::mem::forget(map.guard());
    core::mem::forget(map.pin_owned());
    let insert = |map: &Map, id| {
        map.pin()
            .insert(TokenKey::new(id, &ledger), Token::new(&ledger));
    };
    for id in 0..1000 {
        insert(&map, id);
        insert(&other, id);
    }
    for id in 0..500 {
        map.pin().remove(&id);
        other.pin().remove(&id);
    }
    map.guard().flush();
    let live = ledger.live();
    assert!(
        live >= 2000,
        "{live} live: something was freed under a guard"
    );
    drop(other);
    assert_eq!(ledger.live(), 2000, "another map has not ended everything");
    drop(map);
    ledger.assert_live(0);
}
