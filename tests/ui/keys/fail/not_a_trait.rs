use cache_runtime::cache_keys;

#[cache_keys]
struct Keys {
    user: String,
}

fn main() {
    let _ = Keys { user: String::new() }.user;
}
