// SPDX-License-Identifier: Apache-2.0
#![expect(clippy::unwrap_used, reason = "tests")]

use proptest::prelude::*;

use super::*;

fn dns(text: &str) -> Result<String, String> {
    text.parse::<DnsName>()
        .map(|name| name.to_string())
        .map_err(|error| error.to_string())
}

#[test]
fn names_are_lower_case_a_labels() {
    for (text, name) in [
        ("Example.ORG", "example.org"),
        ("*.Example.org", "*.example.org"),
        ("bücher.example", "xn--bcher-kva.example"),
        ("BÜCHER.example", "xn--bcher-kva.example"),
        ("*.münchen.de", "*.xn--mnchen-3ya.de"),
        ("例え.テスト", "xn--r8jz45g.xn--zckzah"),
        ("xn--bcher-kva.example", "xn--bcher-kva.example"),
        ("_acme.internal_api.cloud", "_acme.internal_api.cloud"),
        ("localhost", "localhost"),
        ("node-1", "node-1"),
        ("1password.com", "1password.com"),
    ] {
        assert_eq!(dns(text).as_deref(), Ok(name));
    }
}

#[test]
fn each_broken_rule_is_named() {
    for (text, reason) in [
        ("", "it is empty"),
        ("foo bar", "it contains a space; give one name an entry"),
        (" foo", "it contains a space; give one name an entry"),
        (
            "foo\u{a0}bar",
            "it contains a space; give one name an entry",
        ),
        (
            "a..b",
            "a label is empty; remove the dot at its end or the double dot",
        ),
        (
            "example.org.",
            "a label is empty; remove the dot at its end or the double dot",
        ),
        (
            ".example.org",
            "a label is empty; remove the dot at its end or the double dot",
        ),
        (
            "*",
            "'*' must be the whole leftmost label, as in *.example.org",
        ),
        (
            "a.*.org",
            "'*' must be the whole leftmost label, as in *.example.org",
        ),
        (
            "a*.example.org",
            "'*' must be the whole leftmost label, as in *.example.org",
        ),
        (
            "*.*.org",
            "'*' must be the whole leftmost label, as in *.example.org",
        ),
        ("a,b", "the character ',' is not allowed"),
        ("https://a", "the character ':' is not allowed"),
        ("-a.org", "the label '-a' begins or ends with a hyphen"),
        ("10.0.0.1", "it is an IP address; put it under ip"),
        ("fd00::1", "it is an IP address; put it under ip"),
        (
            "10.0.0.256",
            "its last label is a number, as in an IP address",
        ),
        (
            "a\u{0}b",
            "the character U+0000 is not allowed; write the name in NFC or as xn-- labels",
        ),
        (
            "u\u{308}ber.de",
            "the character U+0308 is not allowed; write the name in NFC or as xn-- labels",
        ),
        (
            "a\u{200b}.de",
            "the character U+200B is not allowed; write the name in NFC or as xn-- labels",
        ),
    ] {
        assert_eq!(
            dns(text),
            Err(format!("'{text}' is not a valid DNS name: {reason}"))
        );
    }
}

#[test]
fn lengths_are_bounded() {
    let label = "a".repeat(63);
    assert!(dns(&label).is_ok());
    assert!(
        dns(&"a".repeat(64))
            .unwrap_err()
            .ends_with("has 64 characters; at most 63 are allowed")
    );
    let longest = format!("{label}.{label}.{label}.{}", "a".repeat(61));
    assert_eq!(longest.len(), 253);
    assert!(dns(&longest).is_ok());
    assert!(
        dns(&format!("{longest}a"))
            .unwrap_err()
            .ends_with("it has 254 characters; at most 253 are allowed")
    );
    assert!(dns(&"ü".repeat(60)).is_err());
}

#[test]
fn mailboxes() {
    let email = |text: &str| {
        text.parse::<EmailAddress>()
            .map(|name| name.to_string())
            .ok()
    };
    assert_eq!(
        email("Ops+tls@Bücher.Example").as_deref(),
        Some("Ops+tls@xn--bcher-kva.example")
    );
    for text in [
        "ops",
        "@example.org",
        "a@",
        "a b@example.org",
        "é@example.org",
        "a@*.example.org",
        "a@b@c",
        "<a@b>",
        "a@b c",
    ] {
        assert_eq!(email(text), None, "{text}");
    }
}

#[test]
fn uris() {
    for text in [
        "https://example.org/a?b=%20",
        "spiffe://cluster/ns/a",
        "urn:uuid:f81d4fae",
        "ldap://[2001:db8::7]/c=GB",
    ] {
        assert_eq!(
            text.parse::<UniformResourceIdentifier>().unwrap().as_str(),
            text
        );
    }
    for text in [
        "example.org",
        "/path",
        "https://",
        "https:",
        "1a:b",
        "https://a b",
        "https://ü",
        ":a",
    ] {
        assert!(text.parse::<UniformResourceIdentifier>().is_err(), "{text}");
    }
}

fn some_names() -> SubjectAltNames {
    SubjectAltNames {
        dns: vec!["b.org".parse().unwrap(), "a.org".parse().unwrap()],
        ip: vec!["192.0.2.1".parse().unwrap(), "2001:db8::1".parse().unwrap()],
        email: vec!["a@b.org".parse().unwrap()],
        uri: vec!["urn:a".parse().unwrap()],
        other: vec![OtherName {
            type_id: "1.2.3".parse().unwrap(),
            value_utf8: "x".into(),
        }],
    }
}

#[test]
fn sets_compare_without_order_and_repeats() {
    let names = some_names();
    let mut shuffled = names.clone();
    shuffled.dns.reverse();
    shuffled.dns.push("a.org".parse().unwrap());
    assert!(names.same_set(&shuffled) && shuffled.same_set(&names));
    let mut fewer = names.clone();
    fewer.dns.pop();
    fewer.ip.clear();
    assert!(!names.same_set(&fewer));
    assert!(fewer.missing_from(&names).is_empty());
    assert_eq!(
        names.missing_from(&fewer).to_string(),
        "DNS:a.org, IP:192.0.2.1, IP:2001:db8::1"
    );
    assert_eq!((names.len(), SubjectAltNames::default().len()), (7, 0));
}

#[test]
fn messages_show_all_kinds() {
    assert_eq!(
        some_names().to_string(),
        "DNS:b.org, DNS:a.org, IP:192.0.2.1, IP:2001:db8::1, email:a@b.org, URI:urn:a, otherName:1.2.3;UTF8:x"
    );
}

proptest! {
    #[test]
    fn a_name_that_is_taken_is_ascii_and_taken_again(text in "(\\*\\.)?[\\PC]{1,12}(\\.[a-zäöüß0-9_-]{1,70}){0,4}") {
        if let Ok(name) = text.parse::<DnsName>() {
            prop_assert!(name.as_str().is_ascii() && name.as_str().len() <= 253);
            prop_assert!(name.as_str().trim_start_matches("*.").split('.').all(|label| (1..=63).contains(&label.len())));
            prop_assert_eq!(name.as_str().parse::<DnsName>().unwrap(), name);
        }
    }

    #[test]
    fn host_names_are_kept(text in "[a-z0-9]([a-z0-9-]{0,20}[a-z0-9])?(\\.[a-z]([a-z0-9-]{0,20}[a-z0-9])?){1,4}") {
        prop_assert_eq!(dns(&text), Ok(text));
    }
}
