//! Keys and tags: every placeholder names something, every parameter is somewhere.

use std::ops::Range;

use proc_macro2::Span;
use syn::{Expr, ExprLit, GenericParam, Ident, Lit, LitStr};

use super::mentions::{Mentions, mentions_in};
use crate::diagnostics::{Errors, did_you_mean};
use crate::model::{
    Access, AccessRoot, Key, Parameter, RawCached, ResultTag, Setting, Tags, Text, TextPiece,
};
use crate::parse::Function;
use crate::template::{Part, Segment, Template, suggest};

/// The most arguments that one template may use.
const MAX_ARGUMENTS: usize = 12;

/// What placeholders may name.
pub(crate) struct Scope<'a> {
    pub(crate) function: &'a Function,
    pub(crate) parameters: &'a [Parameter],
    pub(crate) associated: bool,
}

pub(crate) fn check_key(raw: &RawCached, scope: &Scope<'_>, errors: &mut Errors) -> Option<Key> {
    let skipped = skipped(raw);
    let key = match &raw.key {
        None => Key::Whole(whole_key(scope, &skipped)),
        Some(setting) => match &setting.value {
            Expr::Lit(ExprLit { lit: Lit::Str(literal), .. }) => {
                Key::Template(scope.template(literal, Results::Unknown, errors)?.0)
            }
            Expr::Lit(_) | Expr::Closure(_) => {
                errors.at(
                    &setting.value,
                    "`key` needs a template such as `\"user:<id>\"`, or an expression of type `Key<T>`",
                );
                return None;
            }
            expression => Key::Expression(expression.clone()),
        },
    };
    if let Key::Template(text) | Key::Whole(text) = &key
        && text.args.len() > MAX_ARGUMENTS
    {
        let place =
            raw.key.as_ref().map_or_else(|| scope.function.sig.ident.span(), |key| key.name.span());
        errors.at_span(
            place,
            format!("a key takes at most {MAX_ARGUMENTS} arguments: group some in a struct"),
        );
    }
    Some(key)
}

pub(crate) fn check_tags(raw: &RawCached, scope: &Scope<'_>, errors: &mut Errors) -> Tags {
    let mut tags = Tags::default();
    for tag in raw.tags.iter().flat_map(|setting| &setting.value) {
        match tag {
            Expr::Lit(ExprLit { lit: Lit::Str(literal), .. }) => {
                check_tag(literal, scope, &mut tags, errors);
            }
            Expr::Lit(_) | Expr::Closure(_) => errors.at(
                tag,
                "a tag is a template such as `\"org:<org>\"`, or an expression of type `Tag`",
            ),
            expression => tags.expressions.push(expression.clone()),
        }
    }
    tags
}

fn check_tag(literal: &LitStr, scope: &Scope<'_>, tags: &mut Tags, errors: &mut Errors) {
    let Some((text, template)) = scope.template(literal, Results::Known, errors) else { return };
    if !text.args.iter().any(|access| access.root == AccessRoot::Result) {
        tags.from_arguments.push(text);
        return;
    }
    match template.family() {
        Some(family) => tags.from_result.push(ResultTag { family: family.to_owned(), text }),
        None => errors.in_literal(
            literal,
            0..literal.value().len(),
            "a tag that names `result` needs constant text and a `:` before its first placeholder",
            Some("write `team:<result.team>`"),
        ),
    }
}

/// `skip` names parameters, each once, and none that the key names.
pub(crate) fn check_skip(
    raw: &RawCached,
    key: Option<&Key>,
    scope: &Scope<'_>,
    errors: &mut Errors,
) {
    let Some(Setting { value: names, .. }) = &raw.skip else { return };
    for (index, name) in names.iter().enumerate() {
        let plain = plain(name);
        if names[..index].iter().any(|before| before == name) {
            errors.at(name, format!("`{name}` is skipped twice: keep one"));
        } else if plain == "self" {
            check_skipped_receiver(name, scope, errors);
        } else if scope.find(&plain).is_none() {
            let near = did_you_mean(&plain, scope.names().iter().map(String::as_str));
            errors.at(name, format!("`skip` names no parameter `{name}`{near}"));
        } else if key.is_some_and(|key| names_parameter(key, &plain)) {
            errors.at(name, format!("`{name}` is both in `key` and in `skip`: take it out of one"));
        }
    }
}

fn check_skipped_receiver(name: &Ident, scope: &Scope<'_>, errors: &mut Errors) {
    if scope.function.sig.receiver().is_none() {
        errors.at(name, "`skip` names `self`, but the function has no receiver: take it out");
    }
}

/// An argument that is left out of the key by oversight shows one caller another's data.
pub(crate) fn check_every_parameter(
    raw: &RawCached,
    key: Option<&Key>,
    scope: &Scope<'_>,
    errors: &mut Errors,
) {
    let skipped = skipped(raw);
    let misread = if key.is_some() { Some(Vec::new()) } else { names_meant(raw, scope) };
    // Of a key that cannot be read at all, nobody knows what it lacks.
    let Some(meant) = misread else { return };
    for name in scope.parameters.iter().flat_map(|parameter| &parameter.bindings) {
        let plain = plain(name);
        let named = key.is_some_and(|key| names_parameter(key, &plain));
        if skipped.contains(&plain) || named || meant.contains(&plain) {
            continue;
        }
        errors.at(
            name,
            format!(
                "`{plain}` is neither in `key` nor in `skip`, so calls that differ in it would share one entry: \
                 add `<{plain}>` to the key, or write `skip({plain})` if it does not change the value"
            ),
        );
    }
}

/// The parameters that a key with unknown names probably means: their near misses are told already.
fn names_meant(raw: &RawCached, scope: &Scope<'_>) -> Option<Vec<String>> {
    let Expr::Lit(ExprLit { lit: Lit::Str(literal), .. }) = &raw.key.as_ref()?.value else {
        return None;
    };
    let template = Template::parse(&literal.value()).ok()?;
    let names = scope.names();
    let meant = template.placeholders().filter_map(|(path, _)| {
        let name = path.first()?.plain();
        if names.iter().any(|known| known == name) {
            return Some(name.to_owned());
        }
        suggest(name, names.iter().map(String::as_str)).map(str::to_owned)
    });
    Some(meant.collect())
}

fn names_parameter(key: &Key, name: &str) -> bool {
    match key {
        Key::Template(text) | Key::Whole(text) => text.names(name),
        Key::Expression(expression) => mentions_in(expression).has(name),
    }
}

fn skipped(raw: &RawCached) -> Vec<String> {
    raw.skip.iter().flat_map(|setting| setting.value.iter().map(plain)).collect()
}

/// Function, type parameters and every parameter, as the key that is left out.
fn whole_key(scope: &Scope<'_>, skipped: &[String]) -> Text {
    let name = plain(&scope.function.sig.ident);
    let mut text = Text { source: String::new(), pieces: Vec::new(), args: Vec::new() };
    if scope.associated {
        text.push_arg(AccessRoot::SelfName);
        text.pieces.push(TextPiece::Text(format!("::{name}")));
    } else {
        text.pieces.push(TextPiece::FunctionName);
    }
    let kept = Mentions::of_types(
        scope
            .parameters
            .iter()
            .filter(|each| {
                each.bindings.is_empty()
                    || !each.bindings.iter().all(|name| skipped.contains(&plain(name)))
            })
            .map(|each| &each.ty),
        &scope.function.sig,
    );
    for param in &scope.function.sig.generics.params {
        match param {
            // A type that only skipped parameters have says nothing about the value.
            GenericParam::Type(param) if kept.decides(&param.ident.to_string()) => {
                text.push_part(AccessRoot::TypeName(param.ident.clone()), &param.ident);
            }
            GenericParam::Const(param) => {
                text.push_part(AccessRoot::Const(param.ident.clone()), &param.ident)
            }
            _ => {}
        }
    }
    for (index, parameter) in scope.parameters.iter().enumerate() {
        for name in parameter.bindings.iter().filter(|name| !skipped.contains(&plain(name))) {
            text.push_part(AccessRoot::Parameter(index, name.clone()), name);
        }
    }
    text
}

/// Whether `result` may be named.
#[derive(Clone, Copy, PartialEq)]
enum Results {
    Known,
    Unknown,
}

impl Scope<'_> {
    fn template(
        &self,
        literal: &LitStr,
        results: Results,
        errors: &mut Errors,
    ) -> Option<(Text, Template)> {
        let source = literal.value();
        let template = match Template::parse(&source) {
            Ok(template) => template,
            Err(mistakes) => {
                errors.in_template(literal, mistakes);
                return None;
            }
        };
        let mut text = Text { source, pieces: Vec::new(), args: Vec::new() };
        let mut complete = true;
        for part in &template.parts {
            match part {
                Part::Text { text: constant, .. } => {
                    text.pieces.push(TextPiece::Text(constant.clone()))
                }
                Part::Placeholder { path, .. } => match self.access(literal, path, results) {
                    Ok(access) => text.push_access(access),
                    Err((range, message)) => {
                        errors.in_literal(literal, range, &message, None);
                        complete = false;
                    }
                },
            }
        }
        complete.then_some((text, template))
    }

    /// What a placeholder's path names.
    fn access(
        &self,
        literal: &LitStr,
        path: &[Segment],
        results: Results,
    ) -> Result<Access, (Range<usize>, String)> {
        let [first, fields @ ..] = path else {
            return Err((0..literal.value().len(), "a placeholder names nothing".to_owned()));
        };
        let root =
            self.root(first.plain(), results).map_err(|message| (first.range.clone(), message))?;
        for field in fields {
            if matches!(field.plain(), "self" | "Self" | "super" | "crate" | "_") {
                return Err((field.range.clone(), format!("`{}` is no field", field.name)));
            }
        }
        Ok(Access {
            place: (!fields.is_empty() || root == AccessRoot::Result).then(|| literal.span()),
            root,
            fields: fields.iter().map(|field| field.plain().to_owned()).collect(),
        })
    }

    fn root(&self, name: &str, results: Results) -> Result<AccessRoot, String> {
        let parameter = self.find(name);
        match (name, parameter) {
            ("self", _) if self.function.sig.receiver().is_some() => Ok(AccessRoot::Receiver),
            ("self", _) => Err("the function has no `self`".to_owned()),
            ("result", Some(_)) if results == Results::Known => {
                Err("`result` is a parameter and the returned value: rename the parameter"
                    .to_owned())
            }
            ("result", None) if results == Results::Known => Ok(AccessRoot::Result),
            ("result", None) => {
                Err("`result` is not known before the function runs: only tags may name it"
                    .to_owned())
            }
            (_, Some((index, ident))) => Ok(AccessRoot::Parameter(index, ident.clone())),
            (_, None) => {
                let names = self.names();
                if names.is_empty() {
                    return Err(format!("no parameter `{name}`: the function has none"));
                }
                let near = did_you_mean(name, names.iter().map(String::as_str));
                if near.is_empty() {
                    let all: Vec<String> = names.iter().map(|each| format!("`{each}`")).collect();
                    return Err(format!("no parameter `{name}`: there is {}", all.join(", ")));
                }
                Err(format!("no parameter `{name}`{near}"))
            }
        }
    }

    fn find(&self, name: &str) -> Option<(usize, &Ident)> {
        self.parameters.iter().enumerate().find_map(|(index, parameter)| {
            let ident = parameter.bindings.iter().find(|ident| plain(ident) == name)?;
            Some((index, ident))
        })
    }

    fn names(&self) -> Vec<String> {
        let mut names: Vec<String> =
            self.parameters.iter().flat_map(|each| each.bindings.iter().map(plain)).collect();
        if self.function.sig.receiver().is_some() {
            names.push("self".to_owned());
        }
        names
    }
}

impl Text {
    /// Whether a placeholder names the parameter `name`.
    pub(crate) fn names(&self, name: &str) -> bool {
        self.args.iter().any(|access| matches!(&access.root, AccessRoot::Parameter(_, ident) if plain(ident) == name))
    }

    fn push_access(&mut self, access: Access) {
        let known = self
            .args
            .iter()
            .position(|other| other.root == access.root && other.fields == access.fields);
        let index = known.unwrap_or_else(|| {
            self.args.push(access);
            self.args.len() - 1
        });
        self.pieces.push(TextPiece::Arg(index));
    }

    fn push_arg(&mut self, root: AccessRoot) {
        self.push_access(Access { root, fields: Vec::new(), place: None::<Span> });
    }

    /// `:` and the argument.
    fn push_part(&mut self, root: AccessRoot, name: &Ident) {
        self.pieces.push(TextPiece::Text(":".to_owned()));
        self.push_arg(root);
        self.source.push_str(&format!(":<{}>", plain(name)));
    }
}

/// The name without `r#`.
pub(crate) fn plain(name: &Ident) -> String {
    let text = name.to_string();
    text.strip_prefix("r#").map_or(text.clone(), str::to_owned)
}
