// SPDX-License-Identifier: Apache-2.0
//! What the openssl command says of what we made, and we of what it made.
#![expect(clippy::unwrap_used, reason = "tests")]

mod support;

use std::path::Path;

use pki::{
    Authority, BasicConstraints, Certificate, CertificateRequest, CertificateTemplate, Curve,
    Error, ExtendedKeyUsage, KeyAlgorithm, KeyFormat, KeyUsage, NameConstraints, OtherName,
    PrivateKey, RequestTemplate, Subject, SubjectAltNames, Timestamp, self_sign,
};
use support::{DAY, NOW, openssl, openssl_ok};

const ALL: [KeyAlgorithm; 6] = [
    KeyAlgorithm::Rsa { bits: 2048 },
    KeyAlgorithm::Ecdsa(Curve::P256),
    KeyAlgorithm::Ecdsa(Curve::P384),
    KeyAlgorithm::Ecdsa(Curve::P521),
    KeyAlgorithm::Ed25519,
    KeyAlgorithm::Ed448,
];

fn subject(pairs: &[(&str, &str)]) -> Subject {
    Subject::from_pairs(pairs.iter().copied()).unwrap()
}

fn service() -> RequestTemplate {
    RequestTemplate {
        subject: subject(&[
            ("C", "DE"),
            ("O", "Cloud, Inc."),
            ("OU", "b"),
            ("OU", "a"),
            ("CN", "überall"),
        ]),
        names: SubjectAltNames {
            dns: vec![
                "bücher.example.org".parse().unwrap(),
                "*.example.org".parse().unwrap(),
            ],
            ip: vec!["192.0.2.1".parse().unwrap(), "2001:db8::1".parse().unwrap()],
            email: vec!["ops@example.org".parse().unwrap()],
            uri: vec!["spiffe://cloud/haproxy".parse().unwrap()],
            other: vec![OtherName {
                type_id: "1.3.6.1.4.1.311.20.2.3".parse().unwrap(),
                value_utf8: "haproxy@EXAMPLE.ORG".into(),
            }],
        },
        key_usage: vec![KeyUsage::DigitalSignature, KeyUsage::KeyEncipherment],
        extended_key_usage: vec![
            ExtendedKeyUsage::ServerAuth,
            "1.3.6.1.5.2.3.5".parse().unwrap(),
        ],
        must_staple: true,
        basic_constraints: Some(BasicConstraints {
            ca: false,
            path_length: None,
        }),
    }
}

fn root_template() -> CertificateTemplate {
    let request = RequestTemplate {
        subject: subject(&[("CN", "Root")]),
        key_usage: vec![KeyUsage::KeyCertSign, KeyUsage::CrlSign],
        basic_constraints: Some(BasicConstraints {
            ca: true,
            path_length: Some(0),
        }),
        ..RequestTemplate::default()
    };
    let mut template = CertificateTemplate::new(request, NOW, Timestamp(NOW.0 + 3_650 * DAY));
    template.name_constraints = Some(NameConstraints {
        permitted_dns: vec!["example.org".into()],
        excluded_ip: vec!["10.0.0.0/8".parse().unwrap(), "fd00::/8".parse().unwrap()],
        excluded_email: vec!["root@example.org".into()],
        ..NameConstraints::default()
    });
    template
}

fn write(directory: &Path, name: &str, content: impl AsRef<[u8]>) {
    std::fs::write(directory.join(name), content).unwrap();
}

/// Each line must stand in the text, whatever the indentation.
fn assert_lines(text: &str, lines: &[&str]) {
    for line in lines {
        assert!(
            text.lines().any(|seen| seen.trim() == *line),
            "'{line}' is not in\n{text}"
        );
    }
}

#[test]
fn the_command_reads_our_keys_in_every_form() {
    let directory = tempfile::tempdir().unwrap();
    for algorithm in ALL {
        let key = PrivateKey::generate(algorithm).unwrap();
        for format in [KeyFormat::Pkcs8, KeyFormat::Traditional] {
            for passphrase in [None, Some(&b"correct horse"[..])] {
                let Ok(text) = key.to_pem(format, passphrase) else {
                    continue;
                };
                write(directory.path(), "key.pem", &text);
                let arguments = [
                    "pkey",
                    "-in",
                    "key.pem",
                    "-passin",
                    "pass:correct horse",
                    "-pubout",
                ];
                let public = openssl_ok(directory.path(), &arguments);
                assert_eq!(
                    public,
                    key.public_key().unwrap().to_pem(),
                    "{algorithm} {format:?}"
                );
            }
        }
        let check = openssl(
            directory.path(),
            &[
                "pkey",
                "-in",
                "key.pem",
                "-passin",
                "pass:correct horse",
                "-check",
                "-noout",
            ],
        );
        assert!(check.status.success(), "{algorithm}");
    }
}

#[test]
fn we_read_the_keys_of_the_command() {
    let directory = tempfile::tempdir().unwrap();
    let run = |arguments: &[&str]| openssl_ok(directory.path(), arguments);
    run(&[
        "genpkey",
        "-algorithm",
        "EC",
        "-pkeyopt",
        "ec_paramgen_curve:P-256",
        "-out",
        "plain.pem",
    ]);
    run(&[
        "genpkey",
        "-algorithm",
        "RSA",
        "-pkeyopt",
        "rsa_keygen_bits:2048",
        "-out",
        "rsa.pem",
    ]);
    let secret = ["-passout", "pass:secret"];
    for (file, from, arguments) in [
        (
            "aes128.pem",
            "plain.pem",
            &["pkcs8", "-topk8", "-v2", "aes-128-cbc"][..],
        ),
        (
            "prf.pem",
            "plain.pem",
            &[
                "pkcs8",
                "-topk8",
                "-v2",
                "aes-256-cbc",
                "-v2prf",
                "hmacWithSHA1",
            ],
        ),
        ("des3.pem", "plain.pem", &["pkcs8", "-topk8", "-v2", "des3"]),
        (
            "pbe3des.pem",
            "plain.pem",
            &["pkcs8", "-topk8", "-v1", "PBE-SHA1-3DES"],
        ),
        ("scrypt.pem", "plain.pem", &["pkcs8", "-topk8", "-scrypt"]),
        ("oldrsa.pem", "rsa.pem", &["rsa", "-traditional", "-aes128"]),
        (
            "oldrsa3des.pem",
            "rsa.pem",
            &["rsa", "-traditional", "-des3"],
        ),
        ("oldec.pem", "plain.pem", &["ec", "-aes256"]),
    ] {
        run(&[arguments, &["-in", from, "-out", file], &secret].concat());
        let expected =
            PrivateKey::from_pem(&std::fs::read(directory.path().join(from)).unwrap(), None)
                .unwrap();
        let text = std::fs::read(directory.path().join(file)).unwrap();
        let key = PrivateKey::from_pem(&text, Some(b"secret"))
            .map_err(|error| format!("{file}: {error}"))
            .unwrap();
        assert_eq!(
            key.public_key().unwrap(),
            expected.public_key().unwrap(),
            "{file}"
        );
        let wrong = PrivateKey::from_pem(&text, Some(b"wrong")).unwrap_err();
        assert!(matches!(wrong, Error::PassphraseWrong), "{file}: {wrong}");
        assert!(
            matches!(PrivateKey::from_pem(&text, None), Err(Error::KeyEncrypted)),
            "{file}"
        );
    }
    // A curve parameter block before the key, as `openssl ecparam -genkey` writes it.
    run(&[
        "ecparam",
        "-name",
        "secp384r1",
        "-genkey",
        "-out",
        "params.pem",
    ]);
    let text = std::fs::read(directory.path().join("params.pem")).unwrap();
    assert_eq!(
        PrivateKey::from_pem(&text, None)
            .unwrap()
            .algorithm()
            .unwrap(),
        KeyAlgorithm::Ecdsa(Curve::P384)
    );
}

#[test]
fn a_foreign_cipher_is_told_from_a_wrong_passphrase() {
    let directory = tempfile::tempdir().unwrap();
    openssl_ok(
        directory.path(),
        &["genpkey", "-algorithm", "ED25519", "-out", "plain.pem"],
    );
    let camellia = [
        "pkcs8",
        "-topk8",
        "-v2",
        "camellia-256-cbc",
        "-in",
        "plain.pem",
        "-out",
        "foreign.pem",
    ];
    openssl_ok(
        directory.path(),
        &[&camellia[..], &["-passout", "pass:secret"]].concat(),
    );
    let text = std::fs::read(directory.path().join("foreign.pem")).unwrap();
    let error = PrivateKey::from_pem(&text, Some(b"secret"))
        .unwrap_err()
        .to_string();
    assert_eq!(
        error,
        "private key cannot be read: it is encrypted by a method that is not supported; re-encrypt it with AES"
    );
}

#[test]
fn the_command_verifies_our_requests() {
    let directory = tempfile::tempdir().unwrap();
    for algorithm in ALL {
        let key = PrivateKey::generate(algorithm).unwrap();
        let request = CertificateRequest::create(&service(), &key).unwrap();
        write(directory.path(), "request.pem", request.to_pem());
        let arguments = [
            "req",
            "-in",
            "request.pem",
            "-verify",
            "-noout",
            "-text",
            "-nameopt",
            "utf8,sep_comma_plus_space,esc_2253",
        ];
        let text = openssl_ok(directory.path(), &arguments);
        assert!(text.contains("verify OK"), "{algorithm}: {text}");
        assert_lines(
            &text,
            &[
                "Subject: C=DE, O=Cloud\\, Inc., OU=b, OU=a, CN=überall",
                "Digital Signature, Key Encipherment",
                "TLS Web Server Authentication, Signing KDC Response",
                "status_request",
                "CA:FALSE",
            ],
        );
        assert!(
            text.contains("DNS:xn--bcher-kva.example.org, DNS:*.example.org, IP Address:192.0.2.1"),
            "{text}"
        );
    }
}

#[test]
fn we_read_the_requests_of_the_command() {
    let directory = tempfile::tempdir().unwrap();
    write(
        directory.path(),
        "request.cnf",
        "[req]\nprompt=no\ndistinguished_name=dn\nreq_extensions=ext\nstring_mask=utf8only\n[dn]\nCN=haproxy\nO=Cloud\n\
         [ext]\nsubjectAltName=DNS:A.example.org,IP:192.0.2.1,otherName:1.2.3.4;UTF8:five\nkeyUsage=critical,digitalSignature\n\
         extendedKeyUsage=clientAuth,serverAuth\nbasicConstraints=critical,CA:false\ntlsfeature=status_request\n\
         subjectKeyIdentifier=hash\nnsComment=hello\n",
    );
    let arguments = [
        "req",
        "-new",
        "-newkey",
        "ec",
        "-pkeyopt",
        "ec_paramgen_curve:P-256",
        "-nodes",
        "-config",
        "request.cnf",
    ];
    openssl_ok(
        directory.path(),
        &[
            &arguments[..],
            &["-keyout", "key.pem", "-out", "request.pem"],
        ]
        .concat(),
    );
    let request =
        CertificateRequest::from_pem(&std::fs::read(directory.path().join("request.pem")).unwrap())
            .unwrap();
    request.verify_signature().unwrap();
    let template = request.template().unwrap();
    assert_eq!(template.subject.to_string(), "CN=haproxy, O=Cloud");
    assert_eq!(
        template.names.to_string(),
        "DNS:a.example.org, IP:192.0.2.1, otherName:1.2.3.4;UTF8:five"
    );
    assert_eq!(template.key_usage, [KeyUsage::DigitalSignature]);
    assert_eq!(
        template.extended_key_usage,
        [ExtendedKeyUsage::ClientAuth, ExtendedKeyUsage::ServerAuth]
    );
    assert_eq!(
        template.basic_constraints,
        Some(BasicConstraints {
            ca: false,
            path_length: None
        })
    );
    assert!(template.must_staple);
    let ignored: Vec<String> = request
        .ignored_extensions()
        .iter()
        .map(ToString::to_string)
        .collect();
    assert_eq!(ignored, ["2.16.840.1.113730.1.13"]); // nsComment
}

#[test]
fn the_command_verifies_our_certificates_and_shows_every_extension() {
    let directory = tempfile::tempdir().unwrap();
    for algorithm in ALL {
        let root_key = PrivateKey::generate(algorithm).unwrap();
        let root = self_sign(&root_template(), &root_key).unwrap();
        let authority = Authority::new(root.clone(), root_key, Vec::new()).unwrap();
        let mut template =
            CertificateTemplate::new(service(), NOW, "2050-01-01T00:00:00Z".parse().unwrap());
        template.serial = Some("5D:0E:41".parse().unwrap());
        template.policies = vec!["2.23.140.1.2.1".parse().unwrap()];
        template.crl_urls = vec!["http://ca.example.org/root.crl".into()];
        template.issuer_urls = vec!["http://ca.example.org/root.cer".into()];
        template.ocsp_urls = vec!["http://ocsp.example.org".into()];
        let key = PrivateKey::generate(KeyAlgorithm::Ecdsa(Curve::P256)).unwrap();
        let leaf = authority
            .sign(&template, &key.public_key().unwrap())
            .unwrap();
        write(directory.path(), "root.pem", root.to_pem());
        write(directory.path(), "leaf.pem", leaf.to_pem());
        let at = NOW.0.to_string();
        let verify = [
            "verify",
            "-x509_strict",
            "-check_ss_sig",
            "-purpose",
            "sslserver",
            "-attime",
            &at,
        ];
        let run =
            |arguments: &[&str]| openssl_ok(directory.path(), &[&verify[..], arguments].concat());
        run(&[
            "-verify_hostname",
            "a.example.org",
            "-CAfile",
            "root.pem",
            "leaf.pem",
        ]);
        let shown = |file| {
            openssl_ok(
                directory.path(),
                &[
                    "x509",
                    "-in",
                    file,
                    "-noout",
                    "-text",
                    "-fingerprint",
                    "-sha256",
                ],
            )
        };
        assert_leaf(&shown("leaf.pem"), &leaf);
        assert_root(&shown("root.pem"));
    }
}

fn assert_leaf(text: &str, leaf: &Certificate) {
    assert_lines(
        text,
        &[
            "Version: 3 (0x2)",
            "Serial Number: 6098497 (0x5d0e41)",
            "Issuer: CN = Root",
            "Not Before: Jan 15 08:00:00 2027 GMT",
            "Not After : Jan  1 00:00:00 2050 GMT",
            "X509v3 Key Usage: critical",
            "Digital Signature, Key Encipherment",
            "X509v3 Extended Key Usage:",
            "X509v3 Basic Constraints:",
            "CA:FALSE",
            "X509v3 Subject Alternative Name:",
            "TLS Feature:",
            "status_request",
            "Policy: 2.23.140.1.2.1",
            "URI:http://ca.example.org/root.crl",
            "OCSP - URI:http://ocsp.example.org",
            "CA Issuers - URI:http://ca.example.org/root.cer",
        ],
    );
    assert!(
        text.contains(&format!(
            "sha256 Fingerprint={}",
            leaf.fingerprint_sha256_text()
        )),
        "{text}"
    );
    let id = leaf.facts().authority_key_identifier.clone().unwrap();
    let hex: Vec<String> = id.iter().map(|byte| format!("{byte:02X}")).collect();
    assert_lines(text, &[&hex.join(":")]);
}

fn assert_root(text: &str) {
    assert_lines(
        text,
        &[
            "X509v3 Basic Constraints: critical",
            "CA:TRUE, pathlen:0",
            "X509v3 Key Usage: critical",
            "Certificate Sign, CRL Sign",
            "X509v3 Name Constraints: critical",
            "Permitted:",
            "DNS:example.org",
            "Excluded:",
            "IP:10.0.0.0/255.0.0.0",
            "email:root@example.org",
        ],
    );
}

/// `openssl x509 -ext` prints the identifier as it computes it from the key itself.
#[test]
fn key_identifiers_are_those_of_the_command() {
    let directory = tempfile::tempdir().unwrap();
    for algorithm in ALL {
        let key = PrivateKey::generate(algorithm).unwrap();
        write(
            directory.path(),
            "key.pem",
            key.to_pem(KeyFormat::Pkcs8, None).unwrap(),
        );
        let arguments = [
            "req",
            "-x509",
            "-new",
            "-key",
            "key.pem",
            "-subj",
            "/CN=a",
            "-days",
            "1",
            "-out",
            "theirs.pem",
        ];
        openssl_ok(directory.path(), &arguments);
        let theirs =
            Certificate::from_pem(&std::fs::read(directory.path().join("theirs.pem")).unwrap())
                .unwrap();
        let ours = key.public_key().unwrap().key_identifier();
        assert_eq!(
            theirs.facts().subject_key_identifier.as_deref(),
            Some(&ours[..]),
            "{algorithm}"
        );
        assert!(theirs.signed_by(&theirs) && key.matches(theirs.public_key()));
    }
}

#[test]
fn a_certificate_without_a_subject_is_strictly_valid() {
    let key = PrivateKey::generate(KeyAlgorithm::Ecdsa(Curve::P256)).unwrap();
    let mut template = root_template();
    template.name_constraints = None;
    let root = Authority::new(self_sign(&template, &key).unwrap(), key, Vec::new()).unwrap();
    let request = RequestTemplate {
        subject: Subject::default(),
        ..service()
    };
    let template = CertificateTemplate::new(request, NOW, Timestamp(NOW.0 + DAY));
    let public = PrivateKey::generate(KeyAlgorithm::Ed25519)
        .unwrap()
        .public_key()
        .unwrap();
    let leaf = root.sign(&template, &public).unwrap();
    support::openssl_verifies(
        &leaf,
        &[],
        std::slice::from_ref(root.certificate()),
        &["-x509_strict"],
    )
    .unwrap();
}

/// Signatures of other programs: RSASSA-PSS counts, SHA-1 only where no trust comes from it.
#[test]
fn weak_digests_count_only_on_a_certificate_that_signs_itself() {
    let directory = tempfile::tempdir().unwrap();
    let run = |arguments: &[&str]| openssl_ok(directory.path(), arguments);
    let read = |name: &str| {
        Certificate::from_pem(&std::fs::read(directory.path().join(name)).unwrap()).unwrap()
    };
    let root = [
        "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", "root.key", "-subj",
        "/CN=Root", "-sha1",
    ];
    run(&[&root[..], &["-out", "root.pem"]].concat());
    run(&[
        "req", "-new", "-newkey", "rsa:2048", "-nodes", "-keyout", "leaf.key", "-subj", "/CN=a",
        "-out", "leaf.csr",
    ]);
    assert_eq!(
        read("root.pem").facts().signature_algorithm,
        "sha1WithRSAEncryption"
    );
    assert!(read("root.pem").signed_by(&read("root.pem")));
    let pss = ["-sigopt", "rsa_padding_mode:pss"];
    for (digest, options, name, counts) in [
        ("-sha1", &[][..], "sha1WithRSAEncryption", false),
        ("-sha256", &[], "sha256WithRSAEncryption", true),
        ("-sha1", &pss, "rsassaPss-sha1", false),
        ("-sha256", &pss, "rsassaPss-sha256", true),
        ("-sha512", &pss, "rsassaPss-sha512", true),
    ] {
        let sign = [
            "x509", "-req", "-in", "leaf.csr", "-CA", "root.pem", "-CAkey", "root.key", "-out",
            "leaf.pem",
        ];
        run(&[&sign[..], &[digest], options].concat());
        let leaf = read("leaf.pem");
        assert_eq!(leaf.facts().signature_algorithm, name);
        assert_eq!(leaf.signed_by(&read("root.pem")), counts, "{name}");
    }
}
