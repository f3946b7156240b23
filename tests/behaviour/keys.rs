//! The key: its forms, its text, and what reaches it.

use cache_runtime::{Key, cached};
use cache_tests::fixture::{in_cache, in_cache_of, load, loads};
use serde::{Deserialize, Serialize};

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct User {
    id: u64,
    team: u32,
}

fn user(id: u64) -> User {
    User { id, team: 7 }
}

#[cached(key = "user:<id>", ttl = 60)]
async fn get_user(id: u64) -> User {
    load("get_user");
    user(id)
}

#[tokio::test]
async fn a_miss_runs_the_body_once_and_a_hit_not_at_all() {
    in_cache(async |_, _| {
        assert_eq!(get_user(42).await, user(42));
        assert_eq!(get_user(42).await, user(42));
        assert_eq!(loads("get_user"), 1);
        assert_eq!(get_user(43).await, user(43));
        assert_eq!(loads("get_user"), 2);
    })
    .await;
}

#[tokio::test]
async fn the_stored_key_is_exactly_the_filled_template() {
    in_cache(async |cache, _| {
        get_user(42).await;
        assert_eq!(get_user::key(42).as_str(), "user:42");
        assert_eq!(cache.get::<User>("user:42").await.unwrap(), Some(user(42)));
        assert_eq!(cache.get(Key::<User>::new("user:42")).await.unwrap(), Some(user(42)));
        assert_eq!(cache.get(get_user::key(42)).await.unwrap(), Some(user(42)));
        assert_eq!(cache.invalidate_pattern("user:4?").await.unwrap(), 1);
        get_user(42).await;
        assert_eq!(loads("get_user"), 2);
        cache.invalidate("user:42").await.unwrap();
        get_user(42).await;
        assert_eq!(loads("get_user"), 3);
        assert!(cache.delete(&get_user::key(42)).await.unwrap());
        get_user(42).await;
        assert_eq!(loads("get_user"), 4);
    })
    .await;
}

#[tokio::test]
async fn the_namespace_stands_before_the_key_and_is_not_part_of_it() {
    in_cache_of(
        |cache| cache.namespace("shop"),
        async |cache, _| {
            get_user(42).await;
            assert_eq!(cache.get::<User>("user:42").await.unwrap(), Some(user(42)));
            assert_eq!(get_user::key(42).as_str(), "user:42");
            assert_eq!(cache.invalidate_pattern("shop:*").await.unwrap(), 0);
            assert_eq!(cache.invalidate_pattern("user:*").await.unwrap(), 1);
        },
    )
    .await;
}

#[tokio::test]
async fn a_value_put_in_as_text_is_what_the_function_returns() {
    in_cache(async |cache, _| {
        cache.set("user:5", &user(99)).await.unwrap();
        assert_eq!(get_user(5).await, user(99));
        assert_eq!(get_user(5).await, user(99));
        cache.set("user:5", &user(98)).await.unwrap();
        assert_eq!(get_user(5).await, user(98));
        assert_eq!(loads("get_user"), 0);
    })
    .await;
}

#[cached(key = "braces:{id}:{user.team}", ttl = 60)]
async fn braces(id: u64, user: User) -> u64 {
    load("braces") + id + u64::from(user.team)
}

#[cached(key = "pair:<pair.0>:<pair.1.team>", ttl = 60)]
async fn pair(pair: (u8, User)) -> u64 {
    load("pair") + u64::from(pair.0)
}

#[tokio::test]
async fn placeholders_in_angles_and_braces_reach_into_parameters() {
    in_cache(async |_, _| {
        braces(1, User { id: 1, team: 2 }).await;
        braces(1, User { id: 9, team: 2 }).await;
        assert_eq!(loads("braces"), 1);
        braces(1, User { id: 1, team: 3 }).await;
        assert_eq!(loads("braces"), 2);
        assert_eq!(braces::key(1, user(1)).as_str(), "braces:1:7");
        pair((1, user(1))).await;
        pair((1, user(2))).await;
        assert_eq!(loads("pair"), 1);
        assert_eq!(pair::key((1, user(1))).as_str(), "pair:1:7");
    })
    .await;
}

#[cached]
async fn keyless(one: u8, two: &str) -> String {
    load("keyless");
    format!("{one}{two}")
}

mod other {
    use cache_runtime::cached;
    use cache_tests::fixture::load;

    #[cached]
    pub(super) async fn keyless(one: u8, two: &str) -> String {
        load("other::keyless");
        format!("other {one}{two}")
    }
}

#[tokio::test]
async fn a_key_left_out_is_the_path_and_every_argument() {
    in_cache(async |_, _| {
        assert_eq!(keyless(1, "a").await, "1a");
        assert_eq!(other::keyless(1, "a").await, "other 1a");
        assert_eq!(keyless(1, "b").await, "1b");
        assert_eq!(keyless(1, "a").await, "1a");
        assert_eq!((loads("keyless"), loads("other::keyless")), (2, 1));
        let (mine, theirs) = (keyless::key(1, "a:b"), other::keyless::key(1, "a:b"));
        assert!(mine.as_str().ends_with("::keys::keyless:1:a%3Ab"), "{mine}");
        assert!(theirs.as_str().ends_with("::keys::other::keyless:1:a%3Ab"), "{theirs}");
    })
    .await;
}

fn expressed(id: u64) -> Key<User> {
    Key::new(format!("expressed:{id}"))
        .with_ttl(std::time::Duration::from_secs(5))
        .with_tags(["expressed"])
}

#[cached(key = expressed(id))]
async fn by_expression(id: u64) -> User {
    load("by_expression");
    user(id)
}

#[tokio::test]
async fn a_key_expression_brings_its_text_ttl_and_tags() {
    in_cache(async |cache, hand| {
        by_expression(1).await;
        by_expression(1).await;
        assert_eq!(loads("by_expression"), 1);
        assert_eq!(cache.get(expressed(1)).await.unwrap(), Some(user(1)));
        hand.advance(std::time::Duration::from_secs(5));
        by_expression(1).await;
        assert_eq!(loads("by_expression"), 2);
        cache.invalidate_tag("expressed").await.unwrap();
        by_expression(1).await;
        assert_eq!(loads("by_expression"), 3);
        by_expression::invalidate(1).await.unwrap();
        by_expression(1).await;
        assert_eq!(loads("by_expression"), 4);
        assert_eq!(by_expression::key(1).as_str(), "expressed:1");
    })
    .await;
}

#[cached(key = "of:<text>:<number>", ttl = 60)]
async fn of(text: &str, number: u8) -> String {
    load("of");
    format!("{text}|{number}")
}

#[tokio::test]
async fn arguments_that_look_like_the_template_do_not_meet() {
    in_cache(async |_, _| {
        let texts = ["a", "a:1", "a%3A1", "", "*", "a:", ":a"];
        for text in texts {
            for number in [0, 1] {
                assert_eq!(of(text, number).await, format!("{text}|{number}"));
            }
        }
        assert_eq!(loads("of"), 2 * texts.len() as u64);
        for text in texts {
            assert_eq!(of(text, 1).await, format!("{text}|1"));
        }
        assert_eq!(loads("of"), 2 * texts.len() as u64);
    })
    .await;
}
