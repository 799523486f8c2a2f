//! The report as Markdown, for the summary of a job.

use super::{Change, Recording, Report};
use core::fmt::Write as _;

impl Report {
    /// A table of the variants, then what fails.
    #[must_use]
    pub fn markdown(&self) -> String {
        let mut text = String::from(
            "## Machine code\n\n\
             | variant | probes | contracts broken | snapshots | seconds |\n\
             |---|---|---|---|---|\n",
        );
        // Writing to a String cannot fail, here and below.
        for group in &self.variants {
            let snapshots = match &group.recording {
                Recording::Other(recorded) => format!("skipped: recorded with {recorded}"),
                Recording::None => "nothing is recorded".to_owned(),
                _ => format!("{} differ", group.different()),
            };
            let _ = writeln!(
                text,
                "| {} | {} | {} | {snapshots} | {:.1} |",
                group.variant,
                group.verdicts.len(),
                group.broken(),
                group.seconds
            );
        }
        for missing in &self.missing {
            let _ = writeln!(text, "\nMissing: {missing}");
        }
        for group in &self.variants {
            if let Recording::Stale(diff) = &group.recording {
                let _ = writeln!(
                    text,
                    "\n`{}`: the header is stale\n```diff\n{diff}\n```",
                    group.variant
                );
            }
            for verdict in &group.verdicts {
                let name = format!("{}/{}", group.variant, verdict.probe);
                if !verdict.contract.is_empty() {
                    let problems = verdict.contract.join("\n");
                    let _ = writeln!(
                        text,
                        "\n`{name}` breaks its contract:\n```\n{problems}\n```"
                    );
                }
                match &verdict.change {
                    Change::Skipped | Change::Same => {}
                    Change::New => {
                        let _ = writeln!(text, "\n`{name}` is not recorded yet");
                    }
                    Change::Gone => {
                        let _ =
                            writeln!(text, "\n`{name}` is recorded, and there is no such probe");
                    }
                    Change::Different {
                        classes,
                        text: diff,
                    } => {
                        let moved = classes.join(", ");
                        let _ = writeln!(text, "\n`{name}` changed: {moved}\n```diff\n{diff}\n```");
                    }
                }
            }
        }
        text
    }
}
