//! Orders of threads: who goes on at each access.

use crate::Threads;

/// Chooses who goes on.
pub trait Order: Send + 'static {
    /// One of `ready`; `last` had the turn before.
    fn next(&mut self, ready: Threads, last: usize) -> usize;
}

impl Order for Box<dyn Order> {
    fn next(&mut self, ready: Threads, last: usize) -> usize {
        (**self).next(ready, last)
    }
}

/// At each access one in `stay` goes to another thread, which the seed chooses.
#[derive(Debug)]
pub struct Walk {
    rng: fastrand::Rng,
    stay: usize,
}

impl Walk {
    /// With 1 every access chooses anew among all.
    #[must_use]
    pub fn new(seed: u64, stay: usize) -> Self {
        Self {
            rng: fastrand::Rng::with_seed(seed),
            stay: stay.max(1),
        }
    }
}

impl Order for Walk {
    fn next(&mut self, ready: Threads, last: usize) -> usize {
        if self.stay > 1 && ready.contains(last) && self.rng.usize(..self.stay) > 0 {
            return last;
        }
        ready.nth(self.rng.usize(..ready.len()))
    }
}

/// The thread of highest priority goes on; at a few accesses, drawn beforehand, the one that has the turn
/// falls below all others. A bug that needs `d` such changes is found with a known chance, however rare it is
/// under the system's own order.
///
/// Source: S. Burckhardt and others, "A randomized scheduler with probabilistic guarantees of finding bugs", 2010.
#[derive(Debug)]
pub struct Priorities {
    rng: fastrand::Rng,
    /// By thread; higher goes first.
    priority: [i64; Threads::MOST],
    /// The accesses at which the turn changes, the next one last.
    changes: Vec<u64>,
    step: u64,
    lowest: i64,
    /// Accesses in a row of the thread that has the turn.
    row: u64,
}

impl Priorities {
    /// A thread that goes on for so long waits for another.
    const PATIENCE: u64 = 2_000;

    /// With so many changes within the first `steps` accesses.
    #[must_use]
    pub fn new(seed: u64, changes: usize, steps: u64) -> Self {
        let mut rng = fastrand::Rng::with_seed(seed);
        let mut order: Vec<i64> = (1..).take(Threads::MOST).collect();
        rng.shuffle(&mut order);
        let mut priority = [0; Threads::MOST];
        priority.copy_from_slice(&order);
        let mut changes: Vec<u64> = (0..changes).map(|_| rng.u64(0..steps.max(1))).collect();
        changes.sort_unstable_by(|one, other| other.cmp(one));
        Self {
            rng,
            priority,
            changes,
            step: 0,
            lowest: 0,
            row: 0,
        }
    }

    fn fall(&mut self, thread: usize) {
        self.lowest -= 1;
        self.priority[thread] = self.lowest;
        self.row = 0;
    }
}

impl Order for Priorities {
    fn next(&mut self, ready: Threads, last: usize) -> usize {
        self.step += 1;
        self.row += 1;
        while self.changes.pop_if(|at| *at < self.step).is_some() {
            self.fall(last);
        }
        if self.row > Self::PATIENCE {
            // Drawn, so that two that wait for a third do not take turns with each other.
            self.fall(last);
            return ready.nth(self.rng.usize(..ready.len()));
        }
        let highest = ready.iter().max_by_key(|thread| self.priority[*thread]);
        highest.unwrap_or(last)
    }
}

/// Each access that more than one thread could make takes a byte; when there are no more, the thread
/// that has the turn keeps it while it can.
#[derive(Debug)]
pub struct Bytes(std::vec::IntoIter<u8>);

impl Bytes {
    /// The choices in order.
    #[must_use]
    pub fn new(bytes: Vec<u8>) -> Self {
        Self(bytes.into_iter())
    }
}

impl Order for Bytes {
    fn next(&mut self, ready: Threads, last: usize) -> usize {
        if ready.len() == 1 {
            return ready.nth(0);
        }
        match self.0.next() {
            // Half of the values stay, so that few bytes go a long way.
            Some(byte) if byte < 128 && ready.contains(last) => last,
            Some(byte) => ready.nth(usize::from(byte)),
            None if ready.contains(last) => last,
            None => ready.nth(0),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Bytes, Order, Priorities, Walk};
    use crate::Threads;

    fn order(mut order: impl Order, threads: usize, steps: usize) -> Vec<usize> {
        let all: Threads = (0..threads).collect();
        let mut last = 0;
        let step = |()| {
            last = order.next(all, last);
            last
        };
        core::iter::repeat_n((), steps).map(step).collect()
    }

    fn changes(order: &[usize]) -> usize {
        order.windows(2).filter(|pair| pair[0] != pair[1]).count()
    }

    #[test]
    fn a_seed_gives_one_order() {
        assert_eq!(
            order(Walk::new(3, 1), 4, 100),
            order(Walk::new(3, 1), 4, 100)
        );
        assert_ne!(
            order(Walk::new(3, 1), 4, 100),
            order(Walk::new(4, 1), 4, 100)
        );
        let priorities = |seed| order(Priorities::new(seed, 3, 100), 4, 100);
        assert_eq!(priorities(1), priorities(1));
        assert!((2..9).any(|seed| priorities(seed) != priorities(1)));
    }

    #[test]
    fn priorities_change_the_turn_at_most_so_often() {
        for seed in 0..50 {
            assert!(changes(&order(Priorities::new(seed, 2, 100), 3, 100)) <= 2);
        }
        assert!((0..50).any(|seed| changes(&order(Priorities::new(seed, 2, 100), 3, 100)) == 2));
    }

    #[test]
    fn a_walk_stays_now_and_then() {
        let (restless, calm) = (
            order(Walk::new(1, 1), 2, 1000),
            order(Walk::new(1, 20), 2, 1000),
        );
        assert!(changes(&restless) > 400 && (5..60).contains(&changes(&calm)));
    }

    #[test]
    fn a_thread_that_waits_for_another_gives_way() {
        let order = order(Priorities::new(1, 0, 1), 3, 100_000);
        assert!((0..3).all(|thread| order.contains(&thread)));
    }

    #[test]
    fn bytes_choose_and_then_nothing_changes() {
        assert_eq!(
            order(Bytes::new(vec![0, 129, 0, 128]), 2, 7),
            [0, 1, 1, 0, 0, 0, 0]
        );
    }
}
