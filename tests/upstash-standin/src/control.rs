//! `/__control`: what the handle does in Rust, over HTTP for other programs.

use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::extract::Extension;
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderValue, Method, Response, StatusCode};
use serde::Deserialize;
use serde_json::{Value as Json, json};

use crate::faults::Fault;
use crate::replica::Lag;
use crate::state::{Counts, State};

/// What can be asked for; what is left out stays as it is.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Change {
    /// The faults from now on.
    faults: Option<Vec<Fault>>,
    /// Milliseconds by which reads lag, `"none"` or `"paused"`.
    lag: Option<Json>,
    /// Commands that are answered with NOPERM from now on.
    #[serde(default)]
    refuse: Vec<String>,
    /// Commands that are answered again.
    #[serde(default)]
    allow: Vec<String>,
    /// Whether to start counting anew.
    #[serde(default)]
    reset_counts: bool,
}

pub(crate) async fn answer(
    Extension(state): Extension<Arc<State>>,
    method: Method,
    body: Bytes,
) -> Response<Body> {
    let changed = if method == Method::POST { change(&state, &body) } else { Ok(()) };
    let (status, body) = match changed {
        Ok(()) => (StatusCode::OK, describe(&state)),
        Err(message) => (StatusCode::BAD_REQUEST, json!({ "error": message })),
    };
    let mut response = Response::new(Body::from(body.to_string()));
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}

fn change(state: &State, body: &[u8]) -> Result<(), String> {
    let change: Change = serde_json::from_slice(body).map_err(|error| error.to_string())?;
    if let Some(lag) = change.lag {
        set_lag(state, lag_of(&lag)?)?;
    }
    if let Some(faults) = change.faults {
        state.change_faults(|active| active.set(faults));
    }
    change.refuse.iter().for_each(|command| state.backend.refuse(command, true));
    change.allow.iter().for_each(|command| state.backend.refuse(command, false));
    if change.reset_counts {
        *state.counts() = Counts::default();
        state.log().clear();
    }
    Ok(())
}

/// Lets reads lag from now on; an error where there is no replica to read from.
pub(crate) fn set_lag(state: &State, lag: Lag) -> Result<(), String> {
    match &state.replica {
        Some(replica) => replica.set_lag(lag),
        None if lag == Lag::None => {}
        None => return Err("there is no replica: start the stand-in with one".to_owned()),
    }
    Ok(())
}

fn lag_of(json: &Json) -> Result<Lag, String> {
    match (json.as_u64(), json.as_str()) {
        (Some(millis), _) => Ok(Lag::By(Duration::from_millis(millis))),
        (_, Some("none")) => Ok(Lag::None),
        (_, Some("paused")) => Ok(Lag::Paused),
        _ => Err("`lag` is a number of milliseconds, \"none\" or \"paused\"".to_owned()),
    }
}

fn describe(state: &State) -> Json {
    json!({
        "counts": &*state.counts(),
        "faults": state.change_faults(|active| active.list()),
        "lag": format!("{:?}", state.lag()),
        "log": &*state.log(),
    })
}
