//! Accounts as they are recorded: written, read, refused, compared.
#![expect(clippy::expect_used, reason = "a test")]

use coherence::{Account, Snapshot, compare, snapshot::Case};

fn account(lines: u64, share: u64, fields: &[&str]) -> Account {
    let mut account = Account {
        operations: 100,
        lines,
        ..Account::default()
    };
    if share != 0 {
        let pair = ("A.x".to_owned(), "A.y".to_owned());
        account.false_shares.insert(pair, share);
    }
    let fields = fields.iter().map(|field| (*field).to_owned());
    account.together.insert(fields.collect(), lines);
    account
}

fn snapshot(account: &Account) -> Snapshot {
    let mut snapshot = Snapshot::default();
    let case = Case::of(account).expect("a power of ten");
    snapshot.cases.insert("add, 2 threads".to_owned(), case);
    snapshot
}

#[test]
fn what_is_written_is_read_again() {
    let written = snapshot(&account(150, 7, &["A.x", "A.y"]));
    let read = Snapshot::parse(&written.to_text("counter")).expect("as written");
    assert_eq!(read, written);
    assert_eq!(compare(&written, &read), []);
}

#[test]
fn shares_that_are_no_exact_decimals_are_refused() {
    let mut odd = account(1, 0, &[]);
    odd.operations = 96;
    let said = Case::of(&odd).expect_err("96").to_string();
    assert!(
        said.starts_with("96 operations: expected a power of ten"),
        "{said}"
    );
    odd.operations = 0;
    assert!(Case::of(&odd).is_err());
}

#[test]
fn a_broken_file_is_refused_with_its_line() {
    let text = snapshot(&account(1, 0, &["A.x"])).to_text("counter");
    let broken = text.replace("lines = ", "lies = ");
    let said = Snapshot::parse(&broken)
        .expect_err("no such field")
        .to_string();
    assert!(said.contains("lies") && said.contains("line "), "{said}");
}

#[test]
fn worse_is_told_from_other() {
    let findings = |old: &Account, new: &Account| {
        let found = compare(&snapshot(old), &snapshot(new));
        let found = found
            .iter()
            .map(|finding| (finding.is_worse(), finding.to_string()));
        found.collect::<Vec<_>>()
    };
    let before = account(100, 0, &["A.x"]);
    let more = findings(&before, &account(110, 0, &["A.x"]));
    assert_eq!(
        more[0],
        (true, "worse: add, 2 threads: lines 1 -> 1.1".to_owned())
    );
    let less = findings(&before, &account(90, 0, &["A.x"]));
    assert!(less.iter().all(|(is_worse, _)| !is_worse), "{less:?}");
    let shared = findings(&before, &account(100, 5, &["A.x"]));
    let text = "worse: add, 2 threads: false share of A.x by A.y: 0 -> 0.05";
    assert!(shared.contains(&(true, text.to_owned())), "{shared:?}");
    let moved = findings(
        &account(100, 0, &["A.x", "A.y"]),
        &account(100, 0, &["A.x", "B.z"]),
    );
    let said: String = moved.into_iter().map(|(_, text)| text + "\n").collect();
    assert!(said.contains("A.x now shares a line with B.z"), "{said}");
    assert!(
        said.contains("A.x no longer shares a line with A.y"),
        "{said}"
    );
    assert!(said.contains("A.y is no longer touched"), "{said}");
}

#[test]
fn a_case_that_comes_or_goes_is_said() {
    let (full, empty) = (snapshot(&account(1, 0, &["A.x"])), Snapshot::default());
    assert!(compare(&full, &empty)[0].is_worse());
    let said = compare(&empty, &full)[0].to_string();
    assert_eq!(said, "differs: add, 2 threads: the case is not recorded");
}
