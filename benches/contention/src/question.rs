//! A bench: its subjects through criterion, through rounds and through counted runs; tables and verdicts.

use crate::counted::{self, Counted};
use crate::rounds::{self, Times};
use crate::subject::{self, APART, Subject, TOGETHER};
use crate::verdict::Verdict;
use crate::witness;
use anyhow::{Context as _, Result};
use atomshard::perf::Kernel;
use comfy_table::{Cell, Table, presets};
use core::time::Duration;
use criterion::{BenchmarkId, Criterion, Throughput};
use measure::counting;
use measure::crew::Crew;
use std::path::Path;
use std::process::ExitCode;

/// More threads than this say nothing that fewer do not.
const MOST_THREADS: usize = 8;

/// A bench.
#[derive(Debug)]
pub struct Question {
    /// Its name: that of its file.
    pub name: &'static str,
    /// What it asks.
    pub words: &'static str,
    /// What is measured, besides the controls.
    pub subjects: Vec<Subject>,
}

impl Question {
    /// Runs criterion over the subjects and, if this is `cargo bench` and no mere test, rounds and counted runs;
    /// prints tables and verdicts.
    ///
    /// # Errors
    /// As an exit code: the counts could not be written, or a twin is missing.
    #[must_use]
    pub fn ask(mut self) -> ExitCode {
        self.subjects.splice(0..0, subject::controls());
        let mut twins = self.subjects.iter().filter_map(|subject| subject.twin);
        if let Some(error) = twins.find_map(|twin| self.place(twin).err()) {
            eprintln!("{}: {error:#}", self.name);
            return ExitCode::FAILURE;
        }
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        let threads = cores.min(MOST_THREADS);
        self.by_criterion(threads);
        let arguments: Vec<String> = std::env::args().collect();
        let has = |flag: &str| arguments.iter().any(|argument| argument == flag);
        if !has("--bench") || has("--test") || has("--list") {
            return ExitCode::SUCCESS;
        }
        match self.judge(threads) {
            Ok(()) => ExitCode::SUCCESS,
            Err(error) => {
                eprintln!("{}: {error:#}", self.name);
                ExitCode::FAILURE
            }
        }
    }

    fn by_criterion(&self, threads: usize) {
        let criterion = Criterion::default()
            .sample_size(10)
            .warm_up_time(Duration::from_millis(200))
            .measurement_time(Duration::from_millis(800));
        let mut criterion = criterion.configure_from_args();
        let mut group = criterion.benchmark_group(self.name);
        for crew in crews(threads) {
            group.throughput(Throughput::Elements(crew.threads() as u64));
            for subject in &self.subjects {
                let id = BenchmarkId::new(subject.name, crew.threads());
                group.bench_function(id, |bencher| {
                    bencher.iter_custom(|times| rounds::timed(subject, &crew, times).0);
                });
            }
        }
        group.finish();
        criterion.final_summary();
    }

    fn judge(&self, threads: usize) -> Result<()> {
        println!("\n{}: {}", self.name, self.words);
        let times = rounds::run(&self.subjects, threads);
        let mut counted = Vec::new();
        for crew in crews(threads) {
            let of = self.subjects.iter().zip(&times);
            let of =
                of.map(|(subject, (_, length))| counted::count(&Kernel, subject, &crew, *length));
            counted.extend(of);
        }
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/contention");
        let path = path.join(self.name).with_extension("jsonl");
        counted::write(&path, self.name, &counted)?;
        // Those of all threads are the last.
        let all = &counted[counted.len() - self.subjects.len()..];
        let times: Vec<Times> = times.into_iter().map(|(times, _)| times).collect();
        println!("{}", self.table(threads, &times, all)?);
        let counts: Vec<_> = all.iter().map(Counted::counts).collect();
        let counts = all.iter().zip(&counts);
        let counts = counts.map(|(counted, counts)| (counted.subject(), counts.as_slice()));
        let counts: Vec<_> = counts.collect();
        if let Some(table) = counting::table(&counts) {
            println!("\n{table}");
        }
        println!("\n{}", counting::reasons(&counts));
        Ok(())
    }

    /// The subject of this name.
    fn place(&self, name: &str) -> Result<usize> {
        let place = self
            .subjects
            .iter()
            .position(|subject| subject.name == name);
        place.with_context(|| format!("no subject is called `{name}`"))
    }

    fn table(&self, threads: usize, times: &[Times], counted: &[Counted]) -> Result<Table> {
        let mut table = Table::new();
        table.load_style(presets::ASCII_MARKDOWN).set_header([
            "subject",
            "ns alone",
            &format!("ns, {threads} threads"),
            "beside",
            "clock",
            "counters",
            "model",
            "verdict",
        ]);
        let accounts = Path::new(env!("CARGO_MANIFEST_DIR")).join("../coherence");
        let [together, apart] = [self.place(TOGETHER)?, self.place(APART)?];
        let controls = times[together].against(&times[apart]);
        for (place, subject) in self.subjects.iter().enumerate() {
            let beside = subject.twin.unwrap_or(APART);
            let control = self.place(beside)?;
            let has_twin = subject.twin.is_some();
            let witnesses = [
                witness::clock(times[place].against(&times[control]), controls, has_twin),
                witness::counters(
                    &counted[place],
                    &counted[control],
                    [&counted[together], &counted[apart]],
                    has_twin,
                ),
                witness::model(subject.account, &accounts),
            ];
            let ns = times[place].spreads().map(|spread| {
                spread.map_or("not side by side".to_owned(), |spread| {
                    let [low, high] = [spread.lower_quartile, spread.upper_quartile];
                    format!("{:.1} ({low:.1}-{high:.1})", spread.median)
                })
            });
            let verdict = if place == apart {
                "what others are compared with".to_owned()
            } else {
                Verdict::of(&witnesses).to_string()
            };
            let [clock, counters, model] = witnesses.map(|witness| Cell::new(witness.evidence));
            let [alone, together] = ns.map(Cell::new);
            let (name, beside) = (Cell::new(subject.name), Cell::new(beside));
            let verdict = Cell::new(verdict);
            table.add_row([
                name, alone, together, beside, clock, counters, model, verdict,
            ]);
        }
        Ok(table)
    }
}

/// One thread, and all of them.
fn crews(threads: usize) -> Vec<Crew> {
    let mut sizes = vec![1, threads];
    sizes.dedup();
    sizes
        .into_iter()
        .map(|size| Crew::new(size, None))
        .collect()
}
