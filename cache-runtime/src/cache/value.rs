//! What can be cached, and how the parts that know no type handle a value.

use std::any::Any;
use std::marker::PhantomData;
use std::sync::Arc;

use serde::Serialize;
use serde::de::DeserializeOwned;

#[cfg(feature = "entry")]
use crate::entry::{Encoding, Format, Payload, Schema, decode_payload, schema_of};
#[cfg(feature = "entry")]
use crate::error::{Error, ErrorKind, Result};
use crate::near::slot::{OwnedSlot, SlotParts, SlotRef};

/// A value that a cache can hold: every type that is `Clone`, serialisable both ways, and owned.
///
/// It is implemented for all such types; there is nothing to implement. In memory a value is kept
/// as it is and a hit is a `clone`, so an `Arc<T>` is handed out without a deep copy. A store
/// outside the process keeps its serialised form.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be cached",
    label = "this type cannot be stored",
    note = "a cached value needs `Clone`, `serde::Serialize` and `serde::de::DeserializeOwned`, and to be `Send + Sync + 'static`"
)]
pub trait Cacheable: Clone + Serialize + DeserializeOwned + Send + Sync + 'static {}

#[diagnostic::do_not_recommend]
impl<T: Clone + Serialize + DeserializeOwned + Send + Sync + 'static> Cacheable for T {}

/// A value of any type, shared by those who wait for it.
pub(crate) type Shared = Arc<dyn Any + Send + Sync>;

/// What a load or a store gives: a value, or the knowledge that there is none.
#[derive(Clone)]
pub(crate) enum Cached {
    Value(Shared),
    /// `None` that was cached on purpose (`none_ttl`).
    Nothing,
}

/// In a slot: the absence of a value, cached on purpose.
pub(crate) struct NothingMarker;

/// What can be done with values of one type by code that does not know it.
pub(crate) struct ValueOps {
    pub(crate) to_slot: fn(&Shared, SlotParts<'_>) -> Option<OwnedSlot>,
    pub(crate) from_slot: fn(SlotRef<'_>) -> Option<Shared>,
    pub(crate) weigh: fn(&Shared) -> usize,
    /// The value's bytes, for a store outside the process.
    #[cfg(feature = "entry")]
    pub(crate) encode: fn(&Shared, &Format) -> Result<Payload>,
    /// The value of such bytes, if they are one.
    #[cfg(feature = "entry")]
    pub(crate) decode: fn(&Format, Encoding, &[u8]) -> Option<Shared>,
    /// What the type looks like.
    #[cfg(feature = "entry")]
    pub(crate) schema: fn() -> Schema,
}

struct OpsOf<T>(PhantomData<T>);

impl<T: Cacheable> OpsOf<T> {
    const OPS: &'static ValueOps = &ValueOps {
        to_slot: |value, parts| Some(OwnedSlot::new(parts, value.downcast_ref::<T>()?.clone())),
        from_slot: |slot| Some(Arc::new(slot.value::<T>()?.clone())),
        weigh: |value| value.downcast_ref::<T>().map_or(0, weigh),
        #[cfg(feature = "entry")]
        encode: |value, format| match value.downcast_ref::<T>() {
            Some(value) => format.encode(value),
            None => Err(Error::new(ErrorKind::Codec, "encode", "the value is of another type")),
        },
        #[cfg(feature = "entry")]
        decode: |format, encoding, bytes| {
            let value: T = decode_payload(encoding, bytes, &format.limits).ok()?;
            Some(Arc::new(value))
        },
        #[cfg(feature = "entry")]
        schema: schema_of::<T>,
    };
}

/// The operations on values of type `T`.
pub(crate) fn ops<T: Cacheable>() -> &'static ValueOps {
    OpsOf::<T>::OPS
}

/// About how many bytes a value takes: its own size and the length of its JSON, which stands for
/// what it owns on the heap. Called only where the cache is bounded by bytes.
fn weigh<T: Cacheable>(value: &T) -> usize {
    let mut counter = ByteCounter(0);
    // A value that cannot be serialised is weighed by its size alone; it may still be kept in
    // memory.
    let _ = serde_json::to_writer(&mut counter, value);
    size_of::<T>() + counter.0
}

struct ByteCounter(usize);

impl std::io::Write for ByteCounter {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0 += bytes.len();
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}
