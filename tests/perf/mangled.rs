//! Damaged tables: a table, or an error with the line; never a panic.
use atomshard::perf::{Role, Table};
use fastrand::Rng;

/// Damaged texts. Each is read against the whole table.
const TEXTS: usize = 5_000;

const WHOLE: &str = r#"
[[cpu]]
key = "one"
vendor = "AuthenticAMD"
family = 0x19
models = [1, [0x10, 0x1f]]
pmus = ["cpu"]

[[cpu]]
key = "two"
implementer = 0x41
parts = [0xd0c]

[[row]]
cpus = ["one", "zen3"]
role = "l1_miss"
name = "ls_dmnd_fills_from_sys.all"
event = 0x143
umask = 0xff
config1 = 0xffff_ffff
source = "a document: é"
over_count = "none"

[[row]]
cpus = ["two"]
role = "rfo_hitm"
cannot = "there is none"
source = 'another'
"#;

const PIECES: &[&str] = &[
    "[[row]]",
    "[[cpu]]",
    "[row]",
    "row",
    "[",
    "]",
    "[[",
    "{",
    "}",
    "=",
    "\"",
    "'",
    "\"\"\"",
    "\n",
    ",",
    ".",
    "#",
    "\\u0000",
    "\\",
    "-1",
    "0x",
    "0xffffffffffffffff",
    "99999999999999999999",
    "1e400",
    "nan",
    "true",
    "1979-05-27",
    "é",
    "\u{feff}",
    "\0",
    "role",
    "event",
    "zen3",
    "faults",
    "models = [[]]",
    "[[[[[[[[",
];

fn mangled(rng: &mut Rng) -> String {
    let mut bytes = WHOLE.as_bytes().to_vec();
    for _ in 0..rng.usize(1..5) {
        let at = rng.usize(0..=bytes.len());
        let end = (at + rng.usize(0..12)).min(bytes.len());
        match rng.u8(0..6) {
            0 => bytes.truncate(at),
            1 => {
                let copy = bytes[at..end].to_vec();
                bytes.extend(copy);
            }
            2 => bytes.splice(at..end, [rng.u8(..)]).for_each(drop),
            _ => {
                let piece = rng.choice(PIECES).expect("there are some");
                bytes.splice(at..end, piece.bytes()).for_each(drop);
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[test]
fn a_mangled_table_is_a_table_or_an_error_with_its_line() {
    let shipped = Table::shipped();
    assert!(shipped.clone().with_rows(WHOLE).is_ok());
    let mut rng = Rng::with_seed(9);
    let (mut read, mut refused) = (0, 0);
    for _ in 0..TEXTS {
        let text = mangled(&mut rng);
        match shipped.clone().with_rows(&text) {
            Ok(table) => {
                read += 1;
                assert!(table.rows().iter().all(|row| !row.role.is_software()));
            }
            Err(error) => {
                refused += 1;
                let lines = text.split('\n').count();
                assert!((1..=lines).contains(&error.line), "{text}{error}");
                assert!(
                    !error.found.is_empty() && !error.expected.is_empty(),
                    "{text}{error}"
                );
            }
        }
    }
    // The damage is neither harmless nor the end of everything.
    assert!(
        read > TEXTS / 50 && refused > TEXTS / 2,
        "{read} read, {refused} refused"
    );
}

#[test]
fn any_bytes_are_a_table_or_an_error() {
    let shipped = Table::shipped();
    let mut rng = Rng::with_seed(10);
    for _ in 0..2_000 {
        let bytes: Vec<u8> = (0..rng.usize(0..60)).map(|_| rng.u8(..)).collect();
        let text = String::from_utf8_lossy(&bytes);
        let _table = shipped.clone().with_rows(&text);
        let _role = Role::of_name(&text);
    }
}
