//! Types that serde buffers when it reads them: `flatten`, `untagged` and `tag`. They tell their
//! names in no question, only in errors and when they are written.

use cache_runtime::entry::Schema;
use serde::Serialize;
use serde::de::DeserializeOwned;

/// One version of a program: its types in a module of their own.
macro_rules! version {
    ($name:ident { $($body:tt)* }) => {
        mod $name {
            #![allow(dead_code, unused_imports)]
            use std::collections::{BTreeMap, HashMap};
            use serde::{Deserialize, Serialize};
            $($body)*
        }
    };
}

fn of<T: Serialize + DeserializeOwned>() -> Schema {
    let first = Schema::of_type::<T>();
    assert_eq!(first, Schema::of_type::<T>(), "{}", std::any::type_name::<T>());
    first
}

/// All of these differ from each other.
macro_rules! assert_all_differ {
    ($($type:ty),+ $(,)?) => {
        let all = [$((stringify!($type), of::<$type>())),+];
        for (at, (name, schema)) in all.iter().enumerate() {
            for (other, other_schema) in &all[..at] {
                assert_ne!(schema, other_schema, "{name} and {other}");
            }
        }
    };
}

version!(flat_1 {
    #[derive(Serialize, Deserialize)] pub(crate) struct Root { id: u64, #[serde(flatten)] inner: Inner, nick: Option<String> }
    #[derive(Serialize, Deserialize)] pub(crate) struct Inner { a: u32, b: String }
});
version!(flat_2 {
    #[derive(Serialize, Deserialize)] pub(crate) struct Root { id: u64, #[serde(flatten)] inner: Inner, nick: Option<String> }
    #[derive(Serialize, Deserialize)] pub(crate) struct Inner { a: u32, c: String }
});
version!(flat_3 {
    #[derive(Serialize, Deserialize)] pub(crate) struct Root { id: u64, #[serde(flatten)] inner: Inner, nick: Option<String> }
    #[derive(Serialize, Deserialize)] pub(crate) struct Inner { a: u64, b: String }
});
version!(flat_4 {
    #[derive(Serialize, Deserialize)] pub(crate) struct Root { id: u32, #[serde(flatten)] inner: Inner, nick: Option<String> }
    #[derive(Serialize, Deserialize)] pub(crate) struct Inner { a: u32, b: String }
});
version!(flat_5 {
    #[derive(Serialize, Deserialize)] pub(crate) struct Root { id: u64, #[serde(flatten)] inner: Inner, nick: Option<u8> }
    #[derive(Serialize, Deserialize)] pub(crate) struct Inner { a: u32, b: String }
});
version!(flat_6 {
    #[derive(Serialize, Deserialize)] pub(crate) struct Root { id: u64, #[serde(flatten)] inner: Inner, name: Option<String> }
    #[derive(Serialize, Deserialize)] pub(crate) struct Inner { a: u32, b: String }
});
version!(flat_7 {
    #[derive(Serialize, Deserialize)] pub(crate) struct Root { id: u64, #[serde(flatten)] inner: Inner, nick: Option<String> }
    #[derive(Serialize, Deserialize)] pub(crate) struct Inner { a: u32, b: String, c: Option<u8> }
});
version!(flat_8 {
    #[derive(Serialize, Deserialize)] pub(crate) struct Root { id: u64, #[serde(flatten)] inner: Inner, nick: Option<String> }
    #[derive(Serialize, Deserialize)] pub(crate) struct Inner { a: u32, b: Vec<u8> }
});
version!(flat_9 {
    #[derive(Serialize, Deserialize)] pub(crate) struct Root { id: u64, #[serde(flatten)] rest: HashMap<String, u32> }
});
version!(flat_10 {
    #[derive(Serialize, Deserialize)] pub(crate) struct Root { id: u64, #[serde(flatten)] rest: HashMap<String, String> }
});

#[test]
fn flattened_fields_count() {
    assert_all_differ!(
        flat_1::Root,
        flat_2::Root,
        flat_3::Root,
        flat_4::Root,
        flat_5::Root,
        flat_6::Root,
        flat_7::Root,
        flat_8::Root,
        flat_9::Root,
        flat_10::Root,
    );
}

version!(untagged_1 {
    #[derive(Serialize, Deserialize)] #[serde(untagged)]
    pub(crate) enum Root { Id(u64), Name(String), Both { id: u64, name: String } }
});
version!(untagged_2 {
    #[derive(Serialize, Deserialize)] #[serde(untagged)]
    pub(crate) enum Root { Id(u64), Name(String), Both { id: u64, title: String } }
});
version!(untagged_3 {
    #[derive(Serialize, Deserialize)] #[serde(untagged)]
    pub(crate) enum Root { Id(u32), Name(String), Both { id: u64, name: String } }
});
version!(untagged_4 {
    #[derive(Serialize, Deserialize)] #[serde(untagged)]
    pub(crate) enum Root { Id(u64), Name(String), Both { id: u64, name: String }, Flag(bool) }
});
version!(untagged_5 {
    #[derive(Serialize, Deserialize)] #[serde(untagged)]
    pub(crate) enum Root { Id(u64), Name(String), Both { id: u64, name: u32 } }
});

#[test]
fn untagged_variants_count() {
    assert_all_differ!(
        untagged_1::Root,
        untagged_2::Root,
        untagged_3::Root,
        untagged_4::Root,
        untagged_5::Root,
    );
}

version!(tagged_1 {
    #[derive(Serialize, Deserialize)] #[serde(tag = "kind")]
    pub(crate) enum Root { Circle { radius: f64 }, Square { side: u32 }, Nothing }
    #[derive(Serialize, Deserialize)] #[serde(tag = "kind", content = "data")]
    pub(crate) enum Beside { Circle { radius: f64 }, Square(u32), Nothing }
});
version!(tagged_2 {
    #[derive(Serialize, Deserialize)] #[serde(tag = "type")]
    pub(crate) enum Root { Circle { radius: f64 }, Square { side: u32 }, Nothing }
    #[derive(Serialize, Deserialize)] #[serde(tag = "type", content = "data")]
    pub(crate) enum Beside { Circle { radius: f64 }, Square(u32), Nothing }
});
version!(tagged_3 {
    #[derive(Serialize, Deserialize)] #[serde(tag = "kind")]
    pub(crate) enum Root { Circle { radius: f64 }, Square { edge: u32 }, Nothing }
    #[derive(Serialize, Deserialize)] #[serde(tag = "kind", content = "data")]
    pub(crate) enum Beside { Circle { radius: f64 }, Square(u64), Nothing }
});
version!(tagged_4 {
    #[derive(Serialize, Deserialize)] #[serde(tag = "kind")]
    pub(crate) enum Root { Circle { radius: f64 }, Square { side: String }, Nothing }
    #[derive(Serialize, Deserialize)] #[serde(tag = "kind", content = "data")]
    pub(crate) enum Beside { Circle { diameter: f64 }, Square(u32), Nothing }
});
version!(tagged_5 {
    #[derive(Serialize, Deserialize)] #[serde(tag = "kind")]
    pub(crate) enum Root { Circle { radius: f64 }, Square { side: u32 }, Nothing, Triangle }
    #[derive(Serialize, Deserialize)] #[serde(tag = "kind", content = "data")]
    pub(crate) enum Beside { Circle { radius: f64 }, Square(u32), Nothing, Triangle }
});

#[test]
fn tagged_variants_count() {
    assert_all_differ!(
        tagged_1::Root,
        tagged_2::Root,
        tagged_3::Root,
        tagged_4::Root,
        tagged_5::Root,
    );
    assert_all_differ!(
        tagged_1::Beside,
        tagged_2::Beside,
        tagged_3::Beside,
        tagged_4::Beside,
        tagged_5::Beside,
    );
}
