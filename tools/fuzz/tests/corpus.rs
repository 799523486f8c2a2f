//! The corpus, replayed without a fuzzer.

use arbitrary::{Arbitrary, Unstructured};
use core::fmt::Debug;
use std::path::Path;

/// Hands the inputs of a target to `run`; there must be some.
#[expect(
    clippy::print_stdout,
    reason = "the test harness shows it if the test fails"
)]
fn replay<I: for<'a> Arbitrary<'a> + Debug>(target: &str, run: impl Fn(&I)) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("corpus")
        .join(target);
    let files = std::fs::read_dir(&folder).expect("the corpus is there");
    let mut paths: Vec<_> = files.map(|file| file.expect("a file").path()).collect();
    paths.sort();
    assert!(!paths.is_empty(), "{} is empty", folder.display());
    for path in paths {
        let bytes = std::fs::read(&path).expect("an input");
        let input = I::arbitrary_take_rest(Unstructured::new(&bytes)).expect("any bytes will do");
        println!("{}: {input:?}", path.display());
        run(&input);
    }
}

#[test]
fn the_corpus_of_sequential() {
    replay("sequential", fuzz::sequential::run);
}

#[test]
fn the_corpus_of_topology() {
    replay("topology", fuzz::topology::run);
}

#[cfg(atomshard_traced)]
#[test]
fn the_corpus_of_schedules() {
    replay("schedules", fuzz::schedules::run);
}
