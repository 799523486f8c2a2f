//! What does a sharded counter save over one word, and over a mutex?

use atomshard::ShardCounter;
use baselines::SharedCounter;
use contention::{Account, Operate, Question, Subject};
use std::process::ExitCode;
use std::sync::{Mutex, PoisonError};

fn sharded(_: usize) -> Operate {
    let counter = ShardCounter::new();
    Box::new(move |_, times| (0..times).for_each(|_| counter.increment()))
}

fn one_word(_: usize) -> Operate {
    let counter = SharedCounter::new();
    Box::new(move |_, times| (0..times).for_each(|_| counter.add(1)))
}

fn mutex(_: usize) -> Operate {
    let counter = Mutex::new(0_u64);
    Box::new(move |_, times| {
        for _ in 0..times {
            *counter.lock().unwrap_or_else(PoisonError::into_inner) += 1;
        }
    })
}

fn main() -> ExitCode {
    let account = |structure| {
        Some(Account {
            structure,
            operation: "add",
        })
    };
    let subject = |name, make, account| Subject {
        name,
        make,
        twin: None,
        account,
    };
    let question = Question {
        name: "shard_counter",
        words: "what does a sharded counter save over one word, and over a mutex?",
        subjects: vec![
            subject("ShardCounter", sharded, account("shard_counter")),
            subject("one word", one_word, account("shared_counter")),
            subject("std's mutex", mutex, None),
        ],
    };
    question.ask()
}
