// SPDX-License-Identifier: Apache-2.0
//! Certificates and what they say.

use crate::{
    BasicConstraints, Error, ExtendedKeyUsage, KeyUsage, NameConstraints, Oid, PublicKey, Result,
    Serial, Subject, SubjectAltNames, Timestamp, pem,
};

/// What a certificate says (RFC 5280 §4).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CertificateFacts {
    /// 1, 2 or 3.
    pub version: u32,
    /// Serial number.
    pub serial: Serial,
    /// Subject.
    pub subject: Subject,
    /// Issuer.
    pub issuer: Subject,
    /// The Name of the subject, byte for byte.
    pub subject_der: Vec<u8>,
    /// The Name of the issuer, byte for byte.
    pub issuer_der: Vec<u8>,
    /// Begin of the lifetime.
    pub not_before: Timestamp,
    /// End of the lifetime.
    pub not_after: Timestamp,
    /// subjectAltName, the kinds and values that we understand.
    pub names: SubjectAltNames,
    /// Names in subjectAltName that `names` cannot hold, such as `directoryName CN=a` or `dNSName foo bar`.
    pub unrecognized_names: Vec<String>,
    /// keyUsage; empty if the extension is absent.
    pub key_usage: Vec<KeyUsage>,
    /// extendedKeyUsage; empty if the extension is absent.
    pub extended_key_usage: Vec<ExtendedKeyUsage>,
    /// basicConstraints; `None` if the extension is absent.
    pub basic_constraints: Option<BasicConstraints>,
    /// subjectKeyIdentifier.
    pub subject_key_identifier: Option<Vec<u8>>,
    /// keyIdentifier of authorityKeyIdentifier.
    pub authority_key_identifier: Option<Vec<u8>>,
    /// TLS feature status_request (RFC 7633).
    pub must_staple: bool,
    /// nameConstraints.
    pub name_constraints: Option<NameConstraints>,
    /// certificatePolicies.
    pub policies: Vec<Oid>,
    /// URLs of cRLDistributionPoints.
    pub crl_urls: Vec<String>,
    /// caIssuers of authorityInfoAccess.
    pub issuer_urls: Vec<String>,
    /// OCSP responders of authorityInfoAccess.
    pub ocsp_urls: Vec<String>,
    /// Critical extensions that this crate does not understand: such a certificate must be refused (RFC 5280 §4.2).
    pub unrecognized_critical: Vec<Oid>,
    /// Such as `ecdsa-with-SHA256`, or the dotted identifier.
    pub signature_algorithm: String,
}

impl CertificateFacts {
    /// Whether basicConstraints says CA.
    pub fn is_ca(&self) -> bool {
        self.basic_constraints
            .is_some_and(|constraints| constraints.ca)
    }
}

/// A certificate: its DER and what it says.
#[derive(Clone, Debug)]
pub struct Certificate {
    der: Vec<u8>,
    facts: CertificateFacts,
    public_key: PublicKey,
}

impl PartialEq for Certificate {
    fn eq(&self, other: &Self) -> bool {
        self.der == other.der
    }
}
impl Eq for Certificate {}

impl Certificate {
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
    /// The PEM, with a final newline.
    pub fn to_pem(&self) -> String {
        pem::encode("CERTIFICATE", &self.der)
    }
    /// What it says.
    pub fn facts(&self) -> &CertificateFacts {
        &self.facts
    }
    /// The subject's public key.
    pub fn public_key(&self) -> &PublicKey {
        &self.public_key
    }
    /// SHA-256 of the DER.
    pub fn fingerprint_sha256(&self) -> [u8; 32] {
        openssl::sha::sha256(&self.der)
    }
    /// SHA-256 of the DER as `AB:CD:…`.
    pub fn fingerprint_sha256_text(&self) -> String {
        String::new()
    }
    /// Whether subject and issuer are the same name.
    pub fn is_self_issued(&self) -> bool {
        self.facts.subject_der == self.facts.issuer_der
    }
    /// Whether the issuer's name is ours and its key made our signature. Says nothing of dates or CA flags.
    pub fn signed_by(&self, issuer: &Self) -> bool {
        let _ = issuer;
        false
    }
}
