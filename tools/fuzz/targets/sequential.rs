//! The fuzz target `sequential`: a map or a set of one thread against std's.
#![no_main]

libfuzzer_sys::fuzz_target!(|input: fuzz::sequential::Input| fuzz::sequential::run(&input));
