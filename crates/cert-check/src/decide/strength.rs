// SPDX-License-Identifier: Apache-2.0
//! Whether keys and signatures are strong enough for today.

use cert_report::{Finding, Level};
use pki::{Certificate, KeyAlgorithm};

use super::finding;

/// Fewer bits are refused by today's clients at their usual settings.
const LEAST_RSA: u32 = 2048;
/// The kind of a signature that counts as none.
pub(super) const SIGNATURE: &str = "weak_signature";

/// What is weak in a chain, the server's own certificate first.
pub(super) fn weak(chain: &[&Certificate]) -> Vec<Finding> {
    let mut found = Vec::new();
    for certificate in chain {
        let facts = certificate.facts();
        let subject = &facts.subject;
        match certificate.public_key().algorithm() {
            Some(KeyAlgorithm::Rsa { bits }) if bits < LEAST_RSA => found.push(finding(
                "weak_key",
                Level::Fail,
                format!("the key of '{subject}' is RSA with {bits} bits; {LEAST_RSA} are the least"),
            )),
            Some(_) => {}
            None => found.push(finding(
                "weak_key",
                Level::Warn,
                format!("the key of '{subject}' is of a kind that few clients take; use RSA, ECDSA on P-256 or P-384, or Ed25519"),
            )),
        }
        // Trust in a root does not come from its signature.
        let algorithm = facts.signature_algorithm.to_ascii_lowercase();
        let is_weak = ["md2", "md4", "md5", "sha1"]
            .iter()
            .any(|word| algorithm.contains(word));
        if is_weak && !certificate.is_self_issued() {
            found.push(finding(
                SIGNATURE,
                Level::Fail,
                format!("the signature of '{subject}' is {}, which clients refuse; have it signed again", facts.signature_algorithm),
            ));
        }
    }
    found
}
