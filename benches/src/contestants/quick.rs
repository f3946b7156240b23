//! `quick_cache`, the reference: a bounded cache with nothing around it.

use std::hash::{Hash, Hasher};

use quick_cache::Equivalent;
use quick_cache::sync::Cache;

use super::{Arguments, Contestant, Hits, Value};
use crate::workload::{ENTRIES, name, organisation, shared_user, text_key, user};

pub(super) const ROWS: &[Contestant] = &[
    Contestant {
        id: super::REFERENCE,
        label: "**R**: `quick_cache<u64, Arc>` get",
        arguments: Arguments::Number,
        value: Value::Shared,
        build: || {
            let cache = cache(u64::from, shared_user);
            Hits::plain(move |step| cache.get(&u64::from(step)))
        },
    },
    Contestant {
        id: "quick-u64-cloned",
        label: "`quick_cache<u64, User>` get",
        arguments: Arguments::Number,
        value: Value::Cloned,
        build: || {
            let cache = cache(u64::from, user);
            Hits::plain(move |step| cache.get(&u64::from(step)))
        },
    },
    Contestant {
        id: "quick-format",
        label: "`quick_cache<String, Arc>`, `format!` key",
        arguments: Arguments::Number,
        value: Value::Shared,
        build: || {
            let cache = cache(|step| text_key(u64::from(step)), shared_user);
            Hits::plain(move |step| cache.get(&text_key(u64::from(step))))
        },
    },
    Contestant {
        id: "quick-stack",
        label: "`quick_cache<String, Arc>`, key rendered to the stack",
        arguments: Arguments::Number,
        value: Value::Shared,
        build: || {
            let cache = cache(|step| text_key(u64::from(step)), shared_user);
            Hits::plain(move |step| cache.get(StackKey::new(u64::from(step)).text()))
        },
    },
    Contestant {
        id: "quick-text",
        label: "`quick_cache<String, Arc>` get",
        arguments: Arguments::Text,
        value: Value::Shared,
        build: || {
            let cache = cache(|step| name(step).to_owned(), shared_user);
            Hits::plain(move |step| cache.get(name(step)))
        },
    },
    Contestant {
        id: "quick-two",
        label: "`quick_cache<(u64, String), Arc>` get by a borrowed pair",
        arguments: Arguments::Two,
        value: Value::Shared,
        build: || {
            let cache = cache(|step| (organisation(step), name(step).to_owned()), shared_user);
            Hits::plain(move |step| cache.get(&Pair(organisation(step), name(step))))
        },
    },
];

/// Room for twice the entries, so that none is evicted.
fn cache<K: Hash + Eq, V: Clone>(key: impl Fn(u32) -> K, value: impl Fn(u64) -> V) -> Cache<K, V> {
    let cache = Cache::new(ENTRIES as usize * 2);
    for step in 0..ENTRIES {
        cache.insert(key(step), value(u64::from(step)));
    }
    cache
}

/// A pair that finds its owned form.
struct Pair<'a>(u64, &'a str);

impl Hash for Pair<'_> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.0.hash(state);
        self.1.hash(state);
    }
}

impl Equivalent<(u64, String)> for Pair<'_> {
    fn equivalent(&self, key: &(u64, String)) -> bool {
        self.0 == key.0 && self.1 == key.1
    }
}

const PREFIX: &[u8] = b"user:";

/// `user:<id>` without an allocation: the cheapest way to a text key.
struct StackKey {
    bytes: [u8; PREFIX.len() + 20],
    start: usize,
}

impl StackKey {
    fn new(mut id: u64) -> Self {
        let mut bytes = [0; PREFIX.len() + 20];
        let mut start = bytes.len();
        loop {
            start -= 1;
            bytes[start] = b'0' + (id % 10) as u8;
            id /= 10;
            if id == 0 {
                break;
            }
        }
        start -= PREFIX.len();
        bytes[start..start + PREFIX.len()].copy_from_slice(PREFIX);
        Self { bytes, start }
    }

    fn text(&self) -> &str {
        std::str::from_utf8(&self.bytes[self.start..]).unwrap_or_default()
    }
}
