//! A set of threads by number, which takes no memory of its own.

/// Threads of a run, at most [`Threads::MOST`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Threads(u64);

impl Threads {
    /// More threads than this cannot take turns.
    pub const MOST: usize = 64;

    /// The set with this thread.
    #[must_use]
    pub fn with(self, thread: usize) -> Self {
        Self(self.0 | 1 << thread)
    }

    /// Whether the thread is there.
    #[must_use]
    pub fn contains(self, thread: usize) -> bool {
        self.0 >> thread & 1 == 1
    }

    /// How many there are.
    #[must_use]
    pub fn len(self) -> usize {
        // At most 64.
        self.0.count_ones() as usize
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// The threads by number.
    pub fn iter(self) -> impl Iterator<Item = usize> {
        (0..Self::MOST).filter(move |thread| self.contains(*thread))
    }

    /// The `n`-th of them, counted around.
    ///
    /// # Panics
    /// If there is none.
    #[must_use]
    pub fn nth(self, n: usize) -> usize {
        assert!(!self.is_empty(), "nobody can go on");
        self.iter()
            .nth(n % self.len())
            .expect("the set is not empty")
    }
}

impl FromIterator<usize> for Threads {
    fn from_iter<I: IntoIterator<Item = usize>>(threads: I) -> Self {
        threads.into_iter().fold(Self::default(), Self::with)
    }
}

#[cfg(test)]
mod tests {
    use super::Threads;

    #[test]
    fn a_set_counts_and_lists_what_was_put_in() {
        let set: Threads = [5, 0, 63, 5].into_iter().collect();
        assert_eq!(
            (set.len(), set.contains(63), set.contains(1)),
            (3, true, false)
        );
        assert!(set.iter().eq([0, 5, 63]));
        assert_eq!((set.nth(1), set.nth(3), set.nth(5)), (5, 0, 63));
        assert!(Threads::default().is_empty());
    }
}
