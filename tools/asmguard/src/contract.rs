//! What a probe may consist of, and how its code is held against that.

use crate::{Class, Code, Counts, Hit};
use core::fmt;
use std::collections::BTreeMap;

/// How many are allowed, both ends included.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bound {
    /// At least.
    pub min: usize,
    /// At most.
    pub max: usize,
}

impl Bound {
    /// This many, no more and no less.
    #[must_use]
    pub const fn exactly(count: usize) -> Self {
        Self {
            min: count,
            max: count,
        }
    }

    /// This many or fewer.
    #[must_use]
    pub const fn at_most(count: usize) -> Self {
        Self { min: 0, max: count }
    }

    const fn holds(self, count: usize) -> bool {
        self.min <= count && count <= self.max
    }
}

impl fmt::Display for Bound {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.min, self.max) {
            (min, max) if min == max => write!(f, "{min}"),
            (0, max) => write!(f, "at most {max}"),
            (min, usize::MAX) => write!(f, "at least {min}"),
            (min, max) => write!(f, "{min} to {max}"),
        }
    }
}

/// The classes that are allowed. A closed list: what it does not name is not allowed at all.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Allowed {
    /// The bound of each class.
    pub classes: BTreeMap<Class, Bound>,
}

impl Allowed {
    /// Exactly these.
    #[must_use]
    pub fn exactly(classes: &[(Class, usize)]) -> Self {
        let bounds = classes.iter();
        Self {
            classes: bounds
                .map(|(class, count)| (*class, Bound::exactly(*count)))
                .collect(),
        }
    }

    /// Also up to so many of these.
    #[must_use]
    pub fn and_at_most(mut self, class: Class, count: usize) -> Self {
        self.classes.insert(class, Bound::at_most(count));
        self
    }

    fn problems(&self, counts: &Counts) -> Vec<String> {
        let mut problems = Vec::new();
        for (class, bound) in &self.classes {
            let count = counts.get(class).copied().unwrap_or(0);
            if !bound.holds(count) {
                problems.push(format!("{class}: {count}, expected {bound}"));
            }
        }
        for (class, count) in counts {
            if !self.classes.contains_key(class) {
                problems.push(format!("{class}: {count}, expected none"));
            }
        }
        problems
    }
}

impl fmt::Display for Allowed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let named = self.classes.iter().map(|(class, bound)| {
            if *bound == Bound::exactly(1) {
                format!("1 {class}")
            } else {
                format!("{bound} {class}")
            }
        });
        let named: Vec<_> = named.collect();
        f.write_str(if named.is_empty() {
            "nothing that orders or touches memory"
        } else {
            return f.write_str(&named.join(", "));
        })
    }
}

/// All that is expected of a probe's code.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Expectation {
    /// Where it comes from: a row of the mapping table, or a rule with its place.
    pub origin: String,
    /// One of these must fit.
    pub alternatives: Vec<Allowed>,
    /// How many bytes each atomic access must have.
    pub width: Option<u8>,
    /// True when the plain loads and stores are the atomic access, so that the width is theirs too.
    pub plain: bool,
    /// How many there must be of each mnemonic, operands included as far as they are given.
    pub instructions: Vec<(String, Bound)>,
    /// Instructions that must stand directly one behind the other; written like the others.
    pub sequence: Vec<String>,
    /// Of these two classes, if both are there, the second stands behind the first.
    pub behind: Option<(Class, Class)>,
    /// What calls may go to; the end of a path.
    pub callees: Vec<String>,
    /// How many instructions there may be in all.
    pub length: Option<usize>,
}

impl Expectation {
    /// What is wrong with the code; nothing if the contract holds.
    #[must_use]
    pub fn check(&self, code: &Code, hits: &[Hit]) -> Vec<String> {
        let counts = count(hits);
        let tries = self.alternatives.iter().map(|all| all.problems(&counts));
        // Of several ways that all fail, the nearest says most.
        let mut problems = tries.min_by_key(Vec::len).unwrap_or_default();
        for hit in hits {
            let plain = self.plain && matches!(hit.class, Class::Load | Class::Store);
            let found = (hit.class.is_atomic() || plain, self.width, hit.width);
            if let (true, Some(expected), Some(width)) = found
                && expected != width
            {
                let class = hit.class;
                problems.push(format!("{class} of {width} bytes, expected {expected}"));
            }
            if let (Class::Call, Some(callee)) = (hit.class, &hit.callee)
                && !self
                    .callees
                    .iter()
                    .any(|end| named(callee).ends_with(&**end))
            {
                problems.push(format!("call of {callee}"));
            }
        }
        for (text, bound) in &self.instructions {
            let count = code.instructions().filter(|found| is(text, *found)).count();
            if !bound.holds(count) {
                problems.push(format!("`{text}`: {count}, expected {bound}"));
            }
        }
        let all: Vec<_> = code.instructions().collect();
        let in_row = |row: &[(&str, &str)]| {
            let mut pairs = row.iter().zip(&self.sequence);
            pairs.all(|(found, text)| is(text, *found))
        };
        if !self.sequence.is_empty() && !all.windows(self.sequence.len()).any(in_row) {
            problems.push(format!(
                "expected `{}` in a row",
                self.sequence.join("`, `")
            ));
        }
        if let Some((first, second)) = self.behind {
            let last = |class| hits.iter().rposition(|hit| hit.class == class);
            if let (Some(first_at), Some(second_at)) = (last(first), last(second))
                && second_at < first_at
            {
                problems.push(format!("{second} in front of {first}, expected behind it"));
            }
        }
        let length = all.len();
        if let Some(limit) = self.length
            && length > limit
        {
            problems.push(format!("{length} instructions, expected at most {limit}"));
        }
        problems
    }
}

/// A path without the types at its end, which only the v0 mangling spells out.
fn named(path: &str) -> &str {
    let mut depth = 0_usize;
    if path.ends_with('>') {
        for (at, character) in path.char_indices().rev() {
            match character {
                '>' => depth += 1,
                '<' => depth = depth.saturating_sub(1),
                _ => continue,
            }
            if depth == 0 {
                return path[..at].trim_end_matches("::");
            }
        }
    }
    path
}

/// True when the instruction begins with these words.
fn is(text: &str, (mnemonic, operands): (&str, &str)) -> bool {
    match text.strip_prefix(mnemonic) {
        Some("") => true,
        Some(rest) => rest
            .strip_prefix(' ')
            .is_some_and(|rest| operands.starts_with(rest)),
        None => false,
    }
}

/// How many hits there are in each class.
pub(crate) fn count(hits: &[Hit]) -> Counts {
    let mut counts = Counts::new();
    for hit in hits {
        *counts.entry(hit.class).or_default() += 1;
    }
    counts
}

#[cfg(test)]
mod tests {
    use super::{Allowed, Bound, Expectation, is, named};
    use crate::{Class, Code, Isa, classify};

    #[test]
    fn the_types_of_a_call_do_not_count() {
        for (path, name) in [
            (
                "<k::Map<u64, u64>>::get::<k::A<u64>>",
                "<k::Map<u64, u64>>::get",
            ),
            ("<impl k::Map<K,V>>::get", "<impl k::Map<K,V>>::get"),
            ("k::f", "k::f"),
        ] {
            assert_eq!(named(path), name);
        }
    }

    #[test]
    fn an_instruction_is_named_by_its_beginning() {
        assert!(is("pause", ("pause", "")));
        assert!(is(
            "lock cmpxchg16b",
            ("lock cmpxchg16b", "xmmword ptr [rdi]")
        ));
        assert!(is("prfm pldl1keep", ("prfm", "pldl1keep, [x0]")));
        assert!(!is("prfm pldl1keep", ("prfm", "pstl1keep, [x0]")));
        assert!(!is("ldp", ("ld", "p")));
    }

    #[test]
    fn a_sequence_has_nothing_in_between() {
        let problems = |lines: &[&str]| {
            let code = Code::parse("f", lines.iter().copied(), Isa::Aarch64).expect("code");
            let expected = Expectation {
                sequence: vec!["dmb ish".into(), "stp".into()],
                alternatives: vec![
                    Allowed::default()
                        .and_at_most(Class::Store, 1)
                        .and_at_most(Class::FullBarrier, 1),
                ],
                ..Expectation::default()
            };
            expected.check(&code, &classify(&code, Isa::Aarch64))
        };
        let (barrier, store) = ("dmb ish", "stp x2, x3, [x0]");
        assert!(problems(&["nop", barrier, store, "ret"]).is_empty());
        let said = ["expected `dmb ish`, `stp` in a row"];
        for lines in [&[store, barrier][..], &[barrier, "nop", store], &[store]] {
            assert_eq!(problems(lines), said, "{lines:?}");
        }
    }

    #[test]
    fn a_list_is_closed_and_a_bound_has_two_ends() {
        let code = ["ldr x0, [x0]", "ldr x1, [x1]", "bl k::f", "b k::g"];
        let code = Code::parse("f", code, Isa::Aarch64).expect("code");
        let hits = classify(&code, Isa::Aarch64);
        let mut expected = Expectation {
            alternatives: vec![Allowed::exactly(&[(Class::Load, 1)])],
            length: Some(3),
            ..Expectation::default()
        };
        let problems = [
            "load: 2, expected 1",
            "call: 2, expected none",
            "call of k::f",
            "call of k::g",
            "4 instructions, expected at most 3",
        ];
        assert_eq!(expected.check(&code, &hits), problems);
        expected.alternatives[0] = Allowed::default()
            .and_at_most(Class::Load, 2)
            .and_at_most(Class::Call, 2);
        expected.callees = vec!["::f".into(), "::g".into()];
        expected.instructions = vec![("ldr".into(), Bound { min: 3, max: 4 })];
        expected.length = None;
        assert_eq!(expected.check(&code, &hits), ["`ldr`: 2, expected 3 to 4"]);
    }
}
