// SPDX-License-Identifier: Apache-2.0
//! Several objects in one file: PEM in the order that a service wants, PKCS#12 and Java key stores.
//!
//! The bytes of a store differ each time that it is written, because its salts do. Whether a store on disk
//! still holds what it should is asked with [`Pkcs12Contents::contains_same`] and
//! [`JksContents::contains_same`], never by comparing bytes.

use zeroize::Zeroizing;

pub use crate::jks::{JksContents, jks, read_jks};
pub use crate::pkcs12::{Pkcs12Contents, pkcs12, read_pkcs12};

use crate::chain::Verified;
use crate::{Certificate, PrivateKey};

/// What can go wrong with a key store. `format` is `PKCS#12` or `JKS`.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The name of the entry cannot be written; the operator should choose another.
    #[error("'{name}' cannot be the name of an entry in a {format} store: {reason}")]
    EntryName {
        /// The format.
        format: &'static str,
        /// The name, escaped.
        name: String,
        /// The rule that it breaks.
        reason: &'static str,
    },

    /// A key or certificate in the store cannot be used.
    #[error("the content of the {format} store cannot be used")]
    Content {
        /// The format.
        format: &'static str,
        /// Why.
        #[source]
        source: crate::Error,
    },

    /// The bytes are not such a store, or were cut off.
    #[error("the file is not a readable {format} store: {reason}")]
    Malformed {
        /// The format.
        format: &'static str,
        /// What is wrong.
        reason: String,
    },

    /// OpenSSL could not do its work.
    #[error("OpenSSL failed to write the {format} store")]
    OpenSsl {
        /// The format.
        format: &'static str,
        /// OpenSSL's own words.
        #[source]
        source: openssl::error::ErrorStack,
    },

    /// The passphrase cannot be written; the operator should choose another.
    #[error("the passphrase cannot be used for a {format} store: {reason}")]
    Passphrase {
        /// The format.
        format: &'static str,
        /// The rule that it breaks.
        reason: &'static str,
    },

    /// The store is protected with an algorithm that we do not have.
    #[error("the {format} store uses {algorithm}, which is not supported; write it anew")]
    Unsupported {
        /// The format.
        format: &'static str,
        /// What it uses.
        algorithm: String,
    },

    /// The passphrase does not open the store. A store that was altered looks the same.
    #[error("the passphrase does not open the {format} store, or the store was altered")]
    WrongPassphrase {
        /// The format.
        format: &'static str,
    },
}

/// What stands in a PEM file, one after the other.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Part {
    /// The leaf.
    Certificate,
    /// The intermediates, the leaf's issuer first; nothing if the root issued the leaf.
    Chain,
    /// The self-signed end of the chain; nothing if the chain has none, or if it is the leaf and the
    /// leaf is in the file already.
    Root,
    /// The private key as it was given.
    PrivateKey,
}

/// What a server sends: leaf and intermediates.
pub const FULLCHAIN: &[Part] = &[Part::Certificate, Part::Chain];
/// What a client needs to verify: every CA, the root last.
pub const CA_BUNDLE: &[Part] = &[Part::Chain, Part::Root];
/// What HAProxy reads from one file: leaf, intermediates, key.
pub const COMBINED: &[Part] = &[Part::Certificate, Part::Chain, Part::PrivateKey];

/// A PEM file of `parts`: nothing but PEM blocks, lines end with LF, the last one too.
///
/// Ask [`needs_private_key`] first: a [`Part::PrivateKey`] without `key_pem` adds nothing.
pub fn pem(parts: &[Part], verified: &Verified, key_pem: Option<&[u8]>) -> Zeroizing<Vec<u8>> {
    let key_pem = key_pem.unwrap_or_default();
    let texts: Vec<String> = parts
        .iter()
        .map(|part| certificates(*part, parts, verified))
        .collect();
    // Sized beforehand: a vector that grows leaves copies of the key behind.
    let mut capacity: usize = texts.iter().map(String::len).sum();
    capacity += parts.len() * (key_pem.len() + 1);
    let mut out = Zeroizing::new(Vec::with_capacity(capacity));
    for (part, text) in parts.iter().zip(&texts) {
        out.extend_from_slice(text.as_bytes());
        if *part == Part::PrivateKey {
            append_blocks(&mut out, key_pem);
        }
    }
    out
}

/// Whether [`pem`] wants the key.
pub fn needs_private_key(parts: &[Part]) -> bool {
    parts.contains(&Part::PrivateKey)
}

fn certificates(part: Part, parts: &[Part], verified: &Verified) -> String {
    match part {
        Part::Certificate => verified.leaf().to_pem(),
        Part::Chain => verified
            .intermediates()
            .iter()
            .map(Certificate::to_pem)
            .collect(),
        Part::Root => {
            let twice = verified.is_self_signed() && parts.contains(&Part::Certificate);
            let root = verified.root().filter(|_| !twice);
            root.map(Certificate::to_pem).unwrap_or_default()
        }
        Part::PrivateKey => String::new(),
    }
}

/// The lines of the PEM blocks of `pem`, without CR and without what stands between the blocks.
fn append_blocks(out: &mut Vec<u8>, pem: &[u8]) {
    let mut inside = false;
    for line in pem.split(|byte| *byte == b'\n') {
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        inside |= line.starts_with(b"-----BEGIN ");
        if inside {
            out.extend_from_slice(line);
            out.push(b'\n');
        }
        inside &= !line.starts_with(b"-----END ");
    }
}

/// The leaf and everything above it, in the order of a store's chain.
pub(crate) fn store_chain(verified: &Verified) -> Vec<&Certificate> {
    std::iter::once(verified.leaf())
        .chain(verified.above())
        .collect()
}

/// Whether a store's key and chain are these. The order of the certificates matters only for the leaf.
pub(crate) fn same_content(
    stored_key: &PrivateKey,
    stored: &[Certificate],
    verified: &Verified,
    key: &PrivateKey,
) -> bool {
    let wanted = store_chain(verified);
    let same_key = match (stored_key.to_pkcs8_der(), key.to_pkcs8_der()) {
        (Ok(stored), Ok(wanted)) => {
            stored.len() == wanted.len() && openssl::memcmp::eq(&stored, &wanted)
        }
        _ => false,
    };
    same_key
        && stored.first() == Some(verified.leaf())
        && stored.len() == wanted.len()
        && wanted
            .iter()
            .all(|certificate| stored.contains(certificate))
}
