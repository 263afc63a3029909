// SPDX-License-Identifier: Apache-2.0
//! Tables over the decision. The mount is what `apply` would have left: a root `root-1`, the default, and `int-1` below it;
//! each row changes the wish, what is seen, or the time.
#![expect(clippy::unwrap_used, clippy::panic, reason = "tests")]

use ansible_module::Failure as _;
use pki::{
    Authority, BasicConstraints, Certificate, CertificateTemplate, Curve, KeyAlgorithm, KeyUsage,
    PrivateKey, RequestTemplate, Subject, self_sign,
};
use serde_json::{Value, json};

mod parents;

use super::super::observe::{ISSUING, ObservedKey};
use super::super::server::Server;
use super::*;

const NOW: Timestamp = Timestamp(1_800_000_000);
const DAY: u64 = 86_400;

/// A change of what is seen.
type Change = fn(&mut Observed);

fn task(more: Value) -> Request {
    let vault = json!({"url": ["https://vault.example.org:8200"], "auth": {"token": "t-o-k-e-n"}});
    let mut all = json!({"backend": {"vault": vault}});
    let merged = all.as_object_mut().unwrap();
    merged.extend(more.as_object().unwrap().clone());
    let all = all.as_object().unwrap().clone();
    let read = ansible_module::understood::<crate::PkiCa>(all, std::time::UNIX_EPOCH);
    Request::try_from_params(read.unwrap().params).unwrap_or_else(|faults| panic!("{faults}"))
}

fn key() -> PrivateKey {
    PrivateKey::generate(KeyAlgorithm::Ecdsa(Curve::P256)).unwrap()
}

fn template(name: &str, path_length: Option<u8>, days: u64) -> CertificateTemplate {
    let request = RequestTemplate {
        subject: Subject::from_pairs([("CN", name)]).unwrap(),
        key_usage: vec![KeyUsage::KeyCertSign, KeyUsage::CrlSign],
        basic_constraints: Some(BasicConstraints {
            ca: true,
            path_length,
        }),
        ..RequestTemplate::default()
    };
    CertificateTemplate::new(request, NOW, NOW + pki::Lifetime(days * DAY))
}

fn issuer(name: &str, certificate: Certificate, above: &[Certificate]) -> ObservedIssuer {
    ObservedIssuer {
        id: format!("id-of-{name}"),
        name: name.to_owned(),
        key_id: Some(format!("key-of-{name}")),
        is_default: false,
        certificate,
        above: above.to_vec(),
        manual_chain: Vec::new(),
        usage: vec![ISSUING.to_owned(), "read-only".to_owned()],
        leaf_not_after: "truncate".to_owned(),
        revoked: false,
    }
}

fn held(name: &str, key: &PrivateKey) -> ObservedKey {
    ObservedKey {
        id: format!("key-of-{name}"),
        name: name.to_owned(),
        kind: Some("ec".to_owned()),
        identifier: Some(key.public_key().unwrap().key_identifier().to_vec()),
    }
}

/// With `root-1`, which allows `path_length` below it, and `int-1`.
fn seen(path_length: Option<u8>) -> Observed {
    let (upper, lower) = (key(), key());
    let root = self_sign(&template("root-1", path_length, 3_650), &upper).unwrap();
    let signer = Authority::new(root.clone(), upper.clone(), Vec::new()).unwrap();
    let below = template("int-1", Some(0), 1_825);
    let below = signer.sign(&below, &lower.public_key().unwrap()).unwrap();
    let mut first = issuer("root-1", root.clone(), &[]);
    first.is_default = true;
    let mount = ObservedMount {
        exists: true,
        max_ttl: Some(3_650 * DAY),
        default_ttl: Some(30 * DAY),
        issuers: vec![first, issuer("int-1", below, &[root])],
        keys: vec![held("root-1", &upper), held("int-1", &lower)],
    };
    let mut observed = Observed::of(Server {
        version: "2.7.2".to_owned(),
        ..Server::default()
    });
    observed.mounts.insert("pki".to_owned(), mount);
    observed
}

fn mount(observed: &mut Observed) -> &mut ObservedMount {
    observed.mounts.get_mut("pki").unwrap()
}

fn int(more: Value) -> Value {
    let mut wish = json!({"name": "int-1", "type": "intermediate"});
    wish.as_object_mut()
        .unwrap()
        .extend(more.as_object().unwrap().clone());
    wish
}

/// Kind of the first failure, or the action of the last authority.
fn verdict(plan: &Plan) -> String {
    match (plan.failed.first(), plan.authorities.last()) {
        (Some(failed), _) => failed.failure.kind().to_owned(),
        (None, Some(decided)) => decided.action.to_owned(),
        (None, None) => "nothing".to_owned(),
    }
}

#[test]
fn every_wish_for_an_authority_that_is_there_has_its_verdict() {
    let untouched: Change = |_| {};
    let rows: [(Value, Change, &str); 13] = [
        (int(json!({"parent": "root-1"})), untouched, "kept"),
        (
            int(json!({"parent": "root-1", "state": "active"})),
            untouched,
            "activated",
        ),
        (int(json!({"state": "retired"})), untouched, "retired"),
        (int(json!({"state": "revoked"})), untouched, "revoked"),
        (
            int(json!({"state": "absent", "confirm": "pki"})),
            untouched,
            "removed",
        ),
        (
            int(json!({"common_name": "Other"})),
            untouched,
            "authority.drift",
        ),
        (int(json!({"path_length": 2})), untouched, "authority.drift"),
        (
            int(json!({"parent": "nobody"})),
            untouched,
            "authority.missing",
        ),
        (
            int(json!({"chain_issuers": ["nobody"]})),
            untouched,
            "authority.missing",
        ),
        (
            int(json!({"leaf_not_after_behavior": "permit"})),
            untouched,
            "repaired",
        ),
        (
            int(json!({"state": "active"})),
            |seen| mount(seen).issuers[1].key_id = None,
            "authority.key_unavailable",
        ),
        (
            int(json!({})),
            |seen| mount(seen).issuers[1].revoked = true,
            "authority.out_of_service",
        ),
        (
            int(json!({})),
            |seen| mount(seen).issuers[1].usage = vec!["read-only".to_owned()],
            "returned",
        ),
    ];
    for (wish, change, expected) in rows {
        let mut observed = seen(None);
        change(&mut observed);
        let plan = decide(
            &task(json!({"authorities": [wish.clone()]})),
            &observed,
            NOW,
        );
        assert_eq!(verdict(&plan), expected, "{wish}: {plan:?}");
    }
}

#[test]
fn every_wish_for_a_new_authority_has_its_verdict() {
    let rows = [
        (json!({"name": "root-2", "ttl": "30d"}), None, "created"),
        (
            json!({"name": "root-2", "ttl": "3651d"}),
            None,
            "vault.ttl_too_long",
        ),
        (
            json!({"name": "int-2", "type": "intermediate", "parent": "root-1"}),
            None,
            "created",
        ),
        (
            json!({"name": "int-2", "type": "intermediate"}),
            None,
            "authority.no_issuer",
        ),
        (
            json!({"name": "int-2", "type": "intermediate", "parent": "int-1"}),
            None,
            "sign.path_length",
        ),
        (
            json!({"name": "int-2", "type": "intermediate", "parent": "root-1", "path_length": 1}),
            Some(1),
            "sign.path_length",
        ),
        (
            json!({"name": "int-2", "type": "intermediate", "parent": "root-1", "path_length": 1}),
            Some(2),
            "created",
        ),
        (
            json!({"name": "int-2", "type": "intermediate", "state": "csr"}),
            None,
            "requested",
        ),
        (
            json!({"name": "int-2", "type": "intermediate", "state": "csr", "key_name": "int-1"}),
            None,
            "kept",
        ),
        (
            json!({"name": "int-2", "type": "intermediate", "state": "csr", "key_name": "int-1", "key": {"algorithm": "ecdsa"}}),
            None,
            "kept",
        ),
        (
            json!({"name": "int-2", "type": "intermediate", "state": "csr", "key_name": "int-1", "key": {"algorithm": "ed25519"}}),
            None,
            "authority.drift",
        ),
        (
            json!({"name": "gone", "state": "retired"}),
            None,
            "authority.missing",
        ),
        (
            json!({"name": "gone", "state": "absent", "confirm": "pki"}),
            None,
            "kept",
        ),
    ];
    for (wish, path_length, expected) in rows {
        let plan = decide(
            &task(json!({"authorities": [wish.clone()]})),
            &seen(path_length),
            NOW,
        );
        assert_eq!(verdict(&plan), expected, "{wish}: {plan:?}");
    }
}

#[test]
fn the_default_leaves_only_when_another_takes_its_place() {
    let old = json!({"name": "root-1", "state": "retired"});
    let alone = decide(
        &task(json!({"authorities": [old.clone()]})),
        &seen(None),
        NOW,
    );
    assert_eq!(verdict(&alone), "authority.is_default");
    let next = int(json!({"state": "active"}));
    let both = decide(&task(json!({"authorities": [old, next]})), &seen(None), NOW);
    let order: Vec<&str> = both
        .authorities
        .iter()
        .map(|each| each.name.as_str())
        .collect();
    assert!(both.failed.is_empty(), "{both:?}");
    assert_eq!(order, ["int-1", "root-1"], "who leaves goes last");
}

#[test]
fn what_others_are_built_on_comes_first() {
    let list = json!([
        {"name": "int-3", "type": "intermediate", "parent": "root-3", "chain_issuers": ["root-3-x-root-1"]},
        {"name": "root-3", "state": "cross_signed", "parent": "root-1"},
    ]);
    let plan = decide(&task(json!({"authorities": list})), &seen(None), NOW);
    let order: Vec<&str> = plan
        .authorities
        .iter()
        .map(|each| each.name.as_str())
        .collect();
    assert_eq!(order, ["root-3", "int-3"], "{plan:?}");
}

#[test]
fn what_depends_on_a_failure_fails_for_that_reason() {
    let list = json!([
        {"name": "root-3", "ttl": "9999d"},
        {"name": "int-3", "type": "intermediate", "parent": "root-3"},
    ]);
    let plan = decide(&task(json!({"authorities": list})), &seen(None), NOW);
    let kinds: Vec<_> = plan.failed.iter().map(|each| each.failure.kind()).collect();
    assert_eq!(kinds, ["vault.ttl_too_long", "authority.dependency"]);
}

#[test]
fn ends_that_come_near_are_warned_of() {
    let wish = task(json!({"authorities": [{"name": "root-1"}]}));
    let at = |days: u64| decide(&wish, &seen(None), NOW + pki::Lifetime(days * DAY)).warnings;
    assert!(at(10).is_empty(), "{:?}", at(10));
    assert!(at(3_630)[0].contains("expires at"), "{:?}", at(3_630));
    assert!(at(3_660)[0].contains("expired at"), "{:?}", at(3_660));
    let mut observed = seen(None);
    mount(&mut observed).default_ttl = Some(4_000 * DAY);
    let warnings = decide(&wish, &observed, NOW).warnings;
    assert!(warnings[0].contains("default lifetime"), "{warnings:?}");
}

#[test]
fn a_server_before_issuers_had_names_is_left_alone() {
    let mut observed = seen(None);
    observed.server.version = "1.10.11".to_owned();
    for state in ["present", "active", "retired"] {
        let wish = json!({"authorities": [{"name": "root-1", "state": state}],
            "revoke": [{"authority": "root-1", "serial": "01"}], "crl": {}});
        let plan = decide(&task(wish), &observed, NOW);
        let kinds: Vec<_> = plan.failed.iter().map(|each| each.failure.kind()).collect();
        assert_eq!(kinds, ["vault.too_old"; 3], "{state}");
    }
}
