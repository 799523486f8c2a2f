//! The probes of one variant, compiled and read twice.

use super::clean;
use super::variants::Variant;
use anyhow::{Context as _, Result, bail};
use asmguard::read::{Listing, emitted, shown};
use asmguard::{Header, Isa};
use std::path::{Path, PathBuf};
use std::process::Command;

/// The package of the probes, and its crate.
const PACKAGE: &str = "asm-probes";
pub(crate) const CRATE: &str = "asm_probes";

/// Where a tree is compiled.
pub(crate) struct Place<'a> {
    /// The workspace.
    pub(crate) tree: &'a Path,
    /// The folder for what comes out.
    pub(crate) target: PathBuf,
    pub(crate) variant: &'a Variant,
}

impl Place<'_> {
    /// Compiles with `--emit asm` and reads that. An outer error is that nothing could be tried; the
    /// inner one is the compiler's.
    pub(crate) fn emitted(&self, locked: bool) -> Result<Result<Listing, String>> {
        let file = self.file()?;
        let mut command = clean::command("cargo", self.tree, self.variant);
        command.arg("rustc");
        self.select(&mut command);
        if locked {
            command.arg("--locked");
        }
        command.args(["--release", "--", "--emit"]);
        command.arg(format!("asm={}", file.display()));
        if self.variant.machine.isa == Isa::X86_64 {
            command.arg("-Cllvm-args=-x86-asm-syntax=intel");
        }
        let (success, _, said) = run(&mut command)?;
        if !success {
            return Ok(Err(said));
        }
        let text = std::fs::read_to_string(&file).with_context(|| {
            format!(
                "cargo wrote no {}; remove {} and try again",
                file.display(),
                self.target.display()
            )
        })?;
        Ok(Ok(emitted::read(&file.display().to_string(), &text)?))
    }

    /// Where the compiler writes. Each compiler has a file of its own: cargo knows what each of them has
    /// compiled, and compiles nothing again because another one has written since.
    fn file(&self) -> Result<PathBuf> {
        let rustc = self.header("")?.rustc;
        let words = rustc.split(|c: char| !c.is_alphanumeric() && c != '.');
        let words: Vec<_> = words.filter(|word| !word.is_empty()).collect();
        Ok(self.target.join(format!("{}.s", words.join("-"))))
    }

    /// Reads what cargo-show-asm makes of a build of its own.
    pub(crate) fn shown(&self, tool: &Path) -> Result<Listing> {
        let tool = std::path::absolute(tool)?;
        let mut command = clean::command(tool, self.tree, self.variant);
        command.arg("asm");
        self.select(&mut command);
        command.args(["--locked", "--everything", "--simplify", "--no-color"]);
        if self.variant.machine.isa == Isa::X86_64 {
            command.arg("--intel");
        }
        let (success, text, said) = run(&mut command)?;
        if !success {
            bail!("cargo-show-asm failed: {said}");
        }
        Ok(shown::read(&text))
    }

    fn select(&self, command: &mut Command) {
        command
            .args(["--quiet", "--lib", "--package", PACKAGE])
            .arg("--manifest-path")
            .arg(self.tree.join("Cargo.toml"))
            .args(clean::arguments())
            .args(["--target", self.variant.target])
            .arg("--target-dir")
            .arg(&self.target);
    }

    /// Who compiles here.
    pub(crate) fn header(&self, tool: &str) -> Result<Header> {
        let mut command = clean::command("rustc", self.tree, self.variant);
        let (success, text, said) = run(command.arg("-vV"))?;
        if !success {
            bail!("rustc -vV failed: {said}");
        }
        let line = |name: &str| text.lines().find_map(|line| line.strip_prefix(name));
        let flags = self.variant.flags;
        let flags = if flags.is_empty() {
            "none".to_owned()
        } else {
            flags.join(" ")
        };
        Ok(Header {
            rustc: text.lines().next().unwrap_or_default().to_owned(),
            llvm: line("LLVM version: ").unwrap_or("unknown").to_owned(),
            target: self.variant.target.to_owned(),
            flags,
            tool: tool.to_owned(),
        })
    }
}

/// Runs a command to its end: whether it succeeded, and what it wrote to both streams.
fn run(command: &mut Command) -> Result<(bool, String, String)> {
    let name = command.get_program().to_string_lossy().into_owned();
    let output = command
        .output()
        .with_context(|| format!("cannot run {name}"))?;
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let (out, said) = (text(&output.stdout), text(&output.stderr));
    Ok((output.status.success(), out, said))
}
