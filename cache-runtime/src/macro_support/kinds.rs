//! Questions about types that only the compiler can answer, put to it by generated code.

use std::any::type_name;
use std::borrow::Borrow;
use std::marker::PhantomData;

use crate::key::{ArgBytes, KeyPart, PartWriter, shape};

/// `Result`, under whatever name it was imported.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a `Result`",
    label = "named like a `Result`, but another type",
    note = "`#[cached]` stores only `Ok`: return `Result<..>`, or give the type another name"
)]
pub trait ResultLike {
    /// What is stored.
    type Ok;
    /// What is not.
    type Err;
}

impl<T, E> ResultLike for Result<T, E> {
    type Ok = T;
    type Err = E;
}

/// `Option`, under whatever name it was imported.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not an `Option`",
    label = "named like an `Option`, but another type",
    note = "return `Option<..>`, or give the type another name"
)]
pub trait OptionLike {
    /// What is stored.
    type Some;
}

impl<T> OptionLike for Option<T> {
    type Some = T;
}

/// Asks whether a return type is an alias of `Result` or `Option`.
pub struct Kind<R: ?Sized>(PhantomData<R>);

/// It is an alias of `Result`.
#[derive(Clone, Copy)]
pub struct HidesResult;
/// It is an alias of `Option`.
#[derive(Clone, Copy)]
pub struct HidesOption;
/// It is neither.
#[derive(Clone, Copy)]
pub struct Seen;

impl<R> Kind<R> {
    /// The question.
    #[allow(clippy::new_without_default)]
    pub const fn new() -> Self {
        Self(PhantomData)
    }
}

impl<T, E> Kind<Result<T, E>> {
    /// An inherent method comes before the trait's.
    pub const fn kind(self) -> HidesResult {
        HidesResult
    }
}

impl<T> Kind<Option<T>> {
    /// An inherent method comes before the trait's.
    pub const fn kind(self) -> HidesOption {
        HidesOption
    }
}

/// The answer for all other types.
pub trait KindFallback: Sized {
    /// Neither a `Result` nor an `Option`.
    fn kind(self) -> Seen {
        Seen
    }
}

impl<R> KindFallback for Kind<R> {}

/// What a type that is stored whole must be.
#[diagnostic::on_unimplemented(
    message = "the return type is an alias that hides a `Result` or an `Option`",
    label = "would be cached whole, errors or `None` included",
    note = "write the `Result<..>` or `Option<..>` out in the signature"
)]
pub trait PlainKind {}

impl PlainKind for Seen {}

/// Accepts only types that are stored whole.
pub const fn require_plain<K: PlainKind + Copy>(_: K) {}

/// A type's name as a part of a key.
pub struct TypePart<T: ?Sized>(PhantomData<fn() -> Box<T>>);

/// The part for a type.
#[must_use]
pub fn type_part<T: ?Sized>() -> TypePart<T> {
    TypePart(PhantomData)
}

impl<T: ?Sized> KeyPart for TypePart<T> {
    const SHAPE: u64 = shape::of("type");

    fn write_part(&self, out: &mut PartWriter<'_>) {
        out.write_type_name(type_name::<T>());
    }

    fn encode_part(&self, out: &mut ArgBytes) {
        out.push_bytes(type_name::<T>().as_bytes());
    }
}

/// An argument that a load in the background can own.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be kept for a background refresh",
    label = "a background refresh needs to own this argument",
    note = "implement `Clone` for it, take it by value, or take `self: Arc<Self>`"
)]
pub trait Own: ToOwned {}

#[diagnostic::do_not_recommend]
impl<T: ToOwned<Owned: Send + Sync + 'static> + ?Sized> Own for T {}

/// Makes an argument owned.
pub fn own<T: Own + ?Sized>(borrowed: &T) -> T::Owned {
    borrowed.to_owned()
}

/// Lends an owned argument to the body.
pub fn lend<T: Own + ?Sized>(owned: &T::Owned) -> &T {
    owned.borrow()
}
