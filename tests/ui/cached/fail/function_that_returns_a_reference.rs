use std::borrow::Cow;

use cache_runtime::cached;

#[cached(key = "a:<id>")]
async fn text(id: &str) -> &str {
    id
}

#[cached(key = "b:<id>")]
async fn inside<'a>(id: &'a str) -> Result<Option<&'a [u8]>, String> {
    Ok(Some(id.as_bytes()))
}

#[cached(key = "c:<id>")]
async fn borrowing<'a>(id: &'a str) -> Option<Cow<'a, str>> {
    Some(id.into())
}

#[cached(key = "d")]
async fn constant() -> &'static str {
    "a"
}

fn main() {}
