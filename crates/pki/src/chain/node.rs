// SPDX-License-Identifier: Apache-2.0
//! A certificate as path building sees it.

use std::cell::OnceCell;

use openssl::pkey::{PKey, Public};
use openssl::x509::X509;
use x509_parser::extensions::ParsedExtension;
use x509_parser::prelude::{FromDer, X509Certificate};

use super::constraints::{Name, Subtrees};
use super::{Error, Named, Result};
use crate::{Certificate, KeyUsage, Timestamp};

/// Critical extensions that this module or OpenSSL's second opinion processes (RFC 5280 §4.2).
const PROCESSED: [&str; 12] = [
    "2.5.29.14",          // subjectKeyIdentifier
    "2.5.29.15",          // keyUsage
    "2.5.29.17",          // subjectAltName
    "2.5.29.19",          // basicConstraints
    "2.5.29.30",          // nameConstraints
    "2.5.29.32",          // certificatePolicies: the second opinion
    "2.5.29.33",          // policyMappings: the second opinion
    "2.5.29.35",          // authorityKeyIdentifier
    "2.5.29.36",          // policyConstraints: the second opinion
    "2.5.29.37",          // extKeyUsage: of the leaf, for its peers to judge
    "2.5.29.54",          // inhibitAnyPolicy: the second opinion
    "1.3.6.1.5.5.7.1.24", // TLS feature: for the leaf's server to obey
];

/// One certificate of the pool with what path building asks of it again and again.
pub(super) struct Node {
    pub(super) certificate: Certificate,
    pub(super) constraints: Option<Subtrees>,
    /// Names to which constraints of CAs above apply.
    pub(super) names: Vec<Name>,
    pub(super) openssl: X509,
    key: Option<PKey<Public>>,
    given_as_root: bool,
    self_signed: OnceCell<bool>,
    subject_hash: u32,
    issuer_hash: u32,
    unknown_critical: Vec<String>,
    damaged: Option<String>,
}

impl Node {
    pub(super) fn new(certificate: Certificate, given_as_root: bool) -> Result<Self> {
        let openssl = X509::from_der(certificate.der())?;
        let mut node = Self {
            subject_hash: openssl.subject_name_hash(),
            issuer_hash: openssl.issuer_name_hash(),
            key: openssl.public_key().ok(),
            openssl,
            certificate,
            given_as_root,
            self_signed: OnceCell::new(),
            constraints: None,
            names: Vec::new(),
            unknown_critical: Vec::new(),
            damaged: None,
        };
        node.read_extensions()?;
        Ok(node)
    }

    /// That no extension is there twice was checked when the certificate was read.
    fn read_extensions(&mut self) -> Result<()> {
        let der = self.certificate.der().to_vec();
        let Ok((_, parsed)) = X509Certificate::from_der(&der) else {
            return Err(Error::Malformed {
                certificate: self.named(),
                fault: "its structure cannot be read".to_owned(),
            });
        };
        self.damaged = damaged_extension(&parsed);
        self.unknown_critical = parsed
            .extensions()
            .iter()
            .filter(|extension| extension.critical)
            .map(|extension| extension.oid.to_id_string())
            .filter(|oid| !PROCESSED.contains(&oid.as_str()))
            .collect();
        self.constraints =
            parsed
                .extensions()
                .iter()
                .find_map(|extension| match extension.parsed_extension() {
                    ParsedExtension::NameConstraints(found) => {
                        Some(Subtrees::from_extension(found))
                    }
                    _ => None,
                });
        self.names = constrained_names(&parsed);
        Ok(())
    }

    pub(super) fn named(&self) -> Named {
        Named::of(&self.certificate)
    }

    /// Whether subject and issuer are the same name and its own key made the signature.
    ///
    /// Checked when it is first asked, for a pool of a thousand roots of which one matters.
    pub(super) fn is_self_signed(&self) -> bool {
        let check = || self.is_self_issued() && self.is_signed_by(self);
        *self.self_signed.get_or_init(check)
    }

    pub(super) fn is_given_as_root(&self) -> bool {
        self.given_as_root
    }

    /// Whether a chain may end here under [`super::Trust::Roots`].
    pub(super) fn is_trusted(&self) -> bool {
        self.given_as_root && self.is_self_signed()
    }

    pub(super) fn subject_hash(&self) -> u32 {
        self.subject_hash
    }

    pub(super) fn issuer_hash(&self) -> u32 {
        self.issuer_hash
    }

    pub(super) fn subject_key(&self) -> Option<&[u8]> {
        self.certificate.facts().subject_key_identifier.as_deref()
    }

    pub(super) fn authority_key(&self) -> Option<&[u8]> {
        self.certificate.facts().authority_key_identifier.as_deref()
    }

    /// Whether the names chain, compared as RFC 5280 §7.1 says: neither case nor string type nor
    /// repeated spaces matter.
    pub(super) fn may_be_issued_by(&self, issuer: &Self) -> bool {
        let (wanted, have) = (self.openssl.issuer_name(), issuer.openssl.subject_name());
        self.issuer_hash == issuer.subject_hash && wanted.try_cmp(have).is_ok_and(|o| o.is_eq())
    }

    /// The costly check.
    pub(super) fn is_signed_by(&self, issuer: &Self) -> bool {
        let verify = |key| self.openssl.verify(key).unwrap_or(false);
        issuer.key.as_deref().is_some_and(verify)
    }

    /// A self-issued certificate is not counted by path lengths, and constraints pass it by.
    pub(super) fn is_self_issued(&self) -> bool {
        self.may_be_issued_by(self)
    }

    /// Another certificate of the same CA: same subject and key. A path never holds two such.
    pub(super) fn is_same_entity(&self, other: &Self) -> bool {
        self.subject_hash == other.subject_hash
            && self.certificate.public_key() == other.certificate.public_key()
    }

    /// Every extension that decides can be decoded, and every critical one is known.
    pub(super) fn check_extensions(&self) -> Result<()> {
        if let Some(fault) = self.damaged.clone() {
            let certificate = self.named();
            return Err(Error::Malformed { certificate, fault });
        }
        if self.unknown_critical.is_empty() {
            return Ok(());
        }
        Err(Error::UnknownCritical {
            certificate: self.named(),
            oids: self.unknown_critical.clone(),
        })
    }

    pub(super) fn check_dates(&self, now: Timestamp) -> Result<()> {
        let facts = self.certificate.facts();
        if now < facts.not_before {
            return Err(Error::NotYetValid {
                certificate: self.named(),
                not_before: facts.not_before,
                now,
            });
        }
        // RFC 5280 §4.1.2.5 counts the last second as valid, OpenSSL does not, and the peers are OpenSSL.
        if now >= facts.not_after {
            return Err(Error::Expired {
                certificate: self.named(),
                not_after: facts.not_after,
                now,
            });
        }
        Ok(())
    }

    /// CA:TRUE, and keyCertSign where there is a key usage.
    pub(super) fn check_authority(&self) -> Result<()> {
        let facts = self.certificate.facts();
        let certificate = self.named();
        if !facts.is_ca() {
            return Err(Error::NotAuthority { certificate });
        }
        if !facts.key_usage.is_empty() && !facts.key_usage.contains(&KeyUsage::KeyCertSign) {
            return Err(Error::MissingKeyCertSign { certificate });
        }
        Ok(())
    }

    /// How many intermediates that are not self-issued may follow below.
    pub(super) fn path_length(&self) -> Option<u32> {
        let constraints = self.certificate.facts().basic_constraints?;
        constraints.path_length.map(u32::from)
    }
}

/// What the parser cannot decode must not be taken as absent: name constraints would bind nobody.
fn damaged_extension(parsed: &X509Certificate<'_>) -> Option<String> {
    let mut extensions = parsed.extensions().iter();
    let found = extensions.find(|extension| {
        extension.parsed_extension().error().is_some()
            && PROCESSED.contains(&extension.oid.to_id_string().as_str())
    })?;
    Some(format!("its extension {} cannot be decoded", found.oid))
}

/// The subject, its mail addresses, the alternative names and, where no DNS name is among these, the
/// common name if it looks like a host: clients still fall back to it.
fn constrained_names(parsed: &X509Certificate<'_>) -> Vec<Name> {
    let mut names: Vec<Name> = parsed
        .extensions()
        .iter()
        .filter_map(|extension| match extension.parsed_extension() {
            ParsedExtension::SubjectAlternativeName(found) => Some(&found.general_names),
            _ => None,
        })
        .flatten()
        .map(Name::from_general)
        .collect();
    let subject = parsed.subject();
    if subject.iter().next().is_some() {
        names.push(Name::directory(subject));
    }
    let emails = subject.iter_email().filter_map(|email| email.as_str().ok());
    names.extend(emails.map(|email| Name::Email(email.to_owned())));
    if !names.iter().any(|name| matches!(name, Name::Dns(_))) {
        let common = subject
            .iter_common_name()
            .filter_map(|name| name.as_str().ok());
        let hosts = common.filter(|name| looks_like_host(name));
        names.extend(hosts.map(|name| Name::Dns(name.to_owned())));
    }
    names
}

/// At least two labels of letters, digits, hyphens and underscores; the first may be a wildcard.
fn looks_like_host(name: &str) -> bool {
    let legal = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    let labels: Vec<&str> = name.split('.').collect();
    let is_address = name.parse::<std::net::IpAddr>().is_ok();
    let label = |(index, label): (usize, &&str)| {
        (index == 0 && *label == "*") || (!label.is_empty() && label.chars().all(legal))
    };
    labels.len() > 1 && !is_address && labels.iter().enumerate().all(label)
}
