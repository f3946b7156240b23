//! Raw to valid; every rule is one function.

use proc_macro2::Span;
use quote::ToTokens;
use syn::{Expr, ExprLit, Ident, Lit, LitStr, ReturnType, Signature, Type};

use super::bindings::{SelfKind, bound_names, mentioned, result_in, self_kind, way_out};
use super::model::{Effect, Invalidates, OnError, RawWrite, What, WriteThrough};
use super::parse::{Grammar, INVALIDATES, WRITE_THROUGH};
use super::target::{self, Arguments, Target};
use crate::attr::pieces::{MAX_VALUES, values};
use crate::diagnostics::{Errors, did_you_mean};
use crate::parse::Function;
use crate::template::{Segment, Template};

pub(super) fn invalidates(
    raw: RawWrite,
    function: &Function,
    errors: &mut Errors,
) -> Option<Invalidates> {
    let sig = &function.sig;
    check_kind(INVALIDATES, sig, errors);
    let bindings = bound_names(sig);
    check_not_empty(&raw, errors);
    let mut effects = Vec::new();
    for expression in raw.targets {
        effects.extend(check_effect(expression, sig, &bindings, errors));
    }
    for tag in raw.tags.into_iter().flatten() {
        effects.extend(check_tag(tag, sig, &bindings, errors));
    }
    let on_error = check_on_error(raw.on_error.as_ref(), sig, errors)?;
    Some(Invalidates { root: raw.root, effects, on_error, bindings })
}

pub(super) fn write_through(
    raw: RawWrite,
    function: &Function,
    errors: &mut Errors,
) -> WriteThrough {
    let sig = &function.sig;
    check_kind(WRITE_THROUGH, sig, errors);
    check_has_value(sig, errors);
    if raw.targets.is_empty() && errors.is_empty() {
        errors.at_span(
            Span::call_site(),
            "`#[write_through]` names nothing to write: write `#[write_through(get_user(id))]`",
        );
    }
    let bindings = bound_names(sig);
    let mut targets = Vec::new();
    for expression in raw.targets {
        targets.extend(check_written(expression, sig, &bindings, errors));
    }
    WriteThrough { root: raw.root, targets, bindings }
}

fn check_kind(grammar: Grammar, sig: &Signature, errors: &mut Errors) {
    if sig.asyncness.is_none() {
        errors.at(
            sig.fn_token,
            format!(
                "`#[{}]` needs an async function: write `async fn {}`",
                grammar.name, sig.ident
            ),
        );
    }
}

fn check_not_empty(raw: &RawWrite, errors: &mut Errors) {
    let nothing = raw.targets.is_empty() && raw.tags.as_ref().is_none_or(Vec::is_empty);
    if nothing && errors.is_empty() {
        errors.at_span(
            Span::call_site(),
            "`#[invalidates]` names nothing to invalidate: \
             write `#[invalidates(get_user(id))]` or `#[invalidates(tags = [\"users\"])]`",
        );
    }
}

/// What is written is what the function returns.
fn check_has_value(sig: &Signature, errors: &mut Errors) {
    let nothing = match &sig.output {
        ReturnType::Default => true,
        ReturnType::Type(_, ty) => matches!(&**ty, Type::Tuple(tuple) if tuple.elems.is_empty()),
    };
    if nothing {
        errors.at(
            &sig.ident,
            format!(
                "`{}` returns nothing that could be written: return the new value, or use `#[invalidates(..)]`",
                sig.ident
            ),
        );
    }
}

fn check_effect(
    expression: Expr,
    sig: &Signature,
    bindings: &[Ident],
    errors: &mut Errors,
) -> Option<Effect> {
    let (target, arguments) = target::read(expression, errors)?;
    check_self(target.key(), sig, errors);
    let Some(arguments) = arguments else {
        return Some(Effect { what: What::Function(target), after: false });
    };
    let mut after =
        target.receiver().is_some_and(|receiver| result_in(receiver.to_token_stream()).is_some());
    for argument in &arguments.values {
        check_self(argument.to_token_stream(), sig, errors);
        after |= result_in(argument.to_token_stream()).is_some();
    }
    if after {
        for argument in &arguments.values {
            check_after(argument, bindings, errors);
        }
    }
    Some(Effect { what: What::Key(target, arguments), after })
}

fn check_tag(
    tag: Expr,
    sig: &Signature,
    bindings: &[Ident],
    errors: &mut Errors,
) -> Option<Effect> {
    match tag {
        Expr::Lit(ExprLit { lit: Lit::Str(literal), .. }) => {
            let template = check_template(&literal, sig, bindings, errors)?;
            let after = template.placeholders().any(|(path, _)| starts_with_result(path));
            Some(Effect { what: What::Tag(literal, template), after })
        }
        Expr::Lit(other) => {
            errors.at(other, "a tag is text: write `\"users\"`");
            None
        }
        other => {
            check_self(other.to_token_stream(), sig, errors);
            let after = result_in(other.to_token_stream()).is_some();
            if after {
                check_after(&other, bindings, errors);
            }
            Some(Effect { what: What::TagExpression(other), after })
        }
    }
}

fn check_template(
    literal: &LitStr,
    sig: &Signature,
    bindings: &[Ident],
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
    let mut names: Vec<String> = bindings.iter().map(plain).collect();
    names.push("result".to_owned());
    if self_kind(sig) != SelfKind::None {
        names.push("self".to_owned());
    }
    for (path, range) in template.placeholders() {
        let Some(first) = path.first() else { continue };
        let name = first.plain();
        if name == "result" && bindings.iter().any(|binding| plain(binding) == "result") {
            valid = false;
            errors.in_literal(literal, range.clone(), AMBIGUOUS, Some(RENAME));
        } else if !names.iter().any(|known| known == name) {
            valid = false;
            let near = did_you_mean(name, names.iter().map(String::as_str));
            let message = match name {
                "self" => format!("`{}` has no `self`", sig.ident),
                _ => format!("`{name}` is not a parameter of `{}`{near}", sig.ident),
            };
            let known: Vec<String> = names.iter().map(|known| format!("`<{known}>`")).collect();
            errors.in_literal(
                literal,
                range.clone(),
                &message,
                Some(&format!("write {}", known.join(" or "))),
            );
        }
    }
    if values(&template).len() > MAX_VALUES {
        valid = false;
        errors.at(
            literal,
            format!("a tag holds at most {MAX_VALUES} values: put some into a struct with `#[derive(KeyPart)]`"),
        );
    }
    valid.then_some(template)
}

const AMBIGUOUS: &str = "`result` is a parameter, and here the returned value";
const RENAME: &str = "rename the parameter";

/// What is evaluated after the body may neither fail nor wait: the effect would be lost.
fn check_after(expression: &Expr, bindings: &[Ident], errors: &mut Errors) {
    if let Some(span) = way_out(expression) {
        errors.at_span(
            span,
            "what mentions `result` is read after the body and may neither fail nor wait: \
             return what it needs from the body",
        );
    }
    if let Some(parameter) = bindings.iter().find(|binding| plain(binding) == "result") {
        errors.at(parameter, format!("{AMBIGUOUS}: {RENAME}"));
    }
}

fn check_self(tokens: impl ToTokens, sig: &Signature, errors: &mut Errors) {
    if self_kind(sig) != SelfKind::None {
        return;
    }
    if let Some(word) = mentioned(tokens.to_token_stream()).into_iter().find(|name| name == "self")
    {
        errors.at(
            word,
            format!(
                "`{}` has no `self`: name the function by its type, such as `Self::get_user(id)`",
                sig.ident
            ),
        );
    }
}

fn check_on_error(value: Option<&Expr>, sig: &Signature, errors: &mut Errors) -> Option<OnError> {
    let Some(value) = value else { return Some(OnError::Retry) };
    let Expr::Lit(ExprLit { lit: Lit::Str(word), .. }) = value else {
        errors.at(value, "`on_error` is `\"retry\"` or `\"return\"`");
        return None;
    };
    match word.value().as_str() {
        "retry" => Some(OnError::Retry),
        "return" => {
            check_returns_error(word, sig, errors);
            Some(OnError::Return(word.span()))
        }
        other => {
            let near = did_you_mean(other, ["retry", "return"]);
            let fix = if near.is_empty() { ": it is `\"retry\"` or `\"return\"`" } else { &near };
            errors.at(word, format!("unknown `on_error` `{other}`{fix}"));
            None
        }
    }
}

/// An alias is asked by rustc; here falls what can be no `Result` under any name.
fn check_returns_error(word: &LitStr, sig: &Signature, errors: &mut Errors) {
    let never_result = match &sig.output {
        ReturnType::Default => true,
        ReturnType::Type(_, ty) => {
            !matches!(&**ty, Type::Path(_) | Type::Macro(_) | Type::Group(_) | Type::Paren(_))
        }
    };
    if never_result {
        errors.at(
            word,
            format!(
                "`on_error = \"return\"` needs a `Result` to return the error in: \
                 let `{}` return one whose error is `From<cache_runtime::Error>`",
                sig.ident
            ),
        );
    }
}

fn check_written(
    expression: Expr,
    sig: &Signature,
    bindings: &[Ident],
    errors: &mut Errors,
) -> Option<(Target, Arguments)> {
    let is_parameter = bindings.iter().any(|binding| plain(binding) == "result");
    let place = expression.to_token_stream();
    let (target, arguments) = target::read(expression, errors)?;
    check_self(target.key(), sig, errors);
    let Some(arguments) = arguments else {
        errors.at(place, "which key is written is told by the arguments: write `get_user(id)`");
        return None;
    };
    for argument in &arguments.values {
        check_self(argument.to_token_stream(), sig, errors);
        if let Some(result) = result_in(argument.to_token_stream()).filter(|_| !is_parameter) {
            errors.at(
                result,
                "`result` is not known before the body, when the key must be: \
                 pass it as a parameter, or use `#[invalidates(..)]`",
            );
        }
    }
    Some((target, arguments))
}

fn starts_with_result(path: &[Segment]) -> bool {
    path.first().is_some_and(|first| first.plain() == "result")
}

pub(super) fn plain(ident: &Ident) -> String {
    let name = ident.to_string();
    name.strip_prefix("r#").map_or_else(|| name.clone(), str::to_owned)
}
