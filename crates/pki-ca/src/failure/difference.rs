// SPDX-License-Identifier: Apache-2.0
//! Where an authority on disk is not what is wished.

use crate::names::AuthorityName;

/// A difference between a wished authority and the one that exists.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    /// The option.
    pub what: &'static str,
    /// What the certificate or key on disk has.
    pub existing: String,
    /// What the task asks for.
    pub wished: String,
}

impl std::fmt::Display for Difference {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "{} is '{}', wished is '{}'",
            self.what, self.existing, self.wished
        )
    }
}

/// Which option heals a drift: only a new key heals another algorithm.
pub(super) fn drift_hint(authority: &AuthorityName, differences: &[Difference]) -> String {
    let option = if differences
        .iter()
        .any(|difference| difference.what == "key")
    {
        "regenerate_key"
    } else {
        "regenerate"
    };
    format!("correct the wish, or replace the certificate with '{option}: {authority}'")
}

pub(super) fn list(differences: &[Difference]) -> String {
    let each: Vec<String> = differences.iter().map(ToString::to_string).collect();
    each.join("; ")
}
