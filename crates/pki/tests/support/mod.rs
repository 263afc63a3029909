// SPDX-License-Identifier: Apache-2.0
//! What the tests of this crate share: certificates with every fault one can wish for, made by OpenSSL's own
//! functions and not by ours, and the openssl command as a witness.
#![allow(dead_code, reason = "each test binary uses its part")]
#![expect(clippy::unwrap_used, clippy::expect_used, reason = "tests")]

pub(crate) mod judges;

use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use openssl::asn1::{Asn1Object, Asn1OctetString, Asn1Time};
use openssl::bn::BigNum;
use openssl::ec::{EcGroup, EcKey};
use openssl::hash::MessageDigest;
use openssl::nid::Nid;
use openssl::pkey::{PKey, Private};
use openssl::x509::{X509, X509Builder, X509Extension, X509Name};
use pki::chain::{Expectation, Trust, Verified};
use pki::{Certificate, PrivateKey, Timestamp};

/// 2027-01-15T08:00:00Z: the instant at which tests with fixed dates look.
pub(crate) const NOW: Timestamp = Timestamp(1_800_000_000);
pub(crate) const DAY: i64 = 86_400;

/// A name with a key: a CA or a service.
pub(crate) struct Entity {
    pub(crate) name: String,
    pub(crate) key: PKey<Private>,
}

impl Entity {
    pub(crate) fn new(name: &str) -> Self {
        let group = EcGroup::from_curve_name(Nid::X9_62_PRIME256V1).unwrap();
        let key = PKey::from_ec_key(EcKey::generate(&group).unwrap()).unwrap();
        Self {
            name: name.to_owned(),
            key,
        }
    }

    /// Another name with the same key.
    pub(crate) fn renamed(&self, name: &str) -> Self {
        Self {
            name: name.to_owned(),
            key: self.key.clone(),
        }
    }

    pub(crate) fn private_key(&self) -> PrivateKey {
        PrivateKey::from_pem(&self.key.private_key_to_pem_pkcs8().unwrap(), None).unwrap()
    }

    fn x509_name(&self) -> X509Name {
        let mut name = X509Name::builder().unwrap();
        name.append_entry_by_text("O", "Pool").unwrap();
        name.append_entry_by_text("CN", &self.name).unwrap();
        name.build()
    }
}

/// What a certificate says; start from [`ca`] or [`leaf`] and change one thing.
#[derive(Clone)]
pub(crate) struct Profile {
    pub(crate) serial: u32,
    pub(crate) not_before: i64,
    pub(crate) not_after: i64,
    /// Extensions as `openssl.cnf` writes them.
    pub(crate) extensions: Vec<(Nid, String)>,
    pub(crate) key_identifiers: bool,
    pub(crate) unknown_critical: bool,
    /// Extensions in DER: identifier, critical, value.
    pub(crate) raw: Vec<(&'static str, bool, Vec<u8>)>,
}

impl Profile {
    pub(crate) fn with(mut self, nid: Nid, value: &str) -> Self {
        self.extensions.retain(|(known, _)| *known != nid);
        self.extensions.push((nid, value.to_owned()));
        self
    }

    pub(crate) fn without(mut self, nid: Nid) -> Self {
        self.extensions.retain(|(known, _)| *known != nid);
        self
    }

    pub(crate) fn dates(mut self, not_before: i64, not_after: i64) -> Self {
        (self.not_before, self.not_after) = (not_before, not_after);
        self
    }

    pub(crate) fn raw(mut self, oid: &'static str, critical: bool, value: &[u8]) -> Self {
        self.raw.push((oid, critical, value.to_vec()));
        self
    }

    pub(crate) fn serial(mut self, serial: u32) -> Self {
        self.serial = serial;
        self
    }
}

pub(crate) fn ca() -> Profile {
    Profile {
        serial: 1,
        not_before: NOW.0 - DAY,
        not_after: NOW.0 + 30 * DAY,
        extensions: vec![
            (Nid::BASIC_CONSTRAINTS, "critical,CA:TRUE".to_owned()),
            (Nid::KEY_USAGE, "critical,keyCertSign,cRLSign".to_owned()),
        ],
        key_identifiers: true,
        unknown_critical: false,
        raw: Vec::new(),
    }
}

pub(crate) fn leaf() -> Profile {
    Profile {
        extensions: vec![
            (Nid::KEY_USAGE, "critical,digitalSignature".to_owned()),
            (
                Nid::SUBJECT_ALT_NAME,
                "DNS:api.example.com,IP:192.0.2.7".to_owned(),
            ),
        ],
        ..ca().serial(100)
    }
}

/// A certificate for `subject` that `issuer` signs.
pub(crate) fn issue(subject: &Entity, issuer: &Entity, profile: &Profile) -> Certificate {
    let mut builder = X509::builder().unwrap();
    builder.set_version(2).unwrap();
    let serial = BigNum::from_u32(profile.serial).unwrap();
    let serial = serial.to_asn1_integer().unwrap();
    builder.set_serial_number(&serial).unwrap();
    builder.set_subject_name(&subject.x509_name()).unwrap();
    builder.set_issuer_name(&issuer.x509_name()).unwrap();
    builder.set_pubkey(&subject.key).unwrap();
    let not_before = Asn1Time::from_unix(profile.not_before).unwrap();
    builder.set_not_before(&not_before).unwrap();
    let not_after = Asn1Time::from_unix(profile.not_after).unwrap();
    builder.set_not_after(&not_after).unwrap();
    append_extensions(&mut builder, issuer, profile);
    builder.sign(&issuer.key, MessageDigest::sha256()).unwrap();
    Certificate::from_der(&builder.build().to_der().unwrap()).unwrap()
}

#[expect(
    deprecated,
    reason = "the extension in OpenSSL's own words is the point"
)]
fn append_extensions(builder: &mut X509Builder, issuer: &Entity, profile: &Profile) {
    let mut wanted = profile.extensions.clone();
    if profile.key_identifiers {
        wanted.push((Nid::SUBJECT_KEY_IDENTIFIER, "hash".to_owned()));
    }
    for (nid, value) in &wanted {
        let context = builder.x509v3_context(None, None);
        let extension = X509Extension::new_nid(None, Some(&context), *nid, value).unwrap();
        builder.append_extension(extension).unwrap();
    }
    if profile.key_identifiers {
        let identifier = key_identifier(issuer);
        let mut value = vec![0x30, 22, 0x80, 20];
        value.extend_from_slice(&identifier);
        append_der(builder, "2.5.29.35", false, &value);
    }
    for (oid, critical, value) in &profile.raw {
        append_der(builder, oid, *critical, value);
    }
    if profile.unknown_critical {
        append_der(builder, "1.2.3.4", true, &[0x05, 0x00]);
    }
}

fn append_der(builder: &mut X509Builder, oid: &str, critical: bool, value: &[u8]) {
    let oid = Asn1Object::from_str(oid).unwrap();
    let value = Asn1OctetString::new_from_bytes(value).unwrap();
    let extension = X509Extension::new_from_der(&oid, critical, &value).unwrap();
    builder.append_extension(extension).unwrap();
}

fn key_identifier(entity: &Entity) -> [u8; 20] {
    entity.private_key().public_key().unwrap().key_identifier()
}

pub(crate) fn expect<'a>(leaf: &'a Certificate, trust: Trust<'a>) -> Expectation<'a> {
    Expectation {
        public_key: leaf.public_key(),
        names: None,
        trust,
        now: NOW,
    }
}

/// Root, intermediate and leaf without a fault.
pub(crate) struct Family {
    pub(crate) root: Entity,
    pub(crate) intermediate: Entity,
    pub(crate) service: Entity,
    pub(crate) root_certificate: Certificate,
    pub(crate) intermediate_certificate: Certificate,
    pub(crate) leaf: Certificate,
}

impl Family {
    pub(crate) fn new() -> Self {
        let (root, intermediate) = (Entity::new("Root"), Entity::new("Intermediate"));
        let service = Entity::new("api.example.com");
        Self {
            root_certificate: issue(&root, &root, &ca()),
            intermediate_certificate: issue(&intermediate, &root, &ca().serial(2)),
            leaf: issue(&service, &intermediate, &leaf()),
            root,
            intermediate,
            service,
        }
    }

    pub(crate) fn pool(&self) -> Vec<Certificate> {
        vec![
            self.leaf.clone(),
            self.intermediate_certificate.clone(),
            self.root_certificate.clone(),
        ]
    }

    pub(crate) fn verified(&self) -> Verified {
        pki::chain::verify(self.pool(), &expect(&self.leaf, Trust::SelfContained)).unwrap()
    }
}

/// The host's openssl command; it is not the library that we link.
pub(crate) fn openssl(directory: &Path, arguments: &[&str]) -> Output {
    let output = Command::new("openssl")
        .args(arguments)
        .current_dir(directory)
        .stdin(Stdio::null())
        .output();
    output.expect("the openssl command is needed; install the package openssl")
}

/// As [`openssl`], which must succeed; standard output and standard error together.
pub(crate) fn openssl_ok(directory: &Path, arguments: &[&str]) -> String {
    let output = openssl(directory, arguments);
    let text = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
    assert!(output.status.success(), "openssl {arguments:?}: {text}");
    text
}

pub(crate) fn pem_of<'a>(certificates: impl IntoIterator<Item = &'a Certificate>) -> String {
    certificates.into_iter().map(Certificate::to_pem).collect()
}

/// `openssl verify` at [`NOW`], with `roots` trusted and `untrusted` given.
pub(crate) fn openssl_verifies(
    leaf: &Certificate,
    untrusted: &[Certificate],
    roots: &[Certificate],
    flags: &[&str],
) -> Result<(), String> {
    let directory = tempfile::tempdir().unwrap();
    let write = |name: &str, certificates: &[Certificate]| {
        std::fs::write(directory.path().join(name), pem_of(certificates)).unwrap();
    };
    write("leaf.pem", std::slice::from_ref(leaf));
    write("untrusted.pem", untrusted);
    write("roots.pem", roots);
    let now = NOW.0.to_string();
    let mut arguments = vec!["verify", "-attime", &now, "-no-CAfile", "-no-CApath"];
    arguments.extend_from_slice(flags);
    arguments.extend(["-CAfile", "roots.pem"]);
    if !untrusted.is_empty() {
        arguments.extend(["-untrusted", "untrusted.pem"]);
    }
    arguments.push("leaf.pem");
    let output = openssl(directory.path(), &arguments);
    if output.status.success() {
        return Ok(());
    }
    Err(String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned())
}

pub(crate) fn testdata(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("testdata")
        .join(name)
}
