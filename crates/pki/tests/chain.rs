// SPDX-License-Identifier: Apache-2.0
//! Verification on the lines of NIST's PKITS: one chain for each rule of RFC 5280 §6.1, and the openssl command as
//! the second judge.
#![expect(clippy::unwrap_used, clippy::panic, reason = "tests")]

mod support;

use openssl::nid::Nid;
use pki::chain::{Error, Trust, verify};
use pki::{SubjectAltNames, Timestamp};
use support::judges::{accepted, chain_of, judge, refused};
use support::{DAY, Entity, Family, NOW, Profile, ca, expect, issue, leaf, openssl_verifies};

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
fn the_clock_decides_and_not_the_machine() {
    let family = Family::new();
    let mut expectation = expect(&family.leaf, Trust::SelfContained);
    expectation.now = Timestamp(0);
    let error = verify(family.pool(), &expectation).unwrap_err();
    assert!(matches!(error, Error::NotYetValid { .. }), "{error}");
}
