// SPDX-License-Identifier: Apache-2.0
//! Secrets of AppRole for hosts, wrapped: what the server gives is a token that can be exchanged for the secret once and
//! soon. It goes into a file that only its owner reads, never into the answer of the module.

use std::path::PathBuf;

use super::params::Given;

/// When a secret is issued.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Issue {
    /// When its file is not there.
    Missing,
    /// Also when the token in the file cannot be exchanged any more.
    Spent,
    /// In every run.
    Always,
}

impl Issue {
    /// The word of the option.
    pub fn new(word: &str) -> Self {
        match word {
            "always" => Self::Always,
            "spent" => Self::Spent,
            _ => Self::Missing,
        }
    }
}

impl SecretIdWish {
    /// The name of the role.
    pub fn role_name(&self) -> &str {
        self.role.rsplit('/').next().unwrap_or(&self.role)
    }
}

/// One wished secret.
#[derive(Clone, Debug, PartialEq)]
pub struct SecretIdWish {
    /// For whom.
    pub name: String,
    /// The role in the API: `auth/approle/role/hosts`.
    pub role: String,
    /// Its option, for messages.
    pub option: String,
    /// The file.
    pub path: PathBuf,
    /// Owner of the file.
    pub owner: Option<u32>,
    /// Group of the file.
    pub group: Option<u32>,
    /// When it is issued.
    pub issue: Issue,
    /// How many seconds it can be exchanged.
    pub wrap_ttl: u64,
    /// What the server is told.
    pub body: Given,
}
