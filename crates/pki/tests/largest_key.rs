// SPDX-License-Identifier: Apache-2.0
//! RSA with 8192 bits, the largest key that is supported: read, written, signed with, stored, judged by openssl.
#![expect(clippy::unwrap_used, reason = "tests")]

mod support;

use pki::{
    Authority, BasicConstraints, CertificateRequest, CertificateTemplate, KeyAlgorithm, KeyFormat,
    KeyUsage, PrivateKey, RequestTemplate, Subject, SubjectAltNames, Timestamp, self_sign,
};
use support::{DAY, NOW, openssl_ok};

/// Making one takes up to a minute.
const KEY: &[u8] = include_bytes!("../testdata/rsa8192.key");

fn template(name: &str, is_ca: bool) -> RequestTemplate {
    RequestTemplate {
        subject: Subject::from_pairs([("CN", name)]).unwrap(),
        names: SubjectAltNames {
            dns: vec![name.parse().unwrap()],
            ..SubjectAltNames::default()
        },
        key_usage: if is_ca {
            vec![KeyUsage::KeyCertSign, KeyUsage::CrlSign]
        } else {
            vec![KeyUsage::DigitalSignature]
        },
        basic_constraints: Some(BasicConstraints {
            ca: is_ca,
            path_length: None,
        }),
        ..RequestTemplate::default()
    }
}

#[test]
fn it_is_read_written_and_signed_with() {
    let key = PrivateKey::from_pem(KEY, None).unwrap();
    let largest = KeyAlgorithm::from_options("rsa", Some(8192), None).unwrap();
    assert_eq!(key.algorithm().unwrap(), largest);
    assert_eq!(key.public_key().unwrap().algorithm(), Some(largest));
    let directory = tempfile::tempdir().unwrap();
    let write = |name: &str, content: &[u8]| {
        std::fs::write(directory.path().join(name), content).unwrap();
    };
    for format in [KeyFormat::Pkcs8, KeyFormat::Traditional] {
        for passphrase in [None, Some(&b"correct horse"[..])] {
            let text = key.to_pem(format, passphrase).unwrap();
            write("key.pem", &text);
            let shown = [
                "pkey",
                "-in",
                "key.pem",
                "-passin",
                "pass:correct horse",
                "-pubout",
            ];
            let public = openssl_ok(directory.path(), &shown);
            assert_eq!(public, key.public_key().unwrap().to_pem(), "{format:?}");
            let read = PrivateKey::from_pem(&text, passphrase).unwrap();
            assert!(read.matches(&key.public_key().unwrap()));
        }
    }
    let until = Timestamp(NOW.0 + DAY);
    let of_root = CertificateTemplate::new(template("root.example.org", true), NOW, until);
    let root = self_sign(&of_root, &key).unwrap();
    let authority = Authority::new(root.clone(), key.clone(), Vec::new()).unwrap();
    let request = CertificateRequest::create(&template("web.example.org", false), &key).unwrap();
    request.verify_signature().unwrap();
    write("web.csr", request.to_pem().as_bytes());
    openssl_ok(
        directory.path(),
        &["req", "-in", "web.csr", "-verify", "-noout"],
    );
    let of_leaf = CertificateTemplate::new(request.template().unwrap(), NOW, until);
    let leaf = authority.sign(&of_leaf, &request.public_key()).unwrap();
    assert!(leaf.signed_by(&root));
    support::openssl_verifies(&leaf, &[], &[root], &["-x509_strict"]).unwrap();
}
