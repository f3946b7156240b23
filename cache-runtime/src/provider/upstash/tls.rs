//! TLS to Upstash: rustls with ring, so that no C compiler is needed and no process-wide default is
//! set.

use std::sync::Arc;

use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::{ClientConfig, RootCertStore};

use super::address::config;
use crate::Result;

/// Trusts these roots in PEM, or the public ones; speaks HTTP/2 where the server does.
///
/// # Errors
///
/// [`Config`](crate::ErrorKind::Config) if the roots cannot be read.
pub(super) fn client(roots_pem: Option<&[u8]>) -> Result<ClientConfig> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut client = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| config("TLS cannot be set up").with_source(error))?
        .with_root_certificates(roots(roots_pem)?)
        .with_no_client_auth();
    client.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(client)
}

fn roots(pem: Option<&[u8]>) -> Result<RootCertStore> {
    let mut roots = RootCertStore::empty();
    let Some(pem) = pem else {
        roots.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned());
        return Ok(roots);
    };
    for certificate in CertificateDer::pem_slice_iter(pem) {
        let certificate = certificate
            .map_err(|error| config("`roots_pem` is no PEM of certificates").with_source(error))?;
        roots.add(certificate).map_err(|error| {
            config("`roots_pem` holds a certificate that is no root").with_source(error)
        })?;
    }
    if roots.is_empty() {
        return Err(config("`roots_pem` holds no certificate; give at least one, in PEM"));
    }
    Ok(roots)
}
