// SPDX-License-Identifier: Apache-2.0
//! Name constraints of RFC 5280 §4.2.1.10: which names a CA may certify.
//!
//! Where the RFC is silent we are strict: a wildcard is refused if it could stand for an excluded
//! name, and a constraint of a form that we do not understand refuses every name of that form.

use std::net::IpAddr;

use x509_parser::extensions::{GeneralName, GeneralSubtree, NameConstraints};
use x509_parser::x509::X509Name;

/// One relative distinguished name as sorted (type, normalised value) pairs.
type RelativeName = Vec<(String, String)>;

/// A name of a certificate, or the base of a subtree.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Name {
    Dns(String),
    Email(String),
    /// Four or sixteen octets in a certificate; twice as many (address, mask) in a constraint.
    Ip(Vec<u8>),
    Uri(String),
    Directory(Vec<RelativeName>),
    /// A form on which we can only say "the same form": its name in messages.
    Other(&'static str),
}

impl Name {
    pub(super) fn from_general(name: &GeneralName<'_>) -> Self {
        match name {
            GeneralName::DNSName(dns) => Self::Dns((*dns).to_owned()),
            GeneralName::RFC822Name(email) => Self::Email((*email).to_owned()),
            GeneralName::IPAddress(octets) => Self::Ip(octets.to_vec()),
            GeneralName::URI(uri) => Self::Uri((*uri).to_owned()),
            GeneralName::DirectoryName(name) => Self::directory(name),
            GeneralName::OtherName(..) => Self::Other("otherName"),
            GeneralName::RegisteredID(_) => Self::Other("registeredID"),
            GeneralName::X400Address(_) => Self::Other("x400Address"),
            GeneralName::EDIPartyName(_) => Self::Other("ediPartyName"),
            GeneralName::Invalid(..) => Self::Other("malformed"),
        }
    }

    pub(super) fn directory(name: &X509Name<'_>) -> Self {
        let names = name.iter().map(|relative| {
            let mut pairs: RelativeName = relative
                .iter()
                .map(|pair| {
                    let value = pair
                        .as_str()
                        .map_or_else(|_| hex(pair.attr_value().data), normalised);
                    (pair.attr_type().to_id_string(), value)
                })
                .collect();
            pairs.sort();
            pairs
        });
        Self::Directory(names.collect())
    }

    fn form(&self) -> &'static str {
        match self {
            Self::Dns(_) => "DNS",
            Self::Email(_) => "email",
            Self::Ip(_) => "IP",
            Self::Uri(_) => "URI",
            Self::Directory(_) => "directory",
            Self::Other(form) => form,
        }
    }

    /// Whether this name of a certificate lies in the subtree of `base`.
    fn within(&self, base: &Self) -> bool {
        match (self, base) {
            (Self::Dns(name), Self::Dns(base)) => dns_within(name, base),
            (Self::Email(name), Self::Email(base)) => email_within(name, base),
            (Self::Ip(address), Self::Ip(base)) => ip_within(address, base),
            (Self::Uri(name), Self::Uri(base)) => {
                uri_host(name).is_some_and(|host| host_within(host, base))
            }
            (Self::Directory(name), Self::Directory(base)) => name.starts_with(base),
            _ => false,
        }
    }

    /// Whether this name could stand for a name in the subtree of `base`; wider than
    /// [`Self::within`] for wildcards and for URIs without a host.
    fn touches(&self, base: &Self) -> bool {
        if self.within(base) {
            return true;
        }
        match (self, base) {
            (Self::Dns(name), Self::Dns(base)) => wildcard_reaches(name, base),
            (Self::Uri(name), Self::Uri(_)) => uri_host(name).is_none(),
            _ => false,
        }
    }

    fn shown(&self) -> String {
        match self {
            Self::Dns(text) | Self::Email(text) | Self::Uri(text) => format!("'{text}'"),
            Self::Ip(octets) => format!("'{}'", shown_ip(octets)),
            Self::Directory(names) => {
                let shown: Vec<String> = names
                    .iter()
                    .flatten()
                    .map(|(kind, value)| format!("{kind}={value}"))
                    .collect();
                format!("'{}'", shown.join(", "))
            }
            Self::Other(form) => format!("of form {form}"),
        }
    }
}

/// The permitted and excluded subtrees of one CA certificate.
#[derive(Clone, Debug, Default)]
pub(super) struct Subtrees {
    permitted: Vec<Name>,
    excluded: Vec<Name>,
}

impl Subtrees {
    pub(super) fn from_extension(extension: &NameConstraints<'_>) -> Self {
        let bases = |trees: Option<&Vec<GeneralSubtree<'_>>>| {
            trees
                .into_iter()
                .flatten()
                .map(|tree| Name::from_general(&tree.base))
                .collect()
        };
        Self {
            permitted: bases(extension.permitted_subtrees.as_ref()),
            excluded: bases(extension.excluded_subtrees.as_ref()),
        }
    }

    /// How many comparisons one name costs.
    pub(super) fn len(&self) -> usize {
        self.permitted.len() + self.excluded.len()
    }

    /// The rule that `name` breaks, in words.
    pub(super) fn violation(&self, name: &Name) -> Option<String> {
        let of_form = |base: &&Name| base.form() == name.form();
        if let Name::Other(form) = name {
            let constrained = self
                .permitted
                .iter()
                .chain(&self.excluded)
                .any(|base| of_form(&base));
            return constrained
                .then(|| format!("a name of form {form} cannot be checked and is constrained"));
        }
        if let Some(base) = self.excluded.iter().find(|base| name.touches(base)) {
            return Some(format!(
                "the {} name {} is excluded (excluded: {})",
                name.form(),
                name.shown(),
                base.shown()
            ));
        }
        let permitted: Vec<&Name> = self.permitted.iter().filter(of_form).collect();
        if permitted.is_empty() || permitted.iter().any(|base| name.within(base)) {
            return None;
        }
        let shown: Vec<String> = permitted.iter().take(8).map(|base| base.shown()).collect();
        Some(format!(
            "the {} name {} is not permitted (permitted: {})",
            name.form(),
            name.shown(),
            shown.join(", ")
        ))
    }

    /// The form of name for which both permit something but nothing in common.
    pub(super) fn disjoint_form(&self, above: &Self) -> Option<&'static str> {
        ["DNS", "IP", "email"].into_iter().find(|form| {
            let below: Vec<&Name> = of_form(&self.permitted, form).collect();
            let above: Vec<&Name> = of_form(&above.permitted, form).collect();
            !below.is_empty()
                && !above.is_empty()
                && !below.iter().any(|b| above.iter().any(|a| overlap(a, b)))
        })
    }
}

fn of_form<'a>(names: &'a [Name], form: &'a str) -> impl Iterator<Item = &'a Name> {
    names.iter().filter(move |name| name.form() == form)
}

/// Whether two subtree bases have a name in common.
fn overlap(a: &Name, b: &Name) -> bool {
    match (a, b) {
        (Name::Dns(x), Name::Dns(y)) => dns_within(x, y) || dns_within(y, x),
        (Name::Email(x), Name::Email(y)) => {
            x.eq_ignore_ascii_case(y)
                || email_within(x, y)
                || email_within(y, x)
                || (!x.contains('@') && host_within(x, y))
                || (!y.contains('@') && host_within(y, x))
        }
        (Name::Ip(x), Name::Ip(y)) => networks_overlap(x, y),
        _ => true,
    }
}

fn networks_overlap(x: &[u8], y: &[u8]) -> bool {
    if x.len() != y.len() || x.is_empty() {
        return false;
    }
    let (address_x, mask_x) = x.split_at(x.len() / 2);
    let (address_y, mask_y) = y.split_at(y.len() / 2);
    let mut octets = address_x
        .iter()
        .zip(mask_x)
        .zip(address_y.iter().zip(mask_y));
    octets.all(|((ax, mx), (ay, my))| ax & mx & my == ay & mx & my)
}

/// `a.example.com` and `example.com` lie within `example.com`; within `.example.com` only the first
/// does, as OpenSSL and NSS read it.
fn dns_within(name: &str, base: &str) -> bool {
    let (name, base) = (name.to_ascii_lowercase(), base.to_ascii_lowercase());
    let Some(before) = name.strip_suffix(base.as_str()) else {
        return false;
    };
    before.is_empty() || base.is_empty() || base.starts_with('.') || before.ends_with('.')
}

/// `*.example.com` can stand for `a.example.com`, so it touches a subtree at or below that name.
fn wildcard_reaches(name: &str, base: &str) -> bool {
    let Some(parent) = name.strip_prefix("*.") else {
        return false;
    };
    let (parent, base) = (parent.to_ascii_lowercase(), base.to_ascii_lowercase());
    base.split_once('.')
        .is_some_and(|(label, rest)| !label.is_empty() && rest == parent)
}

/// A base is one mailbox, all mailboxes of a host, or (leading dot) of all hosts in a domain.
fn email_within(name: &str, base: &str) -> bool {
    let Some((local, host)) = name.rsplit_once('@') else {
        return false;
    };
    match base.rsplit_once('@') {
        Some((base_local, base_host)) => {
            local == base_local && host.eq_ignore_ascii_case(base_host)
        }
        None => host_within(host, base),
    }
}

/// The exact host, or with a leading dot any host inside the domain.
fn host_within(host: &str, base: &str) -> bool {
    if base.is_empty() || host.eq_ignore_ascii_case(base) {
        return true;
    }
    base.starts_with('.') && dns_within(host, base)
}

/// The host of a URI (RFC 3986 §3.2.2) without user information and port. An IP literal is no
/// host name, and a constraint cannot be applied to it.
fn uri_host(uri: &str) -> Option<&str> {
    let (_, rest) = uri.split_once("://")?;
    let authority = rest.split(['/', '?', '#']).next()?;
    let host = authority
        .rsplit_once('@')
        .map_or(authority, |(_, host)| host);
    let host = host.split(':').next()?;
    let is_name = !host.is_empty() && !host.starts_with('[') && host.parse::<IpAddr>().is_err();
    is_name.then_some(host)
}

fn ip_within(address: &[u8], base: &[u8]) -> bool {
    if base.len() != 2 * address.len() {
        return false;
    }
    let (network, mask) = base.split_at(address.len());
    let mut octets = address.iter().zip(network).zip(mask);
    octets.all(|((a, n), m)| a & m == n & m)
}

fn shown_ip(octets: &[u8]) -> String {
    let address = |octets: &[u8]| match octets.len() {
        4 => <[u8; 4]>::try_from(octets).map(|o| IpAddr::from(o).to_string()),
        _ => <[u8; 16]>::try_from(octets).map(|o| IpAddr::from(o).to_string()),
    };
    let shown = match octets.len() {
        4 | 16 => address(octets),
        8 | 32 => {
            let (network, mask) = octets.split_at(octets.len() / 2);
            let bits: u32 = mask.iter().map(|octet| octet.count_ones()).sum();
            address(network).map(|network| format!("{network}/{bits}"))
        }
        _ => return hex(octets),
    };
    shown.unwrap_or_else(|_| hex(octets))
}

fn hex(octets: &[u8]) -> String {
    octets.iter().map(|octet| format!("{octet:02X}")).collect()
}

/// RFC 5280 §7.1: case does not matter, nor does the amount of white space.
fn normalised(text: &str) -> String {
    let words: Vec<String> = text.split_whitespace().map(str::to_lowercase).collect();
    words.join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dns_subtrees_hold_the_name_and_what_is_below() {
        let cases = [
            ("example.com", "example.com", true),
            ("a.b.Example.com", "example.COM", true),
            ("badexample.com", "example.com", false),
            ("com", "example.com", false),
            ("example.com", ".example.com", false),
            ("a.example.com", ".example.com", true),
            ("anything", "", true),
            ("*.example.com", "example.com", true),
            ("*.example.com", "a.example.com", false),
        ];
        for (name, base, within) in cases {
            assert_eq!(dns_within(name, base), within, "{name} in {base}");
        }
    }

    #[test]
    fn an_excluded_name_refuses_the_wildcard_that_covers_it() {
        let trees = Subtrees {
            permitted: Vec::new(),
            excluded: vec![Name::Dns("secret.example.com".to_owned())],
        };
        assert!(
            trees
                .violation(&Name::Dns("*.example.com".to_owned()))
                .is_some()
        );
        assert!(
            trees
                .violation(&Name::Dns("*.secret.example.com".to_owned()))
                .is_some()
        );
        assert!(
            trees
                .violation(&Name::Dns("*.example.org".to_owned()))
                .is_none()
        );
        assert!(
            trees
                .violation(&Name::Dns("open.example.com".to_owned()))
                .is_none()
        );
    }

    #[test]
    fn email_bases_are_mailboxes_hosts_or_domains() {
        let cases = [
            ("a@example.com", "a@Example.com", true),
            ("A@example.com", "a@example.com", false),
            ("a@example.com", "example.com", true),
            ("a@b.example.com", "example.com", false),
            ("a@b.example.com", ".example.com", true),
            ("a@example.com", ".example.com", false),
        ];
        for (name, base, within) in cases {
            assert_eq!(email_within(name, base), within, "{name} in {base}");
        }
    }

    #[test]
    fn addresses_of_the_other_family_are_never_within() {
        let v4 = [10, 0, 0, 0, 255, 0, 0, 0];
        assert!(ip_within(&[10, 9, 8, 7], &v4));
        assert!(!ip_within(&[11, 0, 0, 1], &v4));
        assert!(!ip_within(&[0; 16], &v4));
        let trees = Subtrees {
            permitted: vec![Name::Ip(v4.to_vec())],
            excluded: Vec::new(),
        };
        assert!(trees.violation(&Name::Ip(vec![0; 16])).is_some());
    }

    #[test]
    fn uris_are_judged_by_their_host() {
        assert_eq!(
            uri_host("https://u:p@a.example.com:8/x"),
            Some("a.example.com")
        );
        assert_eq!(uri_host("https://[::1]/"), None);
        assert_eq!(uri_host("urn:x"), None);
        let excluded = Subtrees {
            permitted: Vec::new(),
            excluded: vec![Name::Uri("example.com".to_owned())],
        };
        assert!(excluded.violation(&Name::Uri("urn:x".to_owned())).is_some());
        assert!(
            excluded
                .violation(&Name::Uri("https://other/".to_owned()))
                .is_none()
        );
    }

    #[test]
    fn permitted_subtrees_without_a_common_name_are_disjoint() {
        let permit = |names: &[Name]| Subtrees {
            permitted: names.to_vec(),
            excluded: Vec::new(),
        };
        let dns = |name: &str| Name::Dns(name.to_owned());
        let above = permit(&[dns("example.com")]);
        assert_eq!(permit(&[dns("a.example.com")]).disjoint_form(&above), None);
        assert_eq!(permit(&[dns("com")]).disjoint_form(&above), None);
        assert_eq!(
            permit(&[dns("example.org")]).disjoint_form(&above),
            Some("DNS")
        );
        let ten = permit(&[Name::Ip(vec![10, 0, 0, 0, 255, 0, 0, 0])]);
        let part = permit(&[Name::Ip(vec![10, 1, 0, 0, 255, 255, 0, 0])]);
        let other = permit(&[Name::Ip(vec![11, 0, 0, 0, 255, 0, 0, 0])]);
        assert_eq!(part.disjoint_form(&ten), None);
        assert_eq!(other.disjoint_form(&ten), Some("IP"));
    }
}
