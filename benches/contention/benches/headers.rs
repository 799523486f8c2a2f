//! What do heads of shards cost that lie one after another?

use baselines::headers::{Packed, Padded};
use contention::{Account, Operate, Question, Subject};
use std::process::ExitCode;

fn packed(threads: usize) -> Operate {
    let heads = Packed::new(threads);
    Box::new(move |thread, times| (0..times).for_each(|_| heads.visit(thread)))
}

fn padded(threads: usize) -> Operate {
    let heads = Padded::new(threads);
    Box::new(move |thread, times| (0..times).for_each(|_| heads.visit(thread)))
}

fn main() -> ExitCode {
    const PADDED: &str = "padded heads";
    let subject = |name, make, structure, twin| Subject {
        name,
        make,
        twin,
        account: Some(Account {
            structure,
            operation: "lock, count, unlock",
        }),
    };
    let question = Question {
        name: "headers",
        words: "what do heads of shards cost that lie one after another?",
        subjects: vec![
            subject("packed heads", packed, "shard_headers_packed", Some(PADDED)),
            subject(PADDED, padded, "shard_headers_padded", None),
        ],
    };
    question.ask()
}
