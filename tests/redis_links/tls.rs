//! TLS with roots of one's own, and what is refused.

use cache_runtime::ErrorKind;
use cache_runtime::provider::{ProviderExt, RedisProvider};
use cache_tests::servers::RedisServer;
use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair};

use super::{blocking, until_served};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_whose_root_is_trusted_is_used() {
    let mut server = blocking(|| RedisServer::builder().password("pw").tls().start()).await;
    let roots = server.roots_pem().to_owned();
    let provider = RedisProvider::builder(&server.tls_url()).roots_pem(roots).build();
    let provider = provider.expect("the URL is right");
    let big = [b"V0123456789abcdef".to_vec(), vec![7; 3_000_000]].concat();
    provider.put("key", &big, super::LIMIT).await.expect("served");
    let seen = provider.read_one("key", &[]).await.expect("served");
    assert_eq!(seen.cell.as_deref(), Some(&big[..]));
    let server = blocking(move || {
        server.restart();
        server
    })
    .await;
    let (took, _) = until_served(&provider, "key").await;
    assert!(took < super::RECOVERY, "{took:?}");
    drop(server);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_nobody_vouches_for_is_refused() {
    let server = blocking(|| RedisServer::builder().tls().start()).await;
    let roots = server.roots_pem().to_owned();
    // Nobody vouches for it; for another name; and it speaks no TLS at all on its plain port.
    let plain = server.url().replace("redis://", "rediss://").replace("127.0.0.1", "localhost");
    let other_name = server.tls_url().replace("localhost", "localhost.localdomain");
    let cases = [
        (server.tls_url(), None, "certificate"),
        (other_name, Some(roots.clone()), "redis:"),
        (plain, Some(roots), "TLS"),
    ];
    for (url, roots, said) in cases {
        let mut builder = RedisProvider::builder(&url);
        if let Some(roots) = roots {
            builder = builder.roots_pem(roots);
        }
        let provider = builder.build().expect("the URL is right");
        let error = provider.read_one("key", &[]).await.expect_err(&url);
        assert_eq!(error.kind(), ErrorKind::Unavailable, "{error}");
        assert!(error.to_string().contains(said), "{error}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_wants_to_know_its_clients_is_shown_a_certificate() {
    let (authority, chain, key) = client_certificate();
    let file = std::env::temp_dir().join(format!("client-roots-{}.pem", std::process::id()));
    std::fs::write(&file, authority).expect("the folder can be written");
    let path = file.display().to_string();
    let server = RedisServer::builder().tls().option("tls-auth-clients", "yes");
    let server = blocking(move || server.option("tls-ca-cert-file", &path).start()).await;
    let roots = server.roots_pem().to_owned();
    let builder = RedisProvider::builder(&server.tls_url()).roots_pem(roots);

    let stranger = builder.clone().build().expect("the URL is right");
    let error = stranger.read_one("key", &[]).await.expect_err("it wants a certificate");
    assert_eq!(error.kind(), ErrorKind::Unavailable, "{error}");
    let known = builder.clone().client_pem(chain.clone(), key).build().expect("they fit");
    known.read_one("key", &[]).await.expect("served");

    let other_key = client_certificate().2;
    let error = builder.client_pem(chain, other_key).build().expect_err("they do not fit");
    assert_eq!(error.kind(), ErrorKind::Config, "{error}");
    std::fs::remove_file(&file).expect("it was written");
}

/// An authority, a client's certificate signed by it, and the client's key.
fn client_certificate() -> (String, String, String) {
    let named = |name: &str| {
        let mut params = CertificateParams::new(Vec::new()).expect("no names to refuse");
        params.distinguished_name.push(DnType::CommonName, name);
        params
    };
    let mut authority = named("clients' authority");
    authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let authority_key = KeyPair::generate().expect("a key");
    let authority_pem = authority.self_signed(&authority_key).expect("a certificate").pem();
    let issuer = Issuer::new(authority, authority_key);
    let key = KeyPair::generate().expect("a key");
    let client = named("client").signed_by(&key, &issuer).expect("a certificate");
    (authority_pem, client.pem(), key.serialize_pem())
}
