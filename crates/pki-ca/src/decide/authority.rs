// SPDX-License-Identifier: Apache-2.0
//! One authority: exists as wished, follows its parent, signs itself anew.

use pki::{Certificate, CertificateTemplate, PublicKey, Timestamp};

use super::{Context, leave, outside, signed_by_any};
use crate::failure::{Difference, Failure};
use crate::index::Service;
use crate::names::AuthorityName;
use crate::observe::{Link, ObservedAuthority, ObservedKey};
use crate::plan::{
    Act, AuthorityPlan, Bridge, Change, Issue, KeyAtHand, KeyPlan, Reason, Relink, Standing,
};
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

/// The parent and what it will be.
type Parent<'a> = Option<(&'a AuthorityName, &'a Standing)>;

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

/// Refuses a wish that the authority on disk does not fulfil, unless it is to be regenerated.
fn check_drift(
    context: &Context<'_>,
    wish: &AuthorityWish,
    found: Option<&ObservedAuthority>,
    before: Option<&Certificate>,
    parent: Parent<'_>,
) -> Result<(), Failure> {
    if context.request.regenerate_key.contains(&wish.name) {
        return Ok(());
    }
    let mut differences = before
        .map(|certificate| spec::drift(wish, certificate))
        .unwrap_or_default();
    if let Some(found) = found {
        differences.extend(key_drift(wish, found, before));
    }
    if let (Some(certificate), Some((name, standing))) = (before, parent)
        && !was_signed_by(certificate, standing)
        && !(certificate.is_self_issued() && certificate.signed_by(certificate))
    {
        differences.push(Difference {
            what: "parent",
            existing: certificate.facts().issuer.to_string(),
            wished: format!("{name} ({})", standing.subject),
        });
    }
    if context.request.regenerate.contains(&wish.name) {
        // The same key cannot become one of another algorithm.
        differences.retain(|difference| difference.what == "key");
        let lost = found.is_some_and(|found| matches!(found.key, ObservedKey::Absent));
        if lost {
            differences.clear();
        }
    }
    if differences.is_empty() {
        return Ok(());
    }
    Err(Failure::AuthorityDrift {
        authority: wish.name.clone(),
        differences,
    })
}

/// Signed under a certificate of the parent, old or new; where those are all lost, its name and key tell.
fn was_signed_by(certificate: &Certificate, parent: &Standing) -> bool {
    let facts = certificate.facts();
    let key = parent.public_key.as_ref().map(PublicKey::key_identifier);
    let same_key =
        key.is_some_and(|key| facts.authority_key_identifier.as_deref() == Some(key.as_slice()));
    parent
        .generations
        .iter()
        .any(|signer| certificate.signed_by(signer))
        || (parent.generations.is_empty() && facts.issuer == parent.subject && same_key)
}

/// A key without certificate of another algorithm than wished, or a key in the clear that should not be.
fn key_drift(
    wish: &AuthorityWish,
    found: &ObservedAuthority,
    before: Option<&Certificate>,
) -> Vec<Difference> {
    let ObservedKey::Open {
        public, encrypted, ..
    } = &found.key
    else {
        return Vec::new();
    };
    let mut differences = Vec::new();
    let has = public.algorithm();
    if let Some(wished) = wish
        .key
        .filter(|wished| before.is_none() && has != Some(*wished))
    {
        differences.push(Difference {
            what: "key",
            existing: has.map_or_else(|| "unknown".to_owned(), |has| has.to_string()),
            wished: wished.to_string(),
        });
    }
    if wish.passphrase.is_some() && !encrypted {
        differences.push(Difference {
            what: "key.passphrase",
            existing: "none, the key lies in the clear".to_owned(),
            wished: "an encrypted key".to_owned(),
        });
    }
    differences
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

/// What a certificate to be made will be.
fn issued_standing(
    wish: &AuthorityWish,
    found: Option<&ObservedAuthority>,
    before: Option<&Certificate>,
    issue: &Issue,
    parent: Parent<'_>,
) -> Standing {
    let same_name = before
        .is_none_or(|certificate| certificate.facts().subject == issue.template.request.subject);
    let change = match issue.key {
        KeyPlan::New(_) => Change::Identity,
        _ if same_name => Change::Certificate,
        _ => Change::Identity,
    };
    let public_key = match (issue.key, found.map(|found| &found.key)) {
        (KeyPlan::Keep | KeyPlan::Rewrite, Some(ObservedKey::Open { public, .. })) => {
            Some(public.clone())
        }
        _ => None,
    };
    let template = &issue.template;
    Standing {
        subject: template.request.subject.clone(),
        not_before: template.not_before,
        not_after: template.not_after,
        path_length: limit(
            template
                .request
                .basic_constraints
                .and_then(|each| each.path_length),
            parent,
        ),
        constraints: constraints(&wish.name, template.name_constraints.as_ref(), parent),
        parent: parent.map(|(name, _)| name.clone()),
        service: found.map_or(Service::Present, |found| found.index.service),
        certificate: None,
        public_key,
        key: KeyAtHand::Yes,
        above: Vec::new(),
        generations: generations(found),
        change,
    }
}

/// What a certificate that stays is.
pub(super) fn kept_standing(
    name: AuthorityName,
    found: Option<&ObservedAuthority>,
    certificate: &Certificate,
    parent: Parent<'_>,
) -> Standing {
    let facts = certificate.facts();
    let above = match (parent, found) {
        (Some((_, standing)), _) => above(standing),
        // Signed outside: the chain file is all that we have.
        (None, Some(found)) => found
            .chain
            .iter()
            .flatten()
            .filter(|each| *each != certificate)
            .cloned()
            .collect(),
        (None, None) => Vec::new(),
    };
    Standing {
        subject: facts.subject.clone(),
        not_before: facts.not_before,
        not_after: facts.not_after,
        path_length: limit(
            facts.basic_constraints.and_then(|each| each.path_length),
            parent,
        ),
        constraints: constraints(&name, facts.name_constraints.as_ref(), parent),
        parent: parent.map(|(name, _)| name.clone()),
        service: found.map_or(Service::Present, |found| found.index.service),
        certificate: Some(certificate.clone()),
        public_key: Some(certificate.public_key().clone()),
        key: found.map_or(KeyAtHand::Absent, |found| at_hand(&found.key)),
        above,
        generations: generations(found),
        change: Change::None,
    }
}

fn at_hand(key: &ObservedKey) -> KeyAtHand {
    match key {
        ObservedKey::Open { .. } => KeyAtHand::Yes,
        ObservedKey::Locked => KeyAtHand::Locked,
        ObservedKey::Absent => KeyAtHand::Absent,
    }
}

/// A parent's certificate and what is above it, as far as they exist.
pub(super) fn above(parent: &Standing) -> Vec<Certificate> {
    parent
        .certificate
        .iter()
        .chain(&parent.above)
        .cloned()
        .collect()
}

fn generations(found: Option<&ObservedAuthority>) -> Vec<Certificate> {
    found.map_or_else(Vec::new, |found| {
        found
            .certificate
            .iter()
            .chain(found.generations.values())
            .cloned()
            .collect()
    })
}

/// A path length holds for all below, however much they would allow themselves.
fn limit(own: Option<u8>, parent: Parent<'_>) -> Option<u8> {
    let inherited = parent
        .and_then(|(_, standing)| standing.path_length)
        .map(|length| length.saturating_sub(1));
    match (own, inherited) {
        (Some(own), Some(inherited)) => Some(own.min(inherited)),
        (own, inherited) => own.or(inherited),
    }
}

fn constraints(
    name: &AuthorityName,
    own: Option<&pki::NameConstraints>,
    parent: Parent<'_>,
) -> Vec<(AuthorityName, pki::NameConstraints)> {
    let own = own.map(|own| (name.clone(), own.clone()));
    own.into_iter()
        .chain(
            parent
                .into_iter()
                .flat_map(|(_, standing)| standing.constraints.clone()),
        )
        .collect()
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

/// The certificate of its key under a second signer, unless there is a good one.
fn bridge(
    context: &Context<'_>,
    wish: &AuthorityWish,
    found: Option<&ObservedAuthority>,
    standing: &Standing,
    reasons: &mut Vec<Reason>,
) -> Result<Option<Bridge>, Failure> {
    let Some(name) = wish.parent.as_ref() else {
        return Ok(None);
    };
    let signer = context.standing(name, &wish.name)?;
    let existing = found.and_then(|found| found.bridges.get(name));
    if existing.is_some_and(|bridge| bridge_is_good(context, wish, bridge, standing, signer)) {
        return Ok(None);
    }
    context.check_signer(name, signer)?;
    let template = match (&standing.certificate, found) {
        (Some(certificate), _) => spec::again(certificate, context.now, signer),
        (None, _) => spec::template(wish, None, context.now, Some((name, signer)))?,
    };
    let template = bridge_template(template, standing, name, signer)?;
    reasons.push(Reason::new(
        "bridge",
        format!("'{name}' has not signed its present key"),
    ));
    Ok(Some(Bridge {
        signer: name.clone(),
        template,
    }))
}

fn bridge_is_good(
    context: &Context<'_>,
    wish: &AuthorityWish,
    bridge: &Certificate,
    standing: &Standing,
    signer: &Standing,
) -> bool {
    let facts = bridge.facts();
    let current = signer
        .certificate
        .as_ref()
        .is_some_and(|certificate| bridge.signed_by(certificate));
    current
        && facts.subject == standing.subject
        && standing.public_key.as_ref() == Some(bridge.public_key())
        && wish.warn_before.renew_at(facts.not_before, facts.not_after) > context.now
}

/// The bridge says what its own certificate says, within what the signer allows, and outlives neither.
fn bridge_template(
    mut template: CertificateTemplate,
    standing: &Standing,
    name: &AuthorityName,
    signer: &Standing,
) -> Result<CertificateTemplate, Failure> {
    template.not_after = standing.not_after.min(signer.not_after);
    template.request.subject = standing.subject.clone();
    template.request.names = pki::SubjectAltNames::default();
    if let (spec::Room::AtMost(most), Some(constraints)) = (
        spec::Room::below(name, signer)?,
        template.request.basic_constraints.as_mut(),
    ) {
        constraints.path_length = Some(constraints.path_length.map_or(most, |own| own.min(most)));
    }
    Ok(template)
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
