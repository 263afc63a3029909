// SPDX-License-Identifier: Apache-2.0
//! A failure as the answer of the module tells it: the stable kind, the remedy, the facts.

use serde_json::{Map, Value, json};

use super::Failure;
use super::difference::drift_hint;
use super::failed::{Failed, root_cause};

impl ansible_module::Failure for Failure {
    fn kind(&self) -> &str {
        match self {
            Self::AuthorityDrift { .. } => "authority.drift",
            Self::AuthorityExpired { .. } => "authority.expired",
            Self::AuthorityInUse { .. } => "authority.in_use",
            Self::AuthorityMissing { .. } => "authority.missing",
            Self::AuthorityNotYetValid { .. } => "authority.not_yet_valid",
            Self::AuthorityOutOfService { .. } => "authority.out_of_service",
            Self::Damaged { .. } => "tree.damaged",
            Self::Dependency { .. } => "authority.dependency",
            Self::Files { source, .. } => source.kind(),
            Self::Input(faults) => faults.kind(),
            Self::KeyForeign { .. } => "authority.key_foreign",
            Self::KeyLost { .. } => "authority.key_lost",
            Self::KeyUnavailable { .. } => "authority.key_unavailable",
            Self::List { .. } => "crl.failed",
            Self::IssuerOutside { .. } => "revoke.issuer_outside",
            Self::NameNotPermitted { .. } => "sign.name_not_permitted",
            Self::NoActiveAuthority => "sign.no_active_authority",
            Self::NoIssuer { .. } => "authority.no_issuer",
            Self::Os { .. } => "tree.os",
            Self::PathLength { .. } => "sign.path_length",
            Self::Pki { source, .. } => source.kind(),
            Self::RevocationForeign { .. } => "revoke.foreign",
            Self::RevocationOfRoot { .. } => "revoke.root",
            Self::Several { failed, .. } => {
                root_cause(failed).map_or("entries.failed", |one| one.failure.kind())
            }
            Self::Unverified { .. } => "sign.unverified",
            Self::Upload { fault, .. } => fault,
            Self::UploadChain { source, .. } => upload_kind(source),
            Self::Vault(failure) => failure.kind(),
        }
    }

    fn hint(&self) -> Option<String> {
        Some(match self {
            Self::AuthorityDrift {
                authority,
                differences,
            } => drift_hint(authority, differences),
            Self::AuthorityExpired { authority, .. } => {
                format!("renew it with 'regenerate: {authority}'")
            }
            Self::AuthorityInUse { .. } => {
                "use state retired until these have expired or are revoked, or give 'force: true'"
                    .to_owned()
            }
            Self::AuthorityMissing { authority, .. } => {
                format!(
                    "list '{authority}' in 'authorities' with state present, or correct the name"
                )
            }
            Self::AuthorityNotYetValid { .. } => "check the clock of this host".to_owned(),
            Self::AuthorityOutOfService { .. } => {
                "name another authority, or set this one's state to present or active".to_owned()
            }
            Self::KeyForeign { authority, .. } => format!(
                "restore the key that belongs to the certificate, or certify this key with 'regenerate: {authority}'"
            ),
            Self::KeyLost { authority, .. } => format!(
                "restore the key from a backup; if there is none, make a new one with 'regenerate_key: {authority}' and reissue all that it invalidates"
            ),
            Self::KeyUnavailable {
                authority,
                problem: "is encrypted",
                ..
            } => {
                format!("list '{authority}' in 'authorities' with its 'key.passphrase'")
            }
            Self::KeyUnavailable { .. } => {
                "bring the key back for this task, then take it away again".to_owned()
            }
            Self::NoActiveAuthority => {
                "give 'authority', or set one authority's state to active".to_owned()
            }
            Self::NoIssuer { .. } => {
                "give its parent; if it is signed outside, use state csr, then state signed"
                    .to_owned()
            }
            Self::Pki {
                source: pki::Error::KeyEncrypted | pki::Error::PassphraseWrong,
                ..
            } => "list the authority in 'authorities' with the right 'key.passphrase'".to_owned(),
            Self::RevocationOfRoot { .. } => {
                "take it out of the trust stores, then use state retired or absent".to_owned()
            }
            Self::Vault(failure) => return failure.hint(),
            Self::Files { source, .. } => return source.hint().map(Into::into),
            Self::Several { failed, .. } => match root_cause(failed) {
                Some(one) => return one.failure.hint(),
                None => "see 'failures' for each entry".to_owned(),
            },
            _ => return None,
        })
    }

    fn facts(&self) -> Map<String, Value> {
        match self {
            Self::Several { failed, facts, .. } => {
                let mut facts = (**facts).clone();
                facts.insert(
                    "failures".to_owned(),
                    failed.iter().map(Failed::facts).collect(),
                );
                facts
            }
            Self::Input(faults) => faults.facts(),
            other => other.details(),
        }
    }

    fn changed(&self) -> bool {
        matches!(self, Self::Several { changed: true, .. })
    }

    fn warnings(&self) -> Vec<String> {
        match self {
            Self::Several { warnings, .. } => warnings.clone(),
            _ => Vec::new(),
        }
    }
}

impl Failure {
    /// Facts of one entry's failure.
    pub(super) fn details(&self) -> Map<String, Value> {
        let pairs = match self {
            Self::AuthorityDrift { differences, .. } => {
                let each = differences.iter().map(|difference| {
                    json!({"what": difference.what, "existing": difference.existing, "wished": difference.wished})
                });
                vec![("differences", each.collect())]
            }
            Self::AuthorityInUse { below, .. } => vec![("below", json!(below))],
            Self::KeyLost { invalidates, .. } => vec![("invalidates", json!(invalidates))],
            Self::NameNotPermitted { names, .. } => vec![("names", json!(names))],
            Self::Vault(failure) => return failure.details(),
            _ => Vec::new(),
        };
        pairs
            .into_iter()
            .map(|(key, value)| (key.to_owned(), value))
            .collect()
    }
}

/// Each refusal of an uploaded chain has a kind of its own.
fn upload_kind(error: &pki::chain::Error) -> &'static str {
    use pki::chain::Error as Chain;
    match error {
        Chain::Expired { .. } => "signed.expired",
        Chain::NotYetValid { .. } => "signed.not_yet_valid",
        Chain::NoMatchingKey { .. } => "signed.key_mismatch",
        Chain::NotAuthority { .. } => "signed.not_authority",
        Chain::MissingKeyCertSign { .. } => "signed.no_key_cert_sign",
        Chain::PathLength { .. } => "signed.path_length",
        Chain::NameConstraint { .. } | Chain::DisjointConstraints { .. } => {
            "signed.name_constraints"
        }
        Chain::Signature { .. } => "signed.signature",
        Chain::IssuerMissing { .. } => "signed.chain_incomplete",
        Chain::KeyIdentifier { .. } => "signed.key_identifier",
        Chain::UnknownCritical { .. } => "signed.unknown_critical",
        _ => "signed.invalid",
    }
}
