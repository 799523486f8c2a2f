//! The running machine as hwloc's library sees it.
//!
//! ```text
//! hwloc discovers --> its XML --> `xml` reads it --> Machine
//!                     affinity of the process    --> allowed
//! ```
//!
//! One reader serves both this and recorded texts, so that what is tested with one holds for the other.

use super::CpuSet;
use super::machine::Machine;
use super::xml;
use crate::error::TopologyError;
use core::fmt::Display;
use hwlocality::Topology;
use hwlocality::cpu::binding::CpuBindingFlags;
use hwlocality::topology::builder::BuildFlags;
use hwlocality::topology::export::xml::XMLExportFlags;
use hwlocality::topology::support::{CpuBindingSupport, FeatureSupport};

/// Asks hwloc.
pub(super) fn read() -> Result<Machine, TopologyError> {
    // Without the flag hwloc leaves out what the process may not use.
    let builder = Topology::builder().with_flags(BuildFlags::INCLUDE_DISALLOWED);
    let topology = builder.map_err(refused)?.build().map_err(refused)?;
    let text = topology
        .export_xml(XMLExportFlags::empty())
        .map_err(refused)?;
    let machine = xml::read(&text)?;
    let answers = topology.supports(FeatureSupport::cpu_binding, CpuBindingSupport::get_process);
    if !topology.is_this_system() || !answers {
        return Ok(machine);
    }
    // The number of a process is that of its first thread there.
    let whose = if cfg!(target_os = "linux") {
        CpuBindingFlags::THREAD
    } else {
        CpuBindingFlags::empty()
    };
    let bound = topology
        .process_cpu_binding(std::process::id(), whose)
        .map_err(refused)?;
    let online = machine.pus().iter().map(|pu| pu.cpu);
    let bound: CpuSet = online.filter(|cpu| bound.is_set(*cpu)).collect();
    Ok(machine.with_allowed(&bound))
}

fn refused(why: impl Display) -> TopologyError {
    TopologyError::at(0, &why.to_string(), "an answer of hwloc")
}
