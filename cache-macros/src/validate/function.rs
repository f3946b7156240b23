//! What a function must be to be cached, and what it returns.

use quote::ToTokens;
use syn::visit::Visit;
use syn::{
    GenericArgument, Lifetime, PathArguments, ReturnType, Safety, Type, TypeImplTrait,
    TypeReference,
};

use crate::diagnostics::Errors;
use crate::model::{Returned, Shape, ValueType};
use crate::parse::{Function, Surroundings};
use crate::text::compact;

/// The rules about the kind of function.
pub(crate) fn check_kind(function: &Function, errors: &mut Errors) {
    let sig = &function.sig;
    if sig.asyncness.is_none() {
        errors.at(
            sig.fn_token,
            format!("`#[cached]` needs an async function: write `async fn {}`", sig.ident),
        );
    }
    if let Safety::Unsafe(token) = &sig.safety {
        errors.at(
            token,
            "an `unsafe` function cannot be cached: wrap it in a safe one and cache that",
        );
    }
    if let Some(abi) = &sig.abi {
        errors.at(
            abi,
            "a function with a foreign ABI cannot be cached: wrap it in a plain one and cache that",
        );
    }
    if let Some(variadic) = &sig.variadic {
        errors.at(variadic, "a function with variable arguments cannot be cached");
    }
}

/// Siblings cannot be added to a trait or its impl.
pub(crate) fn check_surroundings(
    function: &Function,
    surroundings: Surroundings,
    errors: &mut Errors,
) {
    let place = match surroundings {
        Surroundings::TraitImpl => "a trait impl",
        Surroundings::Trait => "a trait",
        Surroundings::Unknown | Surroundings::Free | Surroundings::Impl => return,
    };
    let name = &function.sig.ident;
    errors.at(
        name,
        format!(
            "a method of {place} cannot be cached, since its helpers have no place beside it: \
             move the body of `{name}` to a method of an inherent impl, put `#[cached]` there and call it"
        ),
    );
}

/// The return type taken apart; nothing where it cannot be stored.
pub(crate) fn check_return(function: &Function, errors: &mut Errors) -> Option<Returned> {
    let name = &function.sig.ident;
    let nothing = format!("`{name}` returns nothing that could be cached: give it a return type");
    let whole = match &function.sig.output {
        ReturnType::Default => {
            errors.at(name, nothing);
            return None;
        }
        ReturnType::Type(_, unit) if matches!(&**unit, Type::Tuple(tuple) if tuple.elems.is_empty()) =>
        {
            errors.at(unit, nothing);
            return None;
        }
        ReturnType::Type(_, whole) => whole,
    };
    let returned = take_apart(whole);
    // An error is handed out but never stored, so it may be anything.
    let stored = match &returned.value {
        ValueType::Written(value) => value,
        _ => first_argument(whole).unwrap_or(whole),
    };
    check_stored(stored, errors).then_some(returned)
}

fn check_stored(stored: &Type, errors: &mut Errors) -> bool {
    let mut check = Storable { errors, ok: true };
    if let Type::Never(_) = stored {
        check.refuse(stored, "a function that never returns has nothing to cache");
    }
    check.visit_type(stored);
    check.ok
}

/// Finds what no cache can keep.
struct Storable<'a> {
    errors: &'a mut Errors,
    ok: bool,
}

impl Storable<'_> {
    fn refuse(&mut self, place: impl ToTokens, message: &str) {
        self.errors.at(place, message);
        self.ok = false;
    }
}

impl<'ast> Visit<'ast> for Storable<'_> {
    fn visit_type_reference(&mut self, reference: &'ast TypeReference) {
        let owned = match &*reference.elem {
            Type::Path(path) if path.path.is_ident("str") => "`String` or `Arc<str>`".to_owned(),
            Type::Slice(slice) => format!("`Vec<{0}>` or `Arc<[{0}]>`", compact(&slice.elem)),
            other => format!("`{0}` or `Arc<{0}>`", compact(other)),
        };
        self.refuse(
            reference,
            &format!("a reference cannot be stored: return an owned value, {owned}"),
        );
    }

    fn visit_type_impl_trait(&mut self, each: &'ast TypeImplTrait) {
        self.refuse(each, "an `impl Trait` cannot be stored: name the type that is returned");
    }

    fn visit_lifetime(&mut self, lifetime: &'ast Lifetime) {
        if lifetime.ident != "static" {
            self.refuse(
                lifetime,
                &format!(
                    "a value that borrows (`{lifetime}`) cannot be stored: return an owned value"
                ),
            );
        }
    }

    // What lies behind a function pointer's own binder borrows nothing.
    fn visit_type_fn_ptr(&mut self, _: &'ast syn::TypeFnPtr) {}
}

/// The shape by the last path segment: `Result`, `Option`, or anything else.
fn take_apart(whole: &Type) -> Returned {
    let whole = ungrouped(whole).clone();
    let (shape, value, error) =
        match (last_segment(&whole).as_deref(), arguments(&whole).as_slice()) {
            (Some("Option"), [value]) => (Shape::Optional, ValueType::Written(value.clone()), None),
            (Some("Option"), _) => {
                let written = ValueType::Written(whole.clone());
                (Shape::Optional, ValueType::Some(Box::new(written)), None)
            }
            (Some("Result"), [ok, error]) => {
                let error = Some(ValueType::Written(error.clone()));
                match (last_segment(ok).as_deref(), arguments(ok).as_slice()) {
                    (Some("Option"), [value]) => {
                        (Shape::FallibleOptional, ValueType::Written(value.clone()), error)
                    }
                    (Some("Option"), _) => {
                        let ok = ValueType::Written(ok.clone());
                        (Shape::FallibleOptional, ValueType::Some(Box::new(ok)), error)
                    }
                    _ => (Shape::Fallible, ValueType::Written(ok.clone()), error),
                }
            }
            (Some("Result"), arguments) => {
                let (ok, error) =
                    (ValueType::Ok(whole.clone()), Some(ValueType::Err(whole.clone())));
                let optional =
                    arguments.first().and_then(last_segment).as_deref() == Some("Option");
                if optional {
                    (Shape::FallibleOptional, ValueType::Some(Box::new(ok)), error)
                } else {
                    (Shape::Fallible, ok, error)
                }
            }
            _ => (Shape::Plain, ValueType::Written(whole.clone()), None),
        };
    Returned { whole, shape, value, error }
}

fn last_segment(ty: &Type) -> Option<String> {
    match ungrouped(ty) {
        Type::Path(path) => path.path.segments.last().map(|segment| segment.ident.to_string()),
        _ => None,
    }
}

/// The type arguments of the last path segment.
fn arguments(ty: &Type) -> Vec<Type> {
    let Type::Path(path) = ungrouped(ty) else { return Vec::new() };
    match path.path.segments.last().map(|segment| &segment.arguments) {
        Some(PathArguments::AngleBracketed(list)) => list
            .args
            .iter()
            .filter_map(|each| match each {
                GenericArgument::Type(ty) => Some(ungrouped(ty).clone()),
                _ => None,
            })
            .collect(),
        _ => Vec::new(),
    }
}

fn first_argument(ty: &Type) -> Option<&Type> {
    let Type::Path(path) = ungrouped(ty) else { return None };
    match &path.path.segments.last()?.arguments {
        PathArguments::AngleBracketed(list) => list.args.iter().find_map(|each| match each {
            GenericArgument::Type(ty) => Some(ty),
            _ => None,
        }),
        _ => None,
    }
}

/// `macro_rules` and parentheses wrap types.
pub(crate) fn ungrouped(ty: &Type) -> &Type {
    match ty {
        Type::Group(group) => ungrouped(&group.elem),
        Type::Paren(paren) => ungrouped(&paren.elem),
        other => other,
    }
}
