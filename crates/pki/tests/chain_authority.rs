// SPDX-License-Identifier: Apache-2.0
//! A CA certificate of ours, verified before anything is signed with its key.
#![expect(clippy::unwrap_used, reason = "tests")]

mod support;

use openssl::nid::Nid;
use pki::chain::{Error, verify_authority};
use support::{DAY, Entity, NOW, Profile, ca, issue};

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
