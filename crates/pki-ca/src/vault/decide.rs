// SPDX-License-Identifier: Apache-2.0
//! The pure function of (request, observed, now): what shall be done on the server. Check mode is this and nothing else.

mod body;
mod bridge;
mod drift;
mod existing;
mod leave;
mod made;
mod outside;
mod settings;
mod signer;
pub(crate) mod upload;

use std::collections::{BTreeMap, BTreeSet};

use pki::Timestamp;

use super::failure::VaultFailure;
use super::observe::{Observed, ObservedIssuer, ObservedMount};
use super::plan::{AuthorityPlan, Plan, Predicted};
use super::request::{Request, Wish};
use super::{lists, revoke};
use crate::failure::{Failed, Failure};
use crate::names::AuthorityName;
use crate::request::State;

/// What one decision may look at.
pub(crate) struct Context<'a> {
    /// The task.
    pub request: &'a Request,
    /// The server.
    pub observed: &'a Observed,
    /// The mount of the task.
    pub mount: &'a ObservedMount,
    /// The clock.
    pub now: Timestamp,
    /// What authorities of this task will be that are not there yet.
    pub made: BTreeMap<AuthorityName, Predicted>,
    /// Those that cannot be what is wished.
    pub failed: BTreeSet<AuthorityName>,
}

/// Decides everything.
pub fn decide(request: &Request, observed: &Observed, now: Timestamp) -> Plan {
    let empty = ObservedMount::default();
    let mount = observed.mounts.get(&request.mount).unwrap_or(&empty);
    let mut context = Context {
        request,
        observed,
        mount,
        now,
        made: BTreeMap::new(),
        failed: BTreeSet::new(),
    };
    let mut plan = Plan::default();
    for wish in order(request) {
        let decided =
            too_old(&context, wish).and_then(|()| one(&context, wish, &mut plan.warnings));
        match decided {
            Ok(decided) => {
                if let Some(predicted) = &decided.predicted {
                    context.made.insert(wish.name().clone(), predicted.clone());
                }
                plan.authorities.push(decided);
            }
            Err(failure) => {
                plan.failed.push(Failed {
                    item: format!("authorities[{}]", wish.name()),
                    failure,
                });
                context.failed.insert(wish.name().clone());
            }
        }
    }
    if observed.server.is_old() {
        refuse_rest(&context, &mut plan);
        return plan;
    }
    plan.revocations = revoke::decide(&context);
    plan.lists = lists::decide(&context, &mut plan.failed);
    plan
}

/// Whose certificate it is cannot be said without names of issuers.
fn refuse_rest(context: &Context<'_>, plan: &mut Plan) {
    let request = context.request;
    let revoke = (0..request.revoke.len()).map(|index| format!("revoke[{index}]"));
    let crl = request.crl.authorities.iter().map(|_| "crl".to_owned());
    for item in revoke.chain(crl) {
        if let Err(failure) = context.refuse_if_old("it has no names to tell authorities apart") {
            plan.failed.push(Failed { item, failure });
        }
    }
}

fn one(
    context: &Context<'_>,
    wish: &Wish,
    warnings: &mut Vec<String>,
) -> Result<AuthorityPlan, Failure> {
    let found = context.mount.named(wish.name().as_str());
    if let Some(issuer) = found {
        warn_of_expiry(context, wish, issuer, warnings);
    }
    match wish.base.state {
        State::Present | State::Active | State::CrossSigned => match found {
            Some(issuer) => existing::keep(context, wish, issuer),
            None => made::make(context, wish, warnings),
        },
        State::Csr => outside::request(context, wish, found),
        State::Signed(_) => outside::install(context, wish, found, warnings),
        State::Retired => leave::retire(context, wish, found),
        State::Revoked(_) => leave::revoke(context, wish, found, warnings),
        State::Absent(in_use) => leave::remove(context, wish, found, in_use),
    }
}

/// A server before 1.11 overwrites what is in service, so nothing of this is tried there.
fn too_old(context: &Context<'_>, wish: &Wish) -> Result<(), Failure> {
    let harm = match wish.base.state {
        State::Csr => {
            "a new request would take the place of the key in service, and nothing could be issued until its certificate is there"
        }
        State::Signed(_) => "an upload would overwrite the authority in service",
        State::Retired | State::Revoked(_) | State::Absent(_) => "without it nothing would be left",
        State::Present | State::Active | State::CrossSigned => {
            "another would be refused, or overwrite the one in service"
        }
    };
    context.refuse_if_old(harm)
}

fn warn_of_expiry(
    context: &Context<'_>,
    wish: &Wish,
    issuer: &ObservedIssuer,
    warnings: &mut Vec<String>,
) {
    let facts = issuer.certificate.facts();
    let renew_at = wish
        .base
        .warn_before
        .renew_at(facts.not_before, facts.not_after);
    let word = if facts.not_after <= context.now {
        "expired"
    } else if renew_at <= context.now {
        "expires"
    } else {
        return warn_of_leaves(context, wish, issuer, warnings);
    };
    warnings.push(format!(
        "authority '{}' {word} at {}; make another under another name and set its state to active",
        wish.name(),
        facts.not_after
    ));
}

/// An authority whose end is nearer than a leaf's lifetime issues nothing any more, or less than was asked for.
fn warn_of_leaves(
    context: &Context<'_>,
    wish: &Wish,
    issuer: &ObservedIssuer,
    warnings: &mut Vec<String>,
) {
    let left = issuer
        .certificate
        .facts()
        .not_after
        .0
        .saturating_sub(context.now.0);
    if let Some(leaf) = context.mount.default_ttl
        && issuer.is_default
        && u64::try_from(left).unwrap_or(0) < leaf
    {
        warnings.push(format!(
            "authority '{}' ends at {}, before a certificate of the mount's default lifetime of {leaf} s would",
            wish.name(),
            issuer.certificate.facts().not_after
        ));
    }
}

/// The wishes, what others are built on first: parents, and the issuers of a chain.
fn order(request: &Request) -> Vec<&Wish> {
    let mut ordered: Vec<&Wish> = Vec::new();
    let mut seen = BTreeSet::new();
    for wish in &request.authorities {
        place(request, wish, &mut seen, &mut ordered);
    }
    // Who leaves goes last: another may take its place before.
    ordered.sort_by_key(|wish| leaves(&wish.base.state));
    ordered
}

fn leaves(state: &State) -> bool {
    matches!(state, State::Retired | State::Revoked(_) | State::Absent(_))
}

fn place<'a>(
    request: &'a Request,
    wish: &'a Wish,
    seen: &mut BTreeSet<&'a str>,
    ordered: &mut Vec<&'a Wish>,
) {
    if !seen.insert(wish.name().as_str()) {
        return;
    }
    for other in &request.authorities {
        let is_parent =
            wish.base.parent.as_ref() == Some(other.name()) && wish.parent_mount == request.mount;
        let chain = wish.chain_issuers.iter().flatten();
        let is_above = chain.clone().any(|name| {
            name == other.name().as_str() || bridge_of(other).as_deref() == Some(name.as_str())
        });
        if is_parent || is_above {
            place(request, other, seen, ordered);
        }
    }
    ordered.push(wish);
}

/// The name of the issuer that stands for `wish` under its second signer.
pub(crate) fn bridge_of(wish: &Wish) -> Option<String> {
    let parent = wish.base.parent.as_ref()?;
    (wish.base.state == State::CrossSigned).then(|| format!("{}-x-{parent}", wish.name()))
}

/// What an issuer of the server is: its state in the words of the options.
pub(crate) fn state_of(issuer: &ObservedIssuer) -> &'static str {
    if issuer.revoked {
        "revoked"
    } else if issuer.is_default {
        "active"
    } else if !issuer.is_issuing() {
        "retired"
    } else {
        "present"
    }
}

impl Context<'_> {
    /// There is no such issuer.
    pub(crate) fn missing(&self, name: &str) -> Failure {
        VaultFailure::Missing {
            authority: name.to_owned(),
            mount: self.request.mount.clone(),
        }
        .into()
    }

    /// On a server before 1.11, says why not.
    pub(crate) fn refuse_if_old(&self, harm: &'static str) -> Result<(), Failure> {
        let server = &self.observed.server;
        if !server.is_old() {
            return Ok(());
        }
        let version = server.version.clone();
        Err(VaultFailure::TooOld { version, harm }.into())
    }

    /// An issuer that the task needs, or why it cannot be relied upon.
    pub(crate) fn issuer(&self, name: &AuthorityName) -> Result<&ObservedIssuer, Failure> {
        let found = self.mount.named(name.as_str());
        found.ok_or_else(|| self.missing(name.as_str()))
    }
}

#[cfg(test)]
mod tests;
