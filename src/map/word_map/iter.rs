//! The iterators: over entries, keys and values.
use super::WordMap;
use super::raw::RawIter;
use super::word::Word;
use core::fmt;
use core::iter::FusedIterator;
use core::marker::PhantomData;

/// Iterator over the entries of a map; made by [`WordMap::iter`]. It stays on its thread.
pub struct Iter<'m, K, V, S> {
    raw: RawIter<'m>,
    map: PhantomData<&'m WordMap<K, V, S>>,
}

impl<'m, K, V, S> Iter<'m, K, V, S> {
    pub(super) fn new(raw: RawIter<'m>) -> Self {
        let map = PhantomData;
        Self { raw, map }
    }
}

impl<K: Word, V: Word, S> Iter<'_, K, V, S> {
    #[inline]
    fn entry((key, value): (u64, u64)) -> (K, V) {
        (
            WordMap::<K, V, S>::key(key),
            WordMap::<K, V, S>::value(value),
        )
    }
}

impl<K: Word, V: Word, S> Iterator for Iter<'_, K, V, S> {
    type Item = (K, V);

    #[inline]
    fn next(&mut self) -> Option<(K, V)> {
        self.raw.next().map(Self::entry)
    }

    #[inline]
    fn fold<B, F: FnMut(B, (K, V)) -> B>(self, init: B, mut f: F) -> B {
        self.raw
            .fold(init, |folded, words| f(folded, Self::entry(words)))
    }
}

impl<K: Word, V: Word, S> FusedIterator for Iter<'_, K, V, S> {}

/// Iterator over the keys of a map; made by [`WordMap::keys`].
pub struct Keys<'m, K, V, S>(Iter<'m, K, V, S>);

impl<'m, K, V, S> Keys<'m, K, V, S> {
    pub(super) fn new(iter: Iter<'m, K, V, S>) -> Self {
        Self(iter)
    }
}

impl<K: Word, V: Word, S> Iterator for Keys<'_, K, V, S> {
    type Item = K;

    #[inline]
    fn next(&mut self) -> Option<K> {
        self.0.next().map(|(key, _)| key)
    }

    #[inline]
    fn fold<B, F: FnMut(B, K) -> B>(self, init: B, mut f: F) -> B {
        self.0.fold(init, |folded, (key, _)| f(folded, key))
    }
}

impl<K: Word, V: Word, S> FusedIterator for Keys<'_, K, V, S> {}

/// Iterator over the values of a map; made by [`WordMap::values`].
pub struct Values<'m, K, V, S>(Iter<'m, K, V, S>);

impl<'m, K, V, S> Values<'m, K, V, S> {
    pub(super) fn new(iter: Iter<'m, K, V, S>) -> Self {
        Self(iter)
    }
}

impl<K: Word, V: Word, S> Iterator for Values<'_, K, V, S> {
    type Item = V;

    #[inline]
    fn next(&mut self) -> Option<V> {
        self.0.next().map(|(_, value)| value)
    }

    #[inline]
    fn fold<B, F: FnMut(B, V) -> B>(self, init: B, mut f: F) -> B {
        self.0.fold(init, |folded, (_, value)| f(folded, value))
    }
}

impl<K: Word, V: Word, S> FusedIterator for Values<'_, K, V, S> {}

impl<K, V, S> fmt::Debug for Iter<'_, K, V, S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Iter").finish_non_exhaustive()
    }
}

impl<K, V, S> fmt::Debug for Keys<'_, K, V, S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Keys").finish_non_exhaustive()
    }
}

impl<K, V, S> fmt::Debug for Values<'_, K, V, S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Values").finish_non_exhaustive()
    }
}
