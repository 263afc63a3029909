// SPDX-License-Identifier: Apache-2.0
//! Message authentication codes with a shared secret (HMAC, RFC 2104): what TSIG, external account binding and
//! signed requests of web services are made of.

use openssl::hash::MessageDigest;
use openssl::pkey::PKey;
use openssl::sign::Signer;
use std::fmt;
use zeroize::Zeroizing;

use crate::{Error, Result};

/// The hash of an HMAC.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum MacHash {
    /// 20 bytes. Weak as a hash, but not broken in an HMAC; old servers know no other.
    Sha1,
    /// 28 bytes.
    Sha224,
    /// 32 bytes.
    Sha256,
    /// 48 bytes.
    Sha384,
    /// 64 bytes.
    Sha512,
}

impl MacHash {
    /// How many bytes its codes have.
    pub fn size(self) -> usize {
        self.digest().size()
    }

    fn digest(self) -> MessageDigest {
        match self {
            Self::Sha1 => MessageDigest::sha1(),
            Self::Sha224 => MessageDigest::sha224(),
            Self::Sha256 => MessageDigest::sha256(),
            Self::Sha384 => MessageDigest::sha384(),
            Self::Sha512 => MessageDigest::sha512(),
        }
    }
}

/// A shared secret with the hash it is used with. Its bytes are overwritten when it is dropped and never shown.
#[derive(Clone)]
pub struct MacKey {
    hash: MacHash,
    secret: Zeroizing<Vec<u8>>,
}

impl MacKey {
    /// From the secret's bytes, already decoded from the base64 that they usually travel in.
    ///
    /// # Errors
    /// [`Error::Empty`]: a code made with no secret proves nothing.
    pub fn new(hash: MacHash, secret: impl Into<Vec<u8>>) -> Result<Self> {
        let secret = Zeroizing::new(secret.into());
        if secret.is_empty() {
            return Err(Error::Empty {
                what: "shared secret",
            });
        }
        Ok(Self { hash, secret })
    }

    /// The hash.
    pub fn hash(&self) -> MacHash {
        self.hash
    }

    /// The code of these parts, taken as one message.
    ///
    /// # Errors
    /// [`Error::Crypto`] when OpenSSL refuses.
    pub fn code(&self, parts: &[&[u8]]) -> Result<Vec<u8>> {
        let failed = || Error::crypto("compute an HMAC");
        let key = PKey::hmac(&self.secret).map_err(failed())?;
        let mut signer = Signer::new(self.hash.digest(), &key).map_err(failed())?;
        for part in parts {
            signer.update(part).map_err(failed())?;
        }
        signer.sign_to_vec().map_err(failed())
    }

    /// Whether `code` is the whole code of these parts; how long it takes does not tell where they differ.
    ///
    /// # Errors
    /// As [`Self::code`].
    pub fn verify(&self, parts: &[&[u8]], code: &[u8]) -> Result<bool> {
        let right = self.code(parts)?;
        Ok(right.len() == code.len() && openssl::memcmp::eq(&right, code))
    }
}

/// Without the secret.
impl fmt::Debug for MacKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { hash, secret: _ } = self;
        f.debug_struct("MacKey")
            .field("hash", hash)
            .finish_non_exhaustive()
    }
}

/// The SHA-256 of these bytes: what signed requests of web services name their content by, and what challenges of ACME
/// and names of its accounts are made of.
pub fn sha256(bytes: &[u8]) -> [u8; 32] {
    openssl::sha::sha256(bytes)
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    fn hex(bytes: &[u8]) -> String {
        bytes.iter().map(|byte| format!("{byte:02x}")).collect()
    }

    /// <https://www.rfc-editor.org/rfc/rfc2202#section-3> and <https://www.rfc-editor.org/rfc/rfc4231#section-4.3>,
    /// test case 2 of both.
    #[test]
    fn the_codes_of_the_rfcs_come_out() {
        let expected = [
            (MacHash::Sha1, "effcdf6ae5eb2fa2d27416d5f184df9c259a7c79"),
            (
                MacHash::Sha224,
                "a30e01098bc6dbbf45690f3a7e9e6d0f8bbea2a39e6148008fd05e44",
            ),
            (
                MacHash::Sha256,
                "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843",
            ),
            (
                MacHash::Sha384,
                "af45d2e376484031617f78d2b58a6b1b9c7ef464f5a01b47e42ec3736322445e8e2240ca5e69e2c78b3239ecfab21649",
            ),
            (
                MacHash::Sha512,
                "164b7a7bfcf819e2e395fbe73b56e0a387bd64222e831fd610270cd7ea2505549758bf75c05a994a6d034f65f8f0e6fdcaeab1a34d4a6b4b636e070a38bce737",
            ),
        ];
        for (hash, code) in expected {
            let key = MacKey::new(hash, *b"Jefe").unwrap();
            let parts: &[&[u8]] = &[b"what do ya want ", b"", b"for nothing?"];
            let ours = key.code(parts).unwrap();
            assert_eq!(hex(&ours), code, "{hash:?}");
            assert_eq!(ours.len(), hash.size());
            assert!(key.verify(parts, &ours).unwrap());
        }
    }

    #[test]
    fn a_code_that_differs_in_one_bit_or_is_cut_short_is_not_it() {
        let key = MacKey::new(MacHash::Sha256, *b"secret").unwrap();
        let code = key.code(&[b"message"]).unwrap();
        for bit in 0..code.len() * 8 {
            let mut other = code.clone();
            other[bit / 8] ^= 1 << (bit % 8);
            assert!(!key.verify(&[b"message"], &other).unwrap(), "bit {bit}");
        }
        for length in 0..code.len() {
            assert!(
                !key.verify(&[b"message"], &code[..length]).unwrap(),
                "{length} bytes"
            );
        }
        assert!(!key.verify(&[b"massage"], &code).unwrap());
    }

    #[test]
    fn an_empty_secret_is_refused_and_none_is_shown() {
        assert_eq!(
            MacKey::new(MacHash::Sha256, Vec::new())
                .unwrap_err()
                .to_string(),
            "shared secret is empty"
        );
        let key = MacKey::new(MacHash::Sha512, *b"hunter2").unwrap();
        assert_eq!(format!("{key:?}"), "MacKey { hash: Sha512, .. }");
    }

    #[test]
    fn sha256_of_nothing_is_the_known_one() {
        assert_eq!(
            hex(&sha256(b"")),
            "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
        );
    }
}
