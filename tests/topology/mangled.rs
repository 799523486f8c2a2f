//! Damaged input: a machine and its plans, or an error with the place; never a panic.
use super::tree::Tree;
use atomshard::TopologyError;
use atomshard::topology::{CpuSet, Machine, Placement, Policy};
use proptest::collection::vec;
use proptest::prelude::{Just, ProptestConfig, Strategy, any, prop_oneof, proptest};
use proptest::sample::Index;
use proptest::test_runner::TestRunner;

/// Plans by every policy for whatever came out; an error must say something.
pub(super) fn judge(read: Result<Machine, TopologyError>) {
    let machine = match read {
        Ok(machine) => machine,
        Err(error) => {
            assert!(
                !error.found.is_empty() && !error.expected.is_empty(),
                "{error:?}"
            );
            return;
        }
    };
    let online: CpuSet = machine.pus().iter().map(|pu| pu.cpu).collect();
    assert_eq!(online.len(), machine.pus().len());
    assert!(machine.allowed().is_subset(&online));
    let policies = Policy::NAMED.iter().cloned();
    let policies = policies.chain([Policy::List(vec![0, 1, 2, 3])]);
    // One policy is enough for a count that grew.
    let tried = if online.len() > 500 { 1 } else { usize::MAX };
    for policy in policies.take(tried) {
        if let Ok(plan) = Placement::new(policy).threads(9).shards(7).plan(&machine) {
            assert_eq!(plan.check(&machine), Ok(()));
        }
    }
}

/// One change of a text: at a place, so many bytes are replaced by others.
#[derive(Clone, Debug)]
struct Edit {
    at: Index,
    removed: usize,
    put: Vec<u8>,
}

fn edit() -> impl Strategy<Value = Edit> {
    let known = prop_oneof![
        Just("pu:2"),
        Just("numa:2"),
        Just("[numa]"),
        Just("("),
        Just(")"),
        Just("["),
        Just("]"),
        Just(":"),
        Just(" "),
        Just(","),
        Just("-"),
        Just("0"),
        Just("9"),
        Just("-1"),
        Just("65535"),
        Just("99999999999999999999"),
        Just("0-65535"),
        Just("\n"),
        Just("indexes="),
        Just("memory=9TB"),
        Just("\u{e9}"),
        Just("max"),
        Just("kB"),
    ];
    let known = known.prop_map(|text| text.as_bytes().to_vec());
    let put = prop_oneof![4 => known, 1 => vec(any::<u8>(), 0..4)];
    (any::<Index>(), 0..6_usize, put).prop_map(|(at, removed, put)| Edit { at, removed, put })
}

impl Edit {
    fn apply(&self, text: &mut Vec<u8>) {
        let at = self.at.index(text.len() + 1);
        let end = (at + self.removed).min(text.len());
        text.splice(at..end, self.put.iter().copied());
    }
}

/// What happens to a file of a tree.
#[derive(Clone, Debug)]
enum Damage {
    Edited(Vec<Edit>),
    Missing,
    Empty,
    /// It has what is in another file.
    Exchanged(Index),
    /// A folder is there instead.
    Folder,
}

fn damage() -> impl Strategy<Value = Damage> {
    prop_oneof![
        6 => vec(edit(), 1..4).prop_map(Damage::Edited),
        1 => Just(Damage::Missing),
        1 => Just(Damage::Empty),
        1 => any::<Index>().prop_map(Damage::Exchanged),
        1 => Just(Damage::Folder),
    ]
}

fn damaged(mut tree: Tree, at: &Index, damage: &Damage) -> Tree {
    let paths: Vec<String> = tree.files.keys().cloned().collect();
    let path = at.get(&paths);
    match damage {
        Damage::Edited(edits) => {
            let text = tree.files.get_mut(path).expect("a file");
            edits.iter().for_each(|edit| edit.apply(text));
        }
        Damage::Missing => tree.remove(path),
        Damage::Empty => tree.files.entry(path.clone()).or_default().clear(),
        Damage::Exchanged(other) => {
            let text = tree.files[other.get(&paths)].clone();
            tree.files.insert(path.clone(), text);
        }
        Damage::Folder => {
            tree.remove(path);
            tree.put(&format!("{path}/file"), "0");
        }
    }
    tree
}

proptest! {
    #[test]
    fn any_text_is_a_machine_or_an_error(text in any::<String>()) {
        judge(Machine::of_synthetic(&text));
        let _set: Result<CpuSet, _> = text.parse();
        let _policy: Result<Policy, _> = text.parse();
    }

    #[test]
    fn a_mangled_description_is_a_machine_or_an_error(edits in vec(edit(), 1..6)) {
        let whole = "pack:2 [numa(memory=8GB)] l3:2 core:2 l2:1(size=1MB) pu:2(indexes=0-7,1024-1031)";
        let mut text = whole.as_bytes().to_vec();
        edits.iter().for_each(|edit| edit.apply(&mut text));
        let text = String::from_utf8_lossy(&text);
        let read = Machine::of_synthetic(&text);
        if let Err(error) = &read {
            assert!(error.at <= text.len(), "{text:?}: {error}");
        }
        judge(read);
    }

    #[test]
    fn a_mangled_list_is_read_back_as_it_is_written(edits in vec(edit(), 0..4)) {
        let mut text = b"0-3,8,1020-1030".to_vec();
        edits.iter().for_each(|edit| edit.apply(&mut text));
        let text = String::from_utf8_lossy(&text);
        if let Ok(set) = text.parse::<CpuSet>() {
            assert_eq!(set.to_string().parse::<CpuSet>(), Ok(set));
        }
        if let Ok(policy) = text.parse::<Policy>() {
            assert_eq!(policy.to_string().parse::<Policy>(), Ok(policy));
        }
    }

}

#[test]
fn a_mangled_tree_is_a_machine_or_an_error() {
    let trees = [Tree::guest(), Tree::two_nodes(), Tree::odd_nodes()];
    let folders = trees.each_ref().map(Tree::write);
    let damages = vec((any::<Index>(), damage()), 1..4);
    // Without a file of failures: it would lie beside the source.
    let config = ProptestConfig {
        failure_persistence: None,
        ..ProptestConfig::default()
    };
    let result = TestRunner::new(config).run(&(0..3_usize, damages), |(which, damages)| {
        let (tree, folder) = (&trees[which], &folders[which]);
        let mangled = damages
            .iter()
            .fold(tree.clone(), |tree, (at, damage)| damaged(tree, at, damage));
        folder.change(tree, &mangled);
        let read = folder.read();
        folder.change(&mangled, tree);
        if let Err(error) = &read {
            assert!(error.file.is_some(), "{error}");
        }
        judge(read);
        Ok(())
    });
    result.unwrap_or_else(|failure| panic!("{failure}"));
    for (tree, folder) in trees.iter().zip(&folders) {
        assert_eq!(folder.read(), tree.read(), "the tree is whole again");
    }
}
