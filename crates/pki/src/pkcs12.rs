// SPDX-License-Identifier: Apache-2.0
//! PKCS#12 stores (RFC 7292): one key with its chain.

use openssl::error::ErrorStack;
use openssl::hash::MessageDigest;
use openssl::nid::Nid;
use openssl::pkcs12::Pkcs12;
use openssl::stack::Stack;
use openssl::x509::{X509, X509Ref};

use crate::bundle::{Error, same_content, store_chain};
use crate::chain::Verified;
use crate::{Certificate, PrivateKey};

const FORMAT: &str = "PKCS#12";

/// Rounds of PBKDF2 and of the MAC. As many as Java's keytool writes; every reader of today takes them.
const ITERATIONS: u32 = 10_000;

/// `PKCS12_R_MAC_VERIFY_FAILURE` of OpenSSL's pkcs12err.h.
const MAC_VERIFY_FAILURE: i32 = 113;

/// What a PKCS#12 store holds.
#[derive(Clone, Debug)]
pub struct Pkcs12Contents {
    /// The private key.
    pub key: PrivateKey,
    /// The key's certificate first, then the others as they stand in the store.
    pub certificates: Vec<Certificate>,
    /// The name of the key's entry.
    pub friendly_name: Option<String>,
}

impl Pkcs12Contents {
    /// Whether writing `verified` and `key` again would change nothing but salts.
    pub fn contains_same(&self, verified: &Verified, key: &PrivateKey) -> bool {
        same_content(&self.key, &self.certificates, verified, key)
    }
}

/// Writes key, leaf and the chain with its root: AES-256-CBC with PBES2 for both, a SHA-256 MAC,
/// 10,000 rounds. Java 8u301, OpenSSL 1.1 and later read it.
///
/// # Errors
/// A name or a passphrase with a NUL, an empty passphrase; an OpenSSL failure.
pub fn pkcs12(
    verified: &Verified,
    key: &PrivateKey,
    friendly_name: &str,
    passphrase: &str,
) -> Result<Vec<u8>, Error> {
    check_text(friendly_name, passphrase)?;
    write(verified, key, friendly_name, passphrase).map_err(openssl_failure)
}

/// The builder panics at a NUL; an empty passphrase is encoded in two ways by different readers.
fn check_text(friendly_name: &str, passphrase: &str) -> Result<(), Error> {
    let format = FORMAT;
    if friendly_name.contains('\0') {
        return Err(Error::EntryName {
            format,
            name: friendly_name.escape_default().to_string(),
            reason: "it has a NUL character",
        });
    }
    let reason = match passphrase {
        "" => "it is empty",
        text if text.contains('\0') => "it has a NUL character",
        _ => return Ok(()),
    };
    Err(Error::Passphrase { format, reason })
}

fn write(
    verified: &Verified,
    key: &PrivateKey,
    friendly_name: &str,
    passphrase: &str,
) -> Result<Vec<u8>, ErrorStack> {
    let mut above = Stack::new()?;
    for certificate in store_chain(verified).iter().skip(1) {
        above.push(X509::from_der(certificate.der())?)?;
    }
    let leaf = X509::from_der(verified.leaf().der())?;
    let mut builder = Pkcs12::builder();
    builder
        .name(friendly_name)
        .pkey(key.pkey())
        .cert(&leaf)
        .ca(above)
        .key_algorithm(Nid::AES_256_CBC)
        .cert_algorithm(Nid::AES_256_CBC)
        .key_iter(ITERATIONS)
        .mac_iter(ITERATIONS)
        .mac_md(MessageDigest::sha256());
    builder.build2(passphrase)?.to_der()
}

fn openssl_failure(source: ErrorStack) -> Error {
    let format = FORMAT;
    Error::OpenSsl { format, source }
}

/// Reads a store with one key.
///
/// # Errors
/// [`Error::WrongPassphrase`] if the MAC does not fit, [`Error::Unsupported`] for ciphers such as the RC2 of
/// old exports, [`Error::Malformed`] for anything else that is not such a store.
pub fn read_pkcs12(der: &[u8], passphrase: &str) -> Result<Pkcs12Contents, Error> {
    check_text("", passphrase)?;
    let malformed = |reason: &str| Error::Malformed {
        format: FORMAT,
        reason: reason.to_owned(),
    };
    let store = Pkcs12::from_der(der).map_err(|_| malformed("its structure cannot be read"))?;
    let parsed = store.parse2(passphrase).map_err(reading_failure)?;
    let key = parsed
        .pkey
        .ok_or_else(|| malformed("it holds no private key"))?;
    let leaf = parsed
        .cert
        .ok_or_else(|| malformed("it holds no certificate for its key"))?;
    let mut certificates = vec![certificate(&leaf)?];
    for above in parsed.ca.iter().flatten() {
        certificates.push(certificate(above)?);
    }
    Ok(Pkcs12Contents {
        key: PrivateKey::from_pkey(key).map_err(content)?,
        certificates,
        friendly_name: friendly_name(&leaf),
    })
}

fn friendly_name(leaf: &X509Ref) -> Option<String> {
    let bytes = leaf.alias()?;
    String::from_utf8(bytes.to_vec()).ok()
}

fn certificate(found: &X509Ref) -> Result<Certificate, Error> {
    let der = found.to_der().map_err(openssl_failure)?;
    Certificate::from_der(&der).map_err(content)
}

fn content(source: crate::Error) -> Error {
    let format = FORMAT;
    Error::Content { format, source }
}

fn reading_failure(stack: ErrorStack) -> Error {
    let format = FORMAT;
    let mut errors = stack.errors().iter();
    if errors
        .any(|e| e.library() == Some("PKCS12 routines") && e.reason_code() == MAC_VERIFY_FAILURE)
    {
        return Error::WrongPassphrase { format };
    }
    let unsupported = stack.errors().iter().find(|error| {
        error
            .reason()
            .is_some_and(|reason| reason.contains("unsupported"))
    });
    match unsupported {
        Some(error) => Error::Unsupported {
            format,
            algorithm: error.data().unwrap_or("an unknown algorithm").to_owned(),
        },
        None => Error::Malformed {
            format,
            reason: stack.to_string(),
        },
    }
}
