// SPDX-License-Identifier: Apache-2.0
#![expect(clippy::unwrap_used, reason = "tests")]

use super::*;
use crate::{CertificateTemplate, KeyAlgorithm, PrivateKey, RequestTemplate, self_sign};

/// RFC 8410 §10.2: an X25519 key, certified by the Ed25519 key of §10.1.
const RFC_8410: &str = "-----BEGIN CERTIFICATE-----
MIIBLDCB36ADAgECAghWAUdKKo3DMDAFBgMrZXAwGTEXMBUGA1UEAwwOSUVURiBUZX
N0IERlbW8wHhcNMTYwODAxMTIxOTI0WhcNNDAxMjMxMjM1OTU5WjAZMRcwFQYDVQQD
DA5JRVRGIFRlc3QgRGVtbzAqMAUGAytlbgMhAIUg8AmJMKdUdIt93LQ+91oNvzoNJj
ga9OukqY6qm05qo0UwQzAPBgNVHRMBAf8EBTADAQEAMA4GA1UdDwEBAAQEAwIDCDAgB
gNVHQ4BAQAEFgQUmx9e7e0EM4Xk97xiPFl1uQvIuzswBQYDK2VwA0EAryMB/t3J5v/B
zKc9dNZIpDmAgs3babFOTQbs+BolzlDUwsPrdGxO3YNGhW7Ibz3OGhhlxXrCe1Cgw1A
H9efZBw==
-----END CERTIFICATE-----";

fn some() -> Certificate {
    let subject = Subject::from_pairs([("CN", "a"), ("O", "b")]).unwrap();
    let request = RequestTemplate {
        subject,
        ..RequestTemplate::default()
    };
    let template =
        CertificateTemplate::new(request, Timestamp(1_800_000_000), Timestamp(1_900_000_000));
    self_sign(
        &template,
        &PrivateKey::generate(KeyAlgorithm::Ed25519).unwrap(),
    )
    .unwrap()
}

#[test]
fn rfc_8410_certificate() {
    let certificate = Certificate::from_pem(RFC_8410.as_bytes()).unwrap();
    let facts = certificate.facts();
    assert_eq!(facts.subject.to_string(), "CN=IETF Test Demo");
    assert_eq!(facts.serial.to_string(), "5601474A2A8DC330");
    assert_eq!(
        (facts.not_before.to_string(), facts.not_after.to_string()),
        ("2016-08-01T12:19:24Z".into(), "2040-12-31T23:59:59Z".into())
    );
    assert_eq!(facts.signature_algorithm, "ED25519");
    assert_eq!(facts.key_usage, [KeyUsage::KeyAgreement]);
    assert_eq!(
        facts.basic_constraints,
        Some(BasicConstraints {
            ca: false,
            path_length: None
        })
    );
    assert!(certificate.is_self_issued() && certificate.public_key().algorithm().is_none());
    // Its issuer has the Ed25519 key of §10.1: the same bytes with that key in the place of the subject's.
    let ed25519 = pem::decode(
        b"-----BEGIN PUBLIC KEY-----\nMCowBQYDK2VwAyEAGb9ECWmEzf6FQbrBZ9w7lshQhqowtrbLDFw4rXAxZuE=\n-----END PUBLIC KEY-----",
        "x",
    )
    .unwrap()
    .remove(0);
    let at = certificate
        .der()
        .windows(44)
        .position(|window| window == certificate.public_key().spki_der())
        .unwrap();
    let mut issuer = certificate.der().to_vec();
    issuer[at..at + 44].copy_from_slice(&ed25519.der);
    assert!(certificate.signed_by(&Certificate::from_der(&issuer).unwrap()));
    assert!(!certificate.signed_by(&certificate));
}

#[test]
fn wrong_files_are_named() {
    let text = some().to_pem();
    let error = |text: &str| {
        Certificate::from_pem(text.as_bytes())
            .unwrap_err()
            .to_string()
    };
    assert_eq!(error(" "), "certificate is empty");
    assert_eq!(
        error(&text.replace("CERTIFICATE", "PRIVATE KEY")),
        "expected a certificate, found a PRIVATE KEY block"
    );
    assert_eq!(
        error(&text[..200]),
        "certificate is truncated or damaged: the CERTIFICATE block that begins on line 1 has no END line"
    );
    let lines: Vec<&str> = text.lines().collect();
    let short = [&lines[..2], &lines[lines.len() - 1..]].concat().join("\n");
    assert_eq!(
        error(&short),
        "certificate is truncated or damaged: its 48 bytes are fewer than its own length says"
    );
    assert_eq!(
        error(&text.repeat(2)),
        "expected one certificate, found 2; give only the first or use the option for a chain"
    );
    let longer = pem::encode("CERTIFICATE", &[some().der(), &[0]].concat());
    assert_eq!(
        error(&longer),
        "certificate cannot be read: 1 bytes of something else follow it"
    );
    assert_eq!(
        error(&pem::encode("CERTIFICATE", &[0x30, 0])),
        "certificate cannot be read: its structure is damaged"
    );
    assert_eq!(
        error(&pem::encode("CERTIFICATE", b"text")),
        "certificate cannot be read: it does not begin as a DER structure"
    );
}

#[test]
fn crlf_and_text_around_do_no_harm() {
    let certificate = some();
    let text = format!(
        "Certificate:\r\n    Data:\r\n{}",
        certificate.to_pem().replace('\n', "\r\n")
    );
    assert_eq!(Certificate::from_pem(text.as_bytes()).unwrap(), certificate);
}

#[test]
fn fingerprints_are_sha_256_of_the_der() {
    let certificate = some();
    let text = certificate.fingerprint_sha256_text();
    assert_eq!(text.len(), 95);
    let bytes: Vec<u8> = text
        .split(':')
        .map(|byte| u8::from_str_radix(byte, 16).unwrap())
        .collect();
    assert_eq!(bytes, openssl::sha::sha256(certificate.der()));
}

/// No byte that changes makes the reader panic, and none leaves the signature right.
#[test]
fn every_altered_byte_is_noticed() {
    let certificate = some();
    for at in 0..certificate.der().len() {
        let mut altered = certificate.der().to_vec();
        altered[at] ^= 0x21;
        if let Ok(altered) = Certificate::from_der(&altered) {
            assert!(!altered.signed_by(&certificate), "byte {at}");
        }
    }
}
