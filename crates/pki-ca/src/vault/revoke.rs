// SPDX-License-Identifier: Apache-2.0
//! Certificates to be revoked by the server that has issued them.

use pki::{Serial, Timestamp};

use super::decide::Context;
use super::failure::VaultFailure;
use super::plan::RevocationPlan;
use crate::failure::Failure;
use crate::request::{RevocationSubject, RevokeWish};

/// Decides on every entry of `revoke`.
pub(crate) fn decide(context: &Context<'_>) -> Vec<Result<RevocationPlan, Failure>> {
    let wishes = context.request.revoke.iter();
    wishes.map(|wish| one(context, wish)).collect()
}

fn one(context: &Context<'_>, wish: &RevokeWish) -> Result<RevocationPlan, Failure> {
    let issuer = context.issuer(&wish.authority)?;
    let serial = paired(wish.subject.serial());
    if wish.subject.serial() == &issuer.certificate.facts().serial {
        return Err(Failure::RevocationOfRoot {
            authority: wish.authority.clone(),
        });
    }
    let foreign = |other: &pki::Certificate| Failure::RevocationForeign {
        authority: wish.authority.clone(),
        serial: serial.clone(),
        issuer: other.facts().issuer.to_string(),
    };
    if let RevocationSubject::Certificate(certificate) = &wish.subject
        && !certificate.signed_by(&issuer.certificate)
    {
        return Err(foreign(certificate));
    }
    let stored = context
        .observed
        .stored
        .get(&serial)
        .ok_or_else(|| VaultFailure::NotStored {
            serial: serial.clone(),
            mount: context.request.mount.clone(),
        })?;
    if !stored.certificate.signed_by(&issuer.certificate) {
        return Err(foreign(&stored.certificate));
    }
    let mut warnings = Vec::new();
    if let Some(reason) = wish.reason {
        warnings.push(format!(
            "the server keeps no reasons; '{}' is not noted",
            reason.name()
        ));
    }
    Ok(RevocationPlan {
        authority: wish.authority.clone(),
        since: stored.revoked_at.map(Timestamp),
        serial,
        warnings,
    })
}

/// As the server writes it: `59:7c:…`.
pub(crate) fn paired(serial: &Serial) -> String {
    let bytes = serial.der_content();
    // A leading zero is only the sign of the number.
    let bytes = match bytes {
        [0, rest @ ..] if !rest.is_empty() => rest,
        all => all,
    };
    let pairs: Vec<String> = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    pairs.join(":")
}
