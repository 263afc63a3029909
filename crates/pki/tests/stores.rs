// SPDX-License-Identifier: Apache-2.0
//! PEM bundles, PKCS#12 and JKS, judged by the openssl command and by Java's keytool.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "tests"
)]

mod support;

use std::path::Path;
use std::process::{Command, Stdio};

use pki::bundle::{
    CA_BUNDLE, COMBINED, Error, FULLCHAIN, Part, jks, needs_private_key, pem, pkcs12, read_jks,
    read_pkcs12,
};
use pki::chain::{Trust, parse_bundle, verify};
use pki::{KeyAlgorithm, KeyFormat, PrivateKey, Timestamp};
use support::{Entity, Family, expect, issue, leaf, openssl, openssl_ok, pem_of, testdata};

const PASSPHRASE: &str = "correct horse";

fn key_pem(family: &Family) -> Vec<u8> {
    let key = family.service.private_key();
    key.to_pem(KeyFormat::Pkcs8, None).unwrap().to_vec()
}

#[test]
fn haproxy_gets_certificate_chain_and_key_in_this_order() {
    let family = Family::new();
    let key = key_pem(&family);
    let combined = pem(COMBINED, &family.verified(), Some(&key));
    let wanted = [
        pem_of([&family.leaf, &family.intermediate_certificate]).into_bytes(),
        key,
    ]
    .concat();
    assert_eq!(*combined, wanted);
}

#[test]
fn every_part_stands_where_the_service_wants_it() {
    let family = Family::new();
    let verified = family.verified();
    let text = |parts: &[Part]| String::from_utf8(pem(parts, &verified, None).to_vec()).unwrap();
    let (end, middle, root) = (
        &family.leaf,
        &family.intermediate_certificate,
        &family.root_certificate,
    );
    assert_eq!(text(FULLCHAIN), pem_of([end, middle]));
    assert_eq!(text(CA_BUNDLE), pem_of([middle, root]));
    assert_eq!(text(&[Part::Root, Part::Chain]), pem_of([root, middle]));
    assert!(needs_private_key(COMBINED) && !needs_private_key(FULLCHAIN));
}

#[test]
fn a_self_signed_leaf_is_written_once() {
    let service = Entity::new("api.example.com");
    let own = issue(&service, &service, &leaf());
    let verified = verify(vec![own.clone()], &expect(&own, Trust::SelfContained)).unwrap();
    let all = pem(
        &[Part::Certificate, Part::Chain, Part::Root],
        &verified,
        None,
    );
    assert_eq!(*all, own.to_pem().into_bytes());
    assert_eq!(*pem(CA_BUNDLE, &verified, None), own.to_pem().into_bytes());
}

#[test]
fn a_key_with_crlf_text_and_no_last_newline_is_written_clean() {
    let family = Family::new();
    let clean = key_pem(&family);
    let text = String::from_utf8(clean.clone()).unwrap();
    let untidy = format!(
        "Bag Attributes\r\n{}",
        text.trim_end().replace('\n', "\r\n")
    );
    let written = pem(
        &[Part::PrivateKey],
        &family.verified(),
        Some(untidy.as_bytes()),
    );
    assert_eq!(*written, clean);
}

#[test]
fn bundles_are_read_whatever_stands_between_the_certificates() {
    let family = Family::new();
    let all = family.pool();
    let tidy = pem_of(&all);
    let key = String::from_utf8(key_pem(&family)).unwrap();
    let blocks: Vec<String> = all.iter().map(pki::Certificate::to_pem).collect();
    let joined: String = blocks.iter().map(|block| block.trim_end()).collect();
    let spellings = [
        ("CRLF", tidy.replace('\n', "\r\n")),
        (
            "text between",
            format!("subject=x\n{}\n# end\n", blocks.join("\nissuer=y\n")),
        ),
        ("no newline between", joined),
        ("no newline at the end", tidy.trim_end().to_owned()),
        ("a key in it", format!("{key}{tidy}{key}")),
        ("byte order mark", format!("\u{feff}{tidy}")),
    ];
    for (what, text) in spellings {
        assert_eq!(parse_bundle(text.as_bytes()).expect(what), all, "{what}");
    }
}

#[test]
fn a_bundle_that_cannot_be_read_says_why() {
    let family = Family::new();
    let tidy = pem_of(&family.pool());
    let cut = &tidy[..tidy.len() - 100];
    let key = String::from_utf8(key_pem(&family)).unwrap();
    let cases: [(&[u8], &str); 6] = [
        (b"", "empty"),
        (b" \n\r\n", "empty"),
        (b"hello\n", "BEGIN"),
        (key.as_bytes(), "PRIVATE KEY"),
        (family.leaf.der(), "DER"),
        (cut.as_bytes(), "END"),
    ];
    for (input, word) in cases {
        let message = parse_bundle(input).unwrap_err().to_string();
        assert!(message.contains(word), "{message}");
    }
    let not_a_certificate = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
    let second = format!("{}{not_a_certificate}", family.leaf.to_pem());
    let message = parse_bundle(second.as_bytes()).unwrap_err().to_string();
    assert!(
        message.starts_with("certificate 2 of the bundle"),
        "{message}"
    );
}

#[test]
fn openssl_reads_our_pkcs12_and_finds_the_strong_algorithms() {
    let family = Family::new();
    let directory = tempfile::tempdir().unwrap();
    let store = pkcs12(
        &family.verified(),
        &family.service.private_key(),
        "api",
        PASSPHRASE,
    )
    .unwrap();
    std::fs::write(directory.path().join("api.p12"), &store).unwrap();
    let info = openssl_ok(
        directory.path(),
        &[
            "pkcs12",
            "-in",
            "api.p12",
            "-info",
            "-noenc",
            "-passin",
            "pass:correct horse",
        ],
    );
    for word in [
        "MAC: sha256, Iteration 10000",
        "PBES2, PBKDF2, AES-256-CBC, Iteration 10000, PRF hmacWithSHA256",
        "friendlyName: api",
        "CN = Intermediate",
        "CN = Root",
        "BEGIN PRIVATE KEY",
    ] {
        assert!(info.contains(word), "{word} is not in {info}");
    }
    assert_eq!(info.matches("BEGIN CERTIFICATE").count(), 3);
    assert!(!info.contains("3DES") && !info.contains("RC2"), "{info}");
}

#[test]
fn pkcs12_is_read_back_and_compared_without_its_salts() {
    let (family, other) = (Family::new(), Family::new());
    let (verified, key) = (family.verified(), family.service.private_key());
    let first = pkcs12(&verified, &key, "api", PASSPHRASE).unwrap();
    let second = pkcs12(&verified, &key, "api", PASSPHRASE).unwrap();
    assert_ne!(first, second, "salts");
    let contents = read_pkcs12(&first, PASSPHRASE).unwrap();
    assert_eq!(contents.friendly_name.as_deref(), Some("api"));
    assert_eq!(contents.certificates, family.pool());
    assert!(contents.contains_same(&verified, &key));
    assert!(!contents.contains_same(&other.verified(), &other.service.private_key()));
    assert!(!contents.contains_same(&verified, &other.service.private_key()));
    let roots = [family.root_certificate.clone()];
    let shorter = verify(
        vec![family.leaf.clone(), family.intermediate_certificate.clone()],
        &expect(&family.leaf, Trust::Partial),
    )
    .unwrap();
    assert!(!contents.contains_same(&shorter, &key), "the root is gone");
    let same = verify(family.pool(), &expect(&family.leaf, Trust::Roots(&roots))).unwrap();
    assert!(contents.contains_same(&same, &key));
}

#[test]
fn a_wrong_passphrase_is_told_from_a_broken_pkcs12() {
    let family = Family::new();
    let store = pkcs12(
        &family.verified(),
        &family.service.private_key(),
        "api",
        PASSPHRASE,
    )
    .unwrap();
    let wrong = read_pkcs12(&store, "wrong horse").unwrap_err();
    assert!(matches!(wrong, Error::WrongPassphrase { .. }), "{wrong}");
    let cut = read_pkcs12(&store[..store.len() / 2], PASSPHRASE).unwrap_err();
    assert!(matches!(cut, Error::Malformed { .. }), "{cut}");
    let text = read_pkcs12(b"hello", PASSPHRASE).unwrap_err();
    assert!(matches!(text, Error::Malformed { .. }), "{text}");
}

#[test]
fn the_rc2_of_old_exports_is_named_and_not_taken_for_damage() {
    let store = std::fs::read(testdata("legacy-rc2.p12")).unwrap();
    let error = read_pkcs12(&store, "changeit").unwrap_err();
    assert!(matches!(error, Error::Unsupported { .. }), "{error}");
    let error = read_pkcs12(&store, "wrong").unwrap_err();
    assert!(matches!(error, Error::WrongPassphrase { .. }), "{error}");
}

#[test]
fn names_and_passphrases_that_a_store_cannot_hold_are_refused() {
    let family = Family::new();
    let (verified, key) = (family.verified(), family.service.private_key());
    let error = pkcs12(&verified, &key, "a\0b", PASSPHRASE).unwrap_err();
    assert!(matches!(error, Error::EntryName { .. }), "{error}");
    let error = pkcs12(&verified, &key, "a", "").unwrap_err();
    assert!(matches!(error, Error::Passphrase { .. }), "{error}");
    let error = jks(&verified, &key, "", PASSPHRASE).unwrap_err();
    assert!(matches!(error, Error::EntryName { .. }), "{error}");
    let error = jks(&verified, &key, "a", "").unwrap_err();
    assert!(matches!(error, Error::Passphrase { .. }), "{error}");
}

#[test]
fn jks_is_read_back_and_compared_without_its_salts() {
    let (family, other) = (Family::new(), Family::new());
    let (verified, key) = (family.verified(), family.service.private_key());
    let first = jks(&verified, &key, "API", PASSPHRASE).unwrap();
    let second = jks(&verified, &key, "API", PASSPHRASE).unwrap();
    assert_ne!(first, second, "salts");
    let contents = read_jks(&first, PASSPHRASE).unwrap();
    assert_eq!(contents.alias, "api");
    assert_eq!(contents.created, family.leaf.facts().not_before);
    assert_eq!(contents.certificates, family.pool());
    assert!(contents.contains_same(&verified, &key));
    assert!(!contents.contains_same(&other.verified(), &other.service.private_key()));
    assert!(!contents.contains_same(&verified, &other.service.private_key()));
    let mut disordered = contents.clone();
    disordered.certificates.swap(0, 1);
    assert!(
        !disordered.contains_same(&verified, &key),
        "the leaf comes first"
    );
    let text = String::from_utf8_lossy(&first).into_owned();
    assert!(!text.contains("PRIVATE") && !format!("{contents:?}").contains("BEGIN"));
}

#[test]
fn a_wrong_passphrase_and_foreign_stores_are_named() {
    let family = Family::new();
    let (verified, key) = (family.verified(), family.service.private_key());
    let store = jks(&verified, &key, "api", PASSPHRASE).unwrap();
    let wrong = read_jks(&store, "wrong horse").unwrap_err();
    assert!(matches!(wrong, Error::WrongPassphrase { .. }), "{wrong}");
    let mut altered = store.clone();
    altered[40] ^= 1;
    let error = read_jks(&altered, PASSPHRASE).unwrap_err();
    assert!(matches!(error, Error::WrongPassphrase { .. }), "{error}");
    let p12 = pkcs12(&verified, &key, "api", PASSPHRASE).unwrap();
    let error = read_jks(&p12, PASSPHRASE).unwrap_err();
    assert!(error.to_string().contains("PKCS#12"), "{error}");
    let jceks = [&[0xCE; 4][..], &store[4..]].concat();
    let error = read_jks(&jceks, PASSPHRASE).unwrap_err();
    assert!(matches!(error, Error::Unsupported { .. }), "{error}");
    for length in [0, 3, 11, 19, 31] {
        let error = read_jks(&store[..length], PASSPHRASE).unwrap_err();
        assert!(
            matches!(
                error,
                Error::Malformed { .. } | Error::WrongPassphrase { .. }
            ),
            "{error}"
        );
    }
}

#[test]
fn a_store_of_keytool_is_read() {
    let store = std::fs::read(testdata("keytool.jks")).unwrap();
    let contents = read_jks(&store, "changeit").unwrap();
    assert_eq!(contents.alias, "zookeeper");
    assert_eq!(contents.certificates.len(), 1);
    assert_eq!(contents.others, ["issuer"]);
    let own = &contents.certificates[0];
    assert_eq!(own.public_key(), &contents.key.public_key().unwrap());
    assert!(
        own.facts()
            .subject
            .to_string()
            .contains("zookeeper.example.com")
    );
}

/// Java's keytool, or `None` where it is missing and we are not in CI.
fn keytool(directory: &Path, arguments: &[&str]) -> Option<String> {
    let output = Command::new("keytool")
        .args([
            "-J-Duser.language=en",
            "-J-Xshare:auto",
            "-J-XX:TieredStopAtLevel=1",
        ])
        .args(arguments)
        .current_dir(directory)
        .stdin(Stdio::null())
        .output();
    let output = match output {
        Ok(output) => output,
        Err(error) if std::env::var_os("CI").is_some_and(|ci| ci == "true") => {
            panic!("keytool is needed when CI=true; install a JRE: {error}")
        }
        Err(_) => return None,
    };
    let text = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
    assert!(output.status.success(), "keytool {arguments:?}: {text}");
    Some(text)
}

#[test]
fn keytool_lists_our_jks_with_the_whole_chain() {
    let family = Family::new();
    let directory = tempfile::tempdir().unwrap();
    let store = jks(
        &family.verified(),
        &family.service.private_key(),
        "api",
        PASSPHRASE,
    )
    .unwrap();
    std::fs::write(directory.path().join("api.jks"), &store).unwrap();
    let list = [
        "-list",
        "-v",
        "-storetype",
        "JKS",
        "-keystore",
        "api.jks",
        "-storepass",
        PASSPHRASE,
    ];
    let Some(text) = keytool(directory.path(), &list) else {
        return;
    };
    for word in [
        "Keystore type: JKS",
        "Alias name: api",
        "Creation date: Jan 14, 2027",
        "Entry type: PrivateKeyEntry",
        "Certificate chain length: 3",
        "CN=api.example.com, O=Pool",
        "CN=Intermediate, O=Pool",
        "CN=Root, O=Pool",
        &family.leaf.fingerprint_sha256_text(),
    ] {
        assert!(text.contains(word), "{word} is not in {text}");
    }
}

/// keytool opens the key too: it converts our JKS to PKCS#12, which the openssl command then reads.
#[test]
fn keytool_takes_every_kind_of_key_out_of_our_jks() {
    let algorithms = ["RSA 2048", "ECDSA P-384", "Ed25519"];
    let kinds = [
        KeyAlgorithm::Rsa { bits: 2048 },
        KeyAlgorithm::Ecdsa(pki::Curve::P384),
        KeyAlgorithm::Ed25519,
    ];
    for (name, kind) in algorithms.iter().zip(kinds) {
        let key = PrivateKey::generate(kind).unwrap();
        let pem_text = key.to_pem(KeyFormat::Pkcs8, None).unwrap();
        let service = Entity {
            name: "api.example.com".to_owned(),
            key: openssl::pkey::PKey::private_key_from_pem(&pem_text).unwrap(),
        };
        let family = Family::new();
        let own = issue(&service, &family.intermediate, &leaf());
        let pool = vec![
            own.clone(),
            family.intermediate_certificate.clone(),
            family.root_certificate.clone(),
        ];
        let verified = verify(pool, &expect(&own, Trust::SelfContained)).unwrap();
        let directory = tempfile::tempdir().unwrap();
        let store = jks(&verified, &key, "api", PASSPHRASE).unwrap();
        std::fs::write(directory.path().join("api.jks"), &store).unwrap();
        let convert = [
            "-importkeystore",
            "-srckeystore",
            "api.jks",
            "-srcstoretype",
            "JKS",
            "-srcstorepass",
            PASSPHRASE,
            "-destkeystore",
            "api.p12",
            "-deststoretype",
            "PKCS12",
            "-deststorepass",
            PASSPHRASE,
            "-noprompt",
        ];
        if keytool(directory.path(), &convert).is_none() {
            return;
        }
        let export = [
            "pkcs12",
            "-in",
            "api.p12",
            "-nocerts",
            "-noenc",
            "-passin",
            "pass:correct horse",
        ];
        let exported = openssl(directory.path(), &export);
        let back = PrivateKey::from_pem(&exported.stdout, None).unwrap();
        assert_eq!(
            *back.to_pkcs8_der().unwrap(),
            *key.to_pkcs8_der().unwrap(),
            "{name}"
        );
        let p12 = std::fs::read(directory.path().join("api.p12")).unwrap();
        let contents = read_pkcs12(&p12, PASSPHRASE).unwrap();
        assert!(contents.contains_same(&verified, &key), "{name}");
    }
}

#[test]
fn a_jks_that_keytool_makes_now_is_read() {
    let directory = tempfile::tempdir().unwrap();
    let make = [
        "-genkeypair",
        "-alias",
        "Live",
        "-keyalg",
        "EC",
        "-groupname",
        "secp256r1",
        "-dname",
        "CN=live.example.com",
        "-storetype",
        "JKS",
        "-keystore",
        "live.jks",
        "-storepass",
        "s3cret-ü",
        "-keypass",
        "s3cret-ü",
    ];
    if keytool(directory.path(), &make).is_none() {
        return;
    }
    let store = std::fs::read(directory.path().join("live.jks")).unwrap();
    let contents = read_jks(&store, "s3cret-ü").unwrap();
    assert_eq!(contents.alias, "live");
    assert_eq!(
        contents.certificates[0].public_key(),
        &contents.key.public_key().unwrap()
    );
    assert!(contents.created > Timestamp(1_700_000_000));
}
