//! Counts that every key and every value is dropped exactly once.

use core::hash::{Hash, Hasher};
use core::sync::atomic::{AtomicU8, AtomicUsize, Ordering};
use std::sync::Arc;

/// One cell per token that was made from it.
#[derive(Debug)]
pub struct Ledger {
    drops: Vec<AtomicU8>,
    made: AtomicUsize,
}

impl Ledger {
    /// Room for `most` tokens.
    #[must_use]
    pub fn new(most: usize) -> Arc<Self> {
        let drops = (0..most).map(|_| AtomicU8::new(0)).collect();
        Arc::new(Self {
            drops,
            made: AtomicUsize::new(0),
        })
    }

    /// How many tokens have been made.
    pub fn made(&self) -> usize {
        self.made.load(Ordering::Acquire)
    }

    /// Tokens made and not dropped.
    pub fn live(&self) -> usize {
        let cells = self.drops.iter().take(self.made());
        cells.filter(|c| c.load(Ordering::Acquire) == 0).count()
    }

    /// Tokens dropped more than once.
    pub fn dropped_twice(&self) -> usize {
        self.drops
            .iter()
            .filter(|c| c.load(Ordering::Acquire) > 1)
            .count()
    }

    /// # Panics
    /// Unless exactly `live` tokens remain and none was dropped twice.
    pub fn assert_live(&self, live: usize) {
        assert_eq!(
            self.dropped_twice(),
            0,
            "dropped twice, of {} made",
            self.made()
        );
        assert_eq!(self.live(), live, "not dropped, of {} made", self.made());
    }
}

/// Enters its drop into the ledger.
#[derive(Debug)]
pub struct Token {
    ledger: Arc<Ledger>,
    index: usize,
}

impl Token {
    /// A new token of this ledger.
    ///
    /// # Panics
    /// If the ledger is full.
    pub fn new(ledger: &Arc<Ledger>) -> Self {
        let index = ledger.made.fetch_add(1, Ordering::AcqRel);
        assert!(index < ledger.drops.len(), "the ledger is full");
        Self {
            ledger: Arc::clone(ledger),
            index,
        }
    }

    /// How many tokens of the ledger were made before it.
    #[must_use]
    pub fn number(&self) -> usize {
        self.index
    }

    /// Whether it is not dropped yet: a token that one has, always.
    #[must_use]
    pub fn is_alive(&self) -> bool {
        self.ledger.drops[self.index].load(Ordering::Acquire) == 0
    }
}

impl Clone for Token {
    /// A clone is a token of its own.
    fn clone(&self) -> Self {
        Self::new(&self.ledger)
    }
}

impl Drop for Token {
    fn drop(&mut self) {
        // Does not panic on a second drop: that may be in a thread's end. The ledger tells.
        self.ledger.drops[self.index].fetch_add(1, Ordering::AcqRel);
    }
}

/// A key with a token, compared by number.
#[derive(Debug, Clone)]
pub struct TokenKey {
    /// What makes keys equal.
    pub id: u64,
    _token: Token,
}

impl TokenKey {
    /// A key that is equal to others of this number.
    pub fn new(id: u64, ledger: &Arc<Ledger>) -> Self {
        Self {
            id,
            _token: Token::new(ledger),
        }
    }
}

impl PartialEq for TokenKey {
    fn eq(&self, other: &Self) -> bool {
        self.id == other.id
    }
}

impl Eq for TokenKey {}

impl Hash for TokenKey {
    fn hash<H: Hasher>(&self, state: &mut H) {
        state.write_u64(self.id);
    }
}

impl atomshard::Equivalent<TokenKey> for u64 {
    fn equivalent(&self, key: &TokenKey) -> bool {
        *self == key.id
    }
}
