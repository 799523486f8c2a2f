//! `atomshard topo`, `place` and `latency`: machines, plans, and how far cores are from each other.
//!
//! | file | what |
//! |---|---|
//! | `source.rs` | which machine: the one here, a copied tree, hwloc's XML, a short description |
//! | `drawing.rs` | pictures: a machine as boxes in boxes |
//! | `topo.rs` | what it looks like |
//! | `latency.rs` | the time of a line from core to core |
//! | `measured.rs` | distances of nodes that `latency` has measured |
//! | `place.rs` | a plan for it, what each policy costs, and why a CPU is left out |
mod drawing;
mod latency;
mod measured;
mod place;
mod source;
mod topo;

pub(crate) use latency::run as latency;
pub(crate) use place::run as place;
pub(crate) use topo::run as topo;

use comfy_table::{Row, Table, presets};

/// A table without rows.
fn table(header: impl Into<Row>) -> Table {
    let mut table = Table::new();
    table.load_style(presets::ASCII_MARKDOWN).set_header(header);
    table
}
