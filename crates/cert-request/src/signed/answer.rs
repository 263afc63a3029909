// SPDX-License-Identifier: Apache-2.0
//! The answer compared with the wish: a server drops and shortens silently.

use issuers::Issuing;
use pki::{Certificate, Lifetime, Timestamp};

use super::SignError;
use crate::request::{Entry, VaultSpec};

/// Whether a certificate is what was asked for; what is less, but serves, is a warning.
///
/// # Errors
/// What must not be installed.
pub(super) fn compare(
    entry: &Entry,
    spec: &VaultSpec,
    leaf: &Certificate,
    now: Timestamp,
) -> Result<Vec<String>, SignError> {
    let who = || spec.to_string();
    if let Some(difference) = names(entry, leaf) {
        let who = who();
        return Err(SignError::Names { who, difference });
    }
    if let Some(difference) = lacking_usages(spec, leaf) {
        let who = who();
        return Err(SignError::Usages { who, difference });
    }
    let warnings = [lifetime(entry, spec, leaf, now), subject(entry, spec, leaf)];
    Ok(warnings.into_iter().flatten().collect())
}

/// The server's own remarks but those that are looked at here: names are sent both in the request and beside it, so one of
/// them is always in vain, and a lifetime that is cut is told in our words.
pub(super) fn remarks(warnings: Vec<String>) -> impl Iterator<Item = String> {
    const KNOWN: [&str; 2] = [
        "but the role is set with \"use_csr_",
        "is longer than permitted maxTTL",
    ];
    warnings
        .into_iter()
        .filter(|warning| !KNOWN.iter().any(|known| warning.contains(known)))
}

/// The literal difference of the names: each run would find it again.
fn names(entry: &Entry, leaf: &Certificate) -> Option<String> {
    let (has, wished) = (&leaf.facts().names, &entry.template.names);
    let (missing, surplus) = (wished.missing_from(has), has.missing_from(wished));
    let mut parts = Vec::new();
    if !missing.is_empty() {
        parts.push(format!("it lacks {missing}"));
    }
    if !surplus.is_empty() {
        parts.push(format!("it has {surplus}, which was not asked for"));
    }
    parts.extend(unrecognized(leaf));
    (!parts.is_empty()).then(|| parts.join("; "))
}

fn unrecognized(leaf: &Certificate) -> Option<String> {
    let names = &leaf.facts().unrecognized_names;
    (!names.is_empty()).then(|| format!("it has {}, which was not asked for", names.join(", ")))
}

/// The usages that the user names and a certificate lacks. The role may give more, and decides where nothing is named.
pub(crate) fn lacking_usages(spec: &VaultSpec, leaf: &Certificate) -> Option<String> {
    let facts = leaf.facts();
    let key = spec
        .key_usage
        .iter()
        .filter(|it| !facts.key_usage.contains(it));
    let extended = spec.extended_key_usage.iter();
    let extended = extended.filter(|it| !facts.extended_key_usage.contains(it));
    let lacking: Vec<String> = key
        .map(ToString::to_string)
        .chain(extended.map(ToString::to_string))
        .collect();
    (!lacking.is_empty()).then(|| format!("it lacks {}", lacking.join(", ")))
}

/// Shorter than was asked for by more than one percent.
fn lifetime(entry: &Entry, spec: &VaultSpec, leaf: &Certificate, now: Timestamp) -> Option<String> {
    let (end, wished) = (leaf.facts().not_after, now + entry.ttl);
    let tolerance = Lifetime(entry.ttl.0 / 100);
    (spec.names_ttl && end + tolerance < wished).then(|| {
        format!(
            "{spec} gives a certificate until {end}, not until {wished}: the role, the mount or the authority allows less than {}; \
             it is renewed in time for the shorter life",
            entry.ttl
        )
    })
}

/// What a role does not take from a request.
fn subject(entry: &Entry, spec: &VaultSpec, leaf: &Certificate) -> Option<String> {
    let (has, wished) = (&leaf.facts().subject, &entry.template.subject);
    (has != wished).then(|| {
        format!(
            "the subject is '{has}', not '{wished}': all but the common name is decided by {spec}"
        )
    })
}

/// Whether the authority that is looked at in each run signed it; else each run would find another one in service.
pub(super) fn check_issuer(
    spec: &VaultSpec,
    leaf: &Certificate,
    issuing: &Issuing,
) -> Result<(), SignError> {
    if leaf.signed_by(&issuing.certificate) {
        return Ok(());
    }
    Err(SignError::OtherIssuer {
        who: spec.to_string(),
        given: leaf.facts().issuer.to_string(),
        wished: issuing.certificate.facts().subject.to_string(),
    })
}
