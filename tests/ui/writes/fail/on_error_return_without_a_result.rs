use cache_runtime::invalidates;

struct DbError;

#[invalidates(tags = ["a"], on_error = "return")]
async fn option() -> Option<u64> {
    None
}

#[invalidates(tags = ["a"], on_error = "return")]
async fn error_of_another_kind() -> Result<u64, DbError> {
    Ok(1)
}

fn main() {}
