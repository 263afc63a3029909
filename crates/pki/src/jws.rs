// SPDX-License-Identifier: Apache-2.0
//! What JSON Web Signatures need of keys (RFC 7515, 7517, 7518, 7638, 8037).
//!
//! Signatures, public keys and their thumbprints, private keys in that form, and HMAC for external account binding.
//! The envelope around a signature is its user's business.

use std::fmt;

use data_encoding::BASE64URL_NOPAD;
use openssl::bn::BigNum;
use openssl::ec::{EcGroup, EcKey, EcPoint};
use openssl::ecdsa::EcdsaSig;
use openssl::error::ErrorStack;
use openssl::hash::MessageDigest;
use openssl::pkey::{Id, PKey, Private};
use openssl::rsa::Rsa;
use openssl::sign::Signer;
use zeroize::Zeroizing;

pub use crate::mac::sha256;
use crate::{Curve, Error, KeyAlgorithm, MacHash, MacKey, PrivateKey, PublicKey, Result};

/// What a key in this form is called in messages.
const WHAT: &str = "JSON Web Key";

/// Bytes as base64url without padding, as all of JOSE and ACME write them.
pub fn base64url(bytes: &[u8]) -> String {
    BASE64URL_NOPAD.encode(bytes)
}

/// Reads base64url; padding, which some programs write, is ignored.
///
/// # Errors
/// [`Error::Malformed`]; the text is not repeated, it may be a key.
pub fn from_base64url(what: &'static str, text: &str) -> Result<Vec<u8>> {
    BASE64URL_NOPAD
        .decode(text.trim_end_matches('=').as_bytes())
        .map_err(|_| Error::malformed(what, "it is not base64url"))
}

/// Which hash an HMAC is made with.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum HmacAlgorithm {
    /// HMAC with SHA-256.
    #[default]
    Hs256,
    /// HMAC with SHA-384.
    Hs384,
    /// HMAC with SHA-512.
    Hs512,
}

impl HmacAlgorithm {
    /// Its name in a header (RFC 7518 §3.1).
    pub fn name(self) -> &'static str {
        match self {
            Self::Hs256 => "HS256",
            Self::Hs384 => "HS384",
            Self::Hs512 => "HS512",
        }
    }

    /// The code of `data` under a shared secret.
    ///
    /// # Errors
    /// [`Error::Empty`] for a secret without bytes, [`Error::Crypto`].
    pub fn code(self, secret: &[u8], data: &[u8]) -> Result<Vec<u8>> {
        let hash = match self {
            Self::Hs256 => MacHash::Sha256,
            Self::Hs384 => MacHash::Sha384,
            Self::Hs512 => MacHash::Sha512,
        };
        MacKey::new(hash, secret)?.code(&[data])
    }
}

/// A public key as JWK: the members that RFC 7638 counts, in their order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Jwk(Vec<(&'static str, String)>);

impl Jwk {
    /// Names and values, sorted by name. All values are base64url or fixed words.
    pub fn members(&self) -> &[(&'static str, String)] {
        &self.0
    }

    /// The thumbprint with SHA-256, as base64url (RFC 7638).
    pub fn thumbprint(&self) -> String {
        base64url(&openssl::sha::sha256(self.to_string().as_bytes()))
    }
}

/// JSON without white space; no value needs an escape.
impl fmt::Display for Jwk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let members: Vec<_> = self
            .0
            .iter()
            .map(|(name, value)| format!("\"{name}\":\"{value}\""))
            .collect();
        write!(f, "{{{}}}", members.join(","))
    }
}

impl PublicKey {
    /// As JWK.
    ///
    /// # Errors
    /// [`Error::KeyUnsupported`] for what JOSE has no form for here.
    pub fn jwk(&self) -> Result<Jwk> {
        let pkey = self.pkey()?;
        let failed = Error::crypto("read the public key");
        match self.algorithm() {
            Some(KeyAlgorithm::Rsa { .. }) => {
                let rsa = pkey.rsa().map_err(failed)?;
                let number = |number: &openssl::bn::BigNumRef| base64url(&number.to_vec());
                let (e, n) = (number(rsa.e()), number(rsa.n()));
                Ok(Jwk(vec![("e", e), ("kty", "RSA".into()), ("n", n)]))
            }
            Some(KeyAlgorithm::Ecdsa(curve)) => {
                let (x, y) = pkey
                    .ec_key()
                    .and_then(|key| coordinates(&key, curve))
                    .map_err(failed)?;
                Ok(Jwk(vec![
                    ("crv", curve.to_string()),
                    ("kty", "EC".into()),
                    ("x", x),
                    ("y", y),
                ]))
            }
            Some(KeyAlgorithm::Ed25519) => {
                let x = base64url(&pkey.raw_public_key().map_err(failed)?);
                Ok(Jwk(vec![
                    ("crv", "Ed25519".into()),
                    ("kty", "OKP".into()),
                    ("x", x),
                ]))
            }
            Some(KeyAlgorithm::Ed448) | None => Err(unsupported(self.algorithm())),
        }
    }
}

impl PrivateKey {
    /// The `alg` of its signatures: `ES256`, `ES384`, `ES512`, `RS256` or `EdDSA`.
    ///
    /// # Errors
    /// [`Error::KeyUnsupported`] for Ed448.
    pub fn jws_algorithm(&self) -> Result<&'static str> {
        match self.algorithm()? {
            KeyAlgorithm::Rsa { .. } => Ok("RS256"),
            KeyAlgorithm::Ecdsa(Curve::P256) => Ok("ES256"),
            KeyAlgorithm::Ecdsa(Curve::P384) => Ok("ES384"),
            KeyAlgorithm::Ecdsa(Curve::P521) => Ok("ES512"),
            KeyAlgorithm::Ed25519 => Ok("EdDSA"),
            other @ KeyAlgorithm::Ed448 => Err(unsupported(Some(other))),
        }
    }

    /// The signature of `data`, in the form of JWS (RFC 7518 §3.3, §3.4; RFC 8037 §3.1).
    ///
    /// # Errors
    /// [`Error::KeyUnsupported`] for Ed448, [`Error::Crypto`].
    pub fn jws_sign(&self, data: &[u8]) -> Result<Vec<u8>> {
        let signed = match self.algorithm()? {
            KeyAlgorithm::Rsa { .. } => self.with_digest(MessageDigest::sha256(), data),
            KeyAlgorithm::Ecdsa(curve) => self
                .with_digest(digest_of(curve), data)
                .and_then(|der| raw(&der, curve)),
            KeyAlgorithm::Ed25519 => Signer::new_without_digest(self.pkey())
                .and_then(|mut signer| signer.sign_oneshot_to_vec(data)),
            other @ KeyAlgorithm::Ed448 => return Err(unsupported(Some(other))),
        };
        signed.map_err(Error::crypto("sign"))
    }

    fn with_digest(&self, digest: MessageDigest, data: &[u8]) -> Result<Vec<u8>, ErrorStack> {
        Signer::new(digest, self.pkey())?.sign_oneshot_to_vec(data)
    }

    /// Reads a private key whose members `member` gives by name, as base64url.
    ///
    /// # Errors
    /// [`Error::Malformed`] naming the member that is missing or wrong, [`Error::KeyUnsupported`].
    pub fn from_jwk<'a>(member: impl Fn(&str) -> Option<&'a str>) -> Result<Self> {
        let text = |name: &str| {
            member(name).ok_or_else(|| Error::malformed(WHAT, format!("it has no member '{name}'")))
        };
        let bytes = |name: &str| from_base64url(WHAT, text(name)?).map(Zeroizing::new);
        let damaged = |_: ErrorStack| Error::malformed(WHAT, "its numbers are not those of a key");
        let pkey = match text("kty")? {
            "RSA" => {
                let names = ["n", "e", "d", "p", "q", "dp", "dq", "qi"];
                let numbers: Vec<_> = names.into_iter().map(bytes).collect::<Result<_>>()?;
                rsa_key(&numbers).map_err(damaged)?
            }
            "EC" => {
                let curve: Curve = text("crv")?.parse()?;
                ec_key(curve, &bytes("x")?, &bytes("y")?, &bytes("d")?).map_err(damaged)?
            }
            "OKP" if text("crv")? == "Ed25519" => {
                PKey::private_key_from_raw_bytes(&bytes("d")?, Id::ED25519).map_err(damaged)?
            }
            other => {
                return Err(Error::KeyUnsupported {
                    algorithm: other.to_owned(),
                });
            }
        };
        Self::from_pkey(pkey)
    }
}

fn unsupported(algorithm: Option<KeyAlgorithm>) -> Error {
    Error::KeyUnsupported {
        algorithm: algorithm.map_or_else(|| "foreign".to_owned(), |known| known.to_string()),
    }
}

fn digest_of(curve: Curve) -> MessageDigest {
    match curve {
        Curve::P256 => MessageDigest::sha256(),
        Curve::P384 => MessageDigest::sha384(),
        Curve::P521 => MessageDigest::sha512(),
    }
}

/// Bytes of a coordinate, and of each half of a signature.
fn width(curve: Curve) -> i32 {
    match curve {
        Curve::P256 => 32,
        Curve::P384 => 48,
        Curve::P521 => 66,
    }
}

/// r and s one after the other, of constant width.
fn raw(der: &[u8], curve: Curve) -> Result<Vec<u8>, ErrorStack> {
    let signature = EcdsaSig::from_der(der)?;
    let mut raw = signature.r().to_vec_padded(width(curve))?;
    raw.extend(signature.s().to_vec_padded(width(curve))?);
    Ok(raw)
}

fn coordinates(
    key: &openssl::ec::EcKeyRef<openssl::pkey::Public>,
    curve: Curve,
) -> Result<(String, String), ErrorStack> {
    let (mut x, mut y) = (BigNum::new()?, BigNum::new()?);
    let mut context = openssl::bn::BigNumContext::new()?;
    key.public_key()
        .affine_coordinates(key.group(), &mut x, &mut y, &mut context)?;
    let text = |number: &BigNum| Ok(base64url(&number.to_vec_padded(width(curve))?));
    Ok((text(&x)?, text(&y)?))
}

fn rsa_key(numbers: &[Zeroizing<Vec<u8>>]) -> Result<PKey<Private>, ErrorStack> {
    let number =
        |at: usize| BigNum::from_slice(numbers.get(at).map_or(&[][..], |number| number.as_slice()));
    let key = Rsa::from_private_components(
        number(0)?,
        number(1)?,
        number(2)?,
        number(3)?,
        number(4)?,
        number(5)?,
        number(6)?,
        number(7)?,
    )?;
    // What does not belong together would only be noticed by the first one who checks a signature.
    match key.check_key()? {
        true => PKey::from_rsa(key),
        false => Err(ErrorStack::get()),
    }
}

fn ec_key(curve: Curve, x: &[u8], y: &[u8], d: &[u8]) -> Result<PKey<Private>, ErrorStack> {
    let group = EcGroup::from_curve_name(curve.nid())?;
    let mut context = openssl::bn::BigNumContext::new()?;
    let mut point = EcPoint::new(&group)?;
    point.set_affine_coordinates_gfp(
        &group,
        &*BigNum::from_slice(x)?,
        &*BigNum::from_slice(y)?,
        &mut context,
    )?;
    let d = BigNum::from_slice(d)?;
    PKey::from_ec_key(EcKey::from_private_components(&group, &d, &point)?)
}

#[cfg(test)]
mod tests;
