// SPDX-License-Identifier: Apache-2.0
//! What can go wrong, in the words of authorities. Messages of libraries stay theirs and follow as causes.

mod answer;
mod difference;
mod failed;

use std::path::PathBuf;

use ansible_module::InputFaults;
use pki::Timestamp;
use serde_json::{Map, Value};

pub use self::difference::Difference;
use self::difference::list;
pub use self::failed::Failed;
use self::failed::partial;
use crate::names::AuthorityName;

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
        /// What the operator should look at besides, the recovery of a killed run among it.
        warnings: Vec<String>,
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
    /// Of authorities in a Vault only.
    #[error(transparent)]
    Vault(#[from] crate::vault::failure::VaultFailure),
}

impl Failure {
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
