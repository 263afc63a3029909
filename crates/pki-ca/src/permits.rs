// SPDX-License-Identifier: Apache-2.0
//! Which names an authority may certify (RFC 5280 §4.2.1.10), so that a refusal names all that are not
//! permitted before anything is signed. What is signed is verified once more by `pki::chain`.

use pki::{IpSubnet, NameConstraints, SubjectAltNames};

/// The names that `constraints` do not permit, with the rule that each breaks.
pub fn not_permitted(names: &SubjectAltNames, constraints: &NameConstraints) -> Vec<String> {
    let mut refused = Vec::new();
    for name in &names.dns {
        let name = name.as_str();
        let within = |base: &String| dns_within(name, base);
        let reaches = |base: &String| dns_within(name, base) || wildcard_reaches(name, base);
        let rule = Rule {
            permitted: &constraints.permitted_dns,
            excluded: &constraints.excluded_dns,
        };
        refused.extend(rule.broken(name, within, reaches));
    }
    for address in &names.ip {
        let within = |network: &IpSubnet| network.contains(*address);
        let rule = Rule {
            permitted: &constraints.permitted_ip,
            excluded: &constraints.excluded_ip,
        };
        refused.extend(rule.broken(&address.to_string(), within, within));
    }
    for mailbox in &names.email {
        let mailbox = mailbox.as_str();
        let within = |base: &String| email_within(mailbox, base);
        let rule = Rule {
            permitted: &constraints.permitted_email,
            excluded: &constraints.excluded_email,
        };
        refused.extend(rule.broken(mailbox, within, within));
    }
    refused
}

struct Rule<'a, T> {
    permitted: &'a [T],
    excluded: &'a [T],
}

impl<T: std::fmt::Display> Rule<'_, T> {
    fn broken(
        &self,
        name: &str,
        within: impl Fn(&T) -> bool,
        reaches: impl Fn(&T) -> bool,
    ) -> Option<String> {
        if let Some(base) = self.excluded.iter().find(|base| reaches(base)) {
            return Some(format!("'{name}' (excluded: {base})"));
        }
        if !self.permitted.is_empty() && !self.permitted.iter().any(within) {
            let bases: Vec<String> = self.permitted.iter().map(ToString::to_string).collect();
            return Some(format!("'{name}' (permitted: {})", bases.join(", ")));
        }
        None
    }
}

/// `base` itself and everything below it; a leading dot, which some write, means only below.
fn dns_within(name: &str, base: &str) -> bool {
    let name = name.to_ascii_lowercase();
    let base = base.to_ascii_lowercase();
    if let Some(below) = base.strip_prefix('.') {
        return name
            .strip_suffix(below)
            .is_some_and(|rest| rest.len() > 1 && rest.ends_with('.'));
    }
    match name.strip_suffix(base.as_str()) {
        Some(rest) => rest.is_empty() || rest.ends_with('.'),
        None => false,
    }
}

/// Whether a wildcard could stand for an excluded name: `*.example.org` for `a.example.org`.
fn wildcard_reaches(name: &str, base: &str) -> bool {
    let Some(parent) = name.strip_prefix("*.") else {
        return false;
    };
    base.split_once('.')
        .is_some_and(|(_, above)| above.eq_ignore_ascii_case(parent))
}

/// A mailbox, all mailboxes of a host, or of all hosts below a `.domain`.
fn email_within(mailbox: &str, base: &str) -> bool {
    if base.contains('@') {
        return mailbox.eq_ignore_ascii_case(base);
    }
    let Some((_, host)) = mailbox.rsplit_once('@') else {
        return false;
    };
    if base.starts_with('.') {
        dns_within(host, base)
    } else {
        host.eq_ignore_ascii_case(base)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_domain_holds_itself_and_what_is_below() {
        for (name, base, within) in [
            ("example.org", "example.org", true),
            ("a.example.org", "example.org", true),
            ("badexample.org", "example.org", false),
            ("example.org", ".example.org", false),
            ("a.example.org", ".example.org", true),
            ("A.EXAMPLE.org", "example.ORG", true),
        ] {
            assert_eq!(dns_within(name, base), within, "{name} {base}");
        }
    }

    #[test]
    fn a_wildcard_must_not_reach_an_excluded_name() {
        assert!(wildcard_reaches("*.example.org", "secret.example.org"));
        assert!(!wildcard_reaches("*.example.org", "secret.example.net"));
        assert!(!wildcard_reaches("a.example.org", "secret.example.org"));
    }

    #[test]
    fn a_mailbox_a_host_and_a_domain() {
        assert!(email_within("a@example.org", "a@example.org"));
        assert!(email_within("a@example.org", "example.org"));
        assert!(!email_within("a@mail.example.org", "example.org"));
        assert!(email_within("a@mail.example.org", ".example.org"));
    }

    #[test]
    fn all_forms_are_refused_together() -> Result<(), pki::Error> {
        let constraints = NameConstraints {
            permitted_dns: vec!["internal".to_owned()],
            permitted_ip: vec!["10.0.0.0/8".parse()?],
            excluded_dns: vec!["db.internal".to_owned()],
            ..NameConstraints::default()
        };
        let names = SubjectAltNames {
            dns: vec![
                "a.internal".parse()?,
                "a.example.org".parse()?,
                "x.db.internal".parse()?,
            ],
            ip: ["10.1.2.3", "192.0.2.1", "fd00::1"]
                .iter()
                .filter_map(|each| each.parse().ok())
                .collect(),
            ..SubjectAltNames::default()
        };
        let refused = not_permitted(&names, &constraints);
        assert_eq!(
            refused,
            [
                "'a.example.org' (permitted: internal)",
                "'x.db.internal' (excluded: db.internal)",
                "'192.0.2.1' (permitted: 10.0.0.0/8)",
                "'fd00::1' (permitted: 10.0.0.0/8)",
            ]
        );
        Ok(())
    }
}
