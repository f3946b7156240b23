//! Something else lies where an entry should be.

use fastrand::Rng;

use super::world::{Item, World, cell};

fn garbage(seed: u64, length: usize) -> Vec<u8> {
    let mut rng = Rng::with_seed(seed);
    std::iter::repeat_with(|| rng.u8(..)).take(length).collect()
}

async fn checks(world: &World) {
    world.stored(1).await;
    for (seed, length) in [1, 16, 17, 18, 92, 93, 94, 500, 1 << 20].into_iter().enumerate() {
        let mut bytes = garbage(seed as u64, length);
        bytes[0] = b'{';
        world.put(&cell(1), &bytes);
        world.undecodable(1, &format!("{length} bytes of garbage")).await;
        // The same as if it were an entry.
        bytes[0] = b'V';
        world.put(&cell(1), &bytes);
        world.undecodable(1, &format!("{length} bytes after a `V`")).await;
    }
    for text in ["~", "null", "{\"id\":1}", "item 1", "VgABAgMEBQYHCAkKCwwNDg8A"] {
        world.put(&cell(1), text.as_bytes());
        world.undecodable(1, text).await;
    }
    world.put(&cell(1), b"");
    let misses = world.misses_once(1, "no bytes").await;
    assert_eq!(misses.absent, 1, "a cell without bytes counts as absent: {misses:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn garbage_is_a_miss() {
    checks(&World::plain().await).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn garbage_is_a_miss_over_rest() {
    checks(&World::rest().await).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn another_type_of_redis_is_a_miss() {
    for world in [World::plain().await, World::rest().await] {
        for (command, words) in [
            ("RPUSH", vec!["a", "b"]),
            ("SADD", vec!["a", "b"]),
            ("HSET", vec!["a", "b"]),
            ("ZADD", vec!["1", "b"]),
            ("XADD", vec!["*", "a", "b"]),
            ("SETBIT", vec!["300", "1"]),
            ("PFADD", vec!["a"]),
        ] {
            world.stored(1).await;
            world.replace(&cell(1), command, &words);
            world.misses_once(1, command).await;
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_asks_by_hand_gets_nothing_and_no_error() {
    let world = World::plain().await;
    let damages: [&dyn Fn(&World); 4] = [
        &|world| {
            let mut bytes = world.bytes(&cell(1));
            *bytes.last_mut().expect("a payload") ^= 1;
            world.put(&cell(1), &bytes);
        },
        &|world| world.put(&cell(1), &world.bytes(&cell(1))[..50]),
        &|world| world.put(&cell(1), b"garbage"),
        &|world| world.replace(&cell(1), "RPUSH", &["a"]),
    ];
    for (number, damage) in damages.into_iter().enumerate() {
        world.stored(1).await;
        let cache = &world.cache;
        assert_eq!(cache.get::<Item>("item:1").await.expect("no error"), Some(Item::of(1)));
        damage(&world);
        assert_eq!(cache.get::<Item>("item:1").await.expect("no error"), None, "{number}");
        assert!(!cache.has("item:1").await.expect("no error"), "{number}");
        let many = cache.get_many::<Item>(["item:1", "item:2"]).await.expect("no error");
        assert_eq!(many, [None, None], "{number}");
        world.misses_once(1, &format!("damage {number}")).await;
        damage(&world);
        cache.set("item:1", &Item::of(1)).await.expect("it is replaced");
        assert_eq!(cache.get::<Item>("item:1").await.expect("no error"), Some(Item::of(1)));
        damage(&world);
        cache.invalidate("item:1").await.expect("it is removed");
        assert!(world.names(&cell(1)).is_empty());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn names_that_are_no_keys_do_not_keep_a_pattern_from_its_work() {
    let world = World::plain().await;
    world.stored(1).await;
    for name in ["shop:k:", "shop:k:\u{1}", "shop:k:%", "shop:x", "shop:k:item:"] {
        world.replace(name, "SET", &["text"]);
    }
    let removed = world.cache.invalidate_pattern("item:*").await.expect("no error");
    assert!(removed >= 1 && world.names("shop:k:item:1").is_empty(), "{removed}");
}
