//! The files of the kernel, under a root: `/`, or a tree that a test has made.
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

/// Why something could not be read.
#[derive(Clone, Debug)]
pub(super) struct Unread {
    pub(super) reason: String,
    /// What helps; `None` of a file that is not there, whose meaning the caller knows.
    pub(super) remedy: Option<String>,
}

impl Unread {
    /// A file that holds something else.
    pub(super) fn mangled(path: &str, expected: &str, found: &str) -> Self {
        let found: String = found.chars().take(40).collect();
        Self {
            reason: format!("/{path}: expected {expected}, found {found:?}"),
            remedy: Some(format!("cat /{path}")),
        }
    }

    /// What other systems do not have.
    pub(super) fn elsewhere(what: &str) -> Self {
        Self {
            reason: format!("only Linux has {what}"),
            remedy: Some("measure on Linux".to_owned()),
        }
    }
}

/// Where the kernel's files are.
#[derive(Clone, Debug)]
pub(super) struct Tree {
    root: PathBuf,
    /// Whether the system has such files at all.
    pub(super) is_linux: bool,
}

impl Tree {
    /// The running system's.
    pub(super) fn here() -> Self {
        Self {
            root: PathBuf::from("/"),
            is_linux: cfg!(target_os = "linux"),
        }
    }

    /// That of a Linux under this folder.
    #[cfg(test)]
    pub(super) fn of(root: &Path) -> Self {
        Self {
            root: root.to_owned(),
            is_linux: true,
        }
    }

    pub(super) fn root(&self) -> &Path {
        &self.root
    }

    /// The text of a file, or why there is none. The path begins behind the root.
    pub(super) fn text(&self, path: &str) -> Result<String, Unread> {
        if !self.is_linux {
            return Err(Unread::elsewhere(&format!("/{path}")));
        }
        std::fs::read_to_string(self.root.join(path)).map_err(|error| match error.kind() {
            // A folder that is a file instead has no files.
            ErrorKind::NotFound | ErrorKind::NotADirectory => Unread {
                reason: format!("there is no /{path}"),
                remedy: None,
            },
            _ => Unread {
                reason: format!("/{path}: {error}"),
                remedy: Some(format!("sudo cat /{path}")),
            },
        })
    }

    /// The first line of a file, without the spaces around it.
    pub(super) fn line(&self, path: &str) -> Result<String, Unread> {
        let text = self.text(path)?;
        match text.lines().next().map(str::trim) {
            Some(line) if !line.is_empty() => Ok(line.to_owned()),
            _ => Err(Unread::mangled(path, "a line", "")),
        }
    }

    /// The number that a file consists of.
    pub(super) fn number(&self, path: &str) -> Result<i64, Unread> {
        let line = self.line(path)?;
        line.parse()
            .map_err(|_| Unread::mangled(path, "a number", &line))
    }

    /// The value of a line `name: value`.
    pub(super) fn field(&self, path: &str, name: &str) -> Result<String, Unread> {
        let text = self.text(path)?;
        let value = text.lines().find_map(|line| {
            let (key, value) = line.split_once(':')?;
            (key.trim() == name).then(|| value.trim().to_owned())
        });
        value.ok_or_else(|| Unread {
            reason: format!("/{path} has no line `{name}:`"),
            remedy: None,
        })
    }

    /// The names in a folder that are a word and a number, in order; none if it cannot be read.
    pub(super) fn numbered(&self, path: &str, word: &str) -> Vec<String> {
        let entries = std::fs::read_dir(self.root.join(path));
        let names = entries.into_iter().flatten().flatten();
        let mut numbers: Vec<u32> = names
            .filter_map(|entry| {
                let name = entry.file_name();
                name.to_str()?.strip_prefix(word)?.parse().ok()
            })
            .collect();
        numbers.sort_unstable();
        let name = |number| format!("{path}/{word}{number}");
        numbers.into_iter().map(name).collect()
    }
}
