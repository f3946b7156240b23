//! "did you mean".

/// The candidate that `name` was most likely meant to be, if one is near enough.
pub(crate) fn suggest<'a>(
    name: &str,
    candidates: impl IntoIterator<Item = &'a str>,
) -> Option<&'a str> {
    let candidates: Vec<&'a str> =
        candidates.into_iter().filter(|candidate| *candidate != name).collect();
    let folded = fold(name);
    if let Some(same) = candidates.iter().find(|candidate| fold(candidate) == folded) {
        return Some(same);
    }
    let longest = |candidate: &str| name.chars().count().max(candidate.chars().count());
    candidates
        .iter()
        .map(|candidate| (distance(name, candidate), *candidate))
        // One slip in three letters, and never a wholly different name.
        .filter(|(distance, candidate)| {
            *distance <= longest(candidate).max(3) / 3 && *distance < longest(candidate)
        })
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
        .or_else(|| {
            candidates
                .iter()
                .copied()
                .find(|candidate| sorted_words(candidate) == sorted_words(name))
        })
}

/// Case, underscores and `r#` are the commonest slips.
fn fold(name: &str) -> String {
    let plain = name.strip_prefix("r#").unwrap_or(name);
    plain.chars().filter(|each| *each != '_').flat_map(char::to_lowercase).collect()
}

fn sorted_words(name: &str) -> Vec<&str> {
    let mut words: Vec<&str> = name.split('_').collect();
    words.sort_unstable();
    words
}

/// Edits between the two, where a swap of neighbours is one edit.
fn distance(a: &str, b: &str) -> usize {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
    let mut before_last: Vec<usize> = Vec::new();
    let mut last: Vec<usize> = (0..=b.len()).collect();
    for i in 1..=a.len() {
        let mut row = vec![i; b.len() + 1];
        for j in 1..=b.len() {
            let replaced = last[j - 1] + usize::from(a[i - 1] != b[j - 1]);
            row[j] = replaced.min(last[j] + 1).min(row[j - 1] + 1);
            if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                row[j] = row[j].min(before_last[j - 2] + 1);
            }
        }
        before_last = std::mem::replace(&mut last, row);
    }
    last[b.len()]
}
