//! What the generated code names. Not for users: nothing here is covered by semantic versioning.

mod call;
mod kinds;
mod plan;
mod returned;
mod writes;

pub use inventory;
pub use std::time::Duration;

/// A load whose type is not told, so that a recursive function's future does not contain itself.
pub type BoxFuture<R> = std::pin::Pin<Box<dyn Future<Output = R> + Send>>;

/// Makes one.
pub fn boxed<R>(future: impl Future<Output = R> + Send + 'static) -> BoxFuture<R> {
    Box::pin(future)
}

pub use crate::cache::Cacheable;
pub use crate::cache::run::{Inspected, Shape};
pub use crate::cache::shapes::{Fallible, FallibleOptional, Optional, Plain};
pub use crate::error::{Error, Result};
pub use crate::key::{ArgBytes, Args, Key, KeyPart, PartWriter, Piece, shape};
pub use crate::pattern::Pattern;
pub use crate::policy::Policy;
pub use crate::site::{Registered, Site, SiteSpec};
pub use crate::tag::Tag;

pub use call::{
    Bound, BoundRun, Local, Roaming, RoamingRun, Runner, Sendable, invalidate, invalidate_key,
    invalidate_site, key, on_miss, peek, probe, probe_key, put, refresh, run_boxed, run_detached,
    run_inline, typed_key,
};
pub use kinds::{
    HidesOption, HidesResult, Kind, KindFallback, OptionLike, Own, PlainKind, ResultLike, Seen,
    TypePart, lend, own, require_plain, type_part,
};
pub use plan::{Plan, ResultTags};
pub use returned::{AnyFound, AnyReturned, Found, Returned, part, pattern, tag};
pub use writes::{
    Effects, OnError, Target, Write, after_write, begin_write, finish_write, forget_write,
};

/// Registers a site at link time.
#[macro_export]
#[doc(hidden)]
macro_rules! __submit {
    ($site:expr) => {
        $crate::macro_support::inventory::submit! { $crate::macro_support::Registered($site) }
    };
}
pub use crate::__submit as submit;

/// Runs a load with owned arguments: detached if its future is `Send`, else in the caller.
#[macro_export]
#[doc(hidden)]
macro_rules! __run_owned {
    ($shape:ty, $plan:expr, $future:expr $(,)?) => {{
        #[allow(unused_imports)]
        use $crate::macro_support::{BoundRun as _, RoamingRun as _};
        let (plan, future) = ($plan, $future);
        let mode = (&&$crate::macro_support::Runner::of(&future)).mode();
        mode.owned::<$shape, _>(plan, future)
    }};
}
pub use crate::__run_owned as run_owned;

/// Runs a load with borrowed arguments: in the caller, whose future is `Send` if the load's is.
#[macro_export]
#[doc(hidden)]
macro_rules! __run_lent {
    ($shape:ty, $plan:expr, $future:expr $(,)?) => {{
        #[allow(unused_imports)]
        use $crate::macro_support::{BoundRun as _, RoamingRun as _};
        let (plan, future) = ($plan, $future);
        let mode = (&&$crate::macro_support::Runner::of(&future)).mode();
        mode.lent::<$shape, _>(plan, future)
    }};
}
pub use crate::__run_lent as run_lent;
