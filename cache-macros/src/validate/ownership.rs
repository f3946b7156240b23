//! Whether a body can outlive its caller: by what its arguments borrow.

use quote::ToTokens;
use syn::visit::Visit;
use syn::{
    GenericParam, Ident, Lifetime, Receiver, ReceiverKind, Signature, Type, TypeImplTrait,
    TypeParamBound, TypeReference, WherePredicate,
};

use super::function::ungrouped;
use super::mentions::calls;
use crate::diagnostics::Errors;
use crate::model::{Adapt, Lending, Parameter, Run};
use crate::parse::Function;
use crate::text::compact;

/// Sets how each argument reaches the body, and says where the body runs.
pub(crate) fn check_ownership(
    function: &Function,
    parameters: &mut [Parameter],
    background: bool,
    errors: &mut Errors,
) -> Run {
    let sig = &function.sig;
    let mut owned = check_generics(sig, background, errors);
    for parameter in parameters.iter_mut() {
        parameter.lending = lending(&parameter.ty, background);
        if let (Adapt::Into(into), true) = (&parameter.adapt, parameter.in_put) {
            parameter.lending = lending(into, false);
        }
        if matches!(parameter.lending, Lending::Borrowed) {
            owned = false;
            if background {
                refuse(&parameter.ty, errors);
            }
        }
    }
    if let Some(receiver) = sig.receiver() {
        match receiver_lending(receiver, background) {
            Lending::Borrowed => {
                owned = false;
                if background {
                    refuse(receiver, errors);
                }
            }
            Lending::Lent(_) | Lending::Moved => {}
        }
    }
    let recursive = calls(function.body.stream(), &sig.ident, sig.receiver().is_some());
    match (owned, background, recursive) {
        (true, true, true) => Run::BackgroundBoxed,
        (true, true, false) => Run::Background,
        (true, false, false) => Run::Owned,
        // Asking whether a body is `Send` that holds its own future would never end.
        (true, false, true) | (false, _, true) => Run::Inline,
        (false, _, false) => Run::Lent,
    }
}

/// How the receiver reaches a detached body.
pub(crate) fn receiver_lending(receiver: &Receiver, background: bool) -> Lending {
    match &receiver.kind {
        ReceiverKind::Value => Lending::Moved,
        ReceiverKind::Reference(_, lifetime, None) if background && lifetime.is_none() => {
            Lending::Lent(Box::new(syn::parse_quote!(Self)))
        }
        ReceiverKind::Typed(_, ty) => lending(ty, background),
        _ => Lending::Borrowed,
    }
}

fn refuse(place: &(impl ToTokens + ?Sized), errors: &mut Errors) {
    errors.at(
        place.to_token_stream(),
        format!(
            "`stale` refreshes in the background, where `{}` cannot be owned: take it by value or as a plain \
             `&T` of a `Clone` type, or leave `stale` out",
            compact(&place.to_token_stream())
        ),
    );
}

/// Generic types must outlive the caller, too.
fn check_generics(sig: &Signature, background: bool, errors: &mut Errors) -> bool {
    let mut all = true;
    for param in &sig.generics.params {
        let GenericParam::Type(param) = param else { continue };
        if param.bounds.iter().any(is_static) || where_static(sig, &param.ident) {
            continue;
        }
        all = false;
        if background {
            errors.at(
                &param.ident,
                format!(
                    "`stale` refreshes in the background, where `{0}` may not live long enough: write `{0}: 'static`, \
                     or leave `stale` out",
                    param.ident
                ),
            );
        }
    }
    all
}

fn is_static(bound: &TypeParamBound) -> bool {
    matches!(bound, TypeParamBound::Lifetime(lifetime) if lifetime.ident == "static")
}

fn where_static(sig: &Signature, name: &Ident) -> bool {
    sig.generics.where_clause.iter().flat_map(|clause| &clause.predicates).any(|predicate| match predicate {
        WherePredicate::Type(predicate) => {
            predicate.bounds.iter().any(is_static)
                && matches!(ungrouped(&predicate.bounded_ty), Type::Path(path) if path.path.is_ident(name))
        }
        _ => false,
    })
}

/// `background` asks for the most that can be done: any `&T` is cloned.
fn lending(ty: &Type, background: bool) -> Lending {
    let ty = ungrouped(ty);
    let Type::Reference(reference) = ty else {
        return if borrows(ty) { Lending::Borrowed } else { Lending::Moved };
    };
    let elem = ungrouped(&reference.elem);
    if reference.mutability.is_some() || borrows(elem) {
        return Lending::Borrowed;
    }
    match &reference.lifetime {
        Some(lifetime) if lifetime.ident == "static" => Lending::Moved,
        Some(lifetime) if lifetime.ident != "_" => Lending::Borrowed,
        _ if matches!(elem, Type::TraitObject(_)) => Lending::Borrowed,
        _ if background || is_cheap(elem) => Lending::Lent(Box::new(elem.clone())),
        _ => Lending::Borrowed,
    }
}

/// Types that are known to be `ToOwned`, `Send` and `'static`.
fn is_cheap(ty: &Type) -> bool {
    const NAMES: [&str; 21] = [
        "str", "String", "Path", "PathBuf", "OsStr", "CStr", "bool", "char", "u8", "u16", "u32",
        "u64", "u128", "usize", "i8", "i16", "i32", "i64", "i128", "isize", "Duration",
    ];
    match ungrouped(ty) {
        Type::Slice(slice) => {
            is_cheap(&slice.elem) && !matches!(ungrouped(&slice.elem), Type::Slice(_))
        }
        Type::Path(path) if path.qself.is_none() => {
            let last = path.path.segments.last();
            last.is_some_and(|last| {
                last.arguments.is_empty() && NAMES.contains(&last.ident.to_string().as_str())
            })
        }
        _ => false,
    }
}

/// Whether the type holds a reference, a lifetime or an unnamed type.
fn borrows(ty: &Type) -> bool {
    struct Borrows(bool);
    impl<'ast> Visit<'ast> for Borrows {
        fn visit_type_reference(&mut self, reference: &'ast TypeReference) {
            if reference.lifetime.as_ref().is_none_or(|lifetime| lifetime.ident != "static") {
                self.0 = true;
            }
            self.visit_type(&reference.elem);
        }

        fn visit_lifetime(&mut self, lifetime: &'ast Lifetime) {
            self.0 |= lifetime.ident != "static";
        }

        fn visit_type_impl_trait(&mut self, _: &'ast TypeImplTrait) {
            self.0 = true;
        }

        fn visit_type_fn_ptr(&mut self, _: &'ast syn::TypeFnPtr) {}
    }
    let mut found = Borrows(false);
    found.visit_type(ty);
    found.0
}
