//! The generics that a helper needs: those that its own signature mentions, and what they lead to.

use std::collections::HashSet;

use proc_macro2::TokenStream;
use quote::{ToTokens, quote};
use syn::{GenericParam, Generics, Signature, WherePredicate};

use crate::validate::words;

/// The part of `sig`'s generics that `mentioned` needs. A type that only other parameters have
/// could not be inferred by who calls the helper.
pub(crate) fn subset(sig: &Signature, mentioned: &TokenStream) -> Generics {
    let generics = &sig.generics;
    let mut names = HashSet::new();
    words(mentioned.clone(), &mut names);
    let mut kept: HashSet<String> = HashSet::new();
    loop {
        let before = kept.len();
        for param in &generics.params {
            let name = name_of(param);
            if names.contains(&name) && kept.insert(name) {
                // Its bounds may lead to others.
                words(param.to_token_stream(), &mut names);
            }
        }
        if kept.len() == before {
            break;
        }
    }
    let all: HashSet<String> = generics.params.iter().map(name_of).collect();
    let mut subset = generics.clone();
    subset.params =
        generics.params.iter().filter(|param| kept.contains(&name_of(param))).cloned().collect();
    if subset.params.is_empty() {
        subset.lt_token = None;
        subset.gt_token = None;
    }
    if let Some(clause) = &mut subset.where_clause {
        clause.predicates = std::mem::take(&mut clause.predicates)
            .into_iter()
            .filter(|predicate| is_kept(predicate, &all, &kept))
            .collect();
        if clause.predicates.is_empty() {
            subset.where_clause = None;
        }
    }
    subset
}

/// `::<T, N>`, without lifetimes, which cannot always be given and never need to be.
pub(crate) fn turbofish(generics: &Generics) -> TokenStream {
    let names: Vec<_> = generics
        .params
        .iter()
        .filter_map(|param| match param {
            GenericParam::Type(param) => Some(&param.ident),
            GenericParam::Const(param) => Some(&param.ident),
            GenericParam::Lifetime(_) => None,
        })
        .collect();
    if names.is_empty() { TokenStream::new() } else { quote!(::<#(#names),*>) }
}

fn is_kept(predicate: &WherePredicate, all: &HashSet<String>, kept: &HashSet<String>) -> bool {
    let mut names = HashSet::new();
    words(predicate.to_token_stream(), &mut names);
    let mut own = names.iter().filter(|name| all.contains(*name)).peekable();
    // One about no parameter of the function is about the impl's and stays.
    own.all(|name| kept.contains(name))
}

fn name_of(param: &GenericParam) -> String {
    match param {
        GenericParam::Lifetime(param) => format!("'{}", param.lifetime.ident),
        GenericParam::Type(param) => param.ident.to_string(),
        GenericParam::Const(param) => param.ident.to_string(),
    }
}
