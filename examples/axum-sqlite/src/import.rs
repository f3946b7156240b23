//! Where the first data comes from.

use std::env;
use std::io;
use std::process::{Output, Stdio};

use serde::Deserialize;
use tokio::process::Command;

use crate::catalogue::Package;

/// The packages of this workspace and of everything that it needs on this platform, as
/// `cargo metadata` tells them. Where a name has several versions, the newest comes last.
pub(crate) async fn workspace_packages() -> io::Result<Vec<Package>> {
    let version = ask_cargo(&["-vV"]).await?;
    let version = String::from_utf8_lossy(&version.stdout);
    let host = version.lines().find_map(|line| line.strip_prefix("host: ")).unwrap_or_default();
    let everything = ["metadata", "--format-version", "1", "--locked", "--filter-platform", host];
    let output = ask_cargo(&everything).await?;
    if !output.status.success() {
        return Err(io::Error::other(String::from_utf8_lossy(&output.stderr).trim().to_owned()));
    }
    let metadata: Metadata = serde_json::from_slice(&output.stdout).map_err(io::Error::other)?;
    Ok(metadata.packages.into_iter().map(Package::from).collect())
}

#[derive(Deserialize)]
struct Metadata {
    packages: Vec<Described>,
}

#[derive(Deserialize)]
struct Described {
    name: String,
    version: String,
    license: Option<String>,
    dependencies: Vec<Dependency>,
}

#[derive(Deserialize)]
struct Dependency {
    name: String,
}

impl From<Described> for Package {
    fn from(described: Described) -> Self {
        Self {
            name: described.name,
            version: described.version,
            licence: described.license.unwrap_or_else(|| "none".to_owned()),
            dependencies: described
                .dependencies
                .into_iter()
                .map(|dependency| dependency.name)
                .collect(),
            note: None,
        }
    }
}

async fn ask_cargo(arguments: &[&str]) -> io::Result<Output> {
    let folder =
        env::var_os("CARGO_MANIFEST_DIR").unwrap_or_else(|| env!("CARGO_MANIFEST_DIR").into());
    Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
        .args(arguments)
        .current_dir(folder)
        .stdin(Stdio::null())
        .output()
        .await
}
