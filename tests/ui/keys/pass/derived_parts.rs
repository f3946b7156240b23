#![deny(warnings, missing_docs)]
#![forbid(unsafe_code)]
//! Types in keys.

use std::borrow::Cow;
use std::marker::PhantomData;

use cache_runtime::{Key, KeyPart, cache_keys};

/// A newtype.
#[derive(Clone, KeyPart)]
pub struct UserId(pub u64);

/// With a name.
#[derive(KeyPart)]
pub struct Slug {
    /// The text.
    pub text: String,
}

/// Generic.
#[derive(KeyPart)]
pub struct Wrapper<T>(pub T);

/// Generic with bounds, a default and a constant.
#[derive(KeyPart)]
pub struct Many<T: Clone = u64, const N: usize = 2>(pub [T; N])
where
    T: Send;

/// With a lifetime.
#[derive(KeyPart)]
pub struct Name<'a>(pub &'a str);

/// With a lifetime and a type.
#[derive(KeyPart)]
pub struct Both<'a, T: ToOwned + ?Sized>(pub Cow<'a, T>);

/// A marker beside the value.
#[derive(KeyPart)]
pub struct Typed<T> {
    id: u32,
    of: PhantomData<fn() -> T>,
}

/// More than one field.
#[derive(KeyPart)]
pub struct Range {
    /// Begins.
    pub from: u32,
    /// Ends.
    pub to: Option<u32>,
    /// In.
    pub unit: &'static str,
}

/// Without data.
#[derive(Clone, Copy, KeyPart)]
pub enum Status {
    /// On its way.
    InTransit,
    /// There.
    Delivered,
    /// A keyword.
    r#Type,
    /// Empty braces.
    Lost {},
    /// Empty parentheses.
    Gone(),
}

fn text(part: impl KeyPart) -> String {
    let mut text = String::new();
    part.write_part(&mut cache_runtime::PartWriter::new(&mut text));
    text
}

/// Keys of all of them.
#[cache_keys]
pub trait Keys {
    /// By identity.
    #[key("user:<id>:<status>")]
    fn user(id: UserId, status: Status) -> String;
}

#[test]
fn runs() {
    assert_eq!(text(UserId(3)), "3");
    assert_eq!(text(Slug { text: "a:b".to_owned() }), "a%3Ab");
    assert_eq!(text(Wrapper(Wrapper(9_u8))), "9");
    assert_eq!(text(Many([1_u64, 2])), "(1,2)");
    assert_eq!(text(Name("x")), "x");
    assert_eq!(text(Both::<str>(Cow::Borrowed("y"))), "y");
    assert_eq!(text(Typed::<f64> { id: 4, of: PhantomData }), "4");
    assert_eq!(text(Range { from: 1, to: None, unit: "k,m" }), "(1,%none,k%2Cm)");
    assert_eq!(text(Status::InTransit), "in_transit");
    assert_eq!(text(Status::Delivered), "delivered");
    assert_eq!(text(Status::r#Type), "type");
    assert_eq!(text(Status::Lost {}), "lost");
    assert_eq!(text(Status::Gone()), "gone");
    let key: Key<String> = Keys::user(UserId(3), Status::Gone());
    assert_eq!(key.as_str(), "user:3:gone");
}
