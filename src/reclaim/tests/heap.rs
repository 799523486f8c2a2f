//! Chunks, which Miri would not see in the maps: there each object is an allocation of its own.

use crate::reclaim::bag::{Bag, MOST_BESIDE, Ripe, batch};
use crate::reclaim::heap::{Heap, KEPT, PILE, SLOT_ALIGN, slot};
use crate::reclaim::pile::Pile;
use core::ptr::NonNull;
use std::collections::BTreeSet;

type Chunked<T> = Heap<T, false>;

/// What an entry without key and value is.
struct Smallest(#[expect(dead_code, reason = "the size counts")] u64);
#[repr(align(64))]
struct Line(#[expect(dead_code, reason = "the size counts")] [u8; 65]);
#[repr(align(8192))]
struct Page(#[expect(dead_code, reason = "the size counts")] u8);
#[repr(align(128))]
struct WideAndLarge(#[expect(dead_code, reason = "the size counts")] [u8; 200 << 10]);
struct Huge(#[expect(dead_code, reason = "the size counts")] [u8; 3 << 20]);

fn take<T>(heap: &mut Chunked<T>) -> NonNull<T> {
    loop {
        if let Some(object) = heap.take() {
            return object;
        }
        assert!(heap.grow(), "there is memory");
    }
}

fn take_many<T>(heap: &mut Chunked<T>, count: usize) -> Vec<NonNull<T>> {
    (0..count).map(|_| take(heap)).collect()
}

/// Fills each object to its last byte, then looks whether all are as they were filled.
fn fill_and_check<T>(objects: &[NonNull<T>]) {
    let byte = |number: usize| u8::try_from(number % 251).expect("below 256");
    for (number, object) in objects.iter().enumerate() {
        assert_eq!(object.addr().get() % align_of::<T>().max(SLOT_ALIGN), 0);
        // SAFETY: the test took the object, which has this many bytes.
        unsafe { object.as_ptr().write_bytes(byte(number), 1) };
    }
    for (number, object) in objects.iter().enumerate() {
        for offset in [0, size_of::<T>() - 1] {
            // SAFETY: as above.
            let place = unsafe { object.as_ptr().cast::<u8>().add(offset) };
            // SAFETY: as above; written.
            let found = unsafe { place.read() };
            assert_eq!(found, byte(number), "object {number} overlaps another");
        }
    }
    let distinct: BTreeSet<_> = objects.iter().collect();
    assert_eq!(distinct.len(), objects.len());
}

fn sound<T>(count: usize) {
    let mut heap = Chunked::<T>::new();
    let objects = take_many(&mut heap, count);
    fill_and_check(&objects);
    let (held, first): (_, BTreeSet<_>) = (heap.held, objects.iter().copied().collect());
    for object in objects {
        assert!(heap.put(object).is_none(), "few enough to keep");
    }
    let again = take_many(&mut heap, count);
    fill_and_check(&again);
    assert_eq!(again.iter().copied().collect::<BTreeSet<_>>(), first);
    assert_eq!(heap.held, held, "no new chunk for what came back");
    for object in again {
        heap.put(object);
    }
    heap.trim(&mut Vec::new());
    assert_eq!((heap.held, heap.free.len()), (0, 0));
    fill_and_check(&take_many(&mut heap, 1));
}

#[test]
fn miri_objects_are_distinct_aligned_and_come_back() {
    // Several chunks of each; Miri takes long for those that look at all addresses in order.
    let chunks = if cfg!(miri) { 2 } else { 10 };
    sound::<Smallest>(chunks * 30);
    sound::<u8>(chunks * 30);
    sound::<[u64; 5]>(chunks * 6);
    sound::<Line>(chunks * 3);
}

#[test]
fn miri_objects_larger_than_a_chunk_and_aligned_beyond_a_page() {
    sound::<Page>(3);
    sound::<WideAndLarge>(3);
    sound::<Huge>(2);
}

/// Takes memory until two more chunks were made; the objects and what the heap held before.
fn two_chunks(heap: &mut Chunked<Smallest>) -> Vec<NonNull<Smallest>> {
    let mut objects = Vec::new();
    let (mut chunks, mut held) = (0, heap.held);
    while chunks < 3 {
        objects.push(take(heap));
        if heap.held != held {
            (chunks, held) = (chunks + 1, heap.held);
        }
    }
    objects
}

#[test]
fn miri_trim_frees_the_chunks_that_are_wholly_free_and_no_other() {
    let mut heap = Chunked::<Smallest>::new();
    // The last object is the only one of the third chunk.
    let mut objects = two_chunks(&mut heap);
    let chunk = heap.held / 3;
    let (first, last) = (objects.remove(0), objects.pop().expect("there are many"));
    let in_first = objects.len().div_ceil(2);
    for object in objects.drain(..) {
        heap.put(object);
    }
    heap.trim(&mut Vec::new());
    // The middle chunk was free to the last object.
    assert_eq!(heap.held, 2 * chunk);
    assert!(heap.free.len() >= in_first, "the rest is still handed out");
    fill_and_check(&[first, last]);
    heap.put(first);
    heap.trim(&mut Vec::new());
    assert_eq!(heap.held, chunk);
    heap.put(last);
    heap.trim(&mut Vec::new());
    assert_eq!((heap.held, heap.free.len()), (0, 0));
}

#[test]
fn miri_what_is_set_aside_is_not_handed_out_and_its_chunks_go() {
    let mut heap = Chunked::<Smallest>::new();
    let mut old = two_chunks(&mut heap);
    let before = heap.held;
    // One of each chunk is left, as where many have been freed.
    let kept: Vec<_> = [
        old.remove(0),
        old.remove(old.len() / 2),
        old.remove(old.len() - 1),
    ]
    .into();
    old.iter()
        .for_each(|&object| assert!(heap.put(object).is_none()));
    assert!(heap.trim(&mut Vec::new()).free >= old.len() && heap.held == before);
    heap.set_aside(&mut Vec::new());
    let new = take_many(&mut heap, 3);
    assert!(new.iter().all(|object| !old.contains(object)), "handed out");
    let with_new = heap.held;
    assert!(with_new > before, "from a chunk of their own");
    kept.into_iter()
        .for_each(|object| assert!(heap.put(object).is_none()));
    let trimmed = heap.trim(&mut Vec::new());
    assert_eq!(heap.held, with_new - before, "the old chunks are gone");
    assert_eq!(trimmed.all - trimmed.free, new.len());
    fill_and_check(&new);
}

/// A pile of these, which nobody uses.
fn piled<T>(objects: Vec<NonNull<T>>) -> Pile<T> {
    let mut pile = Pile::new();
    // SAFETY: the test took them from a heap.
    objects
        .into_iter()
        .for_each(|object| unsafe { pile.push(object) });
    pile
}

#[test]
fn miri_trim_counts_what_is_in_the_depot_and_leaves_what_is_anothers() {
    let (mut heap, mut other) = (Chunked::<Smallest>::new(), Chunked::new());
    let (mine, theirs) = (two_chunks(&mut heap), two_chunks(&mut other));
    let all: BTreeSet<_> = theirs.iter().copied().collect();
    let mut depot = [mine, theirs].map(piled).into();
    let trimmed = heap.trim(&mut depot);
    assert_eq!((trimmed.all, heap.held), (0, 0));
    let left: Vec<_> = depot.into_iter().flat_map(emptied).collect();
    assert_eq!(left.len(), all.len(), "neither lost nor there twice");
    assert_eq!(left.iter().copied().collect::<BTreeSet<_>>(), all);
    assert_ne!(other.held, 0);
    other.trim(&mut vec![piled(left)]);
    assert_eq!(other.held, 0);
}

#[test]
fn miri_adopted_memory_is_used_and_goes_with_the_adopter() {
    let (mut heap, mut other) = (Chunked::<Smallest>::new(), Chunked::new());
    let mine = two_chunks(&mut heap);
    let theirs = two_chunks(&mut other);
    let held = heap.held + other.held;
    heap.adopt_memory(&mut other);
    assert_eq!((heap.held, other.held), (held, 0));
    assert!(other.take().is_none(), "nothing is left to hand out twice");
    drop(other);
    // What was handed out before stays where it is.
    let mut all = mine;
    all.extend(theirs);
    all.extend(take_many(&mut heap, 40));
    fill_and_check(&all);
    for object in all {
        heap.put(object);
    }
    heap.trim(&mut Vec::new());
    assert_eq!(heap.held, 0, "all chunks were on the adopter's list");
}

#[test]
fn miri_a_heap_whose_memory_was_put_aside_and_adopted_begins_anew() {
    let (mut heap, mut other) = (Chunked::<Smallest>::new(), Chunked::new());
    two_chunks(&mut other);
    other.set_aside(&mut Vec::new());
    heap.adopt_memory(&mut other);
    take(&mut other);
    assert!((1..1024).contains(&other.held), "{} bytes", other.held);
}

#[test]
fn a_backlog_leaves_no_long_list() {
    let mut heap = Chunked::<Smallest>::new();
    let objects = take_many(&mut heap, 20 * KEPT);
    heap.free.extend(objects);
    let surplus = core::iter::from_fn(|| heap.surplus()).count();
    assert!(surplus >= 38 && heap.free.capacity() <= 4 * KEPT);
}

/// What is in a pile.
fn emptied<T>(mut pile: Pile<T>) -> Vec<NonNull<T>> {
    core::iter::from_fn(|| pile.pop()).collect()
}

#[test]
fn surplus_goes_and_half_of_what_is_kept_stays() {
    let mut heap = Chunked::<Smallest>::new();
    let objects = take_many(&mut heap, 2 * KEPT);
    let mut piles = Vec::new();
    for object in objects {
        piles.extend(heap.put(object));
    }
    let away: usize = piles.iter().map(Pile::len).sum();
    assert!(!piles.is_empty() && heap.free.len() <= KEPT);
    assert_eq!(away + heap.free.len(), 2 * KEPT, "none is lost");
    for pile in piles.drain(..) {
        heap.add(pile);
    }
    assert_eq!(heap.free.len(), 2 * KEPT);
    while let Some(pile) = heap.surplus() {
        assert_eq!(pile.len(), PILE);
        piles.push(pile);
    }
    assert!(heap.free.len() <= KEPT);
    let away = piles.drain(..).flat_map(emptied);
    let distinct: BTreeSet<_> = away.chain(heap.free.iter().copied()).collect();
    assert_eq!(distinct.len(), 2 * KEPT, "none is there twice");
}

#[test]
fn miri_garbage_is_adopted_with_its_grace() {
    let registry = super::registry::registry();
    let (mut heap, mut other) = (Chunked::<Smallest>::new(), Chunked::new());
    let pinned = registry.lease();
    pinned.enter();
    let object = take(&mut other);
    assert!(!other.retire(object), "one makes no batch");
    other.seal(|| unreachable!("neither full nor flushed"));
    other.is_flushed = true;
    other.seal(|| registry.grace().ok());
    let unsealed = take(&mut other);
    other.retire(unsealed);
    assert_eq!(heap.adopt_garbage(&mut other), 2);
    assert!(other.bags().iter().all(|bag| bag.len() == 0));
    assert!(heap.ripe().is_none(), "somebody is pinned");
    pinned.leave();
    let ripe = heap.ripe().expect("nobody is pinned");
    assert!(matches!(ripe, Ripe::Object(found) if found == object));
    assert!(heap.ripe().is_none(), "the other has no grace period yet");
    let left: Vec<_> = heap
        .bags()
        .into_iter()
        .flat_map(|bag| bag.objects)
        .collect();
    assert_eq!(left, [unsealed]);
}

#[test]
fn a_batch_is_full_by_number_or_by_bytes_and_has_eight_objects_at_least() {
    // An entry of two words, and the largest that numbers alone limit.
    for slot_bytes in [8, 24, 32] {
        assert_eq!(
            (batch(slot_bytes, false), batch(slot_bytes, true)),
            (512, 128)
        );
    }
    for (slot_bytes, objects) in [(40, 409), (128, 128), (136, 120), (1040, 15), (2048, 8)] {
        assert_eq!(batch(slot_bytes, false), objects, "{slot_bytes} bytes");
        assert_eq!(batch(slot_bytes, true), objects.min(128), "{slot_bytes}");
        assert!(objects * slot_bytes <= 16 << 10);
    }
    for slot_bytes in [2056, 16 << 10, 3 << 20, usize::MAX] {
        assert_eq!((batch(slot_bytes, false), batch(slot_bytes, true)), (8, 8));
    }
}

/// Retires objects until a collection is due; how many.
fn retire_until_due<T>(heap: &mut Chunked<T>) -> usize {
    (1..)
        .find(|_| {
            let object = take(heap);
            heap.retire(object)
        })
        .expect("a bag gets full")
}

#[test]
fn miri_large_objects_fill_a_bag_early() {
    let registry = super::registry::registry();
    let mut heap = Chunked::<[u64; 130]>::new();
    for _ in 0..2 {
        assert_eq!(retire_until_due(&mut heap), 15);
        heap.seal(|| registry.grace().ok());
        assert_eq!(
            (
                heap.has_ripe_objects(),
                heap.recycle(),
                heap.has_ripe_objects()
            ),
            (true, 15, false)
        );
        assert_eq!(heap.free.len(), 15);
    }
}

#[test]
fn a_bag_is_kept_if_it_fits_a_batch() {
    let is_spare = |capacity, batch| {
        let mut bag = Bag::<u64>::new();
        bag.objects.reserve_exact(capacity);
        bag.is_spare(batch)
    };
    assert!(is_spare(16, 15) && is_spare(128, 128) && is_spare(512, 512));
    assert!(!is_spare(8, 15) && !is_spare(64, 128), "very small");
    assert!(is_spare(1024, 8) && !is_spare(2048, 512), "very large");
}

#[test]
fn a_backlog_is_more_than_two_batches_of_whatever_size() {
    struct Large([u64; 512]);
    impl Drop for Large {
        fn drop(&mut self) {
            self.0[0] = 0;
        }
    }
    let registry = super::registry::registry();
    let mut heap = Chunked::<Large>::new();
    let pinned = registry.lease();
    pinned.enter();
    let retire = |heap: &mut Chunked<Large>, count| {
        for _ in 0..count {
            let object = take(heap);
            heap.retire(object);
        }
        heap.is_flushed = true;
        heap.seal(|| registry.grace().ok());
        heap.is_flushed = false;
    };
    retire(&mut heap, 8);
    assert_eq!(heap.pace(), 4, "one batch waits");
    retire(&mut heap, 1);
    assert_eq!(heap.pace(), usize::MAX, "two bags wait");
    pinned.leave();
    while heap.ripe().is_some() {}
    retire(&mut heap, 16);
    assert_eq!(heap.pace(), 4, "two batches in one bag");
    while heap.ripe().is_some() {}
    retire(&mut heap, 17);
    assert_eq!(heap.pace(), usize::MAX, "what a long guard left");
}

/// More than any address space that user programs have today.
#[cfg(target_pointer_width = "64")]
#[test]
#[cfg_attr(miri, ignore = "Miri ends where memory ends")]
fn memory_that_cannot_be_is_refused() {
    let mut heap = Chunked::<[u64; (1 << 44) - 1]>::new();
    assert_eq!(slot::<[u64; (1 << 44) - 1]>().size(), (1 << 47) - 8);
    assert!(!heap.grow());
    assert!(heap.take().is_none() && heap.held == 0);
}

#[test]
fn miri_much_that_is_no_object_does_not_wait() {
    let mut heap = Heap::<u64>::new();
    assert!(!heap.weigh(MOST_BESIDE - 1));
    assert!(!heap.is_flushed);
    assert!(heap.weigh(1) && heap.is_flushed);
    assert!(Heap::<u64>::new().weigh(usize::MAX));
}
