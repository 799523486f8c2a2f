//! What the traced body reports, and to whom.
//!
//! Under `--cfg atomshard_traced` every atomic access of the crate calls the installed hook
//! *before* it happens. A hook may count, log, feed a cache model, or block the calling thread
//! until a scheduler lets it go on.
//!
//! - One hook serves the whole process: a plain function pointer, so that installing and calling it
//!   allocates nothing. State of the hook lives in statics or thread-locals of the tool.
//! - The hook may use this crate's types. Their accesses are not reported while it runs, so it does
//!   not call itself.
//! - A compare-exchange is reported as [`Kind::Rmw`] before it is tried. If it fails, a second
//!   report, [`Kind::RmwFailed`], says so afterwards: it is a result, not a further access.
//! - Accesses that are not atomic are reported where the code declares them: entries, and what each
//!   thread has of its own. What a key or a value points to is not declared.
//!
//! ```
//! use atomshard::{ShardCounter, trace};
//! use std::cell::Cell;
//!
//! thread_local!(static SEEN: Cell<u32> = const { Cell::new(0) });
//! fn count(access: &trace::Access) {
//!     if access.kind == trace::Kind::Rmw {
//!         SEEN.set(SEEN.get() + 1);
//!     }
//! }
//!
//! let counter = ShardCounter::new();
//! trace::set_hook(Some(count));
//! counter.increment();
//! trace::set_hook(None);
//! assert_eq!(SEEN.get(), 1);
//! ```
//!
//! # Invariants
//!
//! - **I1.** `HOOK` is null or was made from a `Hook` by [`set_hook`]; nothing else stores to it.
#![expect(
    unsafe_code,
    reason = "the hook is a function pointer kept in an atomic"
)]

use super::layout::Layout;
use core::cell::Cell;
use core::panic::Location;
use core::sync::atomic::{AtomicPtr, AtomicU32, Ordering};

/// What is called before each access.
pub type Hook = fn(&Access);

/// What an access does to memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Kind {
    /// Reads.
    Load,
    /// Writes without reading.
    Store,
    /// Reads and writes in one step, or tries to.
    Rmw,
    /// The read-modify-write reported just before by this thread changed nothing.
    RmwFailed,
    /// A fence between this thread and others; touches no memory.
    Fence,
    /// A fence for the compiler only; no instruction.
    CompilerFence,
    /// A barrier that the kernel runs on every thread of the process.
    ProcessBarrier,
    /// Reads what is not atomic, where the code declares it.
    Read,
    /// Writes what is not atomic, where the code declares it.
    Write,
    /// No access: from now on objects of this layout fill the bytes, one after another.
    Objects(&'static Layout),
}

/// One access, as the hook sees it.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Access {
    /// First byte touched; 0 for a fence.
    pub address: usize,
    /// Bytes touched; 0 for a fence.
    pub size: usize,
    /// What it does.
    pub kind: Kind,
    /// The ordering asked for: of the success side for [`Kind::Rmw`], of the failure side for
    /// [`Kind::RmwFailed`].
    pub ordering: Ordering,
    /// Number of the calling thread, see [`thread_number`].
    pub thread: u32,
    /// The source line that asked for the access.
    pub location: &'static Location<'static>,
}

static HOOK: AtomicPtr<()> = AtomicPtr::new(core::ptr::null_mut());
static NEXT_NUMBER: AtomicU32 = AtomicU32::new(0);

/// Marks a thread that has no number yet.
const UNNUMBERED: u32 = u32::MAX;

thread_local! {
    // Neither cell has a destructor, so both work while a thread's other locals are torn down.
    static NUMBER: Cell<u32> = const { Cell::new(UNNUMBERED) };
    static IN_HOOK: Cell<bool> = const { Cell::new(false) };
}

/// Installs the hook of the process, or removes it with `None`.
///
/// A thread that has just read the old hook may still call it once after this returns.
pub fn set_hook(hook: Option<Hook>) {
    let raw = hook.map_or(core::ptr::null_mut(), |hook| hook as *mut ());
    // ORD: Release — pairs with the Acquire in report [H1]; publishes what the hook's tool set up.
    HOOK.store(raw, Ordering::Release);
}

/// The number of the calling thread in reports.
///
/// Threads are numbered from 0 in the order of their first reported access, unless
/// [`set_thread_number`] came first.
#[must_use]
pub fn thread_number() -> u32 {
    let number = NUMBER.get();
    if number != UNNUMBERED {
        return number;
    }
    // ORD: Relaxed — only the uniqueness of the number matters, which the RMW alone gives.
    let number = NEXT_NUMBER.fetch_add(1, Ordering::Relaxed);
    NUMBER.set(number);
    number
}

/// Gives the calling thread a number of the tool's choice, so that reports can be compared between
/// runs. The tool keeps the numbers apart.
pub fn set_thread_number(number: u32) {
    NUMBER.set(number);
}

/// Ends the calling thread's "inside the hook" state, also if the hook panics.
struct Leave;

impl Drop for Leave {
    fn drop(&mut self) {
        IN_HOOK.set(false);
    }
}

/// Calls the hook unless there is none or the thread is already inside it.
pub(super) fn report(
    address: usize,
    size: usize,
    kind: Kind,
    ordering: Ordering,
    location: &'static Location<'static>,
) {
    // ORD: Acquire — pairs with the Release in set_hook [H1]; the hook sees its tool's set-up.
    let raw = HOOK.load(Ordering::Acquire);
    if raw.is_null() || IN_HOOK.replace(true) {
        return;
    }
    let _leave = Leave;
    // SAFETY: I1: a non-null HOOK was made from a `Hook`.
    let hook = unsafe { core::mem::transmute::<*mut (), Hook>(raw) };
    hook(&Access {
        address,
        size,
        kind,
        ordering,
        thread: thread_number(),
        location,
    });
}
