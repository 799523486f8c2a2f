//! Values that know when they were dropped.

use evidence::drops::{Ledger, Token};
use evidence::subject::{Checked, Payload as _};
use std::sync::Arc;

/// A number that no other value of the run has. Its drop is entered in the ledger, and a read after it panics.
#[derive(Debug)]
pub(super) struct Value {
    number: Checked,
    token: Token,
}

impl Value {
    pub(super) fn new(number: u64, ledger: &Arc<Ledger>) -> Self {
        Self {
            number: Checked::of(number),
            token: Token::new(ledger),
        }
    }

    pub(super) fn number(&self) -> u64 {
        self.number.read()
    }
}

impl Clone for Value {
    fn clone(&self) -> Self {
        Self {
            number: Checked::of(self.number()),
            token: self.token.clone(),
        }
    }
}

impl PartialEq for Value {
    fn eq(&self, other: &Self) -> bool {
        self.number() == other.number()
    }
}
