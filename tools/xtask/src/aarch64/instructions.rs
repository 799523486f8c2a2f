//! Which atomic read-modify-writes ran: counted in qemu's log of the code that it translated.
//!
//! qemu translates a block when it is first run, so a block in the log has run. The log holds each
//! instruction as a word in hexadecimal; the words are decoded here, since the disassembler behind
//! qemu may be older than LSE. Encodings: Arm Architecture Reference Manual (DDI 0487), C4.1,
//! "Loads and stores": compare and swap, load/store exclusive, atomic memory operations.

use core::fmt;

/// How often each kind stands in the translated code.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Seen {
    /// LSE on one register: `cas`, `swp`, `ldadd`, `ldset` and their like.
    lse: u32,
    /// LSE on a pair of registers: `casp`.
    lse_pair: u32,
    /// Load-exclusive and store-exclusive of one register: `ldxr`, `stxr`, `ldaxr`, `stlxr`.
    exclusive: u32,
    /// The same of a pair of registers.
    exclusive_pair: u32,
}

impl Seen {
    /// Counts in a log that was written with `-d in_asm`.
    pub(crate) fn in_log(log: &str) -> Self {
        let mut seen = Self::default();
        for word in log.lines().filter_map(word) {
            seen.count(word);
        }
        seen
    }

    /// Whether LSE instructions ran.
    pub(crate) fn has_lse(self) -> bool {
        self.lse + self.lse_pair > 0
    }

    /// Whether anything was found at all.
    pub(crate) fn is_empty(self) -> bool {
        self == Self::default()
    }

    fn count(&mut self, word: u32) {
        let bit = |n: u32| word >> n & 1 == 1;
        // What is no second register is all ones.
        let no_second = word >> 10 & 0x1f == 0x1f;
        if word & 0x3f00_0000 == 0x0800_0000 {
            // Bit 23 and 21: exclusive word 00, exclusive pair or casp 01, cas 11; ldar, stlr 10.
            match (bit(23), bit(21)) {
                (false, false) => self.exclusive += 1,
                (false, true) if bit(31) => self.exclusive_pair += 1,
                (false, true) if no_second => self.lse_pair += 1,
                (true, true) if no_second => self.lse += 1,
                _ => {}
            }
        } else if word & 0x3f20_0c00 == 0x3820_0000 {
            // Bits 15 to 12: eight operations below 8, swp is 8, ldapr and others are above.
            self.lse += u32::from(word >> 12 & 0xf <= 8);
        }
    }
}

impl fmt::Display for Seen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            lse,
            lse_pair,
            exclusive,
            exclusive_pair,
        } = self;
        write!(
            f,
            "{lse} LSE and {lse_pair} casp, {exclusive} exclusive and {exclusive_pair} in pairs"
        )
    }
}

/// The instruction of a line `0x5502a1ce40:  d503201f  nop`.
fn word(line: &str) -> Option<u32> {
    let (address, rest) = line.split_once(':')?;
    address.strip_prefix("0x")?;
    let digits = rest.split_whitespace().next()?;
    (digits.len() == 8)
        .then(|| u32::from_str_radix(digits, 16).ok())
        .flatten()
}

#[cfg(test)]
mod tests {
    use super::Seen;

    /// Encodings by GNU as 2.40 (`-march=armv8.4-a`).
    #[test]
    fn each_kind_is_told_from_its_neighbours() {
        let count = |words: &[u32]| {
            let lines: Vec<_> = words
                .iter()
                .map(|word| format!("0x5502a1ce40:  {word:08x}  .byte 0x00"))
                .collect();
            Seen::in_log(&lines.join("\n"))
        };
        let none = Seen::default();
        // cas, casal, casab, swpal, ldadd, ldsetl, ldclrah, stadd, ldumax.
        let words = [
            0xc8a0_7c41,
            0x88e0_fc41,
            0x08e0_7c41,
            0xf8e0_8041,
            0xf820_0041,
            0xb860_3041,
            0x78a0_1041,
            0xf820_005f,
            0xf820_6041,
        ];
        assert_eq!(count(&words), Seen { lse: 9, ..none });
        // casp, caspal of both sizes.
        let words = [0x4820_7c82, 0x4860_fc82, 0x0860_fc82];
        assert_eq!(
            count(&words),
            Seen {
                lse_pair: 3,
                ..none
            }
        );
        // ldxr, ldaxr, stlxr, ldaxrb, stxrh.
        let words = [
            0xc85f_7c40,
            0x885f_fc40,
            0xc803_fc40,
            0x085f_fc40,
            0x4803_7c40,
        ];
        assert_eq!(
            count(&words),
            Seen {
                exclusive: 5,
                ..none
            }
        );
        // ldxp of both sizes, ldaxp, stlxp.
        let words = [0xc87f_0440, 0x887f_0440, 0xc87f_8440, 0xc823_8440];
        assert_eq!(
            count(&words),
            Seen {
                exclusive_pair: 4,
                ..none
            }
        );
        // ldar, stlr, ldarb, ldapr, ldaprb, ldapur, stlur.
        let ordered = [
            0xc8df_fc40,
            0xc89f_fc40,
            0x08df_fc40,
            0xf8bf_c040,
            0x38bf_c040,
            0xd940_8040,
            0xd900_8040,
        ];
        // ldr and str with each kind of address, ldp, ldur, prfm, dmb, ldraa, of q registers too.
        let plain = [
            0xf863_6840,
            0xf823_6840,
            0xf840_8c40,
            0xf840_8440,
            0x3ce3_6840,
            0xa940_0440,
            0xf840_1040,
            0xf980_0040,
            0xd503_3bbf,
            0xad40_0440,
            0xf820_0440,
        ];
        assert_eq!(count(&[ordered.as_slice(), &plain].concat()), none);
    }

    #[test]
    fn other_lines_of_a_log_count_nothing() {
        let log = "----------------\nIN: main\n0x55: c8e0fc\n\nc8e0fc41: casal\n0x55:";
        assert!(Seen::in_log(log).is_empty());
        assert!(!Seen::in_log("0x55:  c8e0fc41  casal").is_empty());
    }
}
