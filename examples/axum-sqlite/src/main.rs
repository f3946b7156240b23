//! An HTTP service on an embedded SQLite database whose reads are served from the cache.
//!
//! ```text
//! cargo run -p axum-sqlite -- --listen 127.0.0.1:3000 --database catalogue.db
//! ```
//!
//! | request | answer |
//! |---|---|
//! | `GET /packages/{name}` | a package |
//! | `GET /packages?licence=MIT` | all packages under one licence |
//! | `GET /packages/{name}/dependents` | the names of the packages that need it |
//! | `PUT /packages/{name}/note` | keeps the body as a note on the package |
//! | `DELETE /api/cache/packages/{name}` | forgets what is cached of one package |
//! | `DELETE /api/cache/tags/{tag}` | forgets everything with a tag |
//! | `GET /api/cache/stats` | statistics of the cache |
//!
//! An empty database is filled with the packages of this workspace, as `cargo metadata` tells
//! them. `SIGTERM` and Ctrl-C end the service after the requests that are under way.

mod catalogue;
mod database;
mod import;
mod routes;

use std::env;
use std::error::Error;
use std::path::PathBuf;

use tokio::net::TcpListener;

use crate::catalogue::Catalogue;
use crate::database::Database;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let options = Options::from_args(env::args().skip(1))?;
    cache_runtime::logging::init();
    cache_runtime::init().await?;

    let database = Database::open(&options.database)?;
    if database.is_empty().await? {
        database.fill(import::workspace_packages().await?).await?;
    }
    let listener = TcpListener::bind(&options.listen).await?;
    let stop = asked_to_stop()?;
    // Whoever started the service with port 0 reads the port here.
    println!("listening on http://{}", listener.local_addr()?);
    axum::serve(listener, routes::router(Catalogue::new(database)))
        .with_graceful_shutdown(stop)
        .await?;
    // Invalidations that a store has not acknowledged yet.
    cache_runtime::cache().shutdown().await?;
    println!("stopped");
    Ok(())
}

struct Options {
    listen: String,
    database: PathBuf,
}

impl Options {
    fn from_args(mut args: impl Iterator<Item = String>) -> Result<Self, String> {
        let mut options =
            Self { listen: "127.0.0.1:3000".to_owned(), database: "catalogue.db".into() };
        while let Some(name) = args.next() {
            let value = args.next().ok_or_else(|| format!("`{name}` needs a value"))?;
            match name.as_str() {
                "--listen" => options.listen = value,
                "--database" => options.database = value.into(),
                _ => {
                    return Err(format!(
                        "unknown option `{name}`; there are `--listen` and `--database`"
                    ));
                }
            }
        }
        Ok(options)
    }
}

/// Returns when the process is asked to stop.
///
/// The signal is listened for from the call on, not from the first poll: whoever reads that the
/// service is listening may stop it at once.
fn asked_to_stop() -> std::io::Result<impl Future<Output = ()>> {
    #[cfg(unix)]
    let terminated = {
        use tokio::signal::unix::{SignalKind, signal};
        let mut signals = signal(SignalKind::terminate())?;
        async move {
            signals.recv().await;
        }
    };
    #[cfg(not(unix))]
    let terminated = std::future::pending::<()>();
    Ok(async move {
        tokio::select! {
            _ = tokio::signal::ctrl_c() => {}
            () = terminated => {}
        }
    })
}
