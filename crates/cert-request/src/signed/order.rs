// SPDX-License-Identifier: Apache-2.0
//! What a server is told of one certificate: the request and, beside it, all that is in it. The role decides which counts.

use issuers::Issuing;
use pki::{CertificateRequest, Timestamp};
use vault::pki::SignRequest;

use crate::request::{Entry, VaultSpec};

/// The order of an entry, with its signing request.
pub(super) fn order(
    entry: &Entry,
    spec: &VaultSpec,
    request: &CertificateRequest,
    ttl: &str,
) -> SignRequest {
    let names = &entry.template.names;
    let common_name = entry.template.subject.common_name();
    SignRequest {
        csr: request.to_pem(),
        common_name: common_name.map(ToString::to_string),
        alt_names: joined(
            names
                .dns
                .iter()
                .map(ToString::to_string)
                .chain(names.email.iter().map(ToString::to_string)),
        ),
        ip_sans: joined(names.ip.iter().map(ToString::to_string)),
        uri_sans: joined(names.uri.iter().map(ToString::to_string)),
        other_sans: joined(names.other.iter().map(ToString::to_string)),
        ttl: spec.names_ttl.then(|| ttl.to_owned()),
        // The common name is a name of the certificate only if it was asked for as one.
        exclude_cn_from_sans: true,
    }
}

/// For how long a certificate may be asked for: not longer than the authority has, if it is known.
pub(super) fn longest(entry: &Entry, issuing: Option<&Issuing>, now: Timestamp) -> String {
    let wished = now + entry.ttl;
    let until = issuing.map_or(wished, |issuing| issuing.until(wished));
    // One that has ended is refused in the server's words.
    let left = u64::try_from(until.0 - now.0).ok().filter(|left| *left > 0);
    format!("{}s", left.unwrap_or(entry.ttl.0))
}

fn joined(texts: impl Iterator<Item = String>) -> String {
    texts.collect::<Vec<_>>().join(",")
}
