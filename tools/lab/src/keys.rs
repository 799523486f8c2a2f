//! Key types of the workloads.
use crate::engines::{Entrant, Words, WordsMany, line_racer};
use crate::ops::Stream;
use crate::racer::{Racer, runner};
use crate::work::Work;
use core::borrow::Borrow;
use core::hash::Hash;
use std::sync::Arc;

/// A key that a map owns, and the form in which it is looked up.
pub(crate) trait Key:
    Hash + Eq + Clone + Send + Sync + Borrow<Self::View> + 'static
{
    /// What operations carry: `u64` itself, or `str` for `String`.
    type View: Hash + Eq + ToOwned<Owned = Self> + ?Sized;

    /// The racer of an entrant that takes number keys only; `None` for the others, and if these are no numbers.
    fn words<S: Stream<Key = Self>>(
        entrant: Entrant,
        work: &Arc<Work<S>>,
    ) -> Option<Box<dyn Racer>>;
}

impl Key for u64 {
    type View = Self;

    fn words<S: Stream<Key = Self>>(
        entrant: Entrant,
        work: &Arc<Work<S>>,
    ) -> Option<Box<dyn Racer>> {
        match entrant {
            Entrant::Wordmap => Some(runner::<S, Words>(entrant, work)),
            Entrant::WordmapMany => Some(runner::<S, WordsMany>(entrant, work)),
            Entrant::OneLine | Entrant::OneLineMany => Some(line_racer(entrant, work)),
            _ => None,
        }
    }
}

impl Key for String {
    type View = str;

    fn words<S: Stream<Key = Self>>(_: Entrant, _: &Arc<Work<S>>) -> Option<Box<dyn Racer>> {
        None
    }
}

/// The text of key number `number` for the runs with `String` keys: 16 to 24 bytes, all
/// different, no common prefix.
#[must_use]
pub(crate) fn text_of(number: u32) -> String {
    // A bijection on 32 bits, so that neighbours do not look alike.
    let mixed = number
        .wrapping_mul(0x9e37_79b1)
        .rotate_left(15)
        .wrapping_mul(0x85eb_ca77);
    let mut text = format!("{mixed:08x}-item-{:02x}", number & 0xff);
    let length = 16 + usize::try_from(mixed % 9).unwrap_or(0);
    while text.len() < length {
        text.push('.');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::text_of;
    use std::collections::HashSet;

    #[test]
    fn texts_differ_and_have_16_to_24_bytes() {
        let texts: Vec<String> = (0..50_000).map(text_of).collect();
        let lengths: HashSet<usize> = texts.iter().map(String::len).collect();
        assert_eq!(lengths, (16..=24).collect());
        assert_eq!(texts.iter().collect::<HashSet<_>>().len(), texts.len());
    }
}
