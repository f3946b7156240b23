//! Keys and mark names are any text, and nothing meets what it should not.

use crate::conformance::check::Verdict;
use crate::conformance::world::{LONG, World};
use crate::provider::{Mark, MarkState, Prefix, ProviderExt};

/// Stores under each key, then finds each key's own value, then removes one after the other.
async fn are_apart(w: &World, keys: &[&str]) -> Verdict {
    let mut stored = Vec::new();
    for key in keys {
        stored.push(w.put(key, LONG).await?);
    }
    for (key, prefix) in keys.iter().zip(&stored) {
        same!(w.prefix(key).await?, *prefix, format!("the value under {key:?}"));
    }
    for (at, key) in keys.iter().enumerate() {
        check!(w.provider.remove_key(key).await?, "nothing was removed under {key:?}");
        same!(w.prefix(key).await?, Prefix::ABSENT, format!("the removed cell of {key:?}"));
        for (key, prefix) in keys.iter().zip(&stored).skip(at + 1) {
            same!(w.prefix(key).await?, *prefix, format!("the value under {key:?}"));
        }
    }
    Ok(())
}

/// Creates each mark, then removes one after the other.
async fn marks_are_apart(w: &World, marks: &[Mark<'_>]) -> Verdict {
    let mut states: Vec<MarkState> =
        w.create("k", marks).await?.into_iter().map(MarkState::Live).collect();
    for at in 0..marks.len() {
        same!(w.provider.read_marks("k", marks).await?, states, "the marks");
        w.provider.remove_marks(&marks[at..=at]).await?;
        states[at] = MarkState::Absent;
    }
    same!(w.provider.read_marks("k", marks).await?, states, "the marks at the end");
    Ok(())
}

cases! {
    async fn the_empty_key_is_a_key(w) {
        are_apart(w, &["", " ", ":"]).await?;
    }

    async fn keys_in_any_script_are_apart(w) {
        are_apart(w, &["größe", "grösse", "Größe", "ключ", "鍵", "🔑", "🔑🔑", "مفتاح"]).await?;
    }

    async fn composed_and_decomposed_letters_are_apart(w) {
        are_apart(w, &["caf\u{e9}", "cafe\u{301}", "cafe"]).await?;
    }

    async fn upper_and_lower_case_are_apart(w) {
        are_apart(w, &["user:a", "user:A", "USER:a"]).await?;
    }

    async fn a_key_and_its_beginning_are_apart(w) {
        are_apart(w, &["a", "ab", "abc", "a:", "a:b"]).await?;
    }

    async fn blanks_and_line_ends_are_part_of_a_key(w) {
        are_apart(w, &["a", " a", "a ", "a\n", "a\r\n", "\ta", "a b", "a  b"]).await?;
    }

    async fn zero_bytes_are_part_of_a_key(w) {
        are_apart(w, &["a", "a\0", "\0a", "a\0b", "\0"]).await?;
    }

    async fn glob_characters_stand_for_themselves_in_keys(w) {
        are_apart(w, &["*", "a*", "a?", "[ab]", "\\*", "a", "b", "ab"]).await?;
    }

    async fn braces_stand_for_themselves_in_keys(w) {
        are_apart(w, &["{a}b", "{a}c", "{}", "{", "}", "{{a}}", "a"]).await?;
    }

    async fn quotes_and_separators_stand_for_themselves_in_keys(w) {
        are_apart(w, &["'", "\"", "`", "a/b", "a/../b", "a%3Ab", "a%b", "$1", "?q=1&r"]).await?;
    }

    async fn a_long_key_is_a_key(w) {
        let (long, longer) = ("k".repeat(900), "k".repeat(901));
        are_apart(w, &[&long, &longer]).await?;
    }

    async fn a_key_of_1024_bytes_is_a_key(w) {
        are_apart(w, &["é".repeat(512).as_str()]).await?;
    }

    async fn keys_do_not_meet_marks_of_alike_names(w) {
        let names = ["t", "tag", "T:t", "t:t", "tt", "E:t", "e:t", "et", "s:t", "st", "mark:t"];
        let mut stored = Vec::new();
        for name in names {
            stored.push(w.put(name, LONG).await?);
        }
        let marks = [Mark::tag("t"), Mark::epoch("t"), Mark::scope("t")];
        w.create("t", &marks).await?;
        w.provider.remove_marks(&marks).await?;
        for (name, prefix) in names.iter().zip(stored) {
            same!(w.prefix(name).await?, prefix, format!("the value under {name:?}"));
        }
    }

    async fn the_removal_of_keys_leaves_marks_of_alike_names(w) {
        let marks = [Mark::tag("t"), Mark::epoch("t"), Mark::scope("t")];
        let stamps = w.create("t", &marks).await?;
        for name in ["t", "T:t", "t:t", "tt", "E:t", "e:t", "et", "s:t", "S:t", "st"] {
            w.put(name, LONG).await?;
            w.provider.remove_key(name).await?;
        }
        let states: Vec<_> = stamps.into_iter().map(MarkState::Live).collect();
        same!(w.provider.read_marks("t", &marks).await?, states, "the marks");
    }

    async fn marks_of_different_kinds_are_apart(w) {
        marks_are_apart(w, &[Mark::tag("n"), Mark::epoch("n"), Mark::scope("n")]).await?;
    }

    async fn mark_names_in_any_script_are_apart(w) {
        let names = ["größe", "grösse", "ключ", "🔑", "n\0", "n", "n\n", " n", "N", ""];
        marks_are_apart(w, &names.map(Mark::tag)).await?;
    }

    async fn mark_names_with_glob_characters_are_apart(w) {
        let names = ["*", "a*", "a?", "[ab]", "a", "b", "{a}", "a:b"];
        marks_are_apart(w, &names.map(Mark::tag)).await?;
    }

    async fn a_mark_of_an_empty_name_is_apart_from_its_kinds(w) {
        marks_are_apart(w, &[Mark::tag(""), Mark::epoch(""), Mark::scope("")]).await?;
    }

    async fn thousands_of_keys_are_apart(w) {
        let keys: Vec<String> = (0..2_000).map(|number| format!("many:{number}")).collect();
        let mut stored = Vec::new();
        for key in &keys {
            stored.push(w.put(key, LONG).await?);
        }
        for (key, prefix) in keys.iter().zip(stored) {
            same!(w.prefix(key).await?, prefix, format!("the value under {key:?}"));
        }
    }
}
