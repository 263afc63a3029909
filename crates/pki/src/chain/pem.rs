// SPDX-License-Identifier: Apache-2.0
//! Certificates out of a text in which anything may stand between the PEM blocks (RFC 7468 §2).

use super::{Error, MAX_POOL, Result};
use crate::pem::{self, PemBlock};
use crate::{Certificate, der};

/// OpenSSL's own form: its trust settings stand behind the certificate.
const TRUSTED: &str = "TRUSTED CERTIFICATE";
const LABELS: [&str; 3] = ["CERTIFICATE", "X509 CERTIFICATE", TRUSTED];

/// Every certificate of a PEM text in its order. Text, keys and other blocks between them are
/// skipped; line ends may be LF or CRLF, and a missing newline between two blocks does no harm.
///
/// # Errors
/// [`Error::NoCertificates`] says what an input without certificates holds instead, [`Error::Damaged`]
/// and [`Error::Block`] name a block that is cut off or not a certificate,
/// [`Error::TooManyCertificates`] bounds the work.
pub fn parse_bundle(pem: &[u8]) -> Result<Vec<Certificate>> {
    let blocks = pem::decode(pem, "certificate bundle").map_err(unreadable)?;
    let is_certificate = |block: &&PemBlock| LABELS.contains(&block.label.as_str());
    let count = blocks.iter().filter(is_certificate).count();
    if count == 0 {
        let found = format!("it has only {}", pem::describe(&blocks));
        return Err(Error::NoCertificates { found });
    }
    if count > MAX_POOL {
        let limit = MAX_POOL;
        return Err(Error::TooManyCertificates { count, limit });
    }
    let numbered = blocks.iter().filter(is_certificate).zip(1..);
    numbered
        .map(|(block, ordinal)| certificate(block, ordinal))
        .collect()
}

fn unreadable(error: crate::Error) -> Error {
    match error {
        crate::Error::Empty { .. } => Error::NoCertificates {
            found: "it is empty".to_owned(),
        },
        crate::Error::Malformed { reason, .. } => Error::NoCertificates { found: reason },
        other => Error::Damaged {
            fault: other.to_string(),
        },
    }
}

fn certificate(block: &PemBlock, ordinal: usize) -> Result<Certificate> {
    let mut bytes: &[u8] = &block.der;
    if block.label == TRUSTED {
        bytes = der::read_element(bytes).map_or(bytes, |first| first.encoded);
    }
    Certificate::from_der(bytes).map_err(|error| Error::Block {
        ordinal,
        fault: error.to_string(),
    })
}
