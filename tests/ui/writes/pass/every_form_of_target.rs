#![deny(warnings, missing_docs)]
#![forbid(unsafe_code)]
//! Every way to name what a writer invalidates.

use cache_runtime::{Tag, cached, invalidates};

/// A user.
#[derive(Clone, Debug, serde::Serialize, serde::Deserialize)]
pub struct User {
    /// Whose.
    pub team: u64,
    /// Who.
    pub id: String,
}

/// What fails.
#[derive(Debug)]
pub struct DbError;

/// Service functions.
pub mod service {
    use super::{DbError, User, cached};

    /// One user.
    #[cached(key = "user:<org>:<id>", tags = ["org:<org>"])]
    pub async fn get_user(org: u64, id: String) -> Result<User, DbError> {
        Ok(User { team: org, id })
    }

    /// All users.
    #[cached(key = "users:<org>")]
    pub async fn list(org: u64) -> Result<Vec<User>, DbError> {
        Ok(vec![User { team: org, id: String::new() }])
    }
}

use service::get_user;

fn everybody() -> Tag {
    Tag::from("everybody")
}

/// Writes.
#[invalidates(
    get_user(org, id),
    service::get_user(org, result.id),
    crate::every_form_of_target::service::list(org),
    service::list,
    get_user(7, String::new()),
    tags = ["org:<org>", "team:<result.team>", "of:<org>:<result.id>", everybody(), Tag::new(format!("{}", result.team))],
    on_error = "retry",
    crate = cache_runtime,
)]
pub async fn update_user(org: u64, id: String) -> Result<User, DbError> {
    let moved = id;
    Ok(User { team: org, id: moved })
}

#[tokio::test(flavor = "multi_thread")]
async fn runs() {
    let cache = cache_runtime::Cache::builder().in_memory().build().await.unwrap();
    let program = async {
        let user = update_user(1, "anna".to_owned()).await.expect("no error");
        assert_eq!(user.id, "anna");
    };
    cache_runtime::scope(cache, program).await;
}
