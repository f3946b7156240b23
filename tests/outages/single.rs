//! Outages of one server.

use std::time::Duration;

use cache_tests::proxy::Proxy;
use cache_tests::servers::RedisServer;

use crate::alone;
use crate::load::{Expected, run};

/// How long a fault lasts where it does not say itself.
const LASTS: Duration = Duration::from_secs(2);

/// The outage goes on for so long.
pub(crate) fn last(time: Duration) {
    std::thread::sleep(time);
}

/// Does something a few times, with a moment between.
fn repeatedly(mut fault: impl FnMut()) {
    for _ in 0..10 {
        fault();
        last(LASTS / 10);
    }
}

/// The server behind a proxy; another process sees it without.
async fn behind_proxy(name: &str, fault: impl FnOnce(&RedisServer, &Proxy)) {
    let _alone = alone().await;
    let server = RedisServer::start();
    let proxy = Proxy::start(&server.address());
    let fault = || fault(&server, &proxy);
    run(name, &proxy.url(), &server.url(), Expected::default(), fault).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn the_server_is_killed_and_started_again() {
    let _alone = alone().await;
    let mut server = RedisServer::start();
    let url = server.url();
    run("killed and restarted", &url, &url, Expected::default(), || {
        server.kill();
        last(LASTS);
        server.restart();
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn the_server_stands_still_for_five_seconds() {
    let _alone = alone().await;
    let server = RedisServer::start();
    let url = server.url();
    run("SIGSTOP for 5 s", &url, &url, Expected::default(), || {
        server.stop();
        last(Duration::from_secs(5));
        server.resume();
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn connections_are_cut() {
    behind_proxy("connections cut", |_, proxy| repeatedly(|| proxy.cut())).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn new_connections_are_refused() {
    behind_proxy("cut and refused", |_, proxy| {
        proxy.refuse();
        proxy.cut();
        last(LASTS);
        proxy.accept();
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn replies_stall_half_way() {
    behind_proxy("replies stalled half way", |_, proxy| {
        proxy.stall_half_way();
        last(LASTS);
        proxy.flow();
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn connections_are_half_open() {
    behind_proxy("commands swallowed", |_, proxy| {
        proxy.swallow_commands();
        last(LASTS);
        proxy.flow();
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn the_password_is_wrong_for_a_while() {
    let _alone = alone().await;
    let server = RedisServer::builder().password("right").start();
    let url = server.url();
    run("wrong password", &url, &url, Expected::default(), || {
        // One connection says both, since none can be made with the old password afterwards.
        let mut connection = server.connect();
        let set =
            |password: &str| redis::cmd("CONFIG").arg(&["SET", "requirepass", password]).clone();
        set("another").exec(&mut connection).expect("the password is changed");
        let mut kill = redis::cmd("CLIENT");
        kill.arg(&["KILL", "TYPE", "normal", "SKIPME", "yes"]);
        kill.exec(&mut connection).expect("the other connections are cut");
        last(LASTS);
        set("right").exec(&mut connection).expect("the password is changed");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn everything_is_deleted() {
    behind_proxy("FLUSHALL", |server, _| {
        repeatedly(|| {
            server.command(&["FLUSHALL"]);
        });
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn the_scripts_are_forgotten() {
    behind_proxy("SCRIPT FLUSH", |server, _| {
        repeatedly(|| {
            server.command(&["SCRIPT", "FLUSH"]);
        });
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn keys_are_evicted_all_the_time() {
    let _alone = alone().await;
    let server = RedisServer::start();
    let url = server.url();
    run("maxmemory with allkeys-lru", &url, &url, Expected::default(), || {
        server.command(&["CONFIG", "SET", "maxmemory-policy", "allkeys-lru"]);
        let used: u64 = server.info("memory", "used_memory").parse().expect("a number");
        server.command(&["CONFIG", "SET", "maxmemory", &(used + 200_000).to_string()]);
        let filling = "for i = 1, 500 do redis.call('SET', 'other:' .. math.random(1, 100000),
            string.rep('x', 1000)) end";
        repeatedly(|| {
            server.command(&["EVAL", filling, "0"]);
        });
        let evicted: u64 = server.info("stats", "evicted_keys").parse().expect("a number");
        println!("{evicted} keys evicted");
        assert!(evicted > 1_000, "the fault happened");
        server.command(&["CONFIG", "SET", "maxmemory", "0"]);
    })
    .await;
}
