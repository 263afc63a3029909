// SPDX-License-Identifier: Apache-2.0
//! What an upload must be, checked before it is sent: the server takes certificates of other keys, without their chain,
//! expired ones and such that may sign nothing, all with a success.

mod chain;
mod fit;

use std::collections::BTreeMap;

use pki::Certificate;
use pki::Timestamp;

use super::super::observe::{ObservedIssuer, ObservedKey, ObservedMount};
use super::super::plan::Import;
use super::super::request::Wish;
use crate::failure::Failure;

/// What an upload is checked against.
pub(crate) struct Against<'a> {
    /// The wish, with the upload in it.
    pub wish: &'a Wish,
    /// The key that the request was made for.
    pub key: &'a ObservedKey,
    /// The mount, of which issuers may complete the chain.
    pub mount: &'a ObservedMount,
    /// The domains that roles of the mount allow.
    pub domains: &'a BTreeMap<String, Vec<String>>,
    /// The clock.
    pub now: Timestamp,
}

/// The upload as it shall be sent.
pub(crate) fn check(against: &Against<'_>, warnings: &mut Vec<String>) -> Result<Import, Failure> {
    let wish = against.wish;
    let certificate = ours(against)?;
    let path = chain::verified(against, certificate)?;
    fit::check(against, &path, warnings)?;
    let bundle = chain::related(certificate, pool(against));
    refuse_unrelated(wish, &bundle)?;
    Ok(Import {
        key_id: against.key.id.clone(),
        certificate: certificate.clone(),
        root: path.last().filter(|end| is_root(end)).cloned(),
        bundle,
    })
}

/// The uploaded certificate of the key of the request; an issued one goes before a self-signed one, a later before an
/// earlier.
pub(crate) fn ours<'a>(against: &Against<'a>) -> Result<&'a Certificate, Failure> {
    let uploaded = against.wish.uploaded();
    let of_key = |each: &&Certificate| against.key.is(each.public_key());
    let mut candidates: Vec<_> = uploaded.iter().filter(of_key).collect();
    candidates.sort_by_key(|each| {
        (
            each.is_self_issued(),
            std::cmp::Reverse(each.facts().not_after),
        )
    });
    if let Some(certificate) = candidates.first() {
        return Ok(certificate);
    }
    let subjects: Vec<String> = uploaded
        .iter()
        .map(|each| format!("'{}'", each.facts().subject))
        .collect();
    Err(refusal(
        against.wish,
        "signed.key_mismatch",
        format!(
            "is for another key than '{}' of the mount; uploaded are {}",
            against.wish.key_name,
            subjects.join(", ")
        ),
    ))
}

/// Everything that may be part of the chain: the upload, the given roots, and issuers of the mount.
fn pool<'a>(against: &'a Against<'_>) -> impl Iterator<Item = &'a Certificate> + Clone {
    let issuers = against.mount.issuers.iter();
    against
        .wish
        .uploaded()
        .iter()
        .chain(&against.wish.upload.roots)
        .chain(issuers.map(|issuer: &ObservedIssuer| &issuer.certificate))
}

fn refuse_unrelated(wish: &Wish, bundle: &[Certificate]) -> Result<(), Failure> {
    let unrelated: Vec<String> = wish
        .uploaded()
        .iter()
        .filter(|each| !bundle.contains(each))
        .map(|each| format!("'{}'", each.facts().subject))
        .collect();
    if unrelated.is_empty() || wish.upload.allow_unrelated {
        return Ok(());
    }
    Err(refusal(
        wish,
        "signed.unrelated",
        format!(
            "comes with certificates that are not above it: {}; leave them out, or give 'validate.allow_unrelated: true' to have them ignored",
            unrelated.join(", ")
        ),
    ))
}

fn is_root(certificate: &Certificate) -> bool {
    certificate.is_self_issued() && certificate.signed_by(certificate)
}

pub(crate) fn refusal(wish: &Wish, fault: &'static str, problem: String) -> Failure {
    Failure::Upload {
        authority: wish.name().clone(),
        fault,
        problem,
    }
}
