//! `papaya`: a lock-free map without a bound or an expiry.

use std::hash::Hash;
use std::sync::Arc;

use foldhash::fast::RandomState;
use papaya::HashMap;

use super::{Arguments, Contestant, Hits, Value};
use crate::workload::{ENTRIES, name, shared_user};

pub(super) const ROWS: &[Contestant] = &[
    Contestant {
        id: "papaya-u64",
        label: "`papaya<u64, Arc>` foldhash, no bound, no expiry",
        arguments: Arguments::Number,
        value: Value::Shared,
        build: || {
            let map = map(u64::from, shared_user);
            Hits::plain(move |step| map.pin().get(&u64::from(step)).map(Arc::clone))
        },
    },
    Contestant {
        id: "papaya-text",
        label: "`papaya<String, Arc>` foldhash",
        arguments: Arguments::Text,
        value: Value::Shared,
        build: || {
            let map = map(|step| name(step).to_owned(), shared_user);
            Hits::plain(move |step| map.pin().get(name(step)).map(Arc::clone))
        },
    },
];

fn map<K: Hash + Eq, V>(
    key: impl Fn(u32) -> K,
    value: impl Fn(u64) -> V,
) -> HashMap<K, V, RandomState> {
    let map = HashMap::builder().hasher(RandomState::default()).build();
    for step in 0..ENTRIES {
        map.pin().insert(key(step), value(u64::from(step)));
    }
    map
}
