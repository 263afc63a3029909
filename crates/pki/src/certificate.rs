// SPDX-License-Identifier: Apache-2.0
//! Certificates and what they say (RFC 5280 §4).

use std::sync::{Arc, OnceLock};

use openssl::pkey::{PKey, Public};
use openssl::x509::X509;
use x509_parser::certificate::X509Certificate;
use x509_parser::prelude::FromDer;

use crate::extensions::Extensions;
use crate::{
    BasicConstraints, Error, ExtendedKeyUsage, KeyUsage, NameConstraints, Oid, PublicKey, Result,
    Serial, Subject, SubjectAltNames, Timestamp, der, pem,
};

/// What a certificate is called in messages.
const WHAT: &str = "certificate";

/// What a certificate says.
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
    /// End of the lifetime, this second included.
    pub not_after: Timestamp,
    /// subjectAltName, the kinds and values that we understand.
    pub names: SubjectAltNames,
    /// Names in subjectAltName that `names` cannot hold, such as `DirectoryName(CN=a)` or `DNSName(foo bar)`.
    pub unrecognized_names: Vec<String>,
    /// keyUsage, in the order of the bits; empty if the extension is absent (it may not be empty itself).
    pub key_usage: Vec<KeyUsage>,
    /// extendedKeyUsage; empty if the extension is absent (it may not be empty itself).
    pub extended_key_usage: Vec<ExtendedKeyUsage>,
    /// basicConstraints; `None` if the extension is absent. A path length above 255 is told as 255.
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
    /// Critical extensions that this crate does not understand: a verifier must refuse such a certificate
    /// (RFC 5280 §4.2).
    pub unrecognized_critical: Vec<Oid>,
    /// Such as `ecdsa-with-SHA256`, `rsassaPss-sha256`, or the dotted identifier.
    pub signature_algorithm: String,
}

impl CertificateFacts {
    /// Whether basicConstraints says CA.
    pub fn is_ca(&self) -> bool {
        self.basic_constraints
            .is_some_and(|constraints| constraints.ca)
    }
}

/// A certificate: its DER and what it says. Two are equal if their bytes are.
#[derive(Clone, Debug)]
pub struct Certificate {
    der: Vec<u8>,
    facts: CertificateFacts,
    public_key: PublicKey,
    /// For [`Self::signed_by`]: one authority is asked of the certificates of a whole fleet.
    verifier: Arc<OnceLock<Option<PKey<Public>>>>,
}

impl PartialEq for Certificate {
    fn eq(&self, other: &Self) -> bool {
        self.der == other.der
    }
}

impl Eq for Certificate {}

impl std::hash::Hash for Certificate {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        self.der.hash(state);
    }
}

impl Certificate {
    /// Reads the one certificate in a PEM text.
    ///
    /// # Errors
    /// [`Error::Empty`], [`Error::WrongBlock`] naming what is there instead, [`Error::Several`],
    /// [`Error::Truncated`], [`Error::Malformed`].
    pub fn from_pem(text: &[u8]) -> Result<Self> {
        let block = pem::single(text, WHAT, &["CERTIFICATE", "X509 CERTIFICATE"])?;
        Self::from_der(&block.der)
    }

    /// Reads a certificate in DER; nothing may follow it. Does not check its signature.
    ///
    /// # Errors
    /// [`Error::Truncated`], [`Error::Malformed`].
    pub fn from_der(certificate: &[u8]) -> Result<Self> {
        der::check_complete(certificate, WHAT)?;
        let (_, parsed) = X509Certificate::from_der(certificate)
            .map_err(|_| Error::malformed(WHAT, "its structure is damaged"))?;
        Ok(Self {
            der: certificate.to_vec(),
            facts: read_facts(&parsed)?,
            public_key: PublicKey::from_spki_der(parsed.public_key().raw)?,
            verifier: Arc::default(),
        })
    }

    /// The DER.
    pub fn der(&self) -> &[u8] {
        &self.der
    }

    /// `CERTIFICATE` in PEM, with a final newline.
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

    /// SHA-256 of the DER as `AB:CD:…`, as the openssl command shows it.
    pub fn fingerprint_sha256_text(&self) -> String {
        let bytes: Vec<String> = self
            .fingerprint_sha256()
            .iter()
            .map(|byte| format!("{byte:02X}"))
            .collect();
        bytes.join(":")
    }

    /// Whether subject and issuer are one name.
    pub fn is_self_issued(&self) -> bool {
        self.facts.subject_der == self.facts.issuer_der
            || self.facts.subject.matches(&self.facts.issuer)
    }

    /// Whether `issuer` has the name of our issuer and its key made our signature. Says nothing about dates or
    /// whether `issuer` may sign.
    ///
    /// Signatures over MD5 or SHA-1 count only when a certificate signs itself, as many old roots do: trust in
    /// those does not come from the signature.
    pub fn signed_by(&self, issuer: &Self) -> bool {
        let name_fits = self.facts.issuer_der == issuer.facts.subject_der
            || self.facts.issuer.matches(&issuer.facts.subject);
        let weak = ["md2", "md4", "md5", "sha1", "SHA1"]
            .iter()
            .any(|word| self.facts.signature_algorithm.contains(word));
        if !name_fits || (weak && self != issuer) {
            return false;
        }
        let verifier = issuer
            .verifier
            .get_or_init(|| issuer.public_key.pkey().ok());
        let Some(key) = verifier else {
            return false;
        };
        // A signature that OpenSSL cannot read is not one; the error stack that it leaves is dropped with the error.
        X509::from_der(&self.der)
            .and_then(|certificate| certificate.verify(key))
            .unwrap_or(false)
    }
}

fn read_facts(parsed: &X509Certificate<'_>) -> Result<CertificateFacts> {
    let extensions = Extensions::read(parsed.extensions(), WHAT)?;
    let algorithm = Oid::from_der_content(parsed.signature_algorithm.algorithm.as_bytes())?;
    let parameters = parsed
        .signature_algorithm
        .parameters
        .as_ref()
        .map_or(&[][..], |any| any.data);
    Ok(CertificateFacts {
        version: parsed.version().0.saturating_add(1),
        serial: Serial::from_der_content(parsed.raw_serial())?,
        subject: Subject::from_x509(parsed.subject())?,
        issuer: Subject::from_x509(parsed.issuer())?,
        subject_der: parsed.subject().as_raw().to_vec(),
        issuer_der: parsed.issuer().as_raw().to_vec(),
        not_before: Timestamp(parsed.validity().not_before.timestamp()),
        not_after: Timestamp(parsed.validity().not_after.timestamp()),
        names: extensions.names,
        unrecognized_names: extensions.unrecognized_names,
        key_usage: extensions.key_usage,
        extended_key_usage: extensions.extended_key_usage,
        basic_constraints: extensions.basic_constraints,
        subject_key_identifier: extensions.subject_key_identifier,
        authority_key_identifier: extensions.authority_key_identifier,
        must_staple: extensions.must_staple,
        name_constraints: extensions.name_constraints,
        policies: extensions.policies,
        crl_urls: extensions.crl_urls,
        issuer_urls: extensions.issuer_urls,
        ocsp_urls: extensions.ocsp_urls,
        unrecognized_critical: extensions.unrecognized_critical,
        signature_algorithm: signature_name(&algorithm, parameters),
    })
}

/// The name that OpenSSL gives to a signature algorithm, with its digest where only the parameters tell it.
fn signature_name(oid: &Oid, parameters: &[u8]) -> String {
    let name = match oid.as_str() {
        "1.2.840.113549.1.1.2" => "md2WithRSAEncryption",
        "1.2.840.113549.1.1.3" => "md4WithRSAEncryption",
        "1.2.840.113549.1.1.4" => "md5WithRSAEncryption",
        "1.2.840.113549.1.1.5" => "sha1WithRSAEncryption",
        "1.2.840.113549.1.1.10" => return format!("rsassaPss-{}", pss_digest(parameters)),
        "1.2.840.113549.1.1.11" => "sha256WithRSAEncryption",
        "1.2.840.113549.1.1.12" => "sha384WithRSAEncryption",
        "1.2.840.113549.1.1.13" => "sha512WithRSAEncryption",
        "1.2.840.113549.1.1.14" => "sha224WithRSAEncryption",
        "1.2.840.10045.4.1" => "ecdsa-with-SHA1",
        "1.2.840.10045.4.3.1" => "ecdsa-with-SHA224",
        "1.2.840.10045.4.3.2" => "ecdsa-with-SHA256",
        "1.2.840.10045.4.3.3" => "ecdsa-with-SHA384",
        "1.2.840.10045.4.3.4" => "ecdsa-with-SHA512",
        "1.2.840.10040.4.3" => "dsa-with-SHA1",
        "1.3.101.112" => "ED25519",
        "1.3.101.113" => "ED448",
        other => other,
    };
    name.to_owned()
}

/// hashAlgorithm of RSASSA-PSS-params; SHA-1 is its default (RFC 4055 §3.1).
fn pss_digest(parameters: &[u8]) -> String {
    let hash = der::read_element(parameters).filter(|first| first.tag == 0xa0);
    let oid = hash
        .and_then(|hash| der::read_sequence(hash.content))
        .and_then(|identifier| Oid::from_der_content(identifier.first()?.content).ok());
    match oid.as_ref().map(Oid::as_str) {
        None => "sha1".to_owned(),
        Some("2.16.840.1.101.3.4.2.1") => "sha256".to_owned(),
        Some("2.16.840.1.101.3.4.2.2") => "sha384".to_owned(),
        Some("2.16.840.1.101.3.4.2.3") => "sha512".to_owned(),
        Some("1.3.14.3.2.26") => "sha1".to_owned(),
        Some(other) => other.to_owned(),
    }
}

#[cfg(test)]
mod tests;
