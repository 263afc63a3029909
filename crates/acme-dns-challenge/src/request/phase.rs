// SPDX-License-Identifier: Apache-2.0
//! What a task does.

/// Which steps of the way a task goes, or what else it does at the server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// All steps of the way to certificates.
    All,
    /// Order, and say which records are wanted.
    Request,
    /// Write records that other tasks want.
    Publish,
    /// Wait until they can be seen.
    Wait,
    /// Have the names validated, and fetch the certificates.
    Complete,
    /// Remove records.
    Cleanup,
    /// Revoke certificates.
    Revoke,
    /// Give up what names have proved, or were to prove.
    DeactivateAuthz,
    /// Give the account another key.
    Rollover,
    /// Give the account up.
    DeactivateAccount,
}

impl Phase {
    /// Every phase.
    pub const ALL: [Self; 10] = [
        Self::All,
        Self::Request,
        Self::Publish,
        Self::Wait,
        Self::Complete,
        Self::Cleanup,
        Self::Revoke,
        Self::DeactivateAuthz,
        Self::Rollover,
        Self::DeactivateAccount,
    ];

    /// The phase of a word; the table of options allows no other.
    pub fn of(word: &str) -> Self {
        let mut all = Self::ALL.into_iter();
        all.find(|phase| phase.word() == word).unwrap_or(Self::All)
    }

    /// Whether it is about records of other tasks, and no certificate authority is asked.
    pub fn is_of_records(self) -> bool {
        matches!(self, Self::Publish | Self::Wait | Self::Cleanup)
    }

    /// Whether it is about certificates that are wanted.
    pub fn orders(self) -> bool {
        matches!(self, Self::All | Self::Request | Self::Complete)
    }

    /// Whether it is about the account alone.
    pub fn is_of_the_account(self) -> bool {
        matches!(self, Self::Rollover | Self::DeactivateAccount)
    }

    /// Its word.
    pub fn word(self) -> &'static str {
        match self {
            Self::All => "all",
            Self::Request => "request",
            Self::Publish => "publish",
            Self::Wait => "wait",
            Self::Complete => "complete",
            Self::Cleanup => "cleanup",
            Self::Revoke => "revoke",
            Self::DeactivateAuthz => "deactivate_authz",
            Self::Rollover => "rollover",
            Self::DeactivateAccount => "deactivate_account",
        }
    }
}
