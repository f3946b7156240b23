//! From a request to its answer.

use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::extract::Extension;
use axum::http::header::{AUTHORIZATION, CONTENT_LENGTH, CONTENT_TYPE, RETRY_AFTER};
use axum::http::{HeaderMap, Method, Request as HttpRequest, Response, StatusCode, Uri, Version};
use futures_util::{StreamExt, stream};
use serde_json::json;

use crate::command::{self, Request};
use crate::connection::Plug;
use crate::faults::{FaultKind, Plan};
use crate::reply::Encoding;
use crate::run::{Ran, run};
use crate::state::{Logged, State};
use crate::subscribe;

pub(crate) const SYNC_TOKEN: &str = "upstash-sync-token";

/// What a refused request is answered with.
#[derive(Debug)]
pub(crate) struct Refused {
    status: StatusCode,
    message: String,
}

impl Refused {
    pub(crate) fn new(status: StatusCode, message: impl Into<String>) -> Self {
        Self { status, message: message.into() }
    }
}

/// How the client wants its answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Format {
    Json(Encoding),
    Resp2,
}

/// A request whose token and size are in order.
struct Admitted {
    request: Request,
    format: Format,
    reads_only: bool,
}

pub(crate) async fn answer(
    Extension(state): Extension<Arc<State>>,
    Extension(plug): Extension<Plug>,
    request: HttpRequest<Body>,
) -> Response<Body> {
    let (head, body) = request.into_parts();
    let sync_token = text(&head.headers, SYNC_TOKEN).filter(|token| !token.is_empty());
    let logged = Logged {
        path: head.uri.path().to_owned(),
        commands: Vec::new(),
        sync_token: sync_token.map(str::to_owned),
        base64: text(&head.headers, "upstash-encoding") == Some("base64"),
        http2: head.version == Version::HTTP_2,
    };
    let asked: Option<u64> = sync_token.and_then(|token| token.parse().ok());
    let admitted = admit(&state, &head.method, &head.uri, &head.headers, body, logged).await;
    let response = match admitted {
        Ok(admitted) => carry_out(&state, &plug, &admitted, asked).await,
        Err(refused) => refusal(&refused),
    };
    *state.counts().by_status.entry(response.status().as_u16()).or_default() += 1;
    response
}

async fn admit(
    state: &State,
    method: &Method,
    uri: &Uri,
    headers: &HeaderMap,
    body: Body,
    mut logged: Logged,
) -> Result<Admitted, Refused> {
    // More than the limit is read, so that the client can finish sending and see the refusal.
    let body = axum::body::to_bytes(body, state.limits.request.saturating_mul(4)).await;
    let body = body.map_err(|error| Refused::new(StatusCode::BAD_REQUEST, error.to_string()))?;
    let parsed = command::parse(method, uri, &body);
    if let Ok(request) = &parsed {
        logged.commands = request.commands().iter().map(|command| command::name(command)).collect();
    }
    state.count(parsed.as_ref().ok(), logged);

    if ![Method::GET, Method::HEAD, Method::POST, Method::PUT].contains(method) {
        let message = "ERR http method is not allowed";
        return Err(Refused::new(StatusCode::METHOD_NOT_ALLOWED, message));
    }
    let may_write = authorise(state, uri, headers)?;
    let format = format(headers)?;
    if body.len() > state.limits.request {
        let limit = state.limits.request;
        let sizes = format!("Limit: {limit} bytes, Actual: {} bytes", body.len());
        let message = format!("ERR max request size exceeded. {sizes}");
        return Err(Refused::new(StatusCode::PAYLOAD_TOO_LARGE, message));
    }
    let request = parsed.map_err(|message| Refused::new(StatusCode::BAD_REQUEST, message))?;
    let mut commands = request.commands().iter();
    let reads_only = commands.all(|command| state.backend.reads_only(command));
    if !reads_only && !may_write {
        let writes = request.commands().iter().find(|command| !state.backend.reads_only(command));
        let name = writes.map(|command| command::name(command).to_lowercase()).unwrap_or_default();
        let message = format!("NOPERM this user has no permissions to run the '{name}' command");
        return Err(Refused::new(StatusCode::FORBIDDEN, message));
    }
    Ok(Admitted { request, format, reads_only })
}

/// Whether the token may write; an error if it is none of ours.
fn authorise(state: &State, uri: &Uri, headers: &HeaderMap) -> Result<bool, Refused> {
    let in_header = text(headers, AUTHORIZATION.as_str())
        .and_then(|value| value.strip_prefix("Bearer "))
        .map(|token| token.as_bytes().to_vec());
    let in_query =
        || command::query(uri).find_map(|(name, value)| (name == b"_token").then_some(value));
    match in_header.or_else(in_query) {
        Some(token) if token == state.token.as_bytes() => Ok(true),
        Some(token) if token == state.read_only_token.as_bytes() => Ok(false),
        _ => {
            let message = "WRONGPASS invalid or missing auth token";
            Err(Refused::new(StatusCode::UNAUTHORIZED, message))
        }
    }
}

fn format(headers: &HeaderMap) -> Result<Format, Refused> {
    let base64 = text(headers, "upstash-encoding") == Some("base64");
    match text(headers, "upstash-response-format") {
        None | Some("json") if base64 => Ok(Format::Json(Encoding::Base64)),
        None | Some("json") => Ok(Format::Json(Encoding::Text)),
        Some("resp2") if !base64 => Ok(Format::Resp2),
        Some("resp2") => {
            let message = "ERR base64 encoding is not allowed with the response format resp2";
            Err(Refused::new(StatusCode::BAD_REQUEST, message))
        }
        Some(_) => {
            let message = "ERR the response format must be json or resp2";
            Err(Refused::new(StatusCode::BAD_REQUEST, message))
        }
    }
}

fn text<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name)?.to_str().ok()
}

/// Runs what was admitted, and lets go wrong what shall go wrong.
async fn carry_out(
    state: &Arc<State>,
    plug: &Plug,
    admitted: &Admitted,
    asked: Option<u64>,
) -> Response<Body> {
    let Plan { before, after, end } = state.plan(admitted.reads_only);
    pause(before).await;
    match &end {
        Some(FaultKind::Status { code, message, executed: false, retry_after }) => {
            return status(*code, message, *retry_after);
        }
        Some(FaultKind::Reset { executed: false }) => return reset(plug).await,
        Some(FaultKind::Hang { executed: false }) => return hang(state, plug).await,
        _ => {}
    }
    if let Request::Subscribe { topics, patterns } = &admitted.request {
        return subscribe::answer(state, topics, *patterns)
            .await
            .unwrap_or_else(|message| refusal(&Refused::new(StatusCode::BAD_GATEWAY, message)));
    }
    let ran = run(state, &admitted.request, admitted.reads_only, admitted.format, asked).await;
    let Ran { response, sync_token } = match ran {
        Ok(ran) => ran,
        Err(refused) => return refusal(&refused),
    };
    pause(after).await;
    match end {
        Some(FaultKind::Status { code, message, retry_after, .. }) => {
            status(code, &message, retry_after)
        }
        Some(FaultKind::Reset { .. }) => reset(plug).await,
        Some(FaultKind::Hang { .. }) => hang(state, plug).await,
        Some(FaultKind::Malformed) => {
            whole(StatusCode::OK, "application/json", Bytes::from_static(b"<html>{\"resu"))
        }
        Some(FaultKind::CutBody) => cut(response),
        Some(FaultKind::Latency(_) | FaultKind::ReplyLatency(_)) | None => {
            let (status, kind, body) = response;
            let mut response = whole(status, kind, body.into());
            response.headers_mut().insert(SYNC_TOKEN, sync_token.into());
            response
        }
    }
}

async fn pause(time: Duration) {
    if !time.is_zero() {
        tokio::time::sleep(time).await;
    }
}

async fn reset(plug: &Plug) -> Response<Body> {
    plug.pull();
    std::future::pending().await
}

async fn hang(state: &State, plug: &Plug) -> Response<Body> {
    state.faults_changed().await;
    reset(plug).await
}

fn status(code: u16, message: &str, retry_after: Option<u64>) -> Response<Body> {
    let status = StatusCode::from_u16(code).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let mut response = refusal(&Refused::new(status, message));
    if let Some(seconds) = retry_after {
        response.headers_mut().insert(RETRY_AFTER, seconds.into());
    }
    response
}

/// An answer that announces its full length and ends half way.
fn cut((status, kind, body): (StatusCode, &'static str, Vec<u8>)) -> Response<Body> {
    let half = Bytes::copy_from_slice(&body[..body.len() / 2]);
    let end = async {
        // So that the first half, and the head before it, are on their way.
        tokio::time::sleep(Duration::from_millis(10)).await;
        Err(std::io::Error::other("the body is cut"))
    };
    let pieces = stream::iter([Ok(half)]).chain(stream::once(end));
    let mut response = Response::new(Body::from_stream(pieces));
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, axum::http::HeaderValue::from_static(kind));
    response.headers_mut().insert(CONTENT_LENGTH, body.len().into());
    response
}

fn refusal(refused: &Refused) -> Response<Body> {
    let body = json!({ "error": refused.message }).to_string();
    whole(refused.status, "application/json", body.into())
}

fn whole(status: StatusCode, kind: &'static str, body: Bytes) -> Response<Body> {
    let mut response = Response::new(Body::from(body));
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, axum::http::HeaderValue::from_static(kind));
    response
}
