//! What the bytes of an input say: a map's settings and operations on it.

use crate::hashing::{self, Hashing};
use arbitrary::{Arbitrary, Result, Unstructured};
use atomshard::ResizeMode;
use core::ops::Range;

/// An input. `cargo fuzz fmt` prints it.
#[derive(Debug)]
pub struct Input {
    pub(super) setting: Setting,
    pub(super) ops: Vec<Op>,
}

/// How the map is made, and how it ends.
#[derive(Debug)]
pub(super) struct Setting {
    pub(super) is_set: bool,
    pub(super) hashing: Hashing,
    pub(super) mode: ResizeMode,
    pub(super) capacity: usize,
    /// Keys of single operations are below.
    pub(super) keys: u64,
    pub(super) end: End,
}

#[derive(Clone, Copy, Debug)]
pub(super) enum End {
    Drop,
    IntoIter,
    /// The iterator by value is dropped when so many entries have come out of it.
    IntoSome(usize),
}

/// Keys that come or go one after another.
#[derive(Clone, Debug)]
pub(super) struct Wave(pub(super) Range<u64>);

/// What happens in the closure of an operation.
pub(super) type Meanwhile = Vec<Op>;

/// What a closure of `compute` answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Answer {
    Insert,
    /// Aborts if the key is absent.
    Remove,
    Abort,
}

#[derive(Clone, Debug)]
pub(super) enum Op {
    Insert(u64),
    TryInsert(u64),
    TryInsertWith(u64, Meanwhile),
    GetOrInsert(u64),
    GetOrInsertWith(u64, Meanwhile),
    Update(u64, Meanwhile),
    UpdateOrInsert(u64, Meanwhile),
    Compute {
        key: u64,
        absent: Answer,
        present: Answer,
        meanwhile: Meanwhile,
    },
    Remove(u64),
    RemoveEntry(u64),
    RemoveIf(u64, u64, Meanwhile),
    Look(u64),
    /// Keeps the value until the guard ends.
    Hold(u64),
    /// Inserts the keys one by one; with an owned guard if so said.
    Up(Wave, bool),
    /// Removes them.
    Down(Wave),
    Extend(Wave),
    Open(Order),
    /// Takes so many steps with one of the open iterators.
    Walk(usize, usize),
    /// Removes the values whose number has this rest when divided by the other.
    Retain(u64, u64, Meanwhile),
    Clear,
    Reserve(usize),
    TryReserve(usize),
    ReserveTooMuch,
    Shrink,
    Compare,
    Clone,
    Flush,
    /// Ends the pin and begins another one.
    Refresh,
    /// Ends the guard and makes another one.
    Renew,
}

/// What an iterator yields.
#[derive(Clone, Copy, Debug)]
pub(super) enum Order {
    Entries,
    Keys,
    Values,
}

/// Keys that all operations of an input may touch together; more operations are left out.
const MOST_KEYS: u64 = 4096;
/// The same where keys share hashes, so that each operation goes through all of them.
const MOST_COLLIDING: u64 = 512;
const MOST_CLONES: usize = 4;

impl<'a> Arbitrary<'a> for Input {
    fn arbitrary(u: &mut Unstructured<'a>) -> Result<Self> {
        let setting = Setting::arbitrary(u)?;
        let mut left = match setting.hashing {
            Hashing::OneHash | Hashing::TwoHash => MOST_COLLIDING,
            _ => MOST_KEYS,
        };
        let (mut ops, mut clones) = (Vec::new(), 0);
        while !u.is_empty() {
            let op = Op::read(u, setting.keys, true)?;
            clones += usize::from(matches!(op, Op::Clone));
            if left < op.keys() || clones > MOST_CLONES {
                break;
            }
            left -= op.keys();
            ops.push(op);
        }
        Ok(Self { setting, ops })
    }
}

impl Input {
    /// No run makes more keys and values than this.
    pub(super) fn most_tokens(&self) -> usize {
        let keys = self.ops.iter().map(Op::keys).sum::<u64>();
        let clones = self.ops.iter().filter(|op| matches!(op, Op::Clone)).count();
        // A key, and a value for each of the two calls of a closure and for its absence; the clones.
        usize::try_from(keys).map_or(0, |keys| keys * (4 + 2 * clones))
    }
}

impl<'a> Arbitrary<'a> for Setting {
    fn arbitrary(u: &mut Unstructured<'a>) -> Result<Self> {
        let hashing = Hashing::arbitrary(u)?;
        let mode = hashing::mode(u)?;
        let end = match u.int_in_range(0..=9)? {
            0 => End::Drop,
            1 => End::IntoIter,
            some => End::IntoSome(some - 2),
        };
        Ok(Self {
            is_set: u.ratio(1, 4)?,
            hashing,
            mode,
            capacity: u.int_in_range(0..=15)? * 40,
            keys: 1 << u.int_in_range(0..=8)?,
            end,
        })
    }
}

impl Wave {
    fn read(u: &mut Unstructured<'_>) -> Result<Self> {
        let first = 8 * u.int_in_range(0..=255)?;
        // Mostly a few dozen; the longest make a map of well spread keys grow.
        let keys = match u.int_in_range(0..=255)? {
            some @ 0..224 => some / 4,
            many => 8 * (many - 217),
        };
        Ok(Self(first..first + 1 + keys))
    }

    /// How many.
    fn keys(&self) -> u64 {
        self.0.end - self.0.start
    }
}

impl Answer {
    fn read(u: &mut Unstructured<'_>) -> Result<Self> {
        u.choose(&[Self::Insert, Self::Remove, Self::Abort])
            .copied()
    }
}

impl Op {
    /// Reads one; with operations in its closure if it has one and `outer` says so.
    fn read(u: &mut Unstructured<'_>, keys: u64, outer: bool) -> Result<Self> {
        let what = u.int_in_range(0..=63)?;
        let key = |u: &mut Unstructured<'_>| u.int_in_range(0..=keys - 1);
        let meanwhile = |u: &mut Unstructured<'_>| -> Result<Meanwhile> {
            let count = if outer { u.int_in_range(0..=7)? } else { 0 };
            // In more than half of the cases nothing.
            (4..count).map(|_| Self::read(u, keys, false)).collect()
        };
        Ok(match what {
            0..6 => Self::Insert(key(u)?),
            6..8 => Self::TryInsert(key(u)?),
            8..10 => Self::TryInsertWith(key(u)?, meanwhile(u)?),
            10 => Self::GetOrInsert(key(u)?),
            11..13 => Self::GetOrInsertWith(key(u)?, meanwhile(u)?),
            13..16 => Self::Update(key(u)?, meanwhile(u)?),
            16..19 => Self::UpdateOrInsert(key(u)?, meanwhile(u)?),
            19..24 => Self::Compute {
                key: key(u)?,
                absent: Answer::read(u)?,
                present: Answer::read(u)?,
                meanwhile: meanwhile(u)?,
            },
            24..28 => Self::Remove(key(u)?),
            28 => Self::RemoveEntry(key(u)?),
            29..32 => Self::RemoveIf(key(u)?, u.int_in_range(0..=1)?, meanwhile(u)?),
            32 => Self::Look(key(u)?),
            33..35 => Self::Hold(key(u)?),
            35..39 => Self::Up(Wave::read(u)?, u.arbitrary()?),
            39..43 => Self::Down(Wave::read(u)?),
            43 => Self::Extend(Wave::read(u)?),
            44..46 => Self::Open(*u.choose(&[Order::Entries, Order::Keys, Order::Values])?),
            46..50 => Self::Walk(u.int_in_range(0..=2)?, u.int_in_range(0..=63)?),
            50..52 => Self::Retain(u.int_in_range(0..=3)?, 4, meanwhile(u)?),
            52 => Self::Clear,
            53 => Self::Reserve(16 * u.int_in_range(0..=255)?),
            54 => Self::TryReserve(16 * u.int_in_range(0..=255)?),
            55 => Self::ReserveTooMuch,
            56..59 => Self::Shrink,
            59 => Self::Compare,
            60 => Self::Flush,
            // Clones are counted, and the others end the guard: not in an operation.
            61 if outer => Self::Clone,
            62 if outer => Self::Refresh,
            63 if outer => Self::Renew,
            _ => Self::Shrink,
        })
    }

    /// How many keys it touches at most, with what happens in its closure.
    fn keys(&self) -> u64 {
        match self {
            Self::Up(wave, _) | Self::Down(wave) | Self::Extend(wave) => wave.keys(),
            Self::TryInsertWith(_, inner)
            | Self::GetOrInsertWith(_, inner)
            | Self::Update(_, inner)
            | Self::UpdateOrInsert(_, inner)
            | Self::RemoveIf(_, _, inner)
            | Self::Retain(_, _, inner)
            | Self::Compute {
                meanwhile: inner, ..
            } => 1 + inner.iter().map(Self::keys).sum::<u64>(),
            _ => 1,
        }
    }
}
