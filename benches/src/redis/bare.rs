//! The bare client: what one would write by hand on a shared connection.

use redis::aio::MultiplexedConnection;
use redis::{Cmd, cmd};

use super::ours::{self, NAMESPACE};
use super::profile::{Profile, profile, stored, team_of};
use super::server::{last_command, note_commands};

/// Where the entries that our functions stored lie, and how to read them without us.
#[derive(Clone, Copy, Debug)]
pub struct Layout {
    /// The physical name of the function's own mark.
    scope: &'static str,
    /// How many tags an entry has: 0, 1 or 3.
    tags: usize,
    /// Where the JSON begins in each cell.
    json: &'static [u16],
}

impl Layout {
    /// Looks at what a function sends for a hit, and at what it has stored.
    ///
    /// # Errors
    ///
    /// Where it sends something else than is assumed, or a cell holds no profile.
    pub async fn learn(
        connection: &mut MultiplexedConnection,
        tags: usize,
    ) -> Result<Self, String> {
        const SAMPLE: u64 = 4_242;
        note_commands(connection, true).await?;
        call(tags, SAMPLE).await?;
        let words = last_command(connection, "MGET").await?;
        note_commands(connection, false).await?;
        let of_scope = format!("{NAMESPACE}:s:");
        let scope = words.iter().find(|word| word.starts_with(&of_scope));
        let scope = scope.ok_or_else(|| format!("no mark of the function in {words:?}"))?;
        let mut layout = Self { scope: scope.clone().leak(), tags, json: &[] };
        let ours: Vec<u8> = words.join(" ").into_bytes();
        if ours != layout.command(SAMPLE).args_iter().map(plain).collect::<Vec<_>>().join(&b' ') {
            return Err(format!("a hit sends another command than the bare client: {words:?}"));
        }
        layout.json = layout.places(connection).await?.leak();
        Ok(layout)
    }

    async fn places(&self, connection: &mut MultiplexedConnection) -> Result<Vec<u16>, String> {
        let mut places = Vec::new();
        for id in stored() {
            let cell = get(connection, &self.cell(id)).await?;
            let json = serde_json::to_vec(&profile(id)).map_err(|error| error.to_string())?;
            let head = cell.strip_suffix(json.as_slice());
            let head = head.ok_or_else(|| format!("{} ends with no profile", self.cell(id)))?;
            places.push(head.len() as u16);
        }
        Ok(places)
    }

    fn cell(&self, id: u64) -> String {
        match self.tags {
            0 => format!("{NAMESPACE}:k:plain:{id}"),
            1 => format!("{NAMESPACE}:k:one:{id}"),
            _ => format!("{NAMESPACE}:k:three:{id}:{}", team_of(id)),
        }
    }

    /// The command that our function's hit sends.
    fn command(&self, id: u64) -> Cmd {
        let mut command = cmd("MGET");
        command.arg(self.cell(id)).arg(self.scope);
        if self.tags > 0 {
            command.arg(format!("{NAMESPACE}:t:profiles"));
        }
        if self.tags > 1 {
            command.arg(format!("{NAMESPACE}:t:team:{}", team_of(id)));
            command.arg(format!("{NAMESPACE}:t:profile:{id}"));
        }
        command
    }

    /// Reads an entry with its marks, and decodes it.
    ///
    /// # Errors
    ///
    /// Where the client fails, or the value is another one.
    pub async fn mget(self, mut connection: MultiplexedConnection, id: u64) -> Result<(), String> {
        let command = self.command(id);
        let values: Result<Vec<Option<Vec<u8>>>, _> = command.query_async(&mut connection).await;
        let values = values.map_err(|error| error.to_string())?;
        if values.iter().any(Option::is_none) {
            return Err(format!("something of {} is gone", self.cell(id)));
        }
        self.decode(values.first().and_then(Option::as_deref).unwrap_or_default(), id)
    }

    /// Reads an entry alone, as if there were no marks, and decodes it.
    ///
    /// # Errors
    ///
    /// As [`mget`](Self::mget).
    pub async fn get(self, mut connection: MultiplexedConnection, id: u64) -> Result<(), String> {
        let cell = get(&mut connection, &self.cell(id)).await?;
        self.decode(&cell, id)
    }

    fn decode(&self, cell: &[u8], id: u64) -> Result<(), String> {
        let json = cell.get(usize::from(self.json[id as usize])..).unwrap_or_default();
        decode(json, id)
    }
}

fn plain(word: redis::Arg<&[u8]>) -> Vec<u8> {
    match word {
        redis::Arg::Simple(word) => word.to_vec(),
        _ => Vec::new(),
    }
}

/// Calls the annotated function with so many tags.
async fn call(tags: usize, id: u64) -> Result<(), String> {
    let Ok(found) = match tags {
        0 => ours::untagged(id).await,
        1 => ours::with_one_tag(id).await,
        _ => ours::with_three_tags(id, team_of(id)).await,
    };
    right(&found, id)
}

/// Whether this is the profile that was asked for.
///
/// # Errors
///
/// Where it is another one.
pub fn right(found: &Profile, id: u64) -> Result<(), String> {
    match found.id == id {
        true => Ok(()),
        false => Err(format!("asked for profile {id}, got {}", found.id)),
    }
}

fn decode(json: &[u8], id: u64) -> Result<(), String> {
    let found: Profile = serde_json::from_slice(json).map_err(|error| error.to_string())?;
    right(&found, id)
}

/// The bytes under a name.
///
/// # Errors
///
/// Where there are none.
pub async fn get(connection: &mut MultiplexedConnection, name: &str) -> Result<Vec<u8>, String> {
    let found: Result<Option<Vec<u8>>, _> = cmd("GET").arg(name).query_async(connection).await;
    found.map_err(|error| error.to_string())?.ok_or_else(|| format!("nothing lies under {name}"))
}

/// Stores the JSON of a profile, and nothing else.
///
/// # Errors
///
/// Where the client fails.
pub async fn set_plain(connection: &mut MultiplexedConnection, id: u64) -> Result<(), String> {
    let json = serde_json::to_vec(&profile(id)).map_err(|error| error.to_string())?;
    let mut command = cmd("SET");
    command.arg(format!("json:{id}")).arg(json).arg("EX").arg(86_400);
    command.query_async::<()>(connection).await.map_err(|error| error.to_string())
}

/// Reads such a profile; false if it is not there.
///
/// # Errors
///
/// Where the client fails, or the value is another one.
pub async fn get_plain(connection: &mut MultiplexedConnection, id: u64) -> Result<bool, String> {
    let name = format!("json:{id}");
    let found: Result<Option<Vec<u8>>, _> = cmd("GET").arg(name).query_async(connection).await;
    match found.map_err(|error| error.to_string())? {
        Some(json) => decode(&json, id).map(|()| true),
        None => Ok(false),
    }
}
