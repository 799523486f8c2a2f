//! Who recorded a variant's snapshots.

use crate::GuardError;
use core::fmt;

/// What decides which code comes out, and what wrote it down.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Header {
    /// The compiler's own line, with commit and date.
    pub rustc: String,
    /// The version of its LLVM.
    pub llvm: String,
    /// The target.
    pub target: String,
    /// The flags.
    pub flags: String,
    /// The tools that had to agree.
    pub tool: String,
}

impl Header {
    /// True when the same compiler would have recorded it.
    #[must_use]
    pub fn same_compiler(&self, other: &Self) -> bool {
        self.rustc == other.rustc && self.llvm == other.llvm
    }

    /// Reads a header.
    ///
    /// # Errors
    /// Names the line that says nothing, or the first thing that is not said.
    pub fn parse(file: &str, text: &str) -> Result<Self, GuardError> {
        let bad = |line: usize, expected: String| GuardError::Input {
            file: file.to_owned(),
            line,
            expected,
        };
        let mut header = Self::default();
        for (index, line) in text.lines().enumerate() {
            if line.starts_with('#') {
                continue;
            }
            let expected = || bad(index + 1, format!("expected `name: value`, found `{line}`"));
            let (name, value) = line.split_once(": ").ok_or_else(expected)?;
            match header.field(name) {
                Some(field) => value.clone_into(field),
                None => return Err(expected()),
            }
        }
        for name in ["rustc", "llvm", "target", "flags", "tool"] {
            if header.field(name).is_some_and(|field| field.is_empty()) {
                return Err(bad(1, format!("the header says no `{name}`")));
            }
        }
        Ok(header)
    }

    fn field(&mut self, name: &str) -> Option<&mut String> {
        match name {
            "rustc" => Some(&mut self.rustc),
            "llvm" => Some(&mut self.llvm),
            "target" => Some(&mut self.target),
            "flags" => Some(&mut self.flags),
            "tool" => Some(&mut self.tool),
            _ => None,
        }
    }
}

impl fmt::Display for Header {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            rustc,
            llvm,
            target,
            flags,
            tool,
        } = self;
        writeln!(f, "# Who recorded the code beside this file.")?;
        writeln!(f, "rustc: {rustc}\nllvm: {llvm}\ntarget: {target}")?;
        writeln!(f, "flags: {flags}\ntool: {tool}")
    }
}

#[cfg(test)]
mod tests {
    use super::Header;

    #[test]
    fn a_header_is_read_as_it_was_written() {
        let header = Header {
            rustc: "rustc 1.95.0 (59807616e 2026-04-14)".into(),
            llvm: "22.1.2".into(),
            target: "x86_64-unknown-linux-gnu".into(),
            flags: "none".into(),
            tool: "cargo-show-asm 0.2.64".into(),
        };
        let read = Header::parse("HEADER", &header.to_string()).expect("well formed");
        assert_eq!(read, header);
        let error = |text| Header::parse("HEADER", text).expect_err("bad").to_string();
        assert_eq!(
            error("# x\nnonsense"),
            "HEADER:2: expected `name: value`, found `nonsense`"
        );
        assert_eq!(error("rustc: x"), "HEADER:1: the header says no `llvm`");
    }
}
