//! Reading `#[cfg(...)]`: does it ask for tests, and which names does it use.

use proc_macro2::{TokenStream, TokenTree};
use syn::punctuated::Punctuated;
use syn::{Attribute, Meta, Token};

/// True for `#[test]` and for a `#[cfg(...)]` that can only hold in a test build.
pub(crate) fn needs_test(attribute: &Attribute) -> bool {
    if attribute.path().is_ident("test") {
        return true;
    }
    attribute.path().is_ident("cfg")
        && attribute
            .parse_args::<Meta>()
            .is_ok_and(|meta| implies_test(&meta))
}

/// `test` itself, an `all` with a part that implies it, an `any` whose parts all do.
fn implies_test(meta: &Meta) -> bool {
    let Meta::List(list) = meta else {
        return meta.path().is_ident("test");
    };
    let Ok(parts) = list.parse_args_with(Punctuated::<Meta, Token![,]>::parse_terminated) else {
        return false;
    };
    if list.path.is_ident("all") {
        parts.iter().any(implies_test)
    } else {
        list.path.is_ident("any") && !parts.is_empty() && parts.iter().all(implies_test)
    }
}

/// The condition of a `cfg` or `cfg_attr` attribute, as tokens.
pub(crate) fn tokens_of_cfg(attribute: &Attribute) -> Option<TokenStream> {
    let list = attribute.meta.require_list().ok()?;
    if attribute.path().is_ident("cfg") {
        return Some(list.tokens.clone());
    }
    let comma = |token: &TokenTree| matches!(token, TokenTree::Punct(p) if p.as_char() == ',');
    attribute.path().is_ident("cfg_attr").then(|| {
        list.tokens
            .clone()
            .into_iter()
            .take_while(|token| !comma(token))
            .collect()
    })
}

/// Whether this is the attribute `name`, or a `cfg_attr` that holds it.
pub(crate) fn sets(attribute: &Attribute, name: &str) -> bool {
    meta_sets(&attribute.meta, name)
}

fn meta_sets(meta: &Meta, name: &str) -> bool {
    if !meta.path().is_ident("cfg_attr") {
        return meta.path().is_ident(name);
    }
    let Ok(list) = meta.require_list() else {
        return false;
    };
    list.parse_args_with(Punctuated::<Meta, Token![,]>::parse_terminated)
        .is_ok_and(|parts| parts.iter().skip(1).any(|part| meta_sets(part, name)))
}
