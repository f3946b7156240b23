//! The stand-in as a program, for clients in other languages and for trying things by hand.

use std::net::SocketAddr;

use tokio::signal::unix::{SignalKind, signal};
use upstash_standin::StandIn;

const USAGE: &str = "upstash-standin [--address 127.0.0.1:8079] [--token TOKEN] \
[--read-only-token TOKEN] [--redis-url redis://..] [--replica]

Speaks the REST API of Upstash in front of a `redis-server`: its own unless a URL is given.
GET /__control shows counts, faults and the log; POST changes them:
  {\"faults\": [{\"kind\": {\"latency\": 50}, \"only\": \"reads\", \"share\": 0.5, \"times\": 10}],
   \"lag\": \"paused\", \"refuse\": [\"INFO\"], \"allow\": [], \"reset_counts\": true}
Kinds: latency, reply_latency, status {code, message, executed, retry_after}, cut_body, malformed,
reset {executed}, hang {executed}. `lag` needs `--replica`.";

#[tokio::main]
async fn main() -> std::process::ExitCode {
    match serve().await {
        Ok(()) => std::process::ExitCode::SUCCESS,
        Err(message) => {
            eprintln!("upstash-standin: {message}");
            std::process::ExitCode::FAILURE
        }
    }
}

async fn serve() -> Result<(), String> {
    let mut builder = StandIn::builder().address(SocketAddr::from(([127, 0, 0, 1], 8079)));
    let mut arguments = std::env::args().skip(1);
    while let Some(argument) = arguments.next() {
        let mut value = || arguments.next().ok_or_else(|| format!("`{argument}` needs a value"));
        builder = match argument.as_str() {
            "--address" => {
                let address = value()?;
                let parsed = address.parse();
                builder.address(parsed.map_err(|_| format!("`{address}` is no address"))?)
            }
            "--token" => builder.token(value()?),
            "--read-only-token" => builder.read_only_token(value()?),
            "--redis-url" => builder.redis_url(value()?),
            "--replica" => builder.replica(true),
            "--help" => {
                println!("{USAGE}");
                return Ok(());
            }
            other => return Err(format!("unknown argument `{other}`\n\n{USAGE}")),
        };
    }
    // Listened for before anything is started: its own server must not be left behind.
    let mut terminated = signal(SignalKind::terminate()).map_err(|error| error.to_string())?;
    let upstash = builder.start().await.map_err(|error| error.to_string())?;
    println!("UPSTASH_REDIS_REST_URL={}", upstash.url());
    println!("UPSTASH_REDIS_REST_TOKEN={}", upstash.token());
    tokio::select! {
        interrupted = tokio::signal::ctrl_c() => interrupted.map_err(|error| error.to_string()),
        _ = terminated.recv() => Ok(()),
    }
}
