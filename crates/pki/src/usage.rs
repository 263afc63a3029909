// SPDX-License-Identifier: Apache-2.0
//! What a key may be used for.

use std::fmt;
use std::str::FromStr;

use crate::{Error, Oid, Result};

/// A bit of the key usage extension (RFC 5280 §4.2.1.3), in the order of the bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum KeyUsage {
    /// digitalSignature (0).
    DigitalSignature,
    /// nonRepudiation, also called contentCommitment (1).
    NonRepudiation,
    /// keyEncipherment (2).
    KeyEncipherment,
    /// dataEncipherment (3).
    DataEncipherment,
    /// keyAgreement (4).
    KeyAgreement,
    /// keyCertSign (5).
    KeyCertSign,
    /// cRLSign (6).
    CrlSign,
    /// encipherOnly (7).
    EncipherOnly,
    /// decipherOnly (8).
    DecipherOnly,
}

/// Bit order; RFC 5280 name; OpenSSL's long name.
const KEY_USAGES: [(KeyUsage, &str, &str); 9] = [
    (
        KeyUsage::DigitalSignature,
        "digitalSignature",
        "Digital Signature",
    ),
    (
        KeyUsage::NonRepudiation,
        "nonRepudiation",
        "Non Repudiation",
    ),
    (
        KeyUsage::KeyEncipherment,
        "keyEncipherment",
        "Key Encipherment",
    ),
    (
        KeyUsage::DataEncipherment,
        "dataEncipherment",
        "Data Encipherment",
    ),
    (KeyUsage::KeyAgreement, "keyAgreement", "Key Agreement"),
    (KeyUsage::KeyCertSign, "keyCertSign", "Certificate Sign"),
    (KeyUsage::CrlSign, "cRLSign", "CRL Sign"),
    (KeyUsage::EncipherOnly, "encipherOnly", "Encipher Only"),
    (KeyUsage::DecipherOnly, "decipherOnly", "Decipher Only"),
];

impl KeyUsage {
    /// All, in the order of their bits.
    pub const ALL: [Self; 9] = [
        Self::DigitalSignature,
        Self::NonRepudiation,
        Self::KeyEncipherment,
        Self::DataEncipherment,
        Self::KeyAgreement,
        Self::KeyCertSign,
        Self::CrlSign,
        Self::EncipherOnly,
        Self::DecipherOnly,
    ];

    /// Number of its bit, 0 for digitalSignature.
    pub fn bit(self) -> u8 {
        self as u8
    }
}

impl fmt::Display for KeyUsage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(KEY_USAGES[usize::from(self.bit())].1)
    }
}

/// Letters only, lower case: `key_cert_sign`, `keyCertSign` and `Key Cert Sign` are one.
fn folded(text: &str) -> String {
    text.chars()
        .filter(char::is_ascii_alphanumeric)
        .map(|c| c.to_ascii_lowercase())
        .collect()
}

/// RFC 5280 names, snake_case, and OpenSSL's long names ("Certificate Sign"), which OpenStack-Ansible uses.
impl FromStr for KeyUsage {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let wanted = folded(text);
        if wanted == "contentcommitment" {
            return Ok(Self::NonRepudiation);
        }
        KEY_USAGES
            .iter()
            .find(|(_, rfc, long)| folded(rfc) == wanted || folded(long) == wanted)
            .map(|(usage, ..)| *usage)
            .ok_or_else(|| {
                let names: Vec<&str> = KEY_USAGES.iter().map(|(_, rfc, _)| *rfc).collect();
                Error::invalid(
                    "key usage",
                    text,
                    format!("use one of {}", names.join(", ")),
                )
            })
    }
}

/// A purpose of the extended key usage extension (RFC 5280 §4.2.1.12).
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ExtendedKeyUsage {
    /// id-kp-serverAuth.
    ServerAuth,
    /// id-kp-clientAuth.
    ClientAuth,
    /// id-kp-codeSigning.
    CodeSigning,
    /// id-kp-emailProtection.
    EmailProtection,
    /// id-kp-timeStamping.
    TimeStamping,
    /// id-kp-OCSPSigning.
    OcspSigning,
    /// anyExtendedKeyUsage.
    Any,
    /// Any other, by its identifier.
    Other(Oid),
}

/// Purpose; identifier; RFC 5280 name; OpenSSL's long name.
const PURPOSES: [(ExtendedKeyUsage, &str, &str, &str); 7] = [
    (
        ExtendedKeyUsage::ServerAuth,
        "1.3.6.1.5.5.7.3.1",
        "serverAuth",
        "TLS Web Server Authentication",
    ),
    (
        ExtendedKeyUsage::ClientAuth,
        "1.3.6.1.5.5.7.3.2",
        "clientAuth",
        "TLS Web Client Authentication",
    ),
    (
        ExtendedKeyUsage::CodeSigning,
        "1.3.6.1.5.5.7.3.3",
        "codeSigning",
        "Code Signing",
    ),
    (
        ExtendedKeyUsage::EmailProtection,
        "1.3.6.1.5.5.7.3.4",
        "emailProtection",
        "E-mail Protection",
    ),
    (
        ExtendedKeyUsage::TimeStamping,
        "1.3.6.1.5.5.7.3.8",
        "timeStamping",
        "Time Stamping",
    ),
    (
        ExtendedKeyUsage::OcspSigning,
        "1.3.6.1.5.5.7.3.9",
        "OCSPSigning",
        "OCSP Signing",
    ),
    (
        ExtendedKeyUsage::Any,
        "2.5.29.37.0",
        "anyExtendedKeyUsage",
        "Any Extended Key Usage",
    ),
];

impl ExtendedKeyUsage {
    /// Its object identifier.
    pub fn oid(&self) -> Oid {
        match self {
            Self::Other(oid) => oid.clone(),
            Self::ServerAuth => Oid::known(PURPOSES[0].1),
            Self::ClientAuth => Oid::known(PURPOSES[1].1),
            Self::CodeSigning => Oid::known(PURPOSES[2].1),
            Self::EmailProtection => Oid::known(PURPOSES[3].1),
            Self::TimeStamping => Oid::known(PURPOSES[4].1),
            Self::OcspSigning => Oid::known(PURPOSES[5].1),
            Self::Any => Oid::known(PURPOSES[6].1),
        }
    }
}

/// A known identifier becomes its name, so that equal purposes are equal.
impl From<Oid> for ExtendedKeyUsage {
    fn from(oid: Oid) -> Self {
        match PURPOSES.iter().find(|(_, known, ..)| oid == *known) {
            Some((purpose, ..)) => purpose.clone(),
            None => Self::Other(oid),
        }
    }
}

impl fmt::Display for ExtendedKeyUsage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match PURPOSES.iter().find(|(purpose, ..)| purpose == self) {
            Some((_, _, name, _)) => f.write_str(name),
            None => self.oid().fmt(f),
        }
    }
}

/// RFC 5280 names, snake_case, OpenSSL's long names, dotted identifiers.
impl FromStr for ExtendedKeyUsage {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let wanted = folded(text);
        let known = PURPOSES
            .iter()
            .find(|(_, _, rfc, long)| folded(rfc) == wanted || folded(long) == wanted);
        if let Some((purpose, ..)) = known {
            return Ok(purpose.clone());
        }
        if wanted == "any" {
            return Ok(Self::Any);
        }
        text.trim().parse::<Oid>().map(Self::from).map_err(|_| {
            let names: Vec<&str> = PURPOSES.iter().map(|(_, _, rfc, _)| *rfc).collect();
            let rule = format!("use one of {} or a dotted identifier", names.join(", "));
            Error::invalid("extended key usage", text, rule)
        })
    }
}

#[cfg(test)]
mod tests;
