// SPDX-License-Identifier: Apache-2.0
//! A role of a Vault's or OpenBao's PKI. The server is asked by the executable, which knows how to log in; what is here is
//! what it said, and the judgement of a certificate that is installed.

use std::sync::Arc;

use pki::chain::Trust;
use pki::{Certificate, CertificateRequest, Lifetime, Timestamp};

use crate::{Above, Error, Fidelity, Issued, Issuer, IssuerMatch, Wish};

/// Who signs for a mount now, and the certificates above.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Issuing {
    /// The certificate of the authority.
    pub certificate: Certificate,
    /// Those above it, in any order.
    pub above: Vec<Certificate>,
}

/// So much earlier than the authority ends what is asked for: the server's clock may be a little ahead of ours.
const BEFORE_ITS_END: Lifetime = Lifetime(120);

/// A certificate that ends at most so long before the authority is not renewed to gain the rest.
const NOT_WORTH_IT: Lifetime = Lifetime(600);

impl Issuing {
    /// Until when to ask for a certificate that shall end at `wished`. An authority that is to refuse what outlives it,
    /// which they do unless they are told otherwise, would give none at all.
    #[must_use]
    pub fn until(&self, wished: Timestamp) -> Timestamp {
        wished.min(self.certificate.facts().not_after - BEFORE_ITS_END)
    }
}

/// A role, as far as one certificate is concerned.
#[derive(Debug, Clone, Default)]
pub struct Vault {
    roots: Arc<Vec<Certificate>>,
    issuing: Option<Arc<Issuing>>,
    revoked: Option<Timestamp>,
    given: Option<Vec<u8>>,
}

impl Vault {
    /// A role of which nothing is known yet; with `roots`, a path must end in one of them.
    #[must_use]
    pub fn new(roots: Arc<Vec<Certificate>>) -> Self {
        Self {
            roots,
            ..Self::default()
        }
    }

    /// This authority signs now.
    #[must_use]
    pub fn with_issuing(&self, issuing: Arc<Issuing>) -> Self {
        Self {
            issuing: Some(issuing),
            ..self.clone()
        }
    }

    /// The server revoked the certificate then, or `None`.
    #[must_use]
    pub fn with_revocation(&self, revoked: Option<Timestamp>) -> Self {
        Self {
            revoked,
            ..self.clone()
        }
    }

    /// It gave this chain, in PEM.
    #[must_use]
    pub fn with_chain(&self, pem: Vec<u8>) -> Self {
        Self {
            given: Some(pem),
            ..self.clone()
        }
    }

    /// The authority that signs now, if the server was asked.
    #[must_use]
    pub fn issuing(&self) -> Option<&Issuing> {
        self.issuing.as_deref()
    }
}

impl Issuer for Vault {
    fn name(&self) -> &'static str {
        "vault"
    }

    /// Whose subject and usages count is the role's business.
    fn fidelity(&self) -> Fidelity {
        Fidelity::ExactNames
    }

    fn prepare(&self, _now: Timestamp) -> Result<(), Error> {
        Ok(())
    }

    /// Nothing outlives the authority. What mount and role allow is only known when it is given.
    fn obtainable(&self, wished: Timestamp) -> Timestamp {
        let end = |issuing: &Issuing| issuing.certificate.facts().not_after - NOT_WORTH_IT;
        self.issuing()
            .map_or(wished, |issuing| wished.min(end(issuing)))
    }

    fn issue(&self, _request: &CertificateRequest, _wish: &Wish<'_>) -> Result<Issued, Error> {
        let pem = self.given.clone().ok_or(Error::NotSigned)?;
        Ok(Issued::Bytes { pem })
    }

    /// By the key and the name of the authority that signs now: a renewed certificate of it is the same authority. While it
    /// is not known, only one that signed itself is surely of somebody else.
    fn issued(&self, certificate: &Certificate, _above: &[Certificate]) -> IssuerMatch {
        let has = certificate.facts().issuer.to_string();
        let Some(issuing) = self.issuing() else {
            return if crate::is_root(certificate) {
                IssuerMatch::Other(String::from("signed by itself"))
            } else {
                IssuerMatch::Ours
            };
        };
        if certificate.signed_by(&issuing.certificate) {
            return IssuerMatch::Ours;
        }
        let ours = issuing.certificate.facts().subject.to_string();
        IssuerMatch::Other(if has == ours {
            format!("signed by another key of '{ours}'")
        } else {
            format!("issued by '{has}', the issuer is '{ours}' now")
        })
    }

    fn revoked(&self, certificate: &Certificate) -> Option<String> {
        let at = self.revoked?;
        let serial = &certificate.facts().serial;
        Some(format!("serial {serial} revoked at {at}"))
    }

    fn above(&self) -> Option<&Above> {
        None
    }

    /// Without roots as far as the server sends it: an upload of an authority may have had none.
    fn trust(&self) -> Trust<'_> {
        if self.roots.is_empty() {
            Trust::Partial
        } else {
            Trust::Roots(&self.roots)
        }
    }
}
