//! Whole entries in a place that is not theirs, or of another version of the format.

use std::sync::Arc;

use cache_runtime::cached;

use super::world::{Item, Loads, World, cell, item};

/// Where the version stands in the header.
const VERSION: usize = 17;

#[cached(key = "twin:<id>", ttl = "1h", tags = ["items"], skip(loads))]
async fn twin(id: u64, loads: Loads) -> Item {
    item(id, loads).await
}

#[cached(key = "name:<id>", ttl = "1h", tags = ["items"])]
async fn name(id: u64) -> String {
    format!("item {id}")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn entries_that_were_swapped_are_misses() {
    for world in [World::plain().await, World::rest().await] {
        let (one, other) = (world.stored(1).await, world.stored(2).await);
        world.put(&cell(1), &other);
        world.put(&cell(2), &one);
        world.undecodable(1, "the entry of item 2").await;
        world.undecodable(2, "the entry of item 1").await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_entry_of_another_function_is_a_miss() {
    let world = World::plain().await;
    cache_runtime::scope(world.cache.clone(), async {
        twin(1, Arc::clone(&world.loads)).await;
        name(1).await;
    })
    .await;
    for other in ["shop:k:twin:1", "shop:k:name:1"] {
        world.stored(1).await;
        world.put(&cell(1), &world.bytes(other));
        world.misses_once(1, other).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_entry_of_another_namespace_is_a_miss() {
    let world = World::plain().await;
    let other = world.neighbour("other").await;
    cache_runtime::scope(other, item(1, Arc::clone(&world.loads))).await;
    world.stored(1).await;
    world.put(&cell(1), &world.bytes("other:k:item:1"));
    world.undecodable(1, "the entry of another namespace").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_entry_of_another_version_is_a_miss() {
    let world = World::plain().await;
    for version in [0, 2, 3, 127, 255] {
        let mut bytes = world.stored(1).await;
        assert_eq!(bytes[VERSION], 1);
        bytes[VERSION] = version;
        world.put(&cell(1), &bytes);
        world.undecodable(1, &format!("version {version}, in the layout of this one")).await;

        bytes.truncate(VERSION + 1);
        for length in [0, 1, 75, 1_000] {
            let content = (0..length).map(|at| at as u8 ^ version);
            let bytes: Vec<u8> = bytes.iter().copied().chain(content).collect();
            world.put(&cell(1), &bytes);
            world.undecodable(1, &format!("version {version}, {length} bytes of its own")).await;
        }
    }
}
