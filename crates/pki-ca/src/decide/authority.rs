// SPDX-License-Identifier: Apache-2.0
//! One authority: exists as wished, follows its parent, signs itself anew.

use pki::{Certificate, PublicKey, Timestamp};

use super::bridge::bridge;
use super::drift::check_drift;
use super::standing::{Parent, issued_standing, kept_standing};
use super::{Context, leave, outside, signed_by_any};
use crate::failure::Failure;
use crate::index::Service;
use crate::names::AuthorityName;
use crate::observe::{Link, ObservedAuthority, ObservedKey};
use crate::plan::{Act, AuthorityPlan, Change, Issue, KeyPlan, Reason, Relink, Standing};
use crate::request::{AuthorityKind, AuthorityWish, State};
use crate::spec;

/// A decision with what the authority will be; none if it will not be.
pub(super) type Decided = (AuthorityPlan, Option<Standing>);

pub(super) fn decide(
    context: &Context<'_>,
    name: &AuthorityName,
    warnings: &mut Vec<String>,
) -> Result<Decided, Failure> {
    let found = context.observed.authorities.get(name);
    let Some(wish) = context.request.authority(name) else {
        return match found {
            Some(found) => follow(context, name, found),
            None => Err(context.missing(name)),
        };
    };
    let (plan, standing) = match &wish.state {
        State::Present | State::Active | State::CrossSigned => {
            ensure(context, wish, found, warnings)?
        }
        State::Csr => outside::request(context, wish, found)?,
        State::Signed(uploaded) => outside::install(context, wish, found, uploaded, warnings)?,
        State::Retired => leave::retire(context, wish, found)?,
        State::Revoked(reason) => leave::revoke(context, wish, found, *reason)?,
        State::Absent(in_use) => leave::remove(context, wish, found, *in_use)?,
    };
    if let Some(standing) = &standing {
        warn_of_expiry(context.now, wish, standing, warnings);
    }
    Ok((plan, standing))
}

fn warn_of_expiry(
    now: Timestamp,
    wish: &AuthorityWish,
    standing: &Standing,
    warnings: &mut Vec<String>,
) {
    if standing.not_before > now {
        warnings.push(format!(
            "authority '{}' is not valid before {}; check the clock",
            wish.name, standing.not_before
        ));
    } else if standing.not_after <= now {
        warnings.push(format!(
            "authority '{}' expired at {}; renew it with 'regenerate: {}'",
            wish.name, standing.not_after, wish.name
        ));
    } else if wish
        .warn_before
        .renew_at(standing.not_before, standing.not_after)
        <= now
    {
        warnings.push(format!(
            "authority '{}' expires at {}; renew it with 'regenerate: {}'",
            wish.name, standing.not_after, wish.name
        ));
    }
}

/// States present, active and cross_signed.
fn ensure(
    context: &Context<'_>,
    wish: &AuthorityWish,
    found: Option<&ObservedAuthority>,
    warnings: &mut Vec<String>,
) -> Result<Decided, Failure> {
    let mut plan = AuthorityPlan::keep(wish.name.clone(), true);
    let parent = parent(context, wish)?;
    let before = found.and_then(|found| in_service(found, &mut plan));
    let key = key_plan(context, wish, found, before, &mut plan.reasons)?;
    check_drift(context, wish, found, before, parent)?;
    follow_parent(before, parent, &mut plan.reasons);
    regenerate(context, wish, before, &mut plan.reasons);
    let must_issue = !plan.reasons.is_empty() && (plan.relink.is_none() || plan.reasons.len() > 1);
    let standing = if must_issue {
        plan.relink = None;
        let issue = issue(context, wish, before, key, parent, warnings)?;
        let standing = issued_standing(wish, found, before, &issue, parent);
        plan.act = Act::Issue(Box::new(issue));
        standing
    } else {
        // No reason to issue without a certificate in service: `key_plan` gives one for that.
        let certificate = before.ok_or_else(|| context.missing(&wish.name))?;
        kept_standing(wish.name.clone(), found, certificate, parent)
    };
    let mut standing = standing;
    if let Some(found) = found {
        repair(&mut plan, found, &mut standing);
    }
    enter_service(wish, found, must_issue, &mut plan, &mut standing)?;
    if wish.state == State::CrossSigned {
        plan.bridge = bridge(context, wish, found, &standing, &mut plan.reasons)?;
    }
    Ok((plan, Some(standing)))
}

fn parent<'a>(context: &'a Context<'_>, wish: &AuthorityWish) -> Result<Parent<'a>, Failure> {
    let Some(name) = context
        .parents
        .get(&wish.name)
        .filter(|_| wish.kind == AuthorityKind::Intermediate)
    else {
        return Ok(None);
    };
    Ok(Some((name, context.standing(name, &wish.name)?)))
}

/// The certificate in service, and how the link to it is put right if it is not as it should be.
fn in_service<'a>(
    found: &'a ObservedAuthority,
    plan: &mut AuthorityPlan,
) -> Option<&'a Certificate> {
    match (found.link, &found.certificate) {
        (Link::Regular, Some(certificate)) => {
            let same = found
                .generations
                .iter()
                .find(|(_, generation)| *generation == certificate);
            plan.relink = Some(same.map_or(Relink::Adopt, |(number, _)| Relink::To(*number)));
            plan.reasons.push(Reason::new(
                "not_a_link",
                "the certificate in service is not a link to a generation",
            ));
            Some(certificate)
        }
        (Link::Absent, _) => {
            let ObservedKey::Open { public, .. } = &found.key else {
                return None;
            };
            let (number, newest) = found.generations.last_key_value()?;
            (newest.public_key() == public).then(|| {
                plan.relink = Some(Relink::To(*number));
                plan.reasons.push(Reason::new(
                    "link_missing",
                    "the link to the newest generation is missing",
                ));
                newest
            })
        }
        (_, certificate) => certificate.as_ref(),
    }
}

/// Which key the authority shall have; notes a reason if that asks for a certificate.
fn key_plan(
    context: &Context<'_>,
    wish: &AuthorityWish,
    found: Option<&ObservedAuthority>,
    before: Option<&Certificate>,
    reasons: &mut Vec<Reason>,
) -> Result<KeyPlan, Failure> {
    let had = before.and_then(|certificate| certificate.public_key().algorithm());
    let new = KeyPlan::New(wish.key.or(had).unwrap_or(spec::DEFAULT_KEY));
    let rekey = context.request.regenerate_key.contains(&wish.name);
    let reissue = rekey || context.request.regenerate.contains(&wish.name);
    let Some(found) = found else {
        reasons.push(Reason::new("missing", "there is no such authority yet"));
        return Ok(new);
    };
    match (&found.key, before) {
        (ObservedKey::Open { .. }, _) if rekey => Ok(new),
        (ObservedKey::Open { encrypted, .. }, None) => {
            reasons.push(Reason::new(
                "certificate_missing",
                "the key is there, its certificate is not",
            ));
            Ok(rewrite(wish, *encrypted))
        }
        (
            ObservedKey::Open {
                public, encrypted, ..
            },
            Some(certificate),
        ) => {
            if public != certificate.public_key() && !reissue {
                return Err(Failure::KeyForeign {
                    authority: wish.name.clone(),
                    path: context.request.tree.authority(&wish.name).key(),
                    serial: certificate.facts().serial.to_string(),
                });
            }
            Ok(rewrite(wish, *encrypted))
        }
        (_, None) if found.generations.is_empty() => {
            reasons.push(Reason::new("missing", "there is no such authority yet"));
            Ok(new)
        }
        (_, _) if reissue => {
            reasons.push(Reason::new("key_lost", "the private key is lost"));
            Ok(new)
        }
        (_, _) => Err(Failure::KeyLost {
            authority: wish.name.clone(),
            path: context.request.tree.authority(&wish.name).key(),
            invalidates: leave::valid_below(context, &wish.name, found)
                .into_iter()
                .chain([format!("every trust store with '{}'", wish.name)])
                .collect(),
        }),
    }
}

fn rewrite(wish: &AuthorityWish, encrypted: bool) -> KeyPlan {
    if wish.passphrase.is_some() != encrypted {
        KeyPlan::Rewrite
    } else {
        KeyPlan::Keep
    }
}

/// A certificate signed under an older key or name of its parent is made anew.
fn follow_parent(before: Option<&Certificate>, parent: Parent<'_>, reasons: &mut Vec<Reason>) {
    if let (Some(certificate), Some((name, standing))) = (before, parent)
        && !certificate.is_self_issued()
        && must_follow(certificate, standing)
    {
        reasons.push(Reason::new(
            "parent_changed",
            format!("'{name}' has another key or name than when it signed"),
        ));
    }
}

fn must_follow(certificate: &Certificate, parent: &Standing) -> bool {
    parent.change == Change::Identity
        || parent
            .certificate
            .as_ref()
            .is_some_and(|current| !certificate.signed_by(current))
}

fn regenerate(
    context: &Context<'_>,
    wish: &AuthorityWish,
    before: Option<&Certificate>,
    reasons: &mut Vec<Reason>,
) {
    if before.is_none() {
        return;
    }
    if context.request.regenerate_key.contains(&wish.name) {
        reasons.push(Reason::new("regenerate_key", "the task asks for a new key"));
    } else if context.request.regenerate.contains(&wish.name) {
        reasons.push(Reason::new(
            "regenerate",
            "the task asks for a new certificate",
        ));
    }
}

fn issue(
    context: &Context<'_>,
    wish: &AuthorityWish,
    before: Option<&Certificate>,
    key: KeyPlan,
    parent: Parent<'_>,
    warnings: &mut Vec<String>,
) -> Result<Issue, Failure> {
    if wish.kind == AuthorityKind::Intermediate && parent.is_none() {
        return Err(Failure::NoIssuer {
            authority: wish.name.clone(),
        });
    }
    if let Some((name, standing)) = parent {
        context.check_signer(name, standing)?;
        if context.now + wish.ttl > standing.not_after {
            warnings.push(format!(
                "the lifetime of authority '{}' is cut to {}, the end of '{name}'",
                wish.name, standing.not_after
            ));
        }
    }
    Ok(Issue {
        key,
        template: spec::template(wish, before, context.now, parent)?,
        signer: parent.map(|(name, _)| name.clone()),
        renewal: before.is_some() || key == KeyPlan::Keep,
    })
}

/// Chain file, owners and modes of an authority that is otherwise kept.
pub(super) fn repair(plan: &mut AuthorityPlan, found: &ObservedAuthority, standing: &mut Standing) {
    if !matches!(plan.act, Act::Issue(_) | Act::Install(_)) {
        refresh_chain(plan, found, standing);
    }
    let drifted = found.drift.iter().flat_map(|(target, drifts)| {
        drifts
            .iter()
            .map(|drift| (target.path.clone(), drift.clone()))
    });
    for (path, drift) in drifted.chain(found.directory_drift.iter().cloned()) {
        plan.fix_attributes = true;
        plan.reasons.push(Reason::new(
            "attributes",
            format!(
                "{} of '{}' is {}, wished is {}",
                drift.what,
                path.display(),
                drift.before,
                drift.after
            ),
        ));
    }
}

fn refresh_chain(plan: &mut AuthorityPlan, found: &ObservedAuthority, standing: &Standing) {
    let Some(certificate) = &standing.certificate else {
        return;
    };
    if standing.parent.is_none() && !certificate.is_self_issued() {
        // Signed outside: what is above it came with the upload, and only an upload brings it back.
        return;
    }
    let wished: Vec<_> = std::iter::once(certificate)
        .chain(&standing.above)
        .cloned()
        .collect();
    if standing.change >= Change::Certificate || found.chain.as_ref() != Some(&wished) {
        plan.refresh_chain = true;
        plan.reasons.push(Reason::new(
            "chain",
            "the chain file is not the certificate with all above it",
        ));
    }
}

fn enter_service(
    wish: &AuthorityWish,
    found: Option<&ObservedAuthority>,
    issued: bool,
    plan: &mut AuthorityPlan,
    standing: &mut Standing,
) -> Result<(), Failure> {
    let now = found.map_or(Service::Present, |found| found.index.service);
    if now == Service::Revoked && !issued {
        return Err(Failure::AuthorityOutOfService {
            authority: wish.name.clone(),
            state: now.word(),
        });
    }
    let wished = match (&wish.state, now) {
        (State::Active, _) => Service::Active,
        (_, Service::Active) => Service::Active,
        _ => Service::Present,
    };
    standing.service = wished;
    if wished != now {
        plan.service = Some(wished);
        plan.reasons.push(Reason::new(
            "service",
            format!("becomes {}, was {}", wished.word(), now.word()),
        ));
    }
    Ok(())
}

/// An authority that the task does not describe: it only follows a parent that changes in this task.
fn follow(
    context: &Context<'_>,
    name: &AuthorityName,
    found: &ObservedAuthority,
) -> Result<Decided, Failure> {
    let mut plan = AuthorityPlan::keep(name.clone(), false);
    let Some(certificate) = &found.certificate else {
        return Ok((plan, None));
    };
    let parent = match context.parents.get(name) {
        Some(parent) => context.standings.get_key_value(parent),
        None => None,
    };
    let changed = parent.is_some_and(|(_, standing)| standing.change > Change::None);
    let mut standing = kept_standing(name.clone(), Some(found), certificate, parent);
    let Some((parent_name, parent_standing)) = parent.filter(|_| changed) else {
        return Ok((plan, Some(standing)));
    };
    if must_follow(certificate, parent_standing) {
        context.check_signer(parent_name, parent_standing)?;
        let template = spec::again(certificate, context.now, parent_standing);
        (standing.not_before, standing.not_after) = (template.not_before, template.not_after);
        standing.certificate = None;
        standing.change = Change::Certificate;
        plan.reasons.push(Reason::new(
            "parent_changed",
            format!("'{parent_name}' gets another key or name"),
        ));
        plan.act = Act::Issue(Box::new(Issue {
            key: KeyPlan::Keep,
            template,
            signer: Some(parent_name.clone()),
            renewal: true,
        }));
    } else {
        standing.change = Change::Certificate;
        plan.refresh_chain = true;
        plan.reasons.push(Reason::new(
            "chain",
            format!("'{parent_name}' gets another certificate"),
        ));
    }
    Ok((plan, Some(standing)))
}

/// Whether `certificate` was signed under any certificate of `authority`.
pub(super) fn is_below(certificate: &Certificate, authority: &ObservedAuthority) -> bool {
    signed_by_any(certificate, authority)
}

/// The public key of an open private key.
pub(super) fn public(key: &ObservedKey) -> Option<&PublicKey> {
    match key {
        ObservedKey::Open { public, .. } => Some(public),
        _ => None,
    }
}
