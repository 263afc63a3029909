// SPDX-License-Identifier: Apache-2.0
#![expect(clippy::unwrap_used, reason = "tests")]

use pki::crl::RevocationList;
use pki::{
    Authority, BasicConstraints, KeyAlgorithm, KeyUsage, Lifetime, Subject, SubjectAltNames,
};

use super::*;

const NOW: Timestamp = Timestamp(1_800_000_000);

fn request(name: &str, authority: bool) -> RequestTemplate {
    RequestTemplate {
        subject: Subject::from_pairs([("CN", name)]).unwrap(),
        names: SubjectAltNames {
            dns: if authority {
                Vec::new()
            } else {
                vec![name.parse().unwrap()]
            },
            ..SubjectAltNames::default()
        },
        key_usage: if authority {
            vec![KeyUsage::KeyCertSign, KeyUsage::CrlSign]
        } else {
            vec![KeyUsage::DigitalSignature]
        },
        basic_constraints: authority.then_some(BasicConstraints {
            ca: true,
            path_length: None,
        }),
        ..RequestTemplate::default()
    }
}

fn key() -> PrivateKey {
    PrivateKey::generate(KeyAlgorithm::Ed25519).unwrap()
}

fn days(count: u64) -> Timestamp {
    NOW + Lifetime(count * 86_400)
}

/// A root, and an authority below it.
struct Tree {
    root: Certificate,
    ca: Certificate,
    ca_key: PrivateKey,
}

/// A tree whose lower authority ends at `end`.
fn grown(end: Timestamp) -> Tree {
    let (root_key, ca_key) = (key(), key());
    let root = pki::self_sign(
        &template(request("root", true), NOW, days(3_000)),
        &root_key,
    )
    .unwrap();
    let authority = Authority::new(root.clone(), root_key, Vec::new()).unwrap();
    let ca = authority
        .sign(
            &template(request("ca", true), NOW, end),
            &ca_key.public_key().unwrap(),
        )
        .unwrap();
    Tree { root, ca, ca_key }
}

fn pem(certificates: &[&Certificate]) -> Vec<u8> {
    certificates
        .iter()
        .map(|certificate| certificate.to_pem())
        .collect::<String>()
        .into_bytes()
}

fn material(bytes: &[u8]) -> Material<'_> {
    Material {
        what: String::from("the file"),
        bytes,
    }
}

fn private_ca(tree: &Tree, key: &PrivateKey, certificate: &[u8]) -> Result<PrivateCa, Error> {
    let (key, root) = (key.clone(), pem(&[&tree.root]));
    let files = CaFiles {
        certificate: material(certificate),
        chain: None,
        root: Some(material(&root)),
        crl: None,
    };
    PrivateCa::new(&files, Box::new(move || Ok(key.clone())))
}

fn issue(issuer: &dyn Issuer, until: Timestamp) -> Vec<Certificate> {
    let (wish, key) = (request("web.example.org", false), key());
    let csr = CertificateRequest::create(&wish, &key).unwrap();
    let wish = Wish {
        template: &wish,
        key: &key,
        not_before: NOW - Lifetime(300),
        not_after: until,
        now: NOW,
    };
    match issuer.issue(&csr, &wish).unwrap() {
        Issued::Bytes { pem } => pki::chain::parse_bundle(&pem).unwrap(),
        Issued::Pending { .. } => Vec::new(),
    }
}

#[test]
fn a_private_ca_gives_its_chain_and_no_more_time_than_it_has() {
    let tree = grown(days(100));
    let ca = private_ca(&tree, &tree.ca_key, &pem(&[&tree.ca])).unwrap();
    ca.prepare(NOW).unwrap();
    let given = issue(&ca, days(398));
    assert_eq!(given[1..], [tree.ca.clone(), tree.root.clone()]);
    let facts = given[0].facts();
    assert_eq!((facts.not_before, facts.not_after), (NOW, days(100)));
    assert_eq!(ca.above().unwrap().intermediates, [tree.ca]);
    assert_eq!(ca.above().unwrap().root, Some(tree.root));
    assert_eq!(ca.issued(&given[0], &[]), IssuerMatch::Ours);
}

#[test]
fn another_key_of_the_same_name_is_another_issuer() {
    let (old, new) = (grown(days(100)), grown(days(100)));
    let old_ca = private_ca(&old, &old.ca_key, &pem(&[&old.ca])).unwrap();
    let new_ca = private_ca(&new, &new.ca_key, &pem(&[&new.ca])).unwrap();
    let leaf = issue(&old_ca, days(10)).remove(0);
    assert_eq!(
        new_ca.issued(&leaf, &[]),
        IssuerMatch::Other(String::from("signed by another key of 'CN=ca'"))
    );
    assert_ne!(SelfSigned::default().issued(&leaf, &[]), IssuerMatch::Ours);
}

#[test]
fn the_key_is_asked_for_once_and_only_when_it_is_needed() {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};
    let tree = grown(days(100));
    let calls = Arc::new(AtomicUsize::new(0));
    let certificate = pem(&[&tree.ca]);
    let counted = Arc::clone(&calls);
    let files = CaFiles {
        certificate: material(&certificate),
        chain: None,
        root: None,
        crl: None,
    };
    let failing: AuthorityKey = Box::new(move || {
        counted.fetch_add(1, Ordering::Relaxed);
        Err(Error::Source {
            what: String::from("the CA key"),
            why: String::from("gone"),
        })
    });
    let ca = PrivateCa::new(&files, failing).unwrap();
    assert_eq!(calls.load(Ordering::Relaxed), 0);
    for _ in 0..3 {
        let error = ca.prepare(NOW).unwrap_err();
        assert_eq!(
            (error.kind(), error.to_string().as_str()),
            ("issuer.unreadable", "cannot read the CA key: gone")
        );
    }
    assert_eq!(calls.load(Ordering::Relaxed), 1);
}

#[test]
fn what_is_wrong_with_an_authority_has_a_kind_of_its_own() {
    let tree = grown(days(100));
    let leaf = issue(&SelfSigned::default(), days(10)).remove(0);
    let kind = |result: Result<PrivateCa, Error>, now| match result.and_then(|ca| ca.prepare(now)) {
        Ok(()) => "fine",
        Err(error) => error.kind(),
    };
    let ca = || pem(&[&tree.ca]);
    assert_eq!(kind(private_ca(&tree, &tree.ca_key, &ca()), NOW), "fine");
    assert_eq!(
        kind(private_ca(&tree, &tree.ca_key, &ca()), days(100)),
        "issuer.expired"
    );
    assert_eq!(
        kind(private_ca(&tree, &tree.ca_key, &ca()), NOW - Lifetime(1)),
        "issuer.not_yet_valid"
    );
    assert_eq!(
        kind(private_ca(&tree, &key(), &ca()), NOW),
        "issuer.key_mismatch"
    );
    assert_eq!(
        kind(private_ca(&tree, &key(), &pem(&[&leaf])), NOW),
        "issuer.not_a_ca"
    );
    assert_eq!(
        kind(private_ca(&tree, &key(), b"rubbish"), NOW),
        "issuer.unreadable"
    );
    let other = grown(days(100));
    let foreign = Tree {
        root: other.root,
        ..tree
    };
    assert_eq!(
        kind(private_ca(&foreign, &key(), &pem(&[&foreign.ca])), NOW),
        "issuer.chain_incomplete"
    );
}

#[test]
fn only_a_list_of_the_authority_itself_revokes() {
    let (ours, other) = (grown(days(100)), grown(days(100)));
    let leaf = issue(
        &private_ca(&ours, &ours.ca_key, &pem(&[&ours.ca])).unwrap(),
        days(10),
    )
    .remove(0);
    let revoked = [pki::crl::Revocation {
        serial: leaf.facts().serial.clone(),
        at: NOW,
        reason: None,
    }];
    let with_list = |of: &Tree| {
        let authority = Authority::new(of.ca.clone(), of.ca_key.clone(), Vec::new()).unwrap();
        let list = RevocationList::create(&authority, &revoked, 1, NOW, days(7))
            .unwrap()
            .to_pem();
        let certificate = pem(&[&ours.ca]);
        let files = CaFiles {
            certificate: material(&certificate),
            chain: None,
            root: None,
            crl: Some(material(list.as_bytes())),
        };
        PrivateCa::new(&files, Box::new(|| Ok(key())))
    };
    let ca = with_list(&ours).unwrap();
    let detail = format!(
        "serial {} revoked at 2027-01-15T08:00:00Z",
        leaf.facts().serial
    );
    assert_eq!(ca.revoked(&leaf), Some(detail));
    assert_eq!(ca.warnings(days(6)), Vec::<String>::new());
    assert_eq!(ca.warnings(days(8)).len(), 1);
    assert_eq!(with_list(&other).unwrap_err().kind(), "issuer.crl");
}

#[test]
fn an_answer_from_outside_must_be_for_our_key() {
    let tree = grown(days(100));
    let outside = private_ca(&tree, &tree.ca_key, &pem(&[&tree.ca])).unwrap();
    let answer = issue(&outside, days(10));
    let text = pem(&answer.iter().collect::<Vec<_>>());
    let external = External::new(Some(Signed::new(&material(&text)).unwrap()), None).unwrap();
    let (wish, key) = (request("web.example.org", false), key());
    let csr = CertificateRequest::create(&wish, &key).unwrap();
    let wish = Wish {
        template: &wish,
        key: &key,
        not_before: NOW,
        not_after: days(10),
        now: NOW,
    };
    assert_eq!(
        external.issue(&csr, &wish).unwrap_err().kind(),
        "external.other_key"
    );
    assert!(matches!(
        External::default().issue(&csr, &wish),
        Ok(Issued::Pending { .. })
    ));
    assert_eq!(external.issued(&answer[0], &[]), IssuerMatch::Ours);
    let roots = pem(&[&grown(days(1)).root]);
    let strict = External::new(None, Some(&material(&roots))).unwrap();
    assert_ne!(strict.issued(&answer[0], &answer[1..]), IssuerMatch::Ours);
}

#[test]
fn a_vault_judges_by_the_authority_that_signs_now_and_by_nothing_before_it_was_asked() {
    let (old, new) = (grown(days(100)), grown(days(200)));
    let outside = private_ca(&old, &old.ca_key, &pem(&[&old.ca])).unwrap();
    let leaf = issue(&outside, days(10)).remove(0);
    let vault = Vault::default();
    assert_eq!(vault.issued(&leaf, &[]), IssuerMatch::Ours);
    assert_ne!(vault.issued(&old.root, &[]), IssuerMatch::Ours);
    assert_eq!(vault.obtainable(days(398)), days(398));

    let signs = |tree: &Tree| {
        vault.with_issuing(std::sync::Arc::new(Issuing {
            certificate: tree.ca.clone(),
            above: vec![tree.root.clone()],
        }))
    };
    assert_eq!(signs(&old).issued(&leaf, &[]), IssuerMatch::Ours);
    assert_ne!(signs(&new).issued(&leaf, &[]), IssuerMatch::Ours);
    let (known, issuing) = (signs(&old), signs(&old).issuing().unwrap().clone());
    assert!(known.obtainable(days(398)) < issuing.until(days(398)));
    assert!(issuing.until(days(398)) < days(100));
    assert_eq!(
        (known.obtainable(days(9)), issuing.until(days(9))),
        (days(9), days(9))
    );

    let revoked = vault.with_revocation(Some(NOW));
    assert!(
        revoked
            .revoked(&leaf)
            .unwrap()
            .ends_with("2027-01-15T08:00:00Z")
    );
    assert_eq!(vault.revoked(&leaf), None);
}

#[test]
fn a_vault_gives_what_the_server_gave_and_nothing_else() {
    let tree = grown(days(100));
    let (wish, key) = (request("web.example.org", false), key());
    let csr = CertificateRequest::create(&wish, &key).unwrap();
    let wish = Wish {
        template: &wish,
        key: &key,
        not_before: NOW,
        not_after: days(10),
        now: NOW,
    };
    let vault = Vault::default();
    assert_eq!(
        vault.issue(&csr, &wish).unwrap_err().kind(),
        "issuer.refused"
    );
    let answer = pem(&[&tree.ca]);
    let Issued::Bytes { pem } = vault.with_chain(answer.clone()).issue(&csr, &wish).unwrap() else {
        unreachable!()
    };
    assert_eq!(pem, answer);
}
