//! The command line.
use crate::engines::Entrant;
use crate::mixes::{Dist, Mix};
use atomshard::topology::Memory;
use clap::{Args, Parser, Subcommand, ValueEnum};
use std::path::PathBuf;

/// Measures concurrent maps on this machine, checks every result, and says which to choose.
///
/// Without arguments: says what machine this is, replays two recorded traces and the classic
/// mixes on every map, and writes report.json and report.html.
#[derive(Debug, Parser)]
#[command(name = "atomshard", version, args_conflicts_with_subcommands = true)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Option<Command>,
    #[command(flatten)]
    pub(crate) run: RunArgs,
}

/// What to do instead of the main job.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Measures the project's performance bars and says of each: met, missed or cannot tell.
    Bars(BarsArgs),
    /// Says what this machine can count, what disturbs a run, and what to change.
    Doctor(DoctorArgs),
    /// How long removed values wait for their destructors, and how many bytes wait.
    Drops(DropsArgs),
    /// How long a line takes from core to core: each pair of CPUs, declared against measured.
    Latency(LatencyArgs),
    /// A plan for a machine: the CPU of each thread, the node of each shard, and what each policy costs.
    Place(PlaceArgs),
    /// What a machine looks like: packages, NUMA nodes, caches, cores and CPUs.
    Topo(TopoArgs),
    /// Applies a plan of placement in a child process, and shows where threads and pages came to lie. Exit code 1
    /// if not all is as planned.
    Verify(VerifyArgs),
    /// Compares this build with one over another body of reclamation, process by process.
    Versus(VersusArgs),
}

/// Options of the main job.
#[derive(Debug, Args)]
pub(crate) struct RunArgs {
    /// Replay this file instead: a key to count on each line, or CSV `op,key` with op get, put
    /// or del; `-` is standard input; `.zst` is unpacked.
    #[arg(long, value_name = "FILE")]
    pub(crate) trace: Option<PathBuf>,
    /// Run this mix instead: percent of gets, loads and deletes.
    #[arg(long, value_name = "G/L/D")]
    pub(crate) mix: Option<Mix>,
    /// How the mix chooses keys; both if not given.
    #[arg(long, value_enum)]
    pub(crate) dist: Option<Dist>,
    /// Numbers of threads, as 1,2,8. Default: 1 up to the processors.
    #[arg(long, value_delimiter = ',', value_name = "N,..", value_parser = clap::value_parser!(u16).range(1..=1024))]
    pub(crate) threads: Vec<u16>,
    /// Seconds for the whole run; a busy machine takes longer, since some rounds are a must.
    #[arg(long, default_value_t = 60, value_parser = clap::value_parser!(u32).range(1..=86_400))]
    pub(crate) seconds: u32,
    /// Size of the mixes' key space.
    #[arg(long, default_value_t = 400_000, value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) keys: u32,
    /// Maps to compare; all if not given.
    #[arg(long, value_enum, value_delimiter = ',', value_name = "MAP,..")]
    pub(crate) maps: Vec<Entrant>,
    /// Folder for report.json and report.html.
    #[arg(long, default_value = ".", value_name = "DIR")]
    pub(crate) out: PathBuf,
}

/// Options of `bars`.
#[derive(Debug, Args)]
pub(crate) struct BarsArgs {
    /// The groups to measure, as in `bars memory`; all if not given.
    #[arg(value_enum)]
    pub(crate) groups: Vec<BarGroup>,
    /// Only bars whose name, as printed, contains this: a workload or a map of ours.
    #[arg(long, value_name = "NAME")]
    pub(crate) only: Option<String>,
    /// A hundredth of the entries and few rounds: shows that it works, measures nothing.
    #[arg(long)]
    pub(crate) quick: bool,
    /// Write docs/measurements/DATE-CPU.md.
    #[arg(long)]
    pub(crate) record: bool,
    /// Rounds that count; at least 10, and with --quick 3. Default: 12, and with --quick 3.
    #[arg(long, value_parser = clap::value_parser!(u16).range(3..=200))]
    pub(crate) rounds: Option<u16>,
}

/// Options of `doctor`.
#[derive(Debug, Args)]
pub(crate) struct DoctorArgs {
    /// Print JSON, in the form in which report.json has the machine.
    #[arg(long)]
    pub(crate) json: bool,
}

/// Options of `drops`.
#[derive(Debug, Args)]
pub(crate) struct DropsArgs {
    /// Numbers of threads, as 1,2.
    #[arg(long, value_delimiter = ',', value_name = "N,..", default_value = "1,2", value_parser = clap::value_parser!(u16).range(1..=1024))]
    pub(crate) threads: Vec<u16>,
    /// Seconds for each.
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..=60))]
    pub(crate) seconds: u32,
}

/// Options of `latency`.
#[derive(Debug, Args)]
pub(crate) struct LatencyArgs {
    /// Only these CPUs, as 0-7,16; all that are allowed if not given.
    #[arg(long, value_name = "CPUS")]
    pub(crate) cpus: Option<String>,
    /// Print JSON, with every round.
    #[arg(long)]
    pub(crate) json: bool,
    /// Draw a heat map into this file.
    #[arg(long, value_name = "FILE")]
    pub(crate) svg: Option<PathBuf>,
}

/// Options of `place`.
#[derive(Debug, Args)]
pub(crate) struct PlaceArgs {
    /// The machine; the one here if not given: synthetic:DESCRIPTION (`synthetic:pack:2 numa:1 core:4 pu:2`),
    /// sysfs:FOLDER, a copy of its /sys and /proc; xml:FILE, which `lstopo --of xml` wrote; or hwloc, the one here by
    /// hwloc's library.
    #[arg(long, value_name = "MACHINE")]
    pub(crate) machine: Option<String>,
    /// compact, cores-first, spread, per-node, one-per-l3, node-local, interleave, or a list of CPUs.
    #[arg(long, default_value = "spread")]
    pub(crate) policy: String,
    /// Threads; as many as CPUs, or as the quota pays for, if not given.
    #[arg(long, value_name = "N")]
    pub(crate) threads: Option<usize>,
    /// Shards; as many as threads if not given.
    #[arg(long, value_name = "N")]
    pub(crate) shards: Option<usize>,
    /// CPUs to leave free, as 0-1,8.
    #[arg(long, value_name = "CPUS")]
    pub(crate) reserve: Option<String>,
    /// Use the CPUs that the kernel has isolated (isolcpus) like any other. A list that names them does too.
    #[arg(long)]
    pub(crate) isolated: bool,
    /// Count costs with the distances in this file, which `latency --json` wrote on this machine; declared ones count
    /// where it has none.
    #[arg(long, value_name = "FILE", conflicts_with = "emit")]
    pub(crate) latency: Option<PathBuf>,
    /// Say of each shard why it is where it is, which CPUs and nodes are left out, and why, and which distances the costs are
    /// counted with.
    #[arg(long)]
    pub(crate) explain: bool,
    /// Print the plan alone, for programs.
    #[arg(long, value_enum, conflicts_with = "explain")]
    pub(crate) emit: Option<Emit>,
}

/// Forms of a plan.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum Emit {
    /// As `serde` has it.
    Json,
    /// The same.
    Toml,
    /// A command for a whole program.
    Numactl,
}

/// Options of `topo`.
#[derive(Debug, Args)]
pub(crate) struct TopoArgs {
    /// The machine; the one here if not given: synthetic:DESCRIPTION, sysfs:FOLDER, xml:FILE or hwloc.
    #[arg(long, value_name = "MACHINE")]
    pub(crate) machine: Option<String>,
    /// Print JSON.
    #[arg(long)]
    pub(crate) json: bool,
    /// Draw it into this file.
    #[arg(long, value_name = "FILE")]
    pub(crate) svg: Option<PathBuf>,
    /// CPUs to mark in the drawing as reserved, as 0-1,8.
    #[arg(long, value_name = "CPUS", requires = "svg")]
    pub(crate) reserve: Option<String>,
}

/// Options of `verify`.
#[derive(Debug, Args)]
pub(crate) struct VerifyArgs {
    /// The plan, a table with the keys policy, threads and shards: TOML in a file `*.toml`, else JSON.
    pub(crate) plan: PathBuf,
    /// On which node the kernel takes memory: first-touch, preferred, bind, interleave or weighted. With bind
    /// a full node means the OOM killer.
    #[arg(long, default_value_t)]
    pub(crate) memory: Memory,
    /// KiB of memory for each shard; one shard's memory is held at a time.
    #[arg(long, default_value_t = 1024, value_parser = clap::value_parser!(u32).range(1..=1 << 24))]
    pub(crate) kib: u32,
    /// Apply here, as the child does.
    #[arg(long, hide = true)]
    pub(crate) apply: bool,
}

/// Options of `versus`.
#[derive(Debug, Args)]
pub(crate) struct VersusArgs {
    /// The other build of this program.
    pub(crate) other: PathBuf,
    /// The body that the other build must be over, as its reports name it.
    #[arg(long, default_value = "seize")]
    pub(crate) body: String,
    /// Pairs of processes for each row; a verdict rests on ten at least.
    #[arg(long, default_value_t = 14, value_parser = clap::value_parser!(u16).range(10..=200))]
    pub(crate) pairs: u16,
    /// Few keys and three pairs: shows that it works, measures nothing.
    #[arg(long)]
    pub(crate) quick: bool,
    /// Folder for the reports of the processes.
    #[arg(long, value_name = "DIR")]
    pub(crate) out: PathBuf,
}

/// A row of the table of bars.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum BarGroup {
    /// Get-only at 10k, 10M and 14M entries.
    Get,
    /// 95/5 and 98/1/1 at 10k, 10M and 14M.
    Read,
    /// 70/20/10, uniform and Zipf, and 50/50 on Zipf, at 10k, 10M and 14M.
    Churn,
    /// From empty to 10M.
    Growth,
    /// 8 threads on 2 cores.
    Crowd,
    /// String keys.
    Text,
    /// Bytes held at 8 to 16M entries and in small maps.
    Memory,
    /// Nanoseconds per entry.
    Iteration,
}
