// SPDX-License-Identifier: Apache-2.0
//! Whether keys and signatures are strong enough for today.

use cert_report::{Finding, Level};
use pki::{Certificate, KeyAlgorithm};

use super::finding;

/// Fewer bits are refused by today's clients at their usual settings.
const LEAST_RSA: u32 = 2048;
/// The kind of a signature that counts as none.
pub(super) const SIGNATURE: &str = "weak_signature";

/// What is weak in a chain, the server's own certificate first. What is not on the way that clients take is no more than
/// a warning.
pub(super) fn weak(chain: &[&Certificate], path: &[Certificate]) -> Vec<Finding> {
    let mut found = Vec::new();
    for certificate in chain {
        let weaknesses = key(certificate).into_iter().chain(signature(certificate));
        let is_used = path.contains(certificate);
        found.extend(weaknesses.map(|mut each| {
            if !is_used {
                each.level = each.level.min(Level::Warn);
                each.detail
                    .push_str(" (it is not on the way to the root; it may as well be taken out)");
            }
            each
        }));
    }
    found
}

fn key(certificate: &Certificate) -> Option<Finding> {
    let subject = &certificate.facts().subject;
    match certificate.public_key().algorithm() {
        Some(KeyAlgorithm::Rsa { bits }) if bits < LEAST_RSA => Some(finding(
            "weak_key",
            Level::Fail,
            format!("the key of '{subject}' is RSA with {bits} bits; {LEAST_RSA} are the least"),
        )),
        Some(_) => None,
        None => Some(finding(
            "weak_key",
            Level::Warn,
            format!(
                "the key of '{subject}' is of a kind that few clients take; use RSA, ECDSA on P-256 or P-384, or Ed25519"
            ),
        )),
    }
}

fn signature(certificate: &Certificate) -> Option<Finding> {
    let facts = certificate.facts();
    let algorithm = facts.signature_algorithm.to_ascii_lowercase();
    let is_weak = ["md2", "md4", "md5", "sha1"]
        .iter()
        .any(|word| algorithm.contains(word));
    // Trust in a root does not come from its signature.
    if !is_weak || certificate.is_self_issued() {
        return None;
    }
    Some(finding(
        SIGNATURE,
        Level::Fail,
        format!(
            "the signature of '{}' is {}, which clients refuse; have it signed again",
            facts.subject, facts.signature_algorithm
        ),
    ))
}
