//! What holds of every trace: the model agrees with a plain twin, counts add up, names of threads are only names.

use coherence::names::{Names, Shape};
use coherence::{Account, Event, Fill, Line, Model, Tally, Touch};
use proptest::prelude::*;
use std::collections::{BTreeMap, BTreeSet};

const CACHES: usize = 4;
/// Above the size of a line, so that no line begins before the first address.
const BASE: usize = 1 << 12;

#[derive(Clone, Copy, Debug)]
struct Access {
    cache: usize,
    address: usize,
    bytes: usize,
    touch: Touch,
}

fn touches() -> impl Strategy<Value = Touch> {
    prop_oneof![Just(Touch::Read), Just(Touch::Write)]
}

/// Few lines, so that caches meet; mostly words, and some accesses that span several lines.
fn traces() -> impl Strategy<Value = Vec<Access>> {
    let bytes = prop_oneof![4 => 1..=16_usize, 1 => 100..300_usize];
    let access = (0..CACHES, BASE..BASE + 400, bytes, touches());
    let access = access.prop_map(|(cache, address, bytes, touch)| Access {
        cache,
        address,
        bytes,
        touch,
    });
    prop::collection::vec(access, 0..60)
}

/// Size and start of lines.
fn lines() -> impl Strategy<Value = (usize, usize)> {
    let size = prop_oneof![Just(8_usize), Just(32), Just(64), Just(128)];
    size.prop_flat_map(|bytes| (Just(bytes), 0..bytes))
}

fn line((bytes, start): (usize, usize)) -> Line {
    Line::new(bytes, start).expect("lines that there are")
}

/// The twin: who has a line, who has changed it, and which addresses each has used, byte by byte.
#[derive(Default)]
struct Plain {
    lines: BTreeMap<usize, PlainLine>,
}

#[derive(Default)]
struct PlainLine {
    used: BTreeMap<usize, BTreeSet<usize>>,
    changed_by: Option<usize>,
}

/// How the line was come by, and whose copies ended by a false share or a true one.
type Outcome = (Fill, Vec<(usize, bool)>);

impl Plain {
    fn access(&mut self, (size, start): (usize, usize), access: Access) -> Vec<Outcome> {
        let mut parts: BTreeMap<usize, BTreeSet<usize>> = BTreeMap::new();
        for byte in access.address..access.address + access.bytes {
            parts.entry((byte - start) / size).or_default().insert(byte);
        }
        let lines = &mut self.lines;
        let parts = parts.into_iter();
        parts
            .map(|(number, part)| lines.entry(number).or_default().access(access, part))
            .collect()
    }
}

impl PlainLine {
    fn access(&mut self, access: Access, part: BTreeSet<usize>) -> Outcome {
        let me = access.cache;
        let had_it = self.used.contains_key(&me);
        let others_had_it = self.used.keys().any(|cache| *cache != me);
        let is_write = access.touch == Touch::Write;
        let fill = match (had_it, others_had_it) {
            (true, true) if is_write => Fill::Upgrade,
            (true, _) => Fill::Hit,
            (false, false) => Fill::Cold,
            (false, true) if self.changed_by.is_some() => Fill::Transfer,
            (false, true) => Fill::Clean,
        };
        let mut victims = Vec::new();
        if is_write {
            let mine = self.used.remove(&me);
            for (cache, used) in core::mem::take(&mut self.used) {
                victims.push((cache, used.is_disjoint(&part)));
            }
            self.used.extend(mine.map(|used| (me, used)));
            self.changed_by = Some(me);
        } else if self.changed_by != Some(me) {
            self.changed_by = None;
        }
        self.used.entry(me).or_default().extend(part);
        (fill, victims)
    }
}

fn outcome(event: &Event) -> Outcome {
    let victims = event.victims.iter();
    let victims = victims.map(|victim| (victim.cache, victim.is_false));
    (event.fill, victims.collect())
}

/// Words without names, and the account of a trace in which each access is an operation.
fn account(trace: &[Access], line: Line) -> Account {
    let mut model = Model::new(CACHES, line);
    let mut tally = Tally::new(CACHES, line);
    let mut names = Names::default();
    names.place(
        BASE,
        512,
        Shape {
            name: "Cells".to_owned(),
            bytes: 32,
            fields: (0..4).map(|at| (format!("w{at}"), 8 * at, 8)).collect(),
        },
    );
    for access in trace {
        let place = (access.address, access.bytes);
        let events = model.access(access.cache, access.address, access.bytes, access.touch);
        tally.begin(access.cache);
        tally.touch(access.cache, place, &events, &names, "elsewhere");
        tally.end(access.cache);
    }
    tally.finish()
}

proptest! {
    #[test]
    fn the_plain_twin_agrees(trace in traces(), lines in lines()) {
        let (mut model, mut plain) = (Model::new(CACHES, line(lines)), Plain::default());
        for access in trace {
            let events = model.access(access.cache, access.address, access.bytes, access.touch);
            let outcomes: Vec<Outcome> = events.iter().map(outcome).collect();
            prop_assert_eq!(outcomes, plain.access(lines, access), "{:?}", access);
        }
    }

    #[test]
    fn who_has_a_line_modified_is_the_only_one_that_has_it(trace in traces(), lines in lines()) {
        let mut model = Model::new(CACHES, line(lines));
        for access in trace {
            model.access(access.cache, access.address, access.bytes, access.touch);
            // No line is shorter than eight bytes.
            for byte in (BASE..BASE + 700).step_by(8) {
                let (owner, holders) = model.holders(byte);
                if let Some(owner) = owner {
                    prop_assert_eq!(holders, vec![owner]);
                }
            }
            for byte in [access.address, access.address + access.bytes - 1] {
                let (owner, holders) = model.holders(byte);
                prop_assert!(holders.contains(&access.cache));
                prop_assert!(access.touch == Touch::Read || owner == Some(access.cache));
            }
        }
    }

    #[test]
    fn sums_over_lines_equal_the_trace(trace in traces(), lines in lines()) {
        let (size, start) = lines;
        let mut model = Model::new(CACHES, line(lines));
        let (mut touched, mut fills, mut cold) = (0, BTreeMap::<&str, u64>::new(), BTreeSet::new());
        for access in &trace {
            let events = model.access(access.cache, access.address, access.bytes, access.touch);
            let last = access.address + access.bytes - 1;
            let expected = (last - start) / size - (access.address - start) / size + 1;
            prop_assert_eq!(events.len(), expected);
            touched += expected as u64;
            for (event, next) in events.iter().zip(events.iter().skip(1)) {
                prop_assert_eq!(event.line + 1, next.line);
            }
            for event in events {
                cold.insert(event.line);
                let word = match event.fill {
                    Fill::Hit | Fill::Upgrade => "had it",
                    Fill::Cold => "cold",
                    Fill::Clean => "clean",
                    Fill::Transfer => "transfer",
                };
                *fills.entry(word).or_default() += 1;
            }
        }
        let of = |word| fills.get(word).copied().unwrap_or(0);
        prop_assert_eq!(fills.values().sum::<u64>(), touched);
        prop_assert_eq!(of("cold"), cold.len() as u64, "a line is cold once");

        let account = account(&trace, line(lines));
        prop_assert_eq!(account.operations, trace.len() as u64);
        prop_assert_eq!(account.lines, touched);
        prop_assert_eq!(account.together.values().sum::<u64>(), touched);
        prop_assert_eq!(
            [account.cold_fills, account.clean_fills, account.transfers],
            [of("cold"), of("clean"), of("transfer")]
        );
        prop_assert!(account.false_shares() <= account.invalidations);
        // A copy ends at most once, and was made by a fill.
        prop_assert!(account.invalidations <= touched - of("had it"));
    }

    #[test]
    fn other_names_of_threads_change_no_total(
        trace in traces(),
        lines in lines(),
        renamed in Just((0..CACHES).collect::<Vec<_>>()).prop_shuffle(),
    ) {
        let of_others: Vec<Access> = trace
            .iter()
            .map(|access| Access { cache: renamed[access.cache], ..*access })
            .collect();
        prop_assert_eq!(account(&trace, line(lines)), account(&of_others, line(lines)));
    }

    #[test]
    fn words_padded_to_lines_never_share_falsely(
        lines in lines(),
        accesses in prop::collection::vec((0..CACHES, 0..6_usize, touches()), 0..200),
    ) {
        let (size, start) = lines;
        let mut model = Model::new(CACHES, line(lines));
        for (cache, object, touch) in accesses {
            let address = BASE + start + object * size;
            for event in model.access(cache, address, 8, touch) {
                prop_assert!(event.victims.iter().all(|victim| !victim.is_false));
            }
        }
    }

    #[test]
    fn cells_of_one_thread_each_meet_only_where_they_share_a_line(
        lines in lines(),
        stride in prop_oneof![Just(8_usize), Just(16), Just(64), Just(128)],
        turns in prop::collection::vec(0..CACHES, 2..100),
    ) {
        let (size, start) = lines;
        let mut model = Model::new(CACHES, line(lines));
        // Who wrote the line of a cell last: nobody else has it.
        let mut owner = BTreeMap::new();
        for cache in turns {
            // From the first byte of a line on.
            let cell = cache * stride;
            let events = model.access(cache, BASE + start + cell, 8, Touch::Write);
            let before = owner.insert(cell / size, cache);
            let rival = before.filter(|other| *other != cache);
            prop_assert_eq!(events.len(), 1);
            prop_assert_eq!(&events[0].victims.len(), &usize::from(rival.is_some()));
            for victim in &events[0].victims {
                prop_assert!(victim.is_false);
                prop_assert_eq!(Some(victim.cache), rival);
                prop_assert_eq!(victim.address, BASE + start + victim.cache * stride);
            }
        }
    }

    #[test]
    fn the_latest_name_of_a_byte_counts(
        places in prop::collection::vec((0..300_usize, 1..8_usize, 1..5_usize), 1..20),
    ) {
        let mut names = Names::default();
        // By byte: the latest place over it, and the object of that place that the byte lies in.
        let mut expected = BTreeMap::new();
        for (number, (address, words, count)) in places.into_iter().enumerate() {
            let (address, bytes) = (BASE + address, 8 * words);
            let name = format!("T{number}");
            names.place(address, bytes * count, Shape {
                name: name.clone(),
                bytes,
                fields: vec![],
            });
            for byte in address..address + bytes * count {
                let object = address + (byte - address) / bytes * bytes;
                expected.insert(byte, (object, bytes, name.clone()));
            }
        }
        for byte in BASE - 8..BASE + 700 {
            let found = names.at(byte);
            let found = found.map(|(object, name)| (object.address, object.bytes, name));
            // Behind a newer object the rest of a cut one has no name any more.
            if found.is_some() || !expected.contains_key(&byte) {
                prop_assert_eq!(found.as_ref(), expected.get(&byte), "byte {}", byte);
            }
        }
        // Of the newest place nothing is lost.
        let last = expected.values().map(|(.., name)| &name[1..]);
        let last = last.filter_map(|number| number.parse::<usize>().ok()).max();
        let last = format!("T{}", last.unwrap_or(0));
        for (byte, (.., name)) in &expected {
            prop_assert!(*name != last || names.at(*byte).is_some());
        }
    }
}
