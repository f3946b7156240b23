//! What is handier than the bare steps, for every provider.

use std::time::Duration;

use super::{
    Acquire, Acquired, Extent, Fill, Filled, Lookup, Mark, MarkState, Observed, Prefix, Provider,
    Removal,
};
use crate::{Error, ErrorKind, Result};

/// Short forms of [`Provider`]'s steps; implemented for every provider.
pub trait ProviderExt: Provider {
    /// Reads one cell and its marks.
    ///
    /// # Errors
    /// As [`Provider::read`].
    fn read_one<'a>(
        &'a self,
        key: &'a str,
        marks: &'a [Mark<'a>],
    ) -> impl Future<Output = Result<Observed>> + Send + 'a {
        read_single(self, Lookup::new(key).marks(marks))
    }

    /// Reads the prefix of one cell, and its marks.
    ///
    /// # Errors
    /// As [`Provider::read`].
    fn read_prefix<'a>(
        &'a self,
        key: &'a str,
        marks: &'a [Mark<'a>],
    ) -> impl Future<Output = Result<Observed>> + Send + 'a {
        read_single(self, Lookup::new(key).marks(marks).extent(Extent::Prefix))
    }

    /// Reads the marks of a key without its cell.
    ///
    /// # Errors
    /// As [`Provider::read`].
    fn read_marks<'a>(
        &'a self,
        key: &'a str,
        marks: &'a [Mark<'a>],
    ) -> impl Future<Output = Result<Vec<MarkState>>> + Send + 'a {
        async move {
            let lookup = Lookup::new(key).marks(marks).extent(Extent::Nothing);
            Ok(read_single(self, lookup).await?.marks)
        }
    }

    /// Stores a value without marks, whatever the cell holds.
    ///
    /// # Errors
    /// As [`Provider::fill`].
    fn put<'a>(
        &'a self,
        key: &'a str,
        value: &'a [u8],
        ttl: Duration,
    ) -> impl Future<Output = Result<Filled>> + Send + 'a {
        self.fill(Fill::new(key, value, ttl))
    }

    /// Puts a lease on an absent cell; whether it was granted.
    ///
    /// # Errors
    /// As [`Provider::acquire`].
    fn try_lease<'a>(
        &'a self,
        key: &'a str,
        lease: Prefix,
        ttl: Duration,
    ) -> impl Future<Output = Result<bool>> + Send + 'a {
        async move {
            let acquired = self.acquire(Acquire::new(key, lease, ttl)).await?;
            Ok(matches!(acquired, Acquired::Granted(_)))
        }
    }

    /// Removes one cell; whether there was one.
    ///
    /// # Errors
    /// As [`Provider::remove`].
    fn remove_key<'a>(&'a self, key: &'a str) -> impl Future<Output = Result<bool>> + Send + 'a {
        async move { Ok(self.remove(Removal::of_keys(&[key])).await? > 0) }
    }

    /// Removes marks.
    ///
    /// # Errors
    /// As [`Provider::remove`].
    fn remove_marks<'a>(
        &'a self,
        marks: &'a [Mark<'a>],
    ) -> impl Future<Output = Result<()>> + Send + 'a {
        async move { self.remove(Removal::of_marks(marks)).await.map(drop) }
    }
}

impl<P: Provider + ?Sized> ProviderExt for P {}

async fn read_single<P: Provider + ?Sized>(provider: &P, lookup: Lookup<'_>) -> Result<Observed> {
    let mut answers = provider.read(&[lookup]).await?;
    match (answers.pop(), answers.is_empty()) {
        (Some(answer), true) => Ok(answer),
        // A provider that breaks the contract must not become a panic in somebody's service.
        (found, _) => Err(Error::new(
            ErrorKind::Codec,
            "read",
            format!(
                "the provider gave {} answers to one lookup",
                answers.len() + usize::from(found.is_some())
            ),
        )),
    }
}
