// SPDX-License-Identifier: Apache-2.0
//! What an authority will be once the plan is carried out, as those below it must know it.

use pki::Certificate;

use crate::index::Service;
use crate::names::AuthorityName;
use crate::observe::{ObservedAuthority, ObservedKey};
use crate::plan::{Change, Issue, KeyAtHand, KeyPlan, Standing};
use crate::request::AuthorityWish;

/// The parent and what it will be.
pub(super) type Parent<'a> = Option<(&'a AuthorityName, &'a Standing)>;

/// What a certificate to be made will be.
pub(super) fn issued_standing(
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
