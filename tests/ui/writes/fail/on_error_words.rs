use cache_runtime::invalidates;

#[invalidates(tags = ["a"], on_error = "retrn")]
async fn misspelt() -> Result<(), cache_runtime::Error> {
    Ok(())
}

#[invalidates(tags = ["a"], on_error = "panic")]
async fn unknown() -> Result<(), cache_runtime::Error> {
    Ok(())
}

#[invalidates(tags = ["a"], on_error = true)]
async fn no_word() -> Result<(), cache_runtime::Error> {
    Ok(())
}

#[invalidates(tags = ["a"], on_error = "return")]
async fn nothing_to_return_it_in() {}

#[invalidates(tags = ["a"], on_error = "return")]
async fn tuple() -> (u64, u64) {
    (1, 2)
}

fn main() {}
