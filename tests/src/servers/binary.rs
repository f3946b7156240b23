//! Where the server programs lie, and what to do where they are missing.

use std::path::{Path, PathBuf};

/// The two kinds of servers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// `redis-server` from the search path.
    Redis,
    /// Valkey 9, as `tests/set-up.sh` installs it below the target folder.
    Valkey,
}

impl Kind {
    /// The program.
    ///
    /// # Panics
    ///
    /// If it is not installed; the message says how to install it.
    #[must_use]
    pub fn program(self) -> PathBuf {
        self.find().unwrap_or_else(|| {
            panic!(
                "there is no {self:?} server, and a test without its server fails: run \
                 `source tests/set-up.sh && install_servers target` in the repository"
            )
        })
    }

    fn find(self) -> Option<PathBuf> {
        match self {
            Kind::Redis => {
                let path = std::env::var_os("PATH")?;
                std::env::split_paths(&path)
                    .map(|folder| folder.join("redis-server"))
                    .find(|program| program.is_file())
            }
            Kind::Valkey => targets()
                .map(|target| target.join("valkey/valkey-server"))
                .find(|program| program.is_file()),
        }
    }
}

/// The target folder in use, and the usual one.
fn targets() -> impl Iterator<Item = PathBuf> {
    let repository = Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("tests/ is in it");
    let named = std::env::var_os("CARGO_TARGET_DIR").map(|folder| repository.join(folder));
    named.into_iter().chain([repository.join("target")])
}
