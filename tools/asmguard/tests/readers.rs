//! The readers and the normal form, on what compilers and tools have really written.

use asmguard::read::{Listing, emitted, shown};
use asmguard::{Class, Code, Isa, classify, distinct};

const LEGACY: &str = include_str!("fixtures/legacy.s");
const SHIFTED: &str = include_str!("fixtures/shifted.s");
const V0: &str = include_str!("fixtures/v0.s");
const SHOWN: &str = include_str!("fixtures/shown.txt");

const PROBES: [&str; 4] = [
    "core_swap_u64_acqrel",
    "hot_checked_next",
    "hot_inline_loop",
    "ours_swap_u64_acqrel",
];

fn compiled(text: &str) -> Listing {
    emitted::read("recorded.s", text).expect("the file is well formed")
}

fn code(listing: &Listing, name: &str) -> Code {
    let body = listing.body(&format!("rec::{name}")).expect("it has code");
    Code::parse(name, body.iter().map(String::as_str), Isa::Aarch64).expect("it is not empty")
}

fn same(first: &Listing, second: &Listing) {
    for name in PROBES {
        let (first, second) = (code(first, name), code(second, name));
        assert_eq!(first, second, "{name}:\n{first}\n{second}");
    }
}

#[test]
fn both_readers_find_the_same_code() {
    let (first, second) = (compiled(LEGACY), shown::read(SHOWN));
    same(&first, &second);
    for listing in [&first, &second] {
        let found = listing.functions_of("rec").expect("no name twice");
        assert_eq!(found.into_keys().collect::<Vec<_>>(), PROBES);
    }
}

#[test]
fn labels_that_shift_change_nothing() {
    assert!(
        LEGACY.contains(".LBB2_1") && !SHIFTED.contains(".LBB2_1:\n\tldaxr\tx0, [x8]\n\tstlxr")
    );
    same(&compiled(LEGACY), &compiled(SHIFTED));
    let text = code(&compiled(SHIFTED), "ours_swap_u64_acqrel").to_string();
    let expected = "    mov x8, x0\nL0:\n    ldaxr x0, [x8]\n    stlxr w9, x1, [x8]\n    \
                    cbnz w9, L0\n    ret\n";
    assert_eq!(text, expected);
}

#[test]
fn legacy_and_v0_names_are_one_name() {
    assert!(LEGACY.contains("_ZN3rec") && V0.contains("3rec20core_swap_u64_acqrel"));
    assert!(!V0.contains("_ZN3rec"));
    same(&compiled(LEGACY), &compiled(V0));
}

#[test]
fn merged_functions_have_the_code_of_both() {
    assert!(LEGACY.contains("ours_swap_u64_acqrel17h43ded2bf4a0570abE = "));
    let listing = compiled(LEGACY);
    let (ours, core) = (
        code(&listing, "ours_swap_u64_acqrel"),
        code(&listing, "core_swap_u64_acqrel"),
    );
    assert_eq!(ours, core);
    // Without the function that stays, the other has no code, and that is said.
    let orphan = LEGACY.replace(
        "_ZN3rec20core_swap_u64_acqrel17h729fc32e96132c6cE:",
        "gone:",
    );
    let listing = emitted::read("x.s", &orphan).expect("well formed");
    let error = listing
        .body("rec::ours_swap_u64_acqrel")
        .expect_err("it is gone");
    let said = "stands for `rec::core_swap_u64_acqrel`, which has no code";
    assert!(error.to_string().contains(said), "{error}");
}

#[test]
fn aliases_in_a_circle_are_an_error() {
    let listing = shown::read("k::a = k::b\nk::b = k::a\n");
    let error = listing.body("k::a").expect_err("no code").to_string();
    assert_eq!(error, "k::a: its aliases go in a circle");
}

#[test]
fn line_endings_of_windows_change_nothing() {
    let windows = LEGACY.replace('\n', "\r\n");
    same(&compiled(LEGACY), &compiled(&windows));
    let windows = SHOWN.replace('\n', "\r\n");
    same(&shown::read(SHOWN), &shown::read(&windows));
}

#[test]
fn warnings_in_front_of_the_code_are_not_code() {
    assert!(SHOWN.contains("warning: unstable feature"));
    let listing = shown::read(SHOWN);
    assert_eq!(listing.functions_of("rec").expect("no name twice").len(), 4);
}

#[test]
fn an_empty_body_is_an_error() {
    let name = "_ZN3rec20core_swap_u64_acqrel17h729fc32e96132c6cE";
    let text = format!(
        "\t.type\t{name},@function\n{name}:\n\t.cfi_startproc\n.Lfunc_end0:\n\t.size\t{name}, 0\n"
    );
    let listing = compiled(&text);
    let body = listing.body("rec::core_swap_u64_acqrel").expect("a label");
    let lines = body.iter().map(String::as_str);
    let error = Code::parse("core_swap_u64_acqrel", lines, Isa::Aarch64).expect_err("empty");
    assert_eq!(error.to_string(), "core_swap_u64_acqrel: its body is empty");
}

#[test]
fn a_name_that_begins_another_is_an_error() {
    let longer = LEGACY.replace("20core_swap_u64_acqrel", "26core_swap_u64_acqrel_twice");
    let listing = compiled(&longer);
    assert!(listing.body("rec::core_swap_u64_acqrel_twice").is_ok());
    let mut names = PROBES.to_vec();
    distinct(names.iter().copied()).expect("none begins another");
    names.push("core_swap_u64_acqrel_twice");
    assert!(distinct(names).is_err());
}

#[test]
fn constants_and_labels_of_inline_assembly_have_names_of_their_own() {
    let listing = compiled(LEGACY);
    let text = code(&listing, "hot_checked_next").to_string();
    assert!(text.contains("adrp x0, CONST0"), "{text}");
    assert!(text.contains("add x2, x2, :lo12:CONST1"), "{text}");
    let hits = classify(&code(&listing, "hot_checked_next"), Isa::Aarch64);
    assert!(hits.iter().any(|hit| hit.class == Class::Panic));
    let text = code(&listing, "hot_inline_loop").to_string();
    assert!(
        text.contains("L0:\n    ldxr x8, [x0]\n    cbz x8, L0\n    cbnz x8, L1"),
        "{text}"
    );
}

#[test]
fn numbered_labels_are_those_that_are_next() {
    let lines = [
        "2:",
        "cbz x0, 2f",
        "cbnz x0, 2b",
        "2:",
        "cbnz x1, 2b",
        "add x0, x0, #2",
    ];
    let text = Code::parse("f", lines, Isa::Aarch64)
        .expect("code")
        .to_string();
    let expected =
        "L0:\n    cbz x0, L1\n    cbnz x0, L0\nL1:\n    cbnz x1, L1\n    add x0, x0, #2\n";
    assert_eq!(text, expected);
}

#[test]
fn normal_code_is_normal() {
    for name in PROBES {
        let code = code(&compiled(LEGACY), name);
        let text = code.to_string();
        let again = Code::parse(name, text.lines(), Isa::Aarch64).expect("code");
        assert_eq!(again, code, "{name}");
    }
}

#[test]
fn prefixes_stand_with_their_instruction() {
    let lines = [
        "lock",
        "xadd\tqword ptr [rdi],rax",
        "lock\t\tor\tdword ptr [rsp - 64], 0",
        "ret # x",
    ];
    let text = Code::parse("f", lines, Isa::X86_64)
        .expect("code")
        .to_string();
    let expected =
        "    lock xadd qword ptr [rdi], rax\n    lock or dword ptr [rsp - 64], 0\n    ret\n";
    assert_eq!(text, expected);
}
