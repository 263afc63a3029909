// SPDX-License-Identifier: Apache-2.0
//! State cross_signed: the key of one authority under the certificate of another, so that those who trust
//! only the other follow.

use pki::{Certificate, CertificateTemplate};

use super::Context;
use crate::failure::Failure;
use crate::names::AuthorityName;
use crate::observe::ObservedAuthority;
use crate::plan::{Bridge, Reason, Standing};
use crate::request::AuthorityWish;
use crate::spec;

/// The certificate of its key under a second signer, unless there is a good one.
pub(super) fn bridge(
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
