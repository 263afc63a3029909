// SPDX-License-Identifier: Apache-2.0
#![expect(clippy::unwrap_used, reason = "tests")]

use super::*;

fn subnet(text: &str) -> IpSubnet {
    text.parse().unwrap()
}

#[test]
fn subnets_contain_their_addresses() {
    for (block, address, inside) in [
        ("10.0.0.0/8", "10.255.0.1", true),
        ("10.0.0.0/8", "11.0.0.0", false),
        ("0.0.0.0/0", "203.0.113.9", true),
        ("0.0.0.0/0", "::1", false),
        ("192.0.2.7/32", "192.0.2.7", true),
        ("192.0.2.7/32", "192.0.2.6", false),
        ("fd00::/8", "fdff::1", true),
        ("fd00::/8", "fe80::1", false),
        ("::/0", "2001:db8::1", true),
        ("2001:db8::1/128", "2001:db8::2", false),
    ] {
        assert_eq!(
            subnet(block).contains(address.parse().unwrap()),
            inside,
            "{address} in {block}"
        );
        assert_eq!(subnet(block).to_string(), block);
        assert_eq!(
            IpSubnet::from_octets(&subnet(block).octets()),
            Some(subnet(block))
        );
    }
    for text in [
        "10.0.0.0",
        "10.0.0.1/8",
        "10.0.0.0/33",
        "::/129",
        "a/8",
        "10.0.0.0/",
        "10.0.0.0/255.0.0.0",
    ] {
        assert!(text.parse::<IpSubnet>().is_err(), "{text}");
    }
}

#[test]
fn octets_with_holes_in_the_mask_are_not_a_subnet() {
    assert_eq!(IpSubnet::from_octets(&[10, 0, 0, 0, 255, 0, 255, 0]), None);
    assert_eq!(IpSubnet::from_octets(&[10, 0, 0, 0]), None);
}

fn some() -> NameConstraints {
    NameConstraints {
        permitted_dns: vec!["example.org".into()],
        permitted_ip: vec![subnet("10.0.0.0/8"), subnet("fd00::/8")],
        permitted_email: vec![".example.org".into()],
        permitted_uri: vec!["example.org".into()],
        excluded_dns: vec!["bad.example.org".into()],
        excluded_ip: vec![subnet("10.9.0.0/16")],
        excluded_email: vec!["root@example.org".into()],
        excluded_uri: vec![".bad.example.org".into()],
        unsupported: Vec::new(),
    }
}

#[test]
fn der_round_trips_and_is_exact() {
    assert_eq!(
        NameConstraints::from_der(&some().to_der().unwrap()).unwrap(),
        some()
    );
    let one = NameConstraints {
        excluded_ip: vec![subnet("10.0.0.0/8")],
        ..NameConstraints::default()
    };
    let expected = [
        0x30, 14, 0xa1, 12, 0x30, 10, 0x87, 8, 10, 0, 0, 0, 255, 0, 0, 0,
    ];
    assert_eq!(one.to_der().unwrap(), expected);
}

/// What a lenient reader would skip would be allowed.
#[test]
fn nothing_is_skipped_on_reading() {
    let good = some().to_der().unwrap();
    for damaged in [
        [&good[..], &[0]].concat(),               // something follows
        vec![0x30, 4, 0xa2, 2, 0x30, 0],          // a third list
        vec![0x30, 6, 0xa0, 4, 0x31, 2, 0x82, 0], // a SET for a subtree
        vec![0x30, 4, 0xa1, 2, 0x30, 0],          // a subtree without a name
        vec![0x30, 5, 0xa1, 3, 0x30, 3, 0x82],    // cut off
    ] {
        assert!(NameConstraints::from_der(&damaged).is_err(), "{damaged:?}");
    }
    let with_minimum = [0x30, 10, 0xa1, 8, 0x30, 6, 0x82, 1, b'a', 0x80, 1, 1];
    assert_eq!(
        NameConstraints::from_der(&with_minimum)
            .unwrap()
            .unsupported,
        ["DNSName(a) with minimum or maximum"]
    );
    let directory = [0x30, 8, 0xa0, 6, 0x30, 4, 0xa4, 2, 0x30, 0];
    assert_eq!(
        NameConstraints::from_der(&directory)
            .unwrap()
            .unsupported
            .len(),
        1
    );
}

#[test]
fn what_cannot_be_said_is_refused() {
    let refused = |constraints: NameConstraints| constraints.to_der().unwrap_err().to_string();
    assert!(
        refused(NameConstraints::default()).ends_with("there is none; leave the extension out")
    );
    let wildcard = NameConstraints {
        permitted_dns: vec!["*.a".into()],
        ..NameConstraints::default()
    };
    assert!(refused(wildcard).contains("without spaces and wildcards"));
    let directory = NameConstraints {
        unsupported: vec!["x".into()],
        ..NameConstraints::default()
    };
    assert!(refused(directory).contains("can be constrained"));
}
