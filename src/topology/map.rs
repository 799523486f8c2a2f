//! A plan as the place of a map's shards, and where the map's memory came to lie.
//!
//! ```text
//! builder().placement(&plan)   Plan --> Place::node(shard) --> map: mbind of its tables
//! plan.verify_map(.., &map)    map --> Spans --> get_mempolicy of each table, move_pages of all pages
//! ```
//!
//! A map has more shards than most plans: its shard `i` is on the node of the plan's shard `i` modulo their number.

use super::CpuSet;
use super::apply::{not_planned, set_of};
use super::memory::{Memory, Pages, nodes_of};
use super::outcome::{Degradation, FoundMap, FoundPages, Outcome};
use super::plan::Plan;
use crate::shard::{Node, Part, Place, Span, Spans};
use crate::sys::Unavailable;
use crate::sys::placement::NODE_WORDS;
use std::collections::BTreeSet;

/// Threads are placed by their numbers, as by [`ByThread`](crate::shard::ByThread); shards prefer their nodes.
impl Place for Plan {
    fn node(&self, shard: usize) -> Option<Node> {
        self.node_of(shard).map(Node::Preferred)
    }
}

/// A plan whose shards lie on their nodes or nowhere: made by [`Plan::bound`].
#[derive(Clone, Copy, Debug)]
pub struct Bound<'p>(&'p Plan);

impl Place for Bound<'_> {
    fn node(&self, shard: usize) -> Option<Node> {
        self.0.node_of(shard).map(Node::Bound)
    }
}

impl Plan {
    /// The plan as a [`Place`] whose shards lie on their nodes or nowhere, as with [`Memory::Bind`]: **a full node means
    /// the OOM killer**. The plan by itself is as [`Memory::Preferred`].
    #[must_use]
    pub const fn bound(&self) -> Bound<'_> {
        Bound(self)
    }

    /// The node of a map's shard.
    fn node_of(&self, shard: usize) -> Option<usize> {
        let round = shard.checked_rem(self.shards.len())?;
        self.shards.get(round).copied()
    }

    /// Whether the memory of a map that was built with the plan as its placement is where the plan wants it. Changes nothing.
    ///
    /// Each shard's tables are to have the policy `memory` over its node, and their pages to lie there: with
    /// [`Memory::Preferred`] for a map that was built with the plan, [`Memory::Bind`] with [`bound`](Self::bound). Entries, which
    /// are half of the lines of a hit, lie where the thread that inserted them wrote first: their pages are counted by
    /// node, and misplaced only where no shard of the plan is.
    ///
    /// - *Consistency*: of the moment, and weak: what comes or goes meanwhile may be missing. Pages of
    ///   entries that were freed meanwhile count as untouched.
    /// - *Progress*: system calls. The map is pinned meanwhile, which holds up what it removes, and nobody else.
    /// - *Cost*: a line of the cache for each bucket and entry; for each table one system call and one for 512 of its
    ///   pages, for entries one for 512 pages. Allocates a few words for each page of entries.
    /// - *Errors*: none; what was refused or came out otherwise is [`Outcome::Degraded`]. The first
    ///   trouble is told, that of tables before that of entries. Its misplaced pages are those of all tables that were
    ///   to be on the same node.
    /// - *Source*: `get_mempolicy(2)`, `move_pages(2)`.
    ///
    /// ```
    /// use atomshard::ShardMap;
    /// use atomshard::topology::{Machine, Memory, Placement, Policy};
    ///
    /// let Ok(machine) = Machine::here() else { return };
    /// let plan = Placement::new(Policy::Spread).plan(&machine).unwrap();
    /// let map = ShardMap::builder().placement(&plan).build();
    /// std::thread::scope(|scope| {
    ///     for thread in 0..plan.threads().len() {
    ///         let (plan, map) = (&plan, &map);
    ///         scope.spawn(move || {
    ///             println!("thread {thread}: {}", plan.pin(thread));
    ///             map.pin().insert(thread, "near its thread");
    ///         });
    ///     }
    /// });
    /// let outcome = plan.verify_map(Memory::Preferred, &map);
    /// println!("{outcome}; entries by node: {:?}", outcome.found().entries.nodes);
    /// ```
    pub fn verify_map(&self, memory: Memory, map: &impl Spans) -> Outcome<FoundMap> {
        let mut found = FoundMap::default();
        if self.shards.is_empty() {
            let why = not_planned(0, &self.shards);
            return Outcome::of_memory(Some(why), found, memory);
        }
        let all = match set_of(&self.shards) {
            Ok(all) => all,
            Err(why) => return Outcome::of_memory(Some(why), found, memory),
        };
        let mut of_tables: Option<Degradation> = None;
        let mut entries = BTreeSet::new();
        map.each_span(&mut |span| {
            let pages = Pages::touched(span.start, span.bytes);
            match span.part {
                Part::Table => {
                    let (why, table) = self.read_table(memory, &all, span, &pages);
                    found.tables.add(table);
                    match (&mut of_tables, why) {
                        (Some(first), Some(why)) => first.add(&why),
                        (None, why) => of_tables = why,
                        (Some(_), None) => {}
                    }
                }
                Part::Entry => entries.extend(pages.addresses()),
            }
        });
        let entries: Vec<usize> = entries.into_iter().collect();
        let address = |page: usize| core::ptr::without_provenance(entries[page]);
        let (of_entries, asked) = nodes_of(entries.len(), address, &all);
        found.entries = of_entries;
        let refused = asked.err().map(Degradation::Refused);
        let of_entries = refused.or_else(|| found.entries.off_plan(&all));
        let (remedy, why) = match (of_tables, of_entries) {
            (Some(why), _) => (why.remedy_for_table(memory), why),
            (None, Some(why)) => (why.remedy_for_entries(), why),
            (None, None) => return Outcome::Applied { found },
        };
        Outcome::Degraded { why, remedy, found }
    }

    /// What the kernel says of a table. One that serves all shards may be on any of their nodes.
    fn read_table(
        &self,
        memory: Memory,
        all: &CpuSet,
        span: &Span,
        pages: &Pages,
    ) -> (Option<Degradation>, FoundPages) {
        let node = span.shard.filter(|_| !memory.is_spread());
        let node = node.and_then(|shard| self.node_of(shard));
        let planned = node.map_or_else(|| all.clone(), |node| [node].into_iter().collect());
        let refused = span.refused.map(|errno| Unavailable {
            reason: "mbind was refused",
            errno: Some(errno),
        });
        let (why, found) = pages.read(memory, &planned, refused.map_or(Ok(()), Err));
        // The map made no call for such a node, so the policy is another one, and no error number says why.
        let above = node.filter(|node| *node >= NODE_WORDS * 64);
        let above = above.map(|number| Degradation::NoSuchNumber { number });
        (above.or(why), found)
    }
}
