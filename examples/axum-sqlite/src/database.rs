//! The SQLite database. It knows nothing of the cache.

use std::fmt;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use rusqlite::{Connection, OptionalExtension, Row, params};

use crate::catalogue::Package;

const SCHEMA: &str = "
    CREATE TABLE IF NOT EXISTS package (
        name TEXT PRIMARY KEY, version TEXT NOT NULL, licence TEXT NOT NULL, note TEXT
    );
    CREATE TABLE IF NOT EXISTS dependency (
        package TEXT NOT NULL, needs TEXT NOT NULL, PRIMARY KEY (package, needs)
    );
    CREATE INDEX IF NOT EXISTS package_by_licence ON package (licence);
    CREATE INDEX IF NOT EXISTS dependency_by_need ON dependency (needs);
";

const PACKAGE_COLUMNS: &str = "name, version, licence, note, \
    (SELECT group_concat(needs, ' ') FROM dependency WHERE package = name)";

/// Why the database did not answer.
#[derive(Debug)]
pub(crate) enum DatabaseError {
    /// There is no package of this name.
    UnknownPackage(String),
    /// SQLite refused.
    Sqlite(rusqlite::Error),
}

/// One connection, used by one query at a time, off the async threads.
#[derive(Clone)]
pub(crate) struct Database {
    connection: Arc<Mutex<Connection>>,
}

impl Database {
    pub(crate) fn open(file: &Path) -> Result<Self, DatabaseError> {
        let connection = Connection::open(file)?;
        connection.execute_batch(SCHEMA)?;
        Ok(Self { connection: Arc::new(Mutex::new(connection)) })
    }

    pub(crate) async fn is_empty(&self) -> Result<bool, DatabaseError> {
        let found = |connection: &mut Connection| {
            connection.query_row("SELECT NOT EXISTS (SELECT 1 FROM package)", [], |row| row.get(0))
        };
        self.run(found).await
    }

    pub(crate) async fn fill(&self, packages: Vec<Package>) -> Result<(), DatabaseError> {
        self.run(move |connection| {
            let transaction = connection.transaction()?;
            for Package { name, version, licence, dependencies, note } in &packages {
                let row = params![name, version, licence, note];
                transaction.execute("INSERT OR REPLACE INTO package VALUES (?, ?, ?, ?)", row)?;
                for needs in dependencies {
                    let row = params![name, needs];
                    transaction.execute("INSERT OR IGNORE INTO dependency VALUES (?, ?)", row)?;
                }
            }
            transaction.commit()
        })
        .await
    }

    pub(crate) async fn package(&self, name: &str) -> Result<Option<Package>, DatabaseError> {
        let name = name.to_owned();
        self.run(move |connection| find_package(connection, &name)).await
    }

    pub(crate) async fn packages_by_licence(
        &self,
        licence: &str,
    ) -> Result<Vec<Package>, DatabaseError> {
        let licence = licence.to_owned();
        self.run(move |connection| {
            let query =
                format!("SELECT {PACKAGE_COLUMNS} FROM package WHERE licence = ? ORDER BY name");
            connection.prepare_cached(&query)?.query_map([licence], read_package)?.collect()
        })
        .await
    }

    pub(crate) async fn dependents(&self, name: &str) -> Result<Vec<String>, DatabaseError> {
        let name = name.to_owned();
        self.run(move |connection| {
            let mut query = connection.prepare_cached(
                "SELECT package FROM dependency WHERE needs = ? ORDER BY package",
            )?;
            query.query_map([name], |row| row.get(0))?.collect()
        })
        .await
    }

    pub(crate) async fn write_note(
        &self,
        name: &str,
        note: &str,
    ) -> Result<Package, DatabaseError> {
        let row = (name.to_owned(), note.to_owned());
        let written = self.run(move |connection| {
            let (name, note) = row;
            connection.execute("UPDATE package SET note = ? WHERE name = ?", [&note, &name])?;
            find_package(connection, &name)
        });
        written.await?.ok_or_else(|| DatabaseError::UnknownPackage(name.to_owned()))
    }

    async fn run<T: Send + 'static>(
        &self,
        query: impl FnOnce(&mut Connection) -> rusqlite::Result<T> + Send + 'static,
    ) -> Result<T, DatabaseError> {
        let connection = Arc::clone(&self.connection);
        let run = move || query(&mut connection.lock().unwrap_or_else(PoisonError::into_inner));
        match tokio::task::spawn_blocking(run).await {
            Ok(answer) => Ok(answer?),
            Err(stopped) => std::panic::resume_unwind(stopped.into_panic()),
        }
    }
}

fn find_package(connection: &Connection, name: &str) -> rusqlite::Result<Option<Package>> {
    let query = format!("SELECT {PACKAGE_COLUMNS} FROM package WHERE name = ?");
    connection.prepare_cached(&query)?.query_row([name], read_package).optional()
}

fn read_package(row: &Row<'_>) -> rusqlite::Result<Package> {
    let dependencies: Option<String> = row.get(4)?;
    Ok(Package {
        name: row.get(0)?,
        version: row.get(1)?,
        licence: row.get(2)?,
        note: row.get(3)?,
        dependencies: dependencies
            .unwrap_or_default()
            .split_whitespace()
            .map(str::to_owned)
            .collect(),
    })
}

impl From<rusqlite::Error> for DatabaseError {
    fn from(error: rusqlite::Error) -> Self {
        Self::Sqlite(error)
    }
}

impl fmt::Display for DatabaseError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::UnknownPackage(name) => write!(formatter, "no package is called `{name}`"),
            Self::Sqlite(error) => write!(formatter, "the database refused: {error}"),
        }
    }
}

impl std::error::Error for DatabaseError {}
