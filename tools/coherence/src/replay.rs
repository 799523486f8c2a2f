//! The case in the build that ships, one thread, for a memory trace from outside: each operation lies between
//! stores to two bytes whose addresses are printed.
//!
//! ```text
//! marks 0x.. 0x.. 0x.. 0x..       bytes stored to before and after each operation, and before and after
//!                                 what the tool's allocator does in it
//! region arena 0x.. 0x..          where what lies: arena, static, constant, thread, stack
//! ready                           the first operation begins when a line is read
//! ```

use crate::arena;
use crate::regions::Regions;
use crate::worker::Worker;
use core::sync::atomic::{AtomicU8, Ordering, compiler_fence};
use std::io::Write as _;

static BEGIN: AtomicU8 = AtomicU8::new(0);
static END: AtomicU8 = AtomicU8::new(0);

/// The case as it runs here; see the traced build's type of this name.
#[derive(Clone, Debug)]
pub struct Case {
    operations: usize,
}

impl Case {
    /// 100 operations.
    #[must_use]
    pub fn new() -> Self {
        Self { operations: 100 }
    }

    /// With so many operations.
    #[must_use]
    pub fn operations(mut self, operations: usize) -> Self {
        self.operations = operations;
        self
    }

    /// Does what the case does, marked.
    pub(crate) fn observe<S: Sync>(
        self,
        make: impl FnOnce() -> S,
        body: impl Fn(&S, &Worker) + Sync,
    ) {
        arena::within(Some(0), || {
            let shared = make();
            body(&shared, &Worker::new(0, self.operations));
        });
    }
}

impl Default for Case {
    fn default() -> Self {
        Self::new()
    }
}

/// What is printed before the operations begin.
pub(crate) fn wait_for_all() {
    arena::within(None, || {
        let [begin, end] = [&BEGIN, &END].map(|mark| mark.as_ptr().addr());
        let [pause, resume] = arena::marks();
        let mut text = format!("marks {begin:#x} {end:#x} {pause:#x} {resume:#x}\n");
        match Regions::of_this_process() {
            Ok(regions) => {
                for (region, range) in regions.iter() {
                    let name = region.name();
                    text += &format!("region {name} {:#x} {:#x}\n", range.start, range.end);
                }
            }
            // Whoever reads expects regions, and refuses this line with its text.
            Err(why) => text += &format!("unavailable: /proc/self/maps: {why}\n"),
        }
        text += "ready\n";
        let mut out = std::io::stdout().lock();
        let _nobody_listens = out.write_all(text.as_bytes()).and_then(|()| out.flush());
        drop(out);
        // Whoever traces says when it knows the marks.
        let _closed = std::io::stdin().read_line(&mut String::new());
    });
}

#[inline(always)]
pub(crate) fn begin() {
    BEGIN.store(1, Ordering::Relaxed);
    compiler_fence(Ordering::SeqCst);
}

#[inline(always)]
pub(crate) fn end() {
    compiler_fence(Ordering::SeqCst);
    END.store(1, Ordering::Relaxed);
}
