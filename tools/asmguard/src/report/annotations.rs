//! The report as workflow commands of a hosted runner, which shows them beside the source.

use super::{Change, Recording, Report};
use core::fmt::Write as _;

impl Report {
    /// One `::error` for each probe that fails, and for each header.
    #[must_use]
    pub fn annotations(&self) -> String {
        let mut text = String::new();
        for group in &self.variants {
            let header = match &group.recording {
                Recording::Same | Recording::Other(_) => None,
                Recording::Stale(diff) => Some(format!("the header is stale\n{diff}")),
                Recording::None => Some("nothing is recorded".to_owned()),
            };
            if let Some(said) = header {
                let (title, said) = (property(&group.variant), message(&said));
                // Writing to a String cannot fail, here and below.
                let _ = writeln!(text, "::error title={title}::{said}");
            }
            for verdict in &group.verdicts {
                let mut said = verdict.contract.clone();
                match &verdict.change {
                    Change::Skipped | Change::Same => {}
                    Change::New => said.push("snapshot: not recorded yet".into()),
                    Change::Gone => said.push("snapshot: there is no such probe".into()),
                    Change::Different { classes, text } => {
                        said.push(format!("snapshot: {}\n{text}", classes.join(", ")));
                    }
                }
                if said.is_empty() {
                    continue;
                }
                let place = match &verdict.source {
                    Some((file, line)) => format!("file={},line={line},", property(file)),
                    None => String::new(),
                };
                let title = property(&format!("{}/{}", group.variant, verdict.probe));
                let said = message(&said.join("\n"));
                let _ = writeln!(text, "::error {place}title={title}::{said}");
            }
        }
        for missing in &self.missing {
            let _ = writeln!(text, "::error title=missing::{}", message(missing));
        }
        text
    }
}

/// What a message may not hold as it is.
fn message(text: &str) -> String {
    text.replace('%', "%25")
        .replace('\r', "%0D")
        .replace('\n', "%0A")
}

/// A property may not hold what separates properties, either.
fn property(text: &str) -> String {
    message(text).replace(':', "%3A").replace(',', "%2C")
}
