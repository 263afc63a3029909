// SPDX-License-Identifier: Apache-2.0
//! What can go wrong, in the words of authorities. Messages of libraries stay theirs and follow as causes.

use std::path::PathBuf;

use ansible_module::{Failure as _, InputFaults};
use pki::Timestamp;
use serde_json::{Map, Value, json};

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

/// A failure of one authority, signature, revocation or list, or of the whole task.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// The wish differs from the authority on disk; the operator should correct the wish or regenerate.
    #[error(
        "authority '{authority}' differs from what is wished: {}",
        list(differences)
    )]
    AuthorityDrift {
        /// Which.
        authority: AuthorityName,
        /// Where.
        differences: Vec<Difference>,
    },
    /// An expired authority cannot sign; the operator should regenerate it.
    #[error("authority '{authority}' expired at {not_after} and can sign nothing")]
    AuthorityExpired {
        /// Which.
        authority: AuthorityName,
        /// When.
        not_after: Timestamp,
    },
    /// Something valid hangs on it; the operator should retire it, or force.
    #[error(
        "authority '{authority}' has issued what is still valid: {}",
        named(below)
    )]
    AuthorityInUse {
        /// Which.
        authority: AuthorityName,
        /// What.
        below: Vec<String>,
    },
    /// There is none of that name; the operator should create it first.
    #[error("authority '{authority}' does not exist in '{directory}'")]
    AuthorityMissing {
        /// Which.
        authority: AuthorityName,
        /// The tree.
        directory: PathBuf,
    },
    /// The clock is before its time; the operator should check the clock.
    #[error("authority '{authority}' is not valid before {not_before}")]
    AuthorityNotYetValid {
        /// Which.
        authority: AuthorityName,
        /// From when.
        not_before: Timestamp,
    },
    /// A retired or revoked authority does not sign; the operator should name another.
    #[error("authority '{authority}' is {state} and signs no more certificates")]
    AuthorityOutOfService {
        /// Which.
        authority: AuthorityName,
        /// `retired` or `revoked`.
        state: &'static str,
    },
    /// What it depends on has failed; the operator should look at that failure.
    #[error("authority '{authority}' depends on '{on}', which failed")]
    Dependency {
        /// Which.
        authority: AuthorityName,
        /// On which.
        on: AuthorityName,
    },
    /// A file is something that no run of ours has left; the operator should look at it.
    #[error("'{path}' {problem}")]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        problem: String,
    },
    /// Files could not be read or written.
    #[error("cannot {what}")]
    Files {
        /// What was tried.
        what: String,
        /// Why not.
        #[source]
        source: tls_files::Error,
    },
    /// The options are faulty.
    #[error(transparent)]
    Input(#[from] InputFaults),
    /// The key is not the certificate's; the operator should restore the right one, or regenerate.
    #[error(
        "the private key of authority '{authority}' ('{path}') does not belong to its certificate (serial {serial})"
    )]
    KeyForeign {
        /// Which.
        authority: AuthorityName,
        /// The key.
        path: PathBuf,
        /// The certificate.
        serial: String,
    },
    /// The key is not at hand, though it is needed to sign; the operator should unlock or restore it.
    #[error(
        "the private key of authority '{authority}' ('{path}') {problem}, so it can sign nothing"
    )]
    KeyUnavailable {
        /// Which.
        authority: AuthorityName,
        /// The key.
        path: PathBuf,
        /// `is encrypted`, `is not there`.
        problem: &'static str,
    },
    /// A revocation list could not be made.
    #[error("cannot make the revocation list of authority '{authority}'")]
    List {
        /// Whose.
        authority: AuthorityName,
        /// Why not.
        #[source]
        source: Box<pki::crl::Error>,
    },
    /// The issuer is not in this tree; only it can revoke.
    #[error(
        "authority '{authority}' was signed by '{issuer}', which is not in this tree; only its issuer can revoke it"
    )]
    IssuerOutside {
        /// Which.
        authority: AuthorityName,
        /// By whom.
        issuer: String,
    },
    /// The key is gone; the operator should restore it from a backup, or regenerate.
    #[error(
        "the private key of authority '{authority}' ('{path}') is lost; a new one would invalidate {}",
        named(invalidates)
    )]
    KeyLost {
        /// Which.
        authority: AuthorityName,
        /// Where it was.
        path: PathBuf,
        /// What would no longer verify.
        invalidates: Vec<String>,
    },
    /// A name lies outside what an authority may certify.
    #[error("authority '{authority}' may not certify {}", named(names))]
    NameNotPermitted {
        /// The authority with the constraint.
        authority: AuthorityName,
        /// The names with the rule that each breaks.
        names: Vec<String>,
    },
    /// Nothing says who shall sign; the operator should name an authority or make one active.
    #[error("no authority is active, and the request names none")]
    NoActiveAuthority,
    /// An intermediate needs an issuer; the operator should give parent, or state csr.
    #[error("authority '{authority}' has no certificate and nothing says who signs it")]
    NoIssuer {
        /// Which.
        authority: AuthorityName,
    },
    /// The operating system refused.
    #[error("cannot {what} '{path}'")]
    Os {
        /// What was tried.
        what: &'static str,
        /// On which path.
        path: PathBuf,
        /// Why not.
        #[source]
        source: std::io::Error,
    },
    /// The authority may have no (or not so many) authorities below it.
    #[error(
        "authority '{authority}' allows {allowed} authorities below it (path length), so it cannot sign one that allows {wished}"
    )]
    PathLength {
        /// The signer.
        authority: AuthorityName,
        /// Its path length.
        allowed: u8,
        /// What would be below the new one.
        wished: String,
    },
    /// Keys, requests and certificates.
    #[error("cannot {what}")]
    Pki {
        /// What was tried.
        what: String,
        /// Why not.
        #[source]
        source: pki::Error,
    },
    /// The certificate to be revoked is not this authority's; the operator should name its issuer.
    #[error("certificate {serial} was not issued by authority '{authority}' but by '{issuer}'")]
    RevocationForeign {
        /// Whose list it should go on.
        authority: AuthorityName,
        /// Which certificate.
        serial: String,
        /// Its issuer.
        issuer: String,
    },
    /// A root is on no list; the operator should remove it from the trust stores.
    #[error("authority '{authority}' is a root: no list can revoke it")]
    RevocationOfRoot {
        /// Which.
        authority: AuthorityName,
    },
    /// Some entries failed, others are done.
    #[error("{}", partial(failed))]
    Several {
        /// Which, in order.
        failed: Vec<Failed>,
        /// The result of the others.
        facts: Box<Map<String, Value>>,
        /// Whether anything was changed.
        changed: bool,
    },
    /// The uploaded certificate cannot be taken; nothing was changed.
    #[error("the certificate uploaded for authority '{authority}' {problem}")]
    Upload {
        /// For which.
        authority: AuthorityName,
        /// The last word of the kind: `signed.<fault>`.
        fault: &'static str,
        /// What is wrong with it.
        problem: String,
    },
    /// The uploaded chain does not verify; nothing was changed.
    #[error("the chain uploaded for authority '{authority}' does not verify")]
    UploadChain {
        /// For which.
        authority: AuthorityName,
        /// Why not.
        #[source]
        source: Box<pki::chain::Error>,
    },
    /// What we made does not verify, so it is not handed out.
    #[error("the certificate made by authority '{authority}' does not verify and is not used")]
    Unverified {
        /// By which.
        authority: AuthorityName,
        /// Why not.
        #[source]
        source: Box<pki::chain::Error>,
    },
}

/// An entry of the task that failed.
#[derive(Debug)]
pub struct Failed {
    /// `authorities[root]`, `sign[3]`, `revoke[0]`, `crl[root]`.
    pub item: String,
    /// Why.
    pub failure: Failure,
}

impl Failed {
    /// As it is listed in `failures`.
    pub fn facts(&self) -> Value {
        let chain = ansible_module::chain(&self.failure);
        let mut facts = json!({
            "item": self.item,
            "kind": self.failure.kind(),
            "msg": ansible_module::flatten(&self.failure),
            "caused_by": chain.get(1..).unwrap_or_default(),
            "hint": self.failure.hint(),
        });
        if let Value::Object(map) = &mut facts {
            map.extend(self.failure.details());
        }
        facts
    }
}

impl Failure {
    /// Facts of one entry's failure.
    fn details(&self) -> Map<String, Value> {
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
            _ => Vec::new(),
        };
        pairs
            .into_iter()
            .map(|(key, value)| (key.to_owned(), value))
            .collect()
    }

    /// The failure of one file that was observed.
    pub fn unreadable(path: &std::path::Path, source: tls_files::Error) -> Self {
        Self::Files {
            what: format!("read '{}'", path.display()),
            source,
        }
    }

    /// A failure of `pki` while `what` was tried.
    pub fn pki(what: impl Into<String>) -> impl FnOnce(pki::Error) -> Self {
        move |source| Self::Pki {
            what: what.into(),
            source,
        }
    }
}

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
}

/// The one failure on which all others only depend.
fn root_cause(failed: &[Failed]) -> Option<&Failed> {
    let independent = |one: &&Failed| !matches!(one.failure, Failure::Dependency { .. });
    let mut causes = failed.iter().filter(independent);
    let first = causes.next()?;
    causes.next().is_none().then_some(first)
}

/// Which option heals a drift: only a new key heals another algorithm.
fn drift_hint(authority: &AuthorityName, differences: &[Difference]) -> String {
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

fn list(differences: &[Difference]) -> String {
    let each: Vec<String> = differences.iter().map(ToString::to_string).collect();
    each.join("; ")
}

/// Up to five of a list; a person reads no more, the facts have all.
fn named(items: &[String]) -> String {
    const SHOWN: usize = 5;
    if items.is_empty() {
        return "nothing".to_owned();
    }
    let shown = items
        .iter()
        .take(SHOWN)
        .cloned()
        .collect::<Vec<_>>()
        .join(", ");
    match items.len().saturating_sub(SHOWN) {
        0 => shown,
        more => format!("{shown} and {more} more"),
    }
}

fn partial(failed: &[Failed]) -> String {
    let first = failed
        .first()
        .map(|one| format!("{}: {}", one.item, ansible_module::flatten(&one.failure)));
    match (first, failed.len()) {
        (Some(first), 1) => first,
        (Some(first), count) => format!("{count} entries failed; first {first}"),
        (None, _) => "nothing failed".to_owned(),
    }
}
