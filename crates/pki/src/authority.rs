// SPDX-License-Identifier: Apache-2.0
//! Making certificates.

use crate::{
    Certificate, Error, NameConstraints, Oid, PrivateKey, PublicKey, RequestTemplate, Result,
    Serial, Timestamp,
};

/// Everything that a new certificate shall say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CertificateTemplate {
    /// What it says about its subject.
    pub request: RequestTemplate,
    /// Begin of the lifetime.
    pub not_before: Timestamp,
    /// End of the lifetime.
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
    /// The serial number; `None`: a random one.
    pub serial: Option<Serial>,
}

/// Makes a certificate that its own key signs.
pub fn self_sign(template: &CertificateTemplate, key: &PrivateKey) -> Result<Certificate> {
    let _ = (template, key);
    Err(Error::KeyEncrypted)
}

/// A certificate authority that can sign.
#[derive(Debug)]
pub struct Authority {
    certificate: Certificate,
    key: PrivateKey,
    chain: Vec<Certificate>,
}

impl Authority {
    /// Checks that the key belongs to the certificate and that the certificate may sign others.
    pub fn new(certificate: Certificate, key: PrivateKey, chain: Vec<Certificate>) -> Result<Self> {
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
    /// The certificates above it; empty for a root.
    pub fn chain(&self) -> &[Certificate] {
        &self.chain
    }
    /// Its key, for CRLs.
    pub(crate) fn key(&self) -> &PrivateKey {
        &self.key
    }
    /// Signs a certificate for a public key.
    pub fn sign(
        &self,
        template: &CertificateTemplate,
        subject_key: &PublicKey,
    ) -> Result<Certificate> {
        let _ = (template, subject_key);
        Err(Error::KeyEncrypted)
    }
    /// Checks that it is valid now and that a certificate until `not_after` does not outlive it.
    pub fn check_usable(&self, now: Timestamp, not_after: Timestamp) -> Result<()> {
        let _ = (now, not_after);
        Ok(())
    }
}
