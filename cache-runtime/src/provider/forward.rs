//! A shared or boxed provider is a provider.

use std::sync::Arc;
use std::time::Duration;

use super::{
    Acquire, Acquired, Baseline, BoxFuture, Description, Fill, Filled, Incarnation, Lookup, Mark,
    Observed, Prefix, Provider, Removal, Usage, Watch,
};
use crate::{Pattern, Result};

macro_rules! forward {
    ($($pointer:ident),+) => { $(
        #[deny(clippy::missing_trait_methods)]
        impl<P: Provider + ?Sized> Provider for $pointer<P> {
            fn read<'a>(&'a self, lookups: &'a [Lookup<'a>]) -> BoxFuture<'a, Result<Vec<Observed>>> {
                (**self).read(lookups)
            }

            fn acquire<'a>(&'a self, request: Acquire<'a>) -> BoxFuture<'a, Result<Acquired>> {
                (**self).acquire(request)
            }

            fn fill<'a>(&'a self, request: Fill<'a>) -> BoxFuture<'a, Result<Filled>> {
                (**self).fill(request)
            }

            fn renew<'a>(
                &'a self,
                key: &'a str,
                prefix: Prefix,
                ttl: Duration,
            ) -> BoxFuture<'a, Result<bool>> {
                (**self).renew(key, prefix, ttl)
            }

            fn release<'a>(&'a self, key: &'a str, prefix: Prefix) -> BoxFuture<'a, Result<bool>> {
                (**self).release(key, prefix)
            }

            fn ensure_marks<'a>(
                &'a self,
                key: &'a str,
                marks: &'a [Mark<'a>],
                ttl: Duration,
            ) -> BoxFuture<'a, Result<Baseline>> {
                (**self).ensure_marks(key, marks, ttl)
            }

            fn hold_marks<'a>(
                &'a self,
                marks: &'a [Mark<'a>],
                ttl: Duration,
            ) -> BoxFuture<'a, Result<()>> {
                (**self).hold_marks(marks, ttl)
            }

            fn release_marks<'a>(
                &'a self,
                marks: &'a [Mark<'a>],
            ) -> BoxFuture<'a, Result<()>> {
                (**self).release_marks(marks)
            }

            fn remove<'a>(&'a self, removal: Removal<'a>) -> BoxFuture<'a, Result<u64>> {
                (**self).remove(removal)
            }

            fn remove_matching<'a>(&'a self, pattern: &'a Pattern) -> BoxFuture<'a, Result<u64>> {
                (**self).remove_matching(pattern)
            }

            fn clear(&self) -> BoxFuture<'_, Result<()>> {
                (**self).clear()
            }

            fn ping(&self) -> BoxFuture<'_, Result<Incarnation>> {
                (**self).ping()
            }

            fn usage(&self) -> BoxFuture<'_, Result<Usage>> {
                (**self).usage()
            }

            fn describe(&self) -> Description {
                (**self).describe()
            }

            fn watch(&self, watch: Watch) -> bool {
                (**self).watch(watch)
            }

            fn shutdown(&self) -> BoxFuture<'_, Result<()>> {
                (**self).shutdown()
            }
        }
    )+ };
}

forward!(Arc, Box);
