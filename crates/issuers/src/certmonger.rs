// SPDX-License-Identifier: Apache-2.0
//! certmonger: a daemon on the host that makes the key, asks an authority and renews by itself.
//!
//! It is the one issuer that is not handed a request and does not hand out a certificate: the executable tells it what
//! is wished and looks at the files afterwards. What is here is the judgement of certificates that it keeps.

use pki::chain::Trust;
use pki::{Certificate, CertificateRequest, Timestamp};

use crate::{Above, Error, Fidelity, Issued, Issuer, IssuerMatch, Wish};

/// An authority behind certmonger, as far as certmonger knows it.
#[derive(Debug, Clone, Default)]
pub struct Certmonger {
    authority: String,
    is_self_sign: bool,
    roots: Vec<Certificate>,
    others: Vec<Certificate>,
    kept: Option<Certificate>,
}

impl Certmonger {
    /// `roots` and `others` are what certmonger knows of the authority, `kept` the certificate that it tracks here. PEM;
    /// what cannot be read is left out, for it only helps to recognise.
    #[must_use]
    pub fn new(authority: &str, roots: &[String], others: &[String], kept: Option<&str>) -> Self {
        let read = |texts: &[String]| {
            let each = texts.iter();
            each.flat_map(|text| pki::chain::parse_bundle(text.as_bytes()).unwrap_or_default())
                .collect()
        };
        Self {
            authority: authority.to_owned(),
            is_self_sign: authority == "SelfSign",
            roots: read(roots),
            others: read(others),
            kept: kept.and_then(|text| Certificate::from_pem(text.as_bytes()).ok()),
        }
    }

    /// What stands above a certificate, from what certmonger knows.
    #[must_use]
    pub fn above_of(&self, certificate: &Certificate) -> Above {
        Above::over(certificate, self.pool())
    }

    /// The roots that certmonger knows.
    #[must_use]
    pub fn roots(&self) -> &[Certificate] {
        &self.roots
    }

    fn pool(&self) -> Vec<Certificate> {
        self.others.iter().chain(&self.roots).cloned().collect()
    }

    /// Is it signed by what certmonger knows of the authority?
    fn vouches_for(&self, certificate: &Certificate) -> bool {
        if self.is_self_sign {
            return certificate.is_self_issued() && certificate.signed_by(certificate);
        }
        self.pool().iter().any(|above| certificate.signed_by(above))
    }
}

impl Issuer for Certmonger {
    fn name(&self) -> &'static str {
        "certmonger"
    }

    fn fidelity(&self) -> Fidelity {
        Fidelity::NamesAtLeast
    }

    fn prepare(&self, _now: Timestamp) -> Result<(), Error> {
        Ok(())
    }

    /// certmonger is not told for how long.
    fn obtainable(&self, wished: Timestamp) -> Timestamp {
        wished
    }

    fn issue(&self, _request: &CertificateRequest, _wish: &Wish<'_>) -> Result<Issued, Error> {
        Err(Error::KeepsItsKeys)
    }

    /// The certificate that certmonger itself keeps is ours, whoever signed it: that its authority differs from the
    /// wish is seen in its request. Any other must be known to come from the authority.
    fn issued(&self, certificate: &Certificate, _above: &[Certificate]) -> IssuerMatch {
        if self.kept.as_ref() == Some(certificate) || self.vouches_for(certificate) {
            return IssuerMatch::Ours;
        }
        IssuerMatch::Other(format!(
            "issued by '{}', and certmonger does not know it as a certificate of its CA '{}'",
            certificate.facts().issuer,
            self.authority
        ))
    }

    fn revoked(&self, _certificate: &Certificate) -> Option<String> {
        None
    }

    fn above(&self) -> Option<&Above> {
        None
    }

    fn trust(&self) -> Trust<'_> {
        if self.is_self_sign {
            Trust::SelfContained
        } else if self.roots.is_empty() {
            Trust::Partial
        } else {
            Trust::Roots(&self.roots)
        }
    }
}
