//! The running kernel: `perf_event_open` by the crate `perf-event`; on other systems, and with 32 bits, nothing.

use super::event::Attr;
use super::group::{Members, Reading, System};
use std::io;

/// The kernel that runs this program.
#[derive(Debug, Clone, Copy, Default)]
pub struct Kernel;

/// A group that the kernel has opened.
#[cfg(all(target_os = "linux", target_pointer_width = "64"))]
#[derive(Debug)]
pub struct KernelGroup {
    group: perf_event::Group,
    counters: Vec<perf_event::Counter>,
}

#[cfg(all(target_os = "linux", target_pointer_width = "64"))]
impl System for Kernel {
    type Group = KernelGroup;

    fn group(&self) -> io::Result<KernelGroup> {
        Ok(KernelGroup {
            group: perf_event::Group::new()?,
            counters: Vec::new(),
        })
    }

    fn probe(&self, attr: &Attr) -> io::Result<()> {
        prepared(perf_event::Builder::new(), attr).build()?;
        Ok(())
    }
}

#[cfg(all(target_os = "linux", target_pointer_width = "64"))]
impl Members for KernelGroup {
    fn add(&mut self, attr: &Attr) -> io::Result<()> {
        let builder = perf_event::Builder::new().group(&mut self.group);
        self.counters.push(prepared(builder, attr).build()?);
        Ok(())
    }

    fn start(&mut self) -> io::Result<()> {
        self.group.enable()
    }

    fn stop(&mut self) -> io::Result<()> {
        self.group.disable()
    }

    fn read(&mut self, index: usize) -> io::Result<Reading> {
        let counter = self.counters.get_mut(index);
        let counter = counter.ok_or(io::ErrorKind::InvalidInput)?;
        let read = counter.read_count_and_time()?;
        Ok(Reading {
            count: read.count,
            enabled_ns: read.time_enabled,
            running_ns: read.time_running,
        })
    }
}

/// The builder, which counts the calling thread on any CPU, with the event of `attr`. The crate has no
/// name for raw events, but it lets its users set what the kernel sees.
#[cfg(all(target_os = "linux", target_pointer_width = "64"))]
fn prepared<'g>(mut builder: perf_event::Builder<'g>, attr: &Attr) -> perf_event::Builder<'g> {
    builder.exclude_kernel(!attr.include_kernel);
    let raw = builder.attrs_mut();
    raw.type_ = attr.type_id;
    raw.config = attr.config;
    raw.config1 = attr.config1;
    builder
}

/// A group that the kernel has opened; there is none here.
#[cfg(not(all(target_os = "linux", target_pointer_width = "64")))]
#[derive(Debug)]
pub enum KernelGroup {}

#[cfg(not(all(target_os = "linux", target_pointer_width = "64")))]
impl System for Kernel {
    type Group = KernelGroup;

    fn group(&self) -> io::Result<KernelGroup> {
        Err(io::ErrorKind::Unsupported.into())
    }

    fn probe(&self, _: &Attr) -> io::Result<()> {
        Err(io::ErrorKind::Unsupported.into())
    }
}

#[cfg(not(all(target_os = "linux", target_pointer_width = "64")))]
impl Members for KernelGroup {
    fn add(&mut self, _: &Attr) -> io::Result<()> {
        match *self {}
    }

    fn start(&mut self) -> io::Result<()> {
        match *self {}
    }

    fn stop(&mut self) -> io::Result<()> {
        match *self {}
    }

    fn read(&mut self, _: usize) -> io::Result<Reading> {
        match *self {}
    }
}

#[cfg(all(test, target_os = "linux", target_pointer_width = "64"))]
mod tests {
    use super::super::event::{Encoding, Layout};
    use super::super::{Attr, Role};
    use super::prepared;
    use perf_event::Builder;

    #[test]
    fn a_raw_event_is_what_the_system_call_gets() {
        let encoding = Encoding {
            event: 0xb7,
            umask: 0x01,
            config1: 0x10_003c_0002,
        };
        // The number of a second unit, as parts with two kinds of cores have it.
        let attr = Attr::raw(10, encoding, Layout::Intel);
        let builder = prepared(Builder::new(), &attr);
        let seen = builder.attrs();
        assert_eq!((seen.type_, seen.config), (10, 0x01b7));
        assert_eq!(seen.config1, 0x10_003c_0002);
        assert_eq!(
            Encoding::of_config(seen.config, seen.config1, Layout::Intel),
            encoding
        );
        assert_eq!(
            (seen.exclude_kernel(), seen.inherit(), seen.pinned()),
            (1, 0, 0)
        );
    }

    #[test]
    fn what_happens_in_the_kernel_is_counted_there() {
        let excluded = |role| {
            let attr = Attr::of_kernel(role).expect("the kernel counts it");
            let builder = prepared(Builder::new(), &attr);
            (builder.attrs().type_, builder.attrs().exclude_kernel())
        };
        assert_eq!(excluded(Role::ContextSwitches), (1, 0));
        assert_eq!(excluded(Role::Migrations), (1, 0));
        assert_eq!(excluded(Role::Faults), (1, 1));
        assert_eq!(excluded(Role::Cycles), (0, 1));
    }
}
