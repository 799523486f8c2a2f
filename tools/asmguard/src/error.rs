//! What can go wrong before there is anything to judge.

use std::path::PathBuf;

/// An error of the guard: bad input, named by its place.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum GuardError {
    /// A file does not hold what it should.
    #[error("{file}:{line}: {expected}")]
    Input {
        /// The file as it was named.
        file: String,
        /// The line, from 1.
        line: usize,
        /// What was expected there, and what was found.
        expected: String,
    },
    /// A function cannot be judged.
    #[error("{function}: {what}")]
    Function {
        /// The function.
        function: String,
        /// What is wrong with it.
        what: String,
    },
    /// A file cannot be read or written.
    #[error("{}: {error}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// The system's answer.
        error: std::io::Error,
    },
}

impl GuardError {
    pub(crate) fn function(function: &str, what: impl Into<String>) -> Self {
        Self::Function {
            function: function.to_owned(),
            what: what.into(),
        }
    }

    pub(crate) fn file(path: &std::path::Path, error: std::io::Error) -> Self {
        Self::File {
            path: path.to_path_buf(),
            error,
        }
    }
}
