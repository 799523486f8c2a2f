//! Two readers of a compiled crate's assembly, which know nothing of each other.
//!
//! [`emitted`] reads what the compiler writes with `--emit asm`; [`shown`] what the tool
//! cargo-show-asm prints. The second goes through another parser and another demangler, so what
//! both find is what the compiler wrote. The compiler merges functions with identical bodies
//! and leaves `a = b` behind; a [`Listing`] follows that.

pub mod emitted;
pub mod shown;

use crate::GuardError;
use std::collections::{BTreeMap, BTreeSet};

/// Functions by their path, hashes left out, with their lines as they were written.
#[derive(Debug, Default)]
pub struct Listing {
    functions: BTreeMap<String, Vec<String>>,
    aliases: BTreeMap<String, String>,
    /// Without hashes the instances of one generic function have one name; none of them is a probe.
    doubles: BTreeSet<String>,
}

impl Listing {
    pub(crate) fn insert(&mut self, name: String, body: Vec<String>) {
        if self.functions.insert(name.clone(), body).is_some() {
            self.doubles.insert(name);
        }
    }

    pub(crate) fn alias(&mut self, name: String, target: String) {
        self.aliases.insert(name, target);
    }

    /// The functions of a crate by the last part of their path, with the whole path. What a crate
    /// instantiates of others, and closures, do not count.
    ///
    /// # Errors
    /// When two paths end alike.
    pub fn functions_of(&self, krate: &str) -> Result<BTreeMap<String, String>, GuardError> {
        let mut found: BTreeMap<String, String> = BTreeMap::new();
        for path in self.functions.keys().chain(self.aliases.keys()) {
            let mut parts = path.split("::");
            let last = path.rsplit("::").next().unwrap_or(path);
            let plain = |part: &str| part.chars().all(|c| c.is_alphanumeric() || c == '_');
            if parts.next() != Some(krate) || last == path || !parts.all(plain) {
                continue;
            }
            if let Some(other) = found.insert(last.to_owned(), path.clone()) {
                let what = format!("ends like `{other}`; a probe's name stands for itself");
                return Err(GuardError::function(path, what));
            }
        }
        Ok(found)
    }

    /// The lines of a function, found through the names that were merged into one.
    ///
    /// # Errors
    /// When there is no such function, or the aliases lead nowhere.
    pub fn body(&self, path: &str) -> Result<&[String], GuardError> {
        let mut name = path;
        // A chain is at most as long as there are aliases; a longer one is a circle.
        for _ in 0..=self.aliases.len() {
            if let Some(body) = self.functions.get(name) {
                if self.doubles.contains(name) {
                    let what = format!("there are two functions `{name}`");
                    return Err(GuardError::function(path, what));
                }
                return Ok(body);
            }
            match self.aliases.get(name) {
                Some(target) => name = target,
                None if name == path => return Err(GuardError::function(path, "has no code")),
                None => {
                    let what = format!("stands for `{name}`, which has no code");
                    return Err(GuardError::function(path, what));
                }
            }
        }
        Err(GuardError::function(path, "its aliases go in a circle"))
    }
}
