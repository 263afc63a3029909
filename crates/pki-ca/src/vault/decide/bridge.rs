// SPDX-License-Identifier: Apache-2.0
//! The key of an authority under a second signer: an issuer of its own, `NAME-x-SIGNER`.

use serde_json::json;

use super::super::failure::VaultFailure;
use super::super::observe::ObservedIssuer;
use super::super::plan::{AuthorityPlan, Signing, Step};
use super::super::request::Wish;
use super::super::subject;
use super::body::{backdate, certificate_body, length_value};
use super::signer::{self, Signer, known_parent, room_below, will_be_made};
use super::{Context, bridge_of};
use crate::failure::{Difference, Failure};
use crate::plan::Reason;

/// The same key under the second signer.
pub(super) fn add(
    context: &Context<'_>,
    wish: &Wish,
    issuer: &ObservedIssuer,
    plan: &mut AuthorityPlan,
) -> Result<(), Failure> {
    let Some(name) = bridge_of(wish) else {
        return Ok(());
    };
    if let Some(other) = context.mount.named(&name) {
        return is_there(context, wish, issuer, other);
    }
    let signer = signer::find(context, wish)?;
    let of_key = |other: &&ObservedIssuer| {
        other.certificate.public_key() == issuer.certificate.public_key()
            && signer
                .certificate()
                .is_some_and(|signer| other.certificate.signed_by(signer))
    };
    // An earlier run may have been cut between the import and the name.
    let mut nameless = context
        .mount
        .issuers
        .iter()
        .filter(|other| other.name.is_empty());
    if let Some(left) = nameless.find(of_key) {
        plan.add(
            Step::Name(left.id.clone()),
            Reason::new(
                "unnamed",
                "an earlier run was cut before the issuer got its name",
            ),
        );
        return Ok(());
    }
    let signing = of_found(context, wish, issuer, &name, &signer)?;
    plan.add(
        Step::Bridge(Box::new(signing)),
        Reason::new(
            "cross_signature_missing",
            format!("'{}' has not signed its key yet", signer.label()),
        ),
    );
    Ok(())
}

/// Whether what has the name of the bridge is it. Its signer is not asked to sign any more, so that may have left service,
/// or the mount.
fn is_there(
    context: &Context<'_>,
    wish: &Wish,
    issuer: &ObservedIssuer,
    other: &ObservedIssuer,
) -> Result<(), Failure> {
    let same_key = other.certificate.public_key() == issuer.certificate.public_key();
    let by_parent = match known_parent(context, wish) {
        Some(parent) => other.certificate.signed_by(&parent.certificate),
        None => !will_be_made(context, wish),
    };
    if same_key && by_parent {
        return Ok(());
    }
    Err(VaultFailure::Drift {
        authority: wish.name().clone(),
        differences: vec![Difference {
            what: "cross-signed issuer",
            existing: format!("{} of {}", other.name, other.certificate.facts().issuer),
            wished: format!("{} by {}", other.name, wish.parent_mount),
        }],
    }
    .into())
}

/// The same for a root that the task makes before.
pub(super) fn add_new(
    context: &Context<'_>,
    wish: &Wish,
    plan: &mut AuthorityPlan,
) -> Result<(), Failure> {
    let Some(name) = bridge_of(wish) else {
        return Ok(());
    };
    let signer = signer::find(context, wish)?;
    let signing = of_new(context, wish, &name, &signer)?;
    plan.add(Step::Bridge(Box::new(signing)), missing(&signer));
    Ok(())
}

fn missing(signer: &Signer) -> Reason {
    Reason::new(
        "cross_signature_missing",
        format!("'{}' has not signed its key yet", signer.label()),
    )
}

/// The same for a root that is made before; its key and its subject, byte for byte, are known then.
fn of_new(
    context: &Context<'_>,
    wish: &Wish,
    name: &str,
    signer: &Signer,
) -> Result<Signing, Failure> {
    let length = match (wish.base.path_length, room_below(signer)?) {
        (Some(own), Some(room)) => Some(own.min(room)),
        (own, room) => own.or(room),
    };
    let mut body = certificate_body(context, wish, length);
    let not_after = (context.now + wish.base.ttl).min(signer.not_after());
    body.insert("not_after".to_owned(), not_after.to_string().into());
    let mut request = subject::fields(wish.base.names.subject());
    request.insert("exclude_cn_from_sans".to_owned(), true.into());
    Ok(Signing {
        issuer: name.to_owned(),
        subject: request,
        body,
        parent: signer.label().to_owned(),
        parent_mount: wish.parent_mount.clone(),
    })
}

/// The key of `issuer` signed by `signer`: the same subject, no more rights, no longer life.
fn of_found(
    context: &Context<'_>,
    wish: &Wish,
    issuer: &ObservedIssuer,
    name: &str,
    signer: &Signer,
) -> Result<Signing, Failure> {
    let facts = issuer.certificate.facts();
    let foreign = subject::without_field(&facts.subject);
    if !foreign.is_empty() {
        return Err(VaultFailure::Subject {
            authority: wish.name().clone(),
            attributes: foreign,
        }
        .into());
    }
    let own = facts.basic_constraints.and_then(|each| each.path_length);
    let room = room_below(signer)?;
    let length = match (own, room) {
        (Some(own), Some(room)) => Some(own.min(room)),
        (own, room) => own.or(room),
    };
    let mut request = subject::fields(&facts.subject);
    request.insert("exclude_cn_from_sans".to_owned(), true.into());
    let mut body = request.clone();
    let not_after = facts.not_after.min(signer.not_after());
    body.insert("not_after".to_owned(), not_after.to_string().into());
    body.insert("max_path_length".to_owned(), length_value(length));
    body.insert(
        "not_before_duration".to_owned(),
        backdate(context, not_after),
    );
    let permitted = facts.name_constraints.as_ref();
    if let Some(permitted) = permitted.filter(|each| !each.permitted_dns.is_empty()) {
        let domains = json!(permitted.permitted_dns);
        body.insert("permitted_dns_domains".to_owned(), domains);
    }
    Ok(Signing {
        issuer: name.to_owned(),
        subject: request,
        body,
        parent: signer.label().to_owned(),
        parent_mount: wish.parent_mount.clone(),
    })
}
