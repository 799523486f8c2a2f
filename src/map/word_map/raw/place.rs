//! Where the memory of a map is to be, and where it is: tables, and lines behind links.
//!
//! Invariants: I2 of the [parent module](super).

use super::RawWords;
use super::iter::{Batch, read_bucket};
use crate::error::TryReserveError;
use crate::shard::{Node, Span};
use crate::table::pairs::{Leaving, MAX_SIZE, SHARDS};

impl RawWords {
    /// Makes a table for each shard that has a node, there; its later tables follow it. For a map that nobody has used.
    pub(crate) fn place(&self, nodes: &[Option<Node>]) -> Result<(), TryReserveError> {
        for (shard, &node) in nodes.iter().enumerate().take(SHARDS) {
            if node.is_none() {
                continue;
            }
            let size = self.size_for(shard, self.floor);
            if size > MAX_SIZE {
                let entries = self.floor;
                return Err(TryReserveError::CapacityOverflow { entries });
            }
            self.root.init_if_none()?.init(shard, size, node)?;
        }
        Ok(())
    }

    /// Calls `f` with each piece of memory.
    pub(crate) fn each_span(&self, f: &mut dyn FnMut(&Span)) {
        let Some(directory) = self.directory() else {
            return;
        };
        let _guard = self.pin();
        for shard in 0..SHARDS {
            let mut next = directory.table(shard);
            while let Some(table) = next {
                f(&table.span(shard));
                next = match table.leaving() {
                    Some(Leaving::Stepwise(running)) => Some(running.table(table)),
                    // A copy is seen when it is complete.
                    Some(Leaving::AtOnce(_)) | None => None,
                };
            }
            let mut position = 0;
            while let Some(table) = directory.table(shard)
                && position < table.scale().end()
            {
                let at = (directory, shard);
                position = read_bucket(at, table, position, &mut Batch::new(), |line| {
                    f(&Span::of_entry(Some(shard), line));
                });
            }
        }
    }
}
