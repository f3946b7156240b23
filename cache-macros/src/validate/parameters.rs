//! The parameters: their names, what their patterns bind, how their types convert.

use proc_macro2::Span;
use quote::format_ident;
use syn::visit::Visit;
use syn::visit_mut::{self, VisitMut};
use syn::{
    FieldPat, FnArg, GenericArgument, Ident, Pat, PatIdent, PatType, PatWild, PathArguments, Token,
    Type, TypeParamBound,
};

use super::function::ungrouped;
use crate::diagnostics::Errors;
use crate::model::{Adapt, Lending, Parameter};
use crate::parse::Function;

/// The parameters without the receiver, not yet told who needs them.
pub(crate) fn check_parameters(function: &Function, errors: &mut Errors) -> Vec<Parameter> {
    let mut parameters = Vec::new();
    for input in &function.sig.inputs {
        let attrs = match input {
            FnArg::Receiver(receiver) => &receiver.attrs,
            FnArg::Typed(typed) => &typed.attrs,
        };
        for attr in attrs.iter().filter(|attr| attr.path().is_ident("cfg")) {
            errors.at(
                attr,
                "a parameter under `cfg` has no place in a key: put the `cfg` on two functions",
            );
        }
        if let FnArg::Typed(typed) = input {
            parameters.push(parameter(parameters.len(), typed));
        }
    }
    parameters
}

fn parameter(index: usize, typed: &PatType) -> Parameter {
    let (ident, pattern, bindings) = match plain_name(&typed.pat) {
        Some(name) => (name.clone(), None, vec![name.clone()]),
        None => {
            let mut names = Bindings::default();
            names.visit_pat(&typed.pat);
            let mut pattern = (*typed.pat).clone();
            ByReference.visit_pat_mut(&mut pattern);
            // Hygienic: no argument of the user can have this name.
            (format_ident!("arg{index}", span = Span::mixed_site()), Some(pattern), names.0)
        }
    };
    Parameter {
        ident,
        pattern,
        ty: (*typed.ty).clone(),
        bindings,
        lending: Lending::Borrowed,
        adapt: adapt(&typed.ty),
        in_key: false,
        in_put: false,
    }
}

/// `id`, `mut id`, also from a macro.
fn plain_name(pat: &Pat) -> Option<&Ident> {
    match pat {
        Pat::Ident(PatIdent { by_ref: None, subpat: None, ident, .. }) => Some(ident),
        Pat::Paren(paren) => plain_name(&paren.pat),
        _ => None,
    }
}

/// All names that a pattern binds.
#[derive(Default)]
struct Bindings(Vec<Ident>);

impl<'ast> Visit<'ast> for Bindings {
    fn visit_pat_ident(&mut self, each: &'ast PatIdent) {
        self.0.push(each.ident.clone());
        if let Some((_, inner)) = &each.subpat {
            self.visit_pat(inner);
        }
    }
}

/// Makes a pattern match `&value` and bind references only: without `mut`, `ref` and `&`.
struct ByReference;

impl VisitMut for ByReference {
    fn visit_pat_mut(&mut self, pat: &mut Pat) {
        while let Pat::Reference(reference) = pat {
            *pat = (*reference.pat).clone();
        }
        visit_mut::visit_pat_mut(self, pat);
    }

    fn visit_pat_ident_mut(&mut self, each: &mut PatIdent) {
        each.by_ref = None;
        each.mutability = None;
        visit_mut::visit_pat_ident_mut(self, each);
    }
}

/// The pattern with `_` for the names that are not used.
pub(crate) fn only(pattern: &Pat, used: &[&Ident]) -> Pat {
    let mut pattern = pattern.clone();
    Only(used).visit_pat_mut(&mut pattern);
    pattern
}

struct Only<'a>(&'a [&'a Ident]);

impl VisitMut for Only<'_> {
    fn visit_pat_mut(&mut self, pat: &mut Pat) {
        if let Pat::Ident(each) = pat
            && !self.0.contains(&&each.ident)
        {
            *pat = match each.subpat.take() {
                Some((_, inner)) => *inner,
                None => Pat::Wild(PatWild {
                    attrs: Vec::new(),
                    underscore_token: Token![_](each.ident.span()),
                }),
            };
            return self.visit_if_inner(pat);
        }
        visit_mut::visit_pat_mut(self, pat);
    }

    fn visit_field_pat_mut(&mut self, field: &mut FieldPat) {
        visit_mut::visit_field_pat_mut(self, field);
        // `User { id }` names the field and the binding at once.
        if field.colon_token.is_none()
            && !matches!(&*field.pat, Pat::Ident(each) if each.subpat.is_none())
        {
            field.colon_token = Some(Token![:](Span::mixed_site()));
        }
    }
}

impl Only<'_> {
    fn visit_if_inner(&mut self, pat: &mut Pat) {
        if !matches!(pat, Pat::Wild(_)) {
            self.visit_pat_mut(pat);
        }
    }
}

/// `impl Into<T>` and `impl AsRef<T>`, beside markers that an owned `T` has as well.
fn adapt(ty: &Type) -> Adapt {
    let Type::ImplTrait(bounds) = ungrouped(ty) else { return Adapt::Nothing };
    let mut found = Adapt::Nothing;
    for bound in &bounds.bounds {
        match bound {
            TypeParamBound::Lifetime(_) => {}
            TypeParamBound::Trait(each) if each.maybe.is_none() && each.lifetimes.is_none() => {
                let Some(segment) = each.path.segments.last() else { return Adapt::Nothing };
                match (segment.ident.to_string().as_str(), &found, one_argument(&segment.arguments))
                {
                    ("Send" | "Sync" | "Unpin" | "Clone", ..) => {}
                    ("Into", Adapt::Nothing, Some(into)) => found = Adapt::Into(into),
                    ("AsRef", Adapt::Nothing, Some(into)) => found = Adapt::AsRef(into),
                    _ => return Adapt::Nothing,
                }
            }
            _ => return Adapt::Nothing,
        }
    }
    found
}

fn one_argument(arguments: &PathArguments) -> Option<Type> {
    match arguments {
        PathArguments::AngleBracketed(list) if list.args.len() == 1 => match list.args.first() {
            Some(GenericArgument::Type(ty)) => Some(ty.clone()),
            _ => None,
        },
        _ => None,
    }
}
