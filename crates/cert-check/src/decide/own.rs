// SPDX-License-Identifier: Apache-2.0
//! What a certificate says of itself: its time and its purpose.

use cert_report::{Finding, Level};
use pki::{Certificate, ExtendedKeyUsage, KeyUsage, Timestamp};

use super::finding;
use crate::request::Limits;

const DAY: i64 = 86_400;
const HOUR: i64 = 3_600;

/// Whether its time has come, is over, or will soon be.
pub(super) fn dates(leaf: &Certificate, limits: &Limits, now: Timestamp) -> Option<Finding> {
    let facts = leaf.facts();
    let (from, until) = (facts.not_before, facts.not_after);
    if now > until {
        let detail = format!("it expired at {until}, {} ago; renew it", span(until, now));
        return Some(finding("expired", Level::Fail, detail));
    }
    if now < from {
        let detail = format!("it is not valid before {from}; look at the clocks");
        return Some(finding("not_yet_valid", Level::Fail, detail));
    }
    let level = near(limits, (from, until), now)?;
    let detail = format!("it expires at {until}, in {}; renew it", span(now, until));
    Some(finding("expires_soon", level, detail))
}

/// Whether its time has come and is not over.
pub(super) fn is_in_time(leaf: &Certificate, now: Timestamp) -> bool {
    let facts = leaf.facts();
    (facts.not_before..=facts.not_after).contains(&now)
}

fn near(limits: &Limits, (from, until): (Timestamp, Timestamp), now: Timestamp) -> Option<Level> {
    match () {
        () if now >= limits.fail_at(from, until) => Some(Level::Fail),
        () if now >= limits.warn_at(from, until) => Some(Level::Warn),
        () => None,
    }
}

/// An authority above that ends before the certificate does, and soon.
pub(super) fn ends_above(
    path: &[Certificate],
    leaf: &Certificate,
    limits: &Limits,
    now: Timestamp,
) -> Option<Finding> {
    let above = path.iter().skip(1);
    let first = above.min_by_key(|each| each.facts().not_after)?.facts();
    let until = first.not_after;
    if until >= leaf.facts().not_after || until < now {
        return None;
    }
    let level = near(limits, (first.not_before, until), now)?;
    let detail = format!(
        "the authority '{}' above it expires at {until}, in {}, before the certificate itself; renew the chain",
        first.subject,
        span(now, until)
    );
    Some(finding("chain_expires_soon", level, detail))
}

/// A certificate for clients or code is refused by whoever connects.
pub(super) fn purpose(leaf: &Certificate) -> Option<Finding> {
    if let Some(purposes) = other_purposes(leaf) {
        let detail = format!(
            "it is not for servers: its extended key usage is {purposes}; issue one with serverAuth"
        );
        return Some(finding("not_for_servers", Level::Fail, detail));
    }
    // RFC 5280 section 4.2.1.3: what is not named is not allowed. A handshake signs, enciphers a secret or agrees on one.
    let usages = &leaf.facts().key_usage;
    let serves = |usage: &KeyUsage| {
        matches!(
            usage,
            KeyUsage::DigitalSignature | KeyUsage::KeyEncipherment | KeyUsage::KeyAgreement
        )
    };
    if usages.is_empty() || usages.iter().any(serves) {
        return None;
    }
    let detail = format!(
        "it is not for servers: its key usage is {}; issue one with digitalSignature",
        listed(usages)
    );
    Some(finding("not_for_servers", Level::Fail, detail))
}

/// An authority between the certificate and the root whose certificates are not for servers: clients take its purposes for
/// those of all below.
pub(super) fn purpose_above(path: &[Certificate]) -> Option<Finding> {
    let mut between = path.iter().skip(1).filter(|each| !each.is_self_issued());
    let (authority, purposes) = between.find_map(|each| Some((each, other_purposes(each)?)))?;
    let detail = format!(
        "the authority '{}' above it issues for no servers: its extended key usage is {purposes}; have another issue the certificate",
        authority.facts().subject
    );
    Some(finding("not_for_servers", Level::Fail, detail))
}

/// What a certificate is for, if there is something and servers are not among it.
fn other_purposes(certificate: &Certificate) -> Option<String> {
    let purposes = &certificate.facts().extended_key_usage;
    let serves = |usage: &ExtendedKeyUsage| {
        matches!(usage, ExtendedKeyUsage::ServerAuth | ExtendedKeyUsage::Any)
    };
    let is_other = !purposes.is_empty() && !purposes.iter().any(serves);
    is_other.then(|| listed(purposes))
}

fn listed<T: ToString>(all: &[T]) -> String {
    let all: Vec<String> = all.iter().map(ToString::to_string).collect();
    all.join(", ")
}

/// The time between two instants in days, or hours where that says more.
pub(super) fn span(from: Timestamp, to: Timestamp) -> String {
    let seconds = to.0.saturating_sub(from.0);
    match () {
        () if seconds >= 2 * DAY => format!("{} days", seconds / DAY),
        () if seconds >= 2 * HOUR => format!("{} hours", seconds / HOUR),
        () => format!("{} minutes", seconds / 60),
    }
}
