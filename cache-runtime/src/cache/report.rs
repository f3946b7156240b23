//! The statistics of one cache, put together from its counters.

use std::collections::BTreeMap;

use super::core::{Core, prefix_of};
use crate::site::registered;
use crate::stats::{Counts, Named, Stats};

pub(crate) async fn stats(core: &Core) -> Stats {
    let mut prefixes: BTreeMap<String, Counts> = BTreeMap::new();
    let mut functions = Vec::new();
    for site in registered() {
        let Some(state) = site.number().and_then(|number| core.sites.get(number)) else { continue };
        let counts = state.counters.read();
        let prefix = state.prefix.get().map_or(prefix_of(site.key()), AsRef::as_ref);
        prefixes.entry(prefix.to_owned()).or_default().add(&counts);
        functions.push(Named { name: site.path(), counts });
    }
    functions.sort_by(|one, other| one.name.cmp(&other.name));
    core.each_prefix(|prefix, counters| {
        prefixes.entry(prefix.to_owned()).or_default().add(&counters.read());
    });
    let mut total = Counts::default();
    prefixes.values().for_each(|counts| total.add(counts));
    let (entries, bytes) = core.size().await;
    let prefixes = prefixes.into_iter().map(|(name, counts)| Named { name, counts }).collect();
    Stats { total, functions, prefixes, entries, bytes }
}
