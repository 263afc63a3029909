// SPDX-License-Identifier: Apache-2.0
//! Making certificates.

use crate::{
    Certificate, Error, KeyUsage, NameConstraints, Oid, PrivateKey, PublicKey, RequestTemplate,
    Result, Serial, Timestamp, der, extensions,
};

/// Everything that a new certificate shall say. Key identifiers are added by the one who signs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CertificateTemplate {
    /// What it says about its subject.
    pub request: RequestTemplate,
    /// Begin of the lifetime.
    pub not_before: Timestamp,
    /// End of the lifetime, this second included.
    pub not_after: Timestamp,
    /// nameConstraints; authorities only.
    pub name_constraints: Option<NameConstraints>,
    /// certificatePolicies.
    pub policies: Vec<Oid>,
    /// Where the CRL is.
    pub crl_urls: Vec<String>,
    /// Where the issuer's certificate is.
    pub issuer_urls: Vec<String>,
    /// Where the OCSP responder is.
    pub ocsp_urls: Vec<String>,
    /// The serial number; `None`: a random one ([`Serial::random`]).
    pub serial: Option<Serial>,
}

impl CertificateTemplate {
    /// A template with nothing but the request and the dates.
    pub fn new(request: RequestTemplate, not_before: Timestamp, not_after: Timestamp) -> Self {
        Self {
            request,
            not_before,
            not_after,
            name_constraints: None,
            policies: Vec::new(),
            crl_urls: Vec::new(),
            issuer_urls: Vec::new(),
            ocsp_urls: Vec::new(),
            serial: None,
        }
    }
}

/// Makes a certificate that its own key signs: a root, or a certificate for one host.
///
/// # Errors
/// [`Error::Invalid`] for a template that RFC 5280 forbids, [`Error::Crypto`].
pub fn self_sign(template: &CertificateTemplate, key: &PrivateKey) -> Result<Certificate> {
    let public_key = key.public_key()?;
    let issuer = template.request.subject.to_der();
    make(
        template,
        &public_key,
        issuer,
        &public_key.key_identifier(),
        key,
    )
}

/// The TBSCertificate of RFC 5280 §4.1, signed. `issuer` is the Name byte for byte: an authority whose
/// subject was written by another program must be repeated exactly or chains break.
fn make(
    template: &CertificateTemplate,
    subject_key: &PublicKey,
    issuer: Vec<u8>,
    issuer_key_identifier: &[u8],
    signer: &PrivateKey,
) -> Result<Certificate> {
    let CertificateTemplate {
        request,
        not_before,
        not_after,
        serial,
        ..
    } = template;
    if not_before >= not_after {
        let rule = format!("the lifetime would begin at {not_before}, which is not before its end");
        return Err(Error::invalid(
            "end of the lifetime",
            not_after.to_string(),
            rule,
        ));
    }
    let serial = serial.clone().map_or_else(Serial::random, Ok)?;
    if !serial.is_positive() {
        return Err(Error::invalid(
            "serial number",
            serial.to_string(),
            "it must be positive",
        ));
    }
    let extensions = extensions::of_certificate(
        template,
        &subject_key.key_identifier(),
        issuer_key_identifier,
    )?;
    let tbs = der::sequence(&[
        der::context_constructed(0, &der::unsigned(2)), // v3
        der::integer(serial.der_content()),
        signer.algorithm()?.signature_identifier(),
        issuer,
        der::sequence(&[der::time(*not_before), der::time(*not_after)]),
        request.subject.to_der(),
        subject_key.spki_der().to_vec(),
        der::context_constructed(3, &der::sequence(&extensions)),
    ]);
    Certificate::from_der(&signer.sign_structure(tbs)?)
}

/// A certificate authority that can sign: its certificate, key and the certificates above it.
#[derive(Clone, Debug)]
pub struct Authority {
    certificate: Certificate,
    key: PrivateKey,
    chain: Vec<Certificate>,
}

impl Authority {
    /// Puts together what belongs together. `chain` begins with the one that signed `certificate`; it is empty for a
    /// root, or if nobody needs what is above.
    ///
    /// # Errors
    /// [`Error::KeyMismatch`]; [`Error::Authority`] if the certificate says that it is no CA or must not sign
    /// certificates, or if a link of the chain did not sign the one below.
    pub fn new(certificate: Certificate, key: PrivateKey, chain: Vec<Certificate>) -> Result<Self> {
        let facts = certificate.facts();
        let unusable = |reason: String| {
            Err(Error::Authority {
                subject: facts.subject.to_string(),
                reason,
            })
        };
        if !key.matches(certificate.public_key()) {
            return Err(Error::KeyMismatch {
                what: format!("the certificate '{}'", facts.subject),
            });
        }
        if !facts.is_ca() {
            return unusable("it is not a CA certificate (basic constraints lack CA:TRUE)".into());
        }
        if !facts.key_usage.is_empty() && !facts.key_usage.contains(&KeyUsage::KeyCertSign) {
            return unusable("its key usage lacks keyCertSign".into());
        }
        for (below, above) in std::iter::once(&certificate).chain(&chain).zip(&chain) {
            if !below.signed_by(above) {
                let (below, above) = (&below.facts().subject, &above.facts().subject);
                return unusable(format!("in its chain '{above}' did not sign '{below}'"));
            }
        }
        Ok(Self {
            certificate,
            key,
            chain,
        })
    }

    /// Its certificate.
    pub fn certificate(&self) -> &Certificate {
        &self.certificate
    }

    /// The certificates above it, its issuer first; empty for a root.
    pub fn chain(&self) -> &[Certificate] {
        &self.chain
    }

    /// Its key, for CRLs.
    pub(crate) fn key(&self) -> &PrivateKey {
        &self.key
    }

    /// What certificates that it signs call its key: its subjectKeyIdentifier, or the same computed.
    pub(crate) fn key_identifier(&self) -> Vec<u8> {
        let said = self.certificate.facts().subject_key_identifier.clone();
        said.unwrap_or_else(|| self.certificate.public_key().key_identifier().to_vec())
    }

    /// Signs a certificate for a public key. Dates and path lengths are not compared with the authority's own: that
    /// is for [`check_usable`](Self::check_usable) before and [`chain::verify`](crate::chain::verify) after.
    ///
    /// # Errors
    /// [`Error::Invalid`] for a template that RFC 5280 forbids, [`Error::Crypto`].
    pub fn sign(
        &self,
        template: &CertificateTemplate,
        subject_key: &PublicKey,
    ) -> Result<Certificate> {
        let issuer = self.certificate.facts().subject_der.clone();
        make(
            template,
            subject_key,
            issuer,
            &self.key_identifier(),
            &self.key,
        )
    }

    /// Checks that it is valid now and that a certificate until `not_after` does not outlive it.
    ///
    /// # Errors
    /// [`Error::Expired`], [`Error::NotYetValid`], [`Error::Outlives`].
    pub fn check_usable(&self, now: Timestamp, not_after: Timestamp) -> Result<()> {
        let facts = self.certificate.facts();
        let subject = facts.subject.to_string();
        if now < facts.not_before {
            return Err(Error::NotYetValid {
                subject,
                not_before: facts.not_before,
                now,
            });
        }
        if now > facts.not_after {
            return Err(Error::Expired {
                subject,
                not_after: facts.not_after,
                now,
            });
        }
        if not_after > facts.not_after {
            return Err(Error::Outlives {
                authority: subject,
                authority_not_after: facts.not_after,
                not_after,
            });
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
