//! What is measured: something that threads operate on, and what it is compared with.

use baselines::{Pad0, Striped};
use core::sync::atomic::{AtomicU64, Ordering};

/// Operates a number of times, as the thread of this number.
pub type Operate = Box<dyn Fn(usize, u64) + Sync>;

/// A case of the coherence model, as it is recorded in benches/coherence.
#[derive(Clone, Copy, Debug)]
pub struct Account {
    /// The file.
    pub structure: &'static str,
    /// The operation, without its number of threads.
    pub operation: &'static str,
}

/// Something that threads operate on.
#[derive(Debug)]
pub struct Subject {
    /// Its name in tables.
    pub name: &'static str,
    /// Made for so many threads, before each run.
    pub make: fn(usize) -> Operate,
    /// The subject of the same bench that does the same work on separate lines; for want of one, the control whose
    /// cells are apart.
    pub twin: Option<&'static str>,
    /// What the model says of it.
    pub account: Option<Account>,
}

/// The control whose threads write to one line.
pub(crate) const TOGETHER: &str = "control: cells in one line";
/// The control whose threads write to pages of their own.
pub(crate) const APART: &str = "control: cells on own pages";

/// The two controls.
pub(crate) fn controls() -> [Subject; 2] {
    let together = Subject {
        name: TOGETHER,
        make: |threads| {
            let cells = Striped::<Pad0>::new(threads);
            Box::new(move |thread, times| (0..times).for_each(|_| cells.add(thread, 1)))
        },
        twin: Some(APART),
        account: Some(Account {
            structure: "striped_counter_0",
            operation: "add",
        }),
    };
    let apart = Subject {
        name: APART,
        make: |threads| {
            let cells: Box<[Page]> = (0..threads).map(|_| Page::default()).collect();
            Box::new(move |thread, times| {
                let cell = &cells[thread].0;
                // Relaxed: a count publishes nothing.
                (0..times).for_each(|_| {
                    cell.fetch_add(1, Ordering::Relaxed);
                });
            })
        },
        twin: None,
        account: None,
    };
    [together, apart]
}

/// A cell on a page of its own.
#[derive(Debug, Default)]
#[repr(align(4096))]
struct Page(AtomicU64);

const _: () = assert!(size_of::<Page>() == 4096, "a page");
