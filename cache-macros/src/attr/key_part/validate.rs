//! What can be part of a key: structs of parts, and enums without data.

use std::collections::HashMap;

use syn::spanned::Spanned;
use syn::{Attribute, Data, DataEnum, DeriveInput, Fields, Generics, Ident, Member, Path, Type};

use crate::diagnostics::{Errors, did_you_mean};

/// A type that can be part of a key.
pub(super) struct KeyPart<'a> {
    pub(super) ident: &'a Ident,
    pub(super) generics: &'a Generics,
    pub(super) shape: Shape<'a>,
    pub(super) root: Option<Path>,
}

pub(super) enum Shape<'a> {
    /// One field: its text is the value's.
    Newtype(PartField<'a>),
    /// More fields: a compound in the order of declaration.
    Compound(Vec<PartField<'a>>),
    /// Variants and their texts.
    Enum(Vec<(&'a Ident, String)>),
}

pub(super) struct PartField<'a> {
    pub(super) member: Member,
    pub(super) ty: &'a Type,
}

pub(super) fn validate<'a>(input: &'a DeriveInput, errors: &mut Errors) -> Option<KeyPart<'a>> {
    let root = read_attributes(&input.attrs, errors);
    let shape = match &input.data {
        Data::Struct(data) => check_struct(&input.ident, &data.fields, errors),
        Data::Enum(data) => check_enum(input, data, errors),
        Data::Union(data) => {
            errors.at(
                data.union_token,
                "a union cannot be part of a cache key, since nothing tells which field holds: \
                 use a struct or a field-less enum",
            );
            None
        }
    }?;
    Some(KeyPart { ident: &input.ident, generics: &input.generics, shape, root })
}

/// `#[key_part(crate = path)]`, wherever a cargo rename needs it.
fn read_attributes(attrs: &[Attribute], errors: &mut Errors) -> Option<Path> {
    let mut root = None;
    for attr in attrs.iter().filter(|attr| attr.path().is_ident("key_part")) {
        let read = attr.parse_nested_meta(|meta| {
            if meta.path.is_ident("crate") {
                root = Some(meta.value()?.call(Path::parse_mod_style)?);
                return Ok(());
            }
            let name = meta.path.get_ident().map(ToString::to_string).unwrap_or_default();
            let near = did_you_mean(&name, ["crate"]);
            let fix = if near.is_empty() { ": only `crate = path` is known" } else { &near };
            Err(meta.error(format!("unknown argument `{name}`{fix}")))
        });
        errors.keep(read);
    }
    root
}

fn check_struct<'a>(ident: &Ident, fields: &'a Fields, errors: &mut Errors) -> Option<Shape<'a>> {
    let mut parts: Vec<PartField<'a>> = fields
        .members()
        .zip(fields)
        .filter(|(_, field)| !is_phantom(&field.ty))
        .map(|(member, field)| PartField { member, ty: &field.ty })
        .collect();
    match parts.len() {
        0 => {
            errors.at(
                ident,
                format!("`{ident}` has no field that could tell keys apart: leave it out of keys with `skip(..)`"),
            );
            None
        }
        1 => parts.pop().map(Shape::Newtype),
        _ => Some(Shape::Compound(parts)),
    }
}

fn check_enum<'a>(
    input: &DeriveInput,
    data: &'a DataEnum,
    errors: &mut Errors,
) -> Option<Shape<'a>> {
    let before = data.variants.iter().filter(|variant| !variant.fields.is_empty());
    let mut valid = true;
    for variant in before {
        valid = false;
        errors.at_span(
            variant.fields.span(),
            format!(
                "variant `{}` holds data, and only a field-less enum can be part of a cache key: \
                 write `impl KeyPart for {}` by hand, or name a field in the key",
                variant.ident, input.ident
            ),
        );
    }
    if data.variants.is_empty() {
        valid = false;
        errors.at(
            &input.ident,
            format!("`{}` has no variant, so that no key can hold it", input.ident),
        );
    }
    let mut texts: HashMap<String, &Ident> = HashMap::new();
    let mut variants = Vec::new();
    for variant in &data.variants {
        let text = snake_case(&variant.ident);
        if let Some(first) = texts.get(&text) {
            valid = false;
            errors.at(
                &variant.ident,
                format!("`{first}` and `{}` are both `{text}` in keys: rename one", variant.ident),
            );
        }
        texts.entry(text.clone()).or_insert(&variant.ident);
        variants.push((&variant.ident, text));
    }
    valid.then_some(Shape::Enum(variants))
}

/// A marker holds no value, so it tells nothing apart.
fn is_phantom(ty: &Type) -> bool {
    matches!(ty, Type::Path(path) if path.path.segments.last().is_some_and(|last| last.ident == "PhantomData"))
}

/// `InTransit` is `in_transit`, `HTTPError` is `http_error`.
fn snake_case(ident: &Ident) -> String {
    let name = ident.to_string();
    let name: Vec<char> = name.strip_prefix("r#").unwrap_or(&name).chars().collect();
    let mut text = String::new();
    for (index, each) in name.iter().enumerate() {
        let after_lower = index > 0 && !name[index - 1].is_uppercase() && name[index - 1] != '_';
        let ends_run = index > 0
            && name[index - 1].is_uppercase()
            && name.get(index + 1).is_some_and(|next| next.is_lowercase());
        if each.is_uppercase() && (after_lower || ends_run) {
            text.push('_');
        }
        text.extend(each.to_lowercase());
    }
    text
}

#[cfg(test)]
mod tests {
    use proc_macro2::Span;

    use super::{Ident, snake_case};

    #[test]
    fn variants_are_snake_case() {
        for (name, text) in [
            ("Red", "red"),
            ("InTransit", "in_transit"),
            ("HTTPError", "http_error"),
            ("V2", "v2"),
            ("Utf8Text", "utf8_text"),
            ("already_snake", "already_snake"),
            ("Äpfel", "äpfel"),
        ] {
            assert_eq!(snake_case(&Ident::new(name, Span::call_site())), text);
        }
        assert_eq!(snake_case(&Ident::new_raw("Type", Span::call_site())), "type");
    }
}
