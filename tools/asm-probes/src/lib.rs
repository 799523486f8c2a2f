//! One function for each operation, width and ordering, so that the instructions of each can be
//! looked at: ours beside core's, and the hot paths of what is built from them.
//!
//! | set | what | there |
//! |---|---|---|
//! | `core_*` | `core::sync::atomic`, as far as it is stable | always |
//! | `ours_*` | the atomics facade and `src/arch` of the library | with `--cfg atomshard_probes` |
//! | `hot_*` | public operations of the library on `u64` | always |
//!
//! # Names
//! `<set>_<op>_<type>_<ordering>[_<failure ordering>]`, and `<set>_fence_<ordering>`. The type `u8` is
//! `AtomicBool`, `u128` the 16-byte word, `ptr` a pointer to `u64`; `casweak` is the
//! compare-exchange that may fail for no reason, and `light` is the fence for the compiler alone. No
//! name begins with another, because tools look for them by a part of the name.
//!
//! # Rules
//! A probe is monomorphic and never inlined, its orderings are constants, and nothing in it panics. Two
//! probes with the same instructions may be merged into one by the compiler, which is then an alias.
#![expect(
    clippy::missing_errors_doc,
    reason = "an exchange that fails says what core's says"
)]

mod core_set;
mod hot;
#[cfg(atomshard_probes)]
mod ours;

pub use core_set::*;
pub use hot::*;
#[cfg(atomshard_probes)]
pub use ours::*;

/// Makes a function of each line, so that a probe is one line to read and is found by its name.
macro_rules! probes {
    ($($name:ident($($argument:ident: $type:ty),*) $(-> $result:ty)? = $body:expr;)*) => {$(
        #[doc = concat!("`", stringify!($body), "`")]
        #[inline(never)]
        pub fn $name($($argument: $type),*) $(-> $result)? {
            $body
        }
    )*};
}
use probes;

#[cfg(test)]
mod tests;
