// SPDX-License-Identifier: Apache-2.0
//! What a decision says shall be done, as data: check mode reports it, `apply` carries it out.

use std::collections::BTreeMap;

use pki::crl::{Revocation, RevocationReason};
use pki::{
    Certificate, CertificateTemplate, KeyAlgorithm, NameConstraints, PublicKey, RequestTemplate,
    Serial, Subject, Timestamp,
};

use crate::failure::{Failed, Failure};
use crate::index::Service;
use crate::names::AuthorityName;

/// Why something is done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reason {
    /// Stable word for playbooks.
    pub kind: &'static str,
    /// For people.
    pub detail: String,
}

impl Reason {
    /// A reason with its detail.
    pub fn new(kind: &'static str, detail: impl Into<String>) -> Self {
        Self {
            kind,
            detail: detail.into(),
        }
    }
}

/// The plan of one task.
#[derive(Debug, Default)]
pub struct Plan {
    /// Parents before children.
    pub authorities: Vec<AuthorityPlan>,
    /// Per entry of `revoke`.
    pub revocations: Vec<Result<RevocationPlan, Failure>>,
    /// Per entry of `sign`.
    pub signatures: Vec<Result<SignPlan, Failure>>,
    /// Lists to be made.
    pub lists: Vec<ListPlan>,
    /// Authorities whose wish cannot be fulfilled, and other entries that fail as a whole.
    pub failed: Vec<Failed>,
    /// What the operator should look at.
    pub warnings: Vec<String>,
    /// What the authorities will be.
    pub standings: BTreeMap<AuthorityName, Standing>,
}

/// What shall be done with one authority.
#[derive(Debug)]
pub struct AuthorityPlan {
    /// Which.
    pub name: AuthorityName,
    /// Whether the task describes it, so that its result is listed in full.
    pub listed: bool,
    /// The main act.
    pub act: Act,
    /// Why, of everything here.
    pub reasons: Vec<Reason>,
    /// Write the chain file anew.
    pub refresh_chain: bool,
    /// Put the link `<CA>.crt` right.
    pub relink: Option<Relink>,
    /// Repair owners and modes.
    pub fix_attributes: bool,
    /// Have its key signed by another authority.
    pub bridge: Option<Bridge>,
    /// Enter or leave service.
    pub service: Option<Service>,
    /// Put its certificates on its parent's list.
    pub revoke: Option<RevokeOwn>,
}

/// The main act on an authority.
#[derive(Debug)]
pub enum Act {
    /// Nothing.
    Keep,
    /// Make a certificate.
    Issue(Box<Issue>),
    /// Make a request for a certificate signed outside.
    Request(Box<RequestIssue>),
    /// Put an uploaded certificate into service.
    Install(Box<Install>),
    /// Remove it.
    Remove,
}

/// Which key a certificate is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyPlan {
    /// The one in service.
    Keep,
    /// The one in service, written anew to be encrypted as wished.
    Rewrite,
    /// A new one.
    New(KeyAlgorithm),
}

/// A certificate to be made.
#[derive(Debug)]
pub struct Issue {
    /// For which key.
    pub key: KeyPlan,
    /// What it says.
    pub template: CertificateTemplate,
    /// Who signs; none is itself.
    pub signer: Option<AuthorityName>,
    /// Whether there was one before.
    pub renewal: bool,
}

/// A request to be made.
#[derive(Debug)]
pub struct RequestIssue {
    /// For which key.
    pub key: KeyPlan,
    /// What it asks for.
    pub template: RequestTemplate,
    /// Whether a certificate is in service, whose key must not be disturbed.
    pub in_service: bool,
}

/// An uploaded certificate with everything above it, verified.
#[derive(Debug)]
pub struct Install {
    /// The certificate.
    pub certificate: Certificate,
    /// Above it, issuer first.
    pub above: Vec<Certificate>,
    /// Its key is the one of the pending request, which goes into service with it.
    pub promote_key: bool,
}

/// How the link `<CA>.crt` is put right.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Relink {
    /// Points to an existing generation.
    To(u64),
    /// A file of its own becomes the next generation.
    Adopt,
}

/// A certificate for the key of one authority, signed by another.
#[derive(Debug)]
pub struct Bridge {
    /// The signer.
    pub signer: AuthorityName,
    /// What it says.
    pub template: CertificateTemplate,
}

/// An authority's own revocation.
#[derive(Debug)]
pub struct RevokeOwn {
    /// Whose list.
    pub parent: AuthorityName,
    /// Its certificates that are still valid.
    pub serials: Vec<Serial>,
    /// Why.
    pub reason: Option<RevocationReason>,
}

/// What an authority will be once the plan is carried out; all that signing under it depends on.
#[derive(Debug, Clone)]
pub struct Standing {
    /// Its subject.
    pub subject: Subject,
    /// Begin of its certificate.
    pub not_before: Timestamp,
    /// End of its certificate.
    pub not_after: Timestamp,
    /// How many authorities may follow below, all above considered.
    pub path_length: Option<u8>,
    /// The names that it and all above it may certify, with who says so.
    pub constraints: Vec<(AuthorityName, NameConstraints)>,
    /// Who signs it; none is itself or an authority outside.
    pub parent: Option<AuthorityName>,
    /// Whether it signs.
    pub service: Service,
    /// Its certificate; none if it is to be made.
    pub certificate: Option<Certificate>,
    /// Its key; none if it is to be made.
    pub public_key: Option<PublicKey>,
    /// Whether its private key is at hand.
    pub key: KeyAtHand,
    /// The certificates above it, as far as they are made.
    pub above: Vec<Certificate>,
    /// Certificates of it, old and new, that others may have been signed under.
    pub generations: Vec<Certificate>,
    /// What changed about it in this task.
    pub change: Change,
}

/// Whether a private key can be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyAtHand {
    /// Yes.
    Yes,
    /// It is encrypted, and the task gives no passphrase.
    Locked,
    /// It is not there.
    Absent,
}

/// How much an authority changes, seen from below.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Change {
    /// Not at all.
    None,
    /// Its chain, or its certificate for the same key and name: chains below are written anew.
    Certificate,
    /// Its key or name: certificates below are made anew.
    Identity,
}

/// A revocation to be noted.
#[derive(Debug)]
pub struct RevocationPlan {
    /// By whom.
    pub authority: AuthorityName,
    /// What.
    pub revocation: Revocation,
    /// Whether it is on the list already.
    pub already: bool,
    /// What the operator should look at.
    pub warnings: Vec<String>,
}

/// A signature to be made.
#[derive(Debug)]
pub struct SignPlan {
    /// By whom.
    pub authority: AuthorityName,
    /// What to do.
    pub act: SignAct,
    /// Why.
    pub reasons: Vec<Reason>,
    /// Extensions of the request that the profile does not grant.
    pub ignored_extensions: Vec<String>,
    /// What the operator should look at.
    pub warnings: Vec<String>,
}

/// What to do about a request.
#[derive(Debug)]
pub enum SignAct {
    /// The kept certificate is still right.
    Keep,
    /// The kept certificate is still right, the files around it are not.
    Repair,
    /// Sign.
    Issue(Box<CertificateTemplate>),
}

/// A revocation list to be made.
#[derive(Debug)]
pub struct ListPlan {
    /// By whom.
    pub authority: AuthorityName,
    /// Why; empty if the present one is good.
    pub reasons: Vec<Reason>,
}

impl AuthorityPlan {
    /// Nothing to be done.
    pub fn keep(name: AuthorityName, listed: bool) -> Self {
        Self {
            name,
            listed,
            act: Act::Keep,
            reasons: Vec::new(),
            refresh_chain: false,
            relink: None,
            fix_attributes: false,
            bridge: None,
            service: None,
            revoke: None,
        }
    }

    /// Whether anything is to be done.
    pub fn changes(&self) -> bool {
        !matches!(self.act, Act::Keep)
            || self.refresh_chain
            || self.relink.is_some()
            || self.fix_attributes
            || self.bridge.is_some()
            || self.service.is_some()
            || self.revoke.is_some()
    }

    /// The word for the result.
    pub fn action(&self) -> &'static str {
        match &self.act {
            Act::Issue(issue) if !issue.renewal => "created",
            Act::Issue(issue) if matches!(issue.key, KeyPlan::New(_)) => "rekeyed",
            Act::Issue(_) => "reissued",
            Act::Request(_) => "requested",
            Act::Install(_) => "installed",
            Act::Remove => "removed",
            Act::Keep if self.revoke.is_some() => "revoked",
            Act::Keep if self.bridge.is_some() => "cross_signed",
            Act::Keep => match self.service {
                Some(Service::Active) => "activated",
                Some(Service::Retired) => "retired",
                Some(Service::Revoked) => "revoked",
                Some(Service::Present) => "returned",
                None if self.changes() => "repaired",
                None => "kept",
            },
        }
    }
}

impl Plan {
    /// Whether anything is to be done.
    pub fn changes(&self) -> bool {
        self.authorities.iter().any(AuthorityPlan::changes)
            || self
                .revocations
                .iter()
                .flatten()
                .any(|revocation| !revocation.already)
            || self.signatures.iter().flatten().any(SignPlan::changes)
            || self.lists.iter().any(|list| !list.reasons.is_empty())
    }
}

impl SignPlan {
    /// Whether anything is to be done.
    pub fn changes(&self) -> bool {
        !matches!(self.act, SignAct::Keep)
    }
}
