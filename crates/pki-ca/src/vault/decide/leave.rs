// SPDX-License-Identifier: Apache-2.0
//! An issuer leaves: retired, revoked, absent.

use super::super::failure::VaultFailure;
use super::super::observe::ObservedIssuer;
use super::super::plan::{AuthorityPlan, Step};
use super::super::request::Wish;
use super::{Context, settings, state_of};
use crate::failure::Failure;
use crate::plan::Reason;
use crate::request::WhenInUse;

/// State retired: signs no more certificates, its list goes on.
pub(super) fn retire(
    context: &Context<'_>,
    wish: &Wish,
    found: Option<&ObservedIssuer>,
) -> Result<AuthorityPlan, Failure> {
    let issuer = found.ok_or_else(|| context.missing(wish.name().as_str()))?;
    let mut plan = AuthorityPlan::keep(wish.name().clone(), state_of(issuer));
    if issuer.revoked {
        return Ok(plan);
    }
    refuse_default(context, wish, issuer, "retired")?;
    settings::compare(context, wish, issuer, false, &mut plan)?;
    plan.state = "retired";
    Ok(plan)
}

/// State revoked: nothing is signed any more, and its certificate goes on its parent's list, where the server has that.
pub(super) fn revoke(
    context: &Context<'_>,
    wish: &Wish,
    found: Option<&ObservedIssuer>,
    warnings: &mut Vec<String>,
) -> Result<AuthorityPlan, Failure> {
    let issuer = found.ok_or_else(|| context.missing(wish.name().as_str()))?;
    let mut plan = AuthorityPlan::keep(wish.name().clone(), state_of(issuer));
    if issuer.revoked {
        return Ok(plan);
    }
    let certificate = &issuer.certificate;
    if certificate.is_self_issued() && certificate.signed_by(certificate) {
        return Err(Failure::RevocationOfRoot {
            authority: wish.name().clone(),
        });
    }
    refuse_default(context, wish, issuer, "revoked")?;
    let signer_in = |path: &str| {
        let mount = context.observed.mount(path);
        mount
            .issuers
            .iter()
            .any(|other| other.key_id.is_some() && certificate.signed_by(&other.certificate))
    };
    let elsewhere = (wish.parent_mount != context.request.mount && signer_in(&wish.parent_mount))
        .then(|| wish.parent_mount.clone());
    if elsewhere.is_none() && !signer_in(&context.request.mount) {
        warnings.push(format!(
            "authority '{}' was signed by '{}', which is not in mount '{}'; it signs no more, but only its issuer can put it on a list{}",
            wish.name(),
            certificate.facts().issuer,
            context.request.mount,
            "; give 'parent_mount' if it is in another mount"
        ));
    }
    plan.add(
        Step::Revoke { elsewhere },
        Reason::new("revoked", "the task asks for its revocation"),
    );
    plan.state = "revoked";
    Ok(plan)
}

/// State absent: gone, with the key that nothing else uses. Whether certificates of it are still valid is looked at by
/// `observe`, which reads what the mount has issued only then. Without the issuer its key is looked for: a run may have
/// been cut before it was removed too.
pub(super) fn remove(
    context: &Context<'_>,
    wish: &Wish,
    found: Option<&ObservedIssuer>,
    in_use: WhenInUse,
) -> Result<AuthorityPlan, Failure> {
    let mut plan = AuthorityPlan::keep(wish.name().clone(), "absent");
    let Some(issuer) = found else {
        if let Some(key) = left_key(context, wish) {
            let detail = "the mount still has its key, which no issuer uses";
            plan.add(Step::RemoveKey(key), Reason::new("key_left", detail));
        }
        return Ok(plan);
    };
    refuse_default(context, wish, issuer, "removed")?;
    let below = context.observed.below(&issuer.id);
    if in_use == WhenInUse::Refuse && !below.is_empty() {
        return Err(Failure::AuthorityInUse {
            authority: wish.name().clone(),
            below,
        });
    }
    let own_key = issuer.key_id.clone();
    plan.add(
        Step::Remove {
            key_id: own_key.filter(|key| !is_needed(context, wish, key, &issuer.id)),
        },
        Reason::new("absent", "the task asks for its removal"),
    );
    Ok(plan)
}

/// The key of an authority without its issuer: that of a request, or what a run has left that was cut between the two.
fn left_key(context: &Context<'_>, wish: &Wish) -> Option<String> {
    let key = context.mount.key(&wish.key_name)?;
    (!is_needed(context, wish, &key.id, "")).then(|| key.id.clone())
}

/// Whether another issuer than `own` uses the key, or another authority of the task will.
fn is_needed(context: &Context<'_>, wish: &Wish, key_id: &str, own: &str) -> bool {
    let mut issuers = context.mount.issuers.iter();
    let used = issuers.any(|other| other.id != own && other.key_id.as_deref() == Some(key_id));
    let mut keys = context.mount.keys.iter();
    let name = keys.find(|key| key.id == key_id).map(|key| &key.name);
    let mut wishes = context.request.authorities.iter();
    let wished = wishes.any(|other| {
        other.name() != wish.name()
            && !super::leaves(&other.base.state)
            && name == Some(&other.key_name)
    });
    used || wished
}

fn refuse_default(
    context: &Context<'_>,
    wish: &Wish,
    issuer: &ObservedIssuer,
    what: &'static str,
) -> Result<(), Failure> {
    if !issuer.is_default {
        return Ok(());
    }
    // Another of the task may take its place first; those that leave come last, and look again.
    let mut others = context.request.authorities.iter();
    let successor = others.any(|other| {
        other.name() != wish.name()
            && other.base.state == crate::request::State::Active
            && !context.failed.contains(other.name())
    });
    if successor {
        return Ok(());
    }
    Err(VaultFailure::Default {
        authority: wish.name().clone(),
        mount: context.request.mount.clone(),
        what,
    }
    .into())
}
