//! Accounts of operations, how they are recorded, and what is said when they differ.

use coherence::names::{Names, Shape};
use coherence::snapshot::Case;
use coherence::tally::Step;
use coherence::{Account, Line, Model, Snapshot, Tally, Touch, compare};

const BASE: usize = 4096;

/// Caches, account and names together, as a run has them.
struct Floor {
    model: Model,
    tally: Tally,
    names: Names,
}

impl Floor {
    /// Headers of 48 bytes from `BASE` on: the second lies in two lines.
    fn new() -> Self {
        let mut names = Names::default();
        let fields = [("lock", 0, 8), ("size", 8, 8), ("seed", 40, 8)];
        names.place(
            BASE,
            4 * 48,
            Shape {
                name: "Header".to_owned(),
                bytes: 48,
                fields: fields
                    .map(|(name, at, bytes)| (name.to_owned(), at, bytes))
                    .to_vec(),
            },
        );
        let line = Line::default();
        Self {
            model: Model::new(2, line),
            tally: Tally::new(2, line),
            names,
        }
    }

    /// An access of eight bytes within an operation.
    fn touch(&mut self, thread: usize, address: usize, touch: Touch) {
        let events = self.model.access(thread, address, 8, touch);
        let place = (address, 8);
        self.tally
            .touch(thread, place, &events, &self.names, "some_file");
    }
}

fn set(names: &[&str]) -> Vec<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

#[test]
fn a_line_counts_once_an_operation_and_fields_are_told_together() {
    let mut floor = Floor::new();
    for _ in 0..3 {
        floor.tally.begin(0);
        floor.touch(0, BASE, Touch::Write);
        floor.touch(0, BASE + 8, Touch::Write);
        floor.touch(0, BASE, Touch::Read);
        floor.tally.end(0);
    }
    let account = floor.tally.finish();
    assert_eq!((account.operations, account.lines), (3, 3));
    assert_eq!((account.objects, account.crossed), (3, 0));
    assert_eq!(account.cold_fills, 1, "the copy outlives the operation");
    let together = [(set(&["Header.lock", "Header.size"]), 3)];
    assert_eq!(account.together, together.into());
}

#[test]
fn an_object_is_crossed_when_one_operation_touches_two_of_its_lines() {
    let mut floor = Floor::new();
    // Bytes 48..96: the lock in the first line, the seed in the second.
    let (lock, seed) = (BASE + 48, BASE + 88);
    for places in [&[lock][..], &[seed], &[lock, seed]] {
        floor.tally.begin(0);
        for place in places {
            floor.touch(0, *place, Touch::Read);
        }
        floor.tally.end(0);
    }
    let account = floor.tally.finish();
    assert_eq!((account.objects, account.crossed), (3, 1));
    assert_eq!(account.lines, 4);
    assert!((account.cross_line_rate() - 1.0 / 3.0).abs() < 1e-12);
}

#[test]
fn an_access_over_many_fields_is_told_in_each_line_by_the_fields_there() {
    let mut floor = Floor::new();
    floor.tally.begin(0);
    let (from, bytes) = (BASE + 40, 32);
    let events = floor.model.access(0, from, bytes, Touch::Read);
    let names = &floor.names;
    floor
        .tally
        .touch(0, (from, bytes), &events, names, "some_file");
    floor.tally.end(0);
    let together = [
        (set(&["Header"]), 1),
        (set(&["Header.lock", "Header.seed", "Header.size"]), 1),
    ];
    assert_eq!(floor.tally.finish().together, together.into());
}

#[test]
fn operations_that_overlap_in_time_keep_their_lines_apart() {
    let mut floor = Floor::new();
    floor.tally.begin(0);
    floor.touch(0, BASE, Touch::Read);
    floor.tally.begin(1);
    floor.touch(1, BASE + 8, Touch::Read);
    floor.touch(0, BASE + 88, Touch::Read);
    floor.tally.end(0);
    floor.touch(1, BASE + 8, Touch::Read);
    floor.tally.end(1);
    let account = floor.tally.finish();
    assert_eq!((account.operations, account.lines), (2, 3));
    let together = ["Header.lock", "Header.seed", "Header.size"];
    assert_eq!(
        account.together,
        together.map(|name| (set(&[name]), 1)).into()
    );
}

#[test]
fn set_up_gives_lines_an_owner_and_is_not_counted() {
    let mut floor = Floor::new();
    floor.model.access(1, BASE, 8, Touch::Write);
    floor.tally.begin(0);
    floor.touch(0, BASE, Touch::Write);
    floor.tally.end(0);
    let account = floor.tally.finish();
    assert_eq!((account.cold_fills, account.transfers), (0, 1));
    assert_eq!((account.invalidations, account.false_shares()), (1, 0));
}

#[test]
fn a_false_share_names_the_field_used_and_the_field_written() {
    let mut floor = Floor::new();
    for round in 0..10 {
        let thread = round % 2;
        floor.tally.begin(thread);
        floor.touch(thread, BASE + 8 * thread, Touch::Write);
        floor.tally.end(thread);
    }
    let account = floor.tally.finish();
    let pair = |used: &str, written: &str| (used.to_owned(), written.to_owned());
    let shares = [
        (pair("Header.lock", "Header.size"), 5),
        (pair("Header.size", "Header.lock"), 4),
    ];
    assert_eq!(account.false_shares, shares.into());
    assert_eq!((account.invalidations, account.transfers), (9, 9));
}

/// A field that lies in two lines is used and written in both; what shares the second is not in the first.
#[test]
fn a_false_share_in_the_second_line_of_an_access_names_the_field_there() {
    let mut floor = Floor::new();
    floor.tally.begin(0);
    floor.touch(0, BASE + 88, Touch::Read);
    floor.tally.end(0);
    // From the size of the second header over its unnamed bytes, and on into its seed.
    floor.tally.begin(1);
    let (from, bytes) = (BASE + 56, 32);
    let events = floor.model.access(1, from, bytes, Touch::Write);
    let names = &floor.names;
    floor
        .tally
        .touch(1, (from, bytes), &events, names, "some_file");
    floor.tally.end(1);
    let pair = ("Header.seed".to_owned(), "Header".to_owned());
    assert_eq!(floor.tally.finish().false_shares, [(pair, 1)].into());
}

#[test]
fn what_has_no_name_goes_by_the_file_that_touched_it() {
    let mut floor = Floor::new();
    floor.tally.begin(0);
    floor.touch(0, BASE + 1024, Touch::Read);
    floor.tally.end(0);
    let together = floor.tally.finish().together;
    assert_eq!(together, [(set(&["some_file"]), 1)].into());
}

#[test]
fn steps_are_counted_by_kind() {
    let mut floor = Floor::new();
    let steps = [
        (Step::Rmw, 4),
        (Step::RmwFailed, 1),
        (Step::Fence, 3),
        (Step::ProcessBarrier, 2),
    ];
    for (step, count) in steps {
        (0..count).for_each(|_| floor.tally.step(step));
    }
    let account = floor.tally.finish();
    let counted = [
        account.rmws,
        account.rmws_failed,
        account.fences,
        account.process_barriers,
    ];
    assert_eq!(counted, [4, 1, 3, 2]);
}

/// Ten operations, each of which writes the lock and reads the size beside it.
fn recorded() -> Account {
    let mut account = Account {
        operations: 10,
        lines: 13,
        objects: 10,
        rmws: 10,
        transfers: 7,
        invalidations: 7,
        ..Account::default()
    };
    let beside = set(&["Header.lock", "Header.size"]);
    account.together.insert(beside, 10);
    account.together.insert(set(&["Header.seed"]), 3);
    account
}

fn snapshot(account: &Account) -> Snapshot {
    let case = Case::of(account).expect("a power of ten");
    Snapshot {
        cases: [("add, 2 threads".to_owned(), case)].into(),
    }
}

/// What is said when `change` has been made: whether each is worse, and the text.
fn said(change: impl FnOnce(&mut Account)) -> Vec<(bool, String)> {
    let mut account = recorded();
    change(&mut account);
    let findings = compare(&snapshot(&recorded()), &snapshot(&account));
    let said = findings.iter();
    said.map(|finding| (finding.is_worse(), finding.to_string()))
        .collect()
}

#[track_caller]
fn assert_says(said: &[(bool, String)], is_worse: bool, part: &str) {
    let found = said
        .iter()
        .any(|(worse, text)| *worse == is_worse && text.contains(part));
    assert!(found, "no `{part}`, worse {is_worse}, in {said:#?}");
}

#[test]
fn a_recorded_account_is_read_back_the_same_and_differs_in_nothing() {
    let mut account = recorded();
    let pair = ("Header.lock".to_owned(), "Header.size".to_owned());
    account.false_shares.insert(pair, 3);
    let before = snapshot(&account);
    let text = before.to_text("headers");
    assert!(text.contains("lines = 1.3\n"), "{text}");
    assert!(
        text.contains("\"Header.lock by Header.size\" = 0.3"),
        "{text}"
    );
    let after = Snapshot::parse(&text).expect("as it was written");
    assert_eq!(before, after);
    assert_eq!(text, after.to_text("headers"));
    assert_eq!(compare(&before, &after), []);
}

#[test]
fn operations_that_are_no_power_of_ten_are_refused() {
    for (operations, is_exact) in [
        (0, false),
        (1, true),
        (20, false),
        (99, false),
        (1000, true),
    ] {
        let account = Account {
            operations,
            ..Account::default()
        };
        let case = Case::of(&account);
        assert_eq!(case.is_ok(), is_exact, "{operations} operations");
        if let Err(error) = case {
            let text = error.to_string();
            let said = format!("{operations} operations: expected a power of ten");
            assert!(text.contains(&said), "{text}");
        }
    }
}

#[test]
fn one_more_of_each_cost_is_worse_and_one_fewer_is_not() {
    type Cost = fn(&mut Account) -> &mut u64;
    let costs: [(&str, Cost); 11] = [
        ("lines", |a| &mut a.lines),
        ("objects", |a| &mut a.objects),
        ("crossed", |a| &mut a.crossed),
        ("rmws", |a| &mut a.rmws),
        ("rmws_failed", |a| &mut a.rmws_failed),
        ("fences", |a| &mut a.fences),
        ("process_barriers", |a| &mut a.process_barriers),
        ("cold_fills", |a| &mut a.cold_fills),
        ("clean_fills", |a| &mut a.clean_fills),
        ("transfers", |a| &mut a.transfers),
        ("invalidations", |a| &mut a.invalidations),
    ];
    for (name, cost) in costs {
        let more = said(|account| *cost(account) += 1);
        assert_eq!(more.len(), 1, "{more:?}");
        assert_says(&more, true, &format!("add, 2 threads: {name} "));
        if *cost(&mut recorded()) != 0 {
            let fewer = said(|account| *cost(account) -= 1);
            assert_eq!(fewer.len(), 1, "{fewer:?}");
            assert_says(&fewer, false, &format!("add, 2 threads: {name} "));
        }
    }
}

#[test]
fn a_new_false_share_is_worse_and_named() {
    let said = said(|account| {
        let pair = ("Header.lock".to_owned(), "Header.size".to_owned());
        account.false_shares.insert(pair, 2);
    });
    assert_says(&said, true, "false_shares 0 -> 0.2");
    assert_says(
        &said,
        true,
        "false share of Header.lock by Header.size: 0 -> 0.2",
    );
}

#[test]
fn a_false_share_of_other_fields_is_worse_though_there_are_no_more() {
    let pair = |used: &str, written: &str| (used.to_owned(), written.to_owned());
    let (mut old, mut new) = (recorded(), recorded());
    let shares = &mut old.false_shares;
    shares.insert(pair("Header.lock", "Header.size"), 2);
    let shares = &mut new.false_shares;
    shares.insert(pair("Header.seed", "Header.size"), 2);
    let findings = compare(&snapshot(&old), &snapshot(&new));
    let worse: Vec<String> = findings
        .iter()
        .filter(|finding| finding.is_worse() && !finding.is_detail())
        .map(ToString::to_string)
        .collect();
    assert_eq!(worse.len(), 1, "{worse:?}");
    assert!(
        worse[0].contains("Header.seed by Header.size: 0 -> 0.2"),
        "{worse:?}"
    );
}

#[test]
fn a_field_that_moves_is_named_with_the_company_it_left_and_found() {
    let said = said(|account| {
        account.together.clear();
        account.together.insert(set(&["Header.lock"]), 10);
        let beside = set(&["Header.seed", "Header.size"]);
        account.together.insert(beside, 10);
    });
    assert_says(
        &said,
        false,
        "Header.size now shares a line with Header.seed",
    );
    assert_says(
        &said,
        false,
        "Header.size no longer shares a line with Header.lock",
    );
    assert_says(&said, false, "lines of [Header.lock] 0 -> 1");
}

#[test]
fn a_further_line_and_one_that_is_gone_are_named() {
    let said = said(|account| {
        account.lines += 7;
        account.together.remove(&set(&["Header.seed"]));
        account.together.insert(set(&["Table.shift"]), 10);
    });
    assert_says(&said, true, "lines 1.3 -> 2");
    assert_says(&said, false, "Table.shift is touched, and was not");
    assert_says(&said, false, "Header.seed is no longer touched");
}

#[test]
fn a_case_that_is_gone_is_worse_and_a_new_one_is_told() {
    let (all, none) = (snapshot(&recorded()), Snapshot::default());
    let gone = compare(&all, &none);
    assert_eq!(gone.len(), 1);
    assert!(gone[0].is_worse(), "{}", gone[0]);
    let new = compare(&none, &all);
    assert_eq!(new.len(), 1);
    assert!(!new[0].is_worse(), "{}", new[0]);
    assert!(new[0].to_string().ends_with("the case is not recorded"));
}

#[test]
fn a_damaged_file_is_refused_with_the_line_and_what_is_wrong() {
    let text = snapshot(&recorded()).to_text("headers");
    let damaged = [
        (text.replace("lines = 1.3", "lines = \"1.3\""), "line 6"),
        (text.replace("lines = 1.3", "lines ="), "line 6"),
        (text.replace("rmws = 1.0", "rmvs = 1.0"), "rmvs"),
        (text.replace("fences = 0.0\n", ""), "fences"),
        (text.replace("lines = 1.3", "lines = nan"), "lines is NaN"),
        (text.replace("rmws = 1.0", "rmws = -1.0"), "rmws is -1"),
        (
            text.replace("\"Header.seed\" = 0.3", "\"Header.seed\" = inf"),
            "Header.seed is inf",
        ),
    ];
    for (damaged, part) in damaged {
        assert_ne!(damaged, text, "the damage was done");
        let error = Snapshot::parse(&damaged).expect_err("damaged").to_string();
        assert!(error.contains(part), "`{part}` in {error}");
    }
}
