//! Weakening one site after the other, and asking the tests.
//!
//! The order of trial: the models of the site's tags, all other models that are short, and then the tests that
//! docs/orderings.toml names for its tags, on this machine and under the interpreter. The first test that
//! fails is the record. Each test has passed before on the copy as it is.

use super::instrument;
use super::mutations::Target;
use super::programs::{self, Ending, Kind, Programs, Test};
use super::records::Records;
use crate::mutants::Copy;
use anyhow::{Context as _, Result, bail, ensure};
use core::time::Duration;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::{Mutex, PoisonError};
use std::time::Instant;

/// A test that takes this much longer than without the weakening does not end.
const PATIENCE: u32 = 20;
/// And it has at least this long.
const LEAST: Duration = Duration::from_secs(60);

/// Models of other tags are asked if they take less than this.
const SHORT: Duration = Duration::from_secs(5);

/// The trial of a crate's sites.
pub(super) struct Campaign<'a> {
    root: &'a Path,
    targets: &'a [Target],
    programs: Programs,
    models: Vec<String>,
    /// Tests that are named for a tag, models left out.
    named: BTreeMap<String, Vec<Test>>,
    /// How long each test takes without a weakening.
    usual: Mutex<BTreeMap<Test, Duration>>,
    has_miri: bool,
}

/// What a trial says.
enum Verdict {
    Killed(Test, &'static str),
    /// Nothing objected; what could not say anything.
    Survived(Vec<String>),
}

impl<'a> Campaign<'a> {
    /// Makes the copy.
    pub(super) fn new(root: &'a Path, targets: &'a [Target], seeds: u32) -> Result<Self> {
        let programs = Programs::new(root, seeds)?;
        let copy = Copy {
            root,
            tree: programs.tree.clone(),
            parts: &["tests/"],
            members: &["benches/baselines", "tools/evidence", "tools/schedule"],
        };
        copy.renew_with(|path, text| instrument::asking(path, &text, targets))?;
        Ok(Self {
            root,
            targets,
            programs,
            models: Vec::new(),
            named: BTreeMap::new(),
            usual: Mutex::default(),
            has_miri: programs::has_miri(root),
        })
    }

    /// Lists the models, and the tests that are named for each tag.
    pub(super) fn with_tests(mut self, tests: &BTreeMap<String, Vec<String>>) -> Result<Self> {
        self.models = self.programs.list(Kind::Loom, "lib")?;
        self.named = self.named(tests)?;
        Ok(self)
    }

    /// The tests that are named for each tag, besides the models.
    fn named(&self, tests: &BTreeMap<String, Vec<String>>) -> Result<BTreeMap<String, Vec<Test>>> {
        let mut lists: BTreeMap<String, Vec<String>> = BTreeMap::new();
        let mut named: BTreeMap<String, Vec<Test>> = BTreeMap::new();
        for (tag, names) in tests {
            for name in names
                .iter()
                .filter(|name| !name.starts_with("src/tests/loom/"))
            {
                let (path, function) = name.split_once("::").unwrap_or((name, ""));
                let (program, module) = place_of(path);
                let is_lib = program == "lib";
                if !is_lib && !function.is_empty() && !function.starts_with("miri_") {
                    let (kind, name) = (Kind::Machine, function.to_owned());
                    let test = Test {
                        kind,
                        program,
                        name,
                    };
                    named.entry(tag.clone()).or_default().push(test);
                    continue;
                }
                if !is_lib && !self.has_miri {
                    continue;
                }
                if !lists.contains_key(&program) {
                    let kind = if is_lib { Kind::Machine } else { Kind::Miri };
                    let list = self.programs.list(kind, &program)?;
                    lists.insert(program.clone(), list);
                }
                let wanted = |test: &&String| {
                    test.starts_with(&module)
                        && (function.is_empty() || test.rsplit("::").next() == Some(function))
                };
                for test in lists[&program].iter().filter(wanted) {
                    let mut add = |kind| {
                        let (program, name) = (program.clone(), test.clone());
                        named.entry(tag.clone()).or_default().push(Test {
                            kind,
                            program,
                            name,
                        });
                    };
                    let short = test.rsplit("::").next().unwrap_or(test);
                    // A file below tests/ is for the interpreter: its races are too rare for the machine.
                    if is_lib && !function.is_empty() {
                        add(Kind::Machine);
                    }
                    if short.starts_with("miri_") && self.has_miri {
                        add(Kind::Miri);
                    }
                }
            }
        }
        for list in named.values_mut() {
            list.sort();
        }
        Ok(named)
    }

    /// Tries one weakening, the test of its record first.
    fn judge(&self, at: usize, to: &str, known: Option<Test>) -> Result<Verdict> {
        let target = &self.targets[at];
        let weakening = format!("{}:{to}", instrument::number(at));
        let is_of_tag = |test: &&String| {
            let mut tags = target
                .tags
                .iter()
                .map(|tag| format!("::{}::", tag.to_lowercase()));
            tags.any(|part| test.contains(&part))
        };
        let (own, others): (Vec<_>, Vec<_>) = self.models.iter().partition(is_of_tag);
        let model = |name: &String| Test {
            kind: Kind::Loom,
            program: "lib".to_owned(),
            name: name.clone(),
        };
        let named = target
            .tags
            .iter()
            .filter_map(|tag| self.named.get(tag))
            .flatten();
        let mut stages: Vec<Vec<Test>> = Vec::new();
        stages.extend(known.map(|test| vec![test]));
        stages.push(own.into_iter().map(model).collect());
        let is_short = |test: &Test| self.lock().get(test).is_some_and(|usual| *usual < SHORT);
        stages.push(others.into_iter().map(model).filter(is_short).collect());
        // One at a time: the interpreter runs the seeds of one test side by side.
        stages.extend(
            named
                .collect::<BTreeSet<_>>()
                .into_iter()
                .map(|test| vec![test.clone()]),
        );
        let mut late = Vec::new();
        for stage in stages {
            if let Some((test, how)) = self.ask(&stage, &weakening, &mut late)? {
                return Ok(Verdict::Killed(test, how));
            }
        }
        Ok(Verdict::Survived(late))
    }

    /// Runs tests of one program on a weakening; the one that fails.
    fn ask(
        &self,
        stage: &[Test],
        weakening: &str,
        late: &mut Vec<String>,
    ) -> Result<Option<(Test, &'static str)>> {
        let Some(Test { kind, program, .. }) = stage.first() else {
            return Ok(None);
        };
        self.know(stage)?;
        let test_of = |name: String| Test {
            kind: *kind,
            program: program.clone(),
            name,
        };
        let patience = |name: &str| {
            let usual = self.lock().get(&test_of(name.to_owned())).copied();
            (usual.unwrap_or_default() * PATIENCE).max(LEAST)
        };
        let mut names: Vec<String> = stage.iter().map(|test| test.name.clone()).collect();
        while !names.is_empty() {
            match self
                .programs
                .run((*kind, program), &names, Some(weakening), &patience)?
            {
                Ending::Passed(_) => return Ok(None),
                Ending::Failed(name) => return Ok(Some((test_of(name), ""))),
                // A model says by a panic that it goes round; one that is late has more to try.
                Ending::Late(name) if *kind == Kind::Loom => {
                    let before = names.iter().position(|other| *other == name);
                    names.drain(..=before.context("the test is one of those that run")?);
                    late.push(name);
                }
                Ending::Late(name) => return Ok(Some((test_of(name), " (does not end)"))),
            }
        }
        Ok(None)
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, BTreeMap<Test, Duration>> {
        self.usual.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Sees to it that these tests, of one program, have passed without a weakening.
    fn know(&self, tests: &[Test]) -> Result<()> {
        let unknown: Vec<String> = {
            let usual = self.lock();
            let unknown = tests.iter().filter(|test| !usual.contains_key(test));
            unknown.map(|test| test.name.clone()).collect()
        };
        let Some(Test { kind, program, .. }) = tests.first().filter(|_| !unknown.is_empty()) else {
            return Ok(());
        };
        let hour = |_: &str| Duration::from_secs(3600);
        match self.programs.run((*kind, program), &unknown, None, &hour)? {
            Ending::Passed(times) => {
                let mut usual = self.lock();
                for (name, time) in times {
                    let (kind, program) = (*kind, program.clone());
                    usual.insert(
                        Test {
                            kind,
                            program,
                            name,
                        },
                        time,
                    );
                }
                Ok(())
            }
            Ending::Failed(name) | Ending::Late(name) => {
                bail!("{} {program} {name} fails without a weakening", kind.name())
            }
        }
    }

    /// Tries the weakenings whose name contains `only`, or tag is `only`, if they are asked for; writes
    /// the kills as they come.
    pub(super) fn run(
        &self,
        records: Records,
        only: &str,
        is_asked: impl Fn(&Records, &str) -> bool,
    ) -> Result<Records> {
        let mut wanted = Vec::new();
        for (at, target) in self.targets.iter().enumerate() {
            for to in target.to {
                let key = target.key(to);
                let is_wanted = key.contains(only) || target.tags.contains(only);
                if is_wanted && is_asked(&records, &key) {
                    wanted.push((at, *to, key));
                }
            }
        }
        ensure!(
            !wanted.is_empty(),
            "nothing that can be weakened is called like `{only}`"
        );
        let total = wanted.len();
        // The models' times are known before two run side by side.
        let models: Vec<Test> = self
            .models
            .iter()
            .map(|name| Test {
                kind: Kind::Loom,
                program: "lib".to_owned(),
                name: name.clone(),
            })
            .collect();
        self.know(&models)?;
        let left = Mutex::new((wanted.into_iter(), records));
        let lock = || left.lock().unwrap_or_else(PoisonError::into_inner);
        let work = || -> Result<()> {
            loop {
                let (next, known) = {
                    let (wanted, records) = &mut *lock();
                    let Some(next) = wanted.next() else {
                        return Ok(());
                    };
                    let known = records
                        .kills
                        .get(&next.2)
                        .and_then(|(test, _)| Test::parse(test));
                    (next, known)
                };
                let (at, to, key) = next;
                let begun = Instant::now();
                let verdict = self.judge(at, to, known).with_context(|| key.clone())?;
                let seconds = begun.elapsed().as_secs_f64();
                let (_, records) = &mut *lock();
                match verdict {
                    Verdict::Killed(test, how) => {
                        println!("killed   {seconds:>6.1} s  {key}: {test}{how}");
                        records.kills.insert(key, (format!("{test}{how}"), 0));
                    }
                    Verdict::Survived(late) => {
                        let word = if records.argued.contains_key(&key) {
                            "argued"
                        } else {
                            "SURVIVES"
                        };
                        let late = if late.is_empty() {
                            String::new()
                        } else {
                            format!(" (too large: {})", late.join(", "))
                        };
                        println!("{word:<8} {seconds:>6.1} s  {key}{late}");
                        records.kills.remove(&key);
                    }
                }
                records.write(self.root)?;
            }
        };
        let workers = std::thread::available_parallelism()
            .map_or(1, usize::from)
            .min(total);
        std::thread::scope(|scope| {
            let workers: Vec<_> = (0..workers).map(|_| scope.spawn(work)).collect();
            let mut ends = workers.into_iter().map(|worker| worker.join());
            ends.try_for_each(|end| end.ok().context("a thread panicked")?)
        })?;
        let (_, records) = left.into_inner().unwrap_or_else(PoisonError::into_inner);
        Ok(records)
    }

    /// Runs the test of a record again; whether the weakening still falls to it.
    pub(super) fn again(&self, key: &str, test: &Test) -> Result<bool> {
        let mut all = self
            .targets
            .iter()
            .enumerate()
            .flat_map(|(at, target)| target.to.iter().map(move |to| (at, *to, target.key(to))));
        let (at, to, _) = all
            .find(|(.., name)| name == key)
            .with_context(|| format!("there is no `{key}`"))?;
        let weakening = format!("{}:{to}", instrument::number(at));
        let found = self.ask(core::slice::from_ref(test), &weakening, &mut Vec::new())?;
        Ok(found.is_some())
    }

    pub(super) fn has_miri(&self) -> bool {
        self.has_miri
    }
}

/// The program and the module of the tests in a file.
fn place_of(path: &str) -> (String, String) {
    let stem = path.trim_end_matches(".rs").trim_end_matches("/mod");
    match stem.strip_prefix("tests/") {
        Some(file) => (file.to_owned(), String::new()),
        None => {
            let module = stem.trim_start_matches("src/").replace('/', "::");
            ("lib".to_owned(), format!("{module}::"))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::place_of;

    #[test]
    fn a_file_is_a_module_or_a_program() {
        let place = |program: &str, module: &str| (program.to_owned(), module.to_owned());
        assert_eq!(place_of("src/arch/tests.rs"), place("lib", "arch::tests::"));
        assert_eq!(
            place_of("src/table/word/mod.rs"),
            place("lib", "table::word::")
        );
        assert_eq!(place_of("tests/miri_suite.rs"), place("miri_suite", ""));
    }
}
