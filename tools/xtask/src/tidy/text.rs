//! Rules on lines of text: length of a file, open ends, scripts, workflow steps, banned words.

use crate::report::Report;
use crate::safety;
use crate::source::RustFile;
use regex::Regex;
use std::sync::LazyLock;

/// A longer file is a sign that two phases share it.
const LINES: usize = 500;

/// Files that a tool of ours writes; their length is not a choice.
const GENERATED: &[&str] = &["docs/MAP.md", "docs/ORDERINGS.md"];

static OPEN_END: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r"\b(TODO|FIXME)\b(.?.?)").expect("the pattern is a constant"));

/// Checks one file.
pub(crate) fn check(path: &str, content: &str, report: &mut Report) {
    let lines = content.lines().count();
    if lines > LINES && !GENERATED.contains(&path) {
        report.add(
            path,
            LINES + 1,
            format!("{lines} lines; a file has at most {LINES}"),
        );
    }
    let shell = path.ends_with(".sh") || content.starts_with("#!") && first_line_is_shell(content);
    if shell
        && !content
            .lines()
            .any(|line| line.trim_end() == "set -euo pipefail")
    {
        report.add(path, 1, "shell script without `set -euo pipefail`");
    }
    if path.starts_with(".github/workflows/") {
        steps(path, content, report);
    }
    for (index, line) in content.lines().enumerate() {
        let said = spoken(path, line);
        for found in OPEN_END.captures_iter(&said) {
            if !found[2]
                .trim_start_matches('(')
                .trim_start()
                .starts_with('#')
            {
                let message = format!("{} without an issue number", &found[1]);
                report.add(path, index + 1, message);
            }
        }
    }
}

fn first_line_is_shell(content: &str) -> bool {
    content
        .lines()
        .next()
        .is_some_and(|line| line.ends_with("sh") || line.contains("sh "))
}

/// The part of a line in which somebody speaks: comments in code, text outside of `code` in prose.
fn spoken(path: &str, line: &str) -> String {
    let marker = match path.rsplit('.').next() {
        Some("md") => return line.split('`').step_by(2).collect(),
        Some("html" | "css") => return line.to_owned(),
        Some("rs" | "js" | "s") => "//",
        _ => "#",
    };
    let comment = line.find(marker).map(|at| &line[at..]).unwrap_or_default();
    comment.split('`').step_by(2).collect()
}

/// A step of a workflow is a call that a developer can repeat at home.
fn steps(path: &str, content: &str, report: &mut Report) {
    for (index, line) in content.lines().enumerate() {
        let step = line.trim_start().trim_start_matches("- ");
        let Some(command) = step.strip_prefix("run:").map(str::trim) else {
            continue;
        };
        if !command.starts_with("cargo xtask ") && !command.starts_with("rustup ") {
            let message = format!("step `{command}` is neither `cargo xtask ..` nor `rustup ..`");
            report.add(path, index + 1, message);
        }
    }
}

/// Words that stand where an argument should, in any SAFETY comment.
pub(crate) fn safety_words(file: &RustFile, report: &mut Report) {
    for block in file.comment_blocks() {
        if let Some((line, text)) = safety::argument(&block)
            && let Some(word) = safety::banned(&text)
        {
            report.add(
                &file.path,
                line,
                format!("SAFETY says \"{word}\" instead of an argument"),
            );
        }
    }
}
