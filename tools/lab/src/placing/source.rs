//! Which machine is meant, and which CPUs.
use crate::error::LabError;
use atomshard::topology::{CpuSet, Machine};
use core::fmt::Display;
use std::path::Path;

/// The machine of an option: nothing is the one that this runs on.
pub(super) fn machine(option: Option<&str>) -> Result<Machine, LabError> {
    let Some(text) = option else {
        return Machine::here().map_err(|error| LabError::Usage(error.to_string()));
    };
    let read = match text.split_once(':') {
        Some(("synthetic", description)) => Machine::of_synthetic(description).map_err(said),
        Some(("sysfs", folder)) => Machine::of_sysfs(Path::new(folder)).map_err(said),
        Some(("xml", file)) => std::fs::read_to_string(file)
            .map_err(said)
            .and_then(|text| Machine::from_xml(&text).map_err(said)),
        None if text == "hwloc" => by_hwloc(),
        _ => Err(
            "expected synthetic:DESCRIPTION, as in 'synthetic:pack:2 numa:1 core:4 pu:2', \
             sysfs:FOLDER, a copy of a machine's /sys and /proc, xml:FILE, which `lstopo --of xml` wrote, or hwloc"
                .to_owned(),
        ),
    };
    read.map_err(|error| LabError::Usage(format!("--machine {text}: {error}")))
}

/// The CPUs of the option `name`.
pub(super) fn cpus(name: &str, list: &str) -> Result<CpuSet, LabError> {
    let cpus = list.parse::<CpuSet>();
    cpus.map_err(|error| LabError::Usage(format!("--{name}: {error}")))
}

fn said(error: impl Display) -> String {
    error.to_string()
}

#[cfg(feature = "hwloc")]
fn by_hwloc() -> Result<Machine, String> {
    Machine::from_hwloc().map_err(said)
}

#[cfg(not(feature = "hwloc"))]
fn by_hwloc() -> Result<Machine, String> {
    Err(
        "this program was built without hwloc's library; run tools/setup/hwloc, then \
         `cargo run --release --features hwloc -- ..`"
            .to_owned(),
    )
}
