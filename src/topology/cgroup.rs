//! The quota of CPU time of the process's control group, in version 2 and version 1.
//!
//! ```text
//! /proc/self/cgroup      0::/a/b                        v2: the group is /a/b
//!                        4:cpu,cpuacct:/a/b             v1, controller cpu
//! /proc/self/mountinfo   .. <root> <mount point> .. - cgroup2 ..        where the tree is seen,
//!                        .. <root> <mount point> .. - cgroup .. cpu     and from which group on
//! v2: cpu.max                "max 100000" | "<quota> <period>"
//! v1: cpu.cfs_quota_us       -1 | <quota>       cpu.cfs_period_us   <period>
//! ```
//!
//! A quota of any ancestor holds too, so each is read up to the top of what is mounted, and the
//! tightest one counts. In a container the upper groups are often not visible; then their quotas are
//! not seen. A group without the file has no quota.
//!
//! *Source*: `cgroups(7)`, `proc(5)`, the kernel's `Documentation/admin-guide/cgroup-v2.rst`.

use super::machine::Quota;
use super::sysfs::{optional_text, optional_value};
use crate::error::TopologyError;
use std::path::{Component, Path, PathBuf};

/// The tightest quota of the process under `root`.
pub(super) fn quota(root: &Path) -> Result<Option<Quota>, TopologyError> {
    let groups = root.join("proc/self/cgroup");
    let mounts = root.join("proc/self/mountinfo");
    // A kernel that is built without control groups has no such file.
    let Some(groups) = optional_text(&groups, "the control groups of the process")? else {
        return Ok(None);
    };
    let Some(mounts) = optional_text(&mounts, "the mounts of the process")? else {
        return Ok(None);
    };
    let mut tightest: Option<Quota> = None;
    for line in groups.lines() {
        let Some(group) = Group::of_line(line) else {
            continue;
        };
        let seen = mounts.lines().filter_map(Mount::of_line);
        for mount in seen.filter(|mount| mount.shows(&group)) {
            for folder in mount.folders(root, &group) {
                let quota = if group.unified {
                    unified(&folder)?
                } else {
                    legacy(&folder)?
                };
                tightest = match (tightest, quota) {
                    (Some(old), Some(new)) if !new.is_below(&old) => Some(old),
                    (old, new) => new.or(old),
                };
            }
        }
    }
    Ok(tightest)
}

/// A control group of the process that may have a quota.
struct Group<'a> {
    unified: bool,
    path: &'a str,
}

impl<'a> Group<'a> {
    /// Of a line `hierarchy:controllers:path`.
    fn of_line(line: &'a str) -> Option<Self> {
        let mut fields = line.splitn(3, ':');
        let (hierarchy, controllers, path) = (fields.next()?, fields.next()?, fields.next()?);
        let unified = hierarchy == "0" && controllers.is_empty();
        let counts = unified || controllers.split(',').any(|name| name == "cpu");
        counts.then_some(Self { unified, path })
    }
}

/// A mounted tree of control groups.
struct Mount {
    unified: bool,
    /// The group that the mount point shows.
    top: String,
    point: String,
}

impl Mount {
    fn of_line(line: &str) -> Option<Self> {
        let (mount, system) = line.split_once(" - ")?;
        let mut system = system.split(' ');
        let unified = match system.next()? {
            "cgroup2" => true,
            "cgroup" => false,
            _ => return None,
        };
        let options = system.nth(1)?;
        if !unified && !options.split(',').any(|option| option == "cpu") {
            return None;
        }
        let mut mount = mount.split(' ').skip(3);
        Some(Self {
            unified,
            top: unescaped(mount.next()?),
            point: unescaped(mount.next()?),
        })
    }

    fn shows(&self, group: &Group<'_>) -> bool {
        self.unified == group.unified
    }

    /// The folders of the group and its ancestors, as far as they are seen here: none if the mount
    /// shows other groups only.
    fn folders(&self, root: &Path, group: &Group<'_>) -> Vec<PathBuf> {
        let top = under(root, &self.point);
        let Ok(below) = Path::new(group.path).strip_prefix(&self.top) else {
            return Vec::new();
        };
        // A group outside of the namespace is shown as `/../name`.
        if below
            .components()
            .any(|part| !matches!(part, Component::Normal(_)))
        {
            return Vec::new();
        }
        let mut folders = vec![top];
        for name in below {
            let parent = folders.last().cloned().unwrap_or_default();
            folders.push(parent.join(name));
        }
        folders
    }
}

/// The same absolute path in the tree under `root`, and never above it.
fn under(root: &Path, path: &str) -> PathBuf {
    let parts = Path::new(path).components();
    let parts = parts.filter(|part| matches!(part, Component::Normal(_)));
    root.join(parts.collect::<PathBuf>())
}

/// `mountinfo` writes a space, a tab, a line end and a backslash as three octal digits.
fn unescaped(text: &str) -> String {
    [
        ("\\040", " "),
        ("\\011", "\t"),
        ("\\012", "\n"),
        ("\\134", "\\"),
    ]
    .iter()
    .fold(text.to_owned(), |text, (from, to)| text.replace(from, to))
}

fn unified(folder: &Path) -> Result<Option<Quota>, TopologyError> {
    let file = folder.join("cpu.max");
    let expected = "`max` or a number of microseconds, and a period";
    let Some(text) = optional_text(&file, expected)? else {
        return Ok(None);
    };
    let wrong = || TopologyError::at(0, text.trim_end(), expected).inside(&file);
    let (quota, period) = text.trim().split_once(' ').ok_or_else(wrong)?;
    let period: u64 = period.parse().map_err(|_| wrong())?;
    if quota == "max" {
        return Ok(None);
    }
    let quota: u64 = quota.parse().map_err(|_| wrong())?;
    Ok(Some(Quota::new(quota, period)))
}

fn legacy(folder: &Path) -> Result<Option<Quota>, TopologyError> {
    let quota = folder.join("cpu.cfs_quota_us");
    let expected = "-1 or a number of microseconds";
    let Some(quota) = optional_value::<i64>(&quota, expected)? else {
        return Ok(None);
    };
    let Ok(quota) = u64::try_from(quota) else {
        return Ok(None);
    };
    let file = folder.join("cpu.cfs_period_us");
    let expected = "a period in microseconds";
    match optional_value::<u64>(&file, expected)? {
        Some(period) => Ok(Some(Quota::new(quota, period))),
        None => Err(TopologyError::of_file(&file, "no such file", expected)),
    }
}
