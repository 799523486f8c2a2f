//! Valgrind's memory trace of a case, cut at the marks, and the account of the traced build beside it.
//!
//! The trace has a line ` L address,size` (or `S`, `M`) for each access, in the order of the program. It
//! is read from a pipe as it comes: a run has some hundred megabytes of it.

use super::SETUP;
use anyhow::{Context as _, Result, anyhow, bail, ensure};
use core::ops::Range;
use std::collections::BTreeSet;
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::{Arc, OnceLock};

/// The lengths of lines that are compared.
const LINES: [usize; 2] = [64, 128];
/// The regions that are compared; the stack and the program's constants are left out.
const REGIONS: [&str; 4] = ["arena", "static", "thread", "other"];

/// How many distinct lines an operation touched, by region.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Account {
    op: usize,
    line: usize,
    regions: [u64; 4],
    /// The lines, where they are known.
    addresses: Vec<usize>,
}

impl Account {
    pub(super) fn lines(&self) -> u64 {
        self.regions.iter().sum()
    }
}

/// The account that the traced build prints: one JSON object a line.
pub(super) fn parse_accounts(text: &str) -> Result<Vec<Account>> {
    let parse = |(number, line): (usize, &str)| {
        let field = |name: &str| -> Result<u64> {
            let (_, rest) = line
                .split_once(&format!("\"{name}\":"))
                .with_context(|| format!("line {}: expected `{name}` in `{line}`", number + 1))?;
            let digits: String = rest.chars().take_while(char::is_ascii_digit).collect();
            digits
                .parse()
                .with_context(|| format!("line {}: expected a number for `{name}`", number + 1))
        };
        let mut regions = [0; 4];
        for (count, name) in regions.iter_mut().zip(REGIONS) {
            *count = field(name)?;
        }
        Ok(Account {
            op: usize::try_from(field("op")?)?,
            line: usize::try_from(field("line")?)?,
            regions,
            addresses: Vec::new(),
        })
    };
    text.lines().enumerate().map(parse).collect()
}

/// What the replayed program says before its operations.
#[derive(Debug, Default, PartialEq, Eq)]
struct Preface {
    /// Stored to before and after an operation, and before and after what does not count in it.
    marks: [usize; 4],
    regions: Vec<(String, Range<usize>)>,
}

impl Preface {
    fn parse(text: &str) -> Result<Self> {
        let mut preface = Self::default();
        for (number, line) in text.lines().enumerate() {
            let place = || format!("line {}: `{line}`", number + 1);
            let words: Vec<&str> = line.split(' ').collect();
            let address = |word: &str| -> Result<usize> {
                let digits = word.strip_prefix("0x").with_context(place)?;
                usize::from_str_radix(digits, 16).with_context(place)
            };
            match words[..] {
                ["marks", a, b, c, d] => {
                    preface.marks = [address(a)?, address(b)?, address(c)?, address(d)?];
                }
                ["region", name, from, to] => {
                    let range = address(from)?..address(to)?;
                    preface.regions.push((name.to_owned(), range));
                }
                _ => bail!("{}: expected `marks` or `region`", place()),
            }
        }
        ensure!(preface.marks[0] != 0, "the program printed no marks");
        Ok(preface)
    }

    /// The place of a region in [`REGIONS`], unless it is left out.
    fn region(&self, address: usize) -> Option<usize> {
        let found = self
            .regions
            .iter()
            .find(|(_, range)| range.contains(&address));
        let name = found.map_or("other", |(name, _)| name.as_str());
        REGIONS.iter().position(|region| *region == name)
    }
}

/// An access: its first byte, its size, and whether it stores. Lines that begin otherwise are of
/// instructions, of valgrind itself, or of the program.
fn access(line: &str) -> Result<Option<(usize, usize, bool)>> {
    let stores = match line.get(..3) {
        Some(" L ") => false,
        Some(" S " | " M ") => true,
        _ => return Ok(None),
    };
    let parse = || -> Option<(usize, usize)> {
        let (address, size) = line[3..].split_once(',')?;
        let address = usize::from_str_radix(address, 16).ok()?;
        Some((address, size.trim_end().parse().ok()?))
    };
    let (address, size) =
        parse().with_context(|| format!("expected `{}address,size`, got `{line}`", &line[..3]))?;
    Ok(Some((address, size, stores)))
}

/// Cuts a trace into operations.
#[derive(Debug, Default)]
struct Cutter {
    open: Option<Vec<(usize, usize)>>,
    is_paused: bool,
    operations: Vec<Vec<(usize, usize)>>,
}

impl Cutter {
    /// Takes one line of the trace; anything but an access is passed over.
    fn take(&mut self, line: &str, marks: &[usize; 4]) -> Result<()> {
        let Some((address, size, stores)) = access(line)? else {
            return Ok(());
        };
        let mark = marks.iter().position(|mark| *mark == address);
        match mark.filter(|_| stores) {
            Some(0) => self.open = Some(Vec::new()),
            Some(1) => {
                let operation = self.open.take();
                let number = self.operations.len();
                let operation = operation
                    .with_context(|| format!("operation {number} ends before it begins"))?;
                self.operations.push(operation);
            }
            Some(2) => self.is_paused = true,
            Some(_) => self.is_paused = false,
            None if self.is_paused => {}
            None => {
                if let Some(open) = &mut self.open {
                    open.push((address, size));
                }
            }
        }
        Ok(())
    }
}

/// Runs a case below valgrind; its accounts, for each length of line.
pub(super) fn trace(program: &Path, case: &str) -> Result<Vec<Account>> {
    let mut child = Command::new("valgrind")
        .args(["--tool=lackey", "--trace-mem=yes", "--log-fd=2"])
        .arg(program)
        .args(["replay", case])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .with_context(|| format!("cannot run valgrind; `{SETUP}` installs it"))?;
    let (Some(out), Some(log), Some(mut go)) =
        (child.stdout.take(), child.stderr.take(), child.stdin.take())
    else {
        bail!("the program has no output");
    };
    // The program waits between its preface and the first operation, so the marks are known when the
    // first of them is read; what comes before is passed over.
    let preface = Arc::new(OnceLock::<Preface>::new());
    let known = Arc::clone(&preface);
    let reader = std::thread::spawn(move || -> Result<Cutter> {
        let mut cutter = Cutter::default();
        let mut reader = BufReader::new(log);
        let mut line = Vec::new();
        while reader.read_until(b'\n', &mut line)? != 0 {
            // Most lines are of instructions, and begin otherwise.
            if let Some(preface) = known.get().filter(|_| line.starts_with(b" ")) {
                cutter.take(&String::from_utf8_lossy(&line), &preface.marks)?;
            }
            line.clear();
        }
        Ok(cutter)
    });
    let lines = BufReader::new(out).lines();
    let lines: Vec<String> = lines
        .take_while(|line| line.as_ref().is_ok_and(|line| line != "ready"))
        .collect::<Result<_, _>>()?;
    let parsed = Preface::parse(&lines.join("\n"))?;
    let preface = preface.get_or_init(|| parsed);
    go.write_all(b"\n")?;
    drop(go);
    let cutter = reader
        .join()
        .map_err(|_| anyhow!("the reader panicked"))??;
    let status = child.wait()?;
    ensure!(
        status.success(),
        "the program failed below valgrind: {status}"
    );
    ensure!(cutter.open.is_none(), "the last operation does not end");
    Ok(accounts(&cutter.operations, preface))
}

/// Counts the lines of each operation.
fn accounts(operations: &[Vec<(usize, usize)>], preface: &Preface) -> Vec<Account> {
    let mut accounts = Vec::new();
    for line in LINES {
        for (op, touched) in operations.iter().enumerate() {
            let counting = touched
                .iter()
                .filter(|(address, _)| preface.region(*address).is_some());
            let lines = counting.flat_map(|(address, size)| {
                let last = address + size.saturating_sub(1);
                (address / line..=last / line).map(move |number| number * line)
            });
            let lines: BTreeSet<usize> = lines.collect();
            let mut account = Account {
                op,
                line,
                regions: [0; 4],
                addresses: Vec::new(),
            };
            for address in lines {
                if let Some(region) = preface.region(address) {
                    account.regions[region] += 1;
                    account.addresses.push(address);
                }
            }
            accounts.push(account);
        }
    }
    accounts
}

/// The operations on which the two do not agree.
pub(super) fn differences(ours: &[Account], theirs: &[Account]) -> Vec<String> {
    if ours.len() != theirs.len() {
        let (ours, theirs) = (ours.len() / LINES.len(), theirs.len() / LINES.len());
        return vec![format!("{ours} operations traced, {theirs} by valgrind")];
    }
    let pairs = ours.iter().zip(theirs);
    let wrong = pairs.filter(|(a, b)| (a.op, a.line, a.regions) != (b.op, b.line, b.regions));
    wrong
        .map(|(ours, theirs)| {
            let counts = |account: &Account| {
                let named = REGIONS.iter().zip(account.regions);
                let named = named.filter(|(_, count)| *count != 0);
                let named: Vec<String> = named.map(|(name, n)| format!("{n} {name}")).collect();
                named.join(", ")
            };
            format!(
                "operation {} (lines of {} bytes): traced {}; by valgrind {}, which are {:x?}",
                ours.op,
                ours.line,
                counts(ours),
                counts(theirs),
                theirs.addresses
            )
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::{Cutter, Preface, access, accounts, differences, parse_accounts};

    const PREFACE: &str = "marks 0x1000 0x1001 0x1002 0x1003\nregion arena 0x2000 0x3000\n\
                           region stack 0x8000 0x9000\nregion constant 0x4000 0x5000";

    fn cut(trace: &str) -> anyhow::Result<Cutter> {
        let preface = Preface::parse(PREFACE)?;
        let mut cutter = Cutter::default();
        for line in trace.lines() {
            cutter.take(line, &preface.marks)?;
        }
        Ok(cutter)
    }

    #[test]
    fn an_access_is_told_from_other_lines() {
        let good = |line: &str| access(line).expect("a good line");
        assert_eq!(good(" L 1ffe,8"), Some((0x1ffe, 8, false)));
        assert_eq!(good(" M 10,4\n"), Some((0x10, 4, true)));
        assert_eq!(good("I  04001090,3"), None);
        assert_eq!(good("==12== done"), None);
        for broken in [" S xyz,8", " S 3000", " L 10,"] {
            let said = format!("{:#}", access(broken).expect_err("a broken line"));
            assert!(said.contains("address,size`, got"), "{said}");
        }
    }

    #[test]
    fn lines_are_counted_between_the_marks() {
        let trace = " S 2000,8\n S 1000,1\n L 2010,8\nI  100,3\n L 203c,8\n S 8000,8\n L 4000,16\n \
                     S 1002,1\n S 2800,8\n S 1003,1\n L 7000,1\n S 1001,1\n L 2900,8\n";
        let cutter = cut(trace).expect("a good trace");
        let preface = Preface::parse(PREFACE).expect("a good preface");
        let found = accounts(&cutter.operations, &preface);
        let text = "{\"op\":0,\"line\":64,\"arena\":2,\"static\":0,\"thread\":0,\"other\":1}\n\
                    {\"op\":0,\"line\":128,\"arena\":1,\"static\":0,\"thread\":0,\"other\":1}\n";
        let same = parse_accounts(text).expect("good accounts");
        assert_eq!(differences(&same, &found), Vec::<String>::new());
        let other = parse_accounts(&text.replacen("arena\":2", "arena\":3", 1)).expect("as good");
        let said = differences(&other, &found);
        assert_eq!(said.len(), 1);
        assert!(said[0].contains("operation 0 (lines of 64 bytes): traced 3 arena, 1 other"));
        assert_eq!(differences(&same[..0], &found).len(), 1);
    }

    #[test]
    fn what_is_malformed_is_said_with_its_line() {
        let fails = |error: anyhow::Error| format!("{error:#}");
        assert!(fails(cut(" S 1001,1\n").expect_err("ends first")).contains("before it begins"));
        let said = fails(Preface::parse("marks 0x1 2").expect_err("two marks"));
        assert_eq!(said, "line 1: `marks 0x1 2`: expected `marks` or `region`");
        let said = fails(parse_accounts("{\"op\":1}").expect_err("no line"));
        assert!(said.starts_with("line 1: expected `arena`"), "{said}");
        assert!(fails(Preface::parse("").expect_err("empty")).contains("no marks"));
    }
}
