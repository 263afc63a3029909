// SPDX-License-Identifier: Apache-2.0
//! What a decision says shall be done on the server, as data.

use pki::{Certificate, Subject, Timestamp};
use serde_json::{Map, Value};

use crate::failure::{Failed, Failure};
use crate::names::AuthorityName;
use crate::plan::Reason;

/// The plan of one task.
#[derive(Debug, Default)]
pub struct Plan {
    /// Parents before children.
    pub authorities: Vec<AuthorityPlan>,
    /// Per entry of `revoke`.
    pub revocations: Vec<Result<RevocationPlan, Failure>>,
    /// Lists to be looked after.
    pub lists: Vec<ListPlan>,
    /// Authorities whose wish cannot be fulfilled, and other entries that fail as a whole.
    pub failed: Vec<Failed>,
    /// What the operator should look at.
    pub warnings: Vec<String>,
}

/// What shall be done with one authority.
#[derive(Debug)]
pub struct AuthorityPlan {
    /// Which.
    pub name: AuthorityName,
    /// In this order.
    pub steps: Vec<Step>,
    /// Why.
    pub reasons: Vec<Reason>,
    /// The word for the result.
    pub action: &'static str,
    /// What it will be then.
    pub state: &'static str,
    /// The certificate that is to be made, as far as that can be said before.
    pub predicted: Option<Predicted>,
    /// Whether its request is shown, which changes nothing on the server.
    pub shows_request: bool,
    /// Whether its request is to be written to its file.
    pub writes_request: bool,
}

/// A certificate that does not exist yet.
#[derive(Debug, Clone)]
pub struct Predicted {
    /// Its subject.
    pub subject: Subject,
    /// Its end.
    pub not_after: Timestamp,
}

/// One change on the server.
#[derive(Debug)]
pub enum Step {
    /// Make a key and a root of it.
    Root(Map<String, Value>),
    /// Make a root for a key that is there.
    RootOfKey(Map<String, Value>),
    /// Make a key; its request is shown after all steps.
    Key(Map<String, Value>),
    /// Have the key signed by an authority of the server, and take the certificate in.
    Sign(Box<Signing>),
    /// Take in what was uploaded.
    Import(Box<Import>),
    /// Give an issuer that an earlier run has left without a name its name.
    Name(String),
    /// Have the key signed by another authority too.
    Bridge(Box<Signing>),
    /// Change settings of the issuer.
    Settings(Settings),
    /// Make it the default.
    Activate,
    /// Revoke it, and its certificate in its parent's mount.
    Revoke {
        /// The mount that has issued its certificate, if that is another.
        elsewhere: Option<String>,
    },
    /// Remove it.
    Remove {
        /// And this key, which nothing else uses.
        key_id: Option<String>,
    },
    /// Remove this key, which has no issuer.
    RemoveKey(String),
}

/// A signature by an authority of the server.
#[derive(Debug)]
pub struct Signing {
    /// The name of the new issuer.
    pub issuer: String,
    /// The subject and what else a request says.
    pub subject: Map<String, Value>,
    /// What the signer is told, without the request.
    pub body: Map<String, Value>,
    /// The signer.
    pub parent: String,
    /// Its mount.
    pub parent_mount: String,
}

/// An upload that was found good.
#[derive(Debug)]
pub struct Import {
    /// The key that it is for.
    pub key_id: String,
    /// The certificate.
    pub certificate: Certificate,
    /// What is sent: the certificate first, the root last.
    pub bundle: Vec<Certificate>,
    /// The root at the end; none where the upload may be without one.
    pub root: Option<Certificate>,
}

/// Settings of an issuer.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Settings {
    /// What it may be used for.
    pub usage: Option<Vec<String>>,
    /// What becomes of a leaf that would outlive it.
    pub leaf_not_after: Option<String>,
    /// The chain as names or identifiers, itself first; empty to leave it to the server.
    pub chain: Option<Vec<String>>,
}

/// A certificate to be revoked.
#[derive(Debug)]
pub struct RevocationPlan {
    /// Whose it is.
    pub authority: AuthorityName,
    /// Its number in pairs with colons.
    pub serial: String,
    /// When it was revoked, if it is already.
    pub since: Option<Timestamp>,
    /// What the operator should look at.
    pub warnings: Vec<String>,
}

/// A list to be looked after.
#[derive(Debug)]
pub struct ListPlan {
    /// Whose.
    pub authority: AuthorityName,
    /// The reference of the issuer.
    pub id: String,
    /// Why it is made anew; empty if it is good.
    pub reasons: Vec<Reason>,
    /// Its number.
    pub number: Option<u64>,
    /// Until when it is good.
    pub next_update: Option<Timestamp>,
}

impl AuthorityPlan {
    /// Nothing to be done.
    pub fn keep(name: AuthorityName, state: &'static str) -> Self {
        Self {
            name,
            steps: Vec::new(),
            reasons: Vec::new(),
            action: "kept",
            state,
            predicted: None,
            shows_request: false,
            writes_request: false,
        }
    }

    /// One more step, with the reason for it. The first step that has a word gives the word.
    pub fn add(&mut self, step: Step, reason: Reason) {
        if self.action == "kept" || self.action == "repaired" {
            self.action = step.word();
        }
        self.steps.push(step);
        self.reasons.push(reason);
    }

    /// Whether anything is to be done.
    pub fn changes(&self) -> bool {
        !self.steps.is_empty() || self.writes_request
    }
}

impl Step {
    fn word(&self) -> &'static str {
        match self {
            Self::Root(_) | Self::RootOfKey(_) | Self::Sign(_) => "created",
            Self::Key(_) => "requested",
            Self::Import(_) => "installed",
            Self::Bridge(_) => "cross_signed",
            Self::Activate => "activated",
            Self::Revoke { .. } => "revoked",
            Self::Remove { .. } | Self::RemoveKey(_) => "removed",
            Self::Name(_) => "repaired",
            Self::Settings(settings) => match &settings.usage {
                None => "repaired",
                Some(usage) if usage.iter().any(|word| word == super::observe::ISSUING) => {
                    "returned"
                }
                Some(_) => "retired",
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
                .any(|revocation| revocation.since.is_none())
            || self.lists.iter().any(|list| !list.reasons.is_empty())
    }
}
