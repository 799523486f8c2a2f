//! What is needed beyond the pinned toolchain: targets, the oldest compiler, Miri, cargo's plugins.

use crate::shell::{Outcome, Shell};
use std::path::{Path, PathBuf};

/// The second reader of assembly. Pinned: what it prints is compared.
const SHOW_ASM: (&str, &str) = ("cargo-show-asm", "0.2.64");

/// Makes sure that the pinned toolchain has this target; the error is the remedy.
pub(crate) fn target(shell: &Shell, name: &str) -> Result<(), String> {
    let listed = shell
        .program("rustup", &["target", "list", "--installed"])
        .output();
    if listed.is_some_and(|list| list.lines().any(|line| line.trim() == name)) {
        return Ok(());
    }
    added(shell, &["target", "add", name])
}

/// Makes sure that what a script of tools/setup installs is there; the error is the remedy. Only CI
/// installs.
pub(crate) fn set_up(shell: &Shell, script: &str) -> Result<(), String> {
    let passes = |arguments: &[&str]| {
        let outcome = shell.program(script, arguments).run();
        matches!(outcome, Ok(Outcome::Passed(_)))
    };
    if passes(&["--check"]) || shell.strict && passes(&[]) {
        return Ok(());
    }
    Err(format!("needs what `{script}` installs on Debian"))
}

/// Makes sure that a toolchain is installed.
pub(crate) fn toolchain(shell: &Shell, name: &str) -> Result<(), String> {
    if shell
        .program("rustc", &[&format!("+{name}"), "--version"])
        .quiet()
    {
        return Ok(());
    }
    added(
        shell,
        &[
            "toolchain",
            "install",
            name,
            "--profile",
            "minimal",
            "--no-self-update",
        ],
    )
}

/// Makes sure that the nightly toolchain has Miri and the sources that it interprets.
pub(crate) fn miri(shell: &Shell) -> Result<(), String> {
    sources(shell)?;
    if shell.cargo(&["+nightly", "miri", "--version"]).quiet() {
        return Ok(());
    }
    added(
        shell,
        &["component", "add", "miri", "--toolchain", "nightly"],
    )
}

/// Makes sure that the nightly toolchain has the sources of std, so that std can be built with flags.
pub(crate) fn sources(shell: &Shell) -> Result<(), String> {
    toolchain(shell, "nightly")?;
    let listed = shell.program("rustup", &["+nightly", "component", "list", "--installed"]);
    if listed
        .output()
        .is_some_and(|list| list.contains("rust-src"))
    {
        return Ok(());
    }
    let arguments = ["component", "add", "rust-src", "--toolchain", "nightly"];
    added(shell, &arguments)
}

/// Installs a tool, unoptimised, which takes half of the time.
const INSTALL: [&str; 3] = ["install", "--locked", "--debug"];

/// Makes sure that a plugin of cargo is there; under CI it is installed. The error is the remedy.
pub(crate) fn tool(shell: &Shell, name: &str) -> Result<(), String> {
    let plugin = name.trim_start_matches("cargo-");
    let is_there = || shell.cargo(&[plugin, "--version"]).quiet();
    if is_there() {
        return Ok(());
    }
    let arguments = [&INSTALL[..], &[name]].concat();
    if shell.strict && shell.cargo(&arguments).quiet() && is_there() {
        return Ok(());
    }
    Err(format!("needs `cargo {}`", arguments.join(" ")))
}

/// Makes sure that the pinned cargo-show-asm is there, below target/; it is installed under CI or when
/// that is wanted. The error is the remedy.
pub(crate) fn show_asm(shell: &Shell, install: bool) -> Result<PathBuf, String> {
    let (name, version) = SHOW_ASM;
    let folder = shell.target("tools");
    let program = Path::new(&folder).join("bin/cargo-asm");
    let is_there = || {
        let said = shell.program(&program.to_string_lossy(), &["asm", "--version"]);
        let said = said.output();
        said.is_some_and(|said| said.split_whitespace().last() == Some(version))
    };
    if is_there() {
        return Ok(program);
    }
    let place = ["--root", &folder, "--version", version, name];
    let arguments = [&INSTALL[..], &place].concat();
    if (shell.strict || install) && shell.cargo(&arguments).quiet() && is_there() {
        return Ok(program);
    }
    Err(format!("needs `cargo {}`", arguments.join(" ")))
}

/// The pinned cargo-show-asm, by name and version.
pub(crate) fn show_asm_name() -> String {
    let (name, version) = SHOW_ASM;
    format!("{name} {version}")
}

/// Runs rustup; the error says what to run by hand.
fn added(shell: &Shell, arguments: &[&str]) -> Result<(), String> {
    if shell.program("rustup", arguments).quiet() {
        return Ok(());
    }
    Err(format!(
        "needs `rustup {}`, which failed here",
        arguments.join(" ")
    ))
}

#[cfg(test)]
mod tests {
    use super::tool;
    use crate::shell::{Outcome, Shell};
    use std::path::PathBuf;

    #[test]
    fn a_tool_that_is_absent_fails_under_ci_and_is_a_remark_at_home() {
        let shell = |strict| Shell {
            root: PathBuf::from(env!("CARGO_MANIFEST_DIR")),
            strict,
        };
        let home = shell(false);
        let remedy = tool(&home, "cargo-no-such-plugin").expect_err("there is none");
        assert_eq!(
            remedy,
            "needs `cargo install --locked --debug cargo-no-such-plugin`"
        );
        assert!(matches!(home.missing(&remedy), Outcome::Skipped(_)));
        assert!(matches!(shell(true).missing(&remedy), Outcome::Failed(_)));
        assert_eq!(tool(&home, "cargo-clippy"), Ok(()));
    }
}
