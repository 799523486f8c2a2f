//! How much of a running resize a writer takes on.

/// How much of a running resize one write moves on before it does its own work.
///
/// Readers never help and never wait, in either mode. No mode makes a writer wait for another
/// thread: a bucket that somebody else is moving is moved again by whoever needs it.
///
/// A table doubles or halves, also on its way to a size several doublings off (`reserve`,
/// `shrink_to_fit`). So a bucket that is moved is one of the smaller table and two of the larger,
/// with such overflow as they have. Once in its life a map becomes 32 tables of 2 buckets each, of
/// one of at most 32, in one step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ResizeMode {
    /// A write on a shard that is being resized moves the bucket it needs and at most this many
    /// more, rounded up to a multiple of 8, counted in the smaller table. Flat tails.
    Incremental(usize),
    /// The write that starts a resize, and every write that meets it, moves buckets until the
    /// shard is done. Highest throughput while growing, one long operation per resize.
    Blocking,
}

impl Default for ResizeMode {
    fn default() -> Self {
        Self::Incremental(8)
    }
}
