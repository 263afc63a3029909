// SPDX-License-Identifier: Apache-2.0
//! An authority leaves: retired, revoked, absent.

use std::collections::BTreeMap;

use pki::crl::RevocationReason;
use pki::{Certificate, Serial};

use super::Context;
use super::authority::{Decided, is_below, repair};
use super::standing::kept_standing;
use crate::failure::Failure;
use crate::index::Service;
use crate::names::AuthorityName;
use crate::observe::ObservedAuthority;
use crate::plan::{Act, AuthorityPlan, Reason, RevokeOwn};
use crate::request::{AuthorityWish, State, WhenInUse};

/// State retired: signs no more certificates, its list goes on.
pub(super) fn retire(
    context: &Context<'_>,
    wish: &AuthorityWish,
    found: Option<&ObservedAuthority>,
) -> Result<Decided, Failure> {
    let (found, certificate) = existing(context, wish, found)?;
    let mut plan = AuthorityPlan::keep(wish.name.clone(), true);
    let parent = context
        .parents
        .get(&wish.name)
        .and_then(|name| context.standings.get_key_value(name));
    let mut standing = kept_standing(wish.name.clone(), Some(found), certificate, parent);
    repair(&mut plan, found, &mut standing);
    if matches!(found.index.service, Service::Present | Service::Active) {
        plan.service = Some(Service::Retired);
        plan.reasons.push(Reason::new(
            "service",
            format!("becomes retired, was {}", found.index.service.word()),
        ));
        standing.service = Service::Retired;
    }
    Ok((plan, Some(standing)))
}

/// State revoked: every certificate of it that is still valid goes on its parent's list.
pub(super) fn revoke(
    context: &Context<'_>,
    wish: &AuthorityWish,
    found: Option<&ObservedAuthority>,
    reason: Option<RevocationReason>,
) -> Result<Decided, Failure> {
    let (found, certificate) = existing(context, wish, found)?;
    if certificate.is_self_issued() && certificate.signed_by(certificate) {
        return Err(Failure::RevocationOfRoot {
            authority: wish.name.clone(),
        });
    }
    let Some(parent) = context.parents.get(&wish.name) else {
        return Err(Failure::IssuerOutside {
            authority: wish.name.clone(),
            issuer: certificate.facts().issuer.to_string(),
        });
    };
    let parent_standing = context.standing(parent, &wish.name)?;
    let mut plan = AuthorityPlan::keep(wish.name.clone(), true);
    let mut standing = kept_standing(
        wish.name.clone(),
        Some(found),
        certificate,
        Some((parent, parent_standing)),
    );
    let serials = serials_to_revoke(context, found, certificate, parent);
    if !serials.is_empty() {
        context.check_key(parent, parent_standing)?;
        plan.reasons.push(Reason::new(
            "revoked",
            format!("its certificate goes on the list of '{parent}'"),
        ));
        plan.revoke = Some(RevokeOwn {
            parent: parent.clone(),
            serials,
            reason,
        });
    }
    if found.index.service != Service::Revoked {
        plan.service = Some(Service::Revoked);
        plan.reasons.push(Reason::new(
            "service",
            format!("becomes revoked, was {}", found.index.service.word()),
        ));
    }
    standing.service = Service::Revoked;
    Ok((plan, Some(standing)))
}

fn serials_to_revoke(
    context: &Context<'_>,
    found: &ObservedAuthority,
    current: &Certificate,
    parent: &AuthorityName,
) -> Vec<Serial> {
    let Some(signer) = context.observed.authorities.get(parent) else {
        return Vec::new();
    };
    let mut serials: Vec<Serial> = Vec::new();
    for certificate in std::iter::once(current).chain(found.generations.values()) {
        let facts = certificate.facts();
        let due = facts.not_after >= context.now
            && is_below(certificate, signer)
            && signer.index.revocation(&facts.serial).is_none();
        if due && !serials.contains(&facts.serial) {
            serials.push(facts.serial.clone());
        }
    }
    serials
}

/// State absent: gone, when nothing valid hangs on it.
pub(super) fn remove(
    context: &Context<'_>,
    wish: &AuthorityWish,
    found: Option<&ObservedAuthority>,
    in_use: WhenInUse,
) -> Result<Decided, Failure> {
    let mut plan = AuthorityPlan::keep(wish.name.clone(), true);
    let Some(found) = found else {
        return Ok((plan, None));
    };
    let below = valid_below(context, &wish.name, found);
    if in_use == WhenInUse::Refuse && !below.is_empty() {
        return Err(Failure::AuthorityInUse {
            authority: wish.name.clone(),
            below,
        });
    }
    plan.reasons
        .push(Reason::new("absent", "the task asks for its removal"));
    plan.act = Act::Remove;
    Ok((plan, None))
}

fn existing<'a>(
    context: &Context<'_>,
    wish: &AuthorityWish,
    found: Option<&'a ObservedAuthority>,
) -> Result<(&'a ObservedAuthority, &'a Certificate), Failure> {
    let found = found.ok_or_else(|| context.missing(&wish.name))?;
    let certificate = found
        .certificate
        .as_ref()
        .ok_or_else(|| context.missing(&wish.name))?;
    Ok((found, certificate))
}

/// What the authority has issued that is neither expired nor revoked, one text each: authorities of the tree
/// that stay, what its index knows, and kept certificates of a tree that had no index.
pub(super) fn valid_below(
    context: &Context<'_>,
    name: &AuthorityName,
    found: &ObservedAuthority,
) -> Vec<String> {
    let mut below: BTreeMap<&Serial, String> = BTreeMap::new();
    for issued in found.index.valid_below(context.now) {
        let label = issued.name.as_deref().unwrap_or(&issued.subject);
        below.insert(
            &issued.serial,
            format!("'{label}' until {}", issued.not_after),
        );
    }
    let valid = |certificate: &Certificate| {
        let facts = certificate.facts();
        facts.not_after >= context.now
            && found.index.revocation(&facts.serial).is_none()
            && is_below(certificate, found)
    };
    for (file, certificate) in context.observed.kept.iter().filter(|(_, each)| valid(each)) {
        let facts = certificate.facts();
        let label = file.strip_suffix(".crt").unwrap_or(file);
        below.insert(
            &facts.serial,
            format!("'{label}' until {}", facts.not_after),
        );
    }
    for (other, authority) in context
        .observed
        .authorities
        .iter()
        .filter(|(other, _)| *other != name)
    {
        let leaves = is_leaving(context, other);
        for certificate in authority
            .certificate
            .iter()
            .chain(authority.generations.values())
        {
            let facts = certificate.facts();
            if leaves {
                below.remove(&facts.serial);
            } else if valid(certificate) {
                below.insert(
                    &facts.serial,
                    format!("authority '{other}' until {}", facts.not_after),
                );
            }
        }
    }
    below.into_values().collect()
}

fn is_leaving(context: &Context<'_>, name: &AuthorityName) -> bool {
    let wish = context.request.authority(name);
    wish.is_some_and(|wish| matches!(wish.state, State::Absent(_)))
        && !context.failed.contains(name)
}
