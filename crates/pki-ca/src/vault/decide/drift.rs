// SPDX-License-Identifier: Apache-2.0
//! Where an issuer is not what is wished. An issuer is never replaced, so that is an error.

use pki::Certificate;

use super::super::failure::VaultFailure;
use super::super::observe::ObservedIssuer;
use super::super::request::Wish;
use super::super::subject;
use crate::failure::{Difference, Failure};
use crate::spec;

/// Refuses a wish that the issuer does not fulfil. `signer` is the wished parent, if it is known.
pub(super) fn check(
    wish: &Wish,
    issuer: &ObservedIssuer,
    signer: Option<&ObservedIssuer>,
) -> Result<(), Failure> {
    let mut differences = of_certificate(wish, &issuer.certificate);
    if let Some(signer) = signer.filter(|signer| !issuer.certificate.signed_by(&signer.certificate))
    {
        differences.push(Difference {
            what: "parent",
            existing: issuer.certificate.facts().issuer.to_string(),
            wished: format!(
                "{} ({})",
                signer.label(),
                signer.certificate.facts().subject
            ),
        });
    }
    if differences.is_empty() {
        return Ok(());
    }
    Err(VaultFailure::Drift {
        authority: wish.name().clone(),
        differences,
    }
    .into())
}

/// The same as for files, but that the server orders the attributes of a subject.
pub(super) fn of_certificate(wish: &Wish, certificate: &Certificate) -> Vec<Difference> {
    let mut differences = spec::drift(&wish.base, certificate);
    let same_subject = wish
        .base
        .names
        .given()
        .is_some_and(|given| subject::same(given, &certificate.facts().subject));
    differences.retain(|difference| difference.what != "subject" || !same_subject);
    differences
}
