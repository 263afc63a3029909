// SPDX-License-Identifier: Apache-2.0
//! Public keys, as SubjectPublicKeyInfo (RFC 5280 §4.1.2.7).

use openssl::pkey::{PKey, Public};

use crate::{Error, KeyAlgorithm, Result, der, pem};

/// What a public key is called in messages.
const WHAT: &str = "public key";

/// A public key: its SubjectPublicKeyInfo, byte for byte. Keys of algorithms that we do not make are
/// kept as well, because certificates of others have them.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct PublicKey {
    spki_der: Vec<u8>,
    /// SHA-1 of the BIT STRING's content.
    key_identifier: [u8; 20],
}

impl PublicKey {
    /// From the DER of a SubjectPublicKeyInfo.
    ///
    /// # Errors
    /// [`Error::Malformed`] or [`Error::Truncated`] if it is not one.
    pub fn from_spki_der(spki_der: &[u8]) -> Result<Self> {
        der::check_complete(spki_der, WHAT)?;
        match der::read_sequence(spki_der).as_deref() {
            Some([algorithm, key])
                if algorithm.tag == 0x30 && key.tag == 0x03 && !key.content.is_empty() =>
            {
                Ok(Self {
                    spki_der: spki_der.to_vec(),
                    // Without the count of unused bits (RFC 5280 §4.2.1.2).
                    key_identifier: openssl::sha::sha1(&key.content[1..]),
                })
            }
            _ => Err(Error::malformed(WHAT, "it is not a SubjectPublicKeyInfo")),
        }
    }

    /// The DER of the SubjectPublicKeyInfo.
    pub fn spki_der(&self) -> &[u8] {
        &self.spki_der
    }

    /// What it is; `None` if it is nothing that we make.
    pub fn algorithm(&self) -> Option<KeyAlgorithm> {
        self.pkey().ok().and_then(|pkey| KeyAlgorithm::of(&pkey))
    }

    /// SHA-256 of the SubjectPublicKeyInfo.
    pub fn sha256(&self) -> [u8; 32] {
        openssl::sha::sha256(&self.spki_der)
    }

    /// SHA-1 of the BIT STRING's content, a name and no security measure (RFC 5280 §4.2.1.2 method 1).
    pub fn key_identifier(&self) -> [u8; 20] {
        self.key_identifier
    }

    /// `PUBLIC KEY` in PEM.
    pub fn to_pem(&self) -> String {
        pem::encode("PUBLIC KEY", &self.spki_der)
    }

    /// For OpenSSL's own functions.
    pub(crate) fn pkey(&self) -> Result<PKey<Public>> {
        PKey::public_key_from_der(&self.spki_der).map_err(Error::crypto("read the public key"))
    }
}
