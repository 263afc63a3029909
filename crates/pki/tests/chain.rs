// SPDX-License-Identifier: Apache-2.0
//! Path building and verification, on the lines of NIST's PKITS: one chain for each rule of RFC 5280 §6.1, and
//! the openssl command as the second judge.
#![expect(clippy::unwrap_used, clippy::panic, reason = "tests")]

mod support;

use openssl::nid::Nid;
use pki::chain::{Error, Trust, verify, verify_authority};
use pki::{Certificate, SubjectAltNames, Timestamp};
use proptest::prelude::*;
use support::{DAY, Entity, Family, NOW, Profile, ca, expect, issue, leaf, openssl_verifies};

/// Root, one CA, leaf; each profile can be changed.
fn chain_of(root: &Profile, middle: &Profile, end: &Profile) -> Vec<Certificate> {
    let (top, ca, service) = (
        Entity::new("Root"),
        Entity::new("Intermediate"),
        Entity::new("api.example.com"),
    );
    vec![
        issue(&service, &ca, end),
        issue(&ca, &top, &middle.clone().serial(2)),
        issue(&top, &top, root),
    ]
}

fn judge(pool: &[Certificate]) -> Result<(), Error> {
    verify(pool.to_vec(), &expect(&pool[0], Trust::SelfContained)).map(|_| ())
}

/// Both judges must refuse, ours with the expected error.
#[track_caller]
fn refused(pool: &[Certificate], matches: impl Fn(&Error) -> bool) {
    let error = judge(pool).unwrap_err();
    assert!(matches(&error), "unexpected error: {error}");
    let (end, root) = (&pool[0], pool.last().unwrap());
    let untrusted = &pool[1..pool.len() - 1];
    let opinion = openssl_verifies(end, untrusted, std::slice::from_ref(root), &[]);
    assert!(opinion.is_err(), "openssl accepts what we refuse: {error}");
}

/// Both judges must accept.
#[track_caller]
fn accepted(pool: &[Certificate]) {
    judge(pool).unwrap();
    let (end, root) = (&pool[0], pool.last().unwrap());
    let untrusted = &pool[1..pool.len() - 1];
    openssl_verifies(end, untrusted, std::slice::from_ref(root), &[]).unwrap();
}

#[test]
fn a_chain_without_fault_is_taken_apart_into_leaf_intermediates_and_root() {
    let family = Family::new();
    let verified = family.verified();
    assert_eq!(verified.leaf(), &family.leaf);
    assert_eq!(
        verified.intermediates(),
        std::slice::from_ref(&family.intermediate_certificate)
    );
    assert_eq!(verified.root(), Some(&family.root_certificate));
    assert!(!verified.is_self_signed());
    accepted(&family.pool());
}

#[test]
fn an_expired_intermediate_is_named_with_its_end_and_how_long_ago_that_was() {
    let middle = ca().dates(NOW.0 - 40 * DAY, NOW.0 - 3 * DAY - 7_200);
    let pool = chain_of(&ca(), &middle, &leaf());
    refused(&pool, |error| matches!(error, Error::Expired { .. }));
    let message = judge(&pool).unwrap_err().to_string();
    assert!(message.contains("CN=Intermediate"), "{message}");
    assert!(message.contains("3 d 2 h ago"), "{message}");
    assert!(message.contains("2027-01-15T08:00:00Z"), "{message}");
}

#[test]
fn not_yet_valid_is_another_error_than_expired() {
    let future = leaf().dates(NOW.0 + 1, NOW.0 + DAY);
    refused(&chain_of(&ca(), &ca(), &future), |error| {
        matches!(error, Error::NotYetValid { .. })
    });
    let past = leaf().dates(NOW.0 - DAY, NOW.0 - 1);
    refused(&chain_of(&ca(), &ca(), &past), |error| {
        matches!(error, Error::Expired { .. })
    });
    let root = ca().dates(NOW.0 - 2 * DAY, NOW.0 - DAY);
    refused(&chain_of(&root, &ca(), &leaf()), |error| {
        matches!(error, Error::Expired { .. })
    });
}

#[test]
fn the_first_second_of_validity_counts_and_the_last_does_not() {
    accepted(&chain_of(&ca(), &ca(), &leaf().dates(NOW.0, NOW.0 + 1)));
    refused(
        &chain_of(&ca(), &ca(), &leaf().dates(NOW.0 - DAY, NOW.0)),
        |error| matches!(error, Error::Expired { .. }),
    );
}

#[test]
fn an_issuer_that_is_no_ca_is_refused() {
    let middle = ca().with(Nid::BASIC_CONSTRAINTS, "critical,CA:FALSE");
    refused(
        &chain_of(&ca(), &middle, &leaf()),
        |error| matches!(error, Error::NotAuthority { certificate } if certificate.subject.contains("Intermediate")),
    );
    let silent = ca().without(Nid::BASIC_CONSTRAINTS);
    let error = judge(&chain_of(&ca(), &silent, &leaf())).unwrap_err();
    assert!(matches!(error, Error::NotAuthority { .. }), "{error}");
}

#[test]
fn an_issuer_without_key_cert_sign_is_refused_and_one_without_key_usage_is_not() {
    let middle = ca().with(Nid::KEY_USAGE, "critical,digitalSignature,cRLSign");
    refused(&chain_of(&ca(), &middle, &leaf()), |error| {
        matches!(error, Error::MissingKeyCertSign { .. })
    });
    accepted(&chain_of(&ca(), &ca().without(Nid::KEY_USAGE), &leaf()));
}

#[test]
fn a_path_length_of_zero_allows_a_leaf_but_no_ca_below() {
    let zero = "critical,CA:TRUE,pathlen:0";
    let middle = ca().with(Nid::BASIC_CONSTRAINTS, zero);
    accepted(&chain_of(&ca(), &middle, &leaf()));
    let root = ca().with(Nid::BASIC_CONSTRAINTS, zero);
    refused(&chain_of(&root, &ca(), &leaf()), |error| {
        matches!(
            error,
            Error::PathLength {
                allowed: 0,
                found: 1,
                ..
            }
        )
    });
}

#[test]
fn a_self_issued_certificate_is_not_counted_by_a_path_length() {
    let (root, ours, service) = (
        Entity::new("Root"),
        Entity::new("CA"),
        Entity::new("svc.example.com"),
    );
    // The CA's new key, certified by its old key under the same name (RFC 5280 §3.2, key rollover).
    let rolled = Entity::new("CA");
    let zero = ca().with(Nid::BASIC_CONSTRAINTS, "critical,CA:TRUE,pathlen:0");
    accepted(&[
        issue(&service, &rolled, &leaf()),
        issue(&rolled, &ours, &ca().serial(3)),
        issue(&ours, &root, &zero.serial(2)),
        issue(&root, &root, &ca()),
    ]);
}

#[test]
fn an_unknown_critical_extension_is_refused_wherever_it_stands() {
    let strange = |profile: Profile| Profile {
        unknown_critical: true,
        ..profile
    };
    let pools = [
        chain_of(&ca(), &ca(), &strange(leaf())),
        chain_of(&ca(), &strange(ca()), &leaf()),
    ];
    for pool in pools {
        refused(
            &pool,
            |error| matches!(error, Error::UnknownCritical { oids, .. } if oids == &["1.2.3.4"]),
        );
    }
}

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
fn policies_are_left_to_the_second_opinion() {
    // requireExplicitPolicy 0 on the CA, and no policy anywhere (RFC 5280 §4.2.1.11).
    let middle = ca().raw("2.5.29.36", true, &[0x30, 3, 0x80, 1, 0]);
    let pool = chain_of(&ca(), &middle, &leaf());
    let error = judge(&pool).unwrap_err();
    assert!(matches!(error, Error::SecondOpinion { .. }), "{error}");
    let witness = openssl_verifies(&pool[0], &pool[1..2], &pool[2..], &["-policy_check"]);
    assert!(witness.is_err());
}

#[test]
fn an_extension_that_cannot_be_decoded_is_not_taken_as_absent() {
    // policyConstraints is a SEQUENCE; reading the certificate is not stopped by it.
    for critical in [true, false] {
        let middle = ca().raw("2.5.29.36", critical, &[0x05, 0x00]);
        let error = judge(&chain_of(&ca(), &middle, &leaf())).unwrap_err();
        assert!(
            matches!(&error, Error::Malformed { fault, .. } if fault.contains("2.5.29.36")),
            "{error}"
        );
    }
}

#[test]
fn names_chain_whatever_their_case_and_spaces() {
    let family = Family::new();
    let spelled = family.intermediate.renamed("INTERMEDIATE ");
    let end = issue(&family.service, &spelled, &leaf());
    accepted(&[
        end,
        family.intermediate_certificate.clone(),
        family.root_certificate.clone(),
    ]);
}

#[test]
fn constraints_of_the_root_bind_the_leaf_too() {
    let root = ca().with(Nid::NAME_CONSTRAINTS, "critical,permitted;DNS:example.org");
    refused(
        &chain_of(&root, &ca(), &leaf()),
        |error| matches!(error, Error::NameConstraint { authority, .. } if authority.subject.contains("Root")),
    );
}

#[test]
fn the_extended_key_usage_of_a_ca_is_not_judged() {
    let middle = ca().with(Nid::EXT_KEY_USAGE, "emailProtection");
    accepted(&chain_of(&ca(), &middle, &leaf()));
}

#[test]
fn a_signature_of_another_key_with_the_same_name_is_refused() {
    let mut pool = chain_of(&ca(), &ca(), &leaf());
    let impostor = Entity::new("Intermediate");
    let root = Entity::new("Root");
    pool[1] = issue(
        &impostor,
        &root,
        &Profile {
            key_identifiers: false,
            ..ca()
        },
    );
    refused(&pool, |error| matches!(error, Error::Signature { .. }));
}

#[test]
fn a_missing_issuer_is_named() {
    let family = Family::new();
    let pool = vec![family.leaf.clone(), family.root_certificate.clone()];
    let error = verify(pool, &expect(&family.leaf, Trust::SelfContained)).unwrap_err();
    assert!(
        matches!(&error, Error::IssuerMissing { issuer, .. } if issuer.contains("Intermediate")),
        "{error}"
    );
}

#[test]
fn roots_are_trusted_only_when_they_are_given() {
    let family = Family::new();
    let other = Family::new();
    let roots = [family.root_certificate.clone()];
    let pool = vec![family.leaf.clone(), family.intermediate_certificate.clone()];
    let verified = verify(pool, &expect(&family.leaf, Trust::Roots(&roots))).unwrap();
    assert_eq!(verified.root(), Some(&family.root_certificate));
    let strangers = [other.root_certificate];
    let error = verify(
        family.pool(),
        &expect(&family.leaf, Trust::Roots(&strangers)),
    )
    .unwrap_err();
    assert!(matches!(error, Error::UntrustedRoot { .. }), "{error}");
    let intermediates = [family.intermediate_certificate.clone()];
    let error = verify(
        family.pool(),
        &expect(&family.leaf, Trust::Roots(&intermediates)),
    )
    .unwrap_err();
    assert!(matches!(error, Error::NoRoots { given: 1 }), "{error}");
}

#[test]
fn partial_trust_goes_as_far_as_the_pool_goes() {
    let family = Family::new();
    let alone = vec![family.leaf.clone()];
    let verified = verify(alone, &expect(&family.leaf, Trust::Partial)).unwrap();
    assert!(verified.intermediates().is_empty() && verified.root().is_none());
    let two = vec![family.intermediate_certificate.clone(), family.leaf.clone()];
    let verified = verify(two, &expect(&family.leaf, Trust::Partial)).unwrap();
    assert_eq!(
        verified.intermediates(),
        std::slice::from_ref(&family.intermediate_certificate)
    );
    assert!(verified.root().is_none());
    let verified = verify(family.pool(), &expect(&family.leaf, Trust::Partial)).unwrap();
    assert_eq!(verified.root(), Some(&family.root_certificate));
    let expired = chain_of(&ca(), &ca().dates(NOW.0 - 9 * DAY, NOW.0 - DAY), &leaf());
    let error = verify(expired[..2].to_vec(), &expect(&expired[0], Trust::Partial)).unwrap_err();
    assert!(matches!(error, Error::Expired { .. }), "{error}");
}

#[test]
fn a_self_signed_leaf_is_its_own_root() {
    let service = Entity::new("api.example.com");
    let own = issue(&service, &service, &leaf());
    let verified = verify(vec![own.clone()], &expect(&own, Trust::SelfContained)).unwrap();
    assert!(verified.is_self_signed());
    assert_eq!(verified.root(), Some(&own));
    assert!(verified.intermediates().is_empty());
    assert_eq!(verified.above().count(), 0);
    let other = Family::new();
    let roots = [other.root_certificate];
    let error = verify(vec![own.clone()], &expect(&own, Trust::Roots(&roots))).unwrap_err();
    assert!(matches!(error, Error::UntrustedRoot { .. }), "{error}");
}

#[test]
fn a_placeholder_does_not_stand_in_for_an_issued_certificate_that_fails() {
    let family = Family::new();
    let placeholder = issue(&family.service, &family.service, &leaf());
    let pool = vec![placeholder, family.leaf.clone()];
    let error = verify(pool, &expect(&family.leaf, Trust::SelfContained)).unwrap_err();
    assert!(matches!(error, Error::IssuerMissing { .. }), "{error}");
}

#[test]
fn of_several_leaves_the_one_with_our_key_is_taken() {
    let family = Family::new();
    let neighbour = Entity::new("other.example.com");
    let mut pool = family.pool();
    pool.insert(
        0,
        issue(&neighbour, &family.intermediate, &leaf().serial(7)),
    );
    let verified = verify(pool.clone(), &expect(&family.leaf, Trust::SelfContained)).unwrap();
    assert_eq!(verified.leaf(), &family.leaf);
    let renewed = issue(
        &family.service,
        &family.intermediate,
        &leaf().serial(8).dates(NOW.0 - 60, NOW.0 + 60 * DAY),
    );
    pool.push(renewed.clone());
    let verified = verify(pool.clone(), &expect(&family.leaf, Trust::SelfContained)).unwrap();
    assert_eq!(verified.leaf(), &renewed);
    let stranger = Family::new().leaf;
    let error = verify(pool, &expect(&stranger, Trust::SelfContained)).unwrap_err();
    assert!(matches!(error, Error::NoMatchingKey { .. }), "{error}");
}

#[test]
fn names_that_were_asked_for_and_are_missing_are_listed() {
    let family = Family::new();
    let wished = SubjectAltNames {
        dns: vec![
            "api.example.com".parse().unwrap(),
            "www.example.com".parse().unwrap(),
        ],
        ip: vec!["192.0.2.7".parse().unwrap(), "192.0.2.8".parse().unwrap()],
        ..SubjectAltNames::default()
    };
    let mut expectation = expect(&family.leaf, Trust::SelfContained);
    expectation.names = Some(&wished);
    match verify(family.pool(), &expectation).unwrap_err() {
        Error::MissingNames { missing, .. } => {
            assert_eq!(missing, ["www.example.com", "192.0.2.8"])
        }
        error => panic!("{error}"),
    }
    let fewer = SubjectAltNames {
        dns: vec!["api.example.com".parse().unwrap()],
        ..SubjectAltNames::default()
    };
    expectation.names = Some(&fewer);
    verify(family.pool(), &expectation).unwrap();
}

#[test]
fn a_cross_signed_intermediate_leads_to_the_trusted_root() {
    let family = Family::new();
    let old_root = Entity::new("Old Root");
    let old_certificate = issue(&old_root, &old_root, &ca());
    let cross = issue(&family.intermediate, &old_root, &ca().serial(9));
    let mut pool = family.pool();
    pool.extend([cross.clone(), old_certificate.clone()]);
    for (root, intermediate) in [
        (&old_certificate, &cross),
        (&family.root_certificate, &family.intermediate_certificate),
    ] {
        let roots = [root.clone()];
        let verified = verify(pool.clone(), &expect(&family.leaf, Trust::Roots(&roots))).unwrap();
        assert_eq!(verified.intermediates(), std::slice::from_ref(intermediate));
        assert_eq!(verified.root(), Some(root));
    }
}

#[test]
fn of_cross_signed_intermediates_an_expired_one_is_passed_by() {
    let family = Family::new();
    let old_root = Entity::new("Old Root");
    let ended = ca().serial(9).dates(NOW.0 - 9 * DAY, NOW.0 - DAY);
    let mut pool = family.pool();
    pool.insert(0, issue(&family.intermediate, &old_root, &ended));
    pool.insert(0, issue(&old_root, &old_root, &ca()));
    let verified = verify(pool, &expect(&family.leaf, Trust::SelfContained)).unwrap();
    assert_eq!(verified.root(), Some(&family.root_certificate));
}

#[test]
fn a_root_that_is_also_cross_signed_ends_the_chain_at_the_trusted_one() {
    let family = Family::new();
    let older = Entity::new("Older Root");
    let older_certificate = issue(&older, &older, &ca());
    // It lasts longer than the root itself, and is passed by all the same.
    let longer = ca().serial(77).dates(NOW.0 - DAY, NOW.0 + 300 * DAY);
    let bridge = issue(&family.root, &older, &longer);
    let mut pool = family.pool();
    pool.extend([bridge.clone(), older_certificate.clone()]);
    let verified = verify(pool.clone(), &expect(&family.leaf, Trust::SelfContained)).unwrap();
    assert_eq!(verified.root(), Some(&family.root_certificate));
    let roots = [older_certificate.clone()];
    let verified = verify(pool, &expect(&family.leaf, Trust::Roots(&roots))).unwrap();
    assert_eq!(
        verified.intermediates(),
        [family.intermediate_certificate.clone(), bridge]
    );
    assert_eq!(verified.root(), Some(&older_certificate));
}

#[test]
fn the_key_identifier_finds_the_issuer_among_many_of_its_name() {
    let family = Family::new();
    let mut pool = family.pool();
    let later = ca().dates(NOW.0 - DAY, NOW.0 + 300 * DAY);
    pool.extend((0..300).map(|serial| {
        let namesake = Entity::new("Intermediate");
        issue(&namesake, &family.root, &later.clone().serial(serial))
    }));
    let verified = verify(pool, &expect(&family.leaf, Trust::SelfContained)).unwrap();
    assert_eq!(
        verified.intermediates(),
        std::slice::from_ref(&family.intermediate_certificate)
    );
}

#[test]
fn two_cas_that_certify_each_other_do_not_trap_the_search() {
    let (a, b, service) = (
        Entity::new("A"),
        Entity::new("B"),
        Entity::new("svc.example.com"),
    );
    let end = issue(&service, &a, &leaf());
    let pool = vec![end.clone(), issue(&a, &b, &ca()), issue(&b, &a, &ca())];
    let error = verify(pool, &expect(&end, Trust::SelfContained)).unwrap_err();
    assert!(matches!(error, Error::IssuerMissing { .. }), "{error}");
}

#[test]
fn hostile_pools_are_bounded() {
    let family = Family::new();
    let many = vec![family.leaf.clone(); 1_001];
    let error = verify(many, &expect(&family.leaf, Trust::SelfContained)).unwrap_err();
    assert!(
        matches!(error, Error::TooManyCertificates { count: 1_001, .. }),
        "{error}"
    );

    // 300 CAs of one name with keys of their own and no identifiers: each would need a signature check.
    let plain = Profile {
        key_identifiers: false,
        ..ca()
    };
    let end = issue(
        &family.service,
        &family.intermediate,
        &Profile {
            key_identifiers: false,
            ..leaf()
        },
    );
    let mut pool: Vec<Certificate> = (0..300)
        .map(|serial| {
            issue(
                &Entity::new("Intermediate"),
                &family.root,
                &plain.clone().serial(serial),
            )
        })
        .collect();
    pool.push(end.clone());
    let error = verify(pool, &expect(&end, Trust::SelfContained)).unwrap_err();
    assert!(
        matches!(&error, Error::WorkExceeded { what } if what.contains("signature")),
        "{error}"
    );

    // A ladder of two certificates for each of 14 CAs has 2^14 ways, none of which reaches a root.
    let cas: Vec<Entity> = (0..15).map(|n| Entity::new(&format!("CA {n}"))).collect();
    let mut pool: Vec<Certificate> = cas
        .windows(2)
        .flat_map(|pair| [1, 2].map(|serial| issue(&pair[0], &pair[1], &ca().serial(serial))))
        .collect();
    let end = issue(&family.service, &cas[0], &leaf());
    pool.push(end.clone());
    let error = verify(pool, &expect(&end, Trust::SelfContained)).unwrap_err();
    assert!(
        matches!(&error, Error::WorkExceeded { what } if what.contains("steps")),
        "{error}"
    );
}

#[test]
fn a_chain_deeper_than_sixteen_is_refused() {
    let cas: Vec<Entity> = (0..20).map(|n| Entity::new(&format!("CA {n}"))).collect();
    let service = Entity::new("svc.example.com");
    let end = issue(&service, &cas[0], &leaf());
    let up_to = |top: usize| -> Vec<Certificate> {
        let below = cas[..=top]
            .windows(2)
            .map(|pair| issue(&pair[0], &pair[1], &ca()));
        let root = issue(&cas[top], &cas[top], &ca());
        below.chain([root, end.clone()]).collect()
    };
    verify(up_to(14), &expect(&end, Trust::SelfContained)).unwrap();
    let error = verify(up_to(15), &expect(&end, Trust::SelfContained)).unwrap_err();
    assert!(
        matches!(&error, Error::WorkExceeded { what } if what.contains("16")),
        "{error}"
    );
}

#[test]
fn a_ca_certificate_of_ours_is_verified_with_room_for_a_leaf() {
    let (root, ours) = (Entity::new("Root"), Entity::new("Ours"));
    let root_certificate = issue(&root, &root, &ca());
    let own = issue(&ours, &root, &ca().serial(2));
    let key = own.public_key().clone();
    let pool = vec![own.clone(), root_certificate.clone()];
    let authority = verify_authority(pool, &key, NOW, true).unwrap();
    assert_eq!(authority.certificate(), &own);
    assert_eq!(authority.root(), &root_certificate);
    assert_eq!(authority.chain(), [root_certificate]);

    let zero = issue(
        &root,
        &root,
        &ca().with(Nid::BASIC_CONSTRAINTS, "critical,CA:TRUE,pathlen:0"),
    );
    let error = verify_authority(vec![own.clone(), zero.clone()], &key, NOW, true).unwrap_err();
    assert!(
        matches!(
            error,
            Error::PathLength {
                allowed: 0,
                found: 1,
                ..
            }
        ),
        "{error}"
    );
    verify_authority(vec![own, zero], &key, NOW, false).unwrap();
}

#[test]
fn a_ca_certificate_of_ours_is_refused_for_each_fault() {
    let (root, ours) = (Entity::new("Root"), Entity::new("Ours"));
    let permit = |domain: &str| format!("critical,permitted;DNS:{domain}");
    let constrained = ca().with(Nid::NAME_CONSTRAINTS, &permit("example.com"));
    let verdict = |top: &Profile, own: &Profile| {
        let own = issue(&ours, &root, own);
        let key = own.public_key().clone();
        verify_authority(vec![own, issue(&root, &root, top)], &key, NOW, true).map(|_| ())
    };
    let no_ca = ca().with(Nid::BASIC_CONSTRAINTS, "critical,CA:FALSE");
    let error = verdict(&ca(), &no_ca).unwrap_err();
    assert!(matches!(error, Error::NotAuthority { .. }), "{error}");
    let no_sign = ca().with(Nid::KEY_USAGE, "critical,cRLSign");
    let error = verdict(&ca(), &no_sign).unwrap_err();
    assert!(matches!(error, Error::MissingKeyCertSign { .. }), "{error}");
    let error = verdict(&ca(), &ca().dates(NOW.0 + 5, NOW.0 + DAY)).unwrap_err();
    assert!(matches!(error, Error::NotYetValid { .. }), "{error}");
    let elsewhere = ca().with(Nid::NAME_CONSTRAINTS, &permit("example.org"));
    let error = verdict(&constrained, &elsewhere).unwrap_err();
    assert!(
        matches!(error, Error::DisjointConstraints { form: "DNS", .. }),
        "{error}"
    );
    let narrower = ca().with(Nid::NAME_CONSTRAINTS, &permit("a.example.com"));
    verdict(&constrained, &narrower).unwrap();
}

#[test]
fn a_ca_certificate_that_points_to_another_issuer_key_is_refused() {
    let (root, ours) = (Entity::new("Root"), Entity::new("Ours"));
    let own = issue(&ours, &root, &ca());
    let odd = ca().with(Nid::SUBJECT_KEY_IDENTIFIER, "0102030405060708");
    let root_certificate = issue(
        &root,
        &root,
        &Profile {
            key_identifiers: false,
            ..odd
        },
    );
    let key = own.public_key().clone();
    let error = verify_authority(vec![own, root_certificate], &key, NOW, true).unwrap_err();
    assert!(matches!(error, Error::KeyIdentifier { .. }), "{error}");
}

#[test]
fn the_clock_decides_and_not_the_machine() {
    let family = Family::new();
    let mut expectation = expect(&family.leaf, Trust::SelfContained);
    expectation.now = Timestamp(0);
    let error = verify(family.pool(), &expectation).unwrap_err();
    assert!(matches!(error, Error::NotYetValid { .. }), "{error}");
}

/// A pool with everything that could make the order matter: duplicates, a cross-signed intermediate, a second
/// leaf for our key, a neighbour, an expired twin and unrelated certificates.
fn tangled() -> (Certificate, Vec<Certificate>) {
    let family = Family::new();
    let (old, neighbour) = (Entity::new("Old Root"), Entity::new("other.example.com"));
    let mut pool = family.pool();
    pool.extend(family.pool());
    pool.push(issue(&old, &old, &ca()));
    pool.push(issue(&family.intermediate, &old, &ca().serial(9)));
    let ended = ca().serial(10).dates(NOW.0 - 9 * DAY, NOW.0 - DAY);
    pool.push(issue(&family.intermediate, &family.root, &ended));
    pool.push(issue(
        &family.service,
        &family.intermediate,
        &leaf().serial(11),
    ));
    pool.push(issue(&neighbour, &family.intermediate, &leaf().serial(12)));
    pool.extend(Family::new().pool());
    (family.leaf, pool)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn the_result_does_not_depend_on_the_order_of_the_pool(
        (end, sorted, shuffled) in Just(tangled()).prop_flat_map(|(end, pool)| {
            let shuffled = Just(pool.clone()).prop_shuffle();
            (Just(end), Just(pool), shuffled)
        })
    ) {
        for trust in [Trust::SelfContained, Trust::Partial] {
            let first = verify(sorted.clone(), &expect(&end, trust)).unwrap();
            let second = verify(shuffled.clone(), &expect(&end, trust)).unwrap();
            prop_assert_eq!(first, second);
        }
    }

    #[test]
    fn the_error_does_not_depend_on_the_order_of_the_pool(
        (end, sorted, shuffled) in Just(tangled()).prop_flat_map(|(end, mut pool)| {
            pool.retain(|c| c.facts().issuer != c.facts().subject); // no root is left
            let shuffled = Just(pool.clone()).prop_shuffle();
            (Just(end), Just(pool), shuffled)
        })
    ) {
        let first = verify(sorted, &expect(&end, Trust::SelfContained)).unwrap_err();
        let second = verify(shuffled, &expect(&end, Trust::SelfContained)).unwrap_err();
        prop_assert_eq!(first, second);
    }
}
