// SPDX-License-Identifier: Apache-2.0
//! The questions that may lead to a new certificate, in the order in which a person would ask them.

use issuers::{Fidelity, Issuer, IssuerMatch};
use pki::{Certificate, Lifetime, Timestamp};

use super::reason::{Reason, ReasonKind};
use crate::observe::{Observation, Presence};
use crate::request::{Entry, FileSpec, IssuerSpec};

/// What the questions are about.
pub(super) struct Facts<'a> {
    pub(super) entry: &'a Entry,
    pub(super) issuer: &'a dyn Issuer,
    /// certmonger keeps it.
    pub(super) is_kept: bool,
    pub(super) seen: &'a Observation,
    pub(super) now: Timestamp,
}

impl<'a> Facts<'a> {
    /// certmonger writes these two; only whether they serve is ours to judge.
    pub(super) fn is_written_elsewhere(&self, file: &FileSpec) -> bool {
        self.is_kept && file.content.is_written_by_certmonger()
    }

    /// The certificate, if key and certificate are there and belong together.
    fn pair(&self) -> Option<&'a Certificate> {
        let has_pair = self.seen.key.is_some() && self.seen.is_pair;
        self.seen.certificate.as_ref().filter(|_| has_pair)
    }
}

type Check = fn(&Facts<'_>) -> Option<Reason>;

/// All questions; each gives a reason or none.
pub(super) const CHECKS: &[Check] = &[
    unreadable,
    missing,
    mismatch,
    issuer,
    not_yet_valid,
    expiry,
    renewal_information,
    names,
    subject,
    usages,
    algorithm,
    revoked,
    forced,
];

/// Do two lists hold the same, in any order?
pub(super) fn same_set<T: PartialEq>(a: &[T], b: &[T]) -> bool {
    a.iter().all(|item| b.contains(item)) && b.iter().all(|item| a.contains(item))
}

fn words<T: ToString>(items: &[T]) -> String {
    if items.is_empty() {
        return String::from("none");
    }
    items
        .iter()
        .map(ToString::to_string)
        .collect::<Vec<_>>()
        .join(", ")
}

/// Only a file that holds key or certificate: the others can be made from these two.
fn unreadable(facts: &Facts<'_>) -> Option<Reason> {
    if facts.seen.key.is_some() && facts.seen.certificate.is_some() {
        return None;
    }
    facts
        .entry
        .files
        .iter()
        .zip(&facts.seen.files)
        .find_map(|(file, seen)| match &seen.presence {
            Presence::Unreadable(why)
                if file.content.holds_key() || file.content.holds_certificate() =>
            {
                Some(Reason::new(
                    ReasonKind::Unreadable,
                    format!("'{}': {why}", file.target.path.display()),
                ))
            }
            _ => None,
        })
}

fn missing(facts: &Facts<'_>) -> Option<Reason> {
    let detail = match (&facts.seen.key, &facts.seen.certificate) {
        (None, None) => "there is neither key nor certificate",
        (None, Some(_)) => "there is no private key",
        (Some(_), None) => "there is no certificate",
        (Some(_), Some(_)) if facts.seen.is_chain_lost => {
            "the chain is gone, and only the issuer knows it"
        }
        (Some(_), Some(_)) => return None,
    };
    Some(Reason::new(ReasonKind::Missing, detail))
}

/// Always counts: such a pair cannot serve.
fn mismatch(facts: &Facts<'_>) -> Option<Reason> {
    let is_wrong = !facts.seen.is_pair;
    is_wrong.then(|| {
        Reason::new(
            ReasonKind::Mismatch,
            "the private key does not belong to the certificate",
        )
    })
}

fn issuer(facts: &Facts<'_>) -> Option<Reason> {
    match facts
        .issuer
        .issued(facts.pair()?, &facts.seen.above.intermediates)
    {
        IssuerMatch::Ours => None,
        IssuerMatch::Other(detail) => Some(Reason::new(ReasonKind::Issuer, detail)),
    }
}

fn not_yet_valid(facts: &Facts<'_>) -> Option<Reason> {
    let not_before = facts.pair()?.facts().not_before;
    if not_before <= facts.now || facts.issuer.fidelity() == Fidelity::Given {
        return None;
    }
    let is_installed_early = facts.is_kept
        || matches!(
            facts.entry.issuer,
            IssuerSpec::Acme(_) | IssuerSpec::Vault(_)
        );
    if is_installed_early && not_before <= facts.now + crate::apply::AHEAD {
        return None;
    }
    let detail = format!("valid from {not_before}, the clock says {}", facts.now);
    Some(Reason::new(ReasonKind::NotYetValid, detail))
}

/// The end that a new certificate would have; an authority that ends soon cannot give more.
fn obtainable(facts: &Facts<'_>) -> Timestamp {
    facts.issuer.obtainable(facts.now + facts.entry.ttl)
}

/// Due, and a new certificate would last longer: else each run would renew below an authority that ends.
fn expiry(facts: &Facts<'_>) -> Option<Reason> {
    let certificate = facts.pair()?;
    let not_after = certificate.facts().not_after;
    let due = super::due_by_lifetime(facts.entry, certificate, facts.seen.suggestion.as_ref());
    if facts.now < due || facts.issuer.fidelity() == Fidelity::Given {
        return None;
    }
    if facts.now < not_after && obtainable(facts) <= not_after {
        return None;
    }
    let verb = if facts.now < not_after {
        "ends"
    } else {
        "ended"
    };
    Some(Reason::new(
        ReasonKind::Expiry,
        format!("{verb} at {not_after}, due since {due}"),
    ))
}

/// The issuer's own word, which needs no reason: it may be about to revoke.
fn renewal_information(facts: &Facts<'_>) -> Option<Reason> {
    let certificate = facts.pair()?;
    let suggestion = facts.seen.suggestion.as_ref()?;
    let due = suggestion.renew_at(&super::seed(certificate));
    if facts.now < due {
        return None;
    }
    let why = suggestion.explanation.as_ref();
    let why = why.map_or_else(String::new, |page| format!(": {page}"));
    let detail = format!("the server wishes it since {due} (ARI){why}");
    Some(Reason::new(ReasonKind::RenewalInformation, detail))
}

/// Says why a certificate that is due stays.
pub(super) fn lifetime_warning(facts: &Facts<'_>) -> Option<String> {
    let certificate = facts.pair()?;
    let not_after = certificate.facts().not_after;
    let due = super::due(facts.entry, certificate, facts.seen.suggestion.as_ref());
    if facts.now < due || facts.now >= not_after {
        return None;
    }
    if facts.issuer.fidelity() == Fidelity::Given {
        return Some(format!(
            "the provided certificate ends at {not_after}; provide a new one"
        ));
    }
    let is_capped =
        obtainable(facts) <= not_after && facts.issuer.obtainable(Timestamp(i64::MAX)) <= not_after;
    is_capped.then(|| {
        format!("the certificate ends at {not_after} with its authority; renew the authority")
    })
}

/// Says that a certificate will be shorter than was asked for, by more than one percent: an authority and what it signs
/// are often made with one lifetime, and the seconds between them are nobody's concern.
pub(super) fn cut_warning(facts: &Facts<'_>) -> Option<String> {
    let wished = facts.now + facts.entry.ttl;
    let end = obtainable(facts);
    let tolerance = Lifetime(facts.entry.ttl.0 / 100);
    // Of a Vault it is told when it is there: the role may give less than the authority.
    let is_told_later = matches!(facts.entry.issuer, IssuerSpec::Vault(_));
    let is_cut =
        end + tolerance < wished && facts.issuer.fidelity() != Fidelity::Given && !is_told_later;
    is_cut.then(|| format!("the certificate will end at {end} with its authority, not at {wished}; renew the authority"))
}

fn names(facts: &Facts<'_>) -> Option<Reason> {
    let (has, wished) = (&facts.pair()?.facts().names, &facts.entry.template.names);
    let missing = wished.missing_from(has);
    let is_same = match facts.issuer.fidelity() {
        Fidelity::Exact | Fidelity::ExactNames => has.same_set(wished),
        Fidelity::NamesAtLeast | Fidelity::Given => missing.is_empty(),
    };
    if is_same || facts.issuer.fidelity() == Fidelity::Given {
        return None;
    }
    let mut parts = Vec::new();
    if !missing.is_empty() {
        parts.push(format!("lacks {missing}"));
    }
    let surplus = has.missing_from(wished);
    let is_exact = matches!(
        facts.issuer.fidelity(),
        Fidelity::Exact | Fidelity::ExactNames
    );
    if !surplus.is_empty() && is_exact {
        parts.push(format!("has {surplus}, which is not wished"));
    }
    Some(Reason::new(ReasonKind::Names, parts.join("; ")))
}

fn exact<'a>(facts: &Facts<'a>) -> Option<&'a Certificate> {
    facts
        .pair()
        .filter(|_| facts.issuer.fidelity() == Fidelity::Exact)
}

fn subject(facts: &Facts<'_>) -> Option<Reason> {
    let (has, wished) = (
        &exact(facts)?.facts().subject,
        &facts.entry.template.subject,
    );
    (has != wished).then(|| {
        Reason::new(
            ReasonKind::Subject,
            format!("is '{has}', '{wished}' is wished"),
        )
    })
}

fn usages(facts: &Facts<'_>) -> Option<Reason> {
    if let IssuerSpec::Vault(spec) = &facts.entry.issuer {
        let lacking = crate::signed::lacking_usages(spec, facts.pair()?);
        return lacking.map(|lacking| Reason::new(ReasonKind::Usages, lacking));
    }
    let (has, wished) = (exact(facts)?.facts(), &facts.entry.template);
    let mut parts = Vec::new();
    if !same_set(&has.key_usage, &wished.key_usage) {
        parts.push(format!(
            "key usage is {}, wished {}",
            words(&has.key_usage),
            words(&wished.key_usage)
        ));
    }
    if !same_set(&has.extended_key_usage, &wished.extended_key_usage) {
        let (has, wished) = (
            words(&has.extended_key_usage),
            words(&wished.extended_key_usage),
        );
        parts.push(format!("extended key usage is {has}, wished {wished}"));
    }
    if has.must_staple != wished.must_staple {
        parts.push(format!(
            "must_staple is {}, wished {}",
            has.must_staple, wished.must_staple
        ));
    }
    (!parts.is_empty()).then(|| Reason::new(ReasonKind::Usages, parts.join("; ")))
}

fn algorithm(facts: &Facts<'_>) -> Option<Reason> {
    let certificate = facts.pair()?;
    let wished = facts.entry.key.algorithm;
    let has = certificate.public_key().algorithm();
    if has == Some(wished) || facts.issuer.fidelity() == Fidelity::Given {
        return None;
    }
    let has = has.map_or_else(|| String::from("of an unknown kind"), |has| has.to_string());
    Some(Reason::new(
        ReasonKind::Key,
        format!("is {has}, {wished} is wished"),
    ))
}

fn revoked(facts: &Facts<'_>) -> Option<Reason> {
    facts
        .issuer
        .revoked(facts.pair()?)
        .map(|detail| Reason::new(ReasonKind::Revoked, detail))
}

fn forced(facts: &Facts<'_>) -> Option<Reason> {
    // What the user brings along cannot be renewed here; installing it again would change nothing.
    let is_forced = facts.entry.renew.force && facts.issuer.fidelity() != Fidelity::Given;
    is_forced.then(|| Reason::new(ReasonKind::Forced, "renew.force is set"))
}
