//! The shipped table against its documents, and rows that users add.
use atomshard::perf::{Cpu, Encoding, Entry, Layout, Role, Row, Table};
use std::collections::{BTreeMap, BTreeSet};

/// The vendors' names and their event, unit mask and extra word, taken from the documents a second time.
const DOCUMENTED: &[(&str, u16, u8, u64)] = &[
    ("CPU_CLK_UNHALTED.THREAD_P", 0x3c, 0x00, 0),
    ("INST_RETIRED.ANY_P", 0xc0, 0x00, 0),
    ("MEM_LOAD_RETIRED.L1_MISS", 0xd1, 0x08, 0),
    ("MEM_LOAD_RETIRED.L3_MISS", 0xd1, 0x20, 0),
    ("MEM_LOAD_L3_HIT_RETIRED.XSNP_HITM", 0xd2, 0x04, 0),
    ("MEM_LOAD_L3_HIT_RETIRED.XSNP_FWD", 0xd2, 0x04, 0),
    ("MEM_LOAD_L3_MISS_RETIRED.REMOTE_DRAM", 0xd3, 0x02, 0),
    ("MEM_LOAD_L3_MISS_RETIRED.REMOTE_HITM", 0xd3, 0x04, 0),
    ("MEM_LOAD_L3_MISS_RETIRED.REMOTE_FWD", 0xd3, 0x08, 0),
    ("MEM_INST_RETIRED.LOCK_LOADS", 0xd0, 0x21, 0),
    (
        "OFFCORE_RESPONSE.DEMAND_RFO.L3_HIT.HITM_OTHER_CORE",
        0xb7,
        0x01,
        0x10_003c_0002,
    ),
    (
        "OFFCORE_RESPONSE.DEMAND_RFO.L3_HIT.SNOOP_HITM",
        0xb7,
        0x01,
        0x10_001c_0002,
    ),
    ("ls_not_halted_cyc", 0x76, 0x00, 0),
    ("ex_ret_instr", 0xc0, 0x00, 0),
    ("ls_dmnd_fills_from_sys.all", 0x43, 0xff, 0),
    ("ls_dmnd_fills_from_sys.remote_cache", 0x43, 0x04 | 0x10, 0),
    ("ls_dmnd_fills_from_sys.dram_io_far", 0x43, 0x40, 0),
    ("ls_refills_from_sys.ls_mabresp_rmt_cache", 0x43, 0x10, 0),
    ("ls_locks.all", 0x25, 0x1f, 0),
    ("CPU_CYCLES", 0x11, 0x00, 0),
    ("INST_RETIRED", 0x08, 0x00, 0),
    ("L1D_CACHE_REFILL", 0x03, 0x00, 0),
    ("LL_CACHE_MISS_RD", 0x37, 0x00, 0),
    ("REMOTE_ACCESS", 0x31, 0x00, 0),
];

/// Sums of documented units: the units that they are made of.
const SUMS: &[(&str, u16, &[u8])] = &[
    (
        "ls_refills_from_sys, all sources",
        0x43,
        &[0x01, 0x02, 0x08, 0x10, 0x40],
    ),
    (
        "ls_dmnd_fills_from_sys, all sources",
        0x43,
        &[0x01, 0x02, 0x04, 0x08, 0x10, 0x40],
    ),
    (
        "ls_dmnd_fills_from_sys, from outside of the CCX",
        0x43,
        &[0x04, 0x08, 0x10, 0x40],
    ),
    (
        "ls_dmnd_fills_from_sys.ext_cache_local and ext_cache_remote",
        0x43,
        &[0x04, 0x10],
    ),
    ("ls_locks, all kinds", 0x25, &[0x01, 0x02, 0x04, 0x08]),
];

/// The one event whose number depends on the CPU.
const RFO: &str = "OCR.DEMAND_RFO.L3_HIT.SNOOP_HITM";

fn hardware() -> Vec<Role> {
    let roles = Role::ALL.into_iter();
    roles.filter(|role| !role.is_software()).collect()
}

#[test]
fn each_kind_has_one_row_for_each_role_with_a_source() {
    let table = Table::shipped();
    let mut roles: BTreeMap<&str, Vec<Role>> = BTreeMap::new();
    for row in table.rows() {
        assert!(row.source.contains(".json"), "{row:?}");
        if let Entry::Event {
            name, over_count, ..
        } = &row.entry
        {
            assert!(!name.is_empty() && over_count.is_some(), "{row:?}");
        }
        roles.entry(&row.cpu).or_default().push(row.role);
    }
    assert_eq!(roles.len(), 14);
    for (cpu, mut roles) in roles {
        roles.sort_unstable();
        assert_eq!(roles, hardware(), "{cpu}");
    }
}

#[test]
fn no_cpu_is_of_two_kinds() {
    let table = Table::shipped();
    let mut found = BTreeSet::new();
    let mut judge = |cpu: Cpu| {
        let keys: Vec<&str> = table.keys_of(&cpu, None).collect();
        assert!(keys.len() < 2, "{cpu:?} is {keys:?}");
        found.extend(keys.into_iter().map(str::to_owned));
    };
    for vendor in ["GenuineIntel", "AuthenticAMD"] {
        for (family, model) in (0..0x20).flat_map(|family| (0..0x100).map(move |m| (family, m))) {
            judge(Cpu::X86 {
                vendor: vendor.to_owned(),
                family,
                model,
            });
        }
    }
    for part in 0..0x1000 {
        judge(Cpu::Arm {
            implementer: 0x41,
            part,
        });
    }
    let with_rows: BTreeSet<String> = table.rows().iter().map(|row| row.cpu.clone()).collect();
    assert_eq!(found, with_rows, "each kind is that of some CPU");
}

#[test]
fn encodings_are_those_of_the_documents() {
    let table = Table::shipped();
    let mut seen = BTreeSet::new();
    for row in table.rows() {
        let Entry::Event { name, encoding, .. } = &row.entry else {
            continue;
        };
        let documented = DOCUMENTED.iter().find(|entry| entry.0 == name);
        let sum = SUMS.iter().find(|entry| entry.0 == name);
        let (event, umask, config1) = match (documented, sum) {
            (Some((_, event, umask, config1)), _) => (*event, *umask, *config1),
            (None, Some((_, event, units))) => {
                (*event, units.iter().fold(0, |sum, unit| sum | unit), 0)
            }
            (None, None) if name == RFO => {
                let old = row.cpu.starts_with("ice-lake");
                (if old { 0xb7 } else { 0x2a }, 0x01, 0x10_003c_0002)
            }
            (None, None) => panic!("{name} is not documented here"),
        };
        let expected = Encoding {
            event,
            umask,
            config1,
        };
        assert_eq!(*encoding, expected, "{name} of {}", row.cpu);
        seen.insert(name.clone());
        // What the kernel gets says the same again.
        let layout = table.layout_of(&row.cpu).expect("a kind");
        let config = encoding.config(layout);
        assert_eq!(Encoding::of_config(config, config1, layout), expected);
    }
    assert_eq!(
        seen.len(),
        DOCUMENTED.len() + SUMS.len() + 1,
        "each name is used"
    );
}

#[test]
fn words_are_packed_and_unpacked() {
    let full = Encoding {
        event: 0xfff,
        umask: 0xab,
        config1: 3,
    };
    assert_eq!(full.config(Layout::Amd), 0xf_0000_abff);
    assert_eq!(Encoding::of_config(0xf_0000_abff, 3, Layout::Amd), full);
    assert_eq!(full.config(Layout::Intel), 0xabff);
    assert_eq!(full.config(Layout::Arm), 0xfff);
}

#[test]
fn a_row_of_a_user_replaces_and_a_later_kind_comes_first() {
    let cpu = Cpu::X86 {
        vendor: "GenuineIntel".to_owned(),
        family: 6,
        model: 0x8f,
    };
    let shipped = Table::shipped();
    let event = |table: &Table, role| match table.row(&cpu, Some("cpu"), role) {
        Some(Row {
            entry: Entry::Event { encoding, .. },
            ..
        }) => Some((encoding.event, encoding.umask)),
        _ => None,
    };
    let row = "[[row]]\ncpus = ['KEY']\nrole = 'l1_miss'\nname = 'mine'\nevent = 0x43\numask = 0xfd\nsource = 'here'\n";
    let replaced = shipped
        .clone()
        .with_rows(&row.replace("KEY", "sapphire-rapids"))
        .expect("a row");
    assert_eq!(event(&replaced, Role::L1Miss), Some((0x43, 0xfd)));
    assert_eq!(event(&replaced, Role::LocalHitm), Some((0xd2, 0x04)));
    assert_eq!(replaced.rows().len(), shipped.rows().len());
    let kind = "[[cpu]]\nkey = 'mine'\nvendor = 'GenuineIntel'\nfamily = 6\nmodels = [0x8f]\n";
    let added = format!("{kind}{}", row.replace("KEY", "mine"));
    let added = shipped.clone().with_rows(&added).expect("a kind and a row");
    assert_eq!(event(&added, Role::L1Miss), Some((0x43, 0xfd)));
    assert_eq!(event(&added, Role::LocalHitm), Some((0xd2, 0x04)));
    assert_eq!(added.rows().len(), shipped.rows().len() + 1);
    assert_eq!(shipped.clone().with_rows("").as_ref(), Ok(&shipped));
}

#[test]
fn a_bad_row_is_refused_with_its_line() {
    let row = "[[row]]\ncpus = ['zen3']\nrole = 'cycles'\nname = 'n'\nevent = 1\nsource = 's'\n";
    assert!(Table::shipped().with_rows(row).is_ok());
    let changed = |from: &str, to: &str| row.replace(from, to);
    let kind = "[[cpu]]\nkey = 'k'\nimplementer = 1\nparts = [2]\n";
    let arm = format!("{kind}{}umask = 1\n", changed("zen3", "k"));
    for (text, line, words) in [
        (changed("'zen3'", "'zen9'"), 2, "the key of a [[cpu]]"),
        (changed("['zen3']", "[]"), 2, "the key of a [[cpu]]"),
        (changed("['zen3']", "'zen3'"), 2, "`cpus`, a list"),
        (
            changed("'cycles'", "'speed'"),
            3,
            "one of cycles, instructions",
        ),
        (
            changed("'cycles'", "'faults'"),
            3,
            "one of cycles, instructions",
        ),
        (changed("'n'", "' '"), 4, "a text that is not empty"),
        (changed("event = 1", "event = -1"), 5, "at most 16 bits"),
        (changed("event = 1", "event = 0x1000"), 5, "at most 0xfff"),
        (changed("event = 1", "event = 1.5"), 5, "at most 16 bits"),
        (changed("event = 1", "umask = 256"), 1, "`event`"),
        (
            changed("event = 1", "event = 1\numask = 256"),
            6,
            "at most 8 bits",
        ),
        (
            changed("event = 1", "event = 1\nevnt = 2"),
            6,
            "one of cpus, role, name",
        ),
        (
            changed("event = 1", "cannot = 'no'"),
            4,
            "one of cpus, role, cannot",
        ),
        (changed("source = 's'\n", ""), 1, "`source`"),
        (format!("{row}{row}"), 9, "one row for `zen3` and `cycles`"),
        (changed("'zen3'", "'zen3', 'zen3'"), 3, "one row for"),
        (changed("'zen3']", "'zen3'"), 3, "TOML"),
        (arm, 11, "no unit mask"),
        (format!("{kind}{kind}"), 6, "a key that no other"),
        (kind.replace("'k'", "'zen3'"), 2, "a key that no other"),
        (kind.replace("[2]", "[-2]"), 4, "a part below 2^32"),
        (
            kind.replace("implementer = 1\n", "vendor = 'v'\n"),
            4,
            "one of key, vendor",
        ),
        ("cpu = 3\n".to_owned(), 1, "`[[cpu]]`"),
        ("\n[rows]\n".to_owned(), 2, "one of cpu, row"),
        (
            "[[cpu]]\nkey = 'k'\nvendor = 'v'\nfamily = 6\nmodels = [[3, 1]]\n".to_owned(),
            5,
            "a model or a pair",
        ),
    ] {
        let error = Table::shipped().with_rows(&text).expect_err(&text);
        assert_eq!(error.line, line, "{text}{error}");
        assert!(error.expected.contains(words), "{text}{error}");
        assert!(!error.found.is_empty(), "{text}{error}");
    }
}
