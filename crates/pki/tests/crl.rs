// SPDX-License-Identifier: Apache-2.0
//! Revocation lists, judged by the openssl command.
#![expect(clippy::unwrap_used, reason = "tests")]

mod support;

use openssl::nid::Nid;
use pki::crl::{Error, Revocation, RevocationList, RevocationReason};
use pki::{Authority, Lifetime, Serial};
use support::{DAY, Entity, Family, NOW, ca, issue, openssl, openssl_ok, pem_of};

fn authority(family: &Family) -> Authority {
    let above = vec![family.root_certificate.clone()];
    let certificate = family.intermediate_certificate.clone();
    Authority::new(certificate, family.intermediate.private_key(), above).unwrap()
}

fn serial(text: &str) -> Serial {
    text.parse().unwrap()
}

fn revocation(serial_text: &str, reason: Option<RevocationReason>) -> Revocation {
    Revocation {
        serial: serial(serial_text),
        at: NOW,
        reason,
    }
}

fn list(family: &Family, revoked: &[Revocation]) -> RevocationList {
    let until = NOW + Lifetime(7 * 86_400);
    RevocationList::create(&authority(family), revoked, 4_711, NOW, until).unwrap()
}

#[test]
fn openssl_reads_the_list_and_verifies_its_signature() {
    let family = Family::new();
    let revoked = [
        revocation("64", Some(RevocationReason::KeyCompromise)),
        revocation("0A0B", None),
        revocation("FF00", Some(RevocationReason::Unspecified)),
    ];
    let made = list(&family, &revoked);
    let directory = tempfile::tempdir().unwrap();
    let path = |name: &str| directory.path().join(name);
    std::fs::write(path("list.pem"), made.to_pem()).unwrap();
    std::fs::write(path("ca.pem"), pem_of([&family.intermediate_certificate])).unwrap();
    let arguments = [
        "crl", "-in", "list.pem", "-noout", "-text", "-CAfile", "ca.pem",
    ];
    let text = openssl_ok(directory.path(), &arguments);
    for words in [
        "verify OK",
        "Version 2 (0x1)",
        "Issuer: O = Pool, CN = Intermediate",
        "Last Update: Jan 15 08:00:00 2027 GMT",
        "Next Update: Jan 22 08:00:00 2027 GMT",
        "X509v3 CRL Number: \n                4711",
        "X509v3 Authority Key Identifier",
        "Serial Number: 64\n",
        "Key Compromise",
        "Serial Number: 0A0B\n",
        "Serial Number: FF00\n",
    ] {
        assert!(text.contains(words), "{words} is not in {text}");
    }
    // RFC 5280 §5.3.1: "unspecified" should be absent.
    assert_eq!(text.matches("X509v3 CRL Reason Code").count(), 1, "{text}");
}

#[test]
fn openssl_verify_refuses_a_certificate_that_is_on_the_list() {
    let family = Family::new();
    let directory = tempfile::tempdir().unwrap();
    let write =
        |name: &str, text: String| std::fs::write(directory.path().join(name), text).unwrap();
    write("leaf.pem", family.leaf.to_pem());
    write("chain.pem", pem_of([&family.intermediate_certificate]));
    write("root.pem", pem_of([&family.root_certificate]));
    let now = NOW.0.to_string();
    let verdict = |revoked: &[Revocation]| {
        write("list.pem", list(&family, revoked).to_pem());
        let arguments = [
            "verify",
            "-attime",
            &now,
            "-crl_check",
            "-CRLfile",
            "list.pem",
            "-CAfile",
            "root.pem",
            "-untrusted",
            "chain.pem",
            "leaf.pem",
        ];
        let output = openssl(directory.path(), &arguments);
        (
            output.status.success(),
            String::from_utf8_lossy(&output.stderr).into_owned(),
        )
    };
    let (clean, text) = verdict(&[revocation("65", None)]);
    assert!(clean, "{text}");
    let (clean, text) = verdict(&[revocation("64", Some(RevocationReason::Superseded))]);
    assert!(!clean && text.contains("certificate revoked"), "{text}");
}

#[test]
fn a_list_is_read_back_as_it_was_made() {
    let family = Family::new();
    let revoked = [
        revocation("64", Some(RevocationReason::CessationOfOperation)),
        revocation("80", None),
    ];
    let made = list(&family, &revoked);
    let read = RevocationList::from_pem(made.to_pem().replace('\n', "\r\n").as_bytes()).unwrap();
    assert_eq!(read, made);
    assert_eq!(read.number(), Some(4_711));
    assert_eq!(read.this_update(), NOW);
    assert_eq!(read.next_update().unwrap().0, NOW.0 + 7 * DAY);
    assert_eq!(read.revocations(), revoked);
    assert_eq!(
        read.issuer(),
        &family.intermediate_certificate.facts().subject
    );
    assert_eq!(
        read.authority_key_identifier(),
        family
            .intermediate_certificate
            .facts()
            .subject_key_identifier
            .as_deref()
    );
    assert_eq!(read.revoked(&serial("80")), Some(&revoked[1]));
    assert_eq!(read.revoked(&serial("81")), None);
    let empty = list(&family, &[]);
    assert!(empty.revocations().is_empty());
    assert!(empty.is_signed_by(&family.intermediate_certificate));
}

#[test]
fn only_the_issuer_with_crl_sign_has_signed_the_list() {
    let family = Family::new();
    let made = list(&family, &[revocation("64", None)]);
    assert!(made.is_signed_by(&family.intermediate_certificate));
    assert!(!made.is_signed_by(&family.root_certificate));
    let impostor = issue(&Entity::new("Intermediate"), &family.root, &ca());
    assert!(!made.is_signed_by(&impostor), "same name, other key");
    let renamed = issue(&family.intermediate.renamed("Other"), &family.root, &ca());
    assert!(!made.is_signed_by(&renamed), "same key, other name");
    let silent = ca().with(Nid::KEY_USAGE, "critical,keyCertSign");
    let silent = issue(&family.intermediate, &family.root, &silent);
    assert!(!made.is_signed_by(&silent), "no cRLSign");
    let mut altered = made.der().to_vec();
    let last = altered.len() - 1;
    altered[last] ^= 1;
    let altered = RevocationList::from_der(&altered).unwrap();
    assert!(
        !altered.is_signed_by(&family.intermediate_certificate),
        "altered"
    );
}

#[test]
fn openssl_reads_the_lists_of_every_kind_of_key() {
    use pki::{Curve, KeyAlgorithm, PrivateKey};
    let root = Entity::new("Root");
    for algorithm in [
        KeyAlgorithm::Rsa { bits: 2048 },
        KeyAlgorithm::Ecdsa(Curve::P256),
        KeyAlgorithm::Ecdsa(Curve::P384),
        KeyAlgorithm::Ecdsa(Curve::P521),
        KeyAlgorithm::Ed25519,
        KeyAlgorithm::Ed448,
    ] {
        let key = PrivateKey::generate(algorithm).unwrap();
        let der = key.to_pkcs8_der().unwrap();
        let entity = Entity {
            name: "CA".to_owned(),
            key: openssl::pkey::PKey::private_key_from_der(&der).unwrap(),
        };
        let certificate = issue(&entity, &root, &ca());
        let authority = Authority::new(certificate.clone(), key, Vec::new()).unwrap();
        let until = NOW + Lifetime(60);
        let revoked = [revocation("01", None)];
        let made = RevocationList::create(&authority, &revoked, 1, NOW, until).unwrap();
        assert!(made.is_signed_by(&certificate), "{algorithm}");
        let directory = tempfile::tempdir().unwrap();
        std::fs::write(directory.path().join("list.pem"), made.to_pem()).unwrap();
        std::fs::write(directory.path().join("ca.pem"), certificate.to_pem()).unwrap();
        let arguments = ["crl", "-in", "list.pem", "-noout", "-CAfile", "ca.pem"];
        let text = openssl_ok(directory.path(), &arguments);
        assert!(text.contains("verify OK"), "{algorithm}: {text}");
    }
}

#[test]
fn what_would_make_a_useless_list_is_refused() {
    let family = Family::new();
    let make = |revoked: &[Revocation], next: i64| {
        let next = pki::Timestamp(next);
        RevocationList::create(&authority(&family), revoked, 1, NOW, next).unwrap_err()
    };
    let twice = [revocation("64", None), revocation("64", None)];
    assert!(matches!(make(&twice, NOW.0 + 1), Error::Duplicate { .. }));
    assert!(matches!(make(&[], NOW.0), Error::Dates { .. }));
    let removed = [revocation("64", Some(RevocationReason::RemoveFromCrl))];
    assert!(matches!(
        make(&removed, NOW.0 + 1),
        Error::RemoveFromCrl { .. }
    ));
    let silent = ca().with(Nid::KEY_USAGE, "critical,keyCertSign");
    let silent = issue(&family.intermediate, &family.root, &silent);
    let key = family.intermediate.private_key();
    let authority = Authority::new(silent, key, Vec::new()).unwrap();
    let next = NOW + Lifetime(60);
    let error = RevocationList::create(&authority, &[], 1, NOW, next).unwrap_err();
    assert!(matches!(error, Error::MissingCrlSign { .. }), "{error}");
}

#[test]
fn bytes_that_are_no_full_list_are_refused() {
    let family = Family::new();
    let made = list(&family, &[]);
    for length in [0, 1, 20, made.der().len() - 1] {
        assert!(
            RevocationList::from_der(&made.der()[..length]).is_err(),
            "{length}"
        );
    }
    let longer = [made.der(), b"x"].concat();
    let error = RevocationList::from_der(&longer).unwrap_err();
    assert!(error.to_string().contains("follow"), "{error}");
    let error = RevocationList::from_pem(family.leaf.to_pem().as_bytes()).unwrap_err();
    assert!(error.to_string().contains("CERTIFICATE"), "{error}");
}
