//! Tests of the parts and of the whole, on real threads and under Miri.

mod domain;
mod heap;
mod registry;

/// Calls `f` until it says yes. Other tests of the process may be pinned now and then, and what one
/// test retires waits for them too.
fn eventually(mut f: impl FnMut() -> bool) -> bool {
    (0..2_000).any(|round| {
        if round > 100 {
            std::thread::sleep(core::time::Duration::from_micros(500));
        }
        std::thread::yield_now();
        f()
    })
}
