// SPDX-License-Identifier: Apache-2.0
//! What can go wrong with authorities in a Vault, besides what goes wrong with all authorities.

use serde_json::{Map, Value, json};

use crate::failure::Difference;
use crate::names::AuthorityName;

/// A failure of one authority in a Vault, or of the whole task.
#[derive(Debug, thiserror::Error)]
pub enum VaultFailure {
    /// The server does not do it; its message stays its own.
    #[error("cannot {what}")]
    Server {
        /// What was tried.
        what: String,
        /// Why not.
        #[source]
        source: Box<::vault::Error>,
    },
    /// Of the configuration of the mount.
    #[error(transparent)]
    Config(#[from] super::config::error::Error),
    /// The token may not do what the task needs; nothing was changed.
    #[error("the token may not do what the task needs: {}", paths.join(", "))]
    Capabilities {
        /// `update pki/root/generate/internal`, and so on.
        paths: Vec<String>,
    },
    /// The default issuer stays in service until another takes its place.
    #[error("issuer '{authority}' is the default of mount '{mount}' and cannot be {what}")]
    Default {
        /// Which.
        authority: AuthorityName,
        /// Where.
        mount: String,
        /// `retired`, `revoked`, `removed`.
        what: &'static str,
    },
    /// The authority is over; an issuer is never renewed.
    #[error("authority '{authority}' expired at {not_after} and can sign nothing")]
    Expired {
        /// Which.
        authority: AuthorityName,
        /// Its end.
        not_after: pki::Timestamp,
    },
    /// The issuer was revoked, which no server takes back.
    #[error("authority '{authority}' is revoked and signs no more certificates")]
    Revoked {
        /// Which.
        authority: AuthorityName,
    },
    /// The issuer differs from the wish; an issuer is never replaced.
    #[error(
        "issuer '{authority}' differs from what is wished: {}",
        texts(differences)
    )]
    Drift {
        /// Which.
        authority: AuthorityName,
        /// Where.
        differences: Vec<Difference>,
    },
    /// The mount has the certificate of the issuer but not its key.
    #[error(
        "mount '{mount}' does not have the key of issuer '{authority}', so it can sign nothing"
    )]
    Keyless {
        /// Which.
        authority: AuthorityName,
        /// Where.
        mount: String,
    },
    /// What was imported is not bound to the key of the request; it is taken back.
    #[error(
        "mount '{mount}' did not bind the certificate of '{authority}' to its key '{key_name}', so it is not taken in"
    )]
    Mapping {
        /// Which.
        authority: AuthorityName,
        /// Where.
        mount: String,
        /// The key.
        key_name: String,
    },
    /// There is no such issuer.
    #[error("mount '{mount}' has no issuer '{authority}'")]
    Missing {
        /// Which.
        authority: String,
        /// Where.
        mount: String,
    },
    /// Nothing is mounted there.
    #[error("nothing is mounted at '{mount}'")]
    MissingMount {
        /// Where.
        mount: String,
    },
    /// The issuer may sign no lists, so the server makes none for it.
    #[error(
        "issuer '{authority}' of mount '{mount}' may not sign revocation lists, and there is no list that is good"
    )]
    NoLists {
        /// Which.
        authority: AuthorityName,
        /// Where.
        mount: String,
    },
    /// The mount has not kept such a certificate, so it cannot revoke it.
    #[error("mount '{mount}' has no certificate with the serial number {serial}")]
    NotStored {
        /// Which.
        serial: String,
        /// Where.
        mount: String,
    },
    /// What the authority issues does not verify; it is not put into service.
    #[error("what issuer '{authority}' signs does not prove it: {problem}")]
    Proof {
        /// Which.
        authority: AuthorityName,
        /// Why not.
        problem: String,
    },
    /// The server answers what cannot be.
    #[error("the {what} that the server shows cannot be used")]
    Shown {
        /// `certificate of issuer ...`.
        what: String,
        /// Why not.
        #[source]
        source: Box<pki::chain::Error>,
    },
    /// The subject cannot be repeated in a request of the server.
    #[error(
        "the server cannot repeat the subject of '{authority}' in a request: it has no field for {}",
        attributes.join(", ")
    )]
    Subject {
        /// Which.
        authority: AuthorityName,
        /// Those without a field.
        attributes: Vec<String>,
    },
    /// The server is too old for authorities beside each other; nothing of the task is tried there.
    #[error("server {version} keeps one authority in a mount: {harm}")]
    TooOld {
        /// Its version.
        version: String,
        /// What would come of it.
        harm: &'static str,
    },
    /// The mount cuts lifetimes, and would do so without a word in the answer.
    #[error(
        "authority '{authority}' shall live for {wished} s, but mount '{mount}' allows {allowed} s"
    )]
    Ttl {
        /// Which.
        authority: AuthorityName,
        /// Where.
        mount: String,
        /// What is wished.
        wished: u64,
        /// `max_lease_ttl`.
        allowed: u64,
    },
}

impl VaultFailure {
    /// A failure of the server while `what` was tried.
    pub fn server(
        what: impl Into<String>,
    ) -> impl FnOnce(::vault::Error) -> crate::failure::Failure {
        move |source| {
            Self::Server {
                what: what.into(),
                source: Box::new(source),
            }
            .into()
        }
    }

    /// A stable name for playbooks.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Server { source, .. } => source.kind(),
            Self::Config(error) => error.kind(),
            Self::Capabilities { .. } => "vault.permission_denied",
            Self::Default { .. } => "authority.is_default",
            Self::Drift { .. } => "authority.drift",
            Self::Expired { .. } => "authority.expired",
            Self::Revoked { .. } => "authority.out_of_service",
            Self::Keyless { .. } => "authority.key_unavailable",
            Self::Mapping { .. } => "signed.not_mapped",
            Self::Missing { .. } => "authority.missing",
            Self::MissingMount { .. } => "vault.no_mount",
            Self::NoLists { .. } => "crl.not_allowed",
            Self::NotStored { .. } => "revoke.unknown",
            Self::Proof { .. } => "authority.not_proven",
            Self::Shown { .. } => "vault.answer",
            Self::Subject { .. } => "authority.subject",
            Self::TooOld { .. } => "vault.too_old",
            Self::Ttl { .. } => "vault.ttl_too_long",
        }
    }

    /// What to do.
    pub fn hint(&self) -> Option<String> {
        Some(match self {
            Self::Config(error) => return error.hint(),
            Self::Capabilities { .. } => "give the token a policy for these paths".to_owned(),
            Self::Default { .. } => "set another authority's state to active first".to_owned(),
            Self::Drift { authority, .. } => format!(
                "correct the wish, or make another authority under another name, set its state to active and retire '{authority}'"
            ),
            Self::Expired { .. } | Self::Revoked { .. } => {
                "make another under another name and set its state to active".to_owned()
            }
            Self::Keyless { .. } => {
                "make an authority here (state present, or csr and signed); a key outside of the server is out of its reach".to_owned()
            }
            Self::Missing { authority, .. } => format!(
                "list '{authority}' in 'authorities' with state present, or correct the name or the mount"
            ),
            Self::MissingMount { mount } => {
                format!("let 'vault_config.mount.create' make '{mount}', or correct the mount")
            }
            Self::NoLists { .. } => {
                "give the issuer the usage 'crl-signing', which its certificate must allow, or leave it out of 'crl.authorities'".to_owned()
            }
            Self::NotStored { .. } => {
                "compare the serial number; a role with 'no_store' keeps no certificates, and they cannot be revoked".to_owned()
            }
            Self::TooOld { .. } => "use OpenBao, or Vault 1.11 or later".to_owned(),
            Self::Ttl { .. } => {
                "raise 'vault_config.mount.max_lease_ttl', or ask for a shorter 'ttl'".to_owned()
            }
            _ => return None,
        })
    }

    /// Facts of its kind.
    pub fn details(&self) -> Map<String, Value> {
        let pair = match self {
            Self::Config(error) => return error.details(),
            Self::Capabilities { paths } => ("paths", json!(paths)),
            Self::Drift { differences, .. } => {
                let each = differences.iter().map(|difference| {
                    json!({"what": difference.what, "existing": difference.existing, "wished": difference.wished})
                });
                ("differences", each.collect())
            }
            _ => return Map::new(),
        };
        Map::from_iter([(pair.0.to_owned(), pair.1)])
    }
}

fn texts(differences: &[Difference]) -> String {
    let each: Vec<String> = differences.iter().map(ToString::to_string).collect();
    each.join("; ")
}
