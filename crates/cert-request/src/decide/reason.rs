// SPDX-License-Identifier: Apache-2.0
//! Why something is to be done, as data.

use serde_json::{Value, json};

use crate::request::RenewOn;

/// The kind of a reason; the words are part of the result.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum ReasonKind {
    /// Owner, group, mode or context differ.
    Attributes,
    /// The certificates above differ.
    Chain,
    /// The end is near or past.
    Expiry,
    /// `renew.force`.
    Forced,
    /// Another issuer, or another key of it.
    Issuer,
    /// Another algorithm or size, another key in a file, or another form of it.
    Key,
    /// Key and certificate do not belong together.
    Mismatch,
    /// A file is not there.
    Missing,
    /// The alternative names differ.
    Names,
    /// The clock says that the certificate is not valid yet.
    NotYetValid,
    /// The issuer would like it to be renewed (RFC 9773).
    RenewalInformation,
    /// The authority refused the last request, or could not be reached.
    Refused,
    /// The issuer revoked it.
    Revoked,
    /// The subject differs.
    Subject,
    /// certmonger does not track it, or does with other commands, flags or owners.
    Tracking,
    /// A file is there and not what it should be.
    Unreadable,
    /// Key usages, extended key usages or must-staple differ.
    Usages,
}

impl ReasonKind {
    /// The word of the result.
    pub fn word(self) -> &'static str {
        match self {
            Self::Attributes => "attributes",
            Self::Chain => "chain",
            Self::Expiry => "expiry",
            Self::Forced => "forced",
            Self::Issuer => "issuer",
            Self::Mismatch | Self::Key => "key",
            Self::Missing => "missing",
            Self::Names => "names",
            Self::NotYetValid => "not_yet_valid",
            Self::RenewalInformation => "renewal_information",
            Self::Refused => "refused",
            Self::Revoked => "revoked",
            Self::Subject => "subject",
            Self::Tracking => "tracking",
            Self::Unreadable => "unreadable",
            Self::Usages => "usages",
        }
    }

    /// The word of `renew.on` that governs it; `None`: it always counts.
    pub fn renew_on(self) -> Option<RenewOn> {
        match self {
            Self::Expiry | Self::RenewalInformation => Some(RenewOn::Expiry),
            Self::Issuer => Some(RenewOn::Issuer),
            Self::Key => Some(RenewOn::Key),
            Self::Names | Self::Subject | Self::Usages => Some(RenewOn::Names),
            Self::Revoked => Some(RenewOn::Revoked),
            Self::Attributes
            | Self::Chain
            | Self::Forced
            | Self::Mismatch
            | Self::Missing
            | Self::NotYetValid
            | Self::Refused
            | Self::Tracking
            | Self::Unreadable => None,
        }
    }
}

/// One reason.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reason {
    /// Its kind.
    pub kind: ReasonKind,
    /// The facts, for people.
    pub detail: String,
}

impl Reason {
    /// A reason.
    pub fn new(kind: ReasonKind, detail: impl Into<String>) -> Self {
        Self {
            kind,
            detail: detail.into(),
        }
    }

    /// As in the result.
    pub fn to_json(&self) -> Value {
        json!({"kind": self.kind.word(), "detail": self.detail})
    }
}
