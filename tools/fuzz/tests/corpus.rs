//! The corpus, replayed without a fuzzer.

use arbitrary::{Arbitrary as _, Unstructured};
use fuzz::sequential;
use std::path::Path;

/// Hands the inputs of a target to `run`; there must be some.
fn replay(target: &str, run: impl Fn(&str, &[u8])) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("corpus")
        .join(target);
    let files = std::fs::read_dir(&folder).expect("the corpus is there");
    let mut paths: Vec<_> = files.map(|file| file.expect("a file").path()).collect();
    paths.sort();
    assert!(!paths.is_empty(), "{} is empty", folder.display());
    for path in paths {
        run(
            &path.display().to_string(),
            &std::fs::read(&path).expect("an input"),
        );
    }
}

#[test]
fn the_corpus_of_sequential() {
    replay("sequential", |path, bytes| {
        let input = sequential::Input::arbitrary_take_rest(Unstructured::new(bytes));
        let input = input.expect("every input is one");
        println!("{path}: {input:?}");
        sequential::run(&input);
    });
}
