// SPDX-License-Identifier: Apache-2.0
//! Whether a certificate is good for a name (RFC 6125, RFC 9525).

use cert_report::{Finding, Level};
use pki::{Certificate, DnsName, SubjectAltNames};

use super::finding;
use crate::request::Name;

/// The names that the certificate is not good for.
pub(super) fn uncovered(leaf: &Certificate, wanted: &[Name]) -> Option<Finding> {
    let own = &leaf.facts().names;
    let missing: Vec<String> = wanted
        .iter()
        .filter(|name| !is_covered(own, name))
        .map(ToString::to_string)
        .collect();
    if missing.is_empty() {
        return None;
    }
    let common = leaf.facts().subject.common_name().unwrap_or_default();
    let has = match own.is_empty() {
        true => format!(
            "no subjectAltName, only the common name '{common}', which clients do not look at"
        ),
        false => own.to_string(),
    };
    let detail = format!(
        "it is not good for {}: it has {has}; issue one with the name, or ask for another name",
        missing.join(", ")
    );
    Some(finding("name_mismatch", Level::Fail, detail))
}

fn is_covered(own: &SubjectAltNames, wanted: &Name) -> bool {
    match wanted {
        Name::Ip(address) => own.ip.contains(address),
        Name::Dns(name) => own.dns.iter().any(|have| covers(have, name)),
    }
}

/// A star stands for one whole label, the first.
fn covers(have: &DnsName, wanted: &DnsName) -> bool {
    let (have, wanted) = (have.as_str(), wanted.as_str());
    if have.eq_ignore_ascii_case(wanted) {
        return true;
    }
    match (have.strip_prefix("*."), wanted.split_once('.')) {
        (Some(below), Some((_, rest))) => below.eq_ignore_ascii_case(rest),
        _ => false,
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn a_star_stands_for_one_label() {
        let good =
            |have: &str, wanted: &str| covers(&have.parse().unwrap(), &wanted.parse().unwrap());
        assert!(good("a.example", "A.Example") && good("*.example.org", "a.example.org"));
        for (have, wanted) in [
            ("*.example.org", "example.org"),
            ("*.example.org", "a.b.example.org"),
            ("a.example.org", "b.example.org"),
            ("*.example.org", "a.example.com"),
        ] {
            assert!(!good(have, wanted), "{have} {wanted}");
        }
    }
}
