// SPDX-License-Identifier: Apache-2.0
//! Certificate signing requests (PKCS#10, RFC 2986).

use crate::{
    Error, ExtendedKeyUsage, KeyUsage, Oid, PrivateKey, PublicKey, Result, Subject,
    SubjectAltNames, pem,
};

/// What a certificate shall say about its subject.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RequestTemplate {
    /// The subject; may be empty if there are names.
    pub subject: Subject,
    /// subjectAltName.
    pub names: SubjectAltNames,
    /// keyUsage; empty: no such extension.
    pub key_usage: Vec<KeyUsage>,
    /// extendedKeyUsage; empty: no such extension.
    pub extended_key_usage: Vec<ExtendedKeyUsage>,
    /// TLS feature status_request (RFC 7633).
    pub must_staple: bool,
    /// basicConstraints; `None`: no such extension.
    pub basic_constraints: Option<BasicConstraints>,
}

/// basicConstraints (RFC 5280 §4.2.1.9).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct BasicConstraints {
    /// Whether the subject is an authority.
    pub ca: bool,
    /// How many authorities may follow below; `None`: any number. Only with `ca`.
    pub path_length: Option<u8>,
}

/// A certificate signing request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CertificateRequest {
    der: Vec<u8>,
    template: RequestTemplate,
    public_key: PublicKey,
    ignored: Vec<Oid>,
}

impl CertificateRequest {
    /// Makes and signs one.
    pub fn create(template: &RequestTemplate, key: &PrivateKey) -> Result<Self> {
        let _ = (template, key);
        Err(Error::KeyEncrypted)
    }
    /// Reads exactly one.
    pub fn from_pem(text: &[u8]) -> Result<Self> {
        let _ = text;
        Err(Error::KeyEncrypted)
    }
    /// Reads one.
    pub fn from_der(der: &[u8]) -> Result<Self> {
        let _ = der;
        Err(Error::KeyEncrypted)
    }
    /// The DER.
    pub fn der(&self) -> &[u8] {
        &self.der
    }
    /// The PEM.
    pub fn to_pem(&self) -> String {
        pem::encode("CERTIFICATE REQUEST", &self.der)
    }
    /// What it asks for.
    pub fn template(&self) -> Result<RequestTemplate> {
        Ok(self.template.clone())
    }
    /// Requested extensions that `template` does not hold: an authority ignores them and should say so.
    pub fn ignored_extensions(&self) -> &[Oid] {
        &self.ignored
    }
    /// The key that it is for.
    pub fn public_key(&self) -> PublicKey {
        self.public_key.clone()
    }
    /// Whether the requester holds the private key.
    pub fn verify_signature(&self) -> Result<()> {
        Err(Error::KeyEncrypted)
    }
}
