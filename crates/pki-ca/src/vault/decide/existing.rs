// SPDX-License-Identifier: Apache-2.0
//! An issuer that is there shall be present, active or cross-signed.

use super::super::failure::VaultFailure;
use super::super::observe::ObservedIssuer;
use super::super::plan::{AuthorityPlan, Step};
use super::super::request::Wish;
use super::signer::{known_parent, will_be_made};
use super::{Context, bridge, drift, settings, state_of};
use crate::failure::Failure;
use crate::plan::Reason;
use crate::request::{AuthorityKind, State};

pub(super) fn keep(
    context: &Context<'_>,
    wish: &Wish,
    issuer: &ObservedIssuer,
) -> Result<AuthorityPlan, Failure> {
    let mut plan = AuthorityPlan::keep(wish.name().clone(), state_of(issuer));
    check_usable(context, wish, issuer)?;
    drift::check(wish, issuer, first_parent(context, wish, issuer)?)?;
    settings::compare(context, wish, issuer, true, &mut plan)?;
    if plan.state == "retired" {
        plan.state = "present";
    }
    if wish.base.state == State::Active && !issuer.is_default {
        activate(context, wish, &mut plan);
    }
    bridge::add(context, wish, issuer, &mut plan)?;
    Ok(plan)
}

/// Makes the authority the default.
pub(super) fn activate(context: &Context<'_>, wish: &Wish, plan: &mut AuthorityPlan) {
    let before = context.mount.default_issuer().map_or_else(
        || "there is no default issuer".to_owned(),
        |default| format!("the default issuer is '{}'", default.label()),
    );
    plan.add(Step::Activate, Reason::new("not_default", before));
    plan.state = "active";
    debug_assert_eq!(wish.name(), &plan.name);
}

/// It has its key, is not revoked and not over.
fn check_usable(
    context: &Context<'_>,
    wish: &Wish,
    issuer: &ObservedIssuer,
) -> Result<(), Failure> {
    if issuer.revoked {
        return Err(VaultFailure::Revoked {
            authority: wish.name().clone(),
        }
        .into());
    }
    if issuer.key_id.is_none() {
        return Err(VaultFailure::Keyless {
            authority: wish.name().clone(),
            mount: context.request.mount.clone(),
        }
        .into());
    }
    let facts = issuer.certificate.facts();
    if wish.base.state != State::Present && facts.not_after <= context.now {
        return Err(VaultFailure::Expired {
            authority: wish.name().clone(),
            not_after: facts.not_after,
        }
        .into());
    }
    Ok(())
}

/// The parent that is wished, where it is there: an issuer may outlive its parent's stay in the mount. Where who has signed
/// it is there, the wish names another.
fn first_parent<'a>(
    context: &Context<'a>,
    wish: &Wish,
    issuer: &ObservedIssuer,
) -> Result<Option<&'a ObservedIssuer>, Failure> {
    let own =
        wish.base.kind == AuthorityKind::Intermediate && wish.base.state != State::CrossSigned;
    let Some(parent) = wish.base.parent.as_ref().filter(|_| own) else {
        return Ok(None);
    };
    if let Some(found) = known_parent(context, wish) {
        return Ok(Some(found));
    }
    let mut others = context
        .observed
        .mounts
        .values()
        .flat_map(|mount| &mount.issuers);
    let signer_is_there = others.any(|other| issuer.certificate.signed_by(&other.certificate));
    if !signer_is_there && !will_be_made(context, wish) {
        return Ok(None);
    }
    Err(VaultFailure::Missing {
        authority: parent.to_string(),
        mount: wish.parent_mount.clone(),
    }
    .into())
}
