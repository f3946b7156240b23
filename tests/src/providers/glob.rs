//! Glob patterns as Redis means them, in the simplest form that ends: the set of places in the
//! text that the pattern so far can have reached.

/// Whether the whole text fits the pattern.
pub(super) fn fits(mut pattern: &[u8], text: &[u8]) -> bool {
    let mut reached = vec![false; text.len() + 1];
    reached[0] = true;
    while let Some((first, rest)) = pattern.split_first() {
        pattern = rest;
        match first {
            b'*' => {
                let start = reached.iter().position(|reached| *reached).unwrap_or(reached.len());
                reached[start..].fill(true);
            }
            b'?' => step(&mut reached, text, |_| true),
            b'[' => {
                let (class, negated, after) = class(pattern);
                step(&mut reached, text, |byte| {
                    class.iter().any(|(from, to)| (from..=to).contains(&&byte)) != negated
                });
                pattern = after;
            }
            b'\\' if !pattern.is_empty() => {
                let escaped = pattern[0];
                step(&mut reached, text, |byte| byte == escaped);
                pattern = &pattern[1..];
            }
            single => step(&mut reached, text, |byte| byte == *single),
        }
    }
    reached[text.len()]
}

/// Goes one byte further from every place where that byte is accepted.
fn step(reached: &mut [bool], text: &[u8], accepts: impl Fn(u8) -> bool) {
    for at in (0..text.len()).rev() {
        reached[at + 1] = reached[at] && accepts(text[at]);
    }
    reached[0] = false;
}

/// The ranges of the class that begins here, whether it is negated, and what follows it.
fn class(pattern: &[u8]) -> (Vec<(u8, u8)>, bool, &[u8]) {
    let negated = pattern.first() == Some(&b'^');
    let mut rest = &pattern[usize::from(negated)..];
    let mut ranges = Vec::new();
    loop {
        let (range, after) = match rest {
            [] => return (ranges, negated, rest),
            [b']', after @ ..] => return (ranges, negated, after),
            [b'\\', escaped, after @ ..] => ((*escaped, *escaped), after),
            [from, b'-', to, after @ ..] => ((*from.min(to), *from.max(to)), after),
            [single, after @ ..] => ((*single, *single), after),
        };
        ranges.push(range);
        rest = after;
    }
}
