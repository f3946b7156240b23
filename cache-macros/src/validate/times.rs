//! Times and the rest of the policy: no zero, nothing negative, nothing that contradicts itself.

use std::time::Duration;

use syn::{Expr, ExprLit, ExprUnary, Lit, LitInt, LitStr, UnOp};

use crate::diagnostics::Errors;
use crate::model::{PolicyArgs, RawCached, Returned, Setting, Shape, Time};
use crate::parse::{TIME_HELP, parse_time};

pub(crate) fn check_policy(
    raw: &mut RawCached,
    returned: Option<&Returned>,
    errors: &mut Errors,
) -> PolicyArgs {
    let policy = PolicyArgs {
        base: raw.policy.take().map(|setting| setting.value),
        ttl: check_time(raw.ttl.as_ref(), errors),
        stale: check_plain_time(raw.stale.as_ref(), errors),
        stale_if_error: check_plain_time(raw.stale_if_error.as_ref(), errors),
        none_ttl: check_plain_time(raw.none_ttl.as_ref(), errors),
        timeout: check_plain_time(raw.timeout.as_ref(), errors),
        early: check_early(raw.early.as_ref(), errors),
        jitter: check_jitter(raw.jitter.as_ref(), errors),
        cache_if: check_cache_if(raw.cache_if.as_ref(), errors),
    };
    check_stale_order(raw, &policy, errors);
    check_none(raw, returned, errors);
    policy
}

fn check_time(setting: Option<&Setting<Expr>>, errors: &mut Errors) -> Option<Time> {
    let Setting { name, value } = setting?;
    match value {
        Expr::Closure(closure) if closure.inputs.len() == 1 => Some(Time::Closure(value.clone())),
        Expr::Closure(closure) => {
            errors.at(
                closure,
                format!("the closure of `{name}` takes the value: write `|value| ..`"),
            );
            None
        }
        Expr::Lit(ExprLit { lit, .. }) => {
            check_time_literal(&name.to_string(), lit, errors).map(Time::Literal)
        }
        Expr::Unary(ExprUnary { op: UnOp::Neg(_), expr, .. })
            if matches!(&**expr, Expr::Lit(_)) =>
        {
            errors.at(value, format!("`{name}` is negative: {TIME_HELP}"));
            None
        }
        expression if is_zero(expression) => {
            errors.at(value, zero(&name.to_string()));
            None
        }
        expression => Some(Time::Expression(expression.clone())),
    }
}

/// A time that no closure gives, since there is no value to give it.
fn check_plain_time(setting: Option<&Setting<Expr>>, errors: &mut Errors) -> Option<Time> {
    let setting = setting?;
    if let Expr::Closure(closure) = &setting.value {
        errors.at(
            closure,
            format!("`{}` takes no closure, only `ttl` does: {TIME_HELP}", setting.name),
        );
        return None;
    }
    check_time(Some(setting), errors)
}

fn check_time_literal(name: &str, lit: &Lit, errors: &mut Errors) -> Option<Duration> {
    let duration = match lit {
        Lit::Int(int) => check_seconds(name, int, errors)?,
        Lit::Str(text) => check_time_text(name, text, errors)?,
        Lit::Float(float) => {
            errors
                .at(float, format!("`{name}` takes whole seconds or a text such as `\"1500ms\"`"));
            return None;
        }
        other => {
            errors.at(other, format!("`{name}` needs a time: {TIME_HELP}"));
            return None;
        }
    };
    if duration.is_zero() {
        errors.at(lit, zero(name));
        return None;
    }
    Some(duration)
}

fn check_seconds(name: &str, int: &LitInt, errors: &mut Errors) -> Option<Duration> {
    let suffix = int.suffix();
    if matches!(suffix, "ms" | "s" | "m" | "h" | "d" | "w") {
        errors.at(int, format!("a time with a unit is a text: write `{name} = \"{int}\"`"));
        return None;
    }
    match int.base10_parse::<u64>() {
        // Beyond this a deadline would overflow; it is 31,000 years.
        Ok(seconds) if seconds <= 1_000_000_000_000 => Some(Duration::from_secs(seconds)),
        _ => {
            errors.at(int, format!("`{name}` is too long: {TIME_HELP}"));
            None
        }
    }
}

fn check_time_text(name: &str, text: &LitStr, errors: &mut Errors) -> Option<Duration> {
    match parse_time(&text.value()) {
        Ok(duration) => Some(duration),
        Err(error) => {
            errors.in_literal(
                text,
                error.range,
                &format!("`{name}`: {}", error.message),
                Some(TIME_HELP),
            );
            None
        }
    }
}

fn zero(name: &str) -> String {
    format!("`{name}` is zero, so nothing would ever be served: {TIME_HELP}, or take `{name}` out")
}

/// `Duration::ZERO` and `Duration::from_secs(0)`, as far as the tokens show it.
fn is_zero(expression: &Expr) -> bool {
    match expression {
        Expr::Path(path) => path.path.segments.last().is_some_and(|last| last.ident == "ZERO"),
        Expr::Call(call) => {
            let from = matches!(&*call.func, Expr::Path(path)
                if path.path.segments.last().is_some_and(|last| last.ident.to_string().starts_with("from_")));
            let zero = matches!(call.args.first(), Some(Expr::Lit(ExprLit { lit: Lit::Int(int), .. }))
                if int.base10_parse::<u128>().is_ok_and(|value| value == 0));
            from && zero && call.args.len() == 1
        }
        _ => false,
    }
}

fn check_early(setting: Option<&Setting<Expr>>, errors: &mut Errors) -> Option<Expr> {
    let Setting { value, .. } = setting?;
    let wrong =
        "`early` is how eagerly to refresh before the end, a positive number: write `early = 1.0`";
    match value {
        Expr::Lit(ExprLit { lit: Lit::Float(float), .. }) => match float.base10_parse::<f64>() {
            Ok(beta) if beta > 0.0 && beta.is_finite() => return Some(value.clone()),
            _ => errors.at(value, wrong),
        },
        Expr::Lit(ExprLit { lit: Lit::Int(int), .. }) => match int.base10_parse::<u32>() {
            Ok(beta) if beta > 0 => {
                let beta = f64::from(beta);
                return Some(syn::parse_quote!(#beta));
            }
            _ => errors.at(value, wrong),
        },
        Expr::Lit(_) | Expr::Unary(_) | Expr::Closure(_) => errors.at(value, wrong),
        expression => return Some(expression.clone()),
    }
    None
}

fn check_jitter(setting: Option<&Setting<Expr>>, errors: &mut Errors) -> Option<f64> {
    let Setting { value, .. } = setting?;
    let help = "write a part of the time to live between 0 and 100 percent: `jitter = \"10%\"`";
    let Expr::Lit(ExprLit { lit: Lit::Str(text), .. }) = value else {
        errors.at(value, format!("`jitter` is a text: {help}"));
        return None;
    };
    let written = text.value();
    let percent = written.trim().strip_suffix('%').map(|number| number.trim().parse::<f64>());
    match percent {
        Some(Ok(percent)) if percent > 0.0 && percent < 100.0 => Some(percent / 100.0),
        _ => {
            errors.in_literal(text, 0..written.len(), "`jitter` cannot be this", Some(help));
            None
        }
    }
}

fn check_cache_if(setting: Option<&Setting<Expr>>, errors: &mut Errors) -> Option<Expr> {
    let Setting { value, .. } = setting?;
    match value {
        Expr::Lit(_) => {
            errors.at(
                value,
                "`cache_if` asks the value: write `cache_if = |value| value.is_complete()`",
            );
            None
        }
        Expr::Closure(closure) if closure.inputs.len() != 1 => {
            errors.at(closure, "the closure of `cache_if` takes the value: write `|value| ..`");
            None
        }
        other => Some(other.clone()),
    }
}

/// A value that is served while it is refreshed is served when the refresh fails, too.
fn check_stale_order(raw: &RawCached, policy: &PolicyArgs, errors: &mut Errors) {
    if let (Some(Time::Literal(stale)), Some(Time::Literal(on_error)), Some(setting)) =
        (&policy.stale, &policy.stale_if_error, &raw.stale_if_error)
        && on_error < stale
    {
        errors.at(
            &setting.value,
            format!(
                "`stale_if_error` is shorter than `stale`, within which the value is served anyway: \
                 make it longer than {} seconds, or leave it out",
                stale.as_secs_f64()
            ),
        );
    }
}

fn check_none(raw: &RawCached, returned: Option<&Returned>, errors: &mut Errors) {
    if let (Some(setting), Some(returned)) = (&raw.none_ttl, returned)
        && matches!(returned.shape, Shape::Plain | Shape::Fallible)
    {
        errors.at(
            &setting.name,
            "`none_ttl` needs a function that returns an `Option` or a `Result<Option<..>, ..>`: take it out",
        );
    }
}
