//! The fuzz target `schedules`: threads whose turns the input chooses; histories must be linearizable.
#![no_main]

// Without the tracer there is nothing to link.
#[cfg(atomshard_traced)]
libfuzzer_sys::fuzz_target!(|input: fuzz::schedules::Input| fuzz::schedules::run(&input));
