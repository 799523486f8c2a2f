//! What is asked of a map: a ratio to a rival, or a time.
use crate::contest::Tail;
use crate::engines::Entrant;
use core::fmt;

/// What is asked for.
#[derive(Clone, Copy, Debug)]
pub(super) struct Check {
    pub(super) ours: Entrant,
    pub(super) rival: Rival,
    pub(super) bar: f64,
}

/// Compared with what.
#[derive(Clone, Copy, Debug)]
pub(super) enum Rival {
    One(Entrant),
    /// The one of these with the highest median.
    Best(&'static [Entrant]),
    /// Ourselves, on the case's [`Twin`](super::cases::Twin).
    Twin,
    /// No rival: this part of our slowest operations takes at most the bar, in ns.
    Tail(Part),
    /// The same in times of the one of these with the fastest.
    BestTail(Part, &'static [Entrant]),
}

/// The operation that all but so few are faster than.
#[derive(Clone, Copy, Debug)]
pub(super) enum Part {
    P99,
    P999,
    P9999,
}

impl Part {
    pub(super) fn of(self, tail: &Tail) -> f64 {
        match self {
            Self::P99 => tail.p99,
            Self::P999 => tail.p999,
            Self::P9999 => tail.p9999,
        }
    }
}

impl fmt::Display for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::P99 => "p99",
            Self::P999 => "p99.9",
            Self::P9999 => "p99.99",
        })
    }
}

pub(super) const LOCKED: &[Entrant] = &[Entrant::Dashmap, Entrant::SccMap, Entrant::Mutex64];
pub(super) const RIVALS: &[Entrant] = &[
    Entrant::Papaya,
    Entrant::Dashmap,
    Entrant::SccMap,
    Entrant::Mutex64,
];
/// Those, and papaya with its pin held: what a map with its pin held must beat.
pub(super) const RIVALS_HELD: &[Entrant] = &[
    Entrant::Papaya,
    Entrant::PapayaHeld,
    Entrant::Dashmap,
    Entrant::SccMap,
    Entrant::Mutex64,
];

impl Check {
    pub(super) fn new(ours: Entrant, rival: Rival, bar: f64) -> Self {
        Self { ours, rival, bar }
    }

    /// Whether it compares with ourselves.
    pub(super) fn has_twin(&self) -> bool {
        matches!(self.rival, Rival::Twin)
    }

    /// In words.
    pub(super) fn words(&self) -> String {
        let (ours, bar) = (self.ours.label(), self.bar);
        match self.rival {
            Rival::One(rival) => format!("{ours} >= {bar}x {}", rival.label()),
            Rival::Best(LOCKED) => format!("{ours} >= {bar}x the best locked map"),
            Rival::Best(RIVALS) => format!("{ours} >= {bar}x the best rival"),
            Rival::Best(_) => format!("{ours} >= {bar}x the best rival, papaya's pin held too"),
            Rival::Twin => format!("{ours} >= {bar:.2}x its own rate"),
            Rival::Tail(part) => format!("{ours} {part} <= {bar} ns"),
            Rival::BestTail(part, _) => format!("{ours} {part} <= {bar}x the best rival's"),
        }
    }
}
