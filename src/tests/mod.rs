//! White-box tests. One file for each ordering tag, run under loom:
//! `RUSTFLAGS='--cfg loom' LOOM_MAX_PREEMPTIONS=2 cargo test --release --lib loom`.

mod loom;
