//! A provider in front of another one that it hands everything on to.

use std::sync::Arc;
use std::time::Duration;

use super::{
    Acquire, Acquired, Baseline, BoxFuture, Description, Fill, Filled, Incarnation, Lookup, Mark,
    Observed, Prefix, Provider, Removal, Usage, Watch,
};
use crate::{Pattern, Result};

/// Writes a provider that hands each step on: of which type, with which parameters, and to whom.
macro_rules! forward {
    ([$($parameters:tt)*] $provider:ty, $this:ident => $inner:expr) => {
        #[deny(clippy::missing_trait_methods)]
        impl<$($parameters)*> Provider for $provider {
            fn read<'a>(&'a self, lookups: &'a [Lookup<'a>]) -> BoxFuture<'a, Result<Vec<Observed>>> {
                let $this = self;
                $inner.read(lookups)
            }

            fn acquire<'a>(&'a self, request: Acquire<'a>) -> BoxFuture<'a, Result<Acquired>> {
                let $this = self;
                $inner.acquire(request)
            }

            fn fill<'a>(&'a self, request: Fill<'a>) -> BoxFuture<'a, Result<Filled>> {
                let $this = self;
                $inner.fill(request)
            }

            fn renew<'a>(
                &'a self,
                key: &'a str,
                prefix: Prefix,
                ttl: Duration,
            ) -> BoxFuture<'a, Result<bool>> {
                let $this = self;
                $inner.renew(key, prefix, ttl)
            }

            fn release<'a>(&'a self, key: &'a str, prefix: Prefix) -> BoxFuture<'a, Result<bool>> {
                let $this = self;
                $inner.release(key, prefix)
            }

            fn ensure_marks<'a>(
                &'a self,
                key: &'a str,
                marks: &'a [Mark<'a>],
                ttl: Duration,
            ) -> BoxFuture<'a, Result<Baseline>> {
                let $this = self;
                $inner.ensure_marks(key, marks, ttl)
            }

            fn hold_marks<'a>(
                &'a self,
                marks: &'a [Mark<'a>],
                ttl: Duration,
            ) -> BoxFuture<'a, Result<()>> {
                let $this = self;
                $inner.hold_marks(marks, ttl)
            }

            fn release_marks<'a>(
                &'a self,
                marks: &'a [Mark<'a>],
            ) -> BoxFuture<'a, Result<()>> {
                let $this = self;
                $inner.release_marks(marks)
            }

            fn remove<'a>(&'a self, removal: Removal<'a>) -> BoxFuture<'a, Result<u64>> {
                let $this = self;
                $inner.remove(removal)
            }

            fn replicate<'a>(
                &'a self,
                names: Removal<'a>,
                replicas: u32,
                patience: Duration,
            ) -> BoxFuture<'a, Result<u32>> {
                let $this = self;
                $inner.replicate(names, replicas, patience)
            }

            fn remove_matching<'a>(&'a self, pattern: &'a Pattern) -> BoxFuture<'a, Result<u64>> {
                let $this = self;
                $inner.remove_matching(pattern)
            }

            fn clear(&self) -> BoxFuture<'_, Result<()>> {
                let $this = self;
                $inner.clear()
            }

            fn ping(&self) -> BoxFuture<'_, Result<Incarnation>> {
                let $this = self;
                $inner.ping()
            }

            fn usage(&self) -> BoxFuture<'_, Result<Usage>> {
                let $this = self;
                $inner.usage()
            }

            fn describe(&self) -> Description {
                let $this = self;
                $inner.describe()
            }

            fn serves_in_part(&self) -> bool {
                let $this = self;
                $inner.serves_in_part()
            }

            fn watch(&self, watch: Watch) -> bool {
                let $this = self;
                $inner.watch(watch)
            }

            fn shutdown(&self) -> BoxFuture<'_, Result<()>> {
                let $this = self;
                $inner.shutdown()
            }
        }
    };
}

forward!([P: Provider + ?Sized] Arc<P>, this => (**this));
forward!([P: Provider + ?Sized] Box<P>, this => (**this));
#[cfg(feature = "redis")]
forward!([] super::RedisProvider, this => this.steps());
#[cfg(feature = "upstash")]
forward!([] super::UpstashProvider, this => this.steps());
