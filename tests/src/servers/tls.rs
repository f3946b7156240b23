//! A certificate for a server on loopback, signed by an authority of its own.

use std::path::{Path, PathBuf};

use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};

/// The files that a server needs, and the authority that its clients need.
#[derive(Debug)]
pub(super) struct Certificates {
    pub(super) certificate: PathBuf,
    pub(super) key: PathBuf,
    pub(super) authority: PathBuf,
    pub(super) authority_pem: String,
}

impl Certificates {
    /// Makes them in a folder, for `localhost` and `127.0.0.1`.
    pub(super) fn in_folder(folder: &Path) -> Self {
        let mut authority = CertificateParams::new(Vec::new()).expect("no names to refuse");
        authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let authority_key = KeyPair::generate().expect("a key");
        let authority_pem = authority.self_signed(&authority_key).expect("a certificate").pem();
        let issuer = Issuer::new(authority, authority_key);

        let names = ["localhost".to_owned(), "127.0.0.1".to_owned()];
        let server = CertificateParams::new(names).expect("sound names");
        let server_key = KeyPair::generate().expect("a key");
        let server_pem = server.signed_by(&server_key, &issuer).expect("a certificate").pem();

        let write = |name: &str, text: &str| {
            let path = folder.join(name);
            std::fs::write(&path, text).expect("the folder can be written");
            path
        };
        Self {
            certificate: write("server.pem", &server_pem),
            key: write("server.key", &server_key.serialize_pem()),
            authority: write("authority.pem", &authority_pem),
            authority_pem,
        }
    }
}
