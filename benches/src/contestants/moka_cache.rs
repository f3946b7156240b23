//! `moka::future`, with a bound and a TTL.

use std::hash::Hash;
use std::time::Duration;

use moka::future::Cache;

use super::{Arguments, Contestant, Hits, Value, filled};
use crate::workload::{ENTRIES, name, organisation, shared_user, text_key, user};

pub(super) const ROWS: &[Contestant] = &[
    Contestant {
        id: "moka-u64",
        label: "`moka<u64, Arc>` get_with, TTL",
        arguments: Arguments::Number,
        value: Value::Shared,
        build: || {
            let cache = cache();
            filled(Hits::awaited(move |step| async move {
                let id = u64::from(step);
                cache.get_with(id, async move { shared_user(id) }).await
            }))
        },
    },
    Contestant {
        id: "moka-get",
        label: "`moka<String, Arc>` get, TTL, `format!` key",
        arguments: Arguments::Number,
        value: Value::Shared,
        build: || {
            let cache = cache();
            filled(Hits::awaited(move |step| async move {
                let id = u64::from(step);
                cache.insert(text_key(id), shared_user(id)).await;
            }));
            Hits::awaited(move |step| async move { cache.get(&text_key(u64::from(step))).await })
        },
    },
    Contestant {
        id: "moka-get-with",
        label: "`moka<String, Arc>` get_with, TTL, `format!` key",
        arguments: Arguments::Number,
        value: Value::Shared,
        build: || {
            let cache = cache();
            filled(Hits::awaited(move |step| async move {
                let id = u64::from(step);
                cache.get_with(text_key(id), async move { shared_user(id) }).await
            }))
        },
    },
    Contestant {
        id: "moka-cloned",
        label: "`moka<String, User>` get_with, TTL, `format!` key",
        arguments: Arguments::Number,
        value: Value::Cloned,
        build: || {
            let cache = cache();
            filled(Hits::awaited(move |step| async move {
                let id = u64::from(step);
                cache.get_with(text_key(id), async move { user(id) }).await
            }))
        },
    },
    Contestant {
        id: "moka-text",
        label: "`moka<String, Arc>` get_with_by_ref, TTL",
        arguments: Arguments::Text,
        value: Value::Shared,
        build: || {
            let cache = cache::<String, _>();
            filled(Hits::awaited(move |step| async move {
                let load = async move { shared_user(u64::from(step)) };
                cache.get_with_by_ref(name(step), load).await
            }))
        },
    },
    Contestant {
        id: "moka-two",
        label: "`moka<(u64, String), Arc>` get_with, TTL",
        arguments: Arguments::Two,
        value: Value::Shared,
        build: || {
            let cache = cache();
            filled(Hits::awaited(move |step| async move {
                let key = (organisation(step), name(step).to_owned());
                cache.get_with(key, async move { shared_user(u64::from(step)) }).await
            }))
        },
    },
];

/// Room for twice the entries, so that none is evicted.
fn cache<K, V>() -> &'static Cache<K, V>
where
    K: Hash + Eq + Send + Sync + 'static,
    V: Clone + Send + Sync + 'static,
{
    let builder = Cache::builder().max_capacity(u64::from(ENTRIES) * 2);
    Box::leak(Box::new(builder.time_to_live(Duration::from_secs(3600)).build()))
}
