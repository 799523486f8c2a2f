//! Steps that `ci --ahead` does when its builds are complete, with what the others leave of the processors.
//!
//! Both processes have a folder in common, new for each run, that `BESIDE` in the environment names; without it every step is done
//! in its turn. Who does a step has made its file `NAME.by` first, with his number. The log and the end are files as well.
//! A step whose process is gone before its end is done again.

use crate::shell::{Outcome, Shell};
use anyhow::{Context as _, Result};
use core::time::Duration;
use std::fs::{self, File};
use std::io::{ErrorKind, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Command, id};
use std::thread::sleep;

/// Those that build in folders of their own and ask for no quiet, the longest first.
const STEPS: &[&str] = &["aarch64", "mutants", "shares", "asm"];
/// Names the folder.
const VARIABLE: &str = "BESIDE";

/// The folder, if two processes share one.
pub(super) fn folder() -> Option<PathBuf> {
    std::env::var_os(VARIABLE).map(PathBuf::from)
}

/// Whether a step is one of those.
pub(super) fn is_one(name: &str) -> bool {
    STEPS.contains(&name)
}

/// Makes a step this process's own, if it is nobody's.
fn claim(folder: &Path, name: &str) -> Result<bool> {
    let path = folder.join(format!("{name}.by"));
    match File::create_new(&path) {
        Ok(mut file) => {
            write!(file, "{}", id())?;
            Ok(true)
        }
        Err(error) if error.kind() == ErrorKind::AlreadyExists => Ok(false),
        Err(error) => Err(error).with_context(|| format!("cannot make {}", path.display())),
    }
}

/// Does those that nobody does, each by a process of its own.
pub(super) fn work(shell: &Shell, folder: &Path, can_run: impl Fn(&str) -> bool) -> Result<()> {
    for name in STEPS.iter().filter(|name| can_run(name)) {
        if !claim(folder, name)? {
            continue;
        }
        let log = File::create(folder.join(format!("{name}.log")))?;
        let mut step = Command::new(std::env::current_exe()?);
        step.args(["ci", "--only", name]).current_dir(&shell.root);
        step.env_remove(VARIABLE)
            .stdout(log.try_clone()?)
            .stderr(log);
        let is_passed = step.status()?.success();
        let (written, end) = (folder.join("end"), folder.join(format!("{name}.end")));
        fs::write(&written, if is_passed { "passed" } else { "failed" })?;
        fs::rename(written, end)?;
    }
    Ok(())
}

/// Waits for the end of a step that another process does; `None` if this one is to do it.
pub(super) fn wait(folder: &Path, name: &str) -> Result<Option<Outcome>> {
    if claim(folder, name)? {
        return Ok(None);
    }
    let read = |what: &str| fs::read_to_string(folder.join(format!("{name}.{what}")));
    loop {
        let is_gone = !Path::new("/proc").join(read("by")?).exists();
        // In this order: what is not there once the process is gone will not come.
        match read("end") {
            Ok(end) => {
                println!("done beside the others:\n{}", read("log")?);
                return Ok(Some(match end.as_str() {
                    "passed" => Outcome::Passed("beside the others".to_owned()),
                    _ => Outcome::Failed("beside the others, see above".to_owned()),
                }));
            }
            Err(_) if is_gone => return Ok(None),
            Err(_) => sleep(Duration::from_millis(200)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Outcome, claim, wait};
    use std::fs;

    #[test]
    fn a_step_is_done_once_and_again_if_its_process_is_gone() {
        let folder = std::env::temp_dir().join(format!("beside-{}", std::process::id()));
        fs::create_dir_all(&folder).expect("a folder");
        let write = |name: &str, text: &str| fs::write(folder.join(name), text).expect("a file");
        assert!(matches!(wait(&folder, "free"), Ok(None)));
        assert!(!claim(&folder, "free").expect("its file is there"));
        for (end, is_passed) in [("passed", true), ("failed", false)] {
            write(&format!("{end}.by"), "1");
            write(&format!("{end}.log"), "");
            write(&format!("{end}.end"), end);
            let outcome = wait(&folder, end).expect("its files are there");
            assert_eq!(matches!(outcome, Some(Outcome::Passed(_))), is_passed);
            assert_eq!(matches!(outcome, Some(Outcome::Failed(_))), !is_passed);
        }
        write("gone.by", "0");
        assert!(matches!(wait(&folder, "gone"), Ok(None)));
        fs::remove_dir_all(&folder).expect("it is there");
    }
}
