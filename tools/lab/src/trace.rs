//! Traces: what they look like in a file, the two that are shipped, and how they are replayed.
//!
//! Two forms. **Lines**: each line is a key whose count goes up by one. **CSV**: the header
//! `op,key`, then `get`, `put` or `del` and a key; it is replayed as a cache, so a get that
//! misses puts the key. A file that starts with the header, or whose name ends in `.csv`, is
//! CSV; `.zst` at the end means that it is compressed with zstd.
use crate::error::LabError;
use crate::ops::{Kind, Op, TextOps};
use crate::work::{Content, Expected, Work};
use std::collections::{HashMap, HashSet};
use std::io::Read as _;
use std::path::Path;

/// A trace in memory.
#[derive(Debug)]
pub(crate) struct Trace {
    /// For tables and messages.
    pub(crate) name: String,
    /// One sentence on what it is.
    pub(crate) about: String,
    pub(crate) ops: TextOps,
    pub(crate) stats: Stats,
}

/// What a trace consists of.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Stats {
    pub(crate) counts: u64,
    pub(crate) gets: u64,
    pub(crate) puts: u64,
    pub(crate) dels: u64,
}

impl Stats {
    #[must_use]
    pub(crate) fn ops(&self) -> u64 {
        self.counts + self.gets + self.puts + self.dels
    }
}

const TOKENS: &[u8] = include_bytes!("../../../traces/rust-src-tokens.zst");
const FILES: &[u8] = include_bytes!("../../../traces/cargo-build-files.zst");

/// The two traces in the repository. They are part of the binary, so that it runs anywhere.
pub(crate) fn shipped() -> Result<[Trace; 2], LabError> {
    let mut tokens = parse(&unpacked(TOKENS, "rust-src-tokens")?, "rust-src-tokens")?;
    "identifiers of Rust's library sources, counted".clone_into(&mut tokens.about);
    let mut files = parse(&unpacked(FILES, "cargo-build-files")?, "cargo-build-files")?;
    "file accesses of a cargo build, cached: get, and on a miss put".clone_into(&mut files.about);
    Ok([tokens, files])
}

/// Reads a trace from a file, or from standard input if `path` is `-`.
pub(crate) fn read(path: &Path) -> Result<Trace, LabError> {
    let mut bytes = Vec::new();
    let name = if path == Path::new("-") {
        std::io::stdin()
            .lock()
            .read_to_end(&mut bytes)
            .map_err(LabError::at("standard input"))?;
        "-".to_owned()
    } else {
        bytes = std::fs::read(path).map_err(LabError::at(path))?;
        path.display().to_string()
    };
    if path.extension().is_some_and(|extension| extension == "zst") {
        bytes = unpacked(&bytes, &name)?;
    }
    parse(&bytes, &name)
}

fn unpacked(bytes: &[u8], name: &str) -> Result<Vec<u8>, LabError> {
    let bad = |what: String| LabError::Input {
        file: name.to_owned(),
        line: 1,
        expected: format!("expected zstd-compressed data: {what}"),
    };
    let mut text = Vec::new();
    ruzstd::decoding::StreamingDecoder::new(bytes)
        .map_err(|error| bad(error.to_string()))?
        .read_to_end(&mut text)
        .map_err(|error| bad(error.to_string()))?;
    Ok(text)
}

/// Parses either form.
pub(crate) fn parse(bytes: &[u8], name: &str) -> Result<Trace, LabError> {
    let bad = |line: u64, expected: &str| LabError::Input {
        file: name.to_owned(),
        line,
        expected: expected.to_owned(),
    };
    let text = core::str::from_utf8(bytes).map_err(|error| {
        let before = bytes[..error.valid_up_to()]
            .iter()
            .filter(|byte| **byte == b'\n')
            .count();
        bad(before as u64 + 1, "expected text in UTF-8")
    })?;
    if text.trim().is_empty() {
        return Err(bad(
            1,
            "expected at least one operation, found an empty file",
        ));
    }
    let first = text.lines().next().unwrap_or_default().trim_end();
    let stem = name.strip_suffix(".zst").unwrap_or(name);
    let is_csv = first == "op,key" || stem.to_ascii_lowercase().ends_with(".csv");
    let (ops, stats) = if is_csv {
        parse_csv(text, name, &bad)?
    } else {
        parse_lines(text, &bad)?
    };
    let about = if is_csv {
        "replayed as a cache: get, and on a miss put; put; del"
    } else {
        "each line a key to count"
    };
    Ok(Trace {
        name: name.to_owned(),
        about: about.to_owned(),
        ops,
        stats,
    })
}

type Bad<'a> = dyn Fn(u64, &str) -> LabError + 'a;

const TOO_LONG: &str = "expected less than 512 MiB of keys before this line";

fn parse_lines(text: &str, bad: &Bad<'_>) -> Result<(TextOps, Stats), LabError> {
    let mut keys = Keys::with_room(text.len());
    for (line, key) in (1..).zip(text.lines()) {
        if key.is_empty() {
            return Err(bad(line, "expected a key, found an empty line"));
        }
        keys.push(Kind::Add, key)
            .ok_or_else(|| bad(line, TOO_LONG))?;
    }
    let stats = Stats {
        counts: keys.ops.len() as u64,
        ..Stats::default()
    };
    Ok((keys.done(), stats))
}

fn parse_csv(text: &str, name: &str, bad: &Bad<'_>) -> Result<(TextOps, Stats), LabError> {
    let mut keys = Keys::with_room(text.len());
    let mut stats = Stats::default();
    let mut reader = csv::ReaderBuilder::new()
        .has_headers(false)
        .flexible(true)
        .from_reader(text.as_bytes());
    let mut record = csv::StringRecord::new();
    loop {
        match reader.read_record(&mut record) {
            Ok(true) => {}
            Ok(false) => break,
            Err(error) => {
                let line = error.position().map_or(1, csv::Position::line);
                return Err(LabError::Input {
                    file: name.to_owned(),
                    line,
                    expected: format!("expected op,key: {error}"),
                });
            }
        }
        let line = record.position().map_or(1, csv::Position::line);
        if record.len() != 2 {
            let found = record.len();
            return Err(bad(
                line,
                &format!("expected op,key (quote a key with a comma), found {found} fields"),
            ));
        }
        let (op, key) = (&record[0], &record[1]);
        let kind = match op {
            "op" if line == 1 && key == "key" => continue,
            "get" => {
                stats.gets += 1;
                Kind::Load
            }
            "put" => {
                stats.puts += 1;
                Kind::Put
            }
            "del" => {
                stats.dels += 1;
                Kind::Del
            }
            other => {
                return Err(bad(
                    line,
                    &format!("expected op get, put or del, found {other:?}"),
                ));
            }
        };
        if key.is_empty() {
            return Err(bad(line, "expected a key after the comma, found nothing"));
        }
        keys.push(kind, key).ok_or_else(|| bad(line, TOO_LONG))?;
    }
    if keys.ops.is_empty() {
        return Err(bad(2, "expected at least one operation after the header"));
    }
    Ok((keys.done(), stats))
}

struct Keys {
    text: String,
    ops: Vec<Op>,
}

impl Keys {
    fn with_room(bytes: usize) -> Self {
        Self {
            text: String::with_capacity(bytes),
            ops: Vec::new(),
        }
    }

    fn push(&mut self, kind: Kind, key: &str) -> Option<()> {
        if !TextOps::fits(&self.text, key.len()) {
            return None;
        }
        let at = u32::try_from(self.text.len()).ok()?;
        self.ops.push(Op::new(kind, at));
        self.text.push_str(key);
        Some(())
    }

    fn done(self) -> TextOps {
        TextOps::new(self.text, self.ops, None)
    }
}

impl Trace {
    /// The trace dealt out to `threads` in equal stretches; they share all keys.
    pub(crate) fn work(&self, threads: usize) -> Work<TextOps> {
        use crate::ops::Stream as _;
        let count = self.ops.len();
        let bounds: Vec<usize> = (0..=threads).map(|part| count * part / threads).collect();
        let run = bounds
            .windows(2)
            .map(|ends| self.ops.part(ends[0]..ends[1]))
            .collect();
        Work {
            name: format!("trace {}, {threads} threads", self.name),
            threads,
            crowd: None,
            fill: None,
            runs: vec![run],
            expected: vec![self.expected()],
            is_read: true,
        }
    }

    fn expected(&self) -> Expected {
        use crate::ops::Stream as _;
        let all = (0..self.ops.len()).map(|index| self.ops.at(index));
        if self.stats.counts > 0 {
            let mut totals: HashMap<&str, u64> = HashMap::new();
            all.for_each(|(_, key)| *totals.entry(key).or_default() += 1);
            let mut content = Content::default();
            totals
                .iter()
                .for_each(|(key, count)| content.add::<str>(key, *count));
            return Expected::Totals { content };
        }
        let mut known = HashSet::new();
        let mut removed = HashSet::new();
        for (kind, key) in all {
            match kind {
                Kind::Del => removed.insert(key),
                Kind::Get | Kind::Put | Kind::Add | Kind::Load => known.insert(key),
            };
        }
        Expected::Cache {
            loads: self.stats.gets,
            kept: known
                .difference(&removed)
                .map(|key| (*key).to_owned())
                .collect(),
            known: known.into_iter().map(str::to_owned).collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Stats, parse, shipped};
    use crate::ops::{Kind, Stream as _};

    fn error_of(text: &str, name: &str) -> String {
        parse(text.as_bytes(), name).unwrap_err().to_string()
    }

    #[test]
    fn lines_are_counts() {
        let trace = parse(b"a\nbb\na\n", "t").unwrap();
        assert_eq!(
            trace.stats,
            Stats {
                counts: 3,
                ..Stats::default()
            }
        );
        assert_eq!(trace.ops.at(1), (Kind::Add, "bb"));
        assert_eq!(trace.ops.at(2), (Kind::Add, "a"));
    }

    #[test]
    fn csv_is_a_cache() {
        let trace = parse(b"op,key\nget,a\nput,\"x,y\"\ndel,a\n", "t").unwrap();
        assert_eq!(
            trace.stats,
            Stats {
                counts: 0,
                gets: 1,
                puts: 1,
                dels: 1
            }
        );
        assert_eq!(trace.ops.at(0), (Kind::Load, "a"));
        assert_eq!(trace.ops.at(1), (Kind::Put, "x,y"));
        assert_eq!(trace.ops.value(1), 3, "a cached value is its key's length");
        assert_eq!(trace.ops.at(2), (Kind::Del, "a"));
        assert_eq!(
            parse(b"get,a\n", "t.CSV").unwrap().stats.gets,
            1,
            "no header needed"
        );
    }

    #[test]
    fn messages_say_file_line_and_what_was_expected() {
        assert_eq!(
            error_of("a\n\nb\n", "t"),
            "t:2: expected a key, found an empty line"
        );
        assert_eq!(
            error_of("", "t"),
            "t:1: expected at least one operation, found an empty file"
        );
        assert_eq!(
            error_of("op,key\nget,a\nmove,b\n", "t"),
            "t:3: expected op get, put or del, found \"move\""
        );
        assert_eq!(
            error_of("get,a,b\n", "t.csv"),
            "t.csv:1: expected op,key (quote a key with a comma), found 3 fields"
        );
        assert_eq!(
            error_of("op,key\nget,\n", "t"),
            "t:2: expected a key after the comma, found nothing"
        );
        assert_eq!(
            error_of("op,key\n", "t"),
            "t:2: expected at least one operation after the header"
        );
        let error = parse(b"a\nb\n\xff\n", "t").unwrap_err().to_string();
        assert_eq!(error, "t:3: expected text in UTF-8");
        assert!(
            error_of("op,key\nmove,key\n", "t").contains("t:2:"),
            "one header only"
        );
    }

    #[test]
    fn the_shipped_traces_are_as_recorded() {
        let [tokens, files] = shipped().unwrap();
        assert_eq!(tokens.stats.ops(), 1_013_491);
        assert_eq!(tokens.stats.counts, 1_013_491);
        // 126,567 lines with the header.
        assert_eq!(files.stats.ops(), 126_566);
        assert!(files.stats.gets > files.stats.puts && files.stats.dels > 0);
    }

    #[test]
    fn parts_are_the_whole() {
        let trace = parse(b"a\nb\nc\nd\ne\n", "t").unwrap();
        let work = trace.work(2);
        let keys: Vec<String> = work.runs[0]
            .iter()
            .flat_map(|part| (0..part.len()).map(|index| part.at(index).1.to_owned()))
            .collect();
        assert_eq!(keys, ["a", "b", "c", "d", "e"]);
    }
}
