//! What rustup must provide beyond the pinned toolchain: targets, the oldest compiler, Miri.

use super::run::Shell;

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
    toolchain(shell, "nightly")?;
    let works = shell.cargo(&["+nightly", "miri", "--version"]).quiet();
    let sources = shell.program("rustup", &["+nightly", "component", "list", "--installed"]);
    if works
        && sources
            .output()
            .is_some_and(|list| list.contains("rust-src"))
    {
        return Ok(());
    }
    added(
        shell,
        &[
            "component",
            "add",
            "miri",
            "rust-src",
            "--toolchain",
            "nightly",
        ],
    )
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
