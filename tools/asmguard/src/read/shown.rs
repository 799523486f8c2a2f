//! Reads what cargo-show-asm prints: of one function, or with `--everything` of all.
//!
//! Its names are paths already. A function begins with `path:` at the margin and ends with the
//! compiler's `.Lfunc_end`, with the next one, or with the text. Of a merged function it prints
//! `a = b` and no code.

use super::Listing;

/// Reads one or more functions.
#[must_use]
pub fn read(text: &str) -> Listing {
    let mut listing = Listing::default();
    let mut open: Option<(String, Vec<String>)> = None;
    for line in text.lines() {
        let line = line.trim_end();
        let head = head(line);
        if (head.is_some() || line.starts_with(".Lfunc_end"))
            && let Some((name, body)) = open.take()
        {
            listing.insert(name, body);
        }
        match head {
            Some(Head::Function(name)) => open = Some((name.to_owned(), Vec::new())),
            Some(Head::Alias(name, target)) => listing.alias(name.to_owned(), target.to_owned()),
            None => {
                if let Some((_, body)) = &mut open {
                    body.push(line.to_owned());
                }
            }
        }
    }
    if let Some((name, body)) = open {
        listing.insert(name, body);
    }
    listing
}

enum Head<'a> {
    Function(&'a str),
    Alias(&'a str, &'a str),
}

/// What begins at the margin and is a path: data has no path, labels begin with a full stop or a digit.
fn head(line: &str) -> Option<Head<'_>> {
    if !line.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_' || c == '<') {
        return None;
    }
    if let Some(name) = line.strip_suffix(':') {
        return (name.contains("::") && !name.contains('\t')).then_some(Head::Function(name));
    }
    let (name, target) = line.split_once(" = ")?;
    name.contains("::").then_some(Head::Alias(name, target))
}

#[cfg(test)]
mod tests {
    use super::read;

    #[test]
    fn functions_aliases_and_noise_are_told_apart() {
        let text = "warning: unstable feature\n\
                    k::a:\n\tmov x0, x1\n.LBB0_1:\n\tret\n.Lfunc_end0:\nanon:\n\t.quad 1\n\
                    k::b = k::a\nk::c:\n\tret\n";
        let listing = read(text);
        assert_eq!(listing.body("k::b").expect("merged").len(), 3);
        assert_eq!(listing.body("k::c").expect("the last one"), ["\tret"]);
        assert!(listing.body("anon").is_err());
    }
}
