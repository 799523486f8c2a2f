//! The fuzz target `topology`: descriptions, XML and trees of machines, whole or mangled; a plan or an error.
#![no_main]

libfuzzer_sys::fuzz_target!(|input: fuzz::topology::Input| fuzz::topology::run(&input));
