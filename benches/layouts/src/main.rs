//! The trial behind `docs/decisions/word-map.md`: the layouts that a map of words could have, on tables of
//! fixed size, with the validation that a look-up really needs.
//!
//! ```text
//! RUSTFLAGS='--cfg atomshard_probes' CARGO_TARGET_DIR=target/layouts cargo run --release --package layouts
//! ```
//! The switch makes the library's `arch` public: its 16-byte words are what is tried.
//!
//! | subject | a line of 64 bytes | what a look-up validates |
//! |---|---|---|
//! | `header` | a header (version, states), three slots | a hit: the slot's state and the header once more |
//! | `apart` | four slots; the header in a table of its own | the same |
//! | `quotient, chain` | four slots whose freed bits are the state | nothing; a miss ends without a link |
//! | `quotient, next` | the same, overflow into the lines that follow | nothing; a miss ends at an empty slot |
//! | `hashbrown` | unsynchronised: what nobody has to share | |
//! | `one line` | the limit: hash, and one random line | |
//!
//! What is left out is what a table of fixed size does not need: moving, and helping others.
#![cfg_attr(
    atomshard_probes,
    expect(clippy::print_stdout, reason = "a command-line tool")
)]
#![cfg_attr(
    not(atomshard_probes),
    expect(clippy::print_stderr, reason = "a command-line tool")
)]

#[cfg(atomshard_probes)]
mod header;
#[cfg(atomshard_probes)]
mod limits;
#[cfg(atomshard_probes)]
mod poisson;
#[cfg(atomshard_probes)]
mod quotient;
#[cfg(all(test, atomshard_probes))]
mod tests;
#[cfg(atomshard_probes)]
mod trial;

#[cfg(not(atomshard_probes))]
fn main() -> std::process::ExitCode {
    eprintln!("needs a build with RUSTFLAGS='--cfg atomshard_probes'");
    std::process::ExitCode::FAILURE
}

#[cfg(atomshard_probes)]
pub(crate) use baselines::one_line::scaled;

#[cfg(atomshard_probes)]
fn main() {
    poisson::print();
    trial::run();
}

/// A table of fixed size from words to words.
#[cfg(atomshard_probes)]
pub(crate) trait Layout: Sync {
    /// A table of about so many lines.
    fn new(lines: usize) -> Self
    where
        Self: Sized;

    /// The value of a key.
    fn get(&self, key: u64) -> Option<u64>;

    /// Inserts or replaces; the value that was there.
    fn insert(&self, key: u64, value: u64) -> Option<u64>;

    /// Removes; the value that was there.
    fn remove(&self, key: u64) -> Option<u64>;

    /// Says that the key will be looked up soon.
    fn prefetch(&self, key: u64);
}

/// The line that is so many steps after `home`, in a ring of `lines`.
#[cfg(atomshard_probes)]
#[inline]
pub(crate) fn after(home: usize, step: usize, lines: usize) -> usize {
    let line = home + step;
    if line < lines { line } else { line - lines }
}

/// A pair of words as one of 16 bytes.
#[cfg(atomshard_probes)]
#[inline]
pub(crate) fn pair(key: u64, value: u64) -> u128 {
    u128::from(value) << 64 | u128::from(key)
}

/// The two words of a pair.
#[cfg(atomshard_probes)]
#[inline]
#[expect(clippy::cast_possible_truncation, reason = "the lower half is meant")]
pub(crate) fn words(pair: u128) -> (u64, u64) {
    (pair as u64, (pair >> 64) as u64)
}
