//! `atomshard topo` and `atomshard place`: machines and plans, in words, JSON, TOML and commands.
//!
//! | file | what |
//! |---|---|
//! | `source.rs` | which machine: the one here, a copied tree, a short description |
//! | `topo.rs` | what it looks like |
//! | `place.rs` | a plan for it, what each policy costs, and why a CPU is left out |
mod place;
mod source;
mod topo;

pub(crate) use place::run as place;
pub(crate) use topo::run as topo;
