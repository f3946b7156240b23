//! The return types that are understood.

use std::marker::PhantomData;

use super::run::{Inspected, Shape};
use super::value::Cacheable;

/// A function that returns the value itself.
pub struct Plain<V>(PhantomData<V>);
/// A function that returns `Result<V, E>`.
pub struct Fallible<V, E>(PhantomData<(V, E)>);
/// A function that returns `Option<V>`.
pub struct Optional<V>(PhantomData<V>);
/// A function that returns `Result<Option<V>, E>`.
pub struct FallibleOptional<V, E>(PhantomData<(V, E)>);

impl<V: Cacheable> Shape for Plain<V> {
    type Return = V;
    type Value = V;

    fn from_value(value: V) -> V {
        value
    }

    fn from_nothing() -> Option<V> {
        None
    }

    fn inspect(returned: &V) -> Inspected<'_, V> {
        Inspected::Value(returned)
    }
}

impl<V: Cacheable, E> Shape for Fallible<V, E> {
    type Return = Result<V, E>;
    type Value = V;

    fn from_value(value: V) -> Self::Return {
        Ok(value)
    }

    fn from_nothing() -> Option<Self::Return> {
        None
    }

    fn inspect(returned: &Self::Return) -> Inspected<'_, V> {
        returned.as_ref().map_or(Inspected::Failed, Inspected::Value)
    }
}

impl<V: Cacheable> Shape for Optional<V> {
    type Return = Option<V>;
    type Value = V;

    fn from_value(value: V) -> Self::Return {
        Some(value)
    }

    fn from_nothing() -> Option<Self::Return> {
        Some(None)
    }

    fn inspect(returned: &Self::Return) -> Inspected<'_, V> {
        returned.as_ref().map_or(Inspected::Nothing, Inspected::Value)
    }
}

impl<V: Cacheable, E> Shape for FallibleOptional<V, E> {
    type Return = Result<Option<V>, E>;
    type Value = V;

    fn from_value(value: V) -> Self::Return {
        Ok(Some(value))
    }

    fn from_nothing() -> Option<Self::Return> {
        Some(Ok(None))
    }

    fn inspect(returned: &Self::Return) -> Inspected<'_, V> {
        match returned {
            Ok(Some(value)) => Inspected::Value(value),
            Ok(None) => Inspected::Nothing,
            Err(_) => Inspected::Failed,
        }
    }
}
