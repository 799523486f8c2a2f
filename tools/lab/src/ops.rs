//! Operation streams: made before the clock starts, the same for every map, cheap to read.
//!
//! An operation is 4 bytes: its kind in the top 3 bits, below them the key itself
//! ([`IntOps`]) or where the key's text starts ([`TextOps`]).
use crate::keys::Key;
use core::ops::Range;
use std::sync::Arc;

/// What an operation does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Look up.
    Get,
    /// Insert or overwrite.
    Put,
    /// Remove.
    Del,
    /// Add one to the key's count.
    Add,
    /// Look up; if absent, put: a cache in front of something slow.
    Load,
}

const PAYLOAD_BITS: u32 = 29;
/// The first key, or offset into the text, that an operation cannot carry.
pub(crate) const PAYLOAD_END: u32 = 1 << PAYLOAD_BITS;

/// One operation, packed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Op(u32);

impl Op {
    /// Packs; `payload` must be below [`PAYLOAD_END`].
    #[must_use]
    pub(crate) fn new(kind: Kind, payload: u32) -> Self {
        assert!(
            payload < PAYLOAD_END,
            "an operation carries {PAYLOAD_BITS} bits"
        );
        let kind = match kind {
            Kind::Get => 0,
            Kind::Put => 1,
            Kind::Del => 2,
            Kind::Add => 3,
            Kind::Load => 4,
        };
        Self(kind << PAYLOAD_BITS | payload)
    }

    /// What it does.
    #[inline]
    #[must_use]
    pub(crate) fn kind(self) -> Kind {
        match self.0 >> PAYLOAD_BITS {
            0 => Kind::Get,
            1 => Kind::Put,
            2 => Kind::Del,
            3 => Kind::Add,
            _ => Kind::Load,
        }
    }

    /// Key or offset.
    #[inline]
    #[must_use]
    pub(crate) fn payload(self) -> u32 {
        self.0 & (PAYLOAD_END - 1)
    }
}

/// The operations of one thread in one run.
pub(crate) trait Stream: Send + Sync + 'static {
    /// The type of the keys.
    type Key: Key;
    /// A key in the form in which it comes out of the stream.
    type Held<'a>: core::borrow::Borrow<<Self::Key as Key>::View>
    where
        Self: 'a;

    /// How many operations.
    fn len(&self) -> usize;
    /// Operation number `index` and its key.
    fn at(&self, index: usize) -> (Kind, Self::Held<'_>);
    /// What operation number `index` puts, if it puts.
    fn value(&self, index: usize) -> u64;
}

/// Operations on `u64` keys.
#[derive(Debug)]
pub(crate) struct IntOps {
    pub(crate) ops: Vec<Op>,
    /// Operation `i` puts `base + i`.
    pub(crate) base: u64,
}

impl Stream for IntOps {
    type Key = u64;
    type Held<'a> = u64;

    #[inline]
    fn len(&self) -> usize {
        self.ops.len()
    }

    #[inline]
    fn at(&self, index: usize) -> (Kind, u64) {
        let op = self.ops[index];
        (op.kind(), u64::from(op.payload()))
    }

    #[inline]
    fn value(&self, index: usize) -> u64 {
        self.base + index as u64
    }
}

/// Operations on `String` keys: the text of all keys in the order of the operations, as if it
/// had just come in.
#[derive(Clone, Debug)]
pub(crate) struct TextOps {
    text: Arc<str>,
    /// One more than there are operations; each starts where the one before it ends.
    ops: Arc<[Op]>,
    part: Range<usize>,
    /// Operation `i` puts `base + i`; without a base, the length of its key.
    base: Option<u64>,
}

impl TextOps {
    /// Whether one more key of `length` bytes fits behind `text`.
    #[must_use]
    pub(crate) fn fits(text: &str, length: usize) -> bool {
        u32::try_from(text.len() + length).is_ok_and(|end| end < PAYLOAD_END)
    }

    /// From the concatenated keys and the operations, whose payloads are where the keys start.
    #[must_use]
    pub(crate) fn new(text: String, mut ops: Vec<Op>, base: Option<u64>) -> Self {
        let end = u32::try_from(text.len()).unwrap_or(PAYLOAD_END);
        let part = 0..ops.len();
        ops.push(Op::new(Kind::Get, end));
        Self {
            text: text.into(),
            ops: ops.into(),
            part,
            base,
        }
    }

    /// A share of the operations, without copying them.
    #[must_use]
    pub(crate) fn part(&self, part: Range<usize>) -> Self {
        let start = self.part.start;
        Self {
            part: start + part.start..start + part.end,
            ..self.clone()
        }
    }

    /// How many bytes operation `index`'s key has.
    fn key_range(&self, index: usize) -> Range<usize> {
        let at = self.part.start + index;
        self.ops[at].payload() as usize..self.ops[at + 1].payload() as usize
    }
}

impl Stream for TextOps {
    type Key = String;
    type Held<'a> = &'a str;

    #[inline]
    fn len(&self) -> usize {
        self.part.len()
    }

    #[inline]
    fn at(&self, index: usize) -> (Kind, &str) {
        (
            self.ops[self.part.start + index].kind(),
            &self.text[self.key_range(index)],
        )
    }

    #[inline]
    fn value(&self, index: usize) -> u64 {
        match self.base {
            Some(base) => base + index as u64,
            None => self.key_range(index).len() as u64,
        }
    }
}
