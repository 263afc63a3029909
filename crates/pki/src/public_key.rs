// SPDX-License-Identifier: Apache-2.0
//! Public keys, as SubjectPublicKeyInfo (RFC 5280 §4.1.2.7).

use openssl::pkey::{PKey, Public};

use crate::{Curve, Error, KeyAlgorithm, Oid, Result, der, pem};

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
        // A no-change run asks this of every certificate, and OpenSSL's decoder takes longer than all the rest of it.
        self.plain_algorithm()
            .or_else(|| KeyAlgorithm::of(&*self.pkey().ok()?))
    }

    /// What the AlgorithmIdentifier says, in the forms of RFC 3279 §2.3.1, RFC 5480 §2.1 and RFC 8410 §3; `None` for
    /// any other, such as a curve that is written out.
    fn plain_algorithm(&self) -> Option<KeyAlgorithm> {
        let parts = der::read_sequence(&self.spki_der)?;
        let [algorithm, key] = parts.as_slice() else {
            return None;
        };
        let identifier = der::read_elements(algorithm.content)?;
        let oid = Oid::from_der_content(identifier.first()?.content).ok()?;
        let (unused_bits, key) = key.content.split_first()?;
        match (oid.as_str(), identifier.get(1), key.len()) {
            _ if *unused_bits != 0 => None,
            ("1.2.840.113549.1.1.1", _, _) => rsa_bits(key).map(|bits| KeyAlgorithm::Rsa { bits }),
            ("1.2.840.10045.2.1", Some(curve), _) if curve.tag == 0x06 => {
                named_curve(&Oid::from_der_content(curve.content).ok()?).map(KeyAlgorithm::Ecdsa)
            }
            ("1.3.101.112", None, 32) => Some(KeyAlgorithm::Ed25519),
            ("1.3.101.113", None, 57) => Some(KeyAlgorithm::Ed448),
            _ => None,
        }
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

/// The bits of the modulus in an RSAPublicKey (RFC 8017 §A.1.1).
fn rsa_bits(key: &[u8]) -> Option<u32> {
    let numbers = der::read_sequence(key)?;
    let modulus = numbers
        .first()
        .filter(|number| number.tag == 0x02 && numbers.len() == 2)?;
    let zeros = modulus
        .content
        .iter()
        .take_while(|byte| **byte == 0)
        .count();
    let (first, rest) = modulus.content.get(zeros..)?.split_first()?;
    u32::try_from(rest.len() * 8)
        .ok()
        .map(|bits| bits + first.ilog2() + 1)
}

/// RFC 5480 §2.1.1.1.
fn named_curve(oid: &Oid) -> Option<Curve> {
    match oid.as_str() {
        "1.2.840.10045.3.1.7" => Some(Curve::P256),
        "1.3.132.0.34" => Some(Curve::P384),
        "1.3.132.0.35" => Some(Curve::P521),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]

    use super::*;
    use crate::PrivateKey;

    fn by_openssl(key: &PublicKey) -> Option<KeyAlgorithm> {
        KeyAlgorithm::of(&key.pkey().unwrap())
    }

    #[test]
    fn the_identifier_says_what_openssl_says() {
        let mut keys: Vec<_> = [
            KeyAlgorithm::Rsa { bits: 2048 },
            KeyAlgorithm::Rsa { bits: 2050 },
            KeyAlgorithm::Ecdsa(Curve::P256),
            KeyAlgorithm::Ecdsa(Curve::P384),
            KeyAlgorithm::Ecdsa(Curve::P521),
            KeyAlgorithm::Ed25519,
            KeyAlgorithm::Ed448,
        ]
        .into_iter()
        .map(|algorithm| PrivateKey::generate(algorithm).unwrap())
        .collect();
        let largest = include_bytes!("../testdata/rsa8192.key");
        keys.push(PrivateKey::from_pem(largest, None).unwrap());
        for key in keys {
            let public = key.public_key().unwrap();
            assert_eq!(public.plain_algorithm(), by_openssl(&public));
            assert_eq!(public.plain_algorithm(), key.algorithm().ok());
        }
    }

    /// RFC 3279 §2.3.5 allows to write the curve out, and a small key of others is told by its size.
    #[test]
    fn other_forms_are_left_to_openssl_or_named() {
        use openssl::ec::{Asn1Flag, EcGroup, EcKey};
        let key_of = |group: &EcGroup| {
            let pkey = PKey::from_ec_key(EcKey::generate(group).unwrap()).unwrap();
            PublicKey::from_spki_der(&pkey.public_key_to_der().unwrap()).unwrap()
        };
        let mut group = EcGroup::from_curve_name(openssl::nid::Nid::X9_62_PRIME256V1).unwrap();
        group.set_asn1_flag(Asn1Flag::EXPLICIT_CURVE);
        let written_out = key_of(&group);
        assert_eq!(written_out.plain_algorithm(), None);
        assert_eq!(written_out.algorithm(), by_openssl(&written_out));
        let foreign = EcGroup::from_curve_name(openssl::nid::Nid::SECP256K1).unwrap();
        assert_eq!(key_of(&foreign).algorithm(), None);
        let small = PKey::from_rsa(openssl::rsa::Rsa::generate(1024).unwrap());
        let small = small.unwrap().public_key_to_der().unwrap();
        let small = PublicKey::from_spki_der(&small).unwrap();
        assert_eq!(small.algorithm(), Some(KeyAlgorithm::Rsa { bits: 1024 }));
    }
}
