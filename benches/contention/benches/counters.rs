//! How far apart must cells be that different threads write?

use baselines::{Distance, Pad0, Pad64, Pad128, Pad256, Striped};
use contention::{Account, Operate, Question, Subject};
use std::process::ExitCode;

fn striped<D: Distance + Send + Sync + 'static>(threads: usize) -> Operate {
    let counter = Striped::<D>::new(threads);
    Box::new(move |thread, times| (0..times).for_each(|_| counter.add(thread, 1)))
}

fn main() -> ExitCode {
    const FAR: &str = "256 bytes apart";
    let subject = |name, make, structure, twin| Subject {
        name,
        make,
        twin,
        account: Some(Account {
            structure,
            operation: "add",
        }),
    };
    let question = Question {
        name: "counters",
        words: "how far apart must cells be that different threads write?",
        subjects: vec![
            subject(
                "8 bytes apart",
                striped::<Pad0>,
                "striped_counter_0",
                Some(FAR),
            ),
            subject(
                "64 bytes apart",
                striped::<Pad64>,
                "striped_counter_64",
                Some(FAR),
            ),
            subject(
                "128 bytes apart",
                striped::<Pad128>,
                "striped_counter_128",
                Some(FAR),
            ),
            subject(FAR, striped::<Pad256>, "striped_counter_256", None),
        ],
    };
    question.ask()
}
