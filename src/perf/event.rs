//! Events in the vendor's terms, and as the kernel takes them.
//!
//! ```text
//! bit       63..36  35..32        31..16  15..8  7..0
//! Intel                                   umask  event
//! AMD               event 11..8           umask  event 7..0
//! Arm                                     event 15..0
//! ```
//!
//! The word is `config`. `config1` holds what goes into an extra register, as Intel's off-core events
//! have one.
//!
//! Source: `format/` of the counting units below /sys/bus/event_source/devices; perf_event_open(2).

use super::Role;

/// How a vendor packs event and unit mask into one word.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Layout {
    /// Eight bits of event, eight of unit mask.
    Intel,
    /// Twelve bits of event, eight of unit mask.
    Amd,
    /// Sixteen bits of event, no unit mask.
    Arm,
}

impl Layout {
    /// The highest number of an event.
    #[must_use]
    pub const fn highest_event(self) -> u16 {
        match self {
            Self::Intel => 0xff,
            Self::Amd => 0xfff,
            Self::Arm => 0xffff,
        }
    }

    /// Whether events have a unit mask.
    #[must_use]
    pub const fn has_umask(self) -> bool {
        !matches!(self, Self::Arm)
    }
}

/// An event in the vendor's terms.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Encoding {
    /// The event select.
    pub event: u16,
    /// The unit mask: which kinds of the event.
    pub umask: u8,
    /// What goes into the extra register; 0 without one.
    pub config1: u64,
}

impl Encoding {
    /// The word for the kernel. What does not fit the layout is left out.
    #[must_use]
    pub fn config(self, layout: Layout) -> u64 {
        let event = u64::from(self.event & layout.highest_event());
        let umask = u64::from(self.umask);
        match layout {
            Layout::Intel | Layout::Amd => (event & 0xff) | umask << 8 | (event >> 8) << 32,
            Layout::Arm => event,
        }
    }

    /// What a word means: the inverse of [`Encoding::config`].
    #[must_use]
    pub fn of_config(config: u64, config1: u64, layout: Layout) -> Self {
        let [low, second, _, _, high, ..] = config.to_le_bytes();
        let (event, umask) = match layout {
            Layout::Intel => (u16::from(low), second),
            Layout::Amd => (u16::from_le_bytes([low, high & 0xf]), second),
            Layout::Arm => (u16::from_le_bytes([low, second]), 0),
        };
        Self {
            event,
            umask,
            config1,
        }
    }
}

/// An event as the kernel takes it: the parts of `perf_event_attr` that say what is counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Attr {
    /// The number of the unit that counts: `type`.
    pub type_id: u32,
    /// Which of its events.
    pub config: u64,
    /// What goes into an extra register.
    pub config1: u64,
    /// Whether to count while the kernel runs for the thread, too.
    pub include_kernel: bool,
}

impl Attr {
    /// `PERF_TYPE_HARDWARE`: events that the kernel knows under a name for every CPU.
    const HARDWARE: u32 = 0;
    /// `PERF_TYPE_SOFTWARE`: events that the kernel counts itself.
    const SOFTWARE: u32 = 1;

    /// An event of the unit with this number.
    #[must_use]
    pub fn raw(type_id: u32, encoding: Encoding, layout: Layout) -> Self {
        Self {
            type_id,
            config: encoding.config(layout),
            config1: encoding.config1,
            include_kernel: false,
        }
    }

    /// The kernel's own event for a role, if it has one.
    ///
    /// Switches and moves happen while the kernel runs. Without it they read 0, so it is included.
    /// Page faults are those of user mode.
    #[must_use]
    pub fn of_kernel(role: Role) -> Option<Self> {
        let (type_id, config, include_kernel) = match role {
            Role::Cycles => (Self::HARDWARE, 0, false),
            Role::Instructions => (Self::HARDWARE, 1, false),
            Role::Faults => (Self::SOFTWARE, 2, false),
            Role::ContextSwitches => (Self::SOFTWARE, 3, true),
            Role::Migrations => (Self::SOFTWARE, 4, true),
            _ => return None,
        };
        Some(Self {
            type_id,
            config,
            config1: 0,
            include_kernel,
        })
    }

    /// Whether the kernel counts it, without a counter of the CPU.
    #[must_use]
    pub const fn is_software(&self) -> bool {
        self.type_id == Self::SOFTWARE
    }
}
