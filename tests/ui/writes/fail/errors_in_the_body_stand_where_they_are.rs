use cache_runtime::{cached, invalidates, write_through};

#[cached(key = "user:<id>")]
async fn get_user(id: u64) -> Result<String, DbError> {
    Ok(id.to_string())
}

struct DbError;

#[invalidates(get_user(id))]
async fn update(id: u64, name: String) -> Result<String, DbError> {
    let parsed: u64 = name.parse()?;
    let moved = name;
    let again = name;
    if parsed == id {
        return Ok(5);
    }
    moved.missing();
    id
}

#[write_through(get_user(id))]
async fn rename(id: u64) -> Result<String, DbError> {
    Ok(unknown)
}

fn main() {}
