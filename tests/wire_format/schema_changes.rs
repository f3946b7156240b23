//! Which change of a type changes its fingerprint.

use std::collections::{BTreeMap, HashMap};
use std::rc::Rc;
use std::sync::Arc;

use cache_runtime::entry::{Schema, schema_of};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

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

/// One struct in one version.
macro_rules! root {
    ($name:ident { $($body:tt)* }) => {
        version!($name {
            #[derive(Serialize, Deserialize)]
            pub(crate) struct Root { $($body)* }
        });
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

root!(base { id: u64, name: String, team: Option<u32> });
root!(moved { id: u64, name: String, team: Option<u32> });
root!(field_added { id: u64, name: String, team: Option<u32>, age: u8 });
root!(option_added { id: u64, name: String, team: Option<u32>, age: Option<u8> });
root!(default_added { id: u64, name: String, team: Option<u32>, #[serde(default)] age: u8 });
root!(field_removed { id: u64, name: String });
root!(field_renamed { id: u64, title: String, team: Option<u32> });
root!(serde_renamed { id: u64, #[serde(rename = "label")] name: String, team: Option<u32> });
root!(first_retyped { id: u32, name: String, team: Option<u32> });
root!(last_retyped { id: u64, name: String, team: Option<u64> });
root!(signed { id: i64, name: String, team: Option<u32> });
root!(made_optional { id: u64, name: Option<String>, team: Option<u32> });
root!(made_list { id: u64, name: Vec<String>, team: Option<u32> });
root!(reordered { name: String, id: u64, team: Option<u32> });

#[test]
fn every_change_of_a_field_is_a_change() {
    assert_all_differ!(
        base::Root,
        field_added::Root,
        option_added::Root,
        field_removed::Root,
        field_renamed::Root,
        serde_renamed::Root,
        first_retyped::Root,
        last_retyped::Root,
        signed::Root,
        made_optional::Root,
        made_list::Root,
        reordered::Root,
    );
    assert_ne!(of::<base::Root>(), of::<default_added::Root>());
}

#[test]
fn what_says_the_same_is_the_same() {
    assert_eq!(of::<base::Root>(), of::<moved::Root>());
    assert_eq!(of::<Arc<base::Root>>(), of::<base::Root>());
    assert_eq!(of::<Box<Rc<base::Root>>>(), of::<base::Root>());
    assert_eq!(schema_of::<Arc<base::Root>>(), of::<moved::Root>());
    assert_eq!(schema_of::<base::Root>(), schema_of::<base::Root>());
    assert_eq!(of::<Vec<base::Root>>(), of::<Box<[Arc<moved::Root>]>>());
    assert_eq!(of::<String>(), of::<Box<str>>());
    // A default is no part of what is stored.
    assert_eq!(of::<default_added::Root>(), of::<field_added::Root>());
    assert_eq!(of::<HashMap<String, u8>>(), of::<BTreeMap<String, u8>>());
}

version!(deep_1 {
    #[derive(Serialize, Deserialize)] pub(crate) struct Root { rows: Vec<Row> }
    #[derive(Serialize, Deserialize)] pub(crate) struct Row { cells: HashMap<String, Cell> }
    #[derive(Serialize, Deserialize)] pub(crate) struct Cell { value: u32, note: Option<String> }
});
version!(deep_2 {
    #[derive(Serialize, Deserialize)] pub(crate) struct Root { rows: Vec<Row> }
    #[derive(Serialize, Deserialize)] pub(crate) struct Row { cells: HashMap<String, Cell> }
    #[derive(Serialize, Deserialize)] pub(crate) struct Cell { value: u64, note: Option<String> }
});
version!(deep_3 {
    #[derive(Serialize, Deserialize)] pub(crate) struct Root { rows: Vec<Row> }
    #[derive(Serialize, Deserialize)] pub(crate) struct Row { cells: HashMap<String, Cell> }
    #[derive(Serialize, Deserialize)] pub(crate) struct Cell { value: u32, note: Option<char> }
});
version!(deep_4 {
    #[derive(Serialize, Deserialize)] pub(crate) struct Root { rows: Vec<Row> }
    #[derive(Serialize, Deserialize)] pub(crate) struct Row { cells: HashMap<u8, Cell> }
    #[derive(Serialize, Deserialize)] pub(crate) struct Cell { value: u32, note: Option<String> }
});

#[test]
fn changes_below_are_changes() {
    assert_all_differ!(deep_1::Root, deep_2::Root, deep_3::Root, deep_4::Root);
    assert_all_differ!(
        Vec<u32>,
        Vec<u64>,
        Vec<Vec<u32>>,
        u32,
        u64,
        Option<u32>,
        Option<Option<u32>>
    );
    assert_all_differ!((u8, u16), (u16, u8), (u8, u16, u8), [u8; 2], [u8; 3], Vec<u8>, ());
    assert_all_differ!(HashMap<String, u8>, HashMap<String, u16>, HashMap<u8, u8>, Vec<(String, u8)>);
    assert_all_differ!(f32, f64, bool, char, String, i8, i16, i32, i64, i128, u8, u16, u128);
    assert_all_differ!(Result<u8, u16>, Result<u16, u8>, Result<u8, String>);
}

version!(enum_1 {
    #[derive(Serialize, Deserialize)]
    pub(crate) enum Root { Empty, One(u32), Two(u32, String), Named { id: u64, name: String } }
});
version!(variant_added {
    #[derive(Serialize, Deserialize)]
    pub(crate) enum Root { Empty, One(u32), Two(u32, String), Named { id: u64, name: String }, More }
});
version!(variant_renamed {
    #[derive(Serialize, Deserialize)]
    pub(crate) enum Root { Nothing, One(u32), Two(u32, String), Named { id: u64, name: String } }
});
version!(variant_reordered {
    #[derive(Serialize, Deserialize)]
    pub(crate) enum Root { One(u32), Empty, Two(u32, String), Named { id: u64, name: String } }
});
version!(variant_retyped {
    #[derive(Serialize, Deserialize)]
    pub(crate) enum Root { Empty, One(u64), Two(u32, String), Named { id: u64, name: String } }
});
version!(variant_lengthened {
    #[derive(Serialize, Deserialize)]
    pub(crate) enum Root { Empty, One(u32), Two(u32, String, u8), Named { id: u64, name: String } }
});
version!(variant_field_retyped {
    #[derive(Serialize, Deserialize)]
    pub(crate) enum Root { Empty, One(u32), Two(u32, String), Named { id: u64, name: char } }
});
version!(variant_emptied {
    #[derive(Serialize, Deserialize)]
    pub(crate) enum Root { Empty, One, Two(u32, String), Named { id: u64, name: String } }
});
version!(enum_renamed {
    #[derive(Serialize, Deserialize)]
    #[serde(rename = "Stem")]
    pub(crate) enum Root { Empty, One(u32), Two(u32, String), Named { id: u64, name: String } }
});

#[test]
fn every_change_of_a_variant_is_a_change() {
    assert_all_differ!(
        enum_1::Root,
        variant_added::Root,
        variant_renamed::Root,
        variant_reordered::Root,
        variant_retyped::Root,
        variant_lengthened::Root,
        variant_field_retyped::Root,
        variant_emptied::Root,
        enum_renamed::Root,
    );
    assert_ne!(of::<Vec<Option<enum_1::Root>>>(), of::<Vec<Option<variant_field_retyped::Root>>>());
}

version!(tree_1 {
    #[derive(Serialize, Deserialize)]
    pub(crate) struct Root { value: u32, left: Option<Box<Root>>, right: Option<Box<Root>>, last: u8 }
    #[derive(Serialize, Deserialize)]
    pub(crate) enum Expression { Add(Box<Expression>, Box<Expression>), Call { name: String, with: Vec<Expression> }, Number(i64) }
    #[derive(Serialize, Deserialize)]
    pub(crate) struct Chain(Option<Box<Chain>>);
    #[derive(Serialize, Deserialize)]
    pub(crate) struct Ping { pong: Vec<Pong> }
    #[derive(Serialize, Deserialize)]
    pub(crate) struct Pong { ping: Option<Box<Ping>>, n: u16 }
});
version!(tree_2 {
    #[derive(Serialize, Deserialize)]
    pub(crate) struct Root { value: u32, left: Option<Box<Root>>, right: Option<Box<Root>>, last: u16 }
    #[derive(Serialize, Deserialize)]
    pub(crate) enum Expression { Add(Box<Expression>, Box<Expression>), Call { name: String, with: Vec<Expression> }, Number(u64) }
    #[derive(Serialize, Deserialize)]
    pub(crate) struct Ping { pong: Vec<Pong> }
    #[derive(Serialize, Deserialize)]
    pub(crate) struct Pong { ping: Option<Box<Ping>>, n: u32 }
});

#[test]
fn types_that_contain_themselves_are_looked_at_once() {
    assert_all_differ!(tree_1::Root, tree_2::Root);
    assert_all_differ!(tree_1::Expression, tree_2::Expression);
    assert_all_differ!(tree_1::Ping, tree_2::Ping);
    of::<tree_1::Chain>();
}

#[derive(Serialize, Deserialize)]
struct Page<T> {
    items: Vec<T>,
    next: Option<u64>,
}

#[derive(Serialize, Deserialize)]
struct Pair<A, B> {
    first: A,
    second: B,
}

#[test]
fn generic_types_differ_by_their_parameters() {
    assert_all_differ!(Page<u8>, Page<u16>, Page<Page<u8>>, Page<Page<u16>>);
    assert_all_differ!(
        Pair<u8, u16>,
        Pair<u16, u8>,
        Pair<Pair<u8, u16>, Pair<u8, u16>>,
        Pair<Pair<u8, u16>, Pair<u16, u8>>,
        Pair<Pair<u16, u8>, Pair<u8, u16>>,
        Pair<Pair<Pair<u8, u8>, u8>, u8>,
        Pair<Pair<Pair<u8, u16>, u8>, u8>,
    );
    assert_all_differ!(Pair<Result<u8, u8>, u8>, Pair<Result<u8, u16>, u8>);
}

version!(newtype_1 {
    #[derive(Serialize, Deserialize)] pub(crate) struct Id(u64);
    #[derive(Serialize, Deserialize)] #[serde(transparent)] pub(crate) struct Clear(u64);
    #[derive(Serialize, Deserialize)] pub(crate) struct Point(f64, f64);
    #[derive(Serialize, Deserialize)] pub(crate) struct Unit;
});
version!(newtype_2 {
    #[derive(Serialize, Deserialize)] pub(crate) struct Id(u32);
    #[derive(Serialize, Deserialize)] pub(crate) struct Point(f64, f32);
});

#[test]
fn newtypes_differ_by_name_and_content() {
    assert_all_differ!(newtype_1::Id, newtype_2::Id, u64, newtype_1::Unit, ());
    assert_all_differ!(newtype_1::Point, newtype_2::Point, (f64, f64));
    assert_eq!(of::<newtype_1::Clear>(), of::<u64>());
}
