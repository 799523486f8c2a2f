//! What the witnesses say together.
//!
//! ```text
//! less than two speak                         inconclusive
//! some see lines move, some see them stay     inconclusive
//! all see them stay                           nothing is shared
//! all see them move, one of them falsely      false sharing
//! all see them move, one of them truly        true sharing
//! all see them move, and no more              inconclusive: which bytes, no clock and no counter tells
//! ```

use core::fmt;

/// What one witness says of the lines that an operation writes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lines {
    /// They stay where they are.
    Stay,
    /// They move from core to core.
    Move,
    /// They move, and threads use different bytes of them.
    MoveFalsely,
    /// They move because threads use the same bytes.
    MoveTruly,
}

/// A witness: what it says, or nothing; and its evidence in words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Witness {
    /// Its name.
    pub name: &'static str,
    /// What it says.
    pub lines: Option<Lines>,
    /// From what, or why it says nothing.
    pub evidence: String,
}

/// What all say together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Threads use different bytes of lines that move between them.
    FalseSharing,
    /// Threads use the same bytes.
    TrueSharing,
    /// Each thread keeps its lines.
    NothingShared,
    /// No verdict, and why.
    Inconclusive(String),
}

impl Verdict {
    /// Of these witnesses.
    #[must_use]
    pub fn of(witnesses: &[Witness]) -> Self {
        let spoken: Vec<_> = witnesses
            .iter()
            .filter_map(|witness| Some((witness.name, witness.lines?)))
            .collect();
        let names = |wanted: fn(Lines) -> bool| {
            let names = spoken.iter().filter(|(_, lines)| wanted(*lines));
            names.map(|(name, _)| *name).collect::<Vec<_>>()
        };
        let stay = names(|lines| lines == Lines::Stay);
        let moving = names(|lines| lines != Lines::Stay);
        let falsely = names(|lines| lines == Lines::MoveFalsely);
        let truly = names(|lines| lines == Lines::MoveTruly);
        if spoken.len() < 2 {
            let only = spoken
                .first()
                .map_or("no witness speaks".to_owned(), |(name, _)| {
                    format!("only the {name} speaks")
                });
            return Self::Inconclusive(only);
        }
        if !stay.is_empty() && !moving.is_empty() {
            let [moving, stay] = [moving, stay].map(|names| names.join(" and "));
            return Self::Inconclusive(format!("lines move by the {moving}, not by the {stay}"));
        }
        match (moving.is_empty(), falsely.is_empty(), truly.is_empty()) {
            (true, ..) => Self::NothingShared,
            (_, false, true) => Self::FalseSharing,
            (_, true, false) => Self::TrueSharing,
            (_, false, false) => {
                let [falsely, truly] = [falsely, truly].map(|names| names.join(" and "));
                Self::Inconclusive(format!("false by the {falsely}, true by the {truly}"))
            }
            (_, true, true) => {
                Self::Inconclusive("lines move; nobody tells whether for the same bytes".to_owned())
            }
        }
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::FalseSharing => f.write_str("false sharing"),
            Self::TrueSharing => f.write_str("true sharing"),
            Self::NothingShared => f.write_str("nothing shared"),
            Self::Inconclusive(why) => write!(f, "inconclusive: {why}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Lines, Verdict, Witness};

    fn verdict(said: [Option<Lines>; 3]) -> Verdict {
        let names = ["counters", "clock", "model"];
        let witnesses = [0, 1, 2].map(|i| Witness {
            name: names[i],
            lines: said[i],
            evidence: String::new(),
        });
        Verdict::of(&witnesses)
    }

    #[test]
    fn two_that_agree_are_enough_and_one_is_not() {
        use Lines::{MoveFalsely, MoveTruly, Stay};
        assert_eq!(
            verdict([None, Some(MoveFalsely), Some(MoveFalsely)]),
            Verdict::FalseSharing
        );
        assert_eq!(
            verdict([None, Some(Lines::Move), Some(MoveTruly)]),
            Verdict::TrueSharing
        );
        assert_eq!(
            verdict([None, Some(Stay), Some(Stay)]),
            Verdict::NothingShared
        );
        assert_eq!(
            verdict([None, None, Some(MoveFalsely)]).to_string(),
            "inconclusive: only the model speaks"
        );
        assert_eq!(
            verdict([None; 3]).to_string(),
            "inconclusive: no witness speaks"
        );
    }

    #[test]
    fn one_that_contradicts_is_enough_for_none() {
        use Lines::{MoveFalsely, MoveTruly, Stay};
        assert_eq!(
            verdict([Some(MoveFalsely), Some(MoveFalsely), Some(Stay)]).to_string(),
            "inconclusive: lines move by the counters and clock, not by the model"
        );
        assert_eq!(
            verdict([None, Some(MoveFalsely), Some(MoveTruly)]).to_string(),
            "inconclusive: false by the clock, true by the model"
        );
    }

    #[test]
    fn that_lines_move_is_not_yet_that_they_do_so_falsely() {
        assert_eq!(
            verdict([Some(Lines::Move), Some(Lines::Move), None]).to_string(),
            "inconclusive: lines move; nobody tells whether for the same bytes"
        );
    }
}
