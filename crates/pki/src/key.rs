// SPDX-License-Identifier: Apache-2.0
//! Private keys: making, reading, writing, signing.

use std::fmt;
use std::str::FromStr;

use openssl::ec::{EcGroup, EcKey};
use openssl::error::ErrorStack;
use openssl::hash::MessageDigest;
use openssl::nid::Nid;
use openssl::pkey::{HasPublic, Id, PKey, PKeyRef, Private};
use openssl::rsa::Rsa;
use openssl::sign::Signer;
use openssl::symm::Cipher;
use zeroize::Zeroizing;

use crate::pem::{self, PemBlock};
use crate::{Error, Oid, PublicKey, Result, der};

/// What a private key is called in messages.
const WHAT: &str = "private key";

/// A curve of NIST.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Curve {
    /// secp256r1, prime256v1.
    P256,
    /// secp384r1.
    P384,
    /// secp521r1.
    P521,
}

impl Curve {
    fn nid(self) -> Nid {
        match self {
            Self::P256 => Nid::X9_62_PRIME256V1,
            Self::P384 => Nid::SECP384R1,
            Self::P521 => Nid::SECP521R1,
        }
    }
}

impl fmt::Display for Curve {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::P256 => "P-256",
            Self::P384 => "P-384",
            Self::P521 => "P-521",
        })
    }
}

/// SEC, ANSI and NIST names, any case.
impl FromStr for Curve {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        match text.to_ascii_lowercase().as_str() {
            "secp256r1" | "prime256v1" | "p-256" | "p256" | "nistp256" => Ok(Self::P256),
            "secp384r1" | "p-384" | "p384" | "nistp384" => Ok(Self::P384),
            "secp521r1" | "p-521" | "p521" | "nistp521" => Ok(Self::P521),
            _ => Err(Error::invalid(
                "curve",
                text,
                "use P-256 (secp256r1), P-384 (secp384r1) or P-521 (secp521r1)",
            )),
        }
    }
}

/// What a key is. Displays as `RSA 2048`, `ECDSA P-256`, `Ed25519`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum KeyAlgorithm {
    /// RSA with this many bits of modulus.
    Rsa {
        /// 2048 to 8192 for keys that we make; public keys of others may have any size.
        bits: u32,
    },
    /// ECDSA on a curve.
    Ecdsa(Curve),
    /// EdDSA on Curve25519 (RFC 8410).
    Ed25519,
    /// EdDSA on Curve448 (RFC 8410).
    Ed448,
}

impl KeyAlgorithm {
    /// From the options of a module.
    ///
    /// # Defaults
    /// RSA has 2048 bits, ECDSA the curve P-256.
    ///
    /// # Errors
    /// [`Error::Invalid`] for an unknown name, a size out of 2048 to 8192, or an option that does not go
    /// with the algorithm.
    pub fn from_options(algorithm: &str, size: Option<u32>, curve: Option<&str>) -> Result<Self> {
        let chosen = match algorithm.to_ascii_lowercase().as_str() {
            "rsa" => Self::Rsa {
                bits: size.unwrap_or(2048),
            },
            "ecdsa" | "ec" => Self::Ecdsa(curve.map_or(Ok(Curve::P256), str::parse)?),
            "ed25519" => Self::Ed25519,
            "ed448" => Self::Ed448,
            _ => {
                return Err(Error::invalid(
                    "key algorithm",
                    algorithm,
                    "use rsa, ecdsa, ed25519 or ed448",
                ));
            }
        };
        match (chosen, size, curve) {
            (Self::Rsa { .. }, _, Some(curve)) => Err(Error::invalid(
                "option for an RSA key",
                curve,
                "a curve goes with ecdsa; leave it out",
            )),
            (Self::Rsa { bits }, ..) if !(2048..=8192).contains(&bits) => Err(Error::invalid(
                "RSA key size",
                bits.to_string(),
                "use 2048 to 8192 bits",
            )),
            (Self::Ecdsa(named), Some(bits), _) if bits != named.bits() => {
                let rule = format!(
                    "a key on {named} has {} bits; choose the curve and leave the size out",
                    named.bits()
                );
                Err(Error::invalid("ECDSA key size", bits.to_string(), rule))
            }
            (Self::Ed25519 | Self::Ed448, Some(bits), _) => Err(Error::invalid(
                "key size",
                bits.to_string(),
                format!("{chosen} has one size; leave it out"),
            )),
            (Self::Ed25519 | Self::Ed448, _, Some(curve)) => Err(Error::invalid(
                "curve",
                curve,
                format!("{chosen} has its own; leave it out"),
            )),
            _ => Ok(chosen),
        }
    }

    /// Reads it off a key; `None` if it is nothing that we make.
    pub(crate) fn of<T: HasPublic>(pkey: &PKeyRef<T>) -> Option<Self> {
        match pkey.id() {
            Id::RSA => Some(Self::Rsa { bits: pkey.bits() }),
            Id::EC => match pkey.ec_key().ok()?.group().curve_name()? {
                Nid::X9_62_PRIME256V1 => Some(Self::Ecdsa(Curve::P256)),
                Nid::SECP384R1 => Some(Self::Ecdsa(Curve::P384)),
                Nid::SECP521R1 => Some(Self::Ecdsa(Curve::P521)),
                _ => None,
            },
            Id::ED25519 => Some(Self::Ed25519),
            Id::ED448 => Some(Self::Ed448),
            _ => None,
        }
    }

    /// The digest that goes with it; EdDSA has its own.
    fn digest(self) -> Option<MessageDigest> {
        match self {
            Self::Rsa { .. } | Self::Ecdsa(Curve::P256) => Some(MessageDigest::sha256()),
            Self::Ecdsa(Curve::P384) => Some(MessageDigest::sha384()),
            Self::Ecdsa(Curve::P521) => Some(MessageDigest::sha512()),
            Self::Ed25519 | Self::Ed448 => None,
        }
    }

    /// The AlgorithmIdentifier of its signatures: RFC 4055 §5, RFC 5758 §3.2, RFC 8410 §3.
    pub(crate) fn signature_identifier(self) -> Vec<u8> {
        let identifier = |oid| der::object_identifier(&Oid::known(oid));
        match self {
            Self::Rsa { .. } => der::sequence(&[identifier("1.2.840.113549.1.1.11"), der::null()]),
            Self::Ecdsa(Curve::P256) => der::sequence(&[identifier("1.2.840.10045.4.3.2")]),
            Self::Ecdsa(Curve::P384) => der::sequence(&[identifier("1.2.840.10045.4.3.3")]),
            Self::Ecdsa(Curve::P521) => der::sequence(&[identifier("1.2.840.10045.4.3.4")]),
            Self::Ed25519 => der::sequence(&[identifier("1.3.101.112")]),
            Self::Ed448 => der::sequence(&[identifier("1.3.101.113")]),
        }
    }
}

impl Curve {
    fn bits(self) -> u32 {
        match self {
            Self::P256 => 256,
            Self::P384 => 384,
            Self::P521 => 521,
        }
    }
}

impl fmt::Display for KeyAlgorithm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Rsa { bits } => write!(f, "RSA {bits}"),
            Self::Ecdsa(curve) => write!(f, "ECDSA {curve}"),
            Self::Ed25519 => f.write_str("Ed25519"),
            Self::Ed448 => f.write_str("Ed448"),
        }
    }
}

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
        let read = if traditional {
            PKey::private_key_from_pem_passphrase(&traditional_text(block), passphrase)
        } else {
            der::check_complete(&block.der, WHAT)?;
            PKey::private_key_from_pkcs8_passphrase(&block.der, passphrase)
        };
        Self::from_pkey(read.map_err(|error| match unsupported(&error) {
            true => Error::malformed(
                WHAT,
                "it is encrypted by a method that is not supported; re-encrypt it with AES",
            ),
            false => Error::PassphraseWrong,
        })?)
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
