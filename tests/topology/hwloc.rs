//! The running machine by hwloc, against the same by sysfs: field by field.
use atomshard::topology::{CpuSet, Machine};

/// Both see the process too, so a thread that is pinned alone changes nothing.
#[test]
fn the_running_machine_is_the_same_by_hwloc() {
    let (Ok(sysfs), hwloc) = (Machine::here(), Machine::from_hwloc().expect("an answer")) else {
        return;
    };
    assert_eq!(hwloc.pus(), sysfs.pus());
    assert_eq!(hwloc.allowed(), sysfs.allowed());
    assert_eq!(hwloc.allowed_nodes(), sysfs.allowed_nodes());
    assert_eq!(hwloc.offline(), sysfs.offline());
    assert_eq!(hwloc.line_bytes(), sysfs.line_bytes());
    // hwloc says nothing of these.
    assert_eq!((hwloc.isolated(), hwloc.quota()), (&CpuSet::new(), None));
    // Neither of weights; of a node without memory it gives no size, and of a single node no distance.
    let is_one = sysfs.nodes().len() == 1;
    assert_eq!(hwloc.nodes().len(), sysfs.nodes().len());
    for (hwloc, sysfs) in hwloc.nodes().iter().zip(sysfs.nodes()) {
        let bytes = sysfs.memory_bytes.filter(|bytes| *bytes > 0);
        assert_eq!((hwloc.id, hwloc.memory_bytes), (sysfs.id, bytes));
        let distances: &[u32] = if is_one { &[] } else { &sysfs.distances };
        assert_eq!(hwloc.distances, distances, "node {}", hwloc.id);
    }
}
