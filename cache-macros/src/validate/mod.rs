//! From raw to valid. Every rule is one `check_*`; all of them run, whatever the others say.

mod function;
mod key;
mod mentions;
mod ownership;
mod parameters;
mod times;

use syn::spanned::Spanned;
use syn::{Expr, Ident};

use self::key::Scope;
use self::mentions::mentions_in;
use crate::diagnostics::Errors;
use crate::model::{AccessRoot, Cached, Key, Parameter, PolicyArgs, RawCached, Tags, Time};
use crate::parse::{Function, Surroundings};

pub(crate) use self::function::ungrouped;
pub(crate) use self::key::plain;
pub(crate) use self::mentions::words;
pub(crate) use self::ownership::receiver_lending;
pub(crate) use self::parameters::only;

/// The valid specification, or errors.
pub(crate) fn validate_cached(
    mut raw: RawCached,
    function: Function,
    surroundings: Surroundings,
    errors: &mut Errors,
) -> Option<Cached> {
    function::check_kind(&function, errors);
    function::check_surroundings(&function, surroundings, errors);
    let returned = function::check_return(&function, errors);
    let mut parameters = parameters::check_parameters(&function, errors);
    let associated = is_associated(&function, surroundings);
    let scope = Scope { function: &function, parameters: &parameters, associated };
    let key = key::check_key(&raw, &scope, errors);
    key::check_skip(&raw, key.as_ref(), &scope, errors);
    key::check_every_parameter(&raw, key.as_ref(), &scope, errors);
    let tags = key::check_tags(&raw, &scope, errors);
    let policy = times::check_policy(&mut raw, returned.as_ref(), errors);
    if let Some(key) = &key {
        mark_needed(&mut parameters, key, &tags, &policy);
    }
    let run =
        ownership::check_ownership(&function, &mut parameters, policy.stale.is_some(), errors);
    if !errors.is_empty() {
        return None;
    }
    let key_place =
        raw.key.as_ref().map_or(function.sig.ident.span(), |setting| setting.value.span());
    Some(Cached {
        root: raw.root.map(|setting| setting.value),
        associated,
        parameters,
        returned: returned?,
        key: key?,
        key_place,
        tags,
        policy,
        run,
        function,
    })
}

/// A receiver or `Self` is only possible in an impl.
fn is_associated(function: &Function, surroundings: Surroundings) -> bool {
    if function.sig.receiver().is_some() {
        return true;
    }
    match surroundings {
        Surroundings::Impl | Surroundings::TraitImpl | Surroundings::Trait => true,
        Surroundings::Free => false,
        Surroundings::Unknown => mentions_self(function),
    }
}

fn mentions_self(function: &Function) -> bool {
    let mut names = std::collections::HashSet::new();
    words(quote::ToTokens::to_token_stream(&function.sig), &mut names);
    words(function.body.stream(), &mut names);
    names.contains("Self")
}

/// Tells the parameters which helpers need them.
fn mark_needed(parameters: &mut [Parameter], key: &Key, tags: &Tags, policy: &PolicyArgs) {
    let texts = tags.from_arguments.iter().chain(tags.from_result.iter().map(|tag| &tag.text));
    let tagged: Vec<_> = texts.flat_map(|text| &text.args).collect();
    let expressions: Vec<_> =
        tags.expressions.iter().chain(policy.expressions()).map(mentions_in).collect();
    let keyed = match key {
        Key::Expression(expression) => Some(mentions_in(expression)),
        Key::Template(_) | Key::Whole(_) => None,
    };
    for parameter in parameters {
        let named = |name: &str| match (key, &keyed) {
            (Key::Template(text) | Key::Whole(text), _) => text.names(name),
            (Key::Expression(_), mentions) => {
                mentions.as_ref().is_some_and(|mentions| mentions.has(name))
            }
        };
        parameter.in_key = parameter.bindings.iter().any(|name| named(&plain(name)));
        parameter.in_put = parameter.in_key
            || parameter.bindings.iter().any(|name| {
                let by_tag = tagged.iter().any(
                |access| matches!(&access.root, AccessRoot::Parameter(_, ident) if ident == name),
            );
                by_tag || expressions.iter().any(|mentions| mentions.has(&plain(name)))
            });
    }
}

impl PolicyArgs {
    /// The expressions and closures that are evaluated for each stored value.
    pub(crate) fn expressions(&self) -> impl Iterator<Item = &Expr> {
        [&self.ttl, &self.stale, &self.stale_if_error, &self.none_ttl, &self.timeout]
            .into_iter()
            .filter_map(|time| match time {
                Some(Time::Expression(expression) | Time::Closure(expression)) => Some(expression),
                _ => None,
            })
            .chain(&self.cache_if)
    }
}

/// The parameters' names that an expression reads.
pub(crate) fn names_read<'a>(expression: &Expr, cached: &'a Cached) -> Vec<&'a Ident> {
    let mentions = mentions_in(expression);
    let names = cached.parameters.iter().flat_map(|each| &each.bindings);
    names.filter(|name| mentions.has(&plain(name))).collect()
}

/// Whether an expression reads a parameter or the receiver.
pub(crate) fn reads_arguments(expression: &Expr, cached: &Cached) -> bool {
    mentions_in(expression).has("self") || !names_read(expression, cached).is_empty()
}
