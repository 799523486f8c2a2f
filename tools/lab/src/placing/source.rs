//! Which machine is meant.
use crate::error::LabError;
use atomshard::topology::Machine;
use std::path::Path;

/// The machine of an option: nothing is the one that this runs on.
pub(super) fn machine(option: Option<&str>) -> Result<Machine, LabError> {
    let Some(text) = option else {
        return Machine::here().map_err(|error| LabError::Usage(error.to_string()));
    };
    let read = match text.split_once(':') {
        Some(("synthetic", description)) => Machine::of_synthetic(description),
        Some(("sysfs", folder)) => Machine::of_sysfs(Path::new(folder)),
        _ => {
            return Err(LabError::Usage(format!(
                "--machine {text}: expected synthetic:DESCRIPTION, as in 'synthetic:pack:2 numa:1 core:4 pu:2', \
                 or sysfs:FOLDER, a copy of a machine's /sys and /proc"
            )));
        }
    };
    read.map_err(|error| LabError::Usage(format!("--machine {text}: {error}")))
}
