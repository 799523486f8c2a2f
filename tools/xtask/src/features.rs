//! The features of the library, and which of them this machine can build: `hwloc` needs a C library.

use crate::shell::Shell;
use crate::{source, toolchain};
use anyhow::{Context as _, Result, bail};

/// What installs the library.
const SETUP: &str = "tools/setup/hwloc";

/// All features that need nothing from the system, so that every target has them.
pub(crate) const PORTABLE: &str = "perf,rayon,serde,topology";

/// The features that are declared, without `default`.
pub(crate) fn declared(shell: &Shell) -> Result<Vec<String>> {
    let manifest: toml::Table = source::read(&shell.root, "Cargo.toml")?.parse()?;
    let table = manifest.get("features").and_then(toml::Value::as_table);
    let names = table.context("Cargo.toml has no [features]")?.keys();
    Ok(names.filter(|name| *name != "default").cloned().collect())
}

/// Whether hwloc is there; under CI it is installed, and has to be.
pub(crate) fn has_hwloc(shell: &Shell) -> Result<bool> {
    match toolchain::set_up(shell, SETUP) {
        Ok(()) => Ok(true),
        Err(remedy) if shell.strict => bail!("the feature hwloc {remedy}"),
        Err(remedy) => {
            println!("without the feature hwloc: {remedy}");
            Ok(false)
        }
    }
}

/// All that can be built here, as cargo's switches.
pub(crate) fn all(shell: &Shell) -> Result<Vec<&'static str>> {
    Ok(if has_hwloc(shell)? {
        vec!["--all-features"]
    } else {
        vec!["--features", PORTABLE]
    })
}

#[cfg(test)]
mod tests {
    use super::{PORTABLE, declared};
    use crate::shell::Shell;

    #[test]
    fn every_feature_is_portable_or_known_not_to_be() {
        let root = concat!(env!("CARGO_MANIFEST_DIR"), "/../..");
        let declared = declared(&Shell::new(root.as_ref())).expect("there are some");
        let mut known: Vec<&str> = PORTABLE.split(',').chain(["hwloc", "std"]).collect();
        known.sort_unstable();
        assert_eq!(declared, known);
    }
}
