//! Which part of the process an address belongs to.
//!
//! # Invariants
//! - I1. The calling thread is there while it calls.
#![expect(
    unsafe_code,
    reason = "asks where the thread's control block is; argued by I1"
)]

use crate::arena;
use core::cell::Cell;
use core::ops::Range;
use std::path::Path;

thread_local! {
    static HERE: Cell<u8> = const { Cell::new(0) };
}

/// A part of the process.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Region {
    /// What the code under observation has allocated.
    Arena,
    /// Data of the program itself.
    Static,
    /// Constants of the program and of each thread, which nobody writes.
    Constant,
    /// What each thread has of its own.
    Thread,
    /// The stack of the first thread.
    Stack,
    /// Anything else, such as mapped memory.
    Other,
}

impl Region {
    /// The name in what the tool prints.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Arena => "arena",
            Self::Static => "static",
            Self::Constant => "constant",
            Self::Thread => "thread",
            Self::Stack => "stack",
            Self::Other => "other",
        }
    }
}

/// The regions of this process, for its first thread.
#[derive(Debug)]
pub struct Regions(Vec<(Region, Range<usize>)>);

impl Regions {
    /// Reads them from the kernel's list of mappings; call it when the arenas are in use.
    ///
    /// # Errors
    /// The list cannot be read.
    pub fn of_this_process() -> std::io::Result<Self> {
        let maps = std::fs::read_to_string("/proc/self/maps")?;
        let program = std::env::current_exe()?;
        let on_stack = 0_u8;
        let stack = core::ptr::from_ref(&on_stack).addr();
        let own = HERE.with(|here| core::ptr::from_ref(here).addr());
        let mut regions: Vec<_> = arena::ranges()
            .map(|range| (Region::Arena, range))
            .collect();
        regions.push((Region::Constant, control_block()));
        for line in maps.lines() {
            let mut words = line.split_whitespace();
            let Some(range) = words.next().and_then(range) else {
                continue;
            };
            let rights = words.next();
            let path = words.nth(3).map(Path::new);
            if range.contains(&stack) {
                regions.push((Region::Stack, range));
            } else if path == Some(&*program) {
                let is_constant = rights.is_some_and(|rights| !rights.contains('w'));
                let region = if is_constant {
                    Region::Constant
                } else {
                    Region::Static
                };
                regions.push((region, range));
            } else if range.contains(&own) {
                regions.push((Region::Thread, range));
            }
        }
        // What follows the program's last mapping without a gap and a path is its zeroed data.
        let end = regions
            .iter()
            .filter(|(region, _)| *region == Region::Static);
        if let Some(end) = end.map(|(_, range)| range.end).max() {
            let zeroed = maps.lines().filter_map(|line| {
                let mut words = line.split_whitespace();
                let range = words.next().and_then(range)?;
                (range.start == end && words.nth(4).is_none()).then_some(range)
            });
            regions.extend(zeroed.map(|range| (Region::Static, range)));
        }
        Ok(Self(regions))
    }

    /// The region of an address.
    #[must_use]
    pub fn of(&self, address: usize) -> Region {
        let found = self.0.iter().find(|(_, range)| range.contains(&address));
        found.map_or(Region::Other, |(region, _)| *region)
    }

    /// All of them.
    pub fn iter(&self) -> impl Iterator<Item = (Region, &Range<usize>)> {
        self.0.iter().map(|(region, range)| (*region, range))
    }
}

/// The line with the first word of the thread's control block. Code that needs the address of a thread's variable may read it there, which
/// depends on how it was linked; the variables lie below.
fn control_block() -> Range<usize> {
    // SAFETY: I1: asks for the calling thread.
    let start = unsafe { libc::pthread_self() };
    let start = usize::try_from(start).unwrap_or_default() / 64 * 64;
    start..start + 64
}

/// `from-to` in hexadecimal.
fn range(text: &str) -> Option<Range<usize>> {
    let (from, to) = text.split_once('-')?;
    Some(usize::from_str_radix(from, 16).ok()?..usize::from_str_radix(to, 16).ok()?)
}
