use cache_runtime::cached;

#[cached(key = "a:<id>")]
async fn get_user(id: u64) -> Option<std::rc::Rc<u64>> {
    Some(id.into())
}

fn main() {}
