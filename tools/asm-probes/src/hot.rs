//! `hot_*`: the paths that programs take most, through the public face of the library.
//!
//! They show what remains when everything is inlined. Their cold parts are calls, and what such a call
//! does is not shown. A `get` by [`ShardMap::get`](atomshard::ShardMap::get) panics if the guard
//! is of another map, so the probe takes the map and its guard as one. std's lock stands beside them: what an
//! addition under a lock costs that nobody holds (docs/article.md, §2.2).

use crate::probes;
use atomshard::{LocalGuard, ShardCounter, ShardMap, ShardMapRef, WordMap};
use foldhash::fast::FixedState;
use std::sync::{Mutex, PoisonError};

type Map = ShardMap<u64, u64, FixedState>;
type Words = WordMap<u64, u64, FixedState>;
type Pinned<'m> = ShardMapRef<'m, u64, u64, FixedState, LocalGuard<'m>>;

probes! {
    hot_map_get_hit(map: &Pinned<'_>, key: u64) -> Option<u64> = map.get(&key).copied();
    hot_map_pinned_get(map: &Map, key: u64) -> Option<u64> = map.pin().get(&key).copied();
    hot_words_get(map: &Words, key: u64) -> Option<u64> = map.get(key);
    hot_counter_add(counter: &ShardCounter, delta: i64) = counter.add(delta);
    hot_mutex_add(sum: &Mutex<u64>, v: u64) = *sum.lock().unwrap_or_else(PoisonError::into_inner) += v;
    hot_pin_unpin(map: &Map) = drop(map.guard());
}
