// SPDX-License-Identifier: Apache-2.0
//! What can go wrong, said so that an operator knows what to do next.

use crate::Timestamp;

/// The result of this crate.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Every failure of this crate. Variants are named by what the reader must look at.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The certificate and key do not form a usable authority; give a CA certificate.
    #[error("'{subject}' cannot sign certificates: {reason}")]
    Authority {
        /// Subject of the certificate.
        subject: String,
        /// What is missing or wrong.
        reason: String,
    },
    /// OpenSSL refused an operation which has no more specific variant.
    #[error("OpenSSL could not {operation}")]
    Crypto {
        /// What was tried, as an infinitive: "sign".
        operation: &'static str,
        /// OpenSSL's own words.
        #[source]
        source: openssl::error::ErrorStack,
    },
    /// The input holds no bytes, or only white space.
    #[error("{what} is empty")]
    Empty {
        /// What was expected: "certificate", "private key".
        what: &'static str,
    },
    /// The certificate's lifetime is over.
    #[error("certificate '{subject}' expired at {not_after}, now is {now}")]
    Expired {
        /// Subject of the certificate.
        subject: String,
        /// End of its lifetime.
        not_after: Timestamp,
        /// The clock that was compared with.
        now: Timestamp,
    },
    /// An option's value is not acceptable.
    #[error("'{value}' is not a valid {what}: {reason}")]
    Invalid {
        /// What was expected: "DNS name", "key size".
        what: &'static str,
        /// What was given.
        value: String,
        /// The rule that it breaks, with the remedy.
        reason: String,
    },
    /// The private key is encrypted and no passphrase was given.
    #[error("the private key is encrypted; give its passphrase")]
    KeyEncrypted,
    /// Two things that belong together have different public keys.
    #[error("the private key does not match {what}; give the pair that belongs together")]
    KeyMismatch {
        /// What it was compared with: "the certificate 'CN=a'".
        what: String,
    },
    /// The key is of a kind or size that this crate does not handle.
    #[error(
        "a {algorithm} key is not supported; use RSA (2048 to 8192 bits), ECDSA (P-256, P-384, P-521), Ed25519 or Ed448"
    )]
    KeyUnsupported {
        /// What it is, as far as known.
        algorithm: String,
    },
    /// The bytes are not what they should be.
    #[error("{what} cannot be read: {reason}")]
    Malformed {
        /// What was expected: "certificate".
        what: &'static str,
        /// What is wrong with it.
        reason: String,
    },
    /// A certificate would outlive the authority that signs it.
    #[error(
        "a certificate until {not_after} would outlive its authority '{authority}', which ends at {authority_not_after}; ask for less or renew the authority"
    )]
    Outlives {
        /// Subject of the authority.
        authority: String,
        /// End of the authority.
        authority_not_after: Timestamp,
        /// End that was asked for.
        not_after: Timestamp,
    },
    /// The key's passphrase is wrong.
    #[error("the private key cannot be decrypted; the passphrase is wrong")]
    PassphraseWrong,
    /// More than one object where exactly one was expected.
    #[error(
        "expected one {what}, found {count}; give only the first or use the option for a chain"
    )]
    Several {
        /// What was expected.
        what: &'static str,
        /// How many there are.
        count: usize,
    },
    /// The signature does not belong to the content and the key.
    #[error("the signature of {what} is wrong; it was altered or made by another key")]
    SignatureInvalid {
        /// What was checked.
        what: String,
    },
    /// An Ed25519 or Ed448 key has no form older than PKCS#8.
    #[error("an {algorithm} key has no traditional form; use format pkcs8")]
    TraditionalForm {
        /// The algorithm's name.
        algorithm: String,
    },
    /// The text ends inside a PEM block, or its base64 is damaged.
    #[error("{what} is truncated or damaged: {reason}")]
    Truncated {
        /// What was expected.
        what: &'static str,
        /// Where it breaks off.
        reason: String,
    },
    /// The certificate's lifetime has not begun.
    #[error(
        "certificate '{subject}' is not valid before {not_before}, now is {now}; check the clock"
    )]
    NotYetValid {
        /// Subject of the certificate.
        subject: String,
        /// Begin of its lifetime.
        not_before: Timestamp,
        /// The clock that was compared with.
        now: Timestamp,
    },
    /// PEM was found, but of another kind.
    #[error("expected a {expected}, found {found}")]
    WrongBlock {
        /// What was expected: "certificate".
        expected: &'static str,
        /// What is there instead: "a PRIVATE KEY block".
        found: String,
    },
}

impl Error {
    /// A stable name for playbooks, such as `key.encrypted`. Playbooks match on it, so it changes only with a
    /// changelog fragment.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Authority { .. } => "authority.unusable",
            Self::Crypto { .. } => "crypto.failed",
            Self::Empty { .. } => "input.empty",
            Self::Expired { .. } => "certificate.expired",
            Self::Invalid { .. } => "input.invalid",
            Self::KeyEncrypted => "key.encrypted",
            Self::KeyMismatch { .. } => "key.mismatch",
            Self::KeyUnsupported { .. } => "key.unsupported",
            Self::Malformed { .. } => "input.malformed",
            Self::NotYetValid { .. } => "certificate.not_yet_valid",
            Self::Outlives { .. } => "authority.outlived",
            Self::PassphraseWrong => "key.passphrase_wrong",
            Self::Several { .. } => "input.several",
            Self::SignatureInvalid { .. } => "signature.invalid",
            Self::TraditionalForm { .. } => "key.no_traditional_form",
            Self::Truncated { .. } => "input.truncated",
            Self::WrongBlock { .. } => "input.wrong_block",
        }
    }

    /// An OpenSSL failure with the operation that it ended.
    pub(crate) fn crypto(
        operation: &'static str,
    ) -> impl FnOnce(openssl::error::ErrorStack) -> Self {
        move |source| Self::Crypto { operation, source }
    }

    /// A value that breaks a rule.
    pub(crate) fn invalid(
        what: &'static str,
        value: impl Into<String>,
        reason: impl Into<String>,
    ) -> Self {
        Self::Invalid {
            what,
            value: value.into(),
            reason: reason.into(),
        }
    }

    /// Bytes that are not what they should be.
    pub(crate) fn malformed(what: &'static str, reason: impl Into<String>) -> Self {
        Self::Malformed {
            what,
            reason: reason.into(),
        }
    }
}
