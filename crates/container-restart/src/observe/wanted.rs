// SPDX-License-Identifier: Apache-2.0
//! The certificate that must be served, as it is on the host.

use std::path::Path;

use containers::inside::{InsideFile, host_file};
use containers::mounts::HostPath;
use pki::{Certificate, KeyAlgorithm, PrivateKey};
use tls_probe::{KeyKind, ServerName};

use crate::failure::Failure;
use crate::request::{Fingerprint, Request};

/// What must be served.
#[derive(Debug)]
pub struct Wanted {
    /// Its file.
    pub certificate_path: HostPath,
    /// What is in it.
    pub file: InsideFile,
    /// The first certificate in it.
    pub certificate: Certificate,
    /// Its SHA-256.
    pub fingerprint: Fingerprint,
    /// The file of its key, if that is another.
    pub key_path: Option<HostPath>,
    /// What is in that.
    pub key_file: Option<InsideFile>,
    /// What is known of its key.
    pub key: KeySeen,
}

/// What is known of the key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum KeySeen {
    /// None was named, and the file of the certificate holds none.
    NotGiven,
    /// It is encrypted: nothing can be said of it.
    Encrypted,
    /// It belongs to the certificate.
    Matches,
    /// It belongs to another.
    Differs,
}

impl Wanted {
    /// Reads the files that the task names.
    pub fn read(request: &Request) -> Result<Self, Failure> {
        let file = read("certificate", &request.certificate)?;
        let certificate = leaf(&file.content).map_err(|source| Failure::Unreadable {
            what: "certificate",
            path: request.certificate.clone(),
            source,
        })?;
        let key_file = match &request.private_key {
            Some(path) if *path != request.certificate => Some(read("private key", path)?),
            _ => None,
        };
        let key = key_of(request, &certificate, key_file.as_ref().unwrap_or(&file))?;
        Ok(Self {
            certificate_path: HostPath::new(&request.certificate),
            fingerprint: Fingerprint(certificate.fingerprint_sha256_text()),
            certificate,
            file,
            key_path: key_file
                .as_ref()
                .and(request.private_key.as_deref())
                .map(HostPath::new),
            key_file,
            key,
        })
    }

    /// The name to ask a server for.
    pub fn server_name(&self) -> Option<ServerName> {
        let mut names = self.certificate.facts().names.dns.iter();
        names.find_map(|name| ServerName::parse(name.as_str()).ok())
    }

    /// The kind of its key, for servers that have certificates of several.
    pub fn key_kind(&self) -> Option<KeyKind> {
        match self.certificate.public_key().algorithm()? {
            KeyAlgorithm::Rsa { .. } => Some(KeyKind::Rsa),
            KeyAlgorithm::Ecdsa(_) => Some(KeyKind::Ecdsa),
            KeyAlgorithm::Ed25519 | KeyAlgorithm::Ed448 => None,
        }
    }

    /// Whether another certificate speaks for the same subject and names.
    pub fn speaks_for_the_same(&self, other: &Certificate) -> bool {
        let (own, other) = (self.certificate.facts(), other.facts());
        own.subject.matches(&other.subject) && own.names.same_set(&other.names)
    }
}

/// The first certificate of a file: who serves it sends that as its own.
pub(crate) fn leaf(content: &[u8]) -> Result<Certificate, pki::Error> {
    let blocks = pki::pem::decode(content, "certificate")?;
    let first = blocks.iter().find(|block| {
        matches!(
            block.label.as_str(),
            "CERTIFICATE" | "X509 CERTIFICATE" | "TRUSTED CERTIFICATE"
        )
    });
    match first {
        Some(block) => Certificate::from_der(&block.der),
        // For its message, which says what is there instead.
        None => Certificate::from_pem(content),
    }
}

fn read(what: &'static str, path: &Path) -> Result<InsideFile, Failure> {
    host_file(path).map_err(|source| Failure::File {
        what,
        path: path.to_owned(),
        source,
    })
}

fn key_of(
    request: &Request,
    certificate: &Certificate,
    file: &InsideFile,
) -> Result<KeySeen, Failure> {
    match PrivateKey::from_pem(&file.content, None) {
        Ok(key) if key.matches(certificate.public_key()) => Ok(KeySeen::Matches),
        Ok(_) => Ok(KeySeen::Differs),
        Err(pki::Error::KeyEncrypted) => Ok(KeySeen::Encrypted),
        Err(_) if request.private_key.is_none() => Ok(KeySeen::NotGiven),
        Err(source) => Err(Failure::Unreadable {
            what: "private key",
            path: request.private_key.clone().unwrap_or_default(),
            source,
        }),
    }
}
