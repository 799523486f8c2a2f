//! The names of probes: what a function is, said by its name.
//!
//! `<set>_<op>_<type>_<ordering>[_<failure ordering>]`, `<set>_fence_<ordering>`,
//! `<set>_fence_light`, `<set>_<item>`, `hot_<what>`.

use crate::GuardError;
use core::fmt;

/// Whose function a probe is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Set {
    /// The crate's own operation.
    Ours,
    /// The same operation of `core::sync::atomic`, to compare with.
    Core,
    /// A whole fast path.
    Hot,
}

/// A memory ordering.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names are those of the language")]
pub enum Order {
    Relaxed,
    Acquire,
    Release,
    AcqRel,
    SeqCst,
}

/// An atomic operation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names are those of the operations")]
pub enum Op {
    Load,
    Store,
    Swap,
    Add,
    Sub,
    And,
    Or,
    Xor,
    /// Compare-exchange.
    Cas,
    /// Compare-exchange that may fail for no reason.
    CasWeak,
}

/// One atomic access.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Access {
    /// What it does.
    pub op: Op,
    /// How many bytes it is wide.
    pub width: u8,
    /// Its ordering; of a compare-exchange that of success.
    pub order: Order,
    /// The ordering of a compare-exchange that fails.
    pub failure: Option<Order>,
}

/// What a probe does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Kind {
    /// An atomic access.
    Access(Access),
    /// A fence of this ordering.
    Fence(Order),
    /// A fence for the compiler alone.
    LightFence,
    /// Anything else; only a rule of its own can judge it.
    Item,
}

/// A probe: a function of the probes crate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Probe {
    /// Its whole name.
    pub name: String,
    /// Whose it is.
    pub set: Set,
    /// What it does.
    pub kind: Kind,
}

impl Order {
    /// Its name in a probe's name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Relaxed => "relaxed",
            Self::Acquire => "acquire",
            Self::Release => "release",
            Self::AcqRel => "acqrel",
            Self::SeqCst => "seqcst",
        }
    }

    fn parse(text: &str) -> Option<Self> {
        let all = [
            Self::Relaxed,
            Self::Acquire,
            Self::Release,
            Self::AcqRel,
            Self::SeqCst,
        ];
        all.into_iter().find(|order| order.name() == text)
    }

    /// True when it keeps what follows from moving up.
    #[must_use]
    pub const fn acquires(self) -> bool {
        matches!(self, Self::Acquire | Self::AcqRel | Self::SeqCst)
    }

    /// True when it keeps what comes before from moving down.
    #[must_use]
    pub const fn releases(self) -> bool {
        matches!(self, Self::Release | Self::AcqRel | Self::SeqCst)
    }
}

impl fmt::Display for Order {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl Op {
    const ALL: [(Self, &'static str); 10] = [
        (Self::Load, "load"),
        (Self::Store, "store"),
        (Self::Swap, "swap"),
        (Self::Add, "add"),
        (Self::Sub, "sub"),
        (Self::And, "and"),
        (Self::Or, "or"),
        (Self::Xor, "xor"),
        (Self::Cas, "cas"),
        (Self::CasWeak, "casweak"),
    ];

    /// Its name in a probe's name.
    #[must_use]
    pub fn name(self) -> &'static str {
        let found = Self::ALL.iter().find(|(op, _)| *op == self);
        found.map_or("", |(_, name)| name)
    }

    /// True of both compare-exchanges.
    #[must_use]
    pub const fn compares(self) -> bool {
        matches!(self, Self::Cas | Self::CasWeak)
    }

    /// True of the operations that read and write.
    #[must_use]
    pub const fn modifies(self) -> bool {
        !matches!(self, Self::Load | Self::Store)
    }

    /// True when the language has this operation with this ordering.
    const fn takes(self, order: Order) -> bool {
        match self {
            Self::Load => !matches!(order, Order::Release | Order::AcqRel),
            Self::Store => !matches!(order, Order::Acquire | Order::AcqRel),
            _ => true,
        }
    }
}

impl Probe {
    /// Reads a probe's name.
    ///
    /// # Errors
    /// When the name begins like that of an access and does not go on like one, or belongs to no set.
    pub fn parse(name: &str) -> Result<Self, GuardError> {
        let bad = |expected: String| GuardError::function(name, expected);
        let (set, rest) = name.split_once('_').unwrap_or((name, ""));
        let set = match set {
            "ours" => Set::Ours,
            "core" => Set::Core,
            "hot" => Set::Hot,
            _ => return Err(bad("a probe's name begins with ours_, core_ or hot_".into())),
        };
        let words: Vec<&str> = rest.split('_').collect();
        let op = Op::ALL.iter().find(|(_, name)| *name == words[0]);
        let kind = match (set, op, words.as_slice()) {
            (_, _, [""]) => return Err(bad(format!("what comes after `{name}`?"))),
            (Set::Hot, ..) => Kind::Item,
            (_, Some((op, _)), _) => Kind::Access(access(*op, &words[1..]).map_err(bad)?),
            (_, None, ["fence", "light"]) => Kind::LightFence,
            (_, None, ["fence", order]) => match Order::parse(order) {
                Some(Order::Relaxed) => return Err(bad("a fence is never relaxed".into())),
                Some(order) => Kind::Fence(order),
                None => Kind::Item,
            },
            _ => Kind::Item,
        };
        let name = name.to_owned();
        Ok(Self { name, set, kind })
    }

    /// The probe of `core` that does the same as this one of ours.
    #[must_use]
    pub fn twin(&self) -> Option<String> {
        let rest = self.name.strip_prefix("ours_")?;
        Some(format!("core_{rest}"))
    }
}

fn access(op: Op, words: &[&str]) -> Result<Access, String> {
    let (width, orders) = match words {
        ["u8", orders @ ..] => (1, orders),
        ["u32", orders @ ..] => (4, orders),
        ["u64" | "ptr", orders @ ..] => (8, orders),
        ["u128", orders @ ..] => (16, orders),
        _ => return Err("expected u8, u32, u64, u128 or ptr after the operation".into()),
    };
    let parse = |text: &str| {
        let order = Order::parse(text);
        order
            .ok_or_else(|| format!("`{text}` is none of relaxed, acquire, release, acqrel, seqcst"))
    };
    let (order, failure) = match (orders, op.compares()) {
        ([order], false) => (parse(order)?, None),
        ([order, failure], true) => (parse(order)?, Some(parse(failure)?)),
        (_, true) => return Err("a compare-exchange names two orderings".into()),
        (_, false) => return Err("expected one ordering".into()),
    };
    if !op.takes(order) || failure.is_some_and(|order| !Op::Load.takes(order)) {
        return Err(format!("there is no {} of this ordering", op.name()));
    }
    Ok(Access {
        op,
        width,
        order,
        failure,
    })
}

/// Makes sure that no name is the beginning of another: tools that list functions take a name as a
/// filter, and would find both.
///
/// # Errors
/// Names the first pair.
pub fn distinct<'a, N: IntoIterator<Item = &'a str>>(names: N) -> Result<(), GuardError> {
    let mut names: Vec<&str> = names.into_iter().collect();
    names.sort_unstable();
    for pair in names.windows(2) {
        // Sorted, what begins with a name comes directly behind it.
        if pair[1].starts_with(pair[0]) {
            let what = format!("is the beginning of `{}`; rename one", pair[1]);
            return Err(GuardError::function(pair[0], what));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::{Kind, Op, Order, Probe, Set, distinct};

    #[test]
    fn a_name_says_what_is_asked() {
        let probe = Probe::parse("ours_casweak_ptr_acqrel_relaxed").expect("a good name");
        assert_eq!(probe.set, Set::Ours);
        let Kind::Access(access) = probe.kind else {
            panic!("it is an access");
        };
        assert_eq!((access.op, access.width), (Op::CasWeak, 8));
        assert_eq!(
            (access.order, access.failure),
            (Order::AcqRel, Some(Order::Relaxed))
        );
        let kind = |name| Probe::parse(name).expect("a good name").kind;
        assert_eq!(kind("core_fence_seqcst"), Kind::Fence(Order::SeqCst));
        assert_eq!(kind("ours_fence_light"), Kind::LightFence);
        assert_eq!(kind("ours_spin_hint"), Kind::Item);
        // A hot path may be called after an operation.
        assert_eq!(kind("hot_add_anything"), Kind::Item);
    }

    #[test]
    fn a_name_that_is_almost_one_is_refused() {
        for (name, said) in [
            ("ours_cas_u64_acqrel", "two orderings"),
            ("ours_load_u64_release", "no load of this ordering"),
            ("ours_cas_u64_acqrel_release", "no cas of this ordering"),
            ("ours_load_u16_relaxed", "expected u8"),
            ("ours_add_u8_strong", "`strong` is none of"),
            ("mine_add_u8_relaxed", "begins with ours_"),
            ("ours_fence_relaxed", "never relaxed"),
            ("ours", "what comes after"),
        ] {
            let error = Probe::parse(name).expect_err("a bad name").to_string();
            assert!(error.contains(said), "{name}: {error}");
        }
    }

    #[test]
    fn a_name_that_begins_another_is_found() {
        assert!(distinct(["ours_load", "ours_store"]).is_ok());
        let error = distinct(["q_ld_acq", "q_x", "q_ld"]).expect_err("a prefix");
        assert_eq!(
            error.to_string(),
            "q_ld: is the beginning of `q_ld_acq`; rename one"
        );
    }
}
