//! The REST API word for word, and every fault that can be switched on.

#[path = "protocol/answers.rs"]
mod answers;
#[path = "protocol/faults.rs"]
mod faults;

use reqwest::header::HeaderMap;
use reqwest::{Client, Method, RequestBuilder};
use serde_json::{Value as Json, json};
use upstash_standin::StandIn;

/// An answer, all of it.
#[derive(Debug)]
struct Answer {
    status: u16,
    headers: HeaderMap,
    body: Vec<u8>,
}

impl Answer {
    fn json(&self) -> Json {
        serde_json::from_slice(&self.body)
            .unwrap_or_else(|error| panic!("{error} in {}", String::from_utf8_lossy(&self.body)))
    }

    fn sync_token(&self) -> &str {
        self.headers["upstash-sync-token"].to_str().expect("a token in ASCII")
    }
}

fn client() -> Client {
    // Another test of this process may have installed it already.
    let _ = rustls::crypto::ring::default_provider().install_default();
    Client::builder().no_proxy().build().expect("a client")
}

fn request(upstash: &StandIn, method: Method, path: &str) -> RequestBuilder {
    client().request(method, format!("{}{path}", upstash.url())).bearer_auth(upstash.token())
}

async fn finish(request: RequestBuilder) -> reqwest::Result<Answer> {
    let response = request.send().await?;
    let (status, headers) = (response.status().as_u16(), response.headers().clone());
    Ok(Answer { status, headers, body: response.bytes().await?.to_vec() })
}

async fn send(request: RequestBuilder) -> Answer {
    finish(request).await.expect("an answer")
}

/// `POST` of JSON.
async fn post(upstash: &StandIn, path: &str, body: Json) -> Answer {
    send(request(upstash, Method::POST, path).body(body.to_string())).await
}

async fn get(upstash: &StandIn, path: &str) -> Answer {
    send(request(upstash, Method::GET, path)).await
}

async fn value(upstash: &StandIn, key: &str) -> Json {
    post(upstash, "/", json!(["GET", key])).await.json()
}
