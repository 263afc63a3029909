// SPDX-License-Identifier: Apache-2.0
//! Somebody outside signs: a request goes out, a signed certificate comes in on a later run.

use pki::chain::Trust;
use pki::{Certificate, CertificateRequest, Timestamp};

use crate::{Above, Error, Fidelity, Issued, Issuer, IssuerMatch, Material, Wish};

/// What came back from outside.
#[derive(Debug)]
pub struct Signed {
    pem: Vec<u8>,
    certificates: Vec<Certificate>,
}

impl Signed {
    /// Reads the text that the user hands in: the signed certificate and those above it, any order.
    ///
    /// # Errors
    /// [`Error::Material`] when there is no certificate in it.
    pub fn new(signed: &Material<'_>) -> Result<Self, Error> {
        Ok(Self {
            pem: signed.bytes.to_vec(),
            certificates: signed.certificates()?,
        })
    }

    /// The certificate of the given key, if it is there.
    #[must_use]
    pub fn leaf_for(&self, key: &pki::PublicKey) -> Option<&Certificate> {
        self.certificates
            .iter()
            .find(|certificate| certificate.public_key() == key)
    }

    /// All of them, in the order given.
    #[must_use]
    pub fn certificates(&self) -> &[Certificate] {
        &self.certificates
    }

    /// A certificate that stands for all of them in messages: the first.
    #[must_use]
    pub fn first(&self) -> Option<&Certificate> {
        self.certificates.first()
    }
}

/// An authority that this host cannot reach.
#[derive(Debug, Default)]
pub struct External {
    signed: Option<Signed>,
    roots: Vec<Certificate>,
}

impl External {
    /// `signed` is what the user hands in, `trust` PEM roots that the path must end in.
    ///
    /// # Errors
    /// [`Error::Material`] when `trust` holds no certificate.
    pub fn new(signed: Option<Signed>, trust: Option<&Material<'_>>) -> Result<Self, Error> {
        let roots = trust
            .map(Material::certificates)
            .transpose()?
            .unwrap_or_default();
        Ok(Self { signed, roots })
    }

    /// What the user handed in.
    #[must_use]
    pub fn signed(&self) -> Option<&Signed> {
        self.signed.as_ref()
    }
}

impl Issuer for External {
    fn name(&self) -> &'static str {
        "external"
    }

    fn fidelity(&self) -> Fidelity {
        Fidelity::NamesAtLeast
    }

    fn prepare(&self, _now: Timestamp) -> Result<(), Error> {
        Ok(())
    }

    fn obtainable(&self, wished: Timestamp) -> Timestamp {
        wished
    }

    fn issue(&self, request: &CertificateRequest, _wish: &Wish<'_>) -> Result<Issued, Error> {
        let Some(signed) = &self.signed else {
            return Ok(Issued::Pending {
                waits_for: String::from("the signed certificate"),
            });
        };
        let key = request.public_key();
        if signed.leaf_for(&key).is_none() {
            let subject = signed
                .first()
                .map(|first| first.facts().subject.to_string())
                .unwrap_or_default();
            return Err(Error::SignedForOtherKey { subject });
        }
        Ok(Issued::Bytes {
            pem: signed.pem.clone(),
        })
    }

    fn issued(&self, certificate: &Certificate, above: &[Certificate]) -> IssuerMatch {
        if certificate.is_self_issued() {
            return IssuerMatch::Other(String::from(
                "self-signed, not signed by an external authority",
            ));
        }
        let leads = |top: &Certificate| {
            self.roots
                .iter()
                .any(|root| top == root || top.signed_by(root))
        };
        if self.roots.is_empty() || leads(certificate) || above.iter().any(leads) {
            IssuerMatch::Ours
        } else {
            IssuerMatch::Other(format!(
                "issued by '{}', which leads to no trusted root",
                certificate.facts().issuer
            ))
        }
    }

    fn revoked(&self, _certificate: &Certificate) -> Option<String> {
        None
    }

    fn above(&self) -> Option<&Above> {
        None
    }

    fn trust(&self) -> Trust<'_> {
        if self.roots.is_empty() {
            Trust::Partial
        } else {
            Trust::Roots(&self.roots)
        }
    }
}
