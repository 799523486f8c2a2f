//! Every public error type.
use core::alloc::Layout;
use core::fmt;

/// The key was already present: what is there, and the value given back.
///
/// Returned by [`ShardMap::try_insert`](crate::ShardMap::try_insert). Nothing was changed.
#[derive(Debug, PartialEq, Eq)]
pub struct OccupiedError<'a, V: 'a> {
    /// The value in the map at the moment of the attempt.
    pub current: &'a V,
    /// The value that was not inserted.
    pub not_inserted: V,
}

impl<V: fmt::Debug> fmt::Display for OccupiedError<'_, V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "the key is already present with value {:?}; {:?} was not inserted",
            self.current, self.not_inserted
        )
    }
}

impl<V: fmt::Debug> core::error::Error for OccupiedError<'_, V> {}

/// Room for more entries could not be made; the entries are unchanged and the map is usable.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum TryReserveError {
    /// The number of entries asked for does not fit in the address space.
    CapacityOverflow {
        /// Entries asked for in all.
        entries: usize,
    },
    /// The allocator refused.
    AllocError {
        /// The layout that was refused.
        layout: Layout,
    },
}

impl fmt::Display for TryReserveError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::CapacityOverflow { entries } => {
                write!(f, "a table for {entries} entries exceeds the address space")
            }
            Self::AllocError { layout } => write!(
                f,
                "the allocator refused {} bytes aligned to {}",
                layout.size(),
                layout.align()
            ),
        }
    }
}

impl core::error::Error for TryReserveError {}

impl TryReserveError {
    /// What the forms without a `Result` do: as the standard collections.
    #[cold]
    pub(crate) fn handle(self) -> ! {
        match self {
            Self::AllocError { layout } => std::alloc::handle_alloc_error(layout),
            Self::CapacityOverflow { .. } => panic!("{self}"),
        }
    }
}
