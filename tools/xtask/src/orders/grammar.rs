//! The grammar of an `ORD:` line.
//!
//! `ORD: <Ordering> — pairs with <what> in <fn> [<TAG>]; publishes <what>.` The acquiring end may say
//! `sees` instead, and a fence that orders a store before a load says `orders`. A line may name
//! several partners, each closed by its tags, and a word in brackets after the ordering: `Acquire
//! (failure)`. A site that belongs to several pairs has a line for each, or all tags in one. `Barrier` stands for an asymmetric barrier, which has no ordering argument.
//! `ORD: Relaxed — <reason>` is free text.

use regex::Regex;
use std::sync::LazyLock;

/// One partner of a site.
#[derive(Debug)]
pub(crate) struct End {
    pub(crate) tag: String,
    pub(crate) function: String,
}

/// One parsed `ORD:` line.
#[derive(Debug)]
pub(crate) struct Note {
    pub(crate) ordering: String,
    pub(crate) ends: Vec<End>,
    /// The verb `publishes`, `sees` or `orders`.
    pub(crate) verb: String,
    pub(crate) what: String,
}

impl Note {
    /// True when this end can publish.
    pub(crate) fn releases(&self) -> bool {
        ["Release", "AcqRel", "SeqCst", "Barrier"].contains(&self.ordering.as_str())
    }

    /// True when this end can see what was published.
    pub(crate) fn acquires(&self) -> bool {
        ["Acquire", "AcqRel", "SeqCst", "Barrier"].contains(&self.ordering.as_str())
    }
}

const SHAPE: &str = "ORD: <Ordering> — pairs with <what> in <fn> [<TAG>]; publishes <what>.";

static LINE: LazyLock<Regex> = LazyLock::new(|| {
    let text = r"^ORD:\s+(Acquire|Release|AcqRel|SeqCst|Barrier|Relaxed)(?:\s+\([^()]+\))?\s+[—–-]\s+(\S.*)$";
    Regex::new(text).expect("the pattern is a constant")
});
static BODY: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"^pairs with (.+?\]); (publishes|sees|orders) (.+)$")
        .expect("the pattern is a constant")
});
static TAG: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r"\[([^\[\]]*)\]").expect("the pattern is a constant"));
static FUNCTION: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"\bin (?:fn )?`?([A-Za-z_][A-Za-z0-9_]*(?:::[A-Za-z_][A-Za-z0-9_]*)*)`?(?:\(\))?`?\s*,?\s*$")
        .expect("the pattern is a constant")
});

/// Parses the joined text of one `ORD:` line.
pub(crate) fn parse(text: &str) -> Result<Note, String> {
    let wrong = || format!("the line does not read `{SHAPE}`");
    let parts = LINE.captures(text).ok_or_else(wrong)?;
    let ordering = parts[1].to_owned();
    if ordering == "Relaxed" {
        return Ok(Note {
            ordering,
            ends: Vec::new(),
            verb: String::new(),
            what: String::new(),
        });
    }
    let body = BODY.captures(&parts[2]).ok_or_else(wrong)?;
    let mut ends: Vec<End> = Vec::new();
    let mut from = 0;
    for found in TAG.captures_iter(&body[1]) {
        let (Some(whole), Some(tag)) = (found.get(0), found.get(1)) else {
            continue;
        };
        let before = &body[1][from..whole.start()];
        from = whole.end();
        let function = match (FUNCTION.captures(before), ends.last()) {
            (Some(name), _) => name[1].to_owned(),
            // `in insert [T1] [T2]`: the second tag stands behind the same function.
            (None, Some(last)) if before.trim_matches([' ', ',']).is_empty() => {
                last.function.clone()
            }
            _ => return Err(format!("no `in <fn>` before [{}]", tag.as_str())),
        };
        for tag in tag.as_str().split(',').map(str::trim) {
            if !is_tag(tag) {
                return Err(format!(
                    "[{tag}] is not a tag: capital letters, then digits"
                ));
            }
            ends.push(End {
                tag: tag.to_owned(),
                function: function.clone(),
            });
        }
    }
    if ends.is_empty() {
        return Err(wrong());
    }
    let stray = TAG.captures_iter(&body[3]).find(|found| is_tag(&found[1]));
    if let Some(stray) = stray {
        return Err(format!(
            "[{}] stands behind the verb, where nothing checks it: give it an ORD line of its own",
            &stray[1]
        ));
    }
    Ok(Note {
        ordering,
        ends,
        verb: body[2].to_owned(),
        what: body[3].trim_end_matches('.').to_owned(),
    })
}

/// Capital letters, then digits.
pub(crate) fn is_tag(text: &str) -> bool {
    let digits = text.trim_start_matches(|c: char| c.is_ascii_uppercase());
    digits.len() < text.len() && !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_partners_and_a_shared_function() {
        let text = "ORD: AcqRel — pairs with the Acquire in `Table::find` [T1, T2] and the \
                    Release in remove [T3]; publishes the entry.";
        let note = parse(text).expect("the line is well formed");
        let ends: Vec<_> = note
            .ends
            .iter()
            .map(|e| (e.tag.as_str(), e.function.as_str()))
            .collect();
        assert_eq!(
            ends,
            [
                ("T1", "Table::find"),
                ("T2", "Table::find"),
                ("T3", "remove")
            ]
        );
        assert_eq!(
            (note.verb.as_str(), note.what.as_str()),
            ("publishes", "the entry")
        );
        assert!(note.releases() && note.acquires());
    }

    #[test]
    fn the_seeing_end_and_a_word_in_brackets() {
        let text = "ORD: Acquire (failure) - pairs with the Release in install [C1]; sees it.";
        let note = parse(text).expect("the line is well formed");
        assert_eq!((note.verb.as_str(), note.what.as_str()), ("sees", "it"));
        assert!(!note.releases() && note.acquires());
    }

    #[test]
    fn broken_lines_say_what_is_missing() {
        let cases = [
            ("ORD: Acquire", "does not read"),
            (
                "ORD: Acquire — pairs with the store [T1]; publishes x.",
                "no `in <fn>` before [T1]",
            ),
            (
                "ORD: Acquire — pairs with the store in f [t1]; publishes x.",
                "[t1] is not a tag",
            ),
            (
                "ORD: Acquire — pairs with the store in f [T1].",
                "does not read",
            ),
            (
                "ORD: Acquire — pairs with the store in f [T1]; sees x. Also a claim [T2].",
                "[T2] stands behind the verb",
            ),
            (
                "ORD: Strong — pairs with the store in f [T1]; publishes x.",
                "does not read",
            ),
        ];
        for (text, part) in cases {
            let error = parse(text).expect_err(text);
            assert!(error.contains(part), "{text}: {error}");
        }
    }
}
