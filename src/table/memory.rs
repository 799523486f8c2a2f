//! The memory of one table: of the global allocator, or pages of its own, and these on a node if one is asked for.
//!
//! | | below the size from which tables are mapped | from there on |
//! |---|---|---|
//! | no node | the allocator's | pages; huge ones where a table is that large |
//! | a node | pages, `mbind` before the first write | the same |
//!
//! Pages are rounded up: the smallest table on a node takes 4 KiB. The policy goes with the mapping.
//!
//! Invariants: I6 of the [parent module](super).

use crate::error::TryReserveError;
use crate::shard::Node;
use crate::sync::MODEL;
use crate::sys::pages;
use core::alloc::Layout;
use core::ptr::NonNull;

/// What came of asking for memory on a node.
#[derive(Clone, Copy, Debug)]
pub(super) struct Origin {
    /// The node that was asked for; later tables of the shard ask for the same.
    pub(super) node: Option<Node>,
    /// The error number with which the system refused it.
    pub(super) refused: Option<i32>,
}

impl Origin {
    /// No node was asked for.
    pub(super) const NOWHERE: Self = Self {
        node: None,
        refused: None,
    };
}

/// Whether a table is mapped; without a node those of `mapped_bytes` and more are.
pub(super) fn is_mapped(layout: Layout, mapped_bytes: usize, node: Option<Node>) -> bool {
    !MODEL && (node.is_some() || layout.size() >= mapped_bytes)
}

/// Zeroed memory for a table. A node that is refused is none that the table cannot do without.
pub(super) fn allocate(
    layout: Layout,
    mapped_bytes: usize,
    node: Option<Node>,
) -> Result<(NonNull<u8>, Origin), TryReserveError> {
    let is_mapped = is_mapped(layout, mapped_bytes, node);
    let memory = if !is_mapped {
        // SAFETY: I6: the layout has the size of a header at least.
        NonNull::new(unsafe { std::alloc::alloc_zeroed(layout) })
    } else if layout.size() < pages::HUGE_PAGE_BYTES {
        pages::alloc_zeroed(layout.size())
    } else {
        // Huge where a table is that large: a probe of a random line then costs no page walk.
        pages::alloc_zeroed_huge(layout.size()).map(|(memory, _advice)| memory)
    };
    let memory = memory.ok_or(TryReserveError::AllocError { layout })?;
    let refused = node.filter(|_| is_mapped).and_then(|node| {
        let refused = node.take(memory.as_ptr(), layout.size()).err();
        refused.and_then(|why| why.errno)
    });
    Ok((memory, Origin { node, refused }))
}

/// Frees the memory of a table.
///
/// # Safety
/// It came from [`allocate`] with this layout, this limit and this node, and nobody uses it any more.
pub(super) unsafe fn free(
    memory: *mut u8,
    layout: Layout,
    mapped_bytes: usize,
    node: Option<Node>,
) {
    if !is_mapped(layout, mapped_bytes, node) {
        // SAFETY: I6: allocated with this layout; the caller's contract.
        unsafe { std::alloc::dealloc(memory, layout) };
    } else if let Some(memory) = NonNull::new(memory) {
        // SAFETY: I6: allocated by `pages` with this size; the caller's contract.
        unsafe { pages::free(memory, layout.size()) };
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::{allocate, free, is_mapped};
    use crate::shard::Node;
    use core::alloc::Layout;

    const LIMIT: usize = 1 << 20;

    #[test]
    fn miri_a_small_table_has_pages_of_its_own_where_it_has_a_node() {
        let layout = Layout::from_size_align(192, 64).expect("a layout");
        let node = Some(Node::Preferred(0));
        assert!(is_mapped(layout, LIMIT, node) && !is_mapped(layout, LIMIT, None));
        for node in [None, node, Some(Node::Bound(5000))] {
            let (memory, origin) = allocate(layout, LIMIT, node).expect("192 bytes");
            assert_eq!((origin.node, memory.addr().get() % 64), (node, 0));
            let is_page = memory.addr().get() % 4096 == 0;
            assert!(is_page || node.is_none() || cfg!(any(miri, not(unix))));
            // SAFETY: the test's own memory, which is zeroed.
            assert_eq!(unsafe { memory.cast::<[u8; 192]>().read() }, [0; 192]);
            // SAFETY: from `allocate` with the same, and freed once.
            unsafe { free(memory.as_ptr(), layout, LIMIT, node) };
        }
    }

    #[test]
    #[cfg_attr(
        not(all(target_os = "linux", not(miri))),
        ignore = "Linux refuses with a number"
    )]
    fn a_node_that_is_not_here_is_told_and_the_memory_is_good() {
        let layout = Layout::from_size_align(8192, 64).expect("a layout");
        let node = Some(Node::Bound(1000));
        let (memory, origin) = allocate(layout, LIMIT, node).expect("two pages");
        // Where the calls are not allowed it is another number.
        assert!(origin.refused.is_some_and(|errno| errno > 0));
        // SAFETY: the test's own memory.
        unsafe { memory.cast::<[u8; 8192]>().write([1; 8192]) };
        // SAFETY: from `allocate` with the same, and freed once.
        unsafe { free(memory.as_ptr(), layout, LIMIT, node) };
    }
}
