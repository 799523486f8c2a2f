//! Keys and values of every type that can be one.
#![expect(unsafe_code, reason = "what pointers lead to is read")]
use atomshard::{Word, WordMap, WordSet};
use core::fmt::Debug;
use core::num::NonZero;

/// Takes different words through everything that stores them or gives them back, as keys and as values.
fn live<W: Word + Debug + PartialEq>(words: &[W]) {
    let map = WordMap::new();
    let value = |i: usize| words[(i + 1) % words.len()];
    for (i, &word) in words.iter().enumerate() {
        assert_eq!(map.get(word), None);
        assert_eq!(map.insert(word, word), None);
        assert_eq!(map.insert(word, value(i)), Some(word));
        assert_eq!(map.insert_if_absent(word, word), Err(value(i)));
    }
    assert_eq!(map.len(), words.len());
    let mut found = vec![None; words.len()];
    map.get_many(words, &mut found);
    for (i, &word) in words.iter().enumerate() {
        assert_eq!(map.get(word), Some(value(i)));
        assert_eq!(found[i], Some(value(i)));
        let entries = || map.iter().filter(|(key, _)| *key == word);
        assert!(entries().eq([(word, value(i))]), "{word:?} in {map:?}");
        assert_eq!(map.keys().filter(|key| *key == word).count(), 1);
        assert_eq!(map.values().filter(|value| *value == word).count(), 1);
    }
    for (i, &word) in words.iter().enumerate() {
        assert_eq!(map.compare_exchange(word, value(i), word), Ok(value(i)));
        assert_eq!(map.fetch_update(word, |_| None), Err(Some(word)));
    }
    assert_eq!(map, words.iter().map(|&word| (word, word)).collect());
    let set: WordSet<W> = map.keys().collect();
    for &word in words {
        assert!(!set.insert(word) && set.contains(word));
        assert!(set.remove(word) && !set.contains(word));
        assert_eq!(map.remove(word), Some(word));
        assert_eq!(map.remove(word), None);
    }
    assert!(map.is_empty() && set.is_empty());
}

/// The ends of an integer type, what lies around its middle, and its non-zero values.
macro_rules! integers {
    ($($type:ident)*) => {$({
        let ends = [$type::MIN, $type::MIN + 1, $type::MAX / 2, $type::MAX - 1, $type::MAX];
        live(&ends);
        live::<$type>(&[0, 1, 2]);
        live(&ends.map(NonZero::new));
        live(&[NonZero::<$type>::MIN, NonZero::<$type>::MAX, NonZero::new(3).expect("it is 3")]);
    })*};
}

#[test]
fn integers_and_those_that_are_not_zero() {
    integers!(u8 u16 u32 u64 usize i8 i16 i32 i64 isize);
    live(&(0..=u8::MAX).collect::<Vec<_>>());
    live(&(i8::MIN..=i8::MAX).collect::<Vec<_>>());
    live(&(0..64).map(|bit| 1_u64 << bit).collect::<Vec<_>>());
}

#[test]
fn truth_letters_and_nothing() {
    live(&[true, false]);
    live(&['\0', 'a', '\u{D7FF}', '\u{E000}', char::MAX]);
    live(&[()]);
}

#[test]
fn floats_are_their_bits() {
    live(&[1.5, -1.5, f64::INFINITY, f64::MIN_POSITIVE, f64::MAX]);
    live(&[1.5, -1.5, f32::NEG_INFINITY, f32::MIN_POSITIVE, f32::MAX]);

    let other_nan = f64::from_bits(f64::NAN.to_bits() ^ 1);
    assert!(other_nan.is_nan());
    let map = WordMap::new();
    for (key, value) in [
        (0.0, 'p'),
        (-0.0, 'm'),
        (f64::NAN, 'n'),
        (-f64::NAN, 'a'),
        (other_nan, 'o'),
    ] {
        assert_eq!(map.insert(key, value), None, "{key}");
    }
    assert_eq!(map.get(0.0), Some('p'));
    assert_eq!(map.get(-0.0), Some('m'));
    assert_eq!(map.get(f64::NAN), Some('n'));
    assert_eq!(map.get(-f64::NAN), Some('a'));
    assert_eq!(map.get(other_nan), Some('o'));
    let bits = |key: f64| map.keys().any(|found| found.to_bits() == key.to_bits());
    assert!([0.0, -0.0, f64::NAN, -f64::NAN, other_nan].map(bits) == [true; 5]);
    assert_eq!(map.remove(f64::NAN), Some('n'));
    assert_eq!(map.len(), 4);

    // As a value, too: its word is compared, and `==` of maps is that of the values.
    let map = WordMap::from([(1, f64::NAN)]);
    assert_eq!(
        map.compare_exchange(1, other_nan, 2.0).map_err(|_| ()),
        Err(())
    );
    assert!(map != map.clone());
    assert!(
        map.compare_exchange(1, f64::NAN, -0.0)
            .is_ok_and(f64::is_nan)
    );
    assert_eq!(map.compare_exchange(1, 0.0, 1.0), Err(Some(-0.0)));
    assert!(
        map == WordMap::from([(1, 0.0)]),
        "as numbers they are equal"
    );
}

#[test]
fn pointers_lead_to_what_they_led_to() {
    let numbers = [3_u16, 4, 5];
    let all = numbers.each_ref().map(core::ptr::from_ref);
    live(&all);
    live(&[all[0], core::ptr::null()]);
    live(&[all[0].cast::<[u8; 2]>().cast_mut(), core::ptr::null_mut()]);
    let map: WordMap<*const u16, *const u16> = all.into_iter().map(|p| (p, p)).collect();
    for (key, value) in &map {
        // SAFETY: all of them are of the array, which is there and not written.
        let read = unsafe { *key };
        // SAFETY: as above.
        assert_eq!(read, unsafe { *value });
    }

    let boxed = Box::into_raw(Box::new(7_u64));
    let map = WordMap::from([('b', boxed)]);
    let back = map.remove('b').expect("it is there");
    // SAFETY: the box from above, which nobody has taken back.
    assert_eq!(*unsafe { Box::from_raw(back) }, 7);
}

#[derive(Clone, Copy, Debug, PartialEq)]
#[repr(transparent)]
struct Id(NonZero<u32>);

impl Word for Id {
    type Primitive = NonZero<u32>;
    fn into_primitive(self) -> NonZero<u32> {
        self.0
    }
    fn from_primitive(primitive: NonZero<u32>) -> Self {
        Self(primitive)
    }
}

/// A type that has not as many values as its primitive.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Colour {
    Red,
    Green,
    Blue,
}

impl Word for Colour {
    type Primitive = u8;
    fn into_primitive(self) -> u8 {
        match self {
            Self::Red => 10,
            Self::Green => 0,
            Self::Blue => 255,
        }
    }
    fn from_primitive(primitive: u8) -> Self {
        match primitive {
            10 => Self::Red,
            0 => Self::Green,
            255 => Self::Blue,
            _ => unreachable!("{primitive} is no colour"),
        }
    }
}

/// A type of eight bytes in two parts.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Place {
    line: u32,
    column: i32,
}

impl Word for Place {
    type Primitive = u64;
    fn into_primitive(self) -> u64 {
        u64::from(self.line) << 32 | u64::from(self.column.cast_unsigned())
    }
    fn from_primitive(primitive: u64) -> Self {
        let [line, column] = [primitive >> 32, primitive & u64::from(u32::MAX)]
            .map(|part| u32::try_from(part).expect("half of 64 bits"));
        Self {
            line,
            column: column.cast_signed(),
        }
    }
}

#[test]
fn types_of_ones_own() {
    live(&[NonZero::<u32>::MIN, NonZero::<u32>::MAX].map(Id));
    live(&[Colour::Red, Colour::Green, Colour::Blue]);
    let places = [(0, 0), (0, -1), (u32::MAX, 0), (u32::MAX, i32::MIN), (1, 1)];
    live(&places.map(|(line, column)| Place { line, column }));
}
