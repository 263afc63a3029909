// SPDX-License-Identifier: Apache-2.0
//! What the server is told: keys, and what certificates say, in the words of its API.

use pki::{Curve, KeyAlgorithm, Lifetime, Timestamp};
use serde_json::{Map, Value, json};

use super::super::request::Wish;
use super::super::subject;
use super::Context;

/// `key_type` and `key_bits`.
pub(super) fn kind_of(algorithm: KeyAlgorithm) -> (&'static str, u32) {
    match algorithm {
        KeyAlgorithm::Rsa { bits } => ("rsa", bits),
        KeyAlgorithm::Ecdsa(curve) => ("ec", curve_bits(curve)),
        KeyAlgorithm::Ed25519 => ("ed25519", 0),
        // Refused with the options.
        KeyAlgorithm::Ed448 => ("ed448", 0),
    }
}

fn curve_bits(curve: Curve) -> u32 {
    match curve {
        Curve::P256 => 256,
        Curve::P384 => 384,
        Curve::P521 => 521,
    }
}

/// A new key.
pub(super) fn key_body(wish: &Wish) -> Map<String, Value> {
    let (kind, bits) = kind_of(wish.algorithm());
    let mut body = Map::new();
    body.insert("key_name".to_owned(), wish.key_name.as_str().into());
    body.insert("key_type".to_owned(), kind.into());
    if bits > 0 {
        body.insert("key_bits".to_owned(), bits.into());
    }
    body
}

/// What a certificate says, but for its end.
pub(super) fn certificate_body(
    context: &Context<'_>,
    wish: &Wish,
    path_length: Option<u8>,
) -> Map<String, Value> {
    let mut body = subject::fields(wish.base.names.subject());
    // Else the common name would be a DNS name too, which constraints above may forbid.
    body.insert("exclude_cn_from_sans".to_owned(), true.into());
    body.insert("max_path_length".to_owned(), length_value(path_length));
    let end = context.now + wish.base.ttl;
    body.insert("not_before_duration".to_owned(), backdate(context, end));
    if let Some(constraints) = &wish.base.name_constraints {
        let domains = json!(constraints.permitted_dns);
        body.insert("permitted_dns_domains".to_owned(), domains);
    }
    if let Some(usages) = &wish.base.key_usage {
        let words: Vec<String> = usages
            .iter()
            .map(|usage| usage.to_string().replace([' '], ""))
            .collect();
        body.insert("key_usage".to_owned(), server_usages(&words));
    }
    body
}

/// The server's words for usages: `CertSign`, `CRLSign`, `DigitalSignature`.
fn server_usages(words: &[String]) -> Value {
    let each = words.iter().map(|word| match word.as_str() {
        "CertificateSign" => "CertSign",
        "NonRepudiation" => "ContentCommitment",
        other => other,
    });
    each.collect::<Vec<_>>().join(",").into()
}

pub(super) fn length_value(length: Option<u8>) -> Value {
    length.map_or_else(|| json!(-1), |length| json!(length))
}

/// For hosts whose clock is behind.
pub(super) fn backdate(context: &Context<'_>, end: Timestamp) -> Value {
    let span = end.0.saturating_sub(context.now.0);
    let ttl = Lifetime(u64::try_from(span).unwrap_or(0));
    let begin = context.now.begin_of(ttl);
    format!("{}s", context.now.0.saturating_sub(begin.0)).into()
}
