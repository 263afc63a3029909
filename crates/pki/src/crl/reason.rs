// SPDX-License-Identifier: Apache-2.0
//! The reasons of RFC 5280 §5.3.1.

use std::fmt;
use std::str::FromStr;

use super::{Error, Result};

/// Why a certificate was revoked (RFC 5280 §5.3.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum RevocationReason {
    /// No reason given; written as no reason at all, as the RFC recommends.
    Unspecified,
    /// The certificate's private key is known or feared to be in other hands.
    KeyCompromise,
    /// The same of the authority's key.
    CaCompromise,
    /// Name or other facts of the subject have changed.
    AffiliationChanged,
    /// Replaced by another certificate.
    Superseded,
    /// No longer needed.
    CessationOfOperation,
    /// On hold for a while.
    CertificateHold,
    /// No longer on hold; in delta lists only.
    RemoveFromCrl,
    /// A privilege in the certificate was withdrawn.
    PrivilegeWithdrawn,
    /// As `KeyCompromise` for an attribute authority.
    AaCompromise,
}

impl RevocationReason {
    /// Every reason.
    pub const ALL: [Self; 10] = [
        Self::Unspecified,
        Self::KeyCompromise,
        Self::CaCompromise,
        Self::AffiliationChanged,
        Self::Superseded,
        Self::CessationOfOperation,
        Self::CertificateHold,
        Self::RemoveFromCrl,
        Self::PrivilegeWithdrawn,
        Self::AaCompromise,
    ];

    /// The RFC's word, such as `keyCompromise`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Unspecified => "unspecified",
            Self::KeyCompromise => "keyCompromise",
            Self::CaCompromise => "cACompromise",
            Self::AffiliationChanged => "affiliationChanged",
            Self::Superseded => "superseded",
            Self::CessationOfOperation => "cessationOfOperation",
            Self::CertificateHold => "certificateHold",
            Self::RemoveFromCrl => "removeFromCRL",
            Self::PrivilegeWithdrawn => "privilegeWithdrawn",
            Self::AaCompromise => "aACompromise",
        }
    }

    /// The value of CRLReason.
    pub fn code(self) -> u8 {
        match self {
            Self::Unspecified => 0,
            Self::KeyCompromise => 1,
            Self::CaCompromise => 2,
            Self::AffiliationChanged => 3,
            Self::Superseded => 4,
            Self::CessationOfOperation => 5,
            Self::CertificateHold => 6,
            Self::RemoveFromCrl => 8,
            Self::PrivilegeWithdrawn => 9,
            Self::AaCompromise => 10,
        }
    }

    pub(super) fn from_code(code: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|reason| reason.code() == code)
    }
}

impl fmt::Display for RevocationReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// The RFC's names in any case, also as `key_compromise`, `key-compromise` or `ca_compromise`.
impl FromStr for RevocationReason {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let letters = |text: &str| -> String {
            let kept = text.chars().filter(|c| !matches!(c, '_' | '-' | ' '));
            kept.collect::<String>().to_ascii_lowercase()
        };
        let wanted = letters(text);
        Self::ALL
            .into_iter()
            .find(|reason| letters(reason.name()) == wanted)
            .ok_or_else(|| Error::UnknownReason {
                given: text.to_owned(),
            })
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn reasons_are_read_in_every_usual_spelling() {
        for reason in RevocationReason::ALL {
            assert_eq!(reason.name().parse::<RevocationReason>().unwrap(), reason);
            assert_eq!(RevocationReason::from_code(reason.code()), Some(reason));
        }
        for spelling in [
            "key_compromise",
            "KeyCompromise",
            "key-compromise",
            "keycompromise",
        ] {
            let reason: RevocationReason = spelling.parse().unwrap();
            assert_eq!(reason, RevocationReason::KeyCompromise);
        }
        assert_eq!(
            "ca_compromise".parse::<RevocationReason>().unwrap(),
            RevocationReason::CaCompromise
        );
        let unknown = "stolen".parse::<RevocationReason>().unwrap_err();
        assert!(unknown.to_string().contains("'stolen'"));
        assert!(unknown.to_string().contains("cessationOfOperation"));
    }
}
