// SPDX-License-Identifier: Apache-2.0
//! Certificates as the product makes them, judged by the openssl command: `openssl verify -x509_strict` for every kind
//! of key and extension, then a real handshake.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "tests"
)]

mod support;

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::SystemTime;

use pki::bundle::{CA_BUNDLE, Part, pem};
use pki::chain::{Expectation, Trust, Verified, verify, verify_authority};
use pki::{
    Authority, BasicConstraints, Certificate, CertificateTemplate, Curve, ExtendedKeyUsage,
    KeyAlgorithm, KeyFormat, KeyUsage, Lifetime, NameConstraints, PrivateKey, RequestTemplate,
    Subject, SubjectAltNames, Timestamp, self_sign,
};
use support::{NOW, openssl, openssl_ok, openssl_verifies};

const ALGORITHMS: [KeyAlgorithm; 7] = [
    KeyAlgorithm::Rsa { bits: 2048 },
    KeyAlgorithm::Rsa { bits: 3072 },
    KeyAlgorithm::Ecdsa(Curve::P256),
    KeyAlgorithm::Ecdsa(Curve::P384),
    KeyAlgorithm::Ecdsa(Curve::P521),
    KeyAlgorithm::Ed25519,
    KeyAlgorithm::Ed448,
];

fn subject(common_name: &str) -> Subject {
    Subject::from_pairs([("organization", "Everywhere"), ("common_name", common_name)]).unwrap()
}

fn ca_template(common_name: &str, path_length: Option<u8>, now: Timestamp) -> CertificateTemplate {
    let request = RequestTemplate {
        subject: subject(common_name),
        key_usage: vec![KeyUsage::KeyCertSign, KeyUsage::CrlSign],
        basic_constraints: Some(BasicConstraints {
            ca: true,
            path_length,
        }),
        ..RequestTemplate::default()
    };
    CertificateTemplate::new(request, now, now + Lifetime(3_600))
}

fn names() -> SubjectAltNames {
    SubjectAltNames {
        dns: vec![
            "api.example.com".parse().unwrap(),
            "*.apps.example.com".parse().unwrap(),
        ],
        ip: vec!["127.0.0.1".parse().unwrap(), "2001:db8::7".parse().unwrap()],
        email: vec!["ops@example.com".parse().unwrap()],
        uri: vec!["https://api.example.com/v3".parse().unwrap()],
        ..SubjectAltNames::default()
    }
}

fn leaf_template(now: Timestamp) -> CertificateTemplate {
    let request = RequestTemplate {
        subject: subject("api.example.com"),
        names: names(),
        key_usage: vec![KeyUsage::DigitalSignature],
        extended_key_usage: vec![ExtendedKeyUsage::ServerAuth, ExtendedKeyUsage::ClientAuth],
        ..RequestTemplate::default()
    };
    CertificateTemplate::new(request, now, now + Lifetime(1_800))
}

/// A root, an intermediate with path length 0 and a leaf, all with keys of one kind.
struct Made {
    key: PrivateKey,
    pool: Vec<Certificate>,
    now: Timestamp,
}

impl Made {
    fn new(algorithm: KeyAlgorithm, now: Timestamp, constraints: Option<NameConstraints>) -> Self {
        let generate = || PrivateKey::generate(algorithm).unwrap();
        let (root_key, middle_key, key) = (generate(), generate(), generate());
        let root = self_sign(&ca_template("Root", None, now), &root_key).unwrap();
        let top = Authority::new(root.clone(), root_key, Vec::new()).unwrap();
        let mut template = ca_template("Intermediate", Some(0), now);
        template.name_constraints = constraints;
        let middle = top
            .sign(&template, &middle_key.public_key().unwrap())
            .unwrap();
        let issuer = Authority::new(middle.clone(), middle_key, vec![root.clone()]).unwrap();
        let leaf = issuer
            .sign(&leaf_template(now), &key.public_key().unwrap())
            .unwrap();
        let pool = vec![root, leaf, middle];
        Self { key, pool, now }
    }

    fn verified(&self) -> Verified {
        let names = names();
        let expectation = Expectation {
            public_key: &self.key.public_key().unwrap(),
            names: Some(&names),
            trust: Trust::SelfContained,
            now: self.now,
        };
        verify(self.pool.clone(), &expectation).unwrap()
    }
}

#[test]
fn openssl_verifies_every_kind_of_key_strictly() {
    for algorithm in ALGORITHMS {
        let verified = Made::new(algorithm, NOW, None).verified();
        let root = [verified.root().unwrap().clone()];
        for flags in [
            &["-x509_strict", "-check_ss_sig"][..],
            &[
                "-x509_strict",
                "-purpose",
                "sslserver",
                "-verify_hostname",
                "api.example.com",
            ],
            &["-x509_strict", "-verify_hostname", "a.apps.example.com"],
            &["-x509_strict", "-verify_ip", "2001:db8::7"],
            &["-x509_strict", "-verify_email", "ops@example.com"],
            &["-x509_strict", "-purpose", "sslclient"],
        ] {
            openssl_verifies(verified.leaf(), verified.intermediates(), &root, flags)
                .unwrap_or_else(|text| panic!("{algorithm} {flags:?}: {text}"));
        }
        let other = ["-verify_hostname", "other.example.com"];
        assert!(
            openssl_verifies(verified.leaf(), verified.intermediates(), &root, &other).is_err()
        );
    }
}

#[test]
fn openssl_verifies_our_cas_strictly_and_so_do_we() {
    let made = Made::new(KeyAlgorithm::Ecdsa(Curve::P256), NOW, None);
    let verified = made.verified();
    let (root, middle) = (verified.root().unwrap(), &verified.intermediates()[0]);
    let roots = std::slice::from_ref(root);
    openssl_verifies(root, &[], roots, &["-x509_strict", "-check_ss_sig"]).unwrap();
    openssl_verifies(middle, &[], roots, &["-x509_strict", "-purpose", "any"]).unwrap();
    let authority = verify_authority(made.pool.clone(), middle.public_key(), NOW, true).unwrap();
    assert_eq!(authority.certificate(), middle);
    assert_eq!(authority.chain(), roots);
    let authority = verify_authority(made.pool, root.public_key(), NOW, true).unwrap();
    assert_eq!(authority.root(), root);
    assert!(authority.chain().is_empty());
}

#[test]
fn openssl_keeps_to_the_name_constraints_that_we_write() {
    let algorithm = KeyAlgorithm::Ecdsa(Curve::P256);
    let wide = NameConstraints {
        permitted_dns: vec!["example.com".to_owned()],
        permitted_ip: vec![
            "127.0.0.0/8".parse().unwrap(),
            "2001:db8::/32".parse().unwrap(),
        ],
        permitted_email: vec!["example.com".to_owned()],
        excluded_dns: vec!["secret.example.com".to_owned()],
        ..NameConstraints::default()
    };
    let verified = Made::new(algorithm, NOW, Some(wide)).verified();
    let root = [verified.root().unwrap().clone()];
    openssl_verifies(
        verified.leaf(),
        verified.intermediates(),
        &root,
        &["-x509_strict"],
    )
    .unwrap();

    let narrow = NameConstraints {
        permitted_dns: vec!["example.org".to_owned()],
        ..NameConstraints::default()
    };
    let made = Made::new(algorithm, NOW, Some(narrow));
    let expectation = Expectation {
        public_key: &made.key.public_key().unwrap(),
        names: None,
        trust: Trust::SelfContained,
        now: NOW,
    };
    let error = verify(made.pool.clone(), &expectation).unwrap_err();
    assert!(
        error
            .to_string()
            .contains("'api.example.com' is not permitted"),
        "{error}"
    );
    let [root, leaf, middle] = made.pool.as_slice() else {
        panic!("three certificates");
    };
    let opinion = openssl_verifies(
        leaf,
        std::slice::from_ref(middle),
        std::slice::from_ref(root),
        &[],
    );
    assert!(opinion.unwrap_err().contains("permitted subtree violation"));
}

#[test]
fn openssl_prints_every_extension_that_we_write() {
    let key = PrivateKey::generate(KeyAlgorithm::Ecdsa(Curve::P256)).unwrap();
    let mut template = leaf_template(NOW);
    template.request.must_staple = true;
    template.policies = vec!["1.3.6.1.4.1.55555.1".parse().unwrap()];
    template.crl_urls = vec!["http://pki.example.com/ca.crl".to_owned()];
    template.issuer_urls = vec!["http://pki.example.com/ca.cer".to_owned()];
    template.ocsp_urls = vec!["http://ocsp.example.com".to_owned()];
    let own = self_sign(&template, &key).unwrap();
    let directory = tempfile::tempdir().unwrap();
    std::fs::write(directory.path().join("own.pem"), own.to_pem()).unwrap();
    let text = openssl_ok(
        directory.path(),
        &["x509", "-in", "own.pem", "-noout", "-text"],
    );
    for words in [
        "Subject: O = Everywhere, CN = api.example.com",
        "DNS:api.example.com, DNS:*.apps.example.com, IP Address:127.0.0.1",
        "email:ops@example.com, URI:https://api.example.com/v3",
        "TLS Web Server Authentication, TLS Web Client Authentication",
        "TLS Feature",
        "status_request",
        "Policy: 1.3.6.1.4.1.55555.1",
        "URI:http://pki.example.com/ca.crl",
        "CA Issuers - URI:http://pki.example.com/ca.cer",
        "OCSP - URI:http://ocsp.example.com",
        "Not Before: Jan 15 08:00:00 2027 GMT",
    ] {
        assert!(text.contains(words), "{words} is not in {text}");
    }
}

/// An `openssl s_server` on a free port of the loopback; killed when it goes out of scope.
struct Server {
    child: Child,
    port: String,
}

impl Server {
    fn start(directory: &Path) -> Self {
        let arguments = [
            "s_server",
            "-accept",
            "127.0.0.1:0",
            "-cert",
            "leaf.pem",
            "-cert_chain",
            "chain.pem",
            "-key",
            "key.pem",
        ];
        let mut child = Command::new("openssl")
            .args(arguments)
            .current_dir(directory)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("the openssl command is needed; install the package openssl");
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let accept = lines
            .map_while(Result::ok)
            .find(|line| line.starts_with("ACCEPT "));
        let accept = accept.unwrap_or_else(|| {
            let _ = child.kill();
            panic!("s_server did not start")
        });
        let port = accept.rsplit(':').next().unwrap().trim().to_owned();
        Self { child, port }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn handshake(made: &Made, host: &str) -> (bool, String) {
    let verified = made.verified();
    let directory = tempfile::tempdir().unwrap();
    let write =
        |name: &str, bytes: &[u8]| std::fs::write(directory.path().join(name), bytes).unwrap();
    write("leaf.pem", &pem(&[Part::Certificate], &verified, None));
    write("chain.pem", &pem(&[Part::Chain], &verified, None));
    write("ca.pem", &pem(CA_BUNDLE, &verified, None));
    write("key.pem", &made.key.to_pem(KeyFormat::Pkcs8, None).unwrap());
    let server = Server::start(directory.path());
    let address = format!("127.0.0.1:{}", server.port);
    let arguments = [
        "s_client",
        "-connect",
        &address,
        "-CAfile",
        "ca.pem",
        "-no-CApath",
        "-verify_return_error",
        "-verify_hostname",
        host,
        "-servername",
        host,
        "-brief",
    ];
    let output = openssl(directory.path(), &arguments);
    let text = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
    (output.status.success(), text)
}

#[test]
fn a_server_with_our_certificate_is_believed_for_every_kind_of_key() {
    // Dates must hold on the real clock here: openssl s_client has no other.
    let now = Timestamp(Timestamp::from(SystemTime::now()).0 - 60);
    for algorithm in ALGORITHMS {
        let mut made = Made::new(algorithm, now, None);
        made.now = Timestamp(now.0 + 60);
        let (good, text) = handshake(&made, "api.example.com");
        assert!(
            good && text.contains("Verification: OK"),
            "{algorithm}: {text}"
        );
        assert!(
            text.contains("Protocol version: TLSv1.3"),
            "{algorithm}: {text}"
        );
    }
    let made = Made::new(KeyAlgorithm::Ecdsa(Curve::P256), now, None);
    let (good, text) = handshake(&made, "other.example.com");
    assert!(!good && text.contains("mismatch"), "{text}");
}
