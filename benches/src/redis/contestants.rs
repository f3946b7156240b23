//! Who is compared.

use std::pin::Pin;

use cache_runtime::Cache;
use redis::aio::MultiplexedConnection;

use super::bare::{self, Layout, right};
use super::ours::{self, NAMESPACE};
use super::peer;
use super::profile::{stored, team_of};
use super::server::{Server, Settings};
use super::spin::{Sample, spin};

type Running = Pin<Box<dyn Future<Output = Result<Sample, String>>>>;
type Run = Box<dyn Fn(usize, &'static [u32]) -> Running>;

/// One row of the tables.
pub struct Contestant {
    /// The short name.
    pub id: &'static str,
    /// Who it is.
    pub label: &'static str,
    run: Run,
}

impl std::fmt::Debug for Contestant {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Contestant").field("id", &self.id).finish_non_exhaustive()
    }
}

impl Contestant {
    fn new<C, F>(id: &'static str, label: &'static str, call: C) -> Self
    where
        C: Fn(u64) -> F + Clone + Send + 'static,
        F: Future<Output = Result<(), String>> + Send + 'static,
    {
        let run: Run = Box::new(move |tasks, steps| {
            let call = call.clone();
            Box::pin(spin(tasks, steps, move |step| call(u64::from(step))))
        });
        Self { id, label, run }
    }

    /// Hits in so many tasks at once.
    ///
    /// # Errors
    ///
    /// Where a hit fails.
    pub async fn run(&self, tasks: usize, steps: &'static [u32]) -> Result<Sample, String> {
        (self.run)(tasks, steps).await.map_err(|error| format!("{}: {error}", self.id))
    }
}

/// Ours with 0, 1 and 3 tags.
pub const OURS: [&str; 3] = ["ours-0", "ours-1", "ours-3"];

/// The bare client with the same commands.
pub const SAME: [&str; 3] = ["bare-mget-2", "bare-mget-3", "bare-mget-5"];

/// The bare client with our untagged entry, and without the function's mark.
pub const WITHOUT_MARK: &str = "bare-get-cell";

/// The first of these with the client's default settings.
pub const DEFAULT: &str = "bare-mget-2-default";

/// The bare client's plain `GET`.
pub const PLAIN: &str = "bare-get";

/// The crate `cached`.
pub const PEER: &str = "cached";

/// Installs a cache on the server, stores all entries there, and returns who reads them.
///
/// # Errors
///
/// Where something cannot be stored, or our functions send other commands than is assumed.
pub async fn prepare(server: &Server, cache: Cache) -> Result<Vec<Contestant>, String> {
    cache_runtime::install(cache);
    peer::install(server.url());
    let mut connection = server.connect(Settings::Ours).await?;
    for id in stored() {
        let Ok(_) = ours::untagged(id).await;
        let Ok(_) = ours::with_one_tag(id).await;
        let Ok(_) = ours::with_three_tags(id, team_of(id)).await;
        peer::by_number(id).await?;
        bare::set_plain(&mut connection, id).await?;
    }
    let (mut all, mut ours) = (Vec::new(), our_rows().into_iter());
    for ((tags, id), label) in [0, 1, 3].into_iter().zip(SAME).zip([
        "bare client, the same `MGET` of 2",
        "bare client, the same `MGET` of 3",
        "bare client, the same `MGET` of 5",
    ]) {
        let layout = Layout::learn(&mut connection, tags).await?;
        let shared = server.connect(Settings::Ours).await?;
        // Whoever is compared stands side by side.
        all.extend(ours.next());
        let same = shared.clone();
        all.push(Contestant::new(id, label, move |id| layout.mget(same.clone(), id)));
        if tags == 0 {
            let defaults = server.connect(Settings::Defaults).await?;
            let label = "the same `MGET` of 2, with the client's default settings";
            let get = move |id| layout.mget(defaults.clone(), id);
            all.push(Contestant::new(DEFAULT, label, get));
            let label = "bare client, `GET` of our untagged entry";
            let get = move |id| layout.get(shared.clone(), id);
            all.push(Contestant::new(WITHOUT_MARK, label, get));
        }
    }
    let get = |shared: MultiplexedConnection| {
        move |id| {
            let mut shared = shared.clone();
            async move {
                match bare::get_plain(&mut shared, id).await? {
                    true => Ok(()),
                    false => Err(format!("json:{id} is gone")),
                }
            }
        }
    };
    let (ours, defaults) =
        (server.connect(Settings::Ours).await?, server.connect(Settings::Defaults).await?);
    all.push(Contestant::new(PLAIN, "bare client, plain `GET` and JSON", get(ours)));
    let label = "the same with the client's default settings";
    all.push(Contestant::new("bare-get-default", label, get(defaults)));
    all.push(Contestant::new(PEER, "`cached` 4.1, `AsyncRedisCache`", |id| async move {
        right(&peer::by_number(id).await?, id)
    }));
    Ok(all)
}

fn our_rows() -> Vec<Contestant> {
    let [none, one, three] = OURS;
    vec![
        Contestant::new(none, "**ours**, no tag", |id| async move {
            let Ok(found) = ours::untagged(id).await;
            right(&found, id)
        }),
        Contestant::new(one, "**ours**, one tag", |id| async move {
            let Ok(found) = ours::with_one_tag(id).await;
            right(&found, id)
        }),
        Contestant::new(three, "**ours**, three tags", |id| async move {
            let Ok(found) = ours::with_three_tags(id, team_of(id)).await;
            right(&found, id)
        }),
    ]
}

/// A cache of ours on the server. Its budget is so long that no hit is given up.
///
/// # Errors
///
/// Where the configuration makes no cache.
pub async fn cache_on(server: &Server) -> Result<Cache, String> {
    let builder = Cache::builder().redis(server.url()).namespace(NAMESPACE);
    let built = builder.timeout(std::time::Duration::from_secs(10)).build().await;
    built.map_err(|error| error.to_string())
}
