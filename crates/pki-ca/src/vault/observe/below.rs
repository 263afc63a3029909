// SPDX-License-Identifier: Apache-2.0
//! What an issuer has issued and is still valid. The server has no index by issuer, so every certificate is read; only
//! the removal of an issuer asks for this.

use ::vault::Vault;
use ::vault::pki::Mount;
use ansible_module::each;
use pki::{Certificate, Timestamp};

use super::{ObservedIssuer, ObservedMount};
use crate::failure::Failure;
use crate::vault::failure::VaultFailure;
use crate::vault::request::Request;

/// One text for each: certificates of the store, and issuers of the mount.
pub(super) fn valid(
    vault: &Vault,
    request: &Request,
    mount: &ObservedMount,
    issuer: &ObservedIssuer,
    now: Timestamp,
) -> Result<Vec<String>, Failure> {
    let api = Mount::new(vault, &request.mount);
    let what = format!("list the certificates of mount '{}'", request.mount);
    let serials = api.certificates().map_err(VaultFailure::server(what))?;
    let read: Vec<Result<_, Failure>> = each(&serials, request.parallel, |serial| {
        let what = format!("read certificate {serial} of mount '{}'", request.mount);
        let found = api
            .certificate(serial)
            .map_err(VaultFailure::server(what))?;
        let found = found.filter(|stored| stored.revoked_at.is_none());
        // What cannot be read is none that a client would take.
        Ok(found.and_then(|stored| Certificate::from_pem(stored.certificate.as_bytes()).ok()))
    });
    let mut below = Vec::new();
    for certificate in read {
        let Some(certificate) = certificate? else {
            continue;
        };
        let is_issuer = mount
            .issuers
            .iter()
            .any(|other| other.certificate == certificate);
        if !is_issuer && hangs_on(&certificate, issuer, now) {
            let facts = certificate.facts();
            below.push(format!("'{}' until {}", facts.subject, facts.not_after));
        }
    }
    for other in &mount.issuers {
        if other.id != issuer.id && !other.revoked && hangs_on(&other.certificate, issuer, now) {
            let until = other.certificate.facts().not_after;
            below.push(format!("issuer '{}' until {until}", other.label()));
        }
    }
    Ok(below)
}

fn hangs_on(certificate: &Certificate, issuer: &ObservedIssuer, now: Timestamp) -> bool {
    certificate.facts().not_after >= now
        && *certificate != issuer.certificate
        && certificate.signed_by(&issuer.certificate)
}
