//! Tokens as one would write them, for messages and documentation.

use proc_macro2::{Delimiter, Spacing, TokenStream, TokenTree};
use quote::ToTokens;

/// The tokens with blanks only where a reader expects them: `Result<Vec<User>, Error>`.
pub(crate) fn compact(tokens: &impl ToTokens) -> String {
    let mut text = String::new();
    write(tokens.to_token_stream(), &mut text);
    text.trim_end().to_owned()
}

fn write(tokens: TokenStream, text: &mut String) {
    let mut after_word = false;
    // The first half of an operator such as `->`.
    let mut half = None;
    for token in tokens {
        match token {
            TokenTree::Group(group) => {
                let (open, close) = match group.delimiter() {
                    Delimiter::Parenthesis => ("(", ")"),
                    Delimiter::Brace => ("{ ", " }"),
                    Delimiter::Bracket => ("[", "]"),
                    Delimiter::None => ("", ""),
                };
                if after_word && matches!(group.delimiter(), Delimiter::None | Delimiter::Brace) {
                    text.push(' ');
                }
                text.push_str(open);
                write(group.stream(), text);
                text.truncate(text.trim_end().len());
                text.push_str(close);
                after_word = group.delimiter() != Delimiter::Parenthesis;
            }
            TokenTree::Ident(_) | TokenTree::Literal(_) => {
                if after_word {
                    text.push(' ');
                }
                text.push_str(&token.to_string());
                after_word = true;
            }
            TokenTree::Punct(punct) => {
                let each = punct.as_char();
                let operator = half
                    .take()
                    .map_or_else(|| each.to_string(), |first: char| format!("{first}{each}"));
                if operator.len() == 1
                    && matches!(each, '-' | '=' | '|')
                    && punct.spacing() == Spacing::Joint
                {
                    half = Some(each);
                } else {
                    write_operator(&operator, text);
                }
                after_word = false;
            }
        }
    }
}

fn write_operator(operator: &str, text: &mut String) {
    match operator {
        "," | ";" => {
            text.push_str(operator);
            text.push(' ');
        }
        "+" | "->" | "=>" | "=" | "==" | "|" | "||" | "-" | "*" | "/" => {
            if !text.ends_with(' ') && !text.is_empty() {
                text.push(' ');
            }
            text.push_str(operator);
            text.push(' ');
        }
        _ => text.push_str(operator),
    }
}

#[cfg(test)]
mod tests {
    use super::compact;

    #[test]
    fn types_and_expressions_read_as_written() {
        for text in [
            "Result<Vec<User>, Error>",
            "Option<Arc<[u8]>>",
            "&'static str",
            "<T as Load>::Output",
            "Box<dyn Fn(u8) -> u8 + Send>",
            "CacheKeys::user(id)",
            "CacheKeys::user(&user.id, 1)",
        ] {
            let tokens: proc_macro2::TokenStream = text.parse().expect("tokens");
            assert_eq!(compact(&tokens), text);
        }
    }
}
