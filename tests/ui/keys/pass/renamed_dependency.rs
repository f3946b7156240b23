extern crate cache_runtime as my_cache;

use my_cache::{KeyPart, cache_keys};

#[derive(KeyPart)]
#[key_part(crate = my_cache)]
struct Id(u64);

#[cache_keys(crate = my_cache)]
trait Keys {
    #[key("user:<id>")]
    fn user(id: Id) -> String;
}

#[test]
fn runs() {
    assert_eq!(Keys::user(Id(5)).as_str(), "user:5");
}
