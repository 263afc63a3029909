// SPDX-License-Identifier: Apache-2.0
//! What is to be done and why: a pure function of what is wished, what is there, and the clock.

mod checks;
mod kept;
mod reason;

use acme::{RenewalInfo, latest_renewal, renew_at_by_lifetime};
use pki::{Certificate, RequestTemplate, Timestamp};

use crate::issuance::Loaded;
use crate::observe::{Observation, Presence};
use crate::request::{Content, Entry, IssuerSpec};
use checks::{CHECKS, Facts};

pub use reason::{Reason, ReasonKind};

/// Whose key the certificate is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeySource {
    /// The key in service.
    Installed,
    /// One that is made now.
    New,
    /// That of the pending request.
    Pending,
    /// The issuer brings it along.
    Provided,
}

/// What is to be done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    /// Nothing.
    Keep,
    /// Owner, group, mode or context of some file.
    FixAttributes,
    /// Some files, from the key and certificate in service.
    Rewrite,
    /// A certificate, and all files.
    Issue(KeySource),
    /// A key and a request for an issuer outside.
    Request(KeySource),
    /// certmonger is told something, and the files that it does not write are brought in line; no new certificate.
    Track,
    /// Nothing but to wait for the issuer outside; `true` if the request file must be written again.
    Wait(bool),
}

impl Action {
    /// The word of the result.
    pub fn word(self) -> &'static str {
        match self {
            Self::Keep => "keep",
            Self::FixAttributes => "fix_attributes",
            Self::Rewrite => "rewrite",
            Self::Issue(_) => "issue",
            Self::Request(_) => "request",
            Self::Track => "track",
            Self::Wait(_) => "wait",
        }
    }

    /// Whether the machine changes.
    pub fn changes(self) -> bool {
        !matches!(self, Self::Keep | Self::Wait(false))
    }
}

/// The decision with all its reasons.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decision {
    /// What is to be done.
    pub action: Action,
    /// Why.
    pub reasons: Vec<Reason>,
    /// When the certificate in service is due; not for one that is replaced now.
    pub renew_at: Option<Timestamp>,
    /// What the operator should look at.
    pub warnings: Vec<String>,
}

/// Decides about one entry.
///
/// # Errors
/// [`issuers::Error::SignedForOtherKey`] when a signed certificate was handed in that belongs to nothing here.
pub fn decide(
    entry: &Entry,
    issuer: &Loaded,
    seen: &Observation,
    now: Timestamp,
) -> Result<Decision, issuers::Error> {
    let facts = Facts {
        entry,
        issuer: issuer.issuer(),
        is_kept: matches!(issuer, Loaded::Certmonger(_)),
        seen,
        now,
    };
    let mut warnings = issuer.issuer().warnings(now);
    let (reasons, ignored): (Vec<_>, Vec<_>) = CHECKS
        .iter()
        .filter_map(|check| check(&facts))
        .partition(|reason| counts(entry, reason));
    warnings.extend(ignored.iter().filter_map(|reason| {
        // The word to add is not always that of the reason: the subject goes with the names.
        let word = reason.kind.renew_on()?.word();
        Some(format!(
            "{}: {}; 'renew.on' does not name '{word}', so the certificate stays",
            reason.kind.word(),
            reason.detail
        ))
    }));
    warnings.extend(checks::lifetime_warning(&facts));
    warnings.extend(open_keys(&facts));
    let (action, reasons) = match issuer {
        Loaded::Certmonger(certificate) => {
            kept::decide(&facts, certificate, reasons, &mut warnings)
        }
        Loaded::Acme(_) => ordered(&facts, reasons),
        Loaded::External(external) => outside(&facts, external, reasons, &mut warnings)?,
        _ => inside(&facts, reasons),
    };
    if matches!(action, Action::Issue(_)) {
        warnings.extend(checks::cut_warning(&facts));
    }
    let renew_at = seen
        .certificate
        .as_ref()
        .filter(|_| !matches!(action, Action::Issue(_)));
    let suggestion = seen.suggestion.as_ref();
    let renew_at = renew_at.map(|certificate| due(entry, certificate, suggestion));
    Ok(Decision {
        action,
        reasons,
        renew_at,
        warnings,
    })
}

/// Whose mode the wish leaves alone; a new file would not be so.
fn open_keys(facts: &Facts<'_>) -> Vec<String> {
    let each = facts.entry.files.iter().zip(&facts.seen.files);
    each.filter_map(|(file, seen)| {
        let (path, mode) = (file.target.path.display(), seen.open_mode?);
        Some(format!("'{path}' holds the private key and its mode {mode:04o} lets everybody at it; set 'mode'"))
    })
    .collect()
}

fn counts(entry: &Entry, reason: &Reason) -> bool {
    reason
        .kind
        .renew_on()
        .is_none_or(|on| entry.renew.on.contains(&on))
}

/// From when on a certificate should be renewed: by what its issuer says or by its lifetime, whichever is earlier.
pub fn due(
    entry: &Entry,
    certificate: &Certificate,
    suggestion: Option<&RenewalInfo>,
) -> Timestamp {
    let by_lifetime = due_by_lifetime(entry, certificate, suggestion);
    let suggested = suggestion.map(|said| said.renew_at(&seed(certificate)));
    suggested.map_or(by_lifetime, |at| at.min(by_lifetime))
}

/// By the lifetime alone. Where an ACME server says when and the user does not, that is shortly before the end; where
/// neither does, it is a share that suits the short lifetimes of such servers, spread over hosts.
pub fn due_by_lifetime(
    entry: &Entry,
    certificate: &Certificate,
    suggestion: Option<&RenewalInfo>,
) -> Timestamp {
    let facts = certificate.facts();
    let (begin, end) = (facts.not_before, facts.not_after);
    let is_own_wish = entry.renew.is_given() || !matches!(entry.issuer, IssuerSpec::Acme(_));
    match suggestion {
        _ if is_own_wish => entry.renew.renew_at(begin, end),
        Some(_) => latest_renewal(begin, end),
        None => renew_at_by_lifetime(begin, end, &seed(certificate)),
    }
}

/// What spreads renewals: the names, which differ from host to host.
pub(crate) fn seed(certificate: &Certificate) -> String {
    certificate.facts().names.to_string()
}

/// An ACME server: a request whose order was begun is gone on with.
fn ordered(facts: &Facts<'_>, reasons: Vec<Reason>) -> (Action, Vec<Reason>) {
    if reasons.is_empty() {
        return at_rest(facts);
    }
    let pending = facts.seen.pending.as_ref();
    let source = match pending.filter(|pending| pending_fits(facts, pending)) {
        Some(_) => KeySource::Pending,
        None => key_source(facts, &reasons),
    };
    (Action::Issue(source), reasons)
}

fn inside(facts: &Facts<'_>, reasons: Vec<Reason>) -> (Action, Vec<Reason>) {
    if !reasons.is_empty() {
        return (Action::Issue(key_source(facts, &reasons)), reasons);
    }
    at_rest(facts)
}

/// Key and certificate are good: what of the files?
fn at_rest(facts: &Facts<'_>) -> (Action, Vec<Reason>) {
    let reasons = file_reasons(facts);
    if !reasons.is_empty() {
        return (Action::Rewrite, reasons);
    }
    if facts.seen.files.iter().any(|file| !file.drift.is_empty()) {
        return (Action::FixAttributes, drift_reasons(facts));
    }
    (Action::Keep, Vec::new())
}

fn drift_reasons(facts: &Facts<'_>) -> Vec<Reason> {
    let each = facts.entry.files.iter().zip(&facts.seen.files);
    each.flat_map(|(file, seen)| {
        seen.drift.iter().map(|drift| {
            let path = file.target.path.display();
            Reason::new(
                ReasonKind::Attributes,
                format!(
                    "{} of '{path}' is {}, not {}",
                    drift.what, drift.before, drift.after
                ),
            )
        })
    })
    .collect()
}

/// Which files are missing or hold something else.
fn file_reasons(facts: &Facts<'_>) -> Vec<Reason> {
    let mut reasons = Vec::new();
    for (file, seen) in facts.entry.files.iter().zip(&facts.seen.files) {
        let path = file.target.path.display();
        if facts.is_written_elsewhere(file) {
            continue;
        }
        match &seen.presence {
            Presence::Absent => {
                reasons.push(Reason::new(
                    ReasonKind::Missing,
                    format!("'{path}' does not exist"),
                ));
            }
            Presence::Unreadable(why) => {
                reasons.push(Reason::new(
                    ReasonKind::Unreadable,
                    format!("'{path}': {why}"),
                ));
            }
            Presence::Present {
                difference: Some(difference),
            } => {
                let kind = if file.content.holds_key() {
                    ReasonKind::Key
                } else {
                    ReasonKind::Chain
                };
                reasons.push(Reason::new(kind, format!("'{path}' {difference}")));
            }
            Presence::Present { difference: None } => {
                if matches!(file.content, Content::Csr) && !request_fits(facts) {
                    reasons.push(Reason::new(
                        ReasonKind::Names,
                        format!("'{path}' holds another request"),
                    ));
                }
            }
        }
    }
    reasons
}

/// Is the request file that of the key and wish? A key that the user brings has none of its own wish.
fn request_fits(facts: &Facts<'_>) -> bool {
    let Some(request) = &facts.seen.request else {
        return false;
    };
    let public_key = facts
        .seen
        .key
        .as_ref()
        .and_then(|key| key.public_key().ok());
    public_key == Some(request.public_key())
        && request
            .template()
            .is_ok_and(|asked| same_wish(&asked, &facts.entry.template))
}

/// Do two requests ask for the same?
fn same_wish(a: &RequestTemplate, b: &RequestTemplate) -> bool {
    a.subject == b.subject
        && a.names.same_set(&b.names)
        && checks::same_set(&a.key_usage, &b.key_usage)
        && checks::same_set(&a.extended_key_usage, &b.extended_key_usage)
        && a.must_staple == b.must_staple
}

/// A key that is itself the reason, or that was revoked, is never used again.
fn key_source(facts: &Facts<'_>, reasons: &[Reason]) -> KeySource {
    if facts.issuer.key().is_some() {
        return KeySource::Provided;
    }
    let taints = |reason: &Reason| {
        matches!(
            reason.kind,
            ReasonKind::Key | ReasonKind::Mismatch | ReasonKind::Revoked
        )
    };
    let fits = || {
        let algorithm = facts.seen.key.as_ref().and_then(|key| key.algorithm().ok());
        algorithm == Some(facts.entry.key.algorithm)
    };
    if facts.entry.key.reuse && !reasons.iter().any(taints) && fits() {
        KeySource::Installed
    } else {
        KeySource::New
    }
}

/// An issuer outside: install what came back, or wait, or ask anew.
fn outside(
    facts: &Facts<'_>,
    external: &issuers::External,
    mut reasons: Vec<Reason>,
    warnings: &mut Vec<String>,
) -> Result<(Action, Vec<Reason>), issuers::Error> {
    let fitting = facts
        .seen
        .pending
        .as_ref()
        .filter(|pending| pending_fits(facts, pending));
    if let Some(signed) = external.signed() {
        let of_pending = fitting
            .and_then(|pending| signed.leaf_for(&pending.request.public_key()))
            .filter(|leaf| facts.seen.certificate.as_ref() != Some(leaf));
        let key = facts
            .seen
            .key
            .as_ref()
            .and_then(|key| key.public_key().ok());
        let of_installed = key.as_ref().and_then(|key| signed.leaf_for(key));
        match (of_pending, of_installed) {
            (Some(leaf), _) => {
                if reasons.is_empty() {
                    reasons.push(handed_in(leaf));
                }
                return Ok((Action::Issue(KeySource::Pending), reasons));
            }
            (None, Some(leaf))
                if facts
                    .seen
                    .certificate
                    .as_ref()
                    .is_none_or(|installed| is_newer(leaf, installed)) =>
            {
                reasons.push(handed_in(leaf));
                return Ok((Action::Issue(KeySource::Installed), reasons));
            }
            (None, Some(_)) => {}
            (None, None) => {
                let for_old_wish = facts.seen.pending.as_ref().filter(|_| fitting.is_none());
                match for_old_wish.and_then(|pending| signed.leaf_for(&pending.request.public_key())) {
                    Some(_) => warnings.push(String::from(
                        "the signed certificate answers a request that no longer fits the wish; have the new request signed",
                    )),
                    None => return Err(other_key(signed)),
                }
            }
        }
    }
    if reasons.is_empty() {
        return Ok(at_rest(facts));
    }
    if fitting.is_some() {
        return Ok((Action::Wait(!is_request_written(facts)), reasons));
    }
    if facts
        .seen
        .pending
        .as_ref()
        .is_some_and(|pending| !is_answered(facts, pending))
    {
        reasons.push(Reason::new(
            ReasonKind::Names,
            "the pending request asks for something else",
        ));
    }
    let source = key_source(facts, &reasons);
    Ok((Action::Request(source), reasons))
}

fn other_key(signed: &issuers::Signed) -> issuers::Error {
    let subject = signed
        .first()
        .map(|first| first.facts().subject.to_string())
        .unwrap_or_default();
    issuers::Error::SignedForOtherKey { subject }
}

fn handed_in(leaf: &Certificate) -> Reason {
    Reason::new(
        ReasonKind::Issuer,
        format!(
            "a signed certificate was handed in, serial {}",
            leaf.facts().serial
        ),
    )
}

fn is_newer(leaf: &Certificate, installed: &Certificate) -> bool {
    leaf != installed && leaf.facts().not_after >= installed.facts().not_after
}

/// A request whose key is in service was answered already, unless the key is to be used again.
fn is_answered(facts: &Facts<'_>, pending: &crate::state::Pending) -> bool {
    let installed = facts.seen.certificate.as_ref().map(Certificate::public_key);
    installed == Some(&pending.request.public_key()) && !facts.entry.key.reuse
}

fn pending_fits(facts: &Facts<'_>, pending: &crate::state::Pending) -> bool {
    !is_answered(facts, pending)
        && pending.request.public_key().algorithm() == Some(facts.entry.key.algorithm)
        && pending
            .request
            .template()
            .is_ok_and(|asked| same_wish(&asked, &facts.entry.template))
}

/// Does the file with content `csr`, if the entry has one, hold the pending request?
fn is_request_written(facts: &Facts<'_>) -> bool {
    let has_file = facts
        .entry
        .files
        .iter()
        .any(|file| matches!(file.content, Content::Csr));
    !has_file
        || facts.seen.request.as_ref()
            == facts.seen.pending.as_ref().map(|pending| &pending.request)
}

#[cfg(test)]
mod tests;
