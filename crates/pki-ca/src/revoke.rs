// SPDX-License-Identifier: Apache-2.0
//! Certificates to be revoked.

use pki::crl::Revocation;
use pki::{Certificate, Serial};

use crate::decide::Context;
use crate::failure::Failure;
use crate::plan::RevocationPlan;
use crate::request::{RevocationSubject, RevokeWish};

/// Decides on every entry of `revoke`.
pub(crate) fn decide(context: &Context<'_>) -> Vec<Result<RevocationPlan, Failure>> {
    let mut decided: Vec<Result<RevocationPlan, Failure>> = Vec::new();
    for wish in &context.request.revoke {
        let mut plan = decide_one(context, wish);
        if let Ok(plan) = &mut plan {
            // Named twice in one task: the first entry does it.
            plan.already |= decided.iter().flatten().any(|earlier| {
                earlier.authority == plan.authority
                    && earlier.revocation.serial == plan.revocation.serial
            });
        }
        decided.push(plan);
    }
    decided
}

fn decide_one(context: &Context<'_>, wish: &RevokeWish) -> Result<RevocationPlan, Failure> {
    let standing = context.standing(&wish.authority, &wish.authority)?;
    let serial = wish.subject.serial();
    if let RevocationSubject::Certificate(certificate) = &wish.subject
        && !standing
            .generations
            .iter()
            .any(|authority| certificate.signed_by(authority))
    {
        return Err(Failure::RevocationForeign {
            authority: wish.authority.clone(),
            serial: serial.to_string(),
            issuer: certificate.facts().issuer.to_string(),
        });
    }
    let is_own = |own: &Certificate| own.is_self_issued() && &own.facts().serial == serial;
    if standing.generations.iter().any(is_own) {
        return Err(Failure::RevocationOfRoot {
            authority: wish.authority.clone(),
        });
    }
    let already = is_revoked(context, wish, serial);
    if !already {
        context.check_key(&wish.authority, standing)?;
    }
    Ok(RevocationPlan {
        authority: wish.authority.clone(),
        revocation: Revocation {
            serial: serial.clone(),
            at: wish.at.unwrap_or(context.now),
            reason: wish.reason,
        },
        warnings: warnings(context, wish, serial, already),
        already,
    })
}

/// A serial number with a slip in it would be revoked without a word, and the certificate that was meant stays good.
fn warnings(
    context: &Context<'_>,
    wish: &RevokeWish,
    serial: &Serial,
    already: bool,
) -> Vec<String> {
    let found = context.observed.authorities.get(&wish.authority);
    let is_known = found.is_some_and(|found| {
        let mut issued = found.index.issued.iter();
        issued.any(|entry| &entry.serial == serial)
    });
    let mut warnings = Vec::new();
    if matches!(wish.subject, RevocationSubject::Serial(_)) && !is_known && !already {
        warnings.push(format!(
            "authority '{}' has no record of a certificate with the serial number {serial} that is still valid; compare it with the certificate",
            wish.authority
        ));
    }
    if let Some(at) = wish.at.filter(|at| *at > context.now) {
        warnings.push(format!(
            "'at' is {at}, which is still to come; most clients refuse the certificate from now on"
        ));
    }
    warnings
}

fn is_revoked(context: &Context<'_>, wish: &RevokeWish, serial: &Serial) -> bool {
    let found = context.observed.authorities.get(&wish.authority);
    found.is_some_and(|found| found.index.revocation(serial).is_some())
}
