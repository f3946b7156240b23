//! Removing by glob pattern, leases included.

use crate::Pattern;
use crate::conformance::check::Verdict;
use crate::conformance::world::{LONG, World, refused};
use crate::provider::{Mark, MarkState, Provider};

/// Stores under all keys, removes by the pattern, and finds exactly those that should be left.
async fn leaves(w: &World, keys: &[&str], pattern: &str, left: &[&str]) -> Verdict {
    for key in keys {
        w.put(key, LONG).await?;
    }
    let removed = w.provider.remove_matching(&Pattern::from(pattern)).await?;
    let mut found = Vec::new();
    for key in keys {
        if w.cell(key).await?.is_some() {
            found.push(*key);
        }
    }
    same!(found, left, format!("what `{pattern}` left"));
    same!(removed, (keys.len() - left.len()) as u64, format!("what `{pattern}` removed"));
    Ok(())
}

cases! {
    async fn a_prefix_with_a_star(w) {
        leaves(w, &["user:1", "user:", "user", "users:1", "a user:1"], "user:*",
            &["user", "users:1", "a user:1"]).await?;
    }

    async fn a_star_in_the_middle(w) {
        leaves(w, &["a:1:b", "a::b", "a:b", "a:1:2:b", "a:1:c"], "a:*:b", &["a:b", "a:1:c"]).await?;
    }

    async fn a_star_in_front(w) {
        leaves(w, &["x:end", ":end", "end", "x:end:"], "*:end", &["end", "x:end:"]).await?;
    }

    async fn two_stars(w) {
        leaves(w, &["abc", "xabcx", "acb", "ab", "xbx"], "*a*b*", &["xbx"]).await?;
    }

    async fn a_question_mark_is_one_byte(w) {
        leaves(w, &["k1", "k", "k12", "k?"], "k?", &["k", "k12"]).await?;
    }

    async fn a_class(w) {
        leaves(w, &["ka", "kb", "kc", "k[ab]"], "k[ab]", &["kc", "k[ab]"]).await?;
    }

    async fn a_range(w) {
        leaves(w, &["k0", "k5", "k9", "ka", "k-"], "k[0-9]", &["ka", "k-"]).await?;
    }

    async fn a_negated_class(w) {
        leaves(w, &["ka", "kb", "kc", "k^"], "k[^ab]", &["ka", "kb"]).await?;
    }

    async fn an_escaped_star_is_a_star(w) {
        leaves(w, &["a*", "ab", "a"], "a\\*", &["ab", "a"]).await?;
    }

    async fn an_escaped_star_before_a_star(w) {
        leaves(w, &["a*b", "a*", "abb"], "a\\**", &["abb"]).await?;
    }

    async fn an_escaped_question_mark_and_bracket(w) {
        leaves(w, &["a?[x", "ab[x", "a?ax"], "a\\?\\[*", &["ab[x", "a?ax"]).await?;
    }

    async fn an_escaped_backslash(w) {
        leaves(w, &["a\\b", "a\\", "ab"], "a\\\\*", &["ab"]).await?;
    }

    async fn a_closing_bracket_inside_a_class_is_escaped(w) {
        leaves(w, &["k]", "kx", "k\\"], "k[\\]x]", &["k\\"]).await?;
    }

    async fn a_pattern_without_glob_characters_is_one_key(w) {
        leaves(w, &["user:1", "user:12", "user:"], "user:1", &["user:12", "user:"]).await?;
    }

    async fn an_escaped_text_is_one_key(w) {
        let odd = "a*?[b]\\c";
        leaves(w, &[odd, "axyb\\c", "a"], &Pattern::escape(odd), &["axyb\\c", "a"]).await?;
    }

    async fn what_starts_with_an_odd_text(w) {
        let pattern = Pattern::starting_with("a[1]*");
        leaves(w, &["a[1]*", "a[1]*:x", "a1x", "a[1]"], pattern.as_str(), &["a1x", "a[1]"]).await?;
    }

    async fn letters_of_any_script(w) {
        leaves(w, &["größe:1", "größe:ü", "grosse:1", "鍵:1"], "größe:*", &["grosse:1", "鍵:1"])
            .await?;
    }

    async fn a_star_passes_over_line_ends_and_zeros(w) {
        leaves(w, &["a\nb", "a\0b", "a\r\nb", "b"], "a*b", &["b"]).await?;
    }

    async fn separators_of_other_languages_are_letters(w) {
        let keys = ["a.b", "axb", "a+b", "aab", "a|b", "(a)", "a{1}", "^a$"];
        leaves(w, &keys, "a.*", &keys[1..]).await?;
        leaves(w, &["a{1}", "a"], "a{*", &["a"]).await?;
    }

    async fn upper_and_lower_case_differ(w) {
        leaves(w, &["User:1", "user:1"], "user:*", &["User:1"]).await?;
    }

    async fn a_pattern_that_fits_nothing(w) {
        leaves(w, &["a", "b"], "c*", &["a", "b"]).await?;
    }

    async fn a_single_star_is_every_cell(w) {
        leaves(w, &["a", "b:c", "", "*"], "*", &[]).await?;
    }

    async fn no_mark_is_removed(w) {
        let marks = [Mark::tag("user:1"), Mark::epoch("user"), Mark::scope("user:1")];
        let stamps = w.create("user:1", &marks).await?;
        w.put("user:1", LONG).await?;
        same!(w.provider.remove_matching(&Pattern::from("*")).await?, 1, "what was removed");
        for (mark, stamp) in marks.into_iter().zip(stamps) {
            same!(w.state("user:1", mark).await?, MarkState::Live(stamp), format!("{mark:?}"));
        }
    }

    async fn leases_are_removed_and_counted(w) {
        w.put("user:1", LONG).await?;
        let lease = w.lease("user:2").await?;
        same!(w.provider.remove_matching(&Pattern::from("user:*")).await?, 2, "what was removed");
        refused(&w.finish("user:2", lease, &[]).await?)?;
        same!(w.cell("user:2").await?, None, "the cell");
    }

    async fn a_lease_is_removed_by_its_very_name(w) {
        let lease = w.lease("user:2").await?;
        same!(w.provider.remove_matching(&Pattern::from("user:2")).await?, 1, "what was removed");
        refused(&w.finish("user:2", lease, &[]).await?)?;
    }

    async fn a_pattern_may_be_repeated(w) {
        w.put("user:1", LONG).await?;
        same!(w.provider.remove_matching(&Pattern::from("user:*")).await?, 1, "the first time");
        same!(w.provider.remove_matching(&Pattern::from("user:*")).await?, 0, "the second time");
    }

    async fn thousands_of_keys_are_all_found(w) {
        for number in 0..1_500 {
            w.put(&format!("many:{number}"), LONG).await?;
            w.put(&format!("other:{number}"), LONG).await?;
        }
        let removed = w.provider.remove_matching(&Pattern::from("many:*")).await?;
        same!(removed, 1_500, "what was removed");
        for number in 0..1_500 {
            same!(w.cell(&format!("many:{number}")).await?, None, "a cell that fits");
            check!(w.cell(&format!("other:{number}")).await?.is_some(), "another cell is gone");
        }
    }

    async fn a_pattern_of_many_stars_ends(w) {
        let key = "a".repeat(200);
        let pattern = "a*".repeat(60) + "b";
        leaves(w, &[&key], &pattern, &[&key]).await?;
    }
}
