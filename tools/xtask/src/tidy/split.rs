//! No atomic can lie across two cache lines: each struct that holds one asserts it when compiling.
//!
//! The assertion is the macro `never_split` beside the struct, with a field's name for each field that
//! is or holds an atomic in place. A packed struct could break it from outside, so there is none; of an
//! enum or a union nothing can be asserted, so none holds an atomic but inside of a struct.

use crate::report::Report;
use crate::source::{RustFile, needs_test};
use proc_macro2::{TokenStream, TokenTree};
use std::collections::{BTreeMap, BTreeSet};
use syn::spanned::Spanned as _;

/// Types that hold their argument elsewhere: an allocation has the alignment of its content.
const ELSEWHERE: [&str; 7] = [
    "Box",
    "Vec",
    "Arc",
    "Rc",
    "NonNull",
    "PhantomData",
    "LazyLock",
];

/// Checks the library's files together: an alias in one may name an atomic for another.
pub(crate) fn check(library: &[RustFile], report: &mut Report) {
    let files = library
        .iter()
        .filter(|file| !file.test && !file.path.starts_with("src/sync/"));
    let mut found: Vec<Found<'_>> = Vec::new();
    for file in files {
        let mut here = Found::new(&file.path);
        here.collect(&file.ast.items);
        found.push(here);
    }
    let aliases = aliases(&found);
    for file in &found {
        file.judge(&aliases, report);
    }
}

/// What a file has to do with the rule.
struct Found<'a> {
    path: &'a str,
    structs: Vec<&'a syn::ItemStruct>,
    /// Fields of enums and unions, with the name of the owner.
    bare: Vec<(&'a syn::Ident, &'a syn::Field)>,
    aliases: Vec<&'a syn::ItemType>,
    /// The two names of each `use .. as ..`.
    renamed: Vec<(String, String)>,
    /// Owner and fields of each assertion.
    asserted: BTreeMap<String, BTreeSet<String>>,
}

impl<'a> Found<'a> {
    fn new(path: &'a str) -> Self {
        Self {
            path,
            structs: Vec::new(),
            bare: Vec::new(),
            aliases: Vec::new(),
            renamed: Vec::new(),
            asserted: BTreeMap::new(),
        }
    }

    fn collect(&mut self, items: &'a [syn::Item]) {
        for item in items {
            match item {
                syn::Item::Struct(item) if !item.attrs.iter().any(needs_test) => {
                    self.structs.push(item);
                }
                syn::Item::Enum(item) if !item.attrs.iter().any(needs_test) => {
                    let fields = item.variants.iter().flat_map(|variant| &variant.fields);
                    self.bare.extend(fields.map(|field| (&item.ident, field)));
                }
                syn::Item::Union(item) if !item.attrs.iter().any(needs_test) => {
                    let fields = item.fields.named.iter();
                    self.bare.extend(fields.map(|field| (&item.ident, field)));
                }
                syn::Item::Type(item) => self.aliases.push(item),
                syn::Item::Use(item) => renamed(&item.tree, &mut self.renamed),
                syn::Item::Mod(module) if !module.attrs.iter().any(needs_test) => {
                    if let Some((_, items)) = &module.content {
                        self.collect(items);
                    }
                }
                syn::Item::Macro(call) => {
                    let name = call.mac.path.segments.last();
                    if name.is_some_and(|name| name.ident == "never_split") {
                        let (owner, fields) = assertion(call.mac.tokens.clone());
                        self.asserted.entry(owner).or_default().extend(fields);
                    }
                }
                _ => {}
            }
        }
    }

    fn judge(&self, aliases: &BTreeSet<String>, report: &mut Report) {
        for (owner, field) in &self.bare {
            if holds_atomic(&field.ty, aliases) {
                let message =
                    format!("`{owner}` holds an atomic and is no struct; put one around it");
                report.add(self.path, field.ty.span().start().line, message);
            }
        }
        for item in &self.structs {
            let owner = item.ident.to_string();
            let packed = item.attrs.iter().find(|attribute| is_packed(attribute));
            if let Some(attribute) = packed {
                let line = attribute.span().start().line;
                let message = format!("`{owner}` is packed: an atomic around it could be split");
                report.add(self.path, line, message);
            }
            let none = BTreeSet::new();
            let asserted = self.asserted.get(&owner).unwrap_or(&none);
            for (number, field) in item.fields.iter().enumerate() {
                let name = field
                    .ident
                    .as_ref()
                    .map_or_else(|| number.to_string(), ToString::to_string);
                if holds_atomic(&field.ty, aliases) && !asserted.contains(&name) {
                    let message = format!(
                        "`{owner}` holds an atomic in `{name}`; \
                         say `never_split!({owner}: {name});` beside it"
                    );
                    report.add(self.path, field.ty.span().start().line, message);
                }
            }
        }
    }
}

/// The names of types that are or hold an atomic, by any chain of aliases.
fn aliases(found: &[Found<'_>]) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    loop {
        let before = names.len();
        for alias in found.iter().flat_map(|file| &file.aliases) {
            if holds_atomic(&alias.ty, &names) {
                names.insert(alias.ident.to_string());
            }
        }
        for (name, other) in found.iter().flat_map(|file| &file.renamed) {
            if is_atomic(name) || names.contains(name) {
                names.insert(other.clone());
            }
        }
        if names.len() == before {
            return names;
        }
    }
}

/// Finds each `name as other`.
fn renamed(tree: &syn::UseTree, found: &mut Vec<(String, String)>) {
    match tree {
        syn::UseTree::Path(path) => renamed(&path.tree, found),
        syn::UseTree::Group(group) => group.items.iter().for_each(|tree| renamed(tree, found)),
        syn::UseTree::Rename(both) => {
            found.push((both.ident.to_string(), both.rename.to_string()));
        }
        syn::UseTree::Name(_) | syn::UseTree::Glob(_) => {}
    }
}

/// Whether the facade's type of this name is an atomic.
fn is_atomic(name: &str) -> bool {
    ["Atomic", "StaticBool", "StaticU"]
        .iter()
        .any(|start| name.starts_with(start))
}

/// Whether a value of this type has an atomic inside it, not behind a pointer.
fn holds_atomic(kind: &syn::Type, aliases: &BTreeSet<String>) -> bool {
    match kind {
        syn::Type::Array(array) => holds_atomic(&array.elem, aliases),
        syn::Type::Slice(slice) => holds_atomic(&slice.elem, aliases),
        syn::Type::Paren(inner) => holds_atomic(&inner.elem, aliases),
        syn::Type::Group(inner) => holds_atomic(&inner.elem, aliases),
        syn::Type::Tuple(tuple) => tuple.elems.iter().any(|elem| holds_atomic(elem, aliases)),
        syn::Type::Path(path) => path.path.segments.last().is_some_and(|last| {
            let name = last.ident.to_string();
            if is_atomic(&name) || aliases.contains(&name) {
                return true;
            }
            let syn::PathArguments::AngleBracketed(arguments) = &last.arguments else {
                return false;
            };
            !ELSEWHERE.contains(&name.as_str())
                && arguments.args.iter().any(|argument| {
                    matches!(argument, syn::GenericArgument::Type(inner) if holds_atomic(inner, aliases))
                })
        }),
        _ => false,
    }
}

/// Owner and fields of `never_split!(Owner<..>: field, field)`.
fn assertion(tokens: TokenStream) -> (String, BTreeSet<String>) {
    let colon = |token: &TokenTree| matches!(token, TokenTree::Punct(p) if p.as_char() == ':');
    let mut tokens = tokens.into_iter();
    let owner = tokens.next().map(|token| token.to_string());
    let fields = tokens.skip_while(|token| !colon(token)).skip(1);
    let fields = fields.filter(|token| !matches!(token, TokenTree::Punct(_)));
    let fields = fields.map(|token| token.to_string()).collect();
    (owner.unwrap_or_default(), fields)
}

fn is_packed(attribute: &syn::Attribute) -> bool {
    let list = attribute.meta.require_list();
    attribute.path().is_ident("repr")
        && list.is_ok_and(|list| list.tokens.to_string().contains("packed"))
}
