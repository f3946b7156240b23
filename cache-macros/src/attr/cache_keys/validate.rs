//! Raw to valid; every rule is one function.

use std::collections::HashMap;

use syn::{Expr, ExprLit, FnArg, Ident, Lit, LitStr, Pat, ReturnType, Signature, Type, TypePath};

use super::model::{Key, Keys, Parameter, RawKey, RawKeys, RawSpec, Tag, Ttl};
use crate::attr::pieces::{MAX_VALUES, values};
use crate::diagnostics::{Errors, did_you_mean};
use crate::parse::{TIME_HELP, parse_time};
use crate::template::{Segment, Template, ValueText, may_collide};

pub(super) fn validate<'a>(raw: &'a RawKeys, errors: &mut Errors) -> Keys<'a> {
    check_trait(raw, errors);
    check_names(raw, errors);
    let keys: Vec<Key<'a>> = raw.keys.iter().filter_map(|key| check_key(key, errors)).collect();
    check_collisions(&keys, errors);
    Keys {
        attrs: &raw.item.attrs,
        vis: &raw.item.vis,
        ident: &raw.item.ident,
        root: raw.root.as_ref(),
        keys,
    }
}

fn check_trait(raw: &RawKeys, errors: &mut Errors) {
    let item = &raw.item;
    if let Some(unsafety) = &item.unsafety {
        errors.at(unsafety, "a trait of keys is not `unsafe`: remove it");
    }
    if !item.generics.params.is_empty() {
        errors.at(
            &item.generics,
            "a trait of keys has no generics, since it becomes one unit struct: remove them",
        );
    }
    if let Some(clause) = &item.generics.where_clause {
        errors.at(clause, "a trait of keys has no `where` clause: remove it");
    }
    if !item.supertraits.is_empty() {
        errors.at(
            &item.supertraits,
            "a trait of keys has no supertraits, since it becomes a struct: remove them",
        );
    }
}

/// `user` makes `user_pattern` too.
fn check_names(raw: &RawKeys, errors: &mut Errors) {
    let mut seen: HashMap<String, &Ident> = HashMap::new();
    for key in &raw.keys {
        let ident = &key.function.sig.ident;
        let name = ident.to_string();
        if seen.contains_key(&name) {
            errors.at(ident, format!("there are two keys `{name}`: rename one"));
        }
        seen.entry(name).or_insert(ident);
    }
    for key in &raw.keys {
        let ident = &key.function.sig.ident;
        let name = ident.to_string();
        if let Some(of) = name.strip_suffix("_pattern").filter(|of| seen.contains_key(*of)) {
            errors.at(
                ident,
                format!("`{name}` is the generated pattern of the key `{of}`: rename this key"),
            );
        }
    }
}

fn check_key<'a>(raw: &'a RawKey, errors: &mut Errors) -> Option<Key<'a>> {
    let sig = &raw.function.sig;
    check_signature(raw, errors);
    let parameters = check_parameters(sig, errors);
    let value = check_return(sig, errors);
    let spec = raw.spec.as_ref()?;
    let ttl = spec.ttl.as_ref().and_then(|ttl| check_ttl(ttl, errors));
    let template = check_template(&spec.template, sig, &parameters, errors);
    let tags = check_tags(spec, sig, &parameters, errors);
    let template = template?;
    check_all_in_key(&template, sig, &parameters, errors);
    Some(Key {
        attrs: &raw.function.attrs,
        ident: &sig.ident,
        parameters,
        value: value?,
        literal: &spec.template,
        template,
        ttl,
        tags,
    })
}

fn check_signature(raw: &RawKey, errors: &mut Errors) {
    let sig = &raw.function.sig;
    let name = &sig.ident;
    if let Some(body) = &raw.function.default {
        errors.at_span(
            body.brace_token.span.join(),
            format!("`{name}` has a body, but a key is made by its template: end it with `;`"),
        );
    }
    if let Some(asyncness) = &sig.asyncness {
        errors.at(asyncness, format!("`{name}` makes a key and waits for nothing: remove `async`"));
    }
    if !sig.generics.params.is_empty() {
        errors.at(
            &sig.generics,
            format!("`{name}` is generic, but a key has one type: write the types"),
        );
    }
    if let Some(clause) = &sig.generics.where_clause {
        errors.at(clause, format!("`{name}` is not generic and has no `where` clause: remove it"));
    }
    if let Some(variadic) = &sig.variadic {
        errors.at(variadic, "a key has named parameters only: remove `...`");
    }
}

fn check_parameters<'a>(sig: &'a Signature, errors: &mut Errors) -> Vec<Parameter<'a>> {
    let mut parameters = Vec::new();
    for input in &sig.inputs {
        match input {
            FnArg::Receiver(receiver) => errors.at(
                receiver,
                format!(
                    "`{}` takes `self`, but there is no value to call it on: remove it",
                    sig.ident
                ),
            ),
            FnArg::Typed(typed) => match &*typed.pat {
                Pat::Ident(name)
                    if name.by_ref.is_none()
                        && name.mutability.is_none()
                        && name.subpat.is_none() =>
                {
                    if let Type::ImplTrait(_) = &*typed.ty {
                        errors.at(
                            &typed.ty,
                            format!("`{}` is generic, but a key has one type: write it", sig.ident),
                        );
                    }
                    parameters.push(Parameter { ident: &name.ident, ty: &typed.ty });
                }
                other => errors.at(other, "a parameter of a key is a plain name: write `id: u64`"),
            },
        }
    }
    parameters
}

fn check_return<'a>(sig: &'a Signature, errors: &mut Errors) -> Option<&'a Type> {
    match &sig.output {
        ReturnType::Default => {
            errors.at(
                &sig.ident,
                format!("`{}` does not say what lies under the key: write `-> User`", sig.ident),
            );
            None
        }
        ReturnType::Type(_, ty) => match &**ty {
            Type::Reference(_) | Type::ImplTrait(_) | Type::Never(_) => {
                errors.at(ty, "what lies under a key is owned and has a name: write an owned type, such as `String`");
                None
            }
            _ => Some(ty),
        },
    }
}

fn check_ttl<'a>(ttl: &'a Expr, errors: &mut Errors) -> Option<Ttl<'a>> {
    match ttl {
        Expr::Lit(ExprLit { lit: Lit::Int(seconds), .. }) => {
            let read = seconds.base10_parse::<u64>();
            match read {
                Ok(0) => errors.at(
                    seconds,
                    "`ttl` is zero, so that nothing would be kept: write at least `1`",
                ),
                Ok(seconds) => return Some(Ttl::Fixed(std::time::Duration::from_secs(seconds))),
                Err(_) => errors.at(seconds, format!("`{seconds}` is no time: {TIME_HELP}")),
            }
            None
        }
        Expr::Lit(ExprLit { lit: Lit::Str(text), .. }) => {
            match parse_time(&text.value()) {
                Ok(time) if time.is_zero() => {
                    errors.at(
                        text,
                        "`ttl` is zero, so that nothing would be kept: write at least `\"1s\"`",
                    );
                }
                Ok(time) => return Some(Ttl::Fixed(time)),
                Err(error) => errors.in_literal(text, error.range, &error.message, Some(TIME_HELP)),
            }
            None
        }
        Expr::Lit(other) => {
            errors.at(other, format!("`ttl` is a time: {TIME_HELP}"));
            None
        }
        Expr::Unary(negative) if matches!(&*negative.expr, Expr::Lit(_)) => {
            errors.at(negative, format!("`ttl` is negative: {TIME_HELP}"));
            None
        }
        Expr::Closure(closure) => {
            errors.at(closure, "a key is made before there is a value: write a time, or an expression of type `Duration`");
            None
        }
        other => Some(Ttl::Expression(other)),
    }
}

fn check_tags<'a>(
    spec: &'a RawSpec,
    sig: &Signature,
    parameters: &[Parameter<'_>],
    errors: &mut Errors,
) -> Vec<Tag<'a>> {
    let mut tags = Vec::new();
    for tag in &spec.tags {
        match tag {
            Expr::Lit(ExprLit { lit: Lit::Str(literal), .. }) => {
                if let Some(template) = check_template(literal, sig, parameters, errors) {
                    tags.push(Tag::Template(literal, template));
                }
            }
            Expr::Lit(other) => errors.at(other, "a tag is text: write `\"users\"`"),
            other => tags.push(Tag::Expression(other)),
        }
    }
    tags
}

/// A template whose placeholders all begin with a parameter.
fn check_template(
    literal: &LitStr,
    sig: &Signature,
    parameters: &[Parameter<'_>],
    errors: &mut Errors,
) -> Option<Template> {
    let template = match Template::parse(&literal.value()) {
        Ok(template) => template,
        Err(found) => {
            errors.in_template(literal, found);
            return None;
        }
    };
    let mut valid = true;
    for (path, range) in template.placeholders() {
        let Some(first) = path.first() else { continue };
        if parameters.iter().any(|parameter| parameter.is_named(first)) {
            continue;
        }
        valid = false;
        let (message, help) = unknown_placeholder(first, sig, parameters);
        errors.in_literal(literal, range.clone(), &message, Some(&help));
    }
    if values(&template).len() > MAX_VALUES {
        valid = false;
        errors.at(literal, format!("a template holds at most {MAX_VALUES} values: put some into a struct with `#[derive(KeyPart)]`"));
    }
    valid.then_some(template)
}

fn unknown_placeholder(
    first: &Segment,
    sig: &Signature,
    parameters: &[Parameter<'_>],
) -> (String, String) {
    let name = first.plain();
    let names: Vec<String> = parameters.iter().map(|parameter| parameter.name()).collect();
    let near = did_you_mean(name, names.iter().map(String::as_str));
    let message = format!("`{name}` is not a parameter of `{}`{near}", sig.ident);
    let help = match (name, names.as_slice()) {
        ("result", _) => {
            "a key is made before there is a value, so that `result` is known to `#[cached]` only"
                .to_owned()
        }
        ("self", _) => "a key has no `self`: pass what it needs as a parameter".to_owned(),
        (_, []) => format!("add it: `fn {}({name}: u64)`", sig.ident),
        (_, names) => format!(
            "write {}",
            names.iter().map(|name| format!("`<{name}>`")).collect::<Vec<_>>().join(" or ")
        ),
    };
    (message, help)
}

fn check_all_in_key(
    template: &Template,
    sig: &Signature,
    parameters: &[Parameter<'_>],
    errors: &mut Errors,
) {
    for parameter in parameters {
        let used = template
            .placeholders()
            .any(|(path, _)| path.first().is_some_and(|first| parameter.is_named(first)));
        if !used {
            let name = parameter.name();
            errors.at(
                parameter.ident,
                format!(
                    "`{name}` is not in the key of `{}`, so that all its values would share one entry: add `<{name}>`, or remove it",
                    sig.ident
                ),
            );
        }
    }
}

/// Each pair is told at the later of the two.
fn check_collisions(keys: &[Key<'_>], errors: &mut Errors) {
    for (index, later) in keys.iter().enumerate() {
        for earlier in &keys[..index] {
            let (a, b) = (value_texts(earlier), value_texts(later));
            if may_collide(&earlier.template, |at| a[at], &later.template, |at| b[at]) {
                errors.at(
                    later.literal,
                    format!(
                        "`{}` and `{}` can give one key: `{}` and `{}`\nhelp: begin each with text of its own",
                        earlier.ident,
                        later.ident,
                        earlier.template.source(),
                        later.template.source(),
                    ),
                );
            }
        }
    }
}

/// What the text of each placeholder looks like, as far as the parameter's type says it.
fn value_texts(key: &Key<'_>) -> Vec<ValueText> {
    key.template
        .placeholders()
        .map(|(path, _)| match path {
            [first] => key
                .parameters
                .iter()
                .find(|parameter| parameter.is_named(first))
                .map_or(ValueText::Any, |parameter| value_text(parameter.ty)),
            _ => ValueText::Any,
        })
        .collect()
}

fn value_text(ty: &Type) -> ValueText {
    match ty {
        Type::Reference(reference) => value_text(&reference.elem),
        Type::Paren(inner) => value_text(&inner.elem),
        Type::Group(inner) => value_text(&inner.elem),
        Type::Path(TypePath { qself: None, path, .. }) => {
            match path.get_ident().map(ToString::to_string).as_deref() {
                Some("u8" | "u16" | "u32" | "u64" | "u128" | "usize") => {
                    ValueText::Integer { signed: false }
                }
                Some("i8" | "i16" | "i32" | "i64" | "i128" | "isize") => {
                    ValueText::Integer { signed: true }
                }
                _ => ValueText::Any,
            }
        }
        _ => ValueText::Any,
    }
}
