// SPDX-License-Identifier: Apache-2.0
//! Private keys: making, reading, writing, signing.

use std::fmt;

use openssl::ec::{EcGroup, EcKey};
use openssl::error::ErrorStack;
use openssl::pkey::{Id, PKey, PKeyRef, Private};
use openssl::rsa::Rsa;
use openssl::sign::Signer;
use openssl::symm::Cipher;
use zeroize::Zeroizing;

use crate::pem::{self, PemBlock};
use crate::{Error, PublicKey, Result, der};

mod algorithm;

pub use algorithm::{Curve, KeyAlgorithm};

/// What a private key is called in messages.
const WHAT: &str = "private key";

/// How a private key is written in PEM.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum KeyFormat {
    /// `PRIVATE KEY` or `ENCRYPTED PRIVATE KEY` (RFC 5958).
    Pkcs8,
    /// `RSA PRIVATE KEY` (PKCS#1) or `EC PRIVATE KEY` (SEC1); RSA and ECDSA only.
    Traditional,
}

/// A private key of a supported algorithm. OpenSSL clears the memory when it is dropped.
#[derive(Clone)]
pub struct PrivateKey {
    pkey: PKey<Private>,
    algorithm: KeyAlgorithm,
}

impl PrivateKey {
    /// Makes a key from the system's random numbers.
    ///
    /// # Errors
    /// [`Error::Invalid`] for an RSA size out of 2048 to 8192; [`Error::Crypto`].
    pub fn generate(algorithm: KeyAlgorithm) -> Result<Self> {
        let made = match algorithm {
            KeyAlgorithm::Rsa { bits } if !(2048..=8192).contains(&bits) => {
                return Err(Error::invalid(
                    "RSA key size",
                    bits.to_string(),
                    "use 2048 to 8192 bits",
                ));
            }
            KeyAlgorithm::Rsa { bits } => Rsa::generate(bits).and_then(PKey::from_rsa),
            KeyAlgorithm::Ecdsa(curve) => EcGroup::from_curve_name(curve.nid())
                .and_then(|group| EcKey::generate(&group))
                .and_then(PKey::from_ec_key),
            KeyAlgorithm::Ed25519 => PKey::generate_ed25519(),
            KeyAlgorithm::Ed448 => PKey::generate_ed448(),
        };
        made.map(|pkey| Self { pkey, algorithm })
            .map_err(Error::crypto("make a key"))
    }

    /// Reads the one private key in a PEM text: PKCS#8, PKCS#1 or SEC1, encrypted or not. A passphrase for a key
    /// that is not encrypted is ignored. Never asks on a terminal.
    ///
    /// # Errors
    /// [`Error::Empty`], [`Error::WrongBlock`] (a certificate, say), [`Error::Several`], [`Error::Truncated`],
    /// [`Error::KeyEncrypted`] without a passphrase, [`Error::PassphraseWrong`], [`Error::KeyUnsupported`].
    pub fn from_pem(text: &[u8], passphrase: Option<&[u8]>) -> Result<Self> {
        let labels = [
            "PRIVATE KEY",
            "ENCRYPTED PRIVATE KEY",
            "RSA PRIVATE KEY",
            "EC PRIVATE KEY",
        ];
        let block = pem::single(text, WHAT, &labels).map_err(|error| match error {
            Error::WrongBlock { found, .. } if found.contains("OPENSSH PRIVATE KEY") => {
                Error::KeyUnsupported {
                    algorithm: "OpenSSH-format".into(),
                }
            }
            Error::WrongBlock { found, .. } if found.contains("DSA PRIVATE KEY") => {
                Error::KeyUnsupported {
                    algorithm: "DSA".into(),
                }
            }
            other => other,
        })?;
        let encrypted_lines = block
            .headers
            .iter()
            .any(|(name, value)| name == "Proc-Type" && value.ends_with("ENCRYPTED"));
        let encrypted = encrypted_lines || block.label == "ENCRYPTED PRIVATE KEY";
        match (encrypted, passphrase) {
            (true, None) => Err(Error::KeyEncrypted),
            (true, Some(passphrase)) => Self::decrypt(&block, encrypted_lines, passphrase),
            (false, _) => Self::from_plain(&block),
        }
    }

    fn from_plain(block: &PemBlock) -> Result<Self> {
        der::check_complete(&block.der, WHAT)?;
        let read = match block.label.as_str() {
            "RSA PRIVATE KEY" => Rsa::private_key_from_der(&block.der).and_then(PKey::from_rsa),
            "EC PRIVATE KEY" => EcKey::private_key_from_der(&block.der).and_then(PKey::from_ec_key),
            _ => PKey::private_key_from_pkcs8(&block.der),
        };
        Self::from_pkey(read.map_err(|error| unreadable(&error))?)
    }

    fn decrypt(block: &PemBlock, traditional: bool, passphrase: &[u8]) -> Result<Self> {
        let method = |supported: bool| match supported {
            true => Error::PassphraseWrong,
            false => Error::malformed(
                WHAT,
                "it is encrypted by a method that is not supported; re-encrypt it with AES",
            ),
        };
        let read = if traditional {
            PKey::private_key_from_pem_passphrase(&traditional_text(block), passphrase)
                .map_err(|_| method(traditional_cipher_is_known(block)))
        } else {
            der::check_complete(&block.der, WHAT)?;
            PKey::private_key_from_pkcs8_passphrase(&block.der, passphrase)
                .map_err(|error| method(!unsupported(&error)))
        };
        Self::from_pkey(read?)
    }

    /// Reads unencrypted PKCS#8 in DER (RFC 5958).
    pub fn from_pkcs8_der(pkcs8: &[u8]) -> Result<Self> {
        der::check_complete(pkcs8, WHAT)?;
        Self::from_pkey(PKey::private_key_from_pkcs8(pkcs8).map_err(|error| unreadable(&error))?)
    }

    /// Takes a key of OpenSSL's if its algorithm is supported.
    pub(crate) fn from_pkey(pkey: PKey<Private>) -> Result<Self> {
        match KeyAlgorithm::of(&pkey) {
            Some(KeyAlgorithm::Rsa { bits }) if !(2048..=8192).contains(&bits) => {
                Err(Error::KeyUnsupported {
                    algorithm: format!("RSA {bits}"),
                })
            }
            // An RSA key would need tests of primality for the same; its signatures are checked as they are made.
            Some(KeyAlgorithm::Ecdsa(_))
                if !pkey.ec_key().is_ok_and(|key| key.check_key().is_ok()) =>
            {
                Err(Error::malformed(
                    WHAT,
                    "its public half does not belong to it",
                ))
            }
            Some(algorithm) => Ok(Self { pkey, algorithm }),
            None => Err(Error::KeyUnsupported {
                algorithm: name_of(&pkey),
            }),
        }
    }

    /// Writes the key in PEM; with a passphrase encrypted by AES-256-CBC (PBES2 in PKCS#8, else the old header lines).
    ///
    /// # Errors
    /// [`Error::TraditionalForm`] for Ed25519 and Ed448, [`Error::Invalid`] for an empty passphrase.
    pub fn to_pem(
        &self,
        format: KeyFormat,
        passphrase: Option<&[u8]>,
    ) -> Result<Zeroizing<Vec<u8>>> {
        if passphrase.is_some_and(<[u8]>::is_empty) {
            return Err(Error::invalid(
                "passphrase",
                "",
                "it is empty; leave it out for a key that is not encrypted",
            ));
        }
        let cipher = Cipher::aes_256_cbc();
        let text = match (format, self.algorithm, passphrase) {
            (KeyFormat::Pkcs8, _, None) => self.pkey.private_key_to_pem_pkcs8(),
            (KeyFormat::Pkcs8, _, Some(secret)) => self
                .pkey
                .private_key_to_pem_pkcs8_passphrase(cipher, secret),
            (KeyFormat::Traditional, KeyAlgorithm::Rsa { .. }, None) => {
                self.pkey.rsa().and_then(|rsa| rsa.private_key_to_pem())
            }
            (KeyFormat::Traditional, KeyAlgorithm::Rsa { .. }, Some(secret)) => self
                .pkey
                .rsa()
                .and_then(|rsa| rsa.private_key_to_pem_passphrase(cipher, secret)),
            (KeyFormat::Traditional, KeyAlgorithm::Ecdsa(_), None) => {
                self.pkey.ec_key().and_then(|key| key.private_key_to_pem())
            }
            (KeyFormat::Traditional, KeyAlgorithm::Ecdsa(_), Some(secret)) => self
                .pkey
                .ec_key()
                .and_then(|key| key.private_key_to_pem_passphrase(cipher, secret)),
            (KeyFormat::Traditional, KeyAlgorithm::Ed25519 | KeyAlgorithm::Ed448, _) => {
                return Err(Error::TraditionalForm {
                    algorithm: self.algorithm.to_string(),
                });
            }
        };
        text.map(Zeroizing::new)
            .map_err(Error::crypto("write the private key"))
    }

    /// Unencrypted PKCS#8 in DER (RFC 5958).
    pub fn to_pkcs8_der(&self) -> Result<Zeroizing<Vec<u8>>> {
        self.pkey
            .private_key_to_pkcs8()
            .map(Zeroizing::new)
            .map_err(Error::crypto("write the private key"))
    }

    /// What it is.
    pub fn algorithm(&self) -> Result<KeyAlgorithm> {
        Ok(self.algorithm)
    }

    /// Its public half.
    pub fn public_key(&self) -> Result<PublicKey> {
        let spki = self
            .pkey
            .public_key_to_der()
            .map_err(Error::crypto("write the public key"))?;
        PublicKey::from_spki_der(&spki)
    }

    /// Whether this is the private half of `public_key`, however that is encoded.
    pub fn matches(&self, public_key: &PublicKey) -> bool {
        public_key
            .pkey()
            .is_ok_and(|public| self.pkey.public_eq(&public))
    }

    /// For OpenSSL's own functions.
    pub(crate) fn pkey(&self) -> &PKey<Private> {
        &self.pkey
    }

    /// `SEQUENCE { tbs, AlgorithmIdentifier, BIT STRING }`: the frame of certificates, requests and CRLs, signed.
    pub(crate) fn sign_structure(&self, tbs: Vec<u8>) -> Result<Vec<u8>> {
        let signer = match self.algorithm.digest() {
            Some(digest) => Signer::new(digest, &self.pkey),
            None => Signer::new_without_digest(&self.pkey),
        };
        let signature = signer
            .and_then(|mut signer| signer.sign_oneshot_to_vec(&tbs))
            .map_err(Error::crypto("sign"))?;
        Ok(der::sequence(&[
            tbs,
            self.algorithm.signature_identifier(),
            der::bit_string(0, &signature),
        ]))
    }
}

/// Shows the algorithm only.
impl fmt::Debug for PrivateKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { pkey: _, algorithm } = self;
        write!(f, "PrivateKey({algorithm}, elided)")
    }
}

/// The block as OpenSSL's reader of header lines wants it: only the block, LF.
fn traditional_text(block: &PemBlock) -> Zeroizing<Vec<u8>> {
    let mut text = Zeroizing::new(format!("-----BEGIN {}-----\n", block.label).into_bytes());
    for (name, value) in &block.headers {
        text.extend_from_slice(format!("{name}: {value}\n").as_bytes());
    }
    let body = pem::encode(&block.label, &block.der);
    let after_begin = body.find('\n').unwrap_or_default();
    text.extend_from_slice(&body.as_bytes()[after_begin..]);
    text
}

/// The ciphers of our OpenSSL that old header lines can name. OpenSSL's own error does not tell a foreign cipher
/// from a wrong passphrase whose decryption looks right at its end.
fn traditional_cipher_is_known(block: &PemBlock) -> bool {
    let known = ["AES-128-CBC", "AES-192-CBC", "AES-256-CBC", "DES-EDE3-CBC"];
    block.headers.iter().any(|(name, value)| {
        name == "DEK-Info"
            && known
                .iter()
                .any(|cipher| value.split(',').next() == Some(cipher))
    })
}

fn name_of(pkey: &PKeyRef<Private>) -> String {
    match pkey.id() {
        Id::EC => match pkey.ec_key().ok().and_then(|key| key.group().curve_name()) {
            Some(curve) => format!("ECDSA {}", curve.short_name().unwrap_or("unknown curve")),
            None => "ECDSA (explicit curve)".into(),
        },
        Id::RSA_PSS => "RSA-PSS".into(),
        Id::DSA => "DSA".into(),
        Id::X25519 => "X25519".into(),
        Id::X448 => "X448".into(),
        id => format!("number {}", id.as_raw()),
    }
}

fn unsupported(stack: &ErrorStack) -> bool {
    let words = ["unsupported", "unknown", "not found"];
    stack
        .errors()
        .iter()
        .filter_map(|error| error.reason())
        .any(|reason| {
            let reason = reason.to_ascii_lowercase();
            words.iter().any(|word| reason.contains(word))
        })
}

fn unreadable(stack: &ErrorStack) -> Error {
    if unsupported(stack) {
        return Error::KeyUnsupported {
            algorithm: "unknown".into(),
        };
    }
    Error::malformed(WHAT, "its content is damaged")
}

#[cfg(test)]
mod tests;
