// SPDX-License-Identifier: Apache-2.0
//! Certificate revocation lists (RFC 5280 §5): made for our authorities, read for ourselves.

mod reason;

use std::collections::HashMap;

use openssl::x509::X509Crl;
use x509_parser::extensions::{ParsedExtension, X509Extension};
use x509_parser::prelude::{CertificateRevocationList, FromDer};
use x509_parser::revocation_list::RevokedCertificate;

use crate::{Authority, Certificate, KeyUsage, Oid, Serial, Subject, Timestamp, der, pem};

pub use reason::RevocationReason;

const PEM_LABEL: &str = "X509 CRL";

const AUTHORITY_KEY_IDENTIFIER: &str = "2.5.29.35";
const CRL_NUMBER: &str = "2.5.29.20";
const REASON_CODE: &str = "2.5.29.21";

/// What can go wrong with a revocation list.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A serial number was given twice; the operator should remove one entry.
    #[error("certificate {serial} is listed twice as revoked; give it once")]
    Duplicate {
        /// The serial number.
        serial: Serial,
    },

    /// The authority's certificate does not allow it to sign lists (RFC 5280 §4.2.1.3).
    #[error("'{authority}' may not sign revocation lists; its key usage lacks cRLSign")]
    MissingCrlSign {
        /// Subject of the authority.
        authority: String,
    },

    /// The dates would make a list that is never valid.
    #[error("the next update {next_update} is not after this update {this_update}")]
    Dates {
        /// Begin.
        this_update: Timestamp,
        /// End.
        next_update: Timestamp,
    },

    /// The bytes are not a revocation list that we can use.
    #[error("the revocation list cannot be read: {reason}")]
    Malformed {
        /// What is wrong.
        reason: String,
    },

    /// A reason is not one of RFC 5280 §5.3.1.
    #[error(
        "'{given}' is not a revocation reason; use one of {}",
        RevocationReason::ALL.map(RevocationReason::name).join(", ")
    )]
    UnknownReason {
        /// What was given.
        given: String,
    },

    /// `removeFromCRL` belongs into delta lists, which are not made here.
    #[error(
        "certificate {serial} has the reason removeFromCRL, which only delta lists may have; leave it out of the list"
    )]
    RemoveFromCrl {
        /// The serial number.
        serial: Serial,
    },

    /// Keys, names or signing failed.
    #[error(transparent)]
    Pki(#[from] crate::Error),
}

/// The result of this module.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// One revoked certificate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Revocation {
    /// The certificate.
    pub serial: Serial,
    /// When it was revoked.
    pub at: Timestamp,
    /// Why; `None` and `Unspecified` are written alike.
    pub reason: Option<RevocationReason>,
}

/// A revocation list: its DER and what it says. Full lists of one authority only: a delta, an indirect list
/// or one for a part of the certificates has a critical extension and is refused, because an answer
/// "not revoked" from it would be wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RevocationList {
    der: Vec<u8>,
    issuer: Subject,
    issuer_der: Vec<u8>,
    authority_key_identifier: Option<Vec<u8>>,
    number: Option<u64>,
    this_update: Timestamp,
    next_update: Option<Timestamp>,
    revoked: Vec<Revocation>,
    by_serial: HashMap<Serial, usize>,
}

impl RevocationList {
    /// Makes a list that the authority signs, entries in the given order. `number` must be higher than that
    /// of the list before (RFC 5280 §5.2.3).
    ///
    /// # Errors
    /// A serial number given twice, dates in the wrong order, an authority without cRLSign.
    pub fn create(
        authority: &Authority,
        revoked: &[Revocation],
        number: u64,
        this_update: Timestamp,
        next_update: Timestamp,
    ) -> Result<Self> {
        if next_update <= this_update {
            return Err(Error::Dates {
                this_update,
                next_update,
            });
        }
        check_crl_sign(authority.certificate())?;
        check_entries(revoked)?;
        let mut parts = vec![
            der::unsigned(1), // version 2
            authority.key().algorithm()?.signature_identifier(),
            authority.certificate().facts().subject_der.clone(),
            der::time(this_update),
            der::time(next_update),
        ];
        if !revoked.is_empty() {
            parts.push(der::sequence(
                &revoked.iter().map(entry).collect::<Vec<_>>(),
            ));
        }
        parts.push(extensions(authority, number));
        let signed = authority.key().sign_structure(der::sequence(&parts))?;
        Self::from_der(&signed)
    }

    /// Reads exactly one list; text around the block is skipped.
    ///
    /// # Errors
    /// Bytes that are no such list, or a list that is not full.
    pub fn from_pem(text: &[u8]) -> Result<Self> {
        let block = pem::single(text, "revocation list", &[PEM_LABEL])?;
        Self::from_der(&block.der)
    }

    /// Reads one list.
    ///
    /// # Errors
    /// As [`Self::from_pem`].
    pub fn from_der(der: &[u8]) -> Result<Self> {
        let parsed = match CertificateRevocationList::from_der(der) {
            Ok(([], parsed)) => parsed,
            Ok(_) => return Err(malformed("bytes follow the list")),
            Err(_) => return Err(malformed("its structure is wrong")),
        };
        refuse_critical(parsed.extensions())?;
        let revoked: Vec<Revocation> = parsed
            .iter_revoked_certificates()
            .map(revocation)
            .collect::<Result<_>>()?;
        let numbered = revoked.iter().enumerate();
        let issuer_der = parsed.issuer().as_raw().to_vec();
        Ok(Self {
            der: der.to_vec(),
            issuer: Subject::from_der(&issuer_der)?,
            issuer_der,
            authority_key_identifier: authority_key_identifier(&parsed),
            number: number(&parsed)?,
            this_update: Timestamp(parsed.last_update().timestamp()),
            next_update: parsed.next_update().map(|at| Timestamp(at.timestamp())),
            by_serial: numbered
                .map(|(index, r)| (r.serial.clone(), index))
                .collect(),
            revoked,
        })
    }

    /// The DER.
    pub fn der(&self) -> &[u8] {
        &self.der
    }

    /// The PEM, with a final newline.
    pub fn to_pem(&self) -> String {
        pem::encode(PEM_LABEL, &self.der)
    }

    /// The authority that signed it.
    pub fn issuer(&self) -> &Subject {
        &self.issuer
    }

    /// keyIdentifier of authorityKeyIdentifier.
    pub fn authority_key_identifier(&self) -> Option<&[u8]> {
        self.authority_key_identifier.as_deref()
    }

    /// The list's number.
    pub fn number(&self) -> Option<u64> {
        self.number
    }

    /// From when it holds.
    pub fn this_update(&self) -> Timestamp {
        self.this_update
    }

    /// Until when the next list will have come.
    pub fn next_update(&self) -> Option<Timestamp> {
        self.next_update
    }

    /// Every entry in the list's order.
    pub fn revocations(&self) -> &[Revocation] {
        &self.revoked
    }

    /// The entry of a certificate. Says nothing unless the list is signed by the certificate's issuer.
    pub fn revoked(&self, serial: &Serial) -> Option<&Revocation> {
        let index = self.by_serial.get(serial)?;
        self.revoked.get(*index)
    }

    /// Whether the authority's name is the issuer, its certificate allows it to sign lists and its key made
    /// the signature.
    pub fn is_signed_by(&self, authority: &Certificate) -> bool {
        self.issuer_der == authority.facts().subject_der
            && check_crl_sign(authority).is_ok()
            && self.has_signature_of(authority).unwrap_or(false)
    }

    fn has_signature_of(&self, authority: &Certificate) -> Result<bool> {
        let failed = |operation| crate::Error::crypto(operation);
        let list = X509Crl::from_der(&self.der).map_err(failed("read the revocation list"))?;
        let key = authority.public_key().pkey()?;
        let verified = list.verify(&key);
        Ok(verified.map_err(failed("verify the revocation list"))?)
    }
}

fn malformed(reason: impl Into<String>) -> Error {
    Error::Malformed {
        reason: reason.into(),
    }
}

fn check_crl_sign(authority: &Certificate) -> Result<()> {
    let facts = authority.facts();
    if facts.key_usage.is_empty() || facts.key_usage.contains(&KeyUsage::CrlSign) {
        return Ok(());
    }
    Err(Error::MissingCrlSign {
        authority: facts.subject.to_string(),
    })
}

fn check_entries(revoked: &[Revocation]) -> Result<()> {
    let mut seen = std::collections::HashSet::new();
    for Revocation { serial, reason, .. } in revoked {
        let serial = serial.clone();
        if *reason == Some(RevocationReason::RemoveFromCrl) {
            return Err(Error::RemoveFromCrl { serial });
        }
        if !seen.insert(serial.clone()) {
            return Err(Error::Duplicate { serial });
        }
    }
    Ok(())
}

fn extension(oid: &'static str, value: &[u8]) -> Vec<u8> {
    der::sequence(&[
        der::object_identifier(&Oid::known(oid)),
        der::octet_string(value),
    ])
}

/// One element of revokedCertificates (RFC 5280 §5.1.2.6).
fn entry(revocation: &Revocation) -> Vec<u8> {
    let mut parts = vec![
        der::integer(revocation.serial.der_content()),
        der::time(revocation.at),
    ];
    let reason = revocation
        .reason
        .filter(|r| *r != RevocationReason::Unspecified);
    if let Some(reason) = reason {
        let code = der::enumerated(reason.code());
        parts.push(der::sequence(&[extension(REASON_CODE, &code)]));
    }
    der::sequence(&parts)
}

/// The two extensions that RFC 5280 §5.2 requires.
fn extensions(authority: &Authority, number: u64) -> Vec<u8> {
    let identifier = der::context_primitive(0, &authority.key_identifier());
    let list = der::sequence(&[
        extension(AUTHORITY_KEY_IDENTIFIER, &der::sequence(&[identifier])),
        extension(CRL_NUMBER, &der::unsigned(number)),
    ]);
    der::context_constructed(0, &list)
}

fn refuse_critical(extensions: &[X509Extension<'_>]) -> Result<()> {
    match extensions.iter().find(|extension| extension.critical) {
        Some(extension) => Err(malformed(format!(
            "it has the critical extension {}, so it is not a full list of one authority",
            extension.oid
        ))),
        None => Ok(()),
    }
}

fn revocation(entry: &RevokedCertificate<'_>) -> Result<Revocation> {
    refuse_critical(entry.extensions())?;
    Ok(Revocation {
        serial: Serial::from_der_content(entry.raw_serial())?,
        at: Timestamp(entry.revocation_date.timestamp()),
        reason: entry
            .reason_code()
            .and_then(|(_, code)| RevocationReason::from_code(code.0)),
    })
}

fn authority_key_identifier(list: &CertificateRevocationList<'_>) -> Option<Vec<u8>> {
    let found = list
        .extensions()
        .iter()
        .find_map(|extension| match extension.parsed_extension() {
            ParsedExtension::AuthorityKeyIdentifier(found) => Some(found),
            _ => None,
        });
    Some(found?.key_identifier.as_ref()?.0.to_vec())
}

fn number(list: &CertificateRevocationList<'_>) -> Result<Option<u64>> {
    let Some(number) = list.crl_number() else {
        return Ok(None);
    };
    u64::try_from(number.clone())
        .map(Some)
        .map_err(|_| malformed(format!("its number {number} is longer than 64 bits")))
}
