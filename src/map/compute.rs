//! What a `compute` closure asks for, and what then happened.

/// What a [`compute`](crate::ShardMap::compute) closure wants done with the entry.
#[derive(Debug, PartialEq, Eq)]
pub enum Operation<V, T> {
    /// Insert this value, or replace the present one by it.
    Insert(V),
    /// Remove the entry.
    Remove,
    /// Change nothing and return this.
    Abort(T),
}

/// What a [`compute`](crate::ShardMap::compute) call did.
#[derive(Debug, PartialEq, Eq)]
pub enum Compute<'g, K, V, T> {
    /// The key was absent and is now present with this value.
    Inserted(&'g K, &'g V),
    /// The entry was replaced.
    Updated {
        /// The entry that was there.
        old: (&'g K, &'g V),
        /// The entry that is there now.
        new: (&'g K, &'g V),
    },
    /// The entry was removed.
    Removed(&'g K, &'g V),
    /// The closure gave up with this value.
    Aborted(T),
}
