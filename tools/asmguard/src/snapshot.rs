//! The recorded code: a folder for each variant, a file for each probe, and one header.
//!
//! The header says who recorded: compiler, LLVM, flags, tool. A file is the normal form and
//! nothing else, so a new compiler changes one header and those probes that it compiles otherwise. A
//! probe that was merged with another still has its own file: which of two equal functions the
//! compiler keeps changes with unrelated ones.

use crate::{Code, GuardError, Isa};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// The name of the header's file.
pub const HEADER: &str = "HEADER";

/// The snapshots of one variant.
#[derive(Debug, Default)]
pub struct Snapshots {
    /// Who recorded them; `None` before anybody has.
    pub header: Option<String>,
    /// The code of each probe.
    pub probes: BTreeMap<String, String>,
}

impl Snapshots {
    /// Reads a folder; one that is not there holds nothing.
    ///
    /// # Errors
    /// When a file cannot be read, or is not a snapshot.
    pub fn read(folder: &Path) -> Result<Self, GuardError> {
        let mut found = Self::default();
        if !folder.exists() {
            return Ok(found);
        }
        for path in files(folder)? {
            let text =
                std::fs::read_to_string(&path).map_err(|error| GuardError::file(&path, error))?;
            let text = text.replace("\r\n", "\n");
            let name = path.file_name().and_then(|name| name.to_str());
            match name.map(|name| (name, name.strip_suffix(".s"))) {
                Some((HEADER, _)) => found.header = Some(text),
                Some((_, Some(probe))) => {
                    found.probes.insert(probe.to_owned(), text);
                }
                _ => {
                    return Err(GuardError::Input {
                        file: path.display().to_string(),
                        line: 1,
                        expected: format!("a snapshot is a file `{HEADER}` or `<probe>.s`"),
                    });
                }
            }
        }
        Ok(found)
    }

    /// Writes the folder anew; files of probes that are gone go.
    ///
    /// # Errors
    /// When a file cannot be written.
    pub fn write(&self, folder: &Path) -> Result<(), GuardError> {
        std::fs::create_dir_all(folder).map_err(|error| GuardError::file(folder, error))?;
        for path in files(folder)? {
            std::fs::remove_file(&path).map_err(|error| GuardError::file(&path, error))?;
        }
        let header = self.header.iter().map(|text| (HEADER.to_owned(), text));
        let probes = self.probes.iter();
        let probes = probes.map(|(probe, text)| (format!("{probe}.s"), text));
        for (name, text) in header.chain(probes) {
            let path = folder.join(name);
            std::fs::write(&path, text).map_err(|error| GuardError::file(&path, error))?;
        }
        Ok(())
    }

    /// The recorded code of a probe.
    ///
    /// # Errors
    /// When what is recorded is no code.
    pub fn code(&self, probe: &str, isa: Isa) -> Result<Option<Code>, GuardError> {
        let text = self.probes.get(probe);
        text.map(|text| Code::parse(probe, text.lines(), isa))
            .transpose()
    }
}

fn files(folder: &Path) -> Result<Vec<PathBuf>, GuardError> {
    let error = |error| GuardError::file(folder, error);
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(error)? {
        found.push(entry.map_err(error)?.path());
    }
    found.sort();
    Ok(found)
}
