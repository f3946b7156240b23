//! The marks of tags and functions are damaged: what carries them is a miss, and they are mended.

use super::world::{World, cell};

/// The names of the marks that an item carries.
fn marks(world: &World) -> Vec<String> {
    let mut names = [world.names("shop:t:*"), world.names("shop:s:*")].concat();
    // The library's own begin with a control character; no entry carries them.
    names.retain(|name| !name.contains('\u{1}'));
    assert_eq!(names.len(), 2, "one tag and one function: {names:?}");
    names
}

async fn check(world: &World) {
    world.stored(1).await;
    for mark in marks(world) {
        let nonce = world.bytes(&mark);
        let flipped = [&[nonce[0] ^ 1], &nonce[1..]].concat();
        let longer = [nonce.as_slice(), b"A"].concat();
        for bytes in [&flipped[..], &nonce[1..], &longer, b"x", b"", b"HELD", b"\xff\xfe"] {
            world.stored(1).await;
            world.put(&mark, bytes);
            let misses = world.misses_once(1, &format!("{bytes:?} in {mark}")).await;
            assert_eq!(misses.invalidated, 1, "{bytes:?} in {mark}: {misses:?}");
        }
        for (command, words) in
            [("RPUSH", vec!["a", "b"]), ("HSET", vec!["a", "b"]), ("ZADD", vec!["1", "b"])]
        {
            world.stored(1).await;
            world.replace(&mark, command, &words);
            let misses = world.misses_once(1, &format!("{command} {mark}")).await;
            assert_eq!(misses.invalidated, 1, "{command} {mark}: {misses:?}");
        }
    }
    assert!(!world.bytes(&cell(1)).is_empty());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_damaged_mark_is_a_miss() {
    check(&World::plain().await).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_damaged_mark_is_a_miss_over_rest() {
    check(&World::rest().await).await;
}
