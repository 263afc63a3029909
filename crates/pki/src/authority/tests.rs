// SPDX-License-Identifier: Apache-2.0
#![expect(clippy::unwrap_used, reason = "tests")]

use super::*;
use crate::{BasicConstraints, Curve, KeyAlgorithm, OtherName, Subject, SubjectAltNames};

const DAY: i64 = 86_400;
const NOW: Timestamp = Timestamp(1_800_000_000);

pub(crate) fn key() -> PrivateKey {
    PrivateKey::generate(KeyAlgorithm::Ecdsa(Curve::P256)).unwrap()
}

fn subject(name: &str) -> Subject {
    Subject::from_pairs([("CN", name)]).unwrap()
}

fn ca_template(name: &str) -> CertificateTemplate {
    let request = RequestTemplate {
        subject: subject(name),
        key_usage: vec![KeyUsage::KeyCertSign, KeyUsage::CrlSign],
        basic_constraints: Some(BasicConstraints {
            ca: true,
            path_length: Some(1),
        }),
        ..RequestTemplate::default()
    };
    CertificateTemplate::new(request, NOW, Timestamp(NOW.0 + 3_650 * DAY))
}

fn leaf_template(name: &str) -> CertificateTemplate {
    let names = SubjectAltNames {
        dns: vec![name.parse().unwrap()],
        ..SubjectAltNames::default()
    };
    let request = RequestTemplate {
        subject: subject(name),
        names,
        ..RequestTemplate::default()
    };
    CertificateTemplate::new(request, NOW, Timestamp(NOW.0 + 398 * DAY))
}

fn root() -> Authority {
    let key = key();
    Authority::new(
        self_sign(&ca_template("Root"), &key).unwrap(),
        key,
        Vec::new(),
    )
    .unwrap()
}

#[test]
fn a_root_signs_an_intermediate_that_signs_a_leaf() {
    let root = root();
    let middle_key = key();
    let middle = root
        .sign(&ca_template("Middle"), &middle_key.public_key().unwrap())
        .unwrap();
    let middle = Authority::new(middle, middle_key, vec![root.certificate().clone()]).unwrap();
    let leaf = middle
        .sign(
            &leaf_template("a.example.org"),
            &key().public_key().unwrap(),
        )
        .unwrap();
    assert!(
        leaf.signed_by(middle.certificate()) && middle.certificate().signed_by(root.certificate())
    );
    assert!(
        root.certificate().signed_by(root.certificate()) && root.certificate().is_self_issued()
    );
    assert!(!leaf.signed_by(root.certificate()) && !leaf.is_self_issued());
    assert_eq!(
        leaf.facts().authority_key_identifier,
        middle.certificate().facts().subject_key_identifier
    );
    let own = leaf.public_key().key_identifier();
    assert_eq!(
        leaf.facts().subject_key_identifier.as_deref(),
        Some(&own[..])
    );
    assert_eq!(leaf.facts().version, 3);
    assert_eq!(middle.chain(), [root.certificate().clone()]);
}

#[test]
fn everything_in_the_template_is_in_the_certificate() {
    let mut template = ca_template("Root");
    template.request.names.other = vec![OtherName {
        type_id: "1.3.6.1.5.2.2".parse().unwrap(),
        value_utf8: "a".into(),
    }];
    template.request.must_staple = true;
    template.name_constraints = Some(NameConstraints {
        permitted_dns: vec!["example.org".into()],
        excluded_ip: vec!["0.0.0.0/0".parse().unwrap()],
        ..NameConstraints::default()
    });
    template.policies = vec!["2.23.140.1.2.1".parse().unwrap(), "1.2.3".parse().unwrap()];
    template.crl_urls = vec![
        "http://ca.example.org/root.crl".into(),
        "ldap://ca.example.org/o=ca".into(),
    ];
    template.issuer_urls = vec!["http://ca.example.org/root.cer".into()];
    template.ocsp_urls = vec!["http://ocsp.example.org".into()];
    template.serial = Some("5d0e41".parse().unwrap());
    let certificate = self_sign(&template, &key()).unwrap();
    let facts = certificate.facts();
    assert_eq!(facts.subject, template.request.subject);
    assert_eq!(facts.names, template.request.names);
    assert_eq!(facts.key_usage, template.request.key_usage);
    assert_eq!(facts.basic_constraints, template.request.basic_constraints);
    assert_eq!(
        (facts.not_before, facts.not_after),
        (template.not_before, template.not_after)
    );
    assert_eq!(facts.name_constraints, template.name_constraints);
    assert_eq!(facts.policies, template.policies);
    assert_eq!(facts.crl_urls, template.crl_urls);
    assert_eq!(facts.issuer_urls, template.issuer_urls);
    assert_eq!(facts.ocsp_urls, template.ocsp_urls);
    assert_eq!(facts.serial.to_string(), "5D0E41");
    assert!(facts.must_staple && facts.is_ca());
    assert!(facts.unrecognized_critical.is_empty());
    assert_eq!(facts.signature_algorithm, "ecdsa-with-SHA256");
}

#[test]
fn every_key_signs_with_its_own_algorithm() {
    for (algorithm, signature) in [
        (KeyAlgorithm::Rsa { bits: 2048 }, "sha256WithRSAEncryption"),
        (KeyAlgorithm::Ecdsa(Curve::P256), "ecdsa-with-SHA256"),
        (KeyAlgorithm::Ecdsa(Curve::P384), "ecdsa-with-SHA384"),
        (KeyAlgorithm::Ecdsa(Curve::P521), "ecdsa-with-SHA512"),
        (KeyAlgorithm::Ed25519, "ED25519"),
        (KeyAlgorithm::Ed448, "ED448"),
    ] {
        let certificate = self_sign(
            &leaf_template("a.org"),
            &PrivateKey::generate(algorithm).unwrap(),
        )
        .unwrap();
        assert!(certificate.signed_by(&certificate), "{algorithm}");
        assert_eq!(certificate.facts().signature_algorithm, signature);
        let mut altered = certificate.der().to_vec();
        let last = altered.len() - 1;
        altered[last] ^= 1;
        assert!(
            !Certificate::from_der(&altered)
                .unwrap()
                .signed_by(&certificate),
            "{algorithm}"
        );
    }
}

/// RFC 5280 §4.2.1.6.
#[test]
fn without_a_subject_the_names_are_critical() {
    let mut template = leaf_template("a.org");
    let critical = |template: &CertificateTemplate| {
        let certificate = self_sign(template, &key()).unwrap();
        // extnID subjectAltName, then either BOOLEAN TRUE or the value.
        let at = certificate
            .der()
            .windows(5)
            .position(|window| window == [6, 3, 0x55, 0x1d, 0x11])
            .unwrap();
        certificate.der()[at + 5..].starts_with(&[1, 1, 0xff])
    };
    assert!(!critical(&template));
    template.request.subject = Subject::default();
    assert!(critical(&template));
}

#[test]
fn the_issuer_is_repeated_byte_for_byte() {
    // A name as our own writer would not write it: PrintableString, two attributes in one RDN.
    let pair = |oid: &'static str, text: &str| {
        der::sequence(&[
            der::object_identifier(&Oid::known(oid)),
            der::printable_string(text),
        ])
    };
    let name = der::sequence(&[der::set_of(vec![
        pair("2.5.4.3", "Root"),
        pair("2.5.4.10", "Org"),
    ])]);
    let key = key();
    let public = key.public_key().unwrap();
    let made = make(
        &ca_template("Root"),
        &public,
        name.clone(),
        &public.key_identifier(),
        &key,
    )
    .unwrap();
    // Put the same name in the place of the subject too, and sign again.
    let tbs: Vec<Vec<u8>> = der::read_elements(der::read_sequence(made.der()).unwrap()[0].content)
        .unwrap()
        .iter()
        .enumerate()
        .map(|(index, element)| {
            if index == 5 {
                name.clone()
            } else {
                element.encoded.to_vec()
            }
        })
        .collect();
    let odd = Certificate::from_der(&key.sign_structure(der::sequence(&tbs)).unwrap()).unwrap();
    assert_eq!(odd.facts().subject.to_string(), "O=Org, CN=Root");
    let authority = Authority::new(odd.clone(), key, Vec::new()).unwrap();
    let leaf = authority.sign(&leaf_template("a.org"), &public).unwrap();
    assert_eq!(leaf.facts().issuer_der, name);
    assert!(leaf.signed_by(&odd));
}

#[test]
fn an_authority_is_what_may_sign() {
    let signing_key = key();
    let new = |template: &CertificateTemplate, key: &PrivateKey| {
        let certificate = self_sign(template, &signing_key).unwrap();
        Authority::new(certificate, key.clone(), Vec::new())
            .unwrap_err()
            .to_string()
    };
    let other = new(&ca_template("Root"), &key());
    assert_eq!(
        other,
        "the private key does not match the certificate 'CN=Root'; give the pair that belongs together"
    );
    let mut template = ca_template("Root");
    template.request.key_usage.clear();
    template.request.basic_constraints = None;
    let reason = "it is not a CA certificate (basic constraints lack CA:TRUE)";
    assert_eq!(
        new(&template, &signing_key),
        format!("'CN=Root' cannot sign certificates: {reason}")
    );
    template.request.key_usage = vec![KeyUsage::DigitalSignature];
    template.request.basic_constraints = Some(BasicConstraints {
        ca: false,
        path_length: None,
    });
    assert_eq!(
        new(&template, &signing_key),
        format!("'CN=Root' cannot sign certificates: {reason}")
    );
}

#[test]
fn a_chain_that_does_not_fit_is_refused() {
    let (one, other) = (root(), root());
    let middle_key = key();
    let middle = one
        .sign(&ca_template("Middle"), &middle_key.public_key().unwrap())
        .unwrap();
    let error = Authority::new(middle, middle_key, vec![other.certificate().clone()])
        .unwrap_err()
        .to_string();
    assert_eq!(
        error,
        "'CN=Middle' cannot sign certificates: in its chain 'CN=Root' did not sign 'CN=Middle'"
    );
}

#[test]
fn an_authority_is_usable_within_its_lifetime() {
    let root = root();
    let end = root.certificate().facts().not_after;
    let refused =
        |now: Timestamp, until: Timestamp| root.check_usable(now, until).unwrap_err().to_string();
    root.check_usable(NOW, end).unwrap();
    root.check_usable(end, end).unwrap();
    assert_eq!(
        refused(Timestamp(NOW.0 - 1), end),
        "certificate 'CN=Root' is not valid before 2027-01-15T08:00:00Z, now is 2027-01-15T07:59:59Z; check the clock"
    );
    assert_eq!(
        refused(Timestamp(end.0 + 1), end),
        "certificate 'CN=Root' expired at 2037-01-12T08:00:00Z, now is 2037-01-12T08:00:01Z"
    );
    assert_eq!(
        refused(NOW, Timestamp(end.0 + 1)),
        "a certificate until 2037-01-12T08:00:01Z would outlive its authority 'CN=Root', which ends at 2037-01-12T08:00:00Z; ask for less or renew the authority"
    );
}

#[test]
fn impossible_templates_are_refused() {
    let key = key();
    let refused = |change: fn(&mut CertificateTemplate)| {
        let mut template = leaf_template("a.org");
        change(&mut template);
        self_sign(&template, &key).unwrap_err().to_string()
    };
    assert!(
        refused(|template| template.not_after = template.not_before).contains("not before its end")
    );
    assert!(
        refused(|template| template.crl_urls = vec!["no scheme".into()])
            .contains("is not a valid URI")
    );
    assert!(
        refused(|template| template.serial = Serial::from_der_content(&[0x80]).ok())
            .contains("must be positive")
    );
    let constrained = refused(|template| {
        template.name_constraints = Some(NameConstraints {
            permitted_dns: vec!["a".into()],
            ..NameConstraints::default()
        });
    });
    assert!(constrained.contains("only an authority can have one"));
}

#[test]
fn three_hundred_names_fit() {
    let mut template = leaf_template("a.org");
    template.request.names.dns = (0..400)
        .map(|number| format!("host-{number}.example.org").parse().unwrap())
        .collect();
    let certificate = self_sign(&template, &key()).unwrap();
    assert_eq!(certificate.facts().names, template.request.names);
}

#[test]
fn dates_beyond_2049_are_read_back() {
    let mut template = ca_template("Root");
    for end in [
        "2049-12-31T23:59:59Z",
        "2050-01-01T00:00:00Z",
        "9999-12-31T23:59:59Z",
    ] {
        template.not_after = end.parse().unwrap();
        assert_eq!(
            self_sign(&template, &key()).unwrap().facts().not_after,
            template.not_after
        );
    }
}
