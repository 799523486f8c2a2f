//! R1: a record is published complete, and its lease is handed on with what goes by its index.

use crate::reclaim::registry::Registry;
use loom::cell::UnsafeCell;
use loom::sync::Arc;
use loom::thread;

/// A registry, and what its records' holders keep by their indices. Loom checks the cells.
struct Shared {
    registry: Registry,
    cells: [UnsafeCell<u64>; 3],
}

// SAFETY: loom's cells check at run time what `Sync` promises: a race fails the model.
#[expect(unsafe_code, reason = "loom's cell is the checker of the race itself")]
unsafe impl Sync for Shared {}

impl Shared {
    fn new() -> Arc<Self> {
        Arc::new(Self {
            registry: Registry::new(),
            cells: core::array::from_fn(|_| UnsafeCell::new(0)),
        })
    }

    /// Adds one to what the holder of `index` keeps; what it was.
    fn add(&self, index: usize) -> u64 {
        self.cells[index].with_mut(|place| {
            // SAFETY: the caller holds the record; loom checks that.
            #[expect(unsafe_code, reason = "loom's cell hands out raw pointers")]
            let place = unsafe { &mut *place };
            *place += 1;
            *place - 1
        })
    }
}

#[test]
fn loom_r1_two_leases_at_once_are_of_different_records() {
    loom::model(|| {
        let shared = Shared::new();
        let other = {
            let shared = Arc::clone(&shared);
            thread::spawn(move || {
                let record = shared.registry.lease();
                assert_eq!(shared.add(record.index()), 0);
                record.index()
            })
        };
        let mine = shared.registry.lease();
        assert_eq!(shared.add(mine.index()), 0);
        let theirs = other.join().expect("the other lease does not panic");
        let mut both = [mine.index(), theirs];
        both.sort_unstable();
        assert_eq!(both, [0, 1], "small and different");
    });
}

#[test]
fn loom_r1_a_lease_is_handed_on_with_its_cells() {
    loom::model(|| {
        let shared = Shared::new();
        let hold = |shared: &Shared| {
            let record = shared.registry.lease();
            let leases_before = shared.add(record.index());
            assert_eq!(record.lease_number(), leases_before + 1);
            record.give_back();
        };
        let others: Vec<_> = (0..2)
            .map(|_| {
                let shared = Arc::clone(&shared);
                thread::spawn(move || hold(&shared))
            })
            .collect();
        hold(&shared);
        for other in others {
            other.join().expect("the others do not panic");
        }
        let record = shared.registry.lease();
        assert!(record.index() < 3, "no more records than threads");
        assert_eq!(record.lease_number(), shared.add(record.index()) + 1);
    });
}
