//! The target `sequential`: operations of one thread on a map or a set, each result compared with std's.
//!
//! - `input`: what the bytes say.
//! - `model`: std's map, and what iterators that are open must yield.
//! - `values`: what keys and values are, and what hashes them.
//! - `step`, `whole`: the operations on one key and on all.
//! - `sets`: the same operations on a set.
//!
//! References and iterators stay in use while the map changes, as long as their guard lives. Closures run
//! further operations, so that an operation finds the map changed where it is about to write.

mod input;
mod model;
mod sets;
mod step;
mod values;
mod whole;

pub use input::Input;

use crate::hashing::Hashing;
use atomshard::{Guard as _, LocalGuard, ShardMap};
use core::cell::{RefCell, RefMut};
use evidence::drops::{Ledger, TokenKey};
use input::{Op, Setting};
use model::{Model, Walk};
use std::sync::Arc;
use values::Value;

type Map = ShardMap<TokenKey, Value, Hashing>;

/// Runs an input.
///
/// # Panics
/// If the map, the set or a value is not what it must be.
pub fn run(input: &Input) {
    let ledger = Ledger::new(input.most_tokens());
    if input.setting.is_set {
        sets::run(input, &ledger);
    } else {
        run_map(input, &ledger);
    }
    ledger.assert_live(0);
}

fn run_map(input: &Input, ledger: &Arc<Ledger>) {
    let setting = &input.setting;
    let map = ShardMap::builder()
        .hasher(setting.hashing)
        .resize_mode(setting.mode)
        .capacity(setting.capacity)
        .build();
    let run = Run {
        map: &map,
        setting,
        ledger,
        model: RefCell::default(),
    };
    let mut ops = input.ops.iter();
    let mut guard = map.guard();
    while let Some(end) = Section::new(&run, &guard).steps(&mut ops) {
        match end {
            Op::Refresh => guard.refresh(),
            _ => guard = map.guard(),
        }
    }
    drop(guard);
    let model = run.model.into_inner();
    whole::end(map, &model, setting.end);
}

/// A map beside its model.
struct Run<'m> {
    map: &'m Map,
    setting: &'m Setting,
    ledger: &'m Arc<Ledger>,
    model: RefCell<Model>,
}

/// What happens under one guard.
struct Section<'g> {
    run: &'g Run<'g>,
    guard: &'g LocalGuard<'g>,
    /// Values that were in the map, and their numbers.
    held: RefCell<Vec<(&'g Value, u64)>>,
    walks: RefCell<Vec<Walk<'g>>>,
}

/// Operations between two looks at everything.
const BETWEEN_LOOKS: usize = 32;

impl<'g> Section<'g> {
    fn new(run: &'g Run<'g>, guard: &'g LocalGuard<'g>) -> Self {
        Self {
            run,
            guard,
            held: RefCell::default(),
            walks: RefCell::default(),
        }
    }

    /// Does operations until one ends the guard, which is returned, or there is none left.
    fn steps<'o>(self, ops: &mut core::slice::Iter<'o, Op>) -> Option<&'o Op> {
        let mut end = None;
        for (count, op) in ops.by_ref().enumerate() {
            if matches!(op, Op::Refresh | Op::Renew) {
                end = Some(op);
                break;
            }
            self.step(op);
            if count % BETWEEN_LOOKS == BETWEEN_LOOKS - 1 {
                self.compare();
            }
        }
        self.compare();
        for walk in self.walks.take() {
            walk.finish(&mut self.model());
        }
        for (value, number) in self.held.take() {
            assert_eq!(value.number(), number, "a value changed under its guard");
        }
        end
    }

    fn model(&self) -> RefMut<'_, Model> {
        self.run.model.borrow_mut()
    }

    fn key(&self, key: u64) -> TokenKey {
        TokenKey::new(key, self.run.ledger)
    }

    /// A new value for the key, and its number.
    fn value(&self, key: u64) -> (Value, u64) {
        let number = self.model().number(key);
        (Value::new(number, self.run.ledger), number)
    }
}
