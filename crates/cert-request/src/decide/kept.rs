// SPDX-License-Identifier: Apache-2.0
//! What is to be done about a certificate that certmonger keeps: its request counts as well as the files.

use certmonger::{Class, Tracked};
use pki::{Certificate, CertificateRequest};

use super::checks::{Facts, same_set};
use super::{Action, KeySource, Reason, ReasonKind, at_rest, counts, drift_reasons, file_reasons};
use crate::kept::{Effect, Kept, differences};
use crate::observe::Presence;
use crate::request::Content;

/// `reasons` are those of the files.
pub(super) fn decide(
    facts: &Facts<'_>,
    kept: &Kept,
    mut reasons: Vec<Reason>,
    warnings: &mut Vec<String>,
) -> (Action, Vec<Reason>) {
    reasons.retain(|reason| reason.kind != ReasonKind::Key || is_other_key_wished(facts, kept));
    reasons.extend(garbage(facts));
    let Some(request) = &kept.request else {
        return untracked(facts, kept, reasons);
    };
    let mut changes = Vec::new();
    for difference in differences(facts.entry, kept, request) {
        match difference.effect {
            Effect::Modify => changes.push(difference.reason),
            Effect::Issue if counts(facts.entry, &difference.reason) => {
                reasons.push(difference.reason)
            }
            Effect::Issue => warnings.push(format!(
                "{}: {}; 'renew.on' does not name it, so the request stays",
                difference.reason.kind.word(),
                difference.reason.detail
            )),
        }
    }
    let is_asking =
        is_under_way(facts, request) && !reasons.iter().any(|reason| asks_for_other(reason.kind));
    if is_asking {
        // certmonger has what is wished, and works on it.
        if changes.is_empty() {
            return (Action::Wait(false), reasons);
        }
        reasons.extend(changes);
        return (Action::Track, reasons);
    }
    reasons.extend(setback(facts, request));
    if !reasons.is_empty() {
        return (Action::Issue(key_source(facts, &reasons)), reasons);
    }
    warnings.extend(last_refusal(request));
    if !kept.has_key_at_its_place(request) {
        changes.push(Reason::new(
            ReasonKind::Tracking,
            "certmonger has the key in another file",
        ));
    }
    if kept.is_ca_file_missing {
        let detail = "the file for the CA's root does not exist";
        changes.push(Reason::new(ReasonKind::Missing, detail));
    }
    if changes.is_empty() {
        return at_rest(facts);
    }
    changes.extend(file_reasons(facts));
    changes.extend(drift_reasons(facts));
    (Action::Track, changes)
}

/// Key and certificate may be good and still not known to certmonger.
fn untracked(facts: &Facts<'_>, kept: &Kept, mut reasons: Vec<Reason>) -> (Action, Vec<Reason>) {
    let detail = format!("certmonger does not track it for its CA '{}'", kept.spec.ca);
    let tracking = Reason::new(ReasonKind::Tracking, detail);
    if reasons.is_empty() {
        reasons.push(tracking);
        reasons.extend(file_reasons(facts));
        return (Action::Track, reasons);
    }
    reasons.push(tracking);
    (Action::Issue(key_source(facts, &reasons)), reasons)
}

/// Only what was said of the key is compared: requests of others have keys of their own kind.
fn is_other_key_wished(facts: &Facts<'_>, kept: &Kept) -> bool {
    let given = kept.spec.given;
    let has = facts
        .seen
        .certificate
        .as_ref()
        .and_then(|certificate| certificate.public_key().algorithm());
    let wished = facts.entry.key.algorithm;
    let same_kind =
        has.is_some_and(|has| std::mem::discriminant(&has) == std::mem::discriminant(&wished));
    given.size || (given.algorithm && !same_kind)
}

/// A file of certmonger's that is none, with `on_unreadable: replace`: then the file is made anew even where another
/// file of the set holds the same.
fn garbage(facts: &Facts<'_>) -> Option<Reason> {
    let is_known = facts.seen.key.is_none() || facts.seen.certificate.is_none();
    let each = facts.entry.files.iter().zip(&facts.seen.files);
    let mut ours = each.filter(|(file, _)| file.content.is_written_by_certmonger() && !is_known);
    ours.find_map(|(file, seen)| match &seen.presence {
        Presence::Absent => Some(Reason::new(
            ReasonKind::Missing,
            format!("'{}' does not exist", file.target.path.display()),
        )),
        Presence::Unreadable(why) => Some(Reason::new(
            ReasonKind::Unreadable,
            format!("'{}': {why}", file.target.path.display()),
        )),
        Presence::Present {
            difference: Some(difference),
        } if matches!(file.content, Content::PrivateKey) => Some(Reason::new(
            ReasonKind::Mismatch,
            format!("'{}' {difference}", file.target.path.display()),
        )),
        Presence::Present { .. } => None,
    })
}

/// Where the key has gone, certmonger waits for it in NEED_CSR for ever.
fn is_under_way(facts: &Facts<'_>, request: &Tracked) -> bool {
    if facts.seen.key.is_none() && request.state.as_str() == "NEED_CSR" {
        return false;
    }
    match request.state.class() {
        Class::Transient | Class::Saving | Class::CaWorking => !request.stuck,
        Class::Monitoring | Class::CaUnreachable | Class::CaRejected | Class::Stuck => false,
    }
}

/// Reasons that what is under way does not answer.
fn asks_for_other(kind: ReasonKind) -> bool {
    matches!(
        kind,
        ReasonKind::Forced
            | ReasonKind::Issuer
            | ReasonKind::Key
            | ReasonKind::Names
            | ReasonKind::Subject
            | ReasonKind::Usages
    )
}

/// The last attempt did not end well, and what is in service is not what was asked for.
fn setback(facts: &Facts<'_>, request: &Tracked) -> Option<Reason> {
    let said = request
        .ca_error
        .as_deref()
        .map(str::trim)
        .unwrap_or("no reason is given");
    let detail = match request.state.class() {
        Class::CaUnreachable => format!("certmonger could not reach the CA: {said}"),
        Class::CaRejected => format!("the CA refused it: {said}"),
        Class::Stuck => format!("certmonger is stuck in state {}", request.state),
        Class::Monitoring if request.ca_error.is_some() && !is_answered(facts, request) => {
            format!("the CA refused what was asked last: {said}")
        }
        _ if request.stuck => format!("certmonger is stuck in state {}", request.state),
        _ => return None,
    };
    Some(Reason::new(ReasonKind::Refused, detail))
}

/// Does the certificate in service answer the last request? An authority may choose subject and usages, so only names
/// and key count, and usages where the certificate has the same kind of them.
fn is_answered(facts: &Facts<'_>, request: &Tracked) -> bool {
    let (Some(certificate), Some(csr)) = (&facts.seen.certificate, &request.csr) else {
        return false;
    };
    let Ok(csr) = CertificateRequest::from_pem(csr.as_bytes()) else {
        return false;
    };
    let same_names = |csr: &CertificateRequest, certificate: &Certificate| {
        csr.template().is_ok_and(|asked| {
            asked.names.same_set(&certificate.facts().names)
                && same_set(&asked.key_usage, &certificate.facts().key_usage)
        })
    };
    csr.public_key() == *certificate.public_key() && same_names(&csr, certificate)
}

/// What is in service is as wished, but certmonger's own renewal was refused.
fn last_refusal(request: &Tracked) -> Option<String> {
    let said = request.ca_error.as_deref()?;
    Some(format!(
        "certmonger's last own renewal failed: {}",
        said.trim()
    ))
}

fn key_source(facts: &Facts<'_>, reasons: &[Reason]) -> KeySource {
    let taints = |reason: &Reason| {
        matches!(
            reason.kind,
            ReasonKind::Key | ReasonKind::Mismatch | ReasonKind::Revoked
        )
    };
    if facts.entry.key.reuse && facts.seen.key.is_some() && !reasons.iter().any(taints) {
        KeySource::Installed
    } else {
        KeySource::New
    }
}
