//! A writer that dies between its commit and its invalidation, and what a write guard makes of that.
//!
//! ```text
//! export CACHE_PROVIDER=redis REDIS_URL=redis://127.0.0.1/
//! cargo run -p write-guard -- prices.db write tea 3
//! cargo run -p write-guard -- prices.db read tea              # 3, and cached from now on
//! cargo run -p write-guard -- prices.db write tea 4 --crash   # dies after the commit
//! cargo run -p write-guard -- prices.db read tea              # still 3, for up to an hour
//!
//! cargo run -p write-guard -- prices.db write tea 5 --guard
//! cargo run -p write-guard -- prices.db read tea              # 5
//! cargo run -p write-guard -- prices.db write tea 6 --guard --crash
//! cargo run -p write-guard -- prices.db read tea              # 6
//! ```

use std::error::Error;
use std::path::Path;
use std::time::Duration;

use cache_runtime::{cache, cached};
use rusqlite::{Connection, OptionalExtension, params};

/// The commit comes within this time after the guard was taken. If the writer dies, prices are not
/// cached for the rest of it, and nobody is served an old one.
const COMMITTED_WITHIN: Duration = Duration::from_secs(2);

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let (flags, words): (Vec<&str>, Vec<&str>) =
        words.iter().map(String::as_str).partition(|word| word.starts_with("--"));
    cache_runtime::logging::init();
    cache_runtime::init().await?;
    match *words {
        [database, "read", name] => match price(Path::new(database), name).await? {
            Some(cents) => println!("{cents}"),
            None => println!("no price"),
        },
        [database, "write", name, cents] => {
            let write = Write { database: Path::new(database), name, cents: cents.parse()? };
            let crashes = flags.contains(&"--crash");
            match flags.contains(&"--guard") {
                true => write.guarded(crashes).await?,
                false => write.unguarded(crashes).await?,
            }
        }
        _ => {
            return Err(
                "DATABASE read NAME, or DATABASE write NAME CENTS [--guard] [--crash]".into()
            );
        }
    }
    cache().shutdown().await?;
    Ok(())
}

/// A price, from the cache where it is there.
#[cached(key = "price:<name>", ttl = "1h", tags = ["prices"], skip = (database))]
async fn price(database: &Path, name: &str) -> rusqlite::Result<Option<i64>> {
    let question = "SELECT cents FROM prices WHERE name = ?1";
    open(database)?.query_row(question, [name], |row| row.get(0)).optional()
}

struct Write<'a> {
    database: &'a Path,
    name: &'a str,
    cents: i64,
}

impl Write<'_> {
    /// Commits, and then invalidates.
    async fn unguarded(&self, crashes: bool) -> Result<(), Box<dyn Error>> {
        self.commit()?;
        if crashes {
            std::process::abort();
        }
        price::invalidate(self.name).await?;
        Ok(())
    }

    /// Holds the prices, commits, and then invalidates them.
    async fn guarded(&self, crashes: bool) -> Result<(), Box<dyn Error>> {
        let guard = cache().invalidate_tag("prices").guard(COMMITTED_WITHIN).await?;
        self.commit()?;
        if crashes {
            std::process::abort();
        }
        guard.finish().await?;
        Ok(())
    }

    fn commit(&self) -> rusqlite::Result<()> {
        let mut connection = open(self.database)?;
        let transaction = connection.transaction()?;
        transaction.execute(
            "INSERT INTO prices (name, cents) VALUES (?1, ?2) \
             ON CONFLICT (name) DO UPDATE SET cents = ?2",
            params![self.name, self.cents],
        )?;
        transaction.commit()
    }
}

fn open(database: &Path) -> rusqlite::Result<Connection> {
    let connection = Connection::open(database)?;
    connection.execute_batch(
        "CREATE TABLE IF NOT EXISTS prices (name TEXT PRIMARY KEY, cents INTEGER NOT NULL)",
    )?;
    Ok(connection)
}
