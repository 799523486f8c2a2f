//! `hot_*`: the paths that programs take most, through the public face of the library.
//!
//! They show what remains when everything is inlined. Their cold parts are calls, and what such a call
//! does is not shown. A `get` by [`ShardMap::get`](atomshard::ShardMap::get) panics if the guard
//! is of another map, so the probe takes the map and its guard as one.

use crate::probes;
use atomshard::{LocalGuard, ShardCounter, ShardMap, ShardMapRef};
use foldhash::fast::FixedState;

type Map = ShardMap<u64, u64, FixedState>;
type Pinned<'m> = ShardMapRef<'m, u64, u64, FixedState, LocalGuard<'m>>;

probes! {
    hot_map_get_hit(map: &Pinned<'_>, key: u64) -> Option<u64> = map.get(&key).copied();
    hot_map_pinned_get(map: &Map, key: u64) -> Option<u64> = map.pin().get(&key).copied();
    hot_counter_add(counter: &ShardCounter, delta: i64) = counter.add(delta);
    hot_pin_unpin(map: &Map) = drop(map.guard());
}
