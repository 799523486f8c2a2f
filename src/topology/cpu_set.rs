//! Sets of CPU numbers, and the kernel's list format for them.
//!
//! ```text
//! list:   range { "," range }     range: number | number "-" number     "" is the empty set
//! words:  [ 63 .. 0 ][ 127 .. 64 ] ..      bit n of word w stands for CPU 64 w + n
//! ```
//!
//! # Invariants
//!
//! - **I1.** The last word is not zero, so equal sets are equal vectors.

use crate::error::TopologyError;
use core::fmt;
use core::str::FromStr;

/// A set of CPU numbers, or of NUMA node numbers, of any size up to [`LIMIT`](Self::LIMIT).
///
/// Text is the list format of Linux, as in `/sys/devices/system/cpu/online`: `0-3,8`. Order and
/// overlap of the ranges do not matter when it is read; it is written in ascending order.
///
/// *Cost*: one bit for each number up to the largest one. Membership is one load.
/// *Source*: the list format of `cpuset(7)`; libc's `cpu_set_t` ends at 1,023, this does not.
///
/// ```
/// use atomshard::topology::CpuSet;
///
/// let cpus: CpuSet = "8,0-3,1500".parse()?;
/// assert_eq!(cpus.len(), 6);
/// assert!(cpus.contains(1500) && !cpus.contains(4));
/// assert_eq!(cpus.to_string(), "0-3,8,1500");
/// # Ok::<(), atomshard::TopologyError>(())
/// ```
#[derive(Clone, Default, PartialEq, Eq, Hash)]
pub struct CpuSet {
    words: Vec<u64>,
}

/// Bits of a word.
const BITS: usize = 64;

impl CpuSet {
    /// One more than the largest number: 65,536.
    ///
    /// The largest kernels are built for 8,192 CPUs. The limit keeps a damaged text from taking
    /// memory without end.
    pub const LIMIT: usize = 1 << 16;

    /// The empty set. Allocates nothing.
    #[must_use]
    pub const fn new() -> Self {
        Self { words: Vec::new() }
    }

    /// Adds a number; says whether it was new.
    ///
    /// # Panics
    ///
    /// If `cpu` is not below [`LIMIT`](Self::LIMIT).
    pub fn insert(&mut self, cpu: usize) -> bool {
        assert!(cpu < Self::LIMIT, "CPU {cpu} is not below {}", Self::LIMIT);
        let (word, bit) = (cpu / BITS, 1 << (cpu % BITS));
        if self.words.len() <= word {
            self.words.resize(word + 1, 0);
        }
        let new = self.words[word] & bit == 0;
        self.words[word] |= bit;
        new
    }

    /// Takes a number out; says whether it was there.
    pub fn remove(&mut self, cpu: usize) -> bool {
        let present = self.contains(cpu);
        if present {
            self.words[cpu / BITS] &= !(1 << (cpu % BITS));
            self.trim();
        }
        present
    }

    /// Whether the number is in the set. Any number may be asked for.
    #[must_use]
    pub fn contains(&self, cpu: usize) -> bool {
        let word = self.words.get(cpu / BITS);
        word.is_some_and(|word| word >> (cpu % BITS) & 1 == 1)
    }

    /// How many numbers there are. *Cost*: one pass over the words.
    #[must_use]
    pub fn len(&self) -> usize {
        self.words
            .iter()
            .map(|word| word.count_ones() as usize)
            .sum()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.words.is_empty()
    }

    /// The numbers in ascending order.
    pub fn iter(&self) -> impl Iterator<Item = usize> + '_ {
        let bits = |(index, word): (usize, &u64)| {
            let word = *word;
            (0..BITS)
                .filter(move |bit| word >> bit & 1 == 1)
                .map(move |bit| index * BITS + bit)
        };
        self.words.iter().enumerate().flat_map(bits)
    }

    /// The numbers that are in both.
    #[must_use]
    pub fn intersection(&self, other: &Self) -> Self {
        let words = self.words.iter().zip(&other.words);
        Self::trimmed(words.map(|(ours, theirs)| ours & theirs).collect())
    }

    /// The numbers that are here and not in `other`.
    #[must_use]
    pub fn difference(&self, other: &Self) -> Self {
        let theirs = other.words.iter().chain(core::iter::repeat(&0));
        let words = self.words.iter().zip(theirs);
        Self::trimmed(words.map(|(ours, theirs)| ours & !theirs).collect())
    }

    /// Whether each number is in `other` too.
    #[must_use]
    pub fn is_subset(&self, other: &Self) -> bool {
        self.difference(other).is_empty()
    }

    /// The set as words: bit `n` of word `w` stands for `64 w + n`.
    pub(super) fn words(&self) -> &[u64] {
        &self.words
    }

    /// The set of these words.
    pub(super) fn trimmed(words: Vec<u64>) -> Self {
        let mut set = Self { words };
        set.trim();
        set
    }

    /// Restores I1.
    fn trim(&mut self) {
        while self.words.last() == Some(&0) {
            self.words.pop();
        }
    }
}

impl FromIterator<usize> for CpuSet {
    /// # Panics
    ///
    /// If a number is not below [`CpuSet::LIMIT`].
    fn from_iter<I: IntoIterator<Item = usize>>(numbers: I) -> Self {
        let mut set = Self::new();
        for number in numbers {
            set.insert(number);
        }
        set
    }
}

impl FromStr for CpuSet {
    type Err = TopologyError;

    /// # Errors
    ///
    /// If the text is not a list of numbers and ranges below [`CpuSet::LIMIT`].
    fn from_str(text: &str) -> Result<Self, TopologyError> {
        let mut set = Self::new();
        for (first, last) in ranges(text)? {
            for cpu in first..=last {
                set.insert(cpu);
            }
        }
        Ok(set)
    }
}

/// The ranges of a list, first and last number, in the order of the text. All are below the limit.
pub(super) fn ranges(text: &str) -> Result<Vec<(usize, usize)>, TopologyError> {
    let body = text.trim();
    let mut found = Vec::new();
    if body.is_empty() {
        return Ok(found);
    }
    let mut at = text.len() - text.trim_start().len();
    for part in body.split(',') {
        let (first, last) = match part.split_once('-') {
            None => (number(part, at)?, number(part, at)?),
            Some((first, last)) => (number(first, at)?, number(last, at + first.len() + 1)?),
        };
        if last < first {
            let expected = "a range whose end is not before its beginning";
            return Err(TopologyError::at(at, part, expected));
        }
        found.push((first, last));
        at += part.len() + 1;
    }
    Ok(found)
}

/// A number below the limit.
fn number(text: &str, at: usize) -> Result<usize, TopologyError> {
    let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let value = digits.then(|| text.parse().ok()).flatten();
    value.filter(|value| *value < CpuSet::LIMIT).ok_or_else(|| {
        let expected = format!("a number below {}", CpuSet::LIMIT);
        TopologyError::at(at, text, expected)
    })
}

impl fmt::Display for CpuSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_ranges(f, self.iter())
    }
}

/// Writes numbers in the kernel's list format, in their order: those that follow each other as a range.
pub(super) fn write_ranges(
    f: &mut fmt::Formatter<'_>,
    numbers: impl Iterator<Item = usize>,
) -> fmt::Result {
    let mut numbers = numbers.peekable();
    let mut separator = "";
    while let Some(first) = numbers.next() {
        let mut last = first;
        while let Some(next) = numbers.next_if(|next| last.checked_add(1) == Some(*next)) {
            last = next;
        }
        if first == last {
            write!(f, "{separator}{first}")?;
        } else {
            write!(f, "{separator}{first}-{last}")?;
        }
        separator = ",";
    }
    Ok(())
}

impl fmt::Debug for CpuSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "CpuSet({self})")
    }
}

#[cfg(test)]
mod tests {
    use super::CpuSet;

    fn set(text: &str) -> CpuSet {
        text.parse().expect("a list")
    }

    #[test]
    fn lists_are_read_and_written_as_the_kernel_does() {
        for (read, written) in [
            ("", ""),
            ("\n", ""),
            ("0\n", "0"),
            ("0-3,8", "0-3,8"),
            ("8,3-5,0-4", "0-5,8"),
            ("63-64", "63-64"),
            ("1,3,2", "1-3"),
            ("65535", "65535"),
        ] {
            assert_eq!(set(read).to_string(), written, "{read:?}");
        }
    }

    #[test]
    fn what_is_no_list_is_refused_with_its_place() {
        for (text, at, found) in [
            ("0-3,,8", 4, "\"\""),
            ("0-3,x", 4, "\"x\""),
            ("3-1", 0, "\"3-1\""),
            (" 0-", 3, "\"\""),
            ("65536", 0, "\"65536\""),
            ("+1", 0, "\"+1\""),
            ("0-99999999999999999999", 2, "\"99999999999999999999\""),
            ("0-15:2/4", 2, "\"15:2/4\""),
        ] {
            let error = text.parse::<CpuSet>().expect_err(text);
            assert_eq!((error.at, error.found.as_str()), (at, found), "{text:?}");
        }
    }

    #[test]
    fn equal_sets_are_equal_whatever_they_went_through() {
        let mut grown = set("0-3,1500");
        assert!(grown.remove(1500) && !grown.remove(1500) && !grown.remove(usize::MAX));
        assert_eq!(grown, set("0-3"));
        assert!(grown.insert(4) && !grown.insert(4));
        assert_eq!(grown.intersection(&set("2-200")), set("2-4"));
        assert_eq!(grown.difference(&set("2-200")), set("0-1"));
        assert_eq!(set("64").difference(&set("64")), CpuSet::new());
        assert!(set("1,3").is_subset(&grown) && !set("1,5").is_subset(&grown));
        assert!(!grown.contains(usize::MAX));
    }

    #[test]
    #[should_panic(expected = "CPU 65536 is not below 65536")]
    fn a_number_beyond_the_limit_is_a_fault_of_the_caller() {
        CpuSet::new().insert(65_536);
    }
}
