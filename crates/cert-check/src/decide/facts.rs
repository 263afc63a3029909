// SPDX-License-Identifier: Apache-2.0
//! What a certificate says, as reports have it.

use cert_report::{Anchor, Certificate as Shown, Key, Moment};
use pki::{Certificate, KeyAlgorithm, PublicKey};

/// A certificate.
pub(super) fn of(certificate: &Certificate) -> Shown {
    let facts = certificate.facts();
    let names = &facts.names;
    let mut shown: Vec<String> = names.dns.iter().map(ToString::to_string).collect();
    shown.extend(names.ip.iter().map(ToString::to_string));
    shown.extend(names.email.iter().map(ToString::to_string));
    shown.extend(names.uri.iter().map(ToString::to_string));
    Shown {
        subject: facts.subject.to_string(),
        issuer: facts.issuer.to_string(),
        names: shown,
        not_before: Moment(facts.not_before.0),
        not_after: Moment(facts.not_after.0),
        serial: facts.serial.to_string(),
        fingerprint_sha256: certificate.fingerprint_sha256_text(),
        key: key(certificate.public_key()),
        signature: facts.signature_algorithm.clone(),
    }
}

/// A root.
pub(super) fn anchor(root: &Certificate) -> Anchor {
    Anchor {
        subject: root.facts().subject.to_string(),
        fingerprint_sha256: root.fingerprint_sha256_text(),
        not_after: Moment(root.facts().not_after.0),
    }
}

fn key(key: &PublicKey) -> Key {
    let (algorithm, bits, curve) = match key.algorithm() {
        Some(KeyAlgorithm::Rsa { bits }) => ("rsa", Some(bits), None),
        Some(KeyAlgorithm::Ecdsa(curve)) => ("ecdsa", None, Some(curve.to_string())),
        Some(KeyAlgorithm::Ed25519) => ("ed25519", None, None),
        Some(KeyAlgorithm::Ed448) => ("ed448", None, None),
        None => ("other", None, None),
    };
    let digits: Vec<String> = key
        .sha256()
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    Key {
        algorithm: algorithm.to_owned(),
        bits,
        curve,
        sha256: digits.concat(),
    }
}
