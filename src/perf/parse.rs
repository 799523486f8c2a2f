//! Rows from TOML, with the line of whatever is wrong.

use super::Role;
use super::event::Encoding;
use super::table::{Entry, Kind, Row, Which};
use crate::error::EventTableError;
use core::ops::{Range, RangeInclusive};
use std::collections::BTreeSet;
use toml::de::{DeTable, DeValue};

/// What a text adds to a table.
pub(super) struct Added {
    pub(super) kinds: Vec<Kind>,
    pub(super) rows: Vec<Row>,
}

/// Reads a text that adds to kinds which are known already.
pub(super) fn parse(text: &str, known: &[Kind]) -> Result<Added, EventTableError> {
    let document = DeTable::parse(text).map_err(|error| {
        let expected = format!("TOML: {}", error.message().replace('\n', ", "));
        at(text, error.span().unwrap_or_default(), expected)
    })?;
    let top = Fields {
        text,
        span: 0..0,
        table: document.get_ref(),
    };
    top.only(&["cpu", "row"])?;
    let mut kinds: Vec<Kind> = Vec::new();
    for fields in top.tables("cpu")? {
        let kind = kind(&fields)?;
        let taken = |other: &Kind| other.key == kind.key;
        if known.iter().any(taken) || kinds.iter().any(taken) {
            return Err(fields.wrong("key", "a key that no other kind of CPU has"));
        }
        kinds.push(kind);
    }
    let mut rows = Vec::new();
    let mut seen = BTreeSet::new();
    for fields in top.tables("row")? {
        for row in row(&fields, |key| {
            let mut all = known.iter().chain(&kinds);
            all.find(|kind| kind.key == key)
        })? {
            if !seen.insert((row.cpu.clone(), row.role)) {
                let expected = format!("one row for `{}` and `{}`", row.cpu, row.role);
                return Err(fields.wrong("role", expected));
            }
            rows.push(row);
        }
    }
    Ok(Added { kinds, rows })
}

fn kind(fields: &Fields<'_>) -> Result<Kind, EventTableError> {
    let which = if fields.has("vendor") {
        fields.only(&["key", "vendor", "family", "models", "pmus"])?;
        Which::X86 {
            vendor: fields.string("vendor")?,
            family: fields.number("family")?,
            models: fields.list("models", "a model or a pair `[from, to]`", models)?,
        }
    } else {
        fields.only(&["key", "implementer", "parts", "pmus"])?;
        let part = |value: &DeValue<'_>| u32::try_from(integer(value)?).ok();
        Which::Arm {
            implementer: fields.number("implementer")?,
            parts: fields.list("parts", "a part below 2^32", part)?,
        }
    };
    let pmus = if fields.has("pmus") {
        fields.list("pmus", "the name of a counting unit", word)?
    } else {
        Vec::new()
    };
    Ok(Kind {
        key: fields.string("key")?,
        which,
        pmus,
    })
}

fn models(value: &DeValue<'_>) -> Option<RangeInclusive<u32>> {
    let model = |value: &DeValue<'_>| u32::try_from(integer(value)?).ok();
    let DeValue::Array(pair) = value else {
        let only = model(value)?;
        return Some(only..=only);
    };
    let mut ends = pair.iter().map(|end| model(end.get_ref()));
    let (first, last) = (ends.next()??, ends.next()??);
    (ends.next().is_none() && first <= last).then_some(first..=last)
}

fn row<'k>(
    fields: &Fields<'_>,
    kind_of: impl Fn(&str) -> Option<&'k Kind>,
) -> Result<Vec<Row>, EventTableError> {
    let cannot = fields.has("cannot");
    fields.only(if cannot {
        &["cpus", "role", "cannot", "source"]
    } else {
        &[
            "cpus",
            "role",
            "name",
            "event",
            "umask",
            "config1",
            "over_count",
            "source",
        ]
    })?;
    let known = |value: &DeValue<'_>| kind_of(&word(value)?);
    let kinds: Vec<&Kind> = fields.list("cpus", "the key of a [[cpu]]", known)?;
    let role = Role::of_name(&fields.string("role")?).filter(|role| !role.is_software());
    let role = role.ok_or_else(|| fields.wrong("role", roles()))?;
    let entry = if cannot {
        Entry::Cannot {
            why: fields.string("cannot")?,
        }
    } else {
        event(fields, &kinds)?
    };
    let source = fields.string("source")?;
    let row = |kind: &&Kind| Row {
        cpu: kind.key.clone(),
        role,
        entry: entry.clone(),
        source: source.clone(),
    };
    Ok(kinds.iter().map(row).collect())
}

fn event(fields: &Fields<'_>, kinds: &[&Kind]) -> Result<Entry, EventTableError> {
    let event: u16 = fields.number("event")?;
    let optional = |key| fields.has(key).then_some(key);
    let umask = optional("umask").map(|key| fields.number(key));
    let config1 = optional("config1").map(|key| fields.number(key));
    let over_count = optional("over_count").map(|key| fields.string(key));
    let encoding = Encoding {
        event,
        umask: umask.transpose()?.unwrap_or(0),
        config1: config1.transpose()?.unwrap_or(0),
    };
    for layout in kinds.iter().map(|kind| kind.layout()) {
        if event > layout.highest_event() {
            let expected = format!(
                "at most {:#x}, as {layout:?} has it",
                layout.highest_event()
            );
            return Err(fields.wrong("event", expected));
        }
        if encoding.umask != 0 && !layout.has_umask() {
            return Err(fields.wrong("umask", "no unit mask, as Arm has none"));
        }
    }
    Ok(Entry::Event {
        name: fields.string("name")?,
        encoding,
        over_count: over_count.transpose()?,
    })
}

/// What a row may count.
fn roles() -> String {
    let roles = Role::ALL.into_iter().filter(|role| !role.is_software());
    let names: Vec<&str> = roles.map(Role::name).collect();
    format!("one of {}", names.join(", "))
}

/// The entries of a table, and where they are.
struct Fields<'t> {
    text: &'t str,
    span: Range<usize>,
    table: &'t DeTable<'t>,
}

impl<'t> Fields<'t> {
    fn value(&self, key: &str) -> Option<(Range<usize>, &'t DeValue<'t>)> {
        let mut entries = self.table.iter();
        let (_, value) = entries.find(|(name, _)| name.get_ref() == key)?;
        Some((value.span(), value.get_ref()))
    }

    fn has(&self, key: &str) -> bool {
        self.value(key).is_some()
    }

    /// Whether there are no entries but these.
    fn only(&self, keys: &[&str]) -> Result<(), EventTableError> {
        let mut names = self.table.iter().map(|(name, _)| name);
        match names.find(|name| !keys.contains(&name.get_ref().as_ref())) {
            None => Ok(()),
            Some(name) => {
                let expected = format!("one of {}", keys.join(", "));
                Err(at(self.text, name.span(), expected))
            }
        }
    }

    /// An error about an entry, or about its absence.
    fn wrong(&self, key: &str, expected: impl Into<String>) -> EventTableError {
        match self.value(key) {
            Some((span, _)) => at(self.text, span, expected),
            None => EventTableError {
                line: line(self.text, self.span.start),
                found: format!("no `{key}`"),
                expected: expected.into(),
            },
        }
    }

    fn string(&self, key: &str) -> Result<String, EventTableError> {
        let value = self.value(key).and_then(|(_, value)| word(value));
        value.ok_or_else(|| self.wrong(key, format!("`{key}`, a text that is not empty")))
    }

    fn number<N: TryFrom<u64>>(&self, key: &str) -> Result<N, EventTableError> {
        let value = self.value(key).and_then(|(_, value)| integer(value));
        let number = value.and_then(|value| N::try_from(value).ok());
        number.ok_or_else(|| {
            let bits = 8 * size_of::<N>();
            self.wrong(key, format!("`{key}`, a number of at most {bits} bits"))
        })
    }

    /// A list that is not empty.
    fn list<T>(
        &self,
        key: &str,
        expected: &str,
        read: impl Fn(&DeValue<'_>) -> Option<T>,
    ) -> Result<Vec<T>, EventTableError> {
        let Some((_, DeValue::Array(array))) = self.value(key) else {
            return Err(self.wrong(key, format!("`{key}`, a list")));
        };
        if array.is_empty() {
            return Err(self.wrong(key, expected));
        }
        let items = array.iter().map(|item| {
            let value = read(item.get_ref());
            value.ok_or_else(|| at(self.text, item.span(), expected))
        });
        items.collect()
    }

    /// The tables of a list of tables; none if there is no such list.
    fn tables(&self, key: &str) -> Result<Vec<Self>, EventTableError> {
        let Some((span, value)) = self.value(key) else {
            return Ok(Vec::new());
        };
        let expected = format!("`[[{key}]]`");
        let DeValue::Array(array) = value else {
            return Err(at(self.text, span, expected));
        };
        let tables = array.iter().map(|item| match item.get_ref() {
            DeValue::Table(table) => Ok(Self {
                text: self.text,
                span: item.span(),
                table,
            }),
            _ => Err(at(self.text, item.span(), expected.as_str())),
        });
        tables.collect()
    }
}

fn word(value: &DeValue<'_>) -> Option<String> {
    match value {
        DeValue::String(text) if !text.trim().is_empty() => Some(text.to_string()),
        _ => None,
    }
}

fn integer(value: &DeValue<'_>) -> Option<u64> {
    match value {
        DeValue::Integer(number) => u64::from_str_radix(number.as_str(), number.radix()).ok(),
        _ => None,
    }
}

/// The number of the line in which a byte is.
fn line(text: &str, byte: usize) -> usize {
    let before = text.as_bytes().iter().take(byte);
    1 + before.filter(|byte| **byte == b'\n').count()
}

/// An error about a piece of the text.
fn at(text: &str, span: Range<usize>, expected: impl Into<String>) -> EventTableError {
    let piece = text.as_bytes().get(span.clone()).unwrap_or_default();
    let piece = String::from_utf8_lossy(piece);
    EventTableError::at(
        line(text, span.start),
        piece.lines().next().unwrap_or_default(),
        expected,
    )
}
