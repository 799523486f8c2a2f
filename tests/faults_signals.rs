//! A `get` inside a signal handler, at a high rate, on a thread that is using the same map.
//!
//! The handler meets the thread anywhere: between the load and the store of its pin, in the middle of
//! an insertion, of a move, of a batch that is freed. It pins, looks up and unpins. It must find every
//! key that is present throughout, read nothing that has been dropped, allocate nothing, and leave no
//! pin behind.
#![expect(unsafe_code, reason = "signals, and an allocator, are unsafe")]
#![cfg(all(unix, not(miri)))]

use atomshard::{Guard as _, ResizeMode, ShardMap};
use core::alloc::{GlobalAlloc, Layout};
use core::cell::Cell;
use core::sync::atomic::{AtomicBool, AtomicI64, AtomicUsize, Ordering};
use core::time::Duration;
use evidence::hashers::OneShard;
use evidence::watchdog::Watchdog;
use std::alloc::System;
use std::sync::OnceLock;
use std::thread;
use std::time::Instant;

/// The system's allocator; it notes what a handler asks for.
struct Noting;

thread_local! {
    static IN_HANDLER: Cell<bool> = const { Cell::new(false) };
    static IN_OPERATION: Cell<bool> = const { Cell::new(false) };
}

static ASKED: AtomicUsize = AtomicUsize::new(0);

// SAFETY: what it hands out comes from `System`, with the same layout.
unsafe impl GlobalAlloc for Noting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        ASKED.fetch_add(usize::from(IN_HANDLER.get()), Ordering::Relaxed);
        // SAFETY: the caller's contract is the one of `System`.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        ASKED.fetch_add(usize::from(IN_HANDLER.get()), Ordering::Relaxed);
        // SAFETY: the caller's contract is the one of `System`.
        unsafe { System.dealloc(block, layout) }
    }
}

#[global_allocator]
static NOTING: Noting = Noting;

/// Values made and not dropped.
static LIVE: AtomicI64 = AtomicI64::new(0);

/// A number that shows when it has been dropped.
struct Value {
    number: u64,
    complement: u64,
}

impl Value {
    fn new(number: u64) -> Self {
        LIVE.fetch_add(1, Ordering::Relaxed);
        Self {
            number,
            complement: !number,
        }
    }
}

impl Drop for Value {
    fn drop(&mut self) {
        LIVE.fetch_sub(1, Ordering::Relaxed);
        self.complement = core::hint::black_box(self.number);
    }
}

/// Keys that are present throughout; their values are the key modulo this.
const STABLE: u64 = 8;

static MAP: OnceLock<ShardMap<u64, Value, OneShard>> = OnceLock::new();
static HANDLED: AtomicUsize = AtomicUsize::new(0);
static HANDLED_INSIDE: AtomicUsize = AtomicUsize::new(0);
static MISSED: AtomicUsize = AtomicUsize::new(0);
static WRONG: AtomicUsize = AtomicUsize::new(0);

extern "C" fn look_up(_signal: libc::c_int) {
    IN_HANDLER.set(true);
    if let Some(map) = MAP.get() {
        for key in 0..STABLE {
            let pinned = map.pin();
            match pinned.get(&key) {
                None => MISSED.fetch_add(1, Ordering::Relaxed),
                Some(value) => {
                    let is_right =
                        value.complement == !value.number && value.number % STABLE == key;
                    WRONG.fetch_add(usize::from(!is_right), Ordering::Relaxed)
                }
            };
        }
    }
    HANDLED.fetch_add(1, Ordering::Relaxed);
    HANDLED_INSIDE.fetch_add(usize::from(IN_OPERATION.get()), Ordering::Relaxed);
    IN_HANDLER.set(false);
}

fn install() {
    // SAFETY: zero is a valid set of no signals and no flags.
    let mut action: libc::sigaction = unsafe { core::mem::zeroed() };
    action.sa_sigaction = look_up as extern "C" fn(libc::c_int) as libc::sighandler_t;
    action.sa_flags = libc::SA_RESTART;
    // SAFETY: the handler does what this test shows to be safe, and the action lives.
    let failed =
        unsafe { libc::sigaction(libc::SIGUSR1, &raw const action, core::ptr::null_mut()) };
    assert_eq!(failed, 0);
}

/// Every kind of operation, on the keys that the handler reads and on others.
fn work(map: &ShardMap<u64, Value, OneShard>, round: u64) {
    for key in 0..STABLE {
        map.pin().insert(key, Value::new(round * STABLE + key));
        map.pin().update(key, |old| Value::new(old.number + STABLE));
    }
    // Doublings and halvings.
    for key in STABLE..200 {
        map.pin().insert(key, Value::new(key));
        assert!(map.pin().get(&key).is_some());
    }
    let mut guard = map.guard();
    for key in STABLE..200 {
        assert!(map.remove(&key, &guard).is_some());
        guard.refresh();
    }
    guard.flush();
    drop(guard);
    assert_eq!(map.pin().iter().count() as u64, STABLE);
    drop(map.pin_owned());
    map.pin().shrink_to_fit();
}

/// Handlers to run at least.
const LEAST: usize = 2000;

#[test]
fn a_get_in_a_signal_handler_finds_what_is_there() {
    let _watchdog = Watchdog::new("faults_signals", Duration::from_secs(120));
    let map = MAP.get_or_init(|| {
        ShardMap::builder()
            .hasher(OneShard)
            .resize_mode(ResizeMode::Incremental(1))
            .build()
    });
    for key in 0..STABLE {
        map.pin().insert(key, Value::new(key));
    }
    install();
    let stop = AtomicBool::new(false);
    // SAFETY: asks for nothing but the thread's name.
    let victim = unsafe { libc::pthread_self() };
    thread::scope(|scope| {
        scope.spawn(|| {
            while !stop.load(Ordering::Relaxed) {
                let handled = HANDLED.load(Ordering::Relaxed);
                // SAFETY: the thread waits at the end of the scope, so it is alive.
                unsafe { libc::pthread_kill(victim, libc::SIGUSR1) };
                while HANDLED.load(Ordering::Relaxed) == handled && !stop.load(Ordering::Relaxed) {
                    core::hint::spin_loop();
                }
            }
        });
        // Another thread, so that grace periods have somebody to wait for.
        scope.spawn(|| {
            while !stop.load(Ordering::Relaxed) {
                assert!((0..STABLE).all(|key| map.pin().get(&key).is_some()));
                thread::yield_now();
            }
        });
        let start = Instant::now();
        let mut round = 1;
        while HANDLED.load(Ordering::Relaxed) < LEAST || start.elapsed() < Duration::from_secs(1) {
            IN_OPERATION.set(true);
            work(map, round);
            IN_OPERATION.set(false);
            round += 1;
        }
        stop.store(true, Ordering::Relaxed);
    });
    let count = |counter: &AtomicUsize| counter.load(Ordering::Relaxed);
    println!(
        "{} handlers, {} in operations",
        count(&HANDLED),
        count(&HANDLED_INSIDE)
    );
    assert!(count(&HANDLED_INSIDE) > LEAST / 2, "they met no operation");
    assert_eq!((count(&MISSED), count(&WRONG)), (0, 0), "missed, wrong");
    assert_eq!(count(&ASKED), 0, "a handler asked the allocator");
    // No pin is left: everything that was removed goes.
    for _ in 0..3 {
        map.guard().flush();
    }
    assert_eq!(LIVE.load(Ordering::Relaxed), STABLE.cast_signed());
}
