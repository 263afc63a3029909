// SPDX-License-Identifier: Apache-2.0
//! The pure function of (request, observed, now): what shall be done. It reads no clock, no disk and makes
//! no key, so check mode is this and nothing else.

mod authority;
mod bridge;
mod drift;
mod leave;
mod outside;
mod standing;

use std::collections::{BTreeMap, BTreeSet};

use pki::{Certificate, Timestamp};

use crate::crl;
use crate::failure::{Failed, Failure};
use crate::index::Service;
use crate::names::AuthorityName;
use crate::observe::{ObservedAuthority, ObservedTree};
use crate::plan::{Act, KeyAtHand, Plan, Reason, Standing};
use crate::request::{AuthorityKind, AuthorityWish, Request, State, WhenInUse};
use crate::{revoke, sign};

/// What one decision may look at.
pub(crate) struct Context<'a> {
    /// The task.
    pub request: &'a Request,
    /// The disk.
    pub observed: &'a ObservedTree,
    /// The clock.
    pub now: Timestamp,
    /// Who signs whom, as wished or else as found.
    pub parents: BTreeMap<AuthorityName, AuthorityName>,
    /// What the authorities decided so far will be.
    pub standings: BTreeMap<AuthorityName, Standing>,
    /// Those that cannot be what is wished.
    pub failed: BTreeSet<AuthorityName>,
}

/// Decides everything.
pub fn decide(request: &Request, observed: &ObservedTree, now: Timestamp) -> Plan {
    let parents = parents(request, observed);
    let mut plan = Plan::default();
    let mut context = Context {
        request,
        observed,
        now,
        standings: BTreeMap::new(),
        failed: observed.broken.keys().cloned().collect(),
        parents,
    };
    for name in order(request, observed, &context.parents) {
        decide_one(&mut context, &mut plan, name);
    }
    keep_above_what_stays(&mut context, &mut plan);
    hand_over_active(request, observed, &mut plan, &mut context.standings);
    plan.revocations = revoke::decide(&context);
    plan.signatures = sign::decide(&context, &plan);
    plan.lists = crl::decide(&context, &mut plan);
    plan.standings = context.standings;
    plan
}

fn decide_one(context: &mut Context<'_>, plan: &mut Plan, name: AuthorityName) {
    if context.failed.contains(&name) {
        return;
    }
    let listed = context.request.authority(&name).is_some();
    match authority::decide(context, &name, &mut plan.warnings) {
        Ok((decided, standing)) => {
            if let Some(standing) = standing {
                context.standings.insert(name, standing);
            }
            plan.authorities.push(decided);
        }
        Err(failure) => {
            if listed {
                plan.failed.push(Failed {
                    item: format!("authorities[{name}]"),
                    failure,
                });
            }
            context.failed.insert(name);
        }
    }
}

/// A removal that relied on the removal of an authority below is withdrawn if that one fails.
fn keep_above_what_stays(context: &mut Context<'_>, plan: &mut Plan) {
    // From the bottom up: what stays keeps what is above it, which keeps what is above that.
    for index in (0..plan.authorities.len()).rev() {
        let decided = &plan.authorities[index];
        let forced = context
            .request
            .authority(&decided.name)
            .map(|wish| &wish.state)
            == Some(&State::Absent(WhenInUse::Remove));
        if !matches!(decided.act, Act::Remove) || forced {
            continue;
        }
        let stays: Vec<String> = context
            .failed
            .iter()
            .filter(|below| context.parents.get(*below) == Some(&decided.name))
            .map(|below| format!("authority '{below}'"))
            .collect();
        if !stays.is_empty() {
            let name = plan.authorities.remove(index).name;
            plan.failed.push(Failed {
                item: format!("authorities[{name}]"),
                failure: Failure::AuthorityInUse {
                    authority: name.clone(),
                    below: stays,
                },
            });
            context.failed.insert(name);
        }
    }
}

/// One authority is active: whoever becomes it takes the place of the one before.
fn hand_over_active(
    request: &Request,
    observed: &ObservedTree,
    plan: &mut Plan,
    standings: &mut BTreeMap<AuthorityName, Standing>,
) {
    let active = request
        .authorities
        .iter()
        .find(|wish| wish.state == State::Active);
    let Some(active) = active.filter(|wish| standings.contains_key(&wish.name)) else {
        return;
    };
    for decided in &mut plan.authorities {
        let was = observed
            .authorities
            .get(&decided.name)
            .map(|found| found.index.service);
        let stays = decided.service.is_none() && !matches!(decided.act, Act::Remove);
        if decided.name != active.name && was == Some(Service::Active) && stays {
            decided.service = Some(Service::Present);
            decided.reasons.push(Reason::new(
                "active_elsewhere",
                format!("'{}' is active now", active.name),
            ));
            if let Some(standing) = standings.get_mut(&decided.name) {
                standing.service = Service::Present;
            }
        }
    }
}

impl Context<'_> {
    /// What `name` will be, or why it cannot be relied upon.
    pub(crate) fn standing(
        &self,
        name: &AuthorityName,
        wanted_by: &AuthorityName,
    ) -> Result<&Standing, Failure> {
        match self.standings.get(name) {
            Some(standing) => Ok(standing),
            None if self.failed.contains(name) => Err(Failure::Dependency {
                authority: wanted_by.clone(),
                on: name.clone(),
            }),
            None => Err(self.missing(name)),
        }
    }

    /// There is no authority `name`.
    pub(crate) fn missing(&self, name: &AuthorityName) -> Failure {
        Failure::AuthorityMissing {
            authority: name.clone(),
            directory: self.request.tree.root.clone(),
        }
    }

    /// Whether `signer` can sign certificates now.
    pub(crate) fn check_signer(
        &self,
        signer: &AuthorityName,
        standing: &Standing,
    ) -> Result<(), Failure> {
        let authority = || signer.clone();
        if matches!(standing.service, Service::Retired | Service::Revoked) {
            return Err(Failure::AuthorityOutOfService {
                authority: authority(),
                state: standing.service.word(),
            });
        }
        if standing.not_after <= self.now {
            return Err(Failure::AuthorityExpired {
                authority: authority(),
                not_after: standing.not_after,
            });
        }
        if standing.not_before > self.now {
            return Err(Failure::AuthorityNotYetValid {
                authority: authority(),
                not_before: standing.not_before,
            });
        }
        self.check_key(signer, standing)
    }

    /// Whether the key of `signer` is at hand.
    pub(crate) fn check_key(
        &self,
        signer: &AuthorityName,
        standing: &Standing,
    ) -> Result<(), Failure> {
        let problem = match standing.key {
            KeyAtHand::Yes => return Ok(()),
            KeyAtHand::Locked => "is encrypted",
            KeyAtHand::Absent => "is not there",
        };
        Err(Failure::KeyUnavailable {
            authority: signer.clone(),
            path: self.request.tree.authority(signer).key(),
            problem,
        })
    }
}

/// Who signs whom: an intermediate's wished parent, else the authority under whose certificate it was signed.
fn parents(request: &Request, observed: &ObservedTree) -> BTreeMap<AuthorityName, AuthorityName> {
    let mut parents = BTreeMap::new();
    for wish in &request.authorities {
        if let Some(parent) = wished_parent(wish) {
            parents.insert(wish.name.clone(), parent.clone());
        }
    }
    for (name, found) in &observed.authorities {
        if let Some(certificate) = &found.certificate
            && !parents.contains_key(name)
            && let Some(issuer) = issuer(observed, name, certificate)
        {
            parents.insert(name.clone(), issuer);
        }
    }
    parents
}

/// For state cross_signed `parent` names the second signer, not the first.
fn wished_parent(wish: &AuthorityWish) -> Option<&AuthorityName> {
    let own = wish.kind == AuthorityKind::Intermediate && wish.state != State::CrossSigned;
    wish.parent.as_ref().filter(|_| own)
}

/// The authority in the tree that signed `certificate`.
fn issuer(
    observed: &ObservedTree,
    name: &AuthorityName,
    certificate: &Certificate,
) -> Option<AuthorityName> {
    if certificate.is_self_issued() && certificate.signed_by(certificate) {
        return None;
    }
    let others = observed
        .authorities
        .iter()
        .filter(|(other, _)| *other != name);
    let mut signers = others.filter(|(_, other)| signed_by_any(certificate, other));
    signers.next().map(|(signer, _)| signer.clone())
}

fn signed_by_any(certificate: &Certificate, authority: &ObservedAuthority) -> bool {
    let current = authority.certificate.iter();
    current
        .chain(authority.generations.values())
        .any(|signer| certificate.signed_by(signer))
}

/// All authorities, signers first: parents before children, second signers before bridges.
fn order(
    request: &Request,
    observed: &ObservedTree,
    parents: &BTreeMap<AuthorityName, AuthorityName>,
) -> Vec<AuthorityName> {
    let listed = request.authorities.iter().map(|wish| &wish.name);
    let mut ordered = Vec::new();
    let mut seen = BTreeSet::new();
    for name in listed.chain(observed.authorities.keys()) {
        place(name, request, parents, &mut seen, &mut ordered);
    }
    ordered.retain(|name| {
        request.authority(name).is_some() || observed.authorities.contains_key(name)
    });
    ordered
}

fn place(
    name: &AuthorityName,
    request: &Request,
    parents: &BTreeMap<AuthorityName, AuthorityName>,
    seen: &mut BTreeSet<AuthorityName>,
    ordered: &mut Vec<AuthorityName>,
) {
    if !seen.insert(name.clone()) {
        return;
    }
    let bridge = request
        .authority(name)
        .filter(|wish| wish.state == State::CrossSigned);
    let signers = [
        parents.get(name),
        bridge.and_then(|wish| wish.parent.as_ref()),
    ];
    for signer in signers.into_iter().flatten() {
        place(signer, request, parents, seen, ordered);
    }
    ordered.push(name.clone());
}

#[cfg(test)]
mod tests;
