//! Chunks: the memory from which a heap cuts its objects.
//!
//! # Invariants
//! - I1. A chunk is an allocation of its layout: by `pages` if [`is_mapped`] says so, and else by the
//!   global allocator. It starts with a [`Chunk`]; objects follow.

use crate::sync::layout;
use crate::sys::pages;
use core::alloc::Layout;
use core::ptr::NonNull;

/// Chunks of this size and more are mapped: what the allocator gives it may keep when it is freed.
const MAPPED_BYTES: usize = 32 << 10;

/// The head of a chunk.
pub(super) struct Chunk {
    pub(super) next: *mut Self,
    pub(super) layout: Layout,
    pub(super) objects: usize,
}
layout!(Chunk: next, layout, objects);

/// Whether a chunk of this layout comes from `pages`.
pub(super) fn is_mapped(layout: Layout) -> bool {
    layout.size() >= MAPPED_BYTES && layout.align() <= pages::ALIGN
}

/// Frees a chunk.
///
/// # Safety
/// The chunk has this layout and was allocated as [`is_mapped`] says, and nobody uses it or an object of it.
pub(super) unsafe fn free_chunk(chunk: *mut Chunk, layout: Layout) {
    if !is_mapped(layout) {
        // SAFETY: I1, and the caller's contract.
        unsafe { std::alloc::dealloc(chunk.cast(), layout) };
    } else if let Some(memory) = NonNull::new(chunk.cast()) {
        // SAFETY: I1, and the caller's contract.
        unsafe { pages::free(memory, layout.size()) };
    }
}
