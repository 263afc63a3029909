// SPDX-License-Identifier: Apache-2.0
#![expect(clippy::unwrap_used, reason = "tests")]

use super::*;
use crate::{Curve, KeyAlgorithm, OtherName};

fn key() -> PrivateKey {
    PrivateKey::generate(KeyAlgorithm::Ecdsa(Curve::P256)).unwrap()
}

fn full() -> RequestTemplate {
    RequestTemplate {
        subject: Subject::from_pairs([("CN", "haproxy"), ("OU", "a"), ("OU", "b"), ("C", "DE")])
            .unwrap(),
        names: SubjectAltNames {
            dns: vec![
                "b.example.org".parse().unwrap(),
                "*.a.example.org".parse().unwrap(),
            ],
            ip: vec!["192.0.2.1".parse().unwrap(), "2001:db8::1".parse().unwrap()],
            email: vec!["ops@example.org".parse().unwrap()],
            uri: vec!["spiffe://cloud/haproxy".parse().unwrap()],
            other: vec![OtherName {
                type_id: "1.3.6.1.4.1.311.20.2.3".parse().unwrap(),
                value_utf8: "haproxy/überall@EXAMPLE.ORG".into(),
            }],
        },
        key_usage: vec![KeyUsage::DigitalSignature, KeyUsage::DecipherOnly],
        extended_key_usage: vec![
            ExtendedKeyUsage::ClientAuth,
            ExtendedKeyUsage::Other("1.3.6.1.5.2.3.5".parse().unwrap()),
            ExtendedKeyUsage::ServerAuth,
        ],
        must_staple: true,
        basic_constraints: Some(BasicConstraints {
            ca: false,
            path_length: None,
        }),
    }
}

#[test]
fn a_request_asks_for_what_its_template_says() {
    let key = key();
    let request = CertificateRequest::create(&full(), &key).unwrap();
    assert_eq!(request.template().unwrap(), full());
    assert_eq!(request.public_key(), key.public_key().unwrap());
    assert!(request.ignored_extensions().is_empty());
    request.verify_signature().unwrap();
    let read = CertificateRequest::from_pem(request.to_pem().as_bytes()).unwrap();
    assert_eq!(read, request);
    let new_label = request
        .to_pem()
        .replace("CERTIFICATE REQUEST", "NEW CERTIFICATE REQUEST");
    assert_eq!(
        CertificateRequest::from_pem(new_label.as_bytes()).unwrap(),
        request
    );
}

#[test]
fn a_request_for_a_name_alone_has_an_empty_attribute_set() {
    let template = RequestTemplate {
        subject: Subject::from_pairs([("CN", "a")]).unwrap(),
        ..RequestTemplate::default()
    };
    let request = CertificateRequest::create(&template, &key()).unwrap();
    assert_eq!(request.template().unwrap(), template);
    // [0] IMPLICIT SET OF, empty, at the end of CertificationRequestInfo (RFC 2986 §4.1).
    let outer = der::read_sequence(request.der()).unwrap();
    let info = der::read_elements(outer[0].content).unwrap();
    assert_eq!(info.last().unwrap().encoded, [0xa0, 0]);
}

#[test]
fn an_authority_asks_with_path_length() {
    let template = RequestTemplate {
        subject: Subject::from_pairs([("CN", "Intermediate")]).unwrap(),
        key_usage: vec![KeyUsage::KeyCertSign, KeyUsage::CrlSign],
        basic_constraints: Some(BasicConstraints {
            ca: true,
            path_length: Some(0),
        }),
        ..RequestTemplate::default()
    };
    assert_eq!(
        CertificateRequest::create(&template, &key())
            .unwrap()
            .template()
            .unwrap(),
        template
    );
}

#[test]
fn what_rfc_5280_forbids_is_refused() {
    let subject = Subject::from_pairs([("CN", "a")]).unwrap();
    let refused = |change: fn(&mut RequestTemplate)| {
        let mut template = RequestTemplate {
            subject: subject.clone(),
            ..RequestTemplate::default()
        };
        change(&mut template);
        CertificateRequest::create(&template, &key())
            .unwrap_err()
            .to_string()
    };
    let no_name = refused(|template| template.subject = Subject::default());
    assert!(no_name.ends_with("give a subject or at least one name"));
    let pathlen = refused(|template| {
        template.basic_constraints = Some(BasicConstraints {
            ca: false,
            path_length: Some(1),
        });
    });
    assert!(pathlen.ends_with("only an authority can have one"));
    let cannot_sign = refused(|template| {
        template.basic_constraints = Some(BasicConstraints {
            ca: true,
            path_length: None,
        });
        template.key_usage = vec![KeyUsage::CrlSign];
    });
    assert!(cannot_sign.ends_with("an authority needs keyCertSign"));
    let signs = refused(|template| template.key_usage = vec![KeyUsage::KeyCertSign]);
    assert!(signs.ends_with("only an authority (CA:TRUE) may have keyCertSign"));
}

#[test]
fn an_altered_request_is_found_out() {
    let mut altered = CertificateRequest::create(&full(), &key())
        .unwrap()
        .der()
        .to_vec();
    let at = altered
        .windows(7)
        .position(|window| window == b"haproxy")
        .unwrap();
    altered[at] = b'H';
    let error = CertificateRequest::from_der(&altered)
        .unwrap()
        .verify_signature()
        .unwrap_err()
        .to_string();
    assert_eq!(
        error,
        "the signature of the request for 'CN=Haproxy, OU=a, OU=b, C=DE' is wrong; it was altered or made by another key"
    );
}

/// A request with raw extensions, as another program might make it.
fn foreign(extensions: &[Vec<u8>]) -> Result<CertificateRequest> {
    let key = key();
    let values = der::set_of(vec![der::sequence(extensions)]);
    let attribute = der::sequence(&[
        der::object_identifier(&Oid::known(EXTENSION_REQUEST)),
        values,
    ]);
    let info = der::sequence(&[
        der::unsigned(0),
        Subject::default().to_der(),
        key.public_key()?.spki_der().to_vec(),
        der::context_constructed(0, &attribute),
    ]);
    CertificateRequest::from_der(&key.sign_structure(info)?)
}

fn extension(oid: &'static str, value: &[u8]) -> Vec<u8> {
    der::sequence(&[
        der::object_identifier(&Oid::known(oid)),
        der::octet_string(value),
    ])
}

#[test]
fn extensions_that_an_authority_will_not_follow_are_listed() {
    let constraints = extension("2.5.29.30", &[0x30, 7, 0xa0, 5, 0x30, 3, 0x82, 1, b'a']);
    let request = foreign(&[
        constraints,
        extension("1.2.3.4", &[5, 0]),
        extension("2.5.29.14", &der::octet_string(&[1; 20])),
    ])
    .unwrap();
    let ignored: Vec<&str> = request
        .ignored_extensions()
        .iter()
        .map(Oid::as_str)
        .collect();
    assert_eq!(ignored, ["2.5.29.30", "1.2.3.4"]);
}

#[test]
fn a_name_that_cannot_be_issued_is_not_dropped_silently() {
    let spaced = foreign(&[extension(
        "2.5.29.17",
        &der::sequence(&[der::context_primitive(2, b"foo bar")]),
    )])
    .unwrap();
    assert_eq!(
        spaced.template().unwrap_err().to_string(),
        "certificate request cannot be read: it asks for names that are invalid or not supported: DNSName(foo bar)"
    );
    let directory = der::sequence(&[der::context_constructed(4, &Subject::default().to_der())]);
    assert!(
        foreign(&[extension("2.5.29.17", &directory)])
            .unwrap()
            .template()
            .is_err()
    );
}

#[test]
fn damaged_extensions_are_errors() {
    for (oid, value) in [
        ("2.5.29.15", &[3, 2, 7, 0][..]),   // key usage without a bit
        ("2.5.29.15", &[4, 0]),             // key usage that is no BIT STRING
        ("2.5.29.37", &[0x30, 0]),          // no purpose
        ("2.5.29.37", &[0x30, 2, 5, 0]),    // a purpose that is no identifier
        ("2.5.29.19", &[0x30, 0, 0]),       // something follows
        ("2.5.29.30", &[0x30, 2, 0xa5, 0]), // no such subtrees
        ("1.3.6.1.5.5.7.1.24", &[5, 0]),    // features that are no list
    ] {
        assert!(
            matches!(
                foreign(&[extension(oid, value)]),
                Err(Error::Malformed { .. })
            ),
            "{oid} {value:?}"
        );
    }
    // What nobody decides by may be damaged: policies, CRL points, SCTs.
    for oid in ["2.5.29.32", "2.5.29.31", "1.3.6.1.4.1.11129.2.4.2"] {
        assert!(foreign(&[extension(oid, &[5, 0])]).is_ok(), "{oid}");
    }
    let twice = foreign(&[
        extension("2.5.29.19", &[0x30, 0]),
        extension("2.5.29.19", &[0x30, 0]),
    ]);
    assert!(
        twice
            .unwrap_err()
            .to_string()
            .ends_with("extension 2.5.29.19 occurs twice")
    );
}

#[test]
fn wrong_files_are_named() {
    let error = |text: &[u8]| CertificateRequest::from_pem(text).unwrap_err().to_string();
    assert_eq!(error(b""), "certificate request is empty");
    assert_eq!(
        error(pem::encode("CERTIFICATE", &[0x30, 0]).as_bytes()),
        "expected a certificate request, found a CERTIFICATE block"
    );
    assert_eq!(
        error(pem::encode("CERTIFICATE REQUEST", &[0x30, 0]).as_bytes()),
        "certificate request cannot be read: its structure is damaged"
    );
}

/// RFC 3161 §2.3: critical, and alone.
#[test]
fn time_stamping_is_critical_when_it_stands_alone() {
    let critical = |purposes: &[ExtendedKeyUsage]| {
        let template = RequestTemplate {
            extended_key_usage: purposes.to_vec(),
            ..full()
        };
        let request = CertificateRequest::create(&template, &key()).unwrap();
        let oid = [6, 3, 0x55, 0x1d, 0x25];
        let at = request
            .der()
            .windows(5)
            .position(|window| window == oid)
            .unwrap();
        request.der()[at + 5..].starts_with(&[1, 1, 0xff])
    };
    assert!(critical(&[ExtendedKeyUsage::TimeStamping]));
    assert!(!critical(&[
        ExtendedKeyUsage::TimeStamping,
        ExtendedKeyUsage::ServerAuth
    ]));
    assert!(!critical(&[ExtendedKeyUsage::ServerAuth]));
}
