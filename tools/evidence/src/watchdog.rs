//! Ends the process, with a dump of its threads, when a test does not come to an end.
//!
//! A livelock or deadlock cannot be reported by the thread that is in it.

use core::fmt::Write as _;
use core::sync::atomic::{AtomicU64, Ordering};
use core::time::Duration;
use std::io::Write as _;
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::thread::JoinHandle;

/// Runs out if it is not dropped in time.
#[derive(Debug)]
pub struct Watchdog {
    disarm: Option<Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

/// Steps that the threads of a test have taken; the dump shows whether they still do.
pub static STEPS: AtomicU64 = AtomicU64::new(0);

/// Counts one step.
pub fn step() {
    STEPS.fetch_add(1, Ordering::Relaxed);
}

impl Watchdog {
    /// Aborts the process unless the value is dropped within `limit`.
    ///
    /// # Panics
    /// If there can be no further thread.
    #[must_use]
    pub fn new(test: &'static str, limit: Duration) -> Self {
        let (disarm, armed) = channel::<()>();
        let thread = std::thread::Builder::new()
            .name(String::from("watchdog"))
            .spawn(move || {
                if armed.recv_timeout(limit) == Err(RecvTimeoutError::Timeout) {
                    let before = STEPS.load(Ordering::Relaxed);
                    std::thread::sleep(Duration::from_millis(200));
                    let after = STEPS.load(Ordering::Relaxed);
                    let text = format!(
                        "{test}: not done after {limit:?}; steps {before}, and 200 ms later \
                         {after}\n{}",
                        threads()
                    );
                    // Not the captured output: nobody will be left to print that.
                    let _ = std::io::stderr().write_all(text.as_bytes());
                    std::process::abort();
                }
            })
            .expect("the watchdog thread starts");
        Self {
            disarm: Some(disarm),
            thread: Some(thread),
        }
    }
}

impl Drop for Watchdog {
    fn drop(&mut self) {
        self.disarm = None;
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// Name, state, processor time and place of waiting of each thread, where the system tells.
fn threads() -> String {
    let mut text = String::new();
    let Ok(tasks) = std::fs::read_dir("/proc/self/task") else {
        return String::from("(no list of threads on this system)\n");
    };
    for task in tasks.flatten() {
        let read = |file: &str| std::fs::read_to_string(task.path().join(file)).unwrap_or_default();
        let stat = read("stat");
        // After the name in brackets: state is field 3, user and system ticks 14 and 15.
        let fields: Vec<&str> = stat
            .rsplit(')')
            .next()
            .unwrap_or_default()
            .split_whitespace()
            .collect();
        let field = |i: usize| fields.get(i).copied().unwrap_or("?");
        let _ = writeln!(
            text,
            "thread {} {:<16} state {} ticks {}+{} waits in {}",
            task.file_name().display(),
            read("comm").trim(),
            field(0),
            field(11),
            field(12),
            read("wchan"),
        );
    }
    text
}
