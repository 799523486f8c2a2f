//! A seed is one history, to the last access. Alone in its program: a thread of another test that begins or ends
//! meanwhile changes which records there are, and so what a pin looks at.
#![cfg(atomshard_traced)]

use evidence::scheduled::scenarios;

#[test]
fn a_seed_gives_one_history() {
    let scenario = scenarios()[0];
    let ran = |seed| scenario.run(seed).expect("linearizable").digest;
    // The first run of a process sets up what is set up once.
    ran(0);
    assert_eq!(ran(7), ran(7));
    assert_ne!(ran(7), ran(8));
}
