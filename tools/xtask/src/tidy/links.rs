//! Links that stay inside the repository must lead somewhere: in Markdown and in doc comments.

use crate::report::Report;
use pulldown_cmark::{Event, Options, Parser, Tag, TagEnd};
use std::collections::BTreeSet;
use std::path::{Component, Path, PathBuf};

/// Checks the links of one file.
pub(crate) fn check(root: &Path, path: &str, content: &str, report: &mut Report) {
    if path.ends_with(".md") {
        for (target, line) in links(content) {
            judge(root, path, &target, line, report);
        }
    } else if path.ends_with(".rs") {
        let doc = doc_text(content);
        for (target, line) in links(&doc)
            .into_iter()
            .filter(|(target, _)| names_a_file(target))
        {
            judge(root, path, &target, line, report);
        }
    }
}

/// The doc comments of a file with every other line blank, so that line numbers stay.
fn doc_text(content: &str) -> String {
    let strip = |line: &str| {
        let line = line.trim_start();
        let text = line
            .strip_prefix("///")
            .or_else(|| line.strip_prefix("//!"));
        text.unwrap_or_default()
            .strip_prefix(' ')
            .unwrap_or_default()
            .to_owned()
            + "\n"
    };
    content.lines().map(strip).collect()
}

/// In doc comments most targets are items; a file has a `/` or a known ending, and no `::`.
fn names_a_file(target: &str) -> bool {
    let plain = target.split('#').next().unwrap_or_default();
    let ending = [".md", ".rs", ".toml", ".csv", ".s", ".sh", ".py"];
    !plain.contains("::") && (plain.contains('/') || ending.iter().any(|end| plain.ends_with(end)))
}

/// Every link and image target of a Markdown text, with its line.
fn links(text: &str) -> Vec<(String, usize)> {
    let mut found = Vec::new();
    for (event, range) in Parser::new_ext(text, Options::ENABLE_TABLES).into_offset_iter() {
        if let Event::Start(Tag::Link { dest_url, .. } | Tag::Image { dest_url, .. }) = event {
            found.push((
                dest_url.to_string(),
                1 + text[..range.start].matches('\n').count(),
            ));
        }
    }
    found
}

fn judge(root: &Path, path: &str, target: &str, line: usize, report: &mut Report) {
    if target.contains("://") || target.starts_with("mailto:") || target.is_empty() {
        return;
    }
    let (file, anchor) = target.split_once('#').unwrap_or((target, ""));
    let folder = Path::new(path).parent().unwrap_or(Path::new(""));
    let Some(file) = resolve(folder, file, path) else {
        report.add(path, line, format!("link `{target}` leaves the repository"));
        return;
    };
    if !root.join(&file).exists() {
        report.add(path, line, format!("link `{target}` leads to nothing"));
        return;
    }
    let markdown = file.extension().is_some_and(|ending| ending == "md");
    if anchor.is_empty() || !markdown {
        return;
    }
    let text = std::fs::read_to_string(root.join(&file)).unwrap_or_default();
    if !anchors(&text).contains(anchor) {
        report.add(path, line, format!("link `{target}` leads to no heading"));
    }
}

/// The path from the root that a relative link means; `None` when it climbs out.
fn resolve(folder: &Path, link: &str, own: &str) -> Option<PathBuf> {
    if link.is_empty() {
        return Some(PathBuf::from(own));
    }
    let joined = match link.strip_prefix('/') {
        Some(from_root) => PathBuf::from(from_root),
        None => folder.join(link),
    };
    let mut clean = PathBuf::new();
    for part in joined.components() {
        match part {
            Component::ParentDir => clean.pop().then_some(())?,
            Component::Normal(name) => clean.push(name),
            _ => {}
        }
    }
    Some(clean)
}

/// The anchors of all headings: lower case, spaces as hyphens, punctuation dropped.
fn anchors(text: &str) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    let mut heading: Option<String> = None;
    for event in Parser::new_ext(text, Options::ENABLE_TABLES) {
        match event {
            Event::Start(Tag::Heading { .. }) => heading = Some(String::new()),
            Event::End(TagEnd::Heading(_)) => {
                let slug = slug(&heading.take().unwrap_or_default());
                let repeated = (1..).map(|n| format!("{slug}-{n}"));
                let free = core::iter::once(slug.clone())
                    .chain(repeated)
                    .find(|s| !found.contains(s));
                found.extend(free);
            }
            Event::Text(part) | Event::Code(part) => {
                if let Some(text) = &mut heading {
                    text.push_str(&part);
                }
            }
            _ => {}
        }
    }
    found
}

fn slug(heading: &str) -> String {
    let kept = heading
        .trim()
        .chars()
        .filter(|c| c.is_alphanumeric() || " -_".contains(*c));
    kept.flat_map(char::to_lowercase)
        .map(|c| if c == ' ' { '-' } else { c })
        .collect()
}
