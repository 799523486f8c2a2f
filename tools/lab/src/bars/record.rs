//! The record of a run of bars: docs/measurements/DATE-CPU.md.
use super::{Bar, Effort};
use crate::error::LabError;
use crate::job::command_line;
use crate::machine::Machine;
use core::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Writes the record into the project that the command runs in.
pub(super) fn write(machine: &Machine, effort: Effort, bars: &[Bar]) -> Result<PathBuf, LabError> {
    let folder = Path::new("docs/measurements");
    if !folder.is_dir() {
        return Err(LabError::Usage(
            "--record: expected to run at the root of the project, where docs/measurements is"
                .to_owned(),
        ));
    }
    let now = jiff::Timestamp::now();
    let day = now.strftime("%Y-%m-%d").to_string();
    let path = (1..)
        .map(|number: u32| {
            let more = if number == 1 {
                String::new()
            } else {
                format!("-{number}")
            };
            folder.join(format!("{day}-{}{more}.md", slug(&machine.cpu)))
        })
        .find(|path| !path.exists())
        .unwrap_or_default();
    let text = text(
        machine,
        effort,
        bars,
        &now.strftime("%Y-%m-%d %H:%M UTC").to_string(),
    )
    .map_err(|_| LabError::Report("the record could not be formatted".to_owned()))?;
    std::fs::write(&path, text).map_err(LabError::at(&path))?;
    Ok(path)
}

fn text(
    machine: &Machine,
    effort: Effort,
    bars: &[Bar],
    date: &str,
) -> Result<String, core::fmt::Error> {
    let mut text = String::new();
    writeln!(text, "# Bars on {}\n", machine.cpu)?;
    writeln!(text, "| | |\n|---|---|")?;
    writeln!(text, "| date | {date} |")?;
    writeln!(text, "| command | `{}` |", command_line())?;
    writeln!(text, "| commit | {} |", commit())?;
    writeln!(
        text,
        "| rounds | {} that count, interleaved, order rotated |",
        effort.rounds
    )?;
    writeln!(
        text,
        "| hasher | foldhash 0.2 (fast), fixed seed, for all maps |"
    )?;
    writeln!(text, "| allocator | the system's, for all maps |")?;
    writeln!(text, "| bytes | {} |", crate::alloc::method())?;
    for row in machine.rows() {
        writeln!(text, "| {} | {} |", row.name, row.words().replace('|', "/"))?;
    }
    writeln!(
        text,
        "\nRatios are paired by round, with their 95 % interval; see README.md here.\n"
    )?;
    writeln!(text, "| workload | bar | found | ours | theirs | verdict |")?;
    writeln!(text, "|---|---|---|---|---|---|")?;
    for bar in bars {
        writeln!(
            text,
            "| {} | {} | {} | {} | {} | {} |",
            bar.case,
            bar.asks,
            bar.finding(),
            bar.ours,
            bar.theirs,
            bar.outcome()
        )?;
    }
    Ok(text)
}

/// The commit, and whether the work tree differs from it.
fn commit() -> String {
    let git = |args: &[&str]| {
        let output = Command::new("git").args(args).output().ok()?;
        output
            .status
            .success()
            .then(|| String::from_utf8_lossy(&output.stdout).trim().to_owned())
    };
    match (
        git(&["rev-parse", "HEAD"]),
        git(&["status", "--porcelain", "--untracked-files=no"]),
    ) {
        (Some(commit), Some(changes)) if changes.is_empty() => commit,
        (Some(commit), _) => format!("{commit}, with changes"),
        (None, _) => "unknown: git did not say".to_owned(),
    }
}

/// Lower-case letters and digits with hyphens.
fn slug(text: &str) -> String {
    let plain = |c: char| {
        if c.is_ascii_alphanumeric() {
            c.to_ascii_lowercase()
        } else {
            '-'
        }
    };
    let text: String = text.chars().map(plain).collect();
    let words: Vec<&str> = text.split('-').filter(|word| !word.is_empty()).collect();
    words.join("-")
}

#[cfg(test)]
mod tests {
    use super::slug;

    #[test]
    fn file_names_are_plain() {
        assert_eq!(slug("AMD EPYC 7763 (64-Core)"), "amd-epyc-7763-64-core");
    }
}
