//! One build for every weakening: in the copy, each site asks which ordering it is to use.
//!
//! The answer comes from the environment, once a process, so a mutant costs a run and no build. What
//! asks is made around the site's own text by insertions: without an answer the copy does what the crate does.

use super::mutations::Target;
use core::fmt::Write as _;

/// The variable that says `<site>:<ordering>`.
pub(super) const VARIABLE: &str = "ATOMSHARD_WEAKENED";

/// Numbers the sites from 1, as the copy does.
pub(super) fn number(at: usize) -> usize {
    at + 1
}

/// The text of a file with its sites asking. `targets` are all of the crate.
pub(super) fn asking(path: &str, text: &str, targets: &[Target]) -> String {
    let mut insertions: Vec<(usize, String)> = Vec::new();
    for (at, target) in targets
        .iter()
        .enumerate()
        .filter(|(_, target)| target.path == path)
    {
        let number = number(at);
        let before = if target.from.is_empty() {
            format!("crate::weakened::unless({number}, || ")
        } else {
            format!("crate::weakened::ordering({number}, ")
        };
        insertions.push((target.span.start, before));
        insertions.push((target.span.end, ")".to_owned()));
    }
    // Stable: nothing begins where something else ends.
    insertions.sort_by_key(|(at, _)| *at);
    let mut changed = String::with_capacity(text.len() + 64 * insertions.len());
    let mut from = 0;
    for (at, insertion) in insertions {
        // Writing to a String cannot fail.
        let _ = write!(changed, "{}{insertion}", &text[from..at]);
        from = at;
    }
    changed.push_str(&text[from..]);
    if path == "src/lib.rs" {
        changed.push_str(ANSWER);
    }
    changed
}

/// What the sites ask. The choice is read by relaxed accesses, so that asking orders nothing.
const ANSWER: &str = r#"
#[allow(missing_docs, clippy::all, clippy::pedantic, clippy::restriction)]
mod weakened {
    use core::sync::atomic::{AtomicUsize, Ordering};

    static CHOICE: AtomicUsize = AtomicUsize::new(0);

    #[cold]
    fn read() -> usize {
        let text = std::env::var("ATOMSHARD_WEAKENED").unwrap_or_default();
        let choice = match text.split_once(':') {
            None => usize::MAX,
            Some((site, to)) => {
                let orders = ["removed", "Relaxed", "Acquire", "Release", "AcqRel"];
                let order = orders.iter().position(|order| *order == to);
                site.parse::<usize>().expect("a site has a number") << 3
                    | order.expect("an ordering has a name")
            }
        };
        CHOICE.store(choice, Ordering::Relaxed);
        choice
    }

    #[inline(always)]
    fn choice() -> usize {
        match CHOICE.load(Ordering::Relaxed) {
            0 => read(),
            choice => choice,
        }
    }

    #[inline(always)]
    pub(crate) fn ordering(site: usize, from: Ordering) -> Ordering {
        let choice = choice();
        if choice >> 3 != site {
            return from;
        }
        match choice & 7 {
            1 => Ordering::Relaxed,
            2 => Ordering::Acquire,
            3 => Ordering::Release,
            4 => Ordering::AcqRel,
            _ => panic!("an ordering cannot be left out"),
        }
    }

    pub(crate) trait Nothing {
        fn nothing() -> Self;
    }
    impl Nothing for () {
        fn nothing() {}
    }
    impl<E> Nothing for Result<(), E> {
        fn nothing() -> Self {
            Ok(())
        }
    }

    #[inline(always)]
    pub(crate) fn unless<T: Nothing>(site: usize, barrier: impl FnOnce() -> T) -> T {
        if choice() == site << 3 { T::nothing() } else { barrier() }
    }
}
"#;

#[cfg(test)]
mod tests {
    use super::*;
    use core::ops::Range;
    use std::collections::BTreeSet;

    fn target(from: &str, span: Range<usize>) -> Target {
        Target {
            path: "src/cell.rs".to_owned(),
            line: 1,
            site: String::new(),
            from: from.to_owned(),
            to: &[],
            tags: BTreeSet::new(),
            span,
        }
    }

    #[test]
    fn a_barrier_and_its_ordering_both_ask() {
        let text = "/* é */ fence(SeqCst); a.load(Acquire);";
        let at = |what: &str| {
            let start = text.find(what).expect("it is there");
            start..start + what.len()
        };
        let targets = [
            target("", at("fence(SeqCst)")),
            target("SeqCst", at("SeqCst")),
            target("Acquire", at("Acquire")),
        ];
        assert_eq!(
            asking("src/cell.rs", text, &targets),
            "/* é */ crate::weakened::unless(1, || fence(crate::weakened::ordering(2, SeqCst))); \
             a.load(crate::weakened::ordering(3, Acquire));"
        );
        assert_eq!(asking("src/other.rs", text, &targets), text);
    }

    #[test]
    fn the_variable_is_the_one_that_is_read() {
        assert!(ANSWER.contains(&format!("\"{VARIABLE}\"")));
    }
}
