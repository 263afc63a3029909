// SPDX-License-Identifier: Apache-2.0
//! The subject signs for itself.

use pki::chain::Trust;
use pki::{Certificate, CertificateRequest, Timestamp};

use crate::{Above, Error, Fidelity, Issued, Issuer, IssuerMatch, Wish};

/// A certificate signed with its own key: for tests, and for peers which pin it.
#[derive(Debug, Default)]
pub struct SelfSigned {
    above: Above,
}

impl Issuer for SelfSigned {
    fn name(&self) -> &'static str {
        "self_signed"
    }

    fn fidelity(&self) -> Fidelity {
        Fidelity::Exact
    }

    fn prepare(&self, _now: Timestamp) -> Result<(), Error> {
        Ok(())
    }

    fn obtainable(&self, wished: Timestamp) -> Timestamp {
        wished
    }

    fn issue(&self, _request: &CertificateRequest, wish: &Wish<'_>) -> Result<Issued, Error> {
        let template = crate::template(wish.template.clone(), wish.not_before, wish.not_after);
        let certificate = pki::self_sign(&template, wish.key).map_err(|source| Error::Issue {
            issuer: self.name(),
            source: Box::new(source),
        })?;
        Ok(Issued::Bytes {
            pem: certificate.to_pem().into_bytes(),
        })
    }

    fn issued(&self, certificate: &Certificate, _above: &[Certificate]) -> IssuerMatch {
        if certificate.is_self_issued() && certificate.signed_by(certificate) {
            IssuerMatch::Ours
        } else {
            IssuerMatch::Other(format!(
                "issued by '{}', not self-signed",
                certificate.facts().issuer
            ))
        }
    }

    fn revoked(&self, _certificate: &Certificate) -> Option<String> {
        None
    }

    fn above(&self) -> Option<&Above> {
        Some(&self.above)
    }

    fn trust(&self) -> Trust<'_> {
        Trust::SelfContained
    }
}
