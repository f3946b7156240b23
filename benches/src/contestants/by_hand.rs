//! The floor: hash maps by hand.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::{Duration, Instant};

use foldhash::fast::RandomState;

use super::{Arguments, Contestant, Hits, Value};
use crate::workload::{ENTRIES, User, name, organisation, shared_user, text_key, user};

pub(super) const ROWS: &[Contestant] = &[
    Contestant {
        id: "map-u64",
        label: "floor: `HashMap<u64, Arc>` foldhash, no expiry, never changed",
        arguments: Arguments::Number,
        value: Value::Shared,
        build: || {
            let map = map(u64::from, shared_user);
            Hits::plain(move |step| map.get(&u64::from(step)).map(Arc::clone))
        },
    },
    Contestant {
        id: "map-u64-cloned",
        label: "`HashMap<u64, User>` foldhash",
        arguments: Arguments::Number,
        value: Value::Cloned,
        build: || {
            let map = map(u64::from, user);
            Hits::plain(move |step| map.get(&u64::from(step)).cloned())
        },
    },
    Contestant {
        id: "map-text",
        label: "`HashMap<String, Arc>` foldhash",
        arguments: Arguments::Text,
        value: Value::Shared,
        build: || {
            let map = map(|step| name(step).to_owned(), shared_user);
            Hits::plain(move |step| map.get(name(step)).map(Arc::clone))
        },
    },
    Contestant {
        id: "map-two",
        label: "`HashMap<(u64, &str), Arc>` foldhash",
        arguments: Arguments::Two,
        value: Value::Shared,
        build: || {
            let map = map(|step| (organisation(step), name(step)), shared_user);
            Hits::plain(move |step| map.get(&(organisation(step), name(step))).map(Arc::clone))
        },
    },
    Contestant {
        id: "by-hand",
        label: "by hand: `RwLock<HashMap<String, (Instant, Arc)>>` std, `format!` key",
        arguments: Arguments::Number,
        value: Value::Shared,
        build: || {
            let until = Instant::now() + Duration::from_secs(3600);
            let entries = (0..ENTRIES).map(u64::from);
            let map: HashMap<String, (Instant, Arc<User>)> =
                entries.map(|id| (text_key(id), (until, shared_user(id)))).collect();
            let map = RwLock::new(map);
            Hits::plain(move |step| {
                let map = map.read().unwrap_or_else(PoisonError::into_inner);
                let (until, user) = map.get(&text_key(u64::from(step)))?;
                (*until > Instant::now()).then(|| Arc::clone(user))
            })
        },
    },
];

fn map<K: Hash + Eq, V>(
    key: impl Fn(u32) -> K,
    value: impl Fn(u64) -> V,
) -> HashMap<K, V, RandomState> {
    (0..ENTRIES).map(|step| (key(step), value(u64::from(step)))).collect()
}
