//! One walk over a syntax tree for all checks: each site with its function, statement and call.

use super::{RustFile, needs_test};
use proc_macro2::Span;
use syn::spanned::Spanned as _;
use syn::visit::{self, Visit};

/// Where a site stands.
#[derive(Clone, Debug, Default)]
pub(crate) struct Place {
    pub(crate) line: usize,
    /// First line of the innermost statement, match arm or item.
    pub(crate) statement: usize,
    /// First line of the innermost call.
    pub(crate) call: usize,
    /// Name of the function or method that the innermost call is to.
    pub(crate) callee: String,
    /// Which argument of that call the site is in, from 0.
    pub(crate) argument: usize,
    /// `name` or `Type::name`; empty outside of functions.
    pub(crate) function: String,
    /// Inline modules around the site, outermost first.
    pub(crate) modules: Vec<String>,
    /// True in code that is compiled for tests only.
    pub(crate) test: bool,
}

/// What a check wants to hear of. Every method defaults to not listening.
pub(crate) trait Sink {
    /// A path in an expression, such as `Ordering::Acquire`.
    fn expression(&mut self, _path: &syn::Path, _place: &Place) {}
    /// Any path at all, in types, expressions, patterns and bounds.
    fn path(&mut self, _path: &syn::Path, _place: &Place) {}
    /// A `use` declaration.
    fn import(&mut self, _item: &syn::ItemUse, _place: &Place) {}
    /// A call of something that a path names.
    fn call(&mut self, _call: &syn::ExprCall, _place: &Place) {}
    /// A macro call; its tokens are not parsed.
    fn macro_call(&mut self, _call: &syn::Macro, _place: &Place) {}
    /// An attribute.
    fn attribute(&mut self, _attribute: &syn::Attribute, _place: &Place) {}
    /// An `unsafe { }` block.
    fn unsafe_block(&mut self, _place: &Place) {}
    /// An `unsafe impl`.
    fn unsafe_impl(&mut self, _place: &Place) {}
    /// An `unsafe fn` or `unsafe trait` that must document its contract.
    fn unsafe_item(&mut self, _name: &str, _attributes: &[syn::Attribute], _place: &Place) {}
    /// A function with its first and last line.
    fn function(&mut self, _place: &Place, _last: usize) {}
}

/// Walks a file and tells the sink.
pub(crate) fn walk(file: &RustFile, sink: &mut impl Sink) {
    let place = Place {
        test: file.test,
        line: 1,
        statement: 1,
        call: 1,
        ..Place::default()
    };
    let mut walker = Walker {
        place,
        owner: String::new(),
        trait_impl: false,
        sink,
    };
    walker.visit_file(&file.ast);
}

struct Walker<'s, S> {
    place: Place,
    /// The type of the `impl` block around.
    owner: String,
    trait_impl: bool,
    sink: &'s mut S,
}

impl<S: Sink> Walker<'_, S> {
    fn at(&self, span: Span) -> Place {
        Place {
            line: span.start().line,
            ..self.place.clone()
        }
    }

    /// Runs `body` with a changed place and puts the place back.
    fn within(&mut self, change: impl FnOnce(&mut Place), body: impl FnOnce(&mut Self)) {
        let kept = self.place.clone();
        change(&mut self.place);
        body(self);
        self.place = kept;
    }

    /// The arguments of a call, each with its number.
    fn arguments<P>(&mut self, arguments: &syn::punctuated::Punctuated<syn::Expr, P>) {
        for (number, argument) in arguments.iter().enumerate() {
            let change = |place: &mut Place| place.argument = number;
            self.within(change, |walker| walker.visit_expr(argument));
        }
    }

    fn statement(
        &mut self,
        span: Span,
        attributes: &[syn::Attribute],
        body: impl FnOnce(&mut Self),
    ) {
        let line = span.start().line;
        let test = attributes.iter().any(needs_test);
        let change = |place: &mut Place| {
            (place.statement, place.call) = (line, line);
            place.callee.clear();
            place.test |= test;
        };
        self.within(change, body);
    }

    fn enter_fn(
        &mut self,
        signature: &syn::Signature,
        attributes: &[syn::Attribute],
        span: Span,
        body: impl FnOnce(&mut Self),
    ) {
        let name = if self.owner.is_empty() {
            signature.ident.to_string()
        } else {
            format!("{}::{}", self.owner, signature.ident)
        };
        let test = attributes.iter().any(needs_test);
        let change = |place: &mut Place| {
            place.function.clone_from(&name);
            place.test |= test;
            place.line = signature.span().start().line;
            (place.statement, place.call) = (place.line, place.line);
        };
        self.within(change, |walker| {
            let place = walker.place.clone();
            walker.sink.function(&place, span.end().line);
            if signature.unsafety.is_some() && !walker.trait_impl {
                walker.sink.unsafe_item(&name, attributes, &place);
            }
            body(walker);
        });
    }
}

/// The last name of a type, for `Type::method`.
fn type_name(kind: &syn::Type) -> String {
    match kind {
        syn::Type::Path(path) => path
            .path
            .segments
            .last()
            .map(|last| last.ident.to_string())
            .unwrap_or_default(),
        syn::Type::Reference(reference) => type_name(&reference.elem),
        _ => String::new(),
    }
}

impl<'ast, S: Sink> Visit<'ast> for Walker<'_, S> {
    fn visit_item(&mut self, item: &'ast syn::Item) {
        self.statement(item.span(), &[], |walker| visit::visit_item(walker, item));
    }

    fn visit_item_mod(&mut self, item: &'ast syn::ItemMod) {
        let test = item.attrs.iter().any(needs_test);
        let name = item.ident.to_string();
        // An outer attribute belongs to the module it stands on, so it is heard as test code too.
        let change = |place: &mut Place| {
            place.test |= test;
            place.modules.push(name);
        };
        self.within(change, |walker| visit::visit_item_mod(walker, item));
    }

    fn visit_item_impl(&mut self, item: &'ast syn::ItemImpl) {
        let owner = core::mem::replace(&mut self.owner, type_name(&item.self_ty));
        let trait_impl = core::mem::replace(&mut self.trait_impl, item.trait_.is_some());
        self.statement(item.span(), &item.attrs, |walker| {
            if item.unsafety.is_some() {
                let place = walker.at(item.impl_token.span());
                walker.sink.unsafe_impl(&place);
            }
            visit::visit_item_impl(walker, item);
        });
        self.owner = owner;
        self.trait_impl = trait_impl;
    }

    fn visit_item_trait(&mut self, item: &'ast syn::ItemTrait) {
        let owner = core::mem::replace(&mut self.owner, item.ident.to_string());
        let trait_impl = core::mem::replace(&mut self.trait_impl, false);
        self.statement(item.span(), &item.attrs, |walker| {
            if item.unsafety.is_some() {
                let place = walker.at(item.ident.span());
                walker
                    .sink
                    .unsafe_item(&item.ident.to_string(), &item.attrs, &place);
            }
            visit::visit_item_trait(walker, item);
        });
        self.owner = owner;
        self.trait_impl = trait_impl;
    }

    fn visit_item_fn(&mut self, item: &'ast syn::ItemFn) {
        let owner = core::mem::take(&mut self.owner);
        let trait_impl = core::mem::replace(&mut self.trait_impl, false);
        self.enter_fn(&item.sig, &item.attrs, item.span(), |walker| {
            visit::visit_item_fn(walker, item);
        });
        self.owner = owner;
        self.trait_impl = trait_impl;
    }

    fn visit_impl_item_fn(&mut self, item: &'ast syn::ImplItemFn) {
        self.enter_fn(&item.sig, &item.attrs, item.span(), |walker| {
            visit::visit_impl_item_fn(walker, item);
        });
    }

    fn visit_trait_item_fn(&mut self, item: &'ast syn::TraitItemFn) {
        self.enter_fn(&item.sig, &item.attrs, item.span(), |walker| {
            visit::visit_trait_item_fn(walker, item);
        });
    }

    fn visit_stmt(&mut self, stmt: &'ast syn::Stmt) {
        self.statement(stmt.span(), &[], |walker| visit::visit_stmt(walker, stmt));
    }

    fn visit_arm(&mut self, arm: &'ast syn::Arm) {
        self.statement(arm.span(), &arm.attrs, |walker| {
            visit::visit_arm(walker, arm)
        });
    }

    fn visit_expr_call(&mut self, call: &'ast syn::ExprCall) {
        let line = call.span().start().line;
        let callee = match &*call.func {
            syn::Expr::Path(path) => path.path.segments.last().map(|last| last.ident.to_string()),
            _ => None,
        };
        let change = |place: &mut Place| {
            place.call = line;
            place.callee = callee.unwrap_or_default();
        };
        let place = self.at(call.span());
        self.sink.call(call, &place);
        self.within(change, |walker| {
            for attribute in &call.attrs {
                walker.visit_attribute(attribute);
            }
            walker.visit_expr(&call.func);
            walker.arguments(&call.args);
        });
    }

    fn visit_expr_method_call(&mut self, call: &'ast syn::ExprMethodCall) {
        let line = call.span().start().line;
        let change = |place: &mut Place| {
            place.call = line;
            place.callee = call.method.to_string();
        };
        self.within(change, |walker| {
            for attribute in &call.attrs {
                walker.visit_attribute(attribute);
            }
            walker.visit_expr(&call.receiver);
            if let Some(generics) = &call.turbofish {
                walker.visit_angle_bracketed_generic_arguments(generics);
            }
            walker.arguments(&call.args);
        });
    }

    fn visit_expr_path(&mut self, expr: &'ast syn::ExprPath) {
        let place = self.at(expr.path.span());
        self.sink.expression(&expr.path, &place);
        visit::visit_expr_path(self, expr);
    }

    fn visit_pat(&mut self, pattern: &'ast syn::Pat) {
        match pattern {
            // A pattern looks at a value and passes none, so it is not an expression.
            syn::Pat::Path(path) => visit::visit_expr_path(self, path),
            _ => visit::visit_pat(self, pattern),
        }
    }

    fn visit_path(&mut self, path: &'ast syn::Path) {
        let place = self.at(path.span());
        self.sink.path(path, &place);
        visit::visit_path(self, path);
    }

    fn visit_item_use(&mut self, item: &'ast syn::ItemUse) {
        let place = self.at(item.span());
        let test = item.attrs.iter().any(needs_test);
        self.sink.import(
            item,
            &Place {
                test: place.test || test,
                ..place
            },
        );
        visit::visit_item_use(self, item);
    }

    fn visit_macro(&mut self, call: &'ast syn::Macro) {
        let place = self.at(call.span());
        self.sink.macro_call(call, &place);
        visit::visit_macro(self, call);
    }

    fn visit_attribute(&mut self, attribute: &'ast syn::Attribute) {
        let place = self.at(attribute.span());
        let test = place.test || needs_test(attribute);
        self.sink.attribute(attribute, &Place { test, ..place });
    }

    fn visit_expr_unsafe(&mut self, expr: &'ast syn::ExprUnsafe) {
        let place = self.at(expr.unsafe_token.span());
        self.sink.unsafe_block(&place);
        visit::visit_expr_unsafe(self, expr);
    }
}
