use cache_runtime::cached;

trait Load {
    #[cached(key = "a:<id>")]
    async fn load(&self, id: u64) -> u64 {
        id
    }

    #[cached(key = "b:<id>")]
    async fn without_body(&self, id: u64) -> u64;
}

fn main() {}
