// SPDX-License-Identifier: Apache-2.0
//! The user's own key, certificate and chain.

use std::fmt;

use pki::chain::{Expectation, Trust};
use pki::{Certificate, CertificateRequest, PrivateKey, SubjectAltNames, Timestamp};

use crate::{Above, Error, Fidelity, Issued, Issuer, IssuerMatch, Material, Wish};

/// The set as read from the host or from the options.
pub struct ProvidedFiles<'a> {
    /// PEM: the key.
    pub private_key: Material<'a>,
    /// Passphrase of the key.
    pub passphrase: Option<&'a [u8]>,
    /// PEM: the certificate; certificates above it may follow.
    pub certificate: Material<'a>,
    /// PEM: certificates above, any order.
    pub chain: Option<Material<'a>>,
}

/// A set that the user brings along; it is validated as a whole before anything is installed.
pub struct Provided {
    key: PrivateKey,
    certificate: Certificate,
    above: Above,
    pem: Vec<u8>,
}

impl Provided {
    /// Reads and validates the set: key match, chain, dates, and `names` unless empty.
    ///
    /// # Errors
    /// [`Error::Material`] for what cannot be read, [`Error::ProvidedKeyMismatch`] for a key of
    /// something else, [`Error::Issue`] for what `pki::verify` refuses.
    pub fn new(
        files: &ProvidedFiles<'_>,
        names: &SubjectAltNames,
        now: Timestamp,
    ) -> Result<Self, Error> {
        let key =
            PrivateKey::from_pem(files.private_key.bytes, files.passphrase).map_err(|source| {
                Error::Material {
                    what: files.private_key.what.clone(),
                    source: Box::new(source),
                }
            })?;
        let refused = |source| Error::Issue {
            issuer: "provided",
            source: Box::new(source),
        };
        let public_key = key.public_key().map_err(refused)?;
        let mut pool = files.certificate.certificates()?;
        if let Some(chain) = &files.chain {
            pool.extend(chain.certificates()?);
        }
        if !pool
            .iter()
            .any(|certificate| *certificate.public_key() == public_key)
        {
            let subject = pool
                .first()
                .map(|first| first.facts().subject.to_string())
                .unwrap_or_default();
            return Err(Error::ProvidedKeyMismatch { subject });
        }
        let pem: String = pool.iter().map(Certificate::to_pem).collect();
        let names = (!names.is_empty()).then_some(names);
        let expectation = Expectation {
            public_key: &public_key,
            names,
            trust: Trust::Partial,
            now,
        };
        let verified =
            pki::chain::verify(pool, &expectation).map_err(|source| Error::Provided {
                source: Box::new(source),
            })?;
        let above = Above {
            intermediates: verified.intermediates().to_vec(),
            root: verified.root().cloned(),
        };
        Ok(Self {
            key,
            certificate: verified.leaf().clone(),
            above,
            pem: pem.into_bytes(),
        })
    }
}

impl Issuer for Provided {
    fn name(&self) -> &'static str {
        "provided"
    }

    fn fidelity(&self) -> Fidelity {
        Fidelity::Given
    }

    fn prepare(&self, _now: Timestamp) -> Result<(), Error> {
        Ok(())
    }

    fn obtainable(&self, _wished: Timestamp) -> Timestamp {
        self.certificate.facts().not_after
    }

    fn issue(&self, _request: &CertificateRequest, _wish: &Wish<'_>) -> Result<Issued, Error> {
        Ok(Issued::Bytes {
            pem: self.pem.clone(),
        })
    }

    fn issued(&self, certificate: &Certificate, _above: &[Certificate]) -> IssuerMatch {
        if *certificate == self.certificate {
            return IssuerMatch::Ours;
        }
        IssuerMatch::Other(format!(
            "serial {} of '{}' is installed, serial {} is provided",
            certificate.facts().serial,
            certificate.facts().issuer,
            self.certificate.facts().serial
        ))
    }

    fn revoked(&self, _certificate: &Certificate) -> Option<String> {
        None
    }

    fn above(&self) -> Option<&Above> {
        Some(&self.above)
    }

    fn trust(&self) -> Trust<'_> {
        Trust::Partial
    }

    fn key(&self) -> Option<&PrivateKey> {
        Some(&self.key)
    }

    fn certificate(&self) -> Option<&Certificate> {
        Some(&self.certificate)
    }
}

impl fmt::Debug for Provided {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            key: _,
            certificate,
            above: _,
            pem: _,
        } = self;
        f.debug_struct("Provided")
            .field("subject", &certificate.facts().subject)
            .finish_non_exhaustive()
    }
}
