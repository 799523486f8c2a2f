//! What the model does not reach: wrapping, what is asked how often, sizes, settings, the standard traits.
use atomshard::{TryReserveError, WordMap, WordSet};
use core::hash::{BuildHasher as _, BuildHasherDefault};
use core::iter::FusedIterator;
use foldhash::fast::FixedState;
use std::collections::HashMap;
use std::hash::DefaultHasher;

fn squares(n: u64) -> WordMap<u64, u64> {
    (0..n).map(|x| (x, x * x)).collect()
}

#[test]
fn numbers_wrap_where_their_type_does() {
    macro_rules! wraps {
        ($($type:ident)*) => {$({
            let map = WordMap::from([(1, $type::MAX)]);
            assert_eq!(map.fetch_add(1, 2), Some($type::MAX));
            assert_eq!(map.get(1), Some($type::MIN + 1));
            assert_eq!(map.fetch_sub(1, 2), Some($type::MIN + 1));
            assert_eq!(map.get(1), Some($type::MAX));
            assert_eq!(map.fetch_min(1, $type::MIN), Some($type::MAX));
            assert_eq!(map.fetch_min(1, 5), Some($type::MIN));
            assert_eq!(map.fetch_max(1, 5), Some($type::MIN));
            assert_eq!(map.fetch_max(1, $type::MIN), Some(5));
            assert_eq!(map.get(1), Some(5));
            let absent = [
                map.fetch_add(2, 1),
                map.fetch_sub(2, 1),
                map.fetch_min(2, 1),
                map.fetch_max(2, 1),
            ];
            assert_eq!((absent, map.len()), ([None; 4], 1));
        })*};
    }
    wraps!(u8 u16 u32 u64 usize i8 i16 i32 i64 isize);
    let map = WordMap::from([(1, -1_i8)]);
    assert_eq!(map.fetch_max(1, -2), Some(-1));
    assert_eq!(map.fetch_min(1, 1), Some(-1), "signs count");
}

#[test]
fn closures_are_asked_about_what_is_there_and_no_oftener() {
    let map = squares(10);
    let mut asked = Vec::new();
    assert_eq!(map.get_or_insert_with(3, || unreachable!("it is there")), 9);
    assert_eq!(map.remove_if(20, |_| unreachable!("absent")), Ok(None));
    assert_eq!(map.fetch_update(20, |_| unreachable!("absent")), Err(None));
    assert_eq!(map.update_or_insert(20, |_| unreachable!("absent"), 1), 1);
    let kept = map.remove_if(4, |value| {
        asked.push(value);
        false
    });
    assert_eq!((kept, &asked[..]), (Err(16), &[16][..]));
    let changed = map.update_or_insert(
        4,
        |value| {
            asked.push(value);
            value + 1
        },
        0,
    );
    assert_eq!((changed, &asked[..]), (17, &[16, 16][..]));
    let mut seen = HashMap::new();
    map.retain(|key, value| seen.insert(key, value).is_none());
    assert_eq!(seen, map.iter().collect());
    assert_eq!(map.len(), 11, "each was asked about once");
}

#[test]
fn many_keys_are_as_many_operations_in_order() {
    for count in [0_u64, 1, 15, 16, 17, 31, 32, 33, 1000] {
        let map = WordMap::new();
        let set = WordSet::new();
        let keys: Vec<u64> = (0..count)
            .map(|n| n * 7 % count.div_ceil(2).max(1))
            .collect();
        let length = keys.len();
        let entries: Vec<_> = (0..).zip(&keys).map(|(n, &key)| (key, n)).collect();
        let (mut old, mut new) = (vec![Some(77); length], vec![false; length]);
        let mut model = HashMap::new();
        map.insert_many(&entries, &mut old);
        set.insert_many(&keys, &mut new);
        for (i, &(key, value)) in entries.iter().enumerate() {
            let replaced = model.insert(key, value);
            assert_eq!(
                (old[i], new[i]),
                (replaced, replaced.is_none()),
                "{i} of {count}"
            );
        }
        assert_eq!(
            map,
            model.iter().map(|(&key, &value)| (key, value)).collect()
        );

        let asked: Vec<u64> = keys.iter().map(|key| key * 2).collect();
        let (mut found, mut present) = (vec![Some(77); length], vec![true; length]);
        map.get_many(&asked, &mut found);
        map.contains_many(&asked, &mut present);
        let expected: Vec<_> = asked.iter().map(|key| model.get(key).copied()).collect();
        assert_eq!(found, expected);
        assert_eq!(
            present,
            expected.iter().map(Option::is_some).collect::<Vec<_>>()
        );
        set.contains_many(&asked, &mut present);
        assert_eq!(
            present,
            expected.iter().map(Option::is_some).collect::<Vec<_>>()
        );

        map.remove_many(&asked, &mut old);
        set.remove_many(&asked, &mut new);
        for (i, key) in asked.iter().enumerate() {
            let removed = model.remove(key);
            assert_eq!(
                (old[i], new[i]),
                (removed, removed.is_some()),
                "{i} of {count}"
            );
        }
        assert_eq!((map.len(), set.len()), (model.len(), model.len()));
    }
    // Keys of a map that has no table yet.
    let (mut found, mut present) = ([Some(7); 20], [true; 20]);
    WordMap::<u8, u8>::new().get_many(&[1; 20], &mut found);
    WordSet::<u8>::new().contains_many(&[1; 20], &mut present);
    assert_eq!((found, present), ([None; 20], [false; 20]));
    WordMap::<u8, u8>::new().remove_many(&[1; 20], &mut found);
    WordSet::<u8>::new().remove_many(&[1; 20], &mut present);
    assert_eq!((found, present), ([None; 20], [false; 20]));
}

#[test]
fn room_is_made_and_given_back() {
    for asked in [1, 10, 100, 10_000] {
        assert!(WordMap::<u64, u64>::with_capacity(asked).capacity() >= asked);
        assert!(WordSet::<u64>::with_capacity(asked).capacity() >= asked);
    }
    let map = squares(100);
    map.reserve(5_000);
    assert!(map.capacity() >= 5_100, "{}", map.capacity());
    assert_eq!(map, squares(100));
    let wide = map.capacity();
    map.shrink_to_fit();
    assert!(map.capacity() < wide / 5, "{} of {wide}", map.capacity());
    assert_eq!(map, squares(100));
    map.reserve(0);
    assert_eq!(map, squares(100));

    let set: WordSet<u64> = (0..20_000).collect();
    let full = set.capacity();
    set.clear();
    set.shrink_to_fit();
    assert!(set.capacity() < full / 10, "{} of {full}", set.capacity());
    set.reserve(20_000);
    assert!(set.capacity() >= 20_000);
    assert_eq!(set.try_reserve(30_000), Ok(()));
    assert!(set.capacity() >= 30_000);
    assert!((0..20_000).all(|key| set.insert(key)));

    // What was asked for at the beginning stays.
    let map = WordMap::<u64, u64>::with_capacity(5_000);
    map.insert(1, 1);
    map.shrink_to_fit();
    assert!(map.capacity() >= 5_000, "{}", map.capacity());
}

#[test]
fn too_much_room_is_refused_and_the_map_stays() {
    let map = squares(100);
    for entries in [usize::MAX, usize::MAX / 2, isize::MAX.cast_unsigned() / 8] {
        let error = map
            .try_reserve(entries)
            .expect_err("no machine has that much");
        assert!(!error.to_string().is_empty());
        assert!(WordSet::<u8>::new().try_reserve(entries).is_err());
    }
    let overflow = map.try_reserve(usize::MAX);
    assert!(
        matches!(
            overflow,
            Err(TryReserveError::CapacityOverflow {
                entries: usize::MAX
            })
        ),
        "{overflow:?}"
    );
    assert_eq!(map, squares(100));
    assert_eq!(map.insert(1000, 1), None);
    assert_eq!(map.len(), 101);
}

#[test]
#[should_panic(expected = "exceeds the address space")]
fn no_map_is_made_with_more_room_than_there_is() {
    drop(WordMap::<u64, u64>::with_capacity(usize::MAX));
}

#[test]
#[should_panic(expected = "exceeds the address space")]
fn no_set_is_built_with_more_room_than_there_is() {
    drop(WordSet::<u64>::builder().capacity(usize::MAX).build());
}

#[test]
#[should_panic(expected = "exceeds the address space")]
fn reserve_panics_where_try_reserve_reports() {
    WordSet::<u64>::new().reserve(usize::MAX);
}

#[test]
fn settings_can_be_read_back() {
    let hasher = FixedState::with_seed(7);
    let hash = |hasher: &FixedState| hasher.hash_one(1_u8);
    let map = WordMap::builder()
        .capacity(300)
        .hasher(hasher.clone())
        .build();
    map.insert(1_u8, 'a');
    assert!(map.capacity() >= 300);
    assert_eq!(hash(map.hasher()), hash(&hasher));
    assert_eq!(hash(map.clone().hasher()), hash(&hasher));
    let set = WordSet::<u8>::builder()
        .hasher(hasher.clone())
        .capacity(300)
        .build();
    assert!(set.capacity() >= 300);
    assert_eq!(hash(set.hasher()), hash(&hasher));
    assert_eq!(hash(set.clone().hasher()), hash(&hasher));
    let set = WordSet::<u8, _>::with_capacity_and_hasher(0, hasher.clone());
    assert_eq!((set.capacity(), hash(set.hasher())), (0, hash(&hasher)));
    assert!(format!("{:?}", WordMap::<u8, u8>::builder().capacity(5)).contains("capacity: 5"));
    assert!(format!("{:?}", WordSet::<u8>::builder().capacity(5)).contains("capacity: 5"));
}

#[test]
fn maps_of_different_hashers_are_equal_if_their_entries_are() {
    type Std = BuildHasherDefault<DefaultHasher>;
    let default: WordMap<u64, u64, Std> = squares(500).iter().collect();
    assert_eq!(
        default,
        squares(500).iter().collect::<WordMap<u64, u64, Std>>()
    );
    let one = WordMap::with_hasher(FixedState::with_seed(1));
    let two = WordMap::with_hasher(FixedState::with_seed(2));
    (&one).extend(&squares(500));
    (&two).extend(&squares(500));
    assert!(one.iter().ne(two.iter()), "the order is the hasher's");
    assert_eq!(one, two);
    two.fetch_add(499, 1);
    assert_ne!(one, two);
    two.remove(499);
    assert_ne!(one, two);
    two.insert(500, 499 * 499);
    assert_ne!(one, two, "as many entries, and another key");
    let set = WordSet::from([1, 2, 3]);
    assert_eq!(set, [3, 2, 1, 3].into_iter().collect());
    assert_ne!(set, WordSet::from([1, 2, 4]));
    assert_ne!(set, WordSet::from([1, 2]));
}

#[test]
fn the_standard_traits() {
    let mut map = WordMap::<u8, char>::default();
    assert_eq!(format!("{map:?}"), "{}");
    map.extend([(1, 'a'), (2, 'b'), (1, 'c')]);
    let text = format!("{map:?}");
    assert!(
        text == "{1: 'c', 2: 'b'}" || text == "{2: 'b', 1: 'c'}",
        "{text}"
    );
    let copy = map.clone();
    map.insert(3, 'd');
    assert_eq!(copy, WordMap::from([(2, 'b'), (1, 'c')]));
    let mut set = WordSet::<u8>::default();
    assert_eq!(format!("{set:?}"), "{}");
    set.extend([1, 2, 1]);
    let text = format!("{set:?}");
    assert!(text == "{1, 2}" || text == "{2, 1}", "{text}");
    let copy = set.clone();
    set.remove(1);
    assert_eq!(copy, WordSet::from([1, 2]));
    let mut seen = Vec::new();
    copy.for_each(|key| seen.push(key));
    seen.extend(&copy);
    seen.sort_unstable();
    assert_eq!(seen, [1, 1, 2, 2]);
    copy.retain(|key| key == 2);
    assert_eq!(copy, set);

    fn ends<I: FusedIterator>(mut items: I) -> bool {
        items.by_ref().count() > 0 && items.next().is_none() && items.next().is_none()
    }
    assert!(ends(map.iter()) && ends(map.keys()) && ends(map.values()) && ends(set.iter()));
    assert!(map.iter().size_hint().0 <= map.len());
    assert_eq!(
        ["Iter", "Keys", "Values", "Iter"].map(String::from),
        [
            format!("{:?}", map.iter()),
            format!("{:?}", map.keys()),
            format!("{:?}", map.values()),
            format!("{:?}", set.iter()),
        ]
        .map(|text| text.split(' ').next().unwrap_or_default().to_owned())
    );
    assert!(WordMap::<u8, u8>::new().iter().next().is_none());
    assert!(WordSet::<u8>::new().is_empty());
}
