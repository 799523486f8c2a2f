//! Memory for the tables of one size, of all shards, side by side.
//!
//! ```text
//! | header, lines of shard 0 | header, lines of shard 1 | ..  | header, lines of shard 31 |      32 places
//! ```
//!
//! The tables of a map are of one size, or of two while it doubles, which it does shard by shard, as they lie here. So a
//! map of some megabytes has huge pages, though each of its tables is far smaller than one; and when all tables of a size
//! are out of use, all their pages go back, those at the borders too. A place has one table at a time: who finds it taken
//! gets memory elsewhere ([`home`](super::home)).
//!
//! | size | memory of the arena | a place that is put back |
//! |---|---|---|
//! | up to 1: tables of less than 4 KiB | the allocator's, 6 to 96 KiB | is as it was, and made zero by who takes it next |
//! | 2 to 4 | there is none | |
//! | 5 to 13: tables of 32 KiB and more | pages, 1.5 to 376 MiB; from 4 MiB on huge ones | is zero: its pages have gone back |
//!
//! Invariants: I2 and I4 of the [parent module](super).

use super::directory::SHARDS;
use super::line::Line;
use super::store::{MIN_SIZE, Scale};
use crate::sync::{AtomicPtr, AtomicU64, MODEL, Ordering, never_split, unsync_load};
use crate::sys::pages;
use core::alloc::Layout;
use core::ptr::{NonNull, null_mut};

/// The last size whose arena is the allocator's. (Maps that Miri runs are small.)
const SMALL: i32 = if cfg!(miri) { -3 } else { 1 };
/// The first size whose tables are of 32 KiB and more, and lie in pages.
pub(super) const PAGED: i32 = if cfg!(miri) { -2 } else { 5 };
/// The last size that has an arena, of 376 MiB: of larger tables all but a tenth is in huge pages by itself.
const LAST: i32 = 13;
/// Arenas of more bytes ask for huge pages. Of smaller ones a TLB reaches all without, and half a huge page is much.
const HUGE_BYTES: usize = 2 * pages::HUGE_PAGE_BYTES;
/// Arenas of a map, of small tables and all.
const SMALL_ARENAS: usize = if MODEL { 0 } else { count(MIN_SIZE, SMALL) };
const ARENAS: usize = if MODEL || !pages::ARE_LAZY {
    SMALL_ARENAS
} else {
    SMALL_ARENAS + count(PAGED, LAST)
};

/// So many sizes.
const fn count(first: i32, last: i32) -> usize {
    (last + 1 - first).unsigned_abs() as usize
}

/// The arenas of a map, by the sizes of their tables. (There may be none.)
#[repr(transparent)]
pub(super) struct Arenas([Arena; ARENAS]);

impl Arenas {
    /// None that has memory.
    pub(super) fn new() -> Self {
        let mut sizes = (MIN_SIZE..=SMALL).chain(PAGED..=LAST);
        Self(core::array::from_fn(|_| {
            Arena::new(sizes.next().unwrap_or(LAST))
        }))
    }

    /// That of tables of this size, if they have one.
    pub(super) fn of(&self, size: i32) -> Option<&Arena> {
        let number = match size {
            ..=SMALL => count(MIN_SIZE, size - 1),
            PAGED.. => SMALL_ARENAS + count(PAGED, size - 1),
            _ => return None,
        };
        self.0.get(number)
    }
}

/// A place for a table of this size in each shard. Reserved when the first is taken.
pub(super) struct Arena {
    size: i32,
    start: AtomicPtr<u8>,
    taken: Taken,
}
never_split!(Arena: start, taken);

impl Arena {
    fn new(size: i32) -> Self {
        Self {
            size,
            start: AtomicPtr::new(null_mut()),
            taken: Taken::new(),
        }
    }

    /// Whether its memory is pages.
    pub(super) fn has_pages(&self) -> bool {
        self.size >= PAGED
    }

    /// Takes the place of a shard: where the table's header is to stand. `None` if it is taken or there is no memory. The place is zero, or as it was
    /// put back.
    pub(super) fn take(&self, shard: usize) -> Option<NonNull<u8>> {
        let start = self.start()?;
        // SAFETY: I4: the place of the shard is in the arena.
        self.taken
            .take(shard)
            .then(|| unsafe { start.add(bytes_before(shard, self.size)) })
    }

    /// Whether this is the place of a shard.
    pub(super) fn is_place(&self, shard: usize, memory: NonNull<u8>) -> bool {
        // ORD: Relaxed — an address to compare, which every place came with.
        let start = self.start.load(Ordering::Relaxed);
        !start.is_null() && start.wrapping_add(bytes_before(shard, self.size)) == memory.as_ptr()
    }

    /// Puts the place of a shard back. With the last one all pages go back.
    ///
    /// # Safety
    /// The caller has the place, and nobody writes to it any more. If it is pages, it is zero but for its header.
    pub(super) unsafe fn put(&self, shard: usize) {
        if !self.taken.put(shard) {
            return;
        }
        if let Some(start) = self.start().filter(|_| self.has_pages()) {
            // SAFETY: I2, I4: until `reopen` nobody has a place in the arena; look-ups may find zeros there.
            let _kept_if_refused = unsafe { pages::zero(start, bytes_before(SHARDS, self.size)) };
        }
        self.taken.reopen();
    }

    /// The memory, reserved if it was not.
    fn start(&self) -> Option<NonNull<u8>> {
        // ORD: Acquire — pairs with the AcqRel in reserve [W5]; sees memory that is zero.
        NonNull::new(self.start.load(Ordering::Acquire)).or_else(|| self.reserve())
    }

    #[cold]
    fn reserve(&self) -> Option<NonNull<u8>> {
        let new = self.allocate()?;
        // ORD: AcqRel — pairs with the Acquire in start [W5]; publishes memory that is zero, or sees another's.
        let swapped = self.start.compare_exchange(
            null_mut(),
            new.as_ptr(),
            Ordering::AcqRel,
            Ordering::Acquire,
        );
        swapped.map_or_else(
            |found| {
                // SAFETY: I4: allocated above; nobody else has seen it.
                unsafe { self.free(new) };
                NonNull::new(found)
            },
            |_| Some(new),
        )
    }

    fn layout(&self) -> Option<Layout> {
        Layout::from_size_align(bytes_before(SHARDS, self.size), align_of::<Line>()).ok()
    }

    fn allocate(&self) -> Option<NonNull<u8>> {
        let layout = self.layout()?;
        if !self.has_pages() {
            // SAFETY: I4: there is room for a header at least.
            NonNull::new(unsafe { std::alloc::alloc_zeroed(layout) })
        } else if layout.size() < HUGE_BYTES {
            pages::alloc_zeroed(layout.size())
        } else {
            pages::alloc_zeroed_huge(layout.size()).map(|(memory, _advice)| memory)
        }
    }

    /// # Safety
    /// It is from `allocate`, is freed once, and nobody uses it any more.
    unsafe fn free(&self, memory: NonNull<u8>) {
        match self.layout() {
            // SAFETY: the caller's contract; it came from the allocator with this layout.
            Some(layout) if !self.has_pages() => unsafe {
                std::alloc::dealloc(memory.as_ptr(), layout);
            },
            // SAFETY: the caller's contract; it was mapped with so many bytes.
            Some(layout) => unsafe { pages::free(memory, layout.size()) },
            None => {}
        }
    }
}

impl Drop for Arena {
    fn drop(&mut self) {
        if let Some(start) = NonNull::new(unsync_load(&mut self.start)) {
            // SAFETY: I2, I4: allocated in `reserve`; the map is gone, and with it who reads there.
            unsafe { self.free(start) };
        }
    }
}

/// Bytes of the places before that of a shard; of all, for the number of shards.
fn bytes_before(shard: usize, size: i32) -> usize {
    let lines = LINES_BEFORE[count(MIN_SIZE, size - 1)][shard];
    usize::try_from(lines).map_or(usize::MAX, |lines| lines.saturating_mul(size_of::<Line>()))
}

/// The same in lines, by sizes and shards.
static LINES_BEFORE: [[u64; SHARDS + 1]; count(MIN_SIZE, LAST)] = {
    let mut all = [[0; SHARDS + 1]; count(MIN_SIZE, LAST)];
    let mut size = MIN_SIZE;
    while size <= LAST {
        let before = &mut all[count(MIN_SIZE, size - 1)];
        let mut shard = 0;
        while shard < SHARDS {
            before[shard + 1] = before[shard] + 1 + Scale::of(shard).lines(size);
            shard += 1;
        }
        size += 1;
    }
    all
};

/// Which shards have their place: one bit for each, and one more while the pages of all go back.
struct Taken(AtomicU64);
never_split!(Taken: 0);

/// Pages go back; nobody takes a place.
const CLOSED: u64 = 1 << 63;
const _: () = assert!(SHARDS < 64, "a bit for each shard, and one more");

impl Taken {
    fn new() -> Self {
        Self(AtomicU64::new(0))
    }

    /// Takes a shard's place; says whether that was done.
    fn take(&self, shard: usize) -> bool {
        let bit = 1 << shard;
        // ORD: Relaxed — a hint for the exchange below.
        let mut taken = self.0.load(Ordering::Relaxed);
        while taken & (bit | CLOSED) == 0 {
            // ORD: Acquire — pairs with the AcqRel in put and the Release in reopen [W5]; sees that its last owner is done, and the zeros in pages.
            // ORD: Relaxed — on failure it is tried again.
            match self
                .0
                .compare_exchange(taken, taken | bit, Ordering::Acquire, Ordering::Relaxed)
            {
                Ok(_) => return true,
                Err(found) => taken = found,
            }
        }
        false
    }

    /// Gives a shard's place back. If nobody has one then, the caller has all until he calls [`reopen`](Self::reopen).
    fn put(&self, shard: usize) -> bool {
        // ORD: Relaxed — a hint for the exchange below.
        let mut taken = self.0.load(Ordering::Relaxed);
        loop {
            let others = taken & !(1 << shard);
            let left = if others == 0 { CLOSED } else { others };
            // ORD: AcqRel — pairs with the Acquire in take [W5]; publishes that the owner is done, and zeros in pages; the last one sees those of all.
            // ORD: Relaxed — on failure it is tried again.
            match self
                .0
                .compare_exchange(taken, left, Ordering::AcqRel, Ordering::Relaxed)
            {
                Ok(_) => return others == 0,
                Err(found) => taken = found,
            }
        }
    }

    /// Lets places be taken again.
    fn reopen(&self) {
        // ORD: Release — pairs with the Acquire in take [W5]; publishes that the pages are back.
        self.0.store(0, Ordering::Release);
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::{Arena, PAGED, SHARDS, bytes_before};
    use crate::table::pairs::{Scale, Table};
    use core::ptr::NonNull;
    use core::sync::atomic::{AtomicBool, Ordering};
    use std::thread;

    /// Writes a byte of a place that the test has.
    fn write(place: NonNull<u8>, offset: usize, byte: u8) {
        // SAFETY: I4: the test stays in the place.
        let at = unsafe { place.add(offset) };
        // SAFETY: I4: the test has the place.
        unsafe { at.write(byte) };
    }

    fn read(place: NonNull<u8>, offset: usize) -> u8 {
        // SAFETY: I4: the test stays in the place.
        let at = unsafe { place.add(offset) };
        // SAFETY: I4: the test has the place, which is initialised.
        unsafe { at.read() }
    }

    #[test]
    fn places_lie_side_by_side() {
        let arena = Arena::new(PAGED);
        let places: Vec<_> = (0..SHARDS).filter_map(|shard| arena.take(shard)).collect();
        assert_eq!(places.len(), SHARDS);
        for (shard, &place) in places.iter().enumerate() {
            let bytes = Table::at(place, Scale::of(shard), PAGED).bytes();
            assert_eq!(place.addr().get() % 64, 0);
            assert_eq!(
                bytes_before(shard + 1, PAGED) - bytes_before(shard, PAGED),
                bytes
            );
            assert_eq!((read(place, 0), read(place, bytes - 1)), (0, 0));
            write(place, 0, 0xa5);
            write(place, bytes - 1, 0xa5);
            assert!(arena.is_place(shard, place) && !arena.is_place(shard ^ 1, place));
        }
    }

    #[test]
    fn a_place_is_taken_once_and_the_last_one_gives_all_pages_back() {
        let arena = Arena::new(PAGED);
        let (one, other) = (arena.take(0).expect("free"), arena.take(1).expect("free"));
        assert_eq!((arena.take(0), arena.take(1)), (None, None));
        write(one, 0, 1);
        write(other, 0, 2);
        // SAFETY: the test has the place, and has written to its header only.
        unsafe { arena.put(0) };
        assert_eq!((read(one, 0), read(other, 0)), (1, 2), "another is in use");
        assert_eq!(arena.take(0), Some(one));
        // SAFETY: as above.
        unsafe { arena.put(1) };
        // SAFETY: as above.
        unsafe { arena.put(0) };
        let is_given_back = cfg!(all(target_os = "linux", not(miri)));
        assert_eq!(
            (read(one, 0), read(other, 0)),
            if is_given_back { (0, 0) } else { (1, 2) }
        );
        assert_eq!(arena.take(0), Some(one));
    }

    /// The first byte of a shard's place, and where its arena starts.
    fn first_byte(arena: &Arena, shard: usize) -> (u8, usize) {
        let place = arena.take(shard).expect("nobody else takes it");
        (
            read(place, 0),
            place.addr().get() - bytes_before(shard, PAGED),
        )
    }

    #[test]
    fn miri_w5_who_takes_the_first_places_at_once_find_one_arena() {
        let arena = Arena::new(PAGED);
        let (one, other) = thread::scope(|scope| {
            let one = scope.spawn(|| first_byte(&arena, 0));
            let other = scope.spawn(|| first_byte(&arena, 1));
            (one.join(), other.join())
        });
        let (one, other) = (one.expect("no panic"), other.expect("no panic"));
        assert_eq!((one.0, other), (0, one));
    }

    #[test]
    fn miri_w5_who_takes_a_place_later_finds_what_the_first_has_reserved() {
        let (arena, is_reserved) = (Arena::new(PAGED), AtomicBool::new(false));
        let later = || {
            // Relaxed: the arena itself has to see to it that its memory is seen.
            while !is_reserved.load(Ordering::Relaxed) {
                thread::yield_now();
            }
            first_byte(&arena, 1)
        };
        let (first, later) = thread::scope(|scope| {
            let later = scope.spawn(later);
            let first = first_byte(&arena, 0);
            is_reserved.store(true, Ordering::Relaxed);
            (first, later.join().expect("no panic"))
        });
        assert_eq!((first.0, later), (0, first));
    }
}

#[cfg(all(test, loom))]
mod w5 {
    use super::{AtomicU64, Ordering, Taken};
    use loom::sync::Arc;
    use loom::thread;

    /// An arena of two places in pages, with one word, which is to be zero when nobody has the place.
    struct Words(Taken, [AtomicU64; 2]);

    impl Words {
        /// Both places are taken, and used.
        fn new() -> Arc<Self> {
            let new = Self(Taken::new(), [7, 7].map(AtomicU64::new));
            assert!(new.0.take(0) && new.0.take(1));
            Arc::new(new)
        }

        /// Gives a place back as it is, but pages of all with the last one.
        fn put(&self, shard: usize) {
            if self.0.put(shard) {
                self.1
                    .iter()
                    .for_each(|word| word.store(0, Ordering::Relaxed));
                self.0.reopen();
            }
        }

        fn clear(&self, shard: usize) {
            self.1[shard].store(0, Ordering::Relaxed);
        }

        /// Uses a place if it is free.
        fn try_use(&self, shard: usize) -> bool {
            let is_taken = self.0.take(shard);
            if is_taken {
                assert_eq!(
                    self.1[shard].load(Ordering::Relaxed),
                    0,
                    "a place that is taken is zero"
                );
                self.1[shard].store(9, Ordering::Relaxed);
                assert_eq!(
                    self.1[shard].load(Ordering::Relaxed),
                    9,
                    "and stays its owner's"
                );
            }
            is_taken
        }
    }

    /// Who takes a place finds what its last owner has left there.
    #[test]
    fn loom_w5_a_place_is_taken_once_and_zero() {
        loom::model(|| {
            let words = Words::new();
            let other = {
                let words = Arc::clone(&words);
                thread::spawn(move || words.try_use(0))
            };
            words.clear(0);
            words.put(0);
            let mine = words.try_use(0);
            let theirs = other.join().expect("the other does not panic");
            assert!(!mine || !theirs, "taken twice");
        });
    }

    /// Pages go back when nobody has a place, and nobody takes one meanwhile.
    #[test]
    fn loom_w5_pages_go_back_when_nobody_has_a_place() {
        loom::model(|| {
            let words = Words::new();
            words.clear(1);
            words.put(1);
            let other = {
                let words = Arc::clone(&words);
                thread::spawn(move || words.try_use(1))
            };
            words.put(0);
            other.join().expect("the other does not panic");
        });
    }

    /// Who has the last place sees the others zero, and so does who takes one of them after him.
    #[test]
    fn loom_w5_the_last_one_passes_on_what_the_others_have_left() {
        loom::model(|| {
            let words = Words::new();
            let other = {
                let words = Arc::clone(&words);
                thread::spawn(move || {
                    words.clear(1);
                    if words.0.put(1) {
                        words.0.reopen();
                    }
                })
            };
            words.clear(0);
            if words.0.put(0) {
                words.0.reopen();
            }
            words.try_use(1);
            other.join().expect("the other does not panic");
        });
    }
}
