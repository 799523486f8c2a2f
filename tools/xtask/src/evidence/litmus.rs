//! The litmus programs (`tests/litmus.rs`) on the machine, under loom and under Miri, in one table.
//!
//! The test judges each row where it runs. Here the worlds stand beside each other: each has run every row,
//! has shown something weak that is allowed, and has reported a race that was put in.

use super::Depth;
use crate::shell::{LOOM, Outcome, Shell};
use crate::{source, toolchain};
use anyhow::{Context as _, Result, bail, ensure};
use std::collections::BTreeMap;
use std::thread;

/// The page that has a line for each row.
const PAGE: &str = "docs/article.md";
const TEST: &str = "every_outcome_is_as_the_memory_model_says";
const RACE: &str = "a_race_is_reported";

/// Half of Miri's time goes into what it checks of references and values. Here its memory model is wanted, and its
/// races; the check `miri` is for the rest.
const MIRI: &str = "-Zmiri-disable-stacked-borrows -Zmiri-disable-validation";

/// In the order of the table's columns.
const WORLDS: [&str; 3] = ["machine", "loom", "Miri"];

pub(super) fn run(shell: &Shell, depth: Depth) -> Result<Outcome> {
    if let Err(remedy) = toolchain::miri(shell) {
        return Ok(shell.missing(&remedy));
    }
    let (seconds, seeds) = match depth {
        Depth::Quick => ("0.2", 2),
        Depth::Full => ("4", 16),
    };
    let machine = shell.cargo(&test(&[], &[TEST]));
    let machine = machine.env("ATOMSHARD_LITMUS_SECONDS", seconds);
    let loom = shell.flagged(&test(&["--release"], &[]), LOOM, "loom")?;
    let loom = loom.env("RUST_BACKTRACE", "0"); // One test panics, on purpose.
    let mut said = Vec::new();
    for (world, line) in [("machine", machine), ("loom", loom)] {
        let command = line.to_string();
        let (success, output) = line.run_seen()?;
        // Under loom the race that is put in is a test of its own.
        let tests = if world == "loom" {
            "2 passed"
        } else {
            "1 passed"
        };
        if !success || !output.contains(tests) {
            return Ok(Outcome::Failed(format!("{world}: `{command}`")));
        }
        said.push(output);
    }
    match under_miri(shell, seeds)? {
        Ok(output) => said.push(output),
        Err(why) => return Ok(Outcome::Failed(why)),
    }
    let said: [String; 3] = said.try_into().ok().context("three worlds")?;
    let table = Table::of(&said)?;
    println!("\n{table}");
    table.check(&source::read(&shell.root, PAGE)?)?;
    Ok(Outcome::Passed(table.summary()))
}

/// The call of the test program, with what cargo and the test runner are told.
fn test<'a>(cargo: &[&'a str], runner: &[&'a str]) -> Vec<&'a str> {
    let start = ["test", "--package", "atomshard", "--test", "litmus"];
    let rest = ["--", "--nocapture", "--exact"];
    [&start, cargo, &rest, runner].concat()
}

/// All seeds, two at a time, and the race that Miri must report; what was printed, or what is wrong.
fn under_miri(shell: &Shell, seeds: u32) -> Result<Result<String, String>> {
    let line = |seed: u32, runner: &[&str]| {
        let start = ["+nightly", "miri", "test", "--package", "atomshard"];
        let rest = ["--test", "litmus", "--", "--nocapture", "--exact"];
        let arguments = [&start, &rest[..], runner].concat();
        let flags = format!("{MIRI} -Zmiri-seed={seed}");
        shell
            .cargo(&arguments)
            .env("MIRIFLAGS", &flags)
            .env("CARGO_TARGET_DIR", &shell.target("miri"))
    };
    let race = line(0, &["--ignored", RACE]);
    let command = race.to_string();
    // It also builds what the others run.
    let (success, _, errors) = race.run_silently()?;
    println!("$ {command}");
    if success || !errors.contains("Undefined Behavior: Data race detected") {
        return Ok(Err(format!("Miri reported no race: `{command}`\n{errors}")));
    }
    println!("Miri reported the race");
    let seeds: Vec<u32> = (0..seeds).collect();
    let mut said = String::new();
    for pair in seeds.chunks(2) {
        let ended: Vec<_> = thread::scope(|scope| {
            let start = |&seed: &u32| {
                let line = line(seed, &[TEST]);
                scope.spawn(move || (line.to_string(), line.run_silently()))
            };
            let started: Vec<_> = pair.iter().map(start).collect();
            started.into_iter().map(|thread| thread.join()).collect()
        });
        for end in ended {
            let (command, end) = end.ok().context("a thread panicked")?;
            let (success, output, errors) = end?;
            println!("$ {command}");
            if !success {
                println!("{output}{errors}");
                return Ok(Err(format!("replay by `{command}`")));
            }
            said.push_str(&output);
        }
    }
    Ok(Ok(said))
}

/// A program in one world.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Cell {
    weak: u64,
    runs: u64,
    expect: Expect,
    is_apart: bool,
}

/// What a world has to show, as the test says it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Expect {
    #[default]
    Never,
    Seen,
    Either,
    Gap,
}

impl Expect {
    fn of(word: &str) -> Result<Self> {
        Ok(match word {
            "Never" => Self::Never,
            "Seen" => Self::Seen,
            "Either" => Self::Either,
            "Gap" => Self::Gap,
            _ => bail!("not an expectation: `{word}`"),
        })
    }

    /// The page's word for it.
    fn word(self) -> &'static str {
        match self {
            Self::Never => "never",
            Self::Seen => "seen",
            Self::Either => "open",
            Self::Gap => "gap",
        }
    }
}

/// A program in all of them.
#[derive(Debug, Default)]
struct Row {
    name: String,
    rule: String,
    cells: [Option<Cell>; 3],
}

/// What the worlds have shown.
#[derive(Debug, Default)]
struct Table {
    rows: Vec<Row>,
}

impl Table {
    /// Reads what the test printed in each world.
    fn of(said: &[String; 3]) -> Result<Self> {
        let mut table = Self::default();
        let mut places = BTreeMap::new();
        for (world, output) in said.iter().enumerate() {
            for line in output.lines() {
                let Some((_, line)) = line.split_once("litmus | ") else {
                    continue;
                };
                let parts: Vec<&str> = line.split(" | ").collect();
                let &[_, name, rule, expect, weak, runs, verdict] = &parts[..] else {
                    bail!("not a row: `{line}`");
                };
                let place = *places.entry(name.to_owned()).or_insert_with(|| {
                    table.rows.push(Row {
                        name: name.to_owned(),
                        rule: rule.to_lowercase(),
                        ..Row::default()
                    });
                    table.rows.len() - 1
                });
                let cell = table.rows[place].cells[world].get_or_insert_default();
                cell.weak += weak.parse::<u64>()?;
                cell.runs += runs.parse::<u64>()?;
                cell.expect = Expect::of(expect)?;
                cell.is_apart |= verdict == "apart";
            }
        }
        Ok(table)
    }

    /// What the test cannot see, since it is in one world at a time.
    fn check(&self, page: &str) -> Result<()> {
        ensure!(!self.rows.is_empty(), "the worlds ran no row");
        for row in &self.rows {
            let name = &row.name;
            let mut line = format!("| {name} | {} |", row.rule);
            for (world, cell) in WORLDS.iter().zip(&row.cells) {
                let cell = cell.as_ref();
                let cell = cell.with_context(|| format!("{world} has not run `{name}`"))?;
                let is_gap = cell.expect == Expect::Gap;
                let is_wrong = cell.expect == Expect::Never && cell.weak > 0;
                ensure!(!is_wrong, "{world} shows `{name}`, which may never be seen");
                let is_elsewhere = is_gap && *world != "loom";
                ensure!(!is_elsewhere, "{world} has no known gap, but `{name}`");
                line += &format!(" {} |", cell.expect.word());
            }
            // The page is about x86-64; what another machine has to show differs.
            let is_there = page.lines().any(|other| other == line);
            ensure!(
                is_there || !cfg!(target_arch = "x86_64"),
                "{PAGE} lacks the line `{line}`"
            );
        }
        for (at, world) in WORLDS.iter().enumerate() {
            let cells = self.rows.iter().filter(|row| row.rule == "allowed");
            let mut cells = cells.filter_map(|row| row.cells[at].as_ref());
            let has_shown = cells.any(|cell| cell.weak > 0 || cell.is_apart);
            ensure!(has_shown, "{world} shows nothing that is allowed");
        }
        Ok(())
    }

    fn summary(&self) -> String {
        let (mut runs, mut forbidden, mut gaps, mut apart) = (0, 0, 0, 0);
        for row in &self.rows {
            for cell in row.cells.iter().flatten() {
                let is_seen = row.rule == "forbidden" && cell.weak > 0;
                runs += cell.runs;
                let is_gap = cell.expect == Expect::Gap;
                forbidden += u64::from(is_seen && !is_gap);
                gaps += u64::from(is_seen && is_gap);
                apart += u64::from(cell.is_apart);
            }
        }
        let mut text = format!(
            "{} programs in {} worlds, {runs} executions, forbidden outcomes seen: {forbidden}, and {gaps} as \
             known gaps of loom",
            self.rows.len(),
            WORLDS.len(),
        );
        if apart > 0 {
            text += &format!("; {apart} not judged: the threads did not run side by side");
        }
        text
    }
}

impl core::fmt::Display for Table {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        let [first, second, third] = WORLDS;
        let head = ("weak outcome of", "rule");
        writeln!(
            f,
            "{:<44} {:<9}  {first:<22} {second:<22} {third}",
            head.0, head.1
        )?;
        for row in &self.rows {
            let mut line = format!("{:<44} {:<9} ", row.name, row.rule);
            for cell in &row.cells {
                let text = cell.as_ref().map_or("not run".to_owned(), |cell| {
                    let Cell { weak, runs, .. } = cell;
                    match (weak, cell.expect == Expect::Gap, cell.is_apart) {
                        (0, _, true) => "apart".to_owned(),
                        (0, ..) => format!("not seen in {runs}"),
                        (_, true, _) => format!("gap: {weak} of {runs}"),
                        _ => format!("seen, {weak} of {runs}"),
                    }
                });
                line += &format!(" {text:<22}");
            }
            writeln!(f, "{}", line.trim_end())?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::Table;

    fn said(weak: [u32; 3]) -> [String; 3] {
        weak.map(|weak| {
            format!(
                "test x ... \nlitmus | W | SB relaxed | Allowed | Seen | 3 | 10 | right\n\
                 litmus | W | MP SeqCst | Forbidden | Never | {weak} | 10 | right\n"
            )
        })
    }

    const PAGE: &str = "| SB relaxed | allowed | seen | seen | seen |\n\
                        | MP SeqCst | forbidden | never | never | never |";

    #[test]
    fn worlds_are_put_beside_each_other() {
        let table = Table::of(&said([0; 3])).expect("rows");
        table.check(PAGE).expect("nothing is wrong");
        let summary = "2 programs in 3 worlds, 60 executions, forbidden outcomes seen: 0, ";
        assert!(table.summary().starts_with(summary), "{}", table.summary());
        assert!(table.to_string().contains("seen, 3 of 10"));
    }

    #[test]
    fn what_is_wrong_is_said() {
        let why = |said: &[String; 3], page| {
            let table = Table::of(said).expect("rows");
            table
                .check(page)
                .expect_err("something is wrong")
                .to_string()
        };
        assert!(why(&said([0, 0, 1]), PAGE).contains("Miri shows `MP SeqCst`"));
        let page = PAGE.replace("| never |", "| gap |");
        assert!(why(&said([0; 3]), &page).contains("lacks the line `| MP SeqCst | forbidden"));
        let mut missing = said([0; 3]);
        missing[1].clear();
        assert!(why(&missing, PAGE).contains("loom has not run"));
        let blind = said([0; 3]).map(|text| text.replace("| 3 |", "| 0 |"));
        assert!(why(&blind, PAGE).contains("machine shows nothing that is allowed"));
        assert!(Table::of(&said([0; 3]).map(|text| text.replace(" | right", ""))).is_err());
        let none = Table::of(&Default::default()).expect("no rows");
        assert!(none.check(PAGE).is_err());
    }
}
