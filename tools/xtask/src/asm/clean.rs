//! Commands whose result depends on nothing that a developer has set.
//!
//! Cargo takes flags from the environment and from configuration files above the folder that it
//! runs in. So it runs in the root of the file system; what the environment sets is removed; and
//! what a file in cargo's home could still set is set here by the environment, which wins over files,
//! or by [`arguments`].
//! `CARGO_ENCODED_RUSTFLAGS` wins over every other source of flags.

use super::variants::Variant;
use std::ffi::OsString;
use std::path::Path;
use std::process::Command;

/// Variables that change what is compiled, or with what.
const NAMES: &[&str] = &[
    "CARGO_INCREMENTAL",
    "CARGO_SHOW_ASM_PROFILE",
    "RUSTC",
    "RUSTC_BOOTSTRAP",
    "RUSTC_WRAPPER",
    "RUSTC_WORKSPACE_WRAPPER",
    "RUSTDOCFLAGS",
    "RUSTFLAGS",
];
const BEGINNINGS: &[&str] = &[
    "CARGO_BUILD_",
    "CARGO_ENCODED_",
    "CARGO_PROFILE_",
    "CARGO_TARGET_",
    "CARGO_UNSTABLE_",
];

/// What every build sets: the profile `release` of the manifest, in one piece.
const SETTINGS: &[(&str, &str)] = &[
    ("CARGO_BUILD_RUSTC_WRAPPER", ""),
    ("CARGO_BUILD_RUSTC_WORKSPACE_WRAPPER", ""),
    ("CARGO_PROFILE_RELEASE_CODEGEN_UNITS", "1"),
    ("CARGO_PROFILE_RELEASE_DEBUG", "line-tables-only"),
    ("CARGO_PROFILE_RELEASE_DEBUG_ASSERTIONS", "false"),
    ("CARGO_PROFILE_RELEASE_INCREMENTAL", "false"),
    ("CARGO_PROFILE_RELEASE_LTO", "false"),
    ("CARGO_PROFILE_RELEASE_OPT_LEVEL", "3"),
    ("CARGO_PROFILE_RELEASE_OVERFLOW_CHECKS", "false"),
    ("CARGO_PROFILE_RELEASE_PANIC", "unwind"),
    ("CARGO_PROFILE_RELEASE_STRIP", "none"),
];

/// Packages that a file in cargo's home could give settings of their own, which no variable can take
/// back: the two that are compiled here, and all others.
const PACKAGES: &[&str] = &["asm-probes", "atomshard", "\"*\""];

/// The settings above that a package can have and that change its code.
const OF_PACKAGES: &[&str] = &[
    "opt-level=3",
    "codegen-units=1",
    "debug-assertions=false",
    "overflow-checks=false",
];

/// Arguments for cargo, which win over files: no package has settings of its own.
pub(crate) fn arguments() -> impl Iterator<Item = String> {
    let settings = |package| OF_PACKAGES.iter().map(move |setting| (package, setting));
    let all = PACKAGES.iter().flat_map(settings);
    all.map(|(package, setting)| format!("--config=profile.release.package.{package}.{setting}"))
}

/// The switch that opens the library's inside to the probes.
const PROBES: &str = "--cfg=atomshard_probes";

/// A command in an environment that is the same everywhere.
pub(crate) fn command(program: impl AsRef<Path>, root: &Path, variant: &Variant) -> Command {
    let mut command = Command::new(program.as_ref());
    for (name, _) in std::env::vars_os() {
        if leaks(&name) {
            command.env_remove(name);
        }
    }
    let mut flags = vec![PROBES];
    flags.extend(variant.flags);
    command
        .current_dir(root.ancestors().last().unwrap_or(root))
        .env("CARGO_ENCODED_RUSTFLAGS", flags.join("\u{1f}"))
        .env("RUSTC", "rustc")
        .envs(SETTINGS.iter().copied());
    // The choice of the compiler is no leak: the header names it. Rustup would look for the pin above
    // the folder that the command runs in.
    if std::env::var_os("RUSTUP_TOOLCHAIN").is_none()
        && let Some(channel) = pinned(root)
    {
        command.env("RUSTUP_TOOLCHAIN", channel);
    }
    command
}

fn leaks(name: &OsString) -> bool {
    let Some(name) = name.to_str() else {
        return false;
    };
    NAMES.contains(&name) || BEGINNINGS.iter().any(|start| name.starts_with(start))
}

/// The compiler that rust-toolchain.toml pins.
pub(crate) fn pinned(root: &Path) -> Option<String> {
    let text = std::fs::read_to_string(root.join("rust-toolchain.toml")).ok()?;
    let table: toml::Table = text.parse().ok()?;
    let channel = table.get("toolchain")?.get("channel")?.as_str()?;
    Some(channel.to_owned())
}
