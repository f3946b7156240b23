//! The service: methods that read from the cache, and one that writes and says what it changed.

use cache_runtime::{cached, invalidates};
use serde::{Deserialize, Serialize};

use crate::database::{Database, DatabaseError};

/// A package, as the service hands it out.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Package {
    pub(crate) name: String,
    pub(crate) version: String,
    pub(crate) licence: String,
    pub(crate) dependencies: Vec<String>,
    pub(crate) note: Option<String>,
}

/// The catalogue of packages. Clones share one database.
#[derive(Clone)]
pub(crate) struct Catalogue {
    database: Database,
}

impl Catalogue {
    pub(crate) fn new(database: Database) -> Self {
        Self { database }
    }

    /// A package by its name; a name that does not exist is remembered for half a minute.
    #[cached(key = "package:<name>", ttl = "10m", none_ttl = "30s")]
    pub(crate) async fn package(&self, name: &str) -> Result<Option<Package>, DatabaseError> {
        self.database.package(name).await
    }

    /// All packages under one licence.
    #[cached(key = "packages:by-licence:<licence>", ttl = "10m", tags = ["licence:<licence>"])]
    pub(crate) async fn packages_by_licence(
        &self,
        licence: &str,
    ) -> Result<Vec<Package>, DatabaseError> {
        self.database.packages_by_licence(licence).await
    }

    /// The names of the packages that need this one.
    #[cached(key = "package:<name>:dependents", ttl = "10m")]
    pub(crate) async fn dependents(&self, name: &str) -> Result<Vec<String>, DatabaseError> {
        self.database.dependents(name).await
    }

    /// Keeps a note. No read that starts after this has returned sees the package without it.
    #[invalidates(self.package(name), tags = ["licence:<result.licence>"])]
    pub(crate) async fn write_note(
        &self,
        name: &str,
        note: &str,
    ) -> Result<Package, DatabaseError> {
        self.database.write_note(name, note).await
    }
}
