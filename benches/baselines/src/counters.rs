//! Counters whose cells lie 8, 64, 128 or 256 bytes apart, and one with one cell.

use crate::atomic::{AtomicU64, HasLayout, Ordering, layout, note_objects, note_read};

/// A cell, and with it the distance to the next.
pub trait Distance: Default + HasLayout {
    /// The cell.
    fn cell(&self) -> &Cell;
}

/// One number.
#[derive(Debug, Default)]
pub struct Cell(AtomicU64);

impl Cell {
    #[inline]
    fn add(&self, delta: u64) {
        // ORD: Relaxed — a count publishes nothing.
        self.0.fetch_add(delta, Ordering::Relaxed);
    }

    fn value(&self) -> u64 {
        // ORD: Relaxed — as in add; exact once the adding threads are joined.
        self.0.load(Ordering::Relaxed)
    }
}

/// A cell beside the next.
#[derive(Debug, Default)]
pub struct Pad0 {
    count: Cell,
}
layout!(Pad0: count);

/// A cell in 64 bytes of its own.
#[derive(Debug, Default)]
#[repr(align(64))]
pub struct Pad64 {
    count: Cell,
}
layout!(Pad64: count);

/// A cell in 128 bytes of its own.
#[derive(Debug, Default)]
#[repr(align(128))]
pub struct Pad128 {
    count: Cell,
}
layout!(Pad128: count);

/// A cell in 256 bytes of its own.
#[derive(Debug, Default)]
#[repr(align(256))]
pub struct Pad256 {
    count: Cell,
}
layout!(Pad256: count);

impl Distance for Pad0 {
    #[inline]
    fn cell(&self) -> &Cell {
        &self.count
    }
}

impl Distance for Pad64 {
    #[inline]
    fn cell(&self) -> &Cell {
        &self.count
    }
}

impl Distance for Pad128 {
    #[inline]
    fn cell(&self) -> &Cell {
        &self.count
    }
}

impl Distance for Pad256 {
    #[inline]
    fn cell(&self) -> &Cell {
        &self.count
    }
}

/// A counter with a power of two of cells, chosen by the caller's place.
#[derive(Debug)]
pub struct Striped<D> {
    cells: Box<[D]>,
}
layout!(Striped<D>: cells; D);

impl<D: Distance> Striped<D> {
    /// As many cells, rounded up to a power of two, as `places`.
    #[must_use]
    pub fn new(places: usize) -> Self {
        let cells = 0..places.next_power_of_two();
        let cells: Box<[D]> = cells.map(|_| D::default()).collect();
        note_objects(cells.as_ptr(), cells.len());
        Self { cells }
    }

    /// Adds `delta` to the cell of `place`.
    #[inline]
    pub fn add(&self, place: usize, delta: u64) {
        note_objects(self, 1);
        note_read(&raw const self.cells);
        self.cells[place & (self.cells.len() - 1)].cell().add(delta);
    }

    /// The sum of the cells.
    #[must_use]
    pub fn sum(&self) -> u64 {
        note_objects(self, 1);
        note_read(&raw const self.cells);
        self.cells.iter().map(|cell| cell.cell().value()).sum()
    }
}

/// A counter with one cell.
#[derive(Debug, Default)]
pub struct SharedCounter {
    count: Cell,
}
layout!(SharedCounter: count);

impl SharedCounter {
    /// A counter at 0.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds `delta`.
    #[inline]
    pub fn add(&self, delta: u64) {
        note_objects(self, 1);
        self.count.add(delta);
    }

    /// The sum.
    #[must_use]
    pub fn sum(&self) -> u64 {
        note_objects(self, 1);
        self.count.value()
    }
}

#[cfg(test)]
mod tests {
    use super::{Distance, Pad0, Pad64, Pad128, Pad256, SharedCounter, Striped};
    use std::thread;

    fn counts<D: Distance + Sync + Send>(bytes: usize) {
        assert_eq!(size_of::<D>(), bytes);
        let counter = Striped::<D>::new(3);
        thread::scope(|scope| {
            for place in 0..4 {
                let counter = &counter;
                scope.spawn(move || (0..100).for_each(|_| counter.add(place, 2)));
            }
        });
        assert_eq!(counter.sum(), 800);
    }

    #[test]
    fn miri_counters_count() {
        counts::<Pad0>(8);
        counts::<Pad64>(64);
        counts::<Pad128>(128);
        counts::<Pad256>(256);
        let counter = SharedCounter::new();
        counter.add(3);
        assert_eq!(counter.sum(), 3);
    }
}
