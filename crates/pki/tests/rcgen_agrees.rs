// SPDX-License-Identifier: Apache-2.0
//! rcgen as a witness: for what it can express it writes the same TBSCertificate as we do, byte for byte.
//!
//! It cannot make our certificates itself: it has no P-521 and no Ed448 without another crypto library, it drops
//! repeated attributes of a name, writes an issuer's name anew instead of repeating its bytes, and gives a
//! subjectKeyIdentifier to authorities only.
#![expect(clippy::unwrap_used, reason = "tests")]

use pki::{
    BasicConstraints, CertificateTemplate, KeyUsage, NameConstraints, RequestTemplate, Subject,
    Timestamp,
};
use pki::{Curve, KeyAlgorithm, PrivateKey, PublicKey, SubjectAltNames, self_sign};
use rcgen::string::{Ia5String, PrintableString};
use x509_parser::prelude::{FromDer, X509Certificate};

/// Only the structure is compared, so the signature may be anything.
struct Unsigned {
    point: Vec<u8>,
    algorithm: &'static rcgen::SignatureAlgorithm,
}

impl rcgen::PublicKeyData for Unsigned {
    fn der_bytes(&self) -> &[u8] {
        &self.point
    }

    fn algorithm(&self) -> &'static rcgen::SignatureAlgorithm {
        self.algorithm
    }
}

impl rcgen::SigningKey for Unsigned {
    fn sign(&self, _: &[u8]) -> Result<Vec<u8>, rcgen::Error> {
        Ok(vec![0])
    }
}

/// Identifier, whether critical, value.
type Extension = (String, bool, Vec<u8>);

/// Each extension by itself: the order of extensions is free.
fn parts(der: &[u8]) -> (Vec<Vec<u8>>, Vec<Extension>) {
    let (_, certificate) = X509Certificate::from_der(der).unwrap();
    let tbs = &certificate.tbs_certificate;
    let fixed = vec![
        tbs.raw_serial().to_vec(),
        tbs.signature.algorithm.as_bytes().to_vec(),
        tbs.issuer.as_raw().to_vec(),
        tbs.subject.as_raw().to_vec(),
        tbs.subject_pki.raw.to_vec(),
    ];
    let mut extensions: Vec<_> = tbs
        .extensions()
        .iter()
        .map(|each| (each.oid.to_id_string(), each.critical, each.value.to_vec()))
        .collect();
    extensions.sort();
    (fixed, extensions)
}

fn ours(key: &PrivateKey) -> Vec<u8> {
    let request = RequestTemplate {
        subject: Subject::from_pairs([("C", "DE"), ("O", "Cloud"), ("CN", "überall")]).unwrap(),
        names: SubjectAltNames {
            dns: vec!["a.example.org".parse().unwrap()],
            ip: vec!["192.0.2.1".parse().unwrap(), "2001:db8::1".parse().unwrap()],
            email: vec!["a@example.org".parse().unwrap()],
            uri: vec!["urn:a".parse().unwrap()],
            other: vec![pki::OtherName {
                type_id: "1.2.3".parse().unwrap(),
                value_utf8: "ü".into(),
            }],
        },
        key_usage: vec![KeyUsage::KeyCertSign, KeyUsage::DecipherOnly],
        extended_key_usage: vec!["serverAuth".parse().unwrap(), "1.2.3.4".parse().unwrap()],
        must_staple: false,
        basic_constraints: Some(BasicConstraints {
            ca: true,
            path_length: Some(3),
        }),
    };
    let end = "2050-01-01T00:00:00Z".parse().unwrap();
    let mut template = CertificateTemplate::new(request, Timestamp(1_800_000_000), end);
    template.serial = Some("5D0E41".parse().unwrap());
    template.crl_urls = vec!["http://example.org/a.crl".into()];
    template.name_constraints = Some(NameConstraints {
        permitted_dns: vec!["example.org".into()],
        excluded_ip: vec!["10.0.0.0/8".parse().unwrap()],
        ..NameConstraints::default()
    });
    self_sign(&template, key).unwrap().der().to_vec()
}

fn theirs(
    public: &PublicKey,
    algorithm: &'static rcgen::SignatureAlgorithm,
    point: Vec<u8>,
) -> Vec<u8> {
    let ia5 = |text: &str| Ia5String::try_from(text).unwrap();
    let mut params = rcgen::CertificateParams::default();
    params.distinguished_name = rcgen::DistinguishedName::new();
    let country = rcgen::DnValue::PrintableString(PrintableString::try_from("DE").unwrap());
    params
        .distinguished_name
        .push(rcgen::DnType::CountryName, country);
    params
        .distinguished_name
        .push(rcgen::DnType::OrganizationName, "Cloud");
    params
        .distinguished_name
        .push(rcgen::DnType::CommonName, "überall");
    params.serial_number = Some(vec![0x5d, 0x0e, 0x41].into());
    params.key_identifier_method =
        rcgen::KeyIdMethod::PreSpecified(public.key_identifier().to_vec());
    params.use_authority_key_identifier_extension = true;
    params.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Constrained(3));
    params.key_usages = vec![
        rcgen::KeyUsagePurpose::KeyCertSign,
        rcgen::KeyUsagePurpose::DecipherOnly,
    ];
    params.extended_key_usages = vec![
        rcgen::ExtendedKeyUsagePurpose::ServerAuth,
        rcgen::ExtendedKeyUsagePurpose::Other(vec![1, 2, 3, 4]),
    ];
    params.subject_alt_names = vec![
        rcgen::SanType::DnsName(ia5("a.example.org")),
        rcgen::SanType::IpAddress("192.0.2.1".parse().unwrap()),
        rcgen::SanType::IpAddress("2001:db8::1".parse().unwrap()),
        rcgen::SanType::Rfc822Name(ia5("a@example.org")),
        rcgen::SanType::URI(ia5("urn:a")),
        rcgen::SanType::OtherName((vec![1, 2, 3], "ü".into())),
    ];
    params.crl_distribution_points = vec![rcgen::CrlDistributionPoint {
        uris: vec!["http://example.org/a.crl".into()],
    }];
    params.name_constraints = Some(rcgen::NameConstraints {
        permitted_subtrees: vec![rcgen::GeneralSubtree::DnsName("example.org".into())],
        excluded_subtrees: vec![rcgen::GeneralSubtree::IpAddress(
            rcgen::CidrSubnet::from_addr_prefix("10.0.0.0".parse().unwrap(), 8),
        )],
    });
    params
        .self_signed(&Unsigned { point, algorithm })
        .unwrap()
        .der()
        .to_vec()
}

#[test]
fn rcgen_writes_what_we_write() {
    let algorithms = [
        (KeyAlgorithm::Rsa { bits: 2048 }, &rcgen::PKCS_RSA_SHA256),
        (
            KeyAlgorithm::Ecdsa(Curve::P256),
            &rcgen::PKCS_ECDSA_P256_SHA256,
        ),
        (
            KeyAlgorithm::Ecdsa(Curve::P384),
            &rcgen::PKCS_ECDSA_P384_SHA384,
        ),
        (KeyAlgorithm::Ed25519, &rcgen::PKCS_ED25519),
    ];
    for (algorithm, theirs_algorithm) in algorithms {
        let key = PrivateKey::generate(algorithm).unwrap();
        let public = key.public_key().unwrap();
        let (_, spki) =
            x509_parser::x509::SubjectPublicKeyInfo::from_der(public.spki_der()).unwrap();
        let point = spki.subject_public_key.data.to_vec();
        let (ours, theirs) = (
            parts(&ours(&key)),
            parts(&theirs(&public, theirs_algorithm, point)),
        );
        assert_eq!(ours, theirs, "{algorithm}");
        assert_eq!(ours.1.len(), 8);
    }
}
