//! TLS to Redis: rustls with ring, so that no C compiler is needed and no process-wide default is set.

use std::sync::Arc;

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use super::url::Address;
use crate::{Error, ErrorKind, Result, Secret};

/// Whom to trust and who we are.
#[derive(Clone, Debug, Default)]
pub(super) struct Certificates {
    /// The roots in PEM; the public ones where there are none.
    pub(super) roots: Option<Vec<u8>>,
    /// Our own chain and key in PEM, where the server wants to know the client.
    pub(super) client: Option<(Vec<u8>, Secret)>,
}

/// Opens TLS on connections.
#[derive(Clone)]
pub(super) struct Tls(TlsConnector);

impl Tls {
    /// Reads the certificates.
    ///
    /// # Errors
    ///
    /// [`Config`](ErrorKind::Config) if one of them cannot be used.
    pub(super) fn new(certificates: &Certificates) -> Result<Self> {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let builder = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(|error| wrong("TLS cannot be set up").with_source(error))?
            .with_root_certificates(roots(certificates.roots.as_deref())?);
        let config = match &certificates.client {
            None => builder.with_no_client_auth(),
            Some((chain, key)) => {
                let chain = chain_of(chain, "the client's certificates")?;
                // The cause is not kept: it may cite what it could not read.
                let key = PrivateKeyDer::from_pem_slice(key.expose().as_bytes())
                    .map_err(|_| wrong("the client's key is no PEM private key"))?;
                builder.with_client_auth_cert(chain, key).map_err(|_| {
                    wrong("the client's key does not fit its certificate, or is of an unknown kind")
                })?
            }
        };
        Ok(Self(TlsConnector::from(Arc::new(config))))
    }

    /// Shakes hands with the server that the address names.
    pub(super) async fn open(
        &self,
        address: &Address,
        stream: TcpStream,
    ) -> std::io::Result<TlsStream<TcpStream>> {
        let name = ServerName::try_from(address.host.clone()).map_err(std::io::Error::other)?;
        self.0.connect(name, stream).await
    }
}

fn roots(pem: Option<&[u8]>) -> Result<RootCertStore> {
    let Some(pem) = pem else {
        return Ok(RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() });
    };
    let mut roots = RootCertStore::empty();
    for certificate in chain_of(pem, "the root certificates")? {
        roots
            .add(certificate)
            .map_err(|error| wrong("a root certificate cannot be used").with_source(error))?;
    }
    Ok(roots)
}

fn chain_of(pem: &[u8], what: &str) -> Result<Vec<CertificateDer<'static>>> {
    let chain: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem).collect();
    match chain {
        Ok(chain) if !chain.is_empty() => Ok(chain),
        Ok(_) => Err(wrong(&format!("{what}: there is none in the PEM text"))),
        Err(error) => Err(wrong(&format!("{what} are no PEM text")).with_source(error)),
    }
}

fn wrong(what: &str) -> Error {
    Error::new(ErrorKind::Config, "redis", what)
}
