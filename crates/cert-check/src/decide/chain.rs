// SPDX-License-Identifier: Apache-2.0
//! Whether a chain is complete, in order, and leads to somebody who is trusted.

use cert_report::{Finding, Level};
use pki::chain::{Error, Expectation, Trust, Verified, verify};
use pki::{Certificate, Timestamp};

use super::finding;
use crate::observe::Roots;

/// The kind of a signature that is not the issuer's.
pub(super) const SIGNATURE: &str = "chain_signature";

/// The kind of a chain with somebody in it who is out of time.
pub(super) const EXPIRED: &str = "chain_expired";

/// What a chain is.
#[derive(Default)]
pub(super) struct Judged {
    pub(super) findings: Vec<Finding>,
    /// The trusted root.
    pub(super) root: Option<Certificate>,
    /// The way from the leaf upwards, as far as it goes; the root is the last of it where there is one.
    pub(super) path: Vec<Certificate>,
}

pub(super) fn judge(chain: &[&Certificate], roots: &Roots, now: Timestamp) -> Judged {
    let Some(leaf) = chain.first() else {
        return Judged::default();
    };
    // A leaf out of its time is told as such; its chain is judged for when it was valid.
    let facts = leaf.facts();
    let at = match () {
        () if now > facts.not_after => facts.not_after,
        () if now < facts.not_before => facts.not_before,
        () => now,
    };
    let is_other = |each: &Certificate| each.public_key() == leaf.public_key() && each != *leaf;
    let mut candidates = candidates(chain, roots);
    candidates.retain(|root| !is_other(root));
    let trust = match candidates.is_empty() {
        true => Trust::Partial,
        false => Trust::Roots(&candidates),
    };
    // The leaf is found by its key, and of several the newest is taken: one that was renewed and is served behind the old
    // one is not what clients get.
    let pool = chain.iter().filter(|each| !is_other(each));
    let pool: Vec<Certificate> = pool.map(|each| (*each).clone()).collect();
    let expectation = Expectation {
        public_key: leaf.public_key(),
        names: None,
        trust,
        now: at,
    };
    let verified = verify(pool, &expectation);
    match verified {
        Ok(verified) if candidates.is_empty() => untrusted(leaf, &verified),
        Ok(verified) => Judged {
            findings: disorder(chain, &verified),
            root: verified.root().cloned(),
            path: path(&verified),
        },
        Err(error) => Judged {
            findings: vec![broken(&error)],
            root: None,
            path: by_names(chain),
        },
    }
}

/// The roots to which the chain may lead: most stores hold a hundred that have nothing to do with it.
fn candidates(chain: &[&Certificate], roots: &Roots) -> Vec<Certificate> {
    let mut found: Vec<Certificate> = Vec::new();
    for certificate in chain {
        for root in roots.named(&certificate.facts().issuer_der) {
            if !found.contains(root) {
                found.push(root.clone());
            }
        }
    }
    found
}

fn path(verified: &Verified) -> Vec<Certificate> {
    let leaf = std::iter::once(verified.leaf());
    leaf.chain(verified.above()).cloned().collect()
}

/// The chain as its names link it: for revocation, where nothing could be verified.
fn by_names(chain: &[&Certificate]) -> Vec<Certificate> {
    let mut path: Vec<Certificate> = Vec::new();
    let mut next = chain.first().copied();
    while let Some(certificate) = next {
        path.push(certificate.clone());
        let issuer = &certificate.facts().issuer_der;
        next = chain
            .iter()
            .copied()
            .find(|each| each.facts().subject_der == *issuer && !path.contains(each));
    }
    path
}

/// A chain that leads to nobody who is trusted.
fn untrusted(leaf: &Certificate, verified: &Verified) -> Judged {
    let path = path(verified);
    let detail = match (verified.root(), path.last()) {
        (Some(_), _) if verified.is_self_signed() => (
            "self_signed",
            "it is signed by itself, and nobody trusts it; issue one of an authority, or add it to trust.ca_path".to_owned(),
        ),
        (Some(root), _) => (
            "untrusted",
            format!("its chain ends in '{}', which is not trusted; add that to trust.ca_path if it is yours", root.facts().subject),
        ),
        (None, top) => {
            let issuer = top.unwrap_or(leaf).facts().issuer.to_string();
            match path.len() {
                0 | 1 => (
                    "chain_incomplete",
                    format!("its issuer '{issuer}' is neither served nor trusted; have the server send the whole chain, or add the root to trust.ca_path"),
                ),
                _ => (
                    "untrusted",
                    format!("its chain leads to '{issuer}', which is neither served nor trusted; add that to trust.ca_path if it is your root"),
                ),
            }
        }
    };
    Judged {
        findings: vec![finding(detail.0, Level::Fail, detail.1)],
        root: None,
        path,
    }
}

fn broken(error: &Error) -> Finding {
    let kind = match error {
        Error::IssuerMissing { .. } => "chain_incomplete",
        Error::UntrustedRoot { .. } => "untrusted",
        Error::Expired { .. } | Error::NotYetValid { .. } => EXPIRED,
        Error::Signature { .. } => SIGNATURE,
        _ => "chain_invalid",
    };
    let detail = match error {
        Error::IssuerMissing {
            certificate,
            issuer,
        } => format!(
            "the issuer '{issuer}' of {certificate} is not served; have the server send the whole chain"
        ),
        other => other.to_string(),
    };
    finding(kind, Level::Fail, detail)
}

/// A chain that can be verified and is not what RFC 5246 §7.4.2 asks for: each certificate the issuer of the one before.
fn disorder(chain: &[&Certificate], verified: &Verified) -> Vec<Finding> {
    let mut found = Vec::new();
    let path = path(verified);
    let places: Vec<usize> = path
        .iter()
        .filter_map(|each| chain.iter().position(|other| *other == each))
        .collect();
    if !places.is_sorted() {
        let subjects: Vec<String> = chain
            .iter()
            .map(|each| format!("'{}'", each.facts().subject))
            .collect();
        let detail = format!(
            "its chain is not in order: {}; put each certificate before its issuer",
            subjects.join(", ")
        );
        found.push(finding("chain_order", Level::Warn, detail));
    }
    let is_issuer = |name: &[u8]| chain.iter().any(|each| each.facts().issuer_der == name);
    for (index, each) in chain.iter().enumerate().skip(1) {
        let is_repeated = chain[..index].contains(each);
        if is_repeated || !(path.contains(each) || is_issuer(&each.facts().subject_der)) {
            let detail = format!(
                "'{}' is served and is not of its chain; take it out",
                each.facts().subject
            );
            found.push(finding("chain_unneeded", Level::Warn, detail));
        }
    }
    found
}
