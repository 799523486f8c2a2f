//! What can go wrong, and with which exit code.
use std::path::PathBuf;
use std::process::{ExitCode, ExitStatus};

/// An error of the lab.
#[derive(Debug, thiserror::Error)]
pub(crate) enum LabError {
    /// A map gave a wrong result. Exit code 1.
    #[error("WRONG RESULT: {map} on {work}: {what}")]
    Wrong {
        map: String,
        work: String,
        what: String,
    },

    /// A file does not hold what it should. Exit code 2.
    #[error("{file}:{line}: {expected}")]
    Input {
        file: String,
        line: u64,
        expected: String,
    },

    /// A file cannot be read or written. Exit code 2.
    #[error("{}: {source}", path.display())]
    File {
        path: PathBuf,
        source: std::io::Error,
    },

    /// An option does not make sense. Exit code 2.
    #[error("{0}")]
    Usage(String),

    /// The process that applies a plan has been ended. Exit code 1.
    #[error(
        "the child that applied the plan was ended ({status}); bound memory ends so on a full node"
    )]
    Ended { status: ExitStatus },

    /// A report could not be made. Exit code 3.
    #[error("report: {0}")]
    Report(String),

    /// Standard output is gone. Exit code 3.
    #[error("standard output: {0}")]
    Output(#[from] std::io::Error),
}

impl LabError {
    /// The process's exit code.
    #[must_use]
    pub(crate) fn exit_code(&self) -> ExitCode {
        ExitCode::from(match self {
            Self::Wrong { .. } | Self::Ended { .. } => 1,
            Self::Input { .. } | Self::File { .. } | Self::Usage(_) => 2,
            Self::Report(_) | Self::Output(_) => 3,
        })
    }

    /// Attaches the path to a file error.
    pub(crate) fn at(path: impl Into<PathBuf>) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.into();
        move |source| Self::File { path, source }
    }
}
