// SPDX-License-Identifier: Apache-2.0
//! What keys are, and which signatures go with them.

use std::fmt;
use std::str::FromStr;

use openssl::hash::MessageDigest;
use openssl::nid::Nid;
use openssl::pkey::{HasPublic, Id, PKeyRef};

use crate::{Error, Oid, Result, der};

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
    pub(crate) fn nid(self) -> Nid {
        match self {
            Self::P256 => Nid::X9_62_PRIME256V1,
            Self::P384 => Nid::SECP384R1,
            Self::P521 => Nid::SECP521R1,
        }
    }

    fn bits(self) -> u32 {
        match self {
            Self::P256 => 256,
            Self::P384 => 384,
            Self::P521 => 521,
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
        chosen.check_options(size, curve)?;
        Ok(chosen)
    }

    /// Whether the options that were given go with the algorithm.
    fn check_options(self, size: Option<u32>, curve: Option<&str>) -> Result<()> {
        let (what, value, rule) = match (self, size, curve) {
            (Self::Rsa { .. }, _, Some(curve)) => (
                "option for an RSA key",
                curve.to_owned(),
                "a curve goes with ecdsa; leave it out".to_owned(),
            ),
            (Self::Rsa { bits }, ..) if !(2048..=8192).contains(&bits) => (
                "RSA key size",
                bits.to_string(),
                "use 2048 to 8192 bits".to_owned(),
            ),
            (Self::Ecdsa(curve), Some(bits), _) if bits != curve.bits() => {
                let rule = format!(
                    "a key on {curve} has {} bits; choose the curve and leave the size out",
                    curve.bits()
                );
                ("ECDSA key size", bits.to_string(), rule)
            }
            (Self::Ed25519 | Self::Ed448, Some(bits), _) => (
                "key size",
                bits.to_string(),
                format!("{self} has one size; leave it out"),
            ),
            (Self::Ed25519 | Self::Ed448, _, Some(curve)) => (
                "curve",
                curve.to_owned(),
                format!("{self} has its own; leave it out"),
            ),
            _ => return Ok(()),
        };
        Err(Error::invalid(what, value, rule))
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
    pub(super) fn digest(self) -> Option<MessageDigest> {
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
