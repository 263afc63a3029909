// SPDX-License-Identifier: Apache-2.0
//! Bytes from outside, cut and altered at random: an answer or an error, never a panic, and never a wrong answer.
#![expect(clippy::unwrap_used, reason = "tests")]

mod support;

use pki::bundle::{jks, pkcs12, read_jks, read_pkcs12};
use pki::chain::{Trust, parse_bundle, verify};
use pki::crl::{Revocation, RevocationList};
use pki::{Authority, Lifetime};
use proptest::prelude::*;
use support::{Family, NOW, expect, pem_of};

const PASSPHRASE: &str = "correct horse";

/// What a bad disk or an enemy does to a file.
#[derive(Clone, Debug)]
enum Damage {
    Cut(prop::sample::Index),
    Flip(prop::sample::Index, u8),
    Double(prop::sample::Index),
}

fn damage() -> impl Strategy<Value = Damage> {
    prop_oneof![
        any::<prop::sample::Index>().prop_map(Damage::Cut),
        (any::<prop::sample::Index>(), 1..=u8::MAX).prop_map(|(at, mask)| Damage::Flip(at, mask)),
        any::<prop::sample::Index>().prop_map(Damage::Double),
    ]
}

fn damaged(good: &[u8], damage: &Damage) -> Vec<u8> {
    let mut bytes = good.to_vec();
    match damage {
        Damage::Cut(at) => bytes.truncate(at.index(good.len())),
        Damage::Flip(at, mask) => bytes[at.index(good.len())] ^= mask,
        Damage::Double(at) => bytes.extend_from_slice(&good[at.index(good.len())..]),
    }
    bytes
}

/// One good file of each kind, made once.
struct Files {
    family: Family,
    bundle: Vec<u8>,
    list: Vec<u8>,
    jks: Vec<u8>,
    pkcs12: Vec<u8>,
}

impl Files {
    fn new() -> Self {
        let family = Family::new();
        let key = family.service.private_key();
        let certificate = family.intermediate_certificate.clone();
        let authority =
            Authority::new(certificate, family.intermediate.private_key(), Vec::new()).unwrap();
        let revoked = [Revocation {
            serial: "64".parse().unwrap(),
            at: NOW,
            reason: None,
        }];
        let until = NOW + Lifetime(60);
        let list = RevocationList::create(&authority, &revoked, 1, NOW, until).unwrap();
        let verified = family.verified();
        Self {
            bundle: pem_of(&family.pool()).into_bytes(),
            list: list.der().to_vec(),
            jks: jks(&verified, &key, "api", PASSPHRASE).unwrap(),
            pkcs12: pkcs12(&verified, &key, "api", PASSPHRASE).unwrap(),
            family,
        }
    }
}

#[test]
fn damaged_files_are_refused_or_read_as_what_they_say() {
    let files = Files::new();
    let config = ProptestConfig {
        // The directory of an integration test has no place for regressions; failures print their input.
        failure_persistence: None,
        ..ProptestConfig::with_cases(400)
    };
    let mut runner = proptest::test_runner::TestRunner::new(config);
    let run = runner.run(&damage(), |damage| {
        // A JKS is covered by its digest as a whole: any change must be noticed.
        prop_assert!(read_jks(&damaged(&files.jks, &damage), PASSPHRASE).is_err());
        if let Ok(list) = RevocationList::from_der(&damaged(&files.list, &damage)) {
            let issuer = &files.family.intermediate_certificate;
            prop_assert!(!list.is_signed_by(issuer), "an altered list is believed");
        }
        if let Ok(pool) = parse_bundle(&damaged(&files.bundle, &damage)) {
            let expectation = expect(&files.family.leaf, Trust::SelfContained);
            if let Ok(verified) = verify(pool, &expectation) {
                prop_assert_eq!(verified.leaf(), &files.family.leaf);
                prop_assert_eq!(verified.root(), Some(&files.family.root_certificate));
            }
        }
        Ok(())
    });
    run.unwrap();
}

#[test]
fn a_damaged_pkcs12_never_yields_another_key_or_certificate() {
    let files = Files::new();
    let config = ProptestConfig {
        failure_persistence: None,
        ..ProptestConfig::with_cases(100)
    };
    let mut runner = proptest::test_runner::TestRunner::new(config);
    let (verified, key) = (files.family.verified(), files.family.service.private_key());
    let run = runner.run(&damage(), |damage| {
        if let Ok(contents) = read_pkcs12(&damaged(&files.pkcs12, &damage), PASSPHRASE) {
            prop_assert!(contents.contains_same(&verified, &key));
        }
        Ok(())
    });
    run.unwrap();
}
