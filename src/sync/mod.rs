//! L0: the only place that names `core::sync::atomic`, loom or the tracer.
pub(crate) use core::sync::atomic::{AtomicIsize, AtomicPtr, AtomicU64, AtomicUsize, Ordering, fence};
