//! The iterator of a set, over its keys.
use crate::map::{Word, word_map};
use core::fmt;
use core::iter::FusedIterator;

/// Iterator over the keys of a set; made by [`WordSet::iter`](super::WordSet::iter). It stays on its thread.
pub struct Iter<'m, K, S> {
    keys: word_map::Keys<'m, K, (), S>,
}

impl<'m, K, S> Iter<'m, K, S> {
    pub(super) fn new(keys: word_map::Keys<'m, K, (), S>) -> Self {
        Self { keys }
    }
}

impl<K: Word, S> Iterator for Iter<'_, K, S> {
    type Item = K;

    #[inline]
    fn next(&mut self) -> Option<K> {
        self.keys.next()
    }
}

impl<K: Word, S> FusedIterator for Iter<'_, K, S> {}

impl<K, S> fmt::Debug for Iter<'_, K, S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Iter").finish_non_exhaustive()
    }
}
