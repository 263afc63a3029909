// SPDX-License-Identifier: Apache-2.0
//! Answers of OCSP responders (RFC 6960), as servers hand them out with their certificates.

use openssl::error::ErrorStack;
use openssl::hash::MessageDigest;
use openssl::ocsp::{
    OcspBasicResponse, OcspCertId, OcspCertStatus, OcspFlag, OcspResponse, OcspResponseStatus,
    OcspRevokedStatus, OcspStatus,
};
use openssl::stack::Stack;
use openssl::x509::X509;
use openssl::x509::store::{X509Store, X509StoreBuilder};
use openssl::x509::verify::{X509VerifyFlags, X509VerifyParam};

use crate::{Certificate, Timestamp};

/// How far the clock of a responder may be ahead of ours, in seconds.
const AHEAD: u32 = 300;

/// Why an answer says nothing.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The bytes are no answer, or one without content.
    #[error("it is no answer of an OCSP responder")]
    Malformed,
    /// The responder did not answer.
    #[error("the responder says that it cannot answer")]
    NoAnswer,
    /// It is about another certificate.
    #[error("it is about another certificate")]
    OtherCertificate,
    /// It is not valid now: the server should have fetched a newer one.
    #[error(
        "it is out of date (made {made}, valid until {until}); the server should fetch a newer one"
    )]
    OutOfDate {
        /// When it was made.
        made: String,
        /// Until when it was valid.
        until: String,
    },
    /// Neither the issuer nor somebody whom the issuer has allowed to has signed it.
    #[error(
        "it is not signed by the issuer of the certificate, nor by a responder of the issuer's"
    )]
    Signature(#[source] ErrorStack),
    /// OpenSSL could not prepare the check.
    #[error("OpenSSL could not check the answer")]
    Crypto(#[source] ErrorStack),
}

/// What an answer says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Status {
    /// It was not revoked.
    Good,
    /// It was revoked.
    Revoked {
        /// When, in OpenSSL's words.
        at: String,
        /// Why, if that was said.
        reason: Option<&'static str>,
    },
    /// The responder does not know the certificate.
    Unknown,
}

/// What an answer says of a certificate; DER. Its signature must be the issuer's, or that of a certificate which the
/// issuer has made for the purpose. That the answer itself is fresh is measured by the clock of the system: OpenSSL
/// offers no other.
///
/// # Errors
/// All of [`Error`]: an answer that says nothing.
pub fn status(
    answer: &[u8],
    certificate: &Certificate,
    issuer: &Certificate,
    now: Timestamp,
) -> Result<Status, Error> {
    let response = OcspResponse::from_der(answer).map_err(|_| Error::Malformed)?;
    if response.status() != OcspResponseStatus::SUCCESSFUL {
        return Err(Error::NoAnswer);
    }
    let basic = response.basic().map_err(|_| Error::Malformed)?;
    let own = X509::from_der(certificate.der()).map_err(Error::Crypto)?;
    let above = X509::from_der(issuer.der()).map_err(Error::Crypto)?;
    check_signature(&basic, &above, now)?;
    // RFC 6960 leaves the digest to who asks; responders answer the one that they were asked with, mostly SHA-1.
    for digest in [MessageDigest::sha1(), MessageDigest::sha256()] {
        let id = OcspCertId::from_cert(digest, &own, &above).map_err(Error::Crypto)?;
        if let Some(found) = basic.find_status(&id) {
            return told(&found);
        }
    }
    Err(Error::OtherCertificate)
}

fn check_signature(basic: &OcspBasicResponse, issuer: &X509, now: Timestamp) -> Result<(), Error> {
    let mut certificates = Stack::new().map_err(Error::Crypto)?;
    certificates.push(issuer.clone()).map_err(Error::Crypto)?;
    let store = store(issuer, now).map_err(Error::Crypto)?;
    basic
        .verify(&certificates, &store, OcspFlag::empty())
        .map_err(Error::Signature)
}

/// The issuer alone is trusted, though it may not be a root.
fn store(issuer: &X509, now: Timestamp) -> Result<X509Store, ErrorStack> {
    let mut store = X509StoreBuilder::new()?;
    store.add_cert(issuer.clone())?;
    let mut parameters = X509VerifyParam::new()?;
    parameters.set_flags(X509VerifyFlags::PARTIAL_CHAIN)?;
    parameters.set_time(now.0);
    store.set_param(&parameters)?;
    Ok(store.build())
}

fn told(found: &OcspStatus<'_>) -> Result<Status, Error> {
    if found.check_validity(AHEAD, None).is_err() {
        let until = found.next_update().map(ToString::to_string);
        return Err(Error::OutOfDate {
            made: found.this_update.to_string(),
            until: until.unwrap_or_else(|| "none".to_owned()),
        });
    }
    Ok(match found.status {
        OcspCertStatus::GOOD => Status::Good,
        OcspCertStatus::REVOKED => Status::Revoked {
            at: found
                .revocation_time
                .map(ToString::to_string)
                .unwrap_or_default(),
            reason: reason(found.reason),
        },
        _ => Status::Unknown,
    })
}

fn reason(reason: OcspRevokedStatus) -> Option<&'static str> {
    match reason {
        OcspRevokedStatus::KEY_COMPROMISE => Some("key compromise"),
        OcspRevokedStatus::CA_COMPROMISE => Some("CA compromise"),
        OcspRevokedStatus::AFFILIATION_CHANGED => Some("affiliation changed"),
        OcspRevokedStatus::STATUS_SUPERSEDED => Some("superseded"),
        OcspRevokedStatus::STATUS_CESSATION_OF_OPERATION => Some("cessation of operation"),
        OcspRevokedStatus::STATUS_CERTIFICATE_HOLD => Some("certificate hold"),
        _ => None,
    }
}
