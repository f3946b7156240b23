//! The registry knows every annotated function of the program, called or not, and its check finds
//! keys and tags that do not fit together. The mistakes below are the only ones of this program.

use cache_runtime::registry::{self, Problem};
use cache_runtime::{Policy, cache_keys, cached, invalidates};
use cache_tests::fixture::seconds;
use serde::{Deserialize, Serialize};

#[derive(Clone, Serialize, Deserialize)]
struct User;

#[cached(key = "user:<id>", ttl = 1800, tags = ["users", "org:<org>", "team:<result.0>"], skip(org))]
async fn get_user(id: u64, org: u64) -> (u32, u64) {
    (1, id + org)
}

/// Another type under keys that `get_user` can produce.
#[cached(key = "user:{name}")]
async fn user_by_name(name: String) -> String {
    name
}

/// The same type under keys that `user_by_name` can produce is no mistake.
#[cached(key = "user:<alias>")]
async fn user_by_alias(alias: String) -> String {
    alias
}

#[cached(key = "account:<id>")]
async fn account(id: u64) -> Vec<User> {
    vec![User; id as usize]
}

struct Accounts;

impl Accounts {
    /// The same as `account`, as a method.
    #[cached(key = "account:<id>", skip(self))]
    async fn load(&self, id: u64) -> Vec<User> {
        vec![User; id as usize]
    }
}

#[invalidates(get_user(id), tags = ["users", "org:7", "team:<team>", "usres", "orgs:<id>"])]
async fn rename(id: u64, team: u32) {
    let _ = team;
}

#[cache_keys]
trait CacheKeys {
    #[key("session:<token>", ttl = 60, tags = ["sessions"])]
    fn session(token: &str) -> User;
}

/// The line of the first attribute of which this is a part.
fn line_of(part: &str) -> u32 {
    let found = include_str!("registry.rs").lines().position(|line| line.contains(part));
    u32::try_from(found.expect("it is in this file")).expect("a short file") + 1
}

#[test]
fn every_function_and_key_is_listed_with_what_its_attribute_says() {
    let entries = registry::entries();
    let entry = |name: &str| {
        entries
            .iter()
            .find(|entry| entry.name == name)
            .unwrap_or_else(|| panic!("`{name}` in {entries:#?}"))
    };
    let user = entry("registry::get_user");
    assert_eq!(user.key, "user:<id>");
    assert_eq!(user.tags, ["users", "org:<org>", "team:<result.0>"]);
    assert_eq!(user.policy, Policy::new().ttl(seconds(1800)));
    assert_eq!(user.value_type, "(u32, u64)");
    assert!(user.file.ends_with("registry.rs"), "{}", user.file);
    let line = line_of("#[cached(key = \"user:<id>\"");
    assert!((line..line + 4).contains(&user.line), "{} is not near {line}", user.line);
    assert_eq!(
        entry("registry::rename").invalidates,
        ["users", "org:7", "team:<team>", "usres", "orgs:<id>"]
    );
    let session = entry("registry::CacheKeys::session");
    assert_eq!((session.key, session.policy.get_ttl()), ("session:<token>", Some(seconds(60))));
    assert!(session.value_type.ends_with("User"), "{}", session.value_type);
    assert!(entries.is_sorted_by_key(|entry| (entry.file, entry.line)));
}

#[test]
fn the_check_finds_colliding_keys_and_lost_tags_with_file_and_line() {
    let problems = registry::check().expect_err("there are mistakes above");
    let mut collisions = Vec::new();
    let mut lost = Vec::new();
    for problem in problems.list() {
        match problem {
            Problem::SameKey(one, other) => {
                collisions.push((one.name.as_str(), other.name.as_str()))
            }
            Problem::NeverAttached(entry, tag) => lost.push((entry.name.as_str(), *tag)),
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(
        collisions,
        [
            ("registry::get_user", "registry::user_by_name"),
            ("registry::get_user", "registry::user_by_alias"),
        ]
    );
    assert_eq!(lost, [("registry::rename", "usres"), ("registry::rename", "orgs:<id>")]);
    let text = problems.to_string();
    assert_eq!(text.lines().count(), problems.list().len());
    let rename = registry::entries().into_iter().find(|entry| entry.name == "registry::rename");
    let rename = rename.expect("it is registered");
    for part in
        [format!("{}:{}: `registry::rename`", rename.file, rename.line), "`usres`".to_owned()]
    {
        assert!(text.contains(&part), "`{part}` in {text}");
    }
    for type_name in ["(u32, u64)", "String"] {
        assert!(text.contains(type_name), "`{type_name}` in {text}");
    }
}

#[tokio::test]
async fn listed_functions_work_as_others_do() {
    cache_tests::fixture::in_cache(async |_, _| {
        assert_eq!(get_user(1, 2).await, (1, 3));
        assert_eq!(user_by_alias("a".to_owned()).await, "a");
        assert_eq!(user_by_name("b".to_owned()).await, "b");
        assert_eq!((account(1).await.len(), Accounts.load(2).await.len()), (1, 2));
        rename(1, 2).await;
        assert_eq!(CacheKeys::session("x").as_str(), "session:x");
    })
    .await;
}
