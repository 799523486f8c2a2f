//! `WordMap` and `WordSet` from outside: every operation against std's maps, its edges, panics and key types, and
//! what threads may rely on while tables grow and shrink.

/// The files in `word_map/`.
mod word_map {
    mod edges;
    mod keys;
    mod model;
    mod panics;
    mod threads;
}
