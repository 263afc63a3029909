// SPDX-License-Identifier: Apache-2.0
//! Private keys: making, reading, writing, signing.

use std::fmt;

use openssl::ec::{EcGroup, EcKey};
use openssl::hash::MessageDigest;
use openssl::nid::Nid;
use openssl::pkey::{HasPublic, Id, PKey, PKeyRef, Private};
use openssl::rsa::Rsa;
use openssl::sign::Signer;
use openssl::symm::Cipher;
use zeroize::Zeroizing;

use crate::{Error, PublicKey, Result, pem};

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

impl fmt::Display for Curve {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::P256 => "P-256",
            Self::P384 => "P-384",
            Self::P521 => "P-521",
        })
    }
}

/// What a key is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum KeyAlgorithm {
    /// RSA with this many bits of modulus.
    Rsa {
        /// 2048 to 8192.
        bits: u32,
    },
    /// ECDSA on a curve.
    Ecdsa(Curve),
    /// EdDSA on Curve25519 (RFC 8410).
    Ed25519,
    /// EdDSA on Curve448 (RFC 8410).
    Ed448,
}

/// How a private key is written in PEM.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum KeyFormat {
    /// `PRIVATE KEY` or `ENCRYPTED PRIVATE KEY` (RFC 5958).
    Pkcs8,
    /// `RSA PRIVATE KEY` (PKCS#1) or `EC PRIVATE KEY` (SEC1); RSA and ECDSA only.
    Traditional,
}

/// A private key. `Debug` shows its algorithm only; OpenSSL clears the memory when it is dropped.
#[derive(Clone)]
pub struct PrivateKey {
    pkey: PKey<Private>,
}
impl KeyAlgorithm {
    /// From the options of a module.
    pub fn from_options(algorithm: &str, size: Option<u32>, curve: Option<&str>) -> Result<Self> {
        let _ = (size, curve);
        Err(Error::invalid("key algorithm", algorithm, "x"))
    }
}
impl fmt::Display for KeyAlgorithm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let _ = f;
        Ok(())
    }
}
impl PrivateKey {
    /// Makes a key.
    pub fn generate(algorithm: KeyAlgorithm) -> Result<Self> {
        let _ = algorithm;
        Err(Error::KeyEncrypted)
    }
    /// Reads a key.
    pub fn from_pem(text: &[u8], passphrase: Option<&[u8]>) -> Result<Self> {
        let _ = (text, passphrase);
        Err(Error::KeyEncrypted)
    }
    /// Writes a key.
    pub fn to_pem(
        &self,
        format: KeyFormat,
        passphrase: Option<&[u8]>,
    ) -> Result<Zeroizing<Vec<u8>>> {
        let _ = (format, passphrase);
        Err(Error::KeyEncrypted)
    }
    /// What it is.
    pub fn algorithm(&self) -> Result<KeyAlgorithm> {
        Err(Error::KeyEncrypted)
    }
    /// Its public half.
    pub fn public_key(&self) -> Result<PublicKey> {
        Err(Error::KeyEncrypted)
    }
    /// From unencrypted PKCS#8 DER.
    pub fn from_pkcs8_der(der: &[u8]) -> Result<Self> {
        let _ = der;
        Err(Error::KeyEncrypted)
    }
    /// Unencrypted PKCS#8 DER.
    pub fn to_pkcs8_der(&self) -> Result<Zeroizing<Vec<u8>>> {
        Err(Error::KeyEncrypted)
    }
    /// For OpenSSL's own functions.
    pub(crate) fn pkey(&self) -> &PKey<Private> {
        &self.pkey
    }
    /// From OpenSSL's own functions; checks that we support the algorithm.
    pub(crate) fn from_pkey(pkey: PKey<Private>) -> Result<Self> {
        Ok(Self { pkey })
    }
    /// The DER of the AlgorithmIdentifier that `sign` uses.
    pub(crate) fn signature_algorithm_der(&self) -> Result<Vec<u8>> {
        Err(Error::KeyEncrypted)
    }
    /// Signs; the signature as it goes into the BIT STRING.
    pub(crate) fn sign(&self, message: &[u8]) -> Result<Vec<u8>> {
        let _ = message;
        Err(Error::KeyEncrypted)
    }
    /// `SEQUENCE { tbs, algorithm, signature }`: the frame of certificates, requests and CRLs.
    pub(crate) fn sign_structure(&self, tbs: Vec<u8>) -> Result<Vec<u8>> {
        let _ = tbs;
        Err(Error::KeyEncrypted)
    }
}
impl fmt::Debug for PrivateKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PrivateKey")
    }
}
