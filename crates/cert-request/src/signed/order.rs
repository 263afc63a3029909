// SPDX-License-Identifier: Apache-2.0
//! What a server is told of one certificate: the request and, beside it, all that is in it. The role decides which counts.

use pki::CertificateRequest;
use vault::pki::SignRequest;

use crate::request::Entry;

/// The order of an entry, with its signing request.
pub(super) fn order(entry: &Entry, request: &CertificateRequest) -> SignRequest {
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
        ttl: Some(format!("{}s", entry.ttl.0)),
        // The common name is a name of the certificate only if it was asked for as one.
        exclude_cn_from_sans: true,
    }
}

fn joined(texts: impl Iterator<Item = String>) -> String {
    texts.collect::<Vec<_>>().join(",")
}
