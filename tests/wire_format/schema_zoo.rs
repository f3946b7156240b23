//! Every sort of type has a fingerprint: soon, the same each time, and without a panic.

use std::borrow::Cow;
use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, BTreeSet, BinaryHeap, HashMap, HashSet, LinkedList, VecDeque};
use std::ffi::CString;
use std::marker::PhantomData;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, SocketAddrV4, SocketAddrV6};
use std::num::{NonZeroI16, NonZeroU32, NonZeroU128, Wrapping};
use std::ops::{Bound, Range, RangeInclusive};
use std::sync::{Arc, Mutex, RwLock};
use std::time::{Duration, Instant, SystemTime};

use cache_runtime::entry::Schema;
use serde::de::{DeserializeOwned, Deserializer, Error as _, SeqAccess, Visitor};
use serde::{Deserialize, Serialize};

/// The fingerprint, and that it comes soon even in a build without optimisation.
fn of<T: Serialize + DeserializeOwned>() -> Schema {
    let begun = Instant::now();
    let schema = Schema::of_type::<T>();
    let took = begun.elapsed();
    assert!(took < Duration::from_secs(20), "{}: {took:?}", std::any::type_name::<T>());
    assert_eq!(schema, Schema::of_type::<T>(), "{}", std::any::type_name::<T>());
    schema
}

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

#[test]
fn types_of_the_standard_library() {
    assert_all_differ!(
        u8, u16, u32, u64, u128, i8, i16, i32, i64, i128, f32, f64, bool, char, String, (),
        Option<u8>, Vec<u8>, [u16; 0], [u16; 32], (u8,), (u8, u8, u8, u8, u8),
        HashMap<String, u8>, BTreeMap<u8, u8>, Result<u8, u8>, Bound<u8>, Range<u8>,
        Duration, SystemTime, IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, CString,
    );
    of::<(usize, isize, NonZeroU32, NonZeroI16, NonZeroU128, Wrapping<u8>)>();
    of::<(Cell<u8>, RefCell<u8>, Mutex<u8>, RwLock<u8>, PhantomData<u8>, Cow<'static, str>)>();
    of::<(HashSet<u8>, BTreeSet<u8>, BinaryHeap<u8>, LinkedList<u8>, VecDeque<u8>)>();
    of::<(
        SocketAddrV4,
        SocketAddrV6,
        RangeInclusive<char>,
        Box<str>,
        Arc<[u8]>,
        std::cmp::Reverse<u8>,
    )>();
    of::<((u8, u8, u8, u8, u8, u8, u8, u8), (u8, u8, u8, u8, u8, u8, u8, u8, u8, u8, u8, u8))>();
}

#[test]
fn types_of_others() {
    assert_all_differ!(
        serde_json::Value,
        Vec<serde_json::Value>,
        HashMap<String, serde_json::Value>,
        uuid::Uuid,
        time::OffsetDateTime,
        time::Date,
        time::Time,
        time::Duration,
    );
    of::<serde_json::Number>();
    of::<serde_json::Map<String, serde_json::Value>>();
    of::<(
        chrono::DateTime<chrono::Utc>,
        chrono::NaiveDate,
        chrono::NaiveTime,
        chrono::NaiveDateTime,
    )>();
    of::<(chrono::DateTime<chrono::FixedOffset>, chrono::Weekday, chrono::Month, chrono::TimeDelta)>(
    );
    of::<(time::PrimitiveDateTime, time::UtcOffset, time::Weekday, time::Month)>();
}

#[derive(Serialize, Deserialize)]
struct Event<A, C> {
    at: A,
    count: C,
}

#[derive(Serialize, Deserialize)]
struct Line<A, C>(A, C);

#[test]
fn what_follows_a_type_with_a_text_of_its_own_is_seen() {
    use chrono::{DateTime, NaiveDate, Utc};
    assert_all_differ!(
        Event<IpAddr, u32>,
        Event<IpAddr, u64>,
        Event<DateTime<Utc>, Option<u32>>,
        Event<DateTime<Utc>, Option<u64>>,
        Event<uuid::Uuid, Vec<u32>>,
        Event<uuid::Uuid, Vec<u64>>,
    );
    assert_all_differ!(Line<NaiveDate, u32>, Line<NaiveDate, u64>);
    assert_all_differ!(Line<time::OffsetDateTime, u32>, Line<time::OffsetDateTime, u64>);
}

/// A text that fits no sample.
#[derive(Serialize)]
struct Picky(String);

impl<'de> Deserialize<'de> for Picky {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        if text == "the only right text" { Ok(Self(text)) } else { Err(D::Error::custom("no")) }
    }
}

#[derive(Serialize, Deserialize)]
struct TwoPicky<A, B> {
    first: Picky,
    between: A,
    second: Picky,
    list: Vec<Picky>,
    last: B,
}

#[test]
fn what_surrounds_a_type_that_refuses_everything_is_seen() {
    assert_all_differ!(
        Event<Picky, u32>,
        Event<Picky, u64>,
        Event<Picky, Event<Picky, u32>>,
        Event<Picky, Event<Picky, u64>>,
        TwoPicky<u8, u8>,
        TwoPicky<u8, u16>,
        TwoPicky<u16, u8>,
        TwoPicky<Option<u16>, u8>,
        TwoPicky<Option<Result<u8, u16>>, Result<u8, u8>>,
        TwoPicky<Option<Result<u8, u8>>, Result<u8, u8>>,
        Vec<Event<Picky, u32>>,
        Vec<Event<Picky, u64>>,
        Option<Event<Picky, u32>>,
    );
    // Of a list only the type's name tells what follows.
    assert_all_differ!((Picky, u32), (Picky, u64), Line<Picky, u32>, Line<Picky, u64>);
}

/// A number that has to be under 100, read by way of another type.
#[derive(Serialize, Deserialize)]
#[serde(try_from = "u8")]
struct Percent(u8);

impl TryFrom<u8> for Percent {
    type Error = String;

    fn try_from(number: u8) -> Result<Self, String> {
        if (5..100).contains(&number) { Ok(Self(number)) } else { Err("out of range".to_owned()) }
    }
}

#[test]
fn validated_types_get_the_sample_that_they_accept() {
    assert_all_differ!(Line<Percent, u32>, Line<Percent, u64>);
    assert_all_differ!((Percent, Result<u8, u8>), (Percent, Result<u8, u16>));
}

macro_rules! hostile {
    ($name:ident, |$deserializer:ident| $body:expr) => {
        #[derive(Serialize)]
        struct $name;
        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>($deserializer: D) -> Result<Self, D::Error> {
                $body
            }
        }
    };
}

hostile!(Panics, |_deserializer| panic!("a foreign impl"));
hostile!(Panicking, |deserializer| {
    u32::deserialize(deserializer)?;
    panic!("a foreign impl")
});
hostile!(Refuses, |_deserializer| Err(D::Error::custom("never")));
hostile!(RefusesToo, |_deserializer| Err(D::Error::custom("never")));
hostile!(Ignores, |deserializer| {
    serde::de::IgnoredAny::deserialize(deserializer).map(|_| Ignores)
});
hostile!(Greedy, |deserializer| deserializer.deserialize_seq(Endless).map(|()| Greedy));

/// Reads elements until there is an error.
struct Endless;

impl<'de> Visitor<'de> for Endless {
    type Value = ();

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("elements")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut access: A) -> Result<(), A::Error> {
        for _ in 0..1_000_000 {
            access.next_element::<u64>()?;
        }
        Ok(())
    }
}

#[test]
fn impls_that_misbehave_are_borne() {
    of::<Panics>();
    of::<(Panicking, u8)>();
    of::<Greedy>();
    of::<Ignores>();
    // Nothing is asked, and only the name is left.
    assert_ne!(of::<Refuses>(), of::<RefusesToo>());
    assert_all_differ!(Event<Panicking, u32>, Event<Panicking, u64>);
}

macro_rules! wide {
    ($name:ident: $($variant:ident)+) => {
        #[derive(Serialize, Deserialize)]
        enum $name<T> { $($variant(T),)+ Struct { one: T, two: Option<Box<$name<T>>> } }
    };
}

wide!(Wide: A B C D E F G H I J K L M N O P Q R S T_ U V W X Y Z);

type Deep<T> = Vec<Option<BTreeMap<String, (Wide<Option<T>>, Result<Wide<T>, Vec<T>>)>>>;

#[test]
fn large_types_take_bounded_time() {
    assert_all_differ!(
        Wide<Wide<Wide<u8>>>,
        Wide<Wide<Wide<u16>>>,
        Wide<Wide<Wide<Wide<Wide<u8>>>>>,
        Wide<Wide<Wide<Wide<Wide<u16>>>>>,
        Deep<Deep<u8>>,
        Deep<Deep<u16>>,
    );
    of::<[[[u8; 32]; 32]; 32]>();
}

type Level<T> = Event<Option<Event<Option<T>, u8>>, u8>;
type Levels<T> = Level<Level<Level<Level<Level<T>>>>>;

#[test]
fn deep_types_leave_the_stack_alone() {
    assert_all_differ!(Levels<u8>, Levels<u16>, Levels<Levels<u8>>, Levels<Levels<u16>>);
    // Deeper than the probe goes.
    of::<Levels<Levels<Levels<Levels<Levels<u8>>>>>>();
}

#[test]
fn fingerprints_are_the_same_in_every_process() {
    // A change here makes every entry in every store a miss: only together with the probe's
    // version.
    assert_eq!(format!("{:?}", of::<Event<u32, String>>()), "Schema(e90ec63093bc6ab4)");
    assert_eq!(format!("{:?}", of::<Result<Vec<u8>, Duration>>()), "Schema(645e97f8da3e2d6f)");
}
