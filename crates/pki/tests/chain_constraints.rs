// SPDX-License-Identifier: Apache-2.0
//! Name constraints (RFC 5280 §4.2.1.10) of every form, and the openssl command as the second judge.
#![expect(clippy::unwrap_used, clippy::panic, reason = "tests")]

mod support;

use openssl::nid::Nid;
use pki::chain::Error;
use support::judges::{accepted, chain_of, judge, refused};
use support::{Entity, Profile, ca, issue, leaf, openssl_verifies};

#[test]
fn name_constraints_bind_every_form_of_name() {
    // constraint, subjectAltName, allowed
    let cases = [
        ("permitted;DNS:example.com", "DNS:api.example.com", true),
        ("permitted;DNS:example.com", "DNS:example.com", true),
        ("permitted;DNS:example.com", "DNS:api.example.org", false),
        (
            "permitted;DNS:example.com",
            "DNS:a.example.com,DNS:b.example.org",
            false,
        ),
        ("permitted;DNS:example.com", "DNS:notexample.com", false),
        (
            "permitted;DNS:example.com",
            "IP:192.0.2.1,DNS:a.example.com",
            true,
        ),
        (
            "excluded;DNS:secret.example.com",
            "DNS:api.example.com",
            true,
        ),
        (
            "excluded;DNS:secret.example.com",
            "DNS:a.secret.example.com",
            false,
        ),
        ("permitted;IP:192.0.2.0/255.255.255.0", "IP:192.0.2.9", true),
        (
            "permitted;IP:192.0.2.0/255.255.255.0",
            "IP:198.51.100.1",
            false,
        ),
        (
            "permitted;IP:192.0.2.0/255.255.255.0",
            "IP:2001:db8::1",
            false,
        ),
        ("excluded;IP:192.0.2.0/255.255.255.0", "IP:192.0.2.9", false),
        (
            "excluded;IP:192.0.2.0/255.255.255.0",
            "IP:198.51.100.1",
            true,
        ),
        ("permitted;email:example.com", "email:ops@example.com", true),
        (
            "permitted;email:example.com",
            "email:ops@mail.example.com",
            false,
        ),
        (
            "permitted;email:.example.com",
            "email:ops@mail.example.com",
            true,
        ),
        (
            "excluded;email:root@example.com",
            "email:root@example.com",
            false,
        ),
        (
            "permitted;URI:.example.com",
            "URI:https://a.example.com/x",
            true,
        ),
        (
            "permitted;URI:.example.com",
            "URI:https://a.example.org/x",
            false,
        ),
    ];
    for (constraint, names, allowed) in cases {
        let middle = ca().with(Nid::NAME_CONSTRAINTS, &format!("critical,{constraint}"));
        let end = leaf().with(Nid::SUBJECT_ALT_NAME, names);
        let (top, ours, service) = (
            Entity::new("Root"),
            Entity::new("CA"),
            Entity::new("service"),
        );
        let pool = [
            issue(&service, &ours, &end),
            issue(&ours, &top, &middle.serial(2)),
            issue(&top, &top, &ca()),
        ];
        let verdict = judge(&pool);
        match &verdict {
            Ok(()) => assert!(allowed, "{constraint} accepts {names}"),
            Err(Error::NameConstraint { .. }) => assert!(!allowed, "{constraint} refuses {names}"),
            Err(error) => panic!("{constraint} with {names}: {error}"),
        }
        let witness = openssl_verifies(&pool[0], &pool[1..2], &pool[2..], &[]);
        assert_eq!(
            witness.is_ok(),
            allowed,
            "openssl: {constraint} with {names}: {witness:?}"
        );
    }
}

#[test]
fn name_constraints_reach_a_common_name_only_without_dns_names() {
    let middle = ca().with(Nid::NAME_CONSTRAINTS, "critical,permitted;DNS:example.org");
    let (top, ours, service) = (
        Entity::new("Root"),
        Entity::new("CA"),
        Entity::new("api.example.com"),
    );
    let chain = |end: &Profile| {
        [
            issue(&service, &ours, end),
            issue(&ours, &top, &middle.clone().serial(2)),
            issue(&top, &top, &ca()),
        ]
    };
    refused(
        &chain(&leaf().without(Nid::SUBJECT_ALT_NAME)),
        |error| matches!(error, Error::NameConstraint { violation, .. } if violation.contains("'api.example.com'")),
    );
    accepted(&chain(
        &leaf().with(Nid::SUBJECT_ALT_NAME, "DNS:a.example.org"),
    ));
}

/// `[tag] { SEQUENCE { base } }` inside NameConstraints; every length here is below 128.
fn constraint(tag: u8, base: &[u8]) -> Vec<u8> {
    let wrap = |tag: u8, content: &[u8]| {
        let length = u8::try_from(content.len()).unwrap();
        [&[tag, length], content].concat()
    };
    wrap(0x30, &wrap(tag, &wrap(0x30, base)))
}

const NAME_CONSTRAINTS: &str = "2.5.29.30";

#[test]
fn directory_names_are_constrained_by_their_beginning() {
    // [4] { Name { O = pOOL } }: the leaf's subject begins with O = Pool, and case does not matter.
    let organization = |name: &[u8]| {
        let value = [
            &[
                0x06,
                3,
                0x55,
                4,
                10,
                0x0C,
                u8::try_from(name.len()).unwrap(),
            ],
            name,
        ]
        .concat();
        let sequence = [&[0x30, u8::try_from(value.len()).unwrap()], &value[..]].concat();
        let set = [
            &[0x31, u8::try_from(sequence.len()).unwrap()],
            &sequence[..],
        ]
        .concat();
        let name = [&[0x30, u8::try_from(set.len()).unwrap()], &set[..]].concat();
        [&[0xA4, u8::try_from(name.len()).unwrap()], &name[..]].concat()
    };
    let with = |tag: u8, name: &[u8]| {
        ca().raw(
            NAME_CONSTRAINTS,
            true,
            &constraint(tag, &organization(name)),
        )
    };
    let (permitted, excluded) = (0xA0, 0xA1);
    accepted(&chain_of(&ca(), &with(permitted, b"pOOL"), &leaf()));
    accepted(&chain_of(&ca(), &with(excluded, b"Lake"), &leaf()));
    for middle in [with(permitted, b"Lake"), with(excluded, b"Pool")] {
        refused(&chain_of(&ca(), &middle, &leaf()), |error| {
            matches!(error, Error::NameConstraint { .. })
        });
    }
}

#[test]
fn a_constraint_that_we_cannot_check_refuses_names_of_its_form() {
    // Permitted: registeredID 1.2.3.
    let middle = ca().raw(
        NAME_CONSTRAINTS,
        true,
        &constraint(0xA0, &[0x88, 2, 0x2A, 3]),
    );
    let with = leaf().with(Nid::SUBJECT_ALT_NAME, "DNS:api.example.com,RID:1.2.3.4");
    refused(
        &chain_of(&ca(), &middle, &with),
        |error| matches!(error, Error::NameConstraint { violation, .. } if violation.contains("registeredID")),
    );
    judge(&chain_of(&ca(), &middle, &leaf())).unwrap();
}

#[test]
fn a_wildcard_that_reaches_an_excluded_name_is_refused_though_openssl_accepts_it() {
    let middle = ca().with(
        Nid::NAME_CONSTRAINTS,
        "critical,excluded;DNS:secret.example.com",
    );
    let pool = chain_of(
        &ca(),
        &middle,
        &leaf().with(Nid::SUBJECT_ALT_NAME, "DNS:*.example.com"),
    );
    let error = judge(&pool).unwrap_err();
    assert!(matches!(error, Error::NameConstraint { .. }), "{error}");
}

#[test]
fn constraints_of_the_root_bind_the_leaf_too() {
    let root = ca().with(Nid::NAME_CONSTRAINTS, "critical,permitted;DNS:example.org");
    refused(
        &chain_of(&root, &ca(), &leaf()),
        |error| matches!(error, Error::NameConstraint { authority, .. } if authority.subject.contains("Root")),
    );
}
