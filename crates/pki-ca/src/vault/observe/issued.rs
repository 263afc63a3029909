// SPDX-License-Identifier: Apache-2.0
//! What the mount has issued, as far as the task is about it: certificates to be revoked, and lists.

use std::collections::BTreeMap;

use ::vault::Vault;
use ::vault::pki::Mount;
use pki::Certificate;
use pki::crl::RevocationList;

use super::ObservedMount;
use crate::failure::Failure;
use crate::request::Selection;
use crate::vault::failure::VaultFailure;
use crate::vault::request::Request;
use crate::vault::revoke::paired;

/// A certificate that the mount has kept.
#[derive(Debug, Clone)]
pub struct Stored {
    /// The certificate.
    pub certificate: Certificate,
    /// When it was revoked, in seconds since 1970.
    pub revoked_at: Option<i64>,
}

/// The certificates that the task names, by serial number.
pub(super) fn stored(
    vault: &Vault,
    request: &Request,
) -> Result<BTreeMap<String, Stored>, Failure> {
    let api = Mount::new(vault, &request.mount);
    let mut all = BTreeMap::new();
    for wish in &request.revoke {
        let serial = paired(wish.subject.serial());
        let what = format!("read certificate {serial} of mount '{}'", request.mount);
        let found = api
            .certificate(&serial)
            .map_err(VaultFailure::server(what))?;
        let Some(found) = found else { continue };
        let what = format!("read certificate {serial}");
        let certificate =
            Certificate::from_pem(found.certificate.as_bytes()).map_err(Failure::pki(what))?;
        all.insert(
            serial,
            Stored {
                certificate,
                revoked_at: found.revoked_at,
            },
        );
    }
    Ok(all)
}

/// The lists that the task asks for, by issuer.
pub(super) fn lists(
    vault: &Vault,
    request: &Request,
    mount: &ObservedMount,
) -> Result<BTreeMap<String, RevocationList>, Failure> {
    let mut lists = BTreeMap::new();
    let Some(selection) = &request.crl.authorities else {
        return Ok(lists);
    };
    let is_named = |name: &str| match selection {
        Selection::All => true,
        Selection::Names(names) => names.iter().any(|each| each.as_str() == name),
    };
    let api = Mount::new(vault, &request.mount);
    for issuer in mount.issuers.iter().filter(|issuer| is_named(&issuer.name)) {
        let what = format!("read the revocation list of issuer '{}'", issuer.label());
        let pem = match api.crl_pem(Some(&issuer.id)) {
            Err(error) if has_no_list(&error) => None,
            answer => answer.map_err(VaultFailure::server(what))?,
        };
        // What is no list is as good as none: the server makes another.
        if let Some(Ok(list)) = pem.map(|pem| RevocationList::from_pem(pem.as_bytes())) {
            lists.insert(issuer.id.clone(), list);
        }
    }
    Ok(lists)
}

/// An issuer that has never had a list: the server calls that an error of its own, of status 500.
fn has_no_list(error: &::vault::Error) -> bool {
    const WORDS: &str = "unable to find CRL for issuer";
    matches!(error, ::vault::Error::Refused { reason, .. } if reason.contains(WORDS))
}
