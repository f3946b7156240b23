#![deny(warnings)]

use cache_runtime::{KeyPart, cache_keys};

macro_rules! keys {
    ($name:ident, $prefix:literal, $key:ident($($parameter:ident: $type:ty),*) -> $value:ty, $id:ident) => {
        #[cache_keys]
        trait $name {
            #[key($prefix, ttl = 60)]
            fn $key($($parameter: $type),*) -> $value;
        }

        #[derive(KeyPart)]
        struct $id(u64);
    };
}

keys!(Users, "user:<id>", user(id: UserId) -> Vec<String>, UserId);

#[test]
fn runs() {
    assert_eq!(Users::user(UserId(3)).as_str(), "user:3");
    let _ = Users::user_pattern(UserId(3));
}
