//! The maps of `atomshard verify`: built by the plan, filled by its threads, and asked where their pages lie.
//!
//! ```text
//! rows of a map   its tables, for each node that the plan has their shards on    planned: that node
//!                 its entries, which lie where the threads ran                   planned: the node of any shard
//! ```
use super::{PagesRow, trouble};
use atomshard::shard::{Node, Part, Place, Span, Spans};
use atomshard::topology::{Memory, Plan};
use atomshard::{ShardMap, WordMap};
use std::collections::BTreeSet;

/// Entries of each map: some pages of each of its tables.
const KEYS: usize = 20_000;

/// One of each kind.
pub(super) struct Maps {
    shards: ShardMap<usize, usize>,
    words: WordMap<usize, usize>,
}

impl Maps {
    /// Empty, and placed as the policy says: first-touch places nothing. Or why maps cannot be placed so.
    pub(super) fn of(plan: &Plan, memory: Memory) -> Result<Self, &'static str> {
        if plan.shards().is_empty() {
            return Err("the plan has no shard");
        }
        Ok(match memory {
            Memory::FirstTouch => Self {
                shards: ShardMap::new(),
                words: WordMap::new(),
            },
            Memory::Preferred => Self::placed(plan),
            Memory::Bind => Self::placed(&plan.bound()),
            _ => return Err("a map places whole shards, and this policy spreads the pages of one"),
        })
    }

    fn placed(place: &impl Place) -> Self {
        Self {
            shards: ShardMap::builder().placement(place).build(),
            words: WordMap::builder().placement(place).build(),
        }
    }

    /// Has the calling thread insert its part: every key that is its own of so many workers.
    pub(super) fn fill(&self, worker: usize, workers: usize) {
        let shards = self.shards.pin();
        for key in (worker..KEYS).step_by(workers) {
            shards.insert(key, !key);
            self.words.insert(key, !key);
        }
    }

    /// What is read back.
    pub(super) fn rows(&self, plan: &Plan, memory: Memory) -> Vec<PagesRow> {
        let mut rows = read("ShardMap", &self.shards, plan, memory);
        rows.extend(read("WordMap", &self.words, plan, memory));
        rows
    }
}

/// What is read back of a map, part by part, so that each part has its own trouble.
fn read(name: &str, map: &impl Spans, plan: &Plan, memory: Memory) -> Vec<PagesRow> {
    let part = |span: &Span| {
        let node = span.shard.and_then(|shard| plan.node(shard));
        (span.part == Part::Table).then(|| node.map(Node::number))
    };
    let mut nodes = BTreeSet::new();
    map.each_span(&mut |span| nodes.extend(part(span)));
    let tables = nodes.into_iter().map(Some);
    let rows = tables.chain([None]).map(|wanted| {
        let only = Only {
            map,
            keeps: |span: &Span| part(span) == wanted,
        };
        let outcome = plan.verify_map(memory, &only);
        let found = outcome.found();
        let (what, found) = match wanted {
            Some(_) => ("tables", &found.tables),
            None => ("entries", &found.entries),
        };
        PagesRow {
            what: format!("{name}, {what}"),
            planned: wanted
                .flatten()
                .map_or_else(|| "any of the plan's".to_owned(), |node| node.to_string()),
            found: found.clone(),
            trouble: trouble(&outcome),
        }
    });
    rows.collect()
}

/// A part of a map's memory.
struct Only<'m, M, F> {
    map: &'m M,
    keeps: F,
}

impl<M: Spans, F: Fn(&Span) -> bool> Spans for Only<'_, M, F> {
    fn each_span(&self, f: &mut dyn FnMut(&Span)) {
        self.map.each_span(&mut |span| {
            if (self.keeps)(span) {
                f(span);
            }
        });
    }
}
