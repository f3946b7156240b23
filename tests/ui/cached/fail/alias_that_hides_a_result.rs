use cache_runtime::cached;

type Answer<T> = std::result::Result<T, String>;
type Maybe<T> = Option<T>;

#[cached(key = "a:<id>")]
async fn hidden(id: u64) -> Answer<u64> {
    Ok(id)
}

#[cached(key = "b:<id>")]
async fn optional(id: u64) -> Maybe<u64> {
    Some(id)
}

struct Repo;

impl Repo {
    #[cached(key = "c:<id>", skip(value))]
    async fn method<T: cache_runtime::Cacheable>(&self, id: u64, value: T) -> Answer<T> {
        let _ = id;
        Ok(value)
    }
}

fn main() {}
