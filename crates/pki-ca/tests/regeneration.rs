// SPDX-License-Identifier: Apache-2.0
//! Drift, losses and what makes an authority anew, each certificate judged by the openssl command line.
#![expect(clippy::unwrap_used, reason = "tests")]

mod support;

use serde_json::{Value, json};
use support::{Tree, authorities, openssl, request, sh};
use testbed::witness;

fn drift_of<'a>(answer: &'a testbed::Answer, what: &str) -> &'a Value {
    let failures = answer.value["failures"][0]["differences"]
        .as_array()
        .unwrap();
    failures
        .iter()
        .find(|each| each["what"] == what)
        .unwrap_or(&Value::Null)
}

#[test]
fn drift_is_refused_with_every_difference_and_healed_only_by_regenerate() {
    let tree = Tree::with_authorities();
    let changed = json!([
        {"name": "Root", "common_name": "Other Root", "path_length": 3, "key": {"algorithm": "ecdsa", "curve": "P-384"},
         "name_constraints": {"permitted_dns": ["example.org"]}}]);
    let refused = tree.refused(json!({"authorities": changed}), "authority.drift");
    assert_eq!(drift_of(&refused, "subject")["wished"], "CN=Other Root");
    assert_eq!(drift_of(&refused, "path_length")["existing"], "none");
    assert_eq!(drift_of(&refused, "key")["existing"], "ECDSA P-256");
    assert!(
        drift_of(&refused, "name_constraints")["wished"]
            .as_str()
            .unwrap()
            .contains("example.org")
    );
    assert!(
        refused.value["error"]["hint"]
            .as_str()
            .unwrap()
            .contains("regenerate_key: Root")
    );
    // The same key cannot become one of another curve.
    let half = json!({"authorities": changed, "regenerate": "Root"});
    let refused = tree.refused(half, "authority.drift");
    assert_eq!(
        refused.value["failures"][0]["differences"]
            .as_array()
            .unwrap()
            .len(),
        1
    );
    let done = tree.run(json!({"authorities": changed, "regenerate_key": "Root"}));
    assert_eq!(
        done.value["authorities"]["Root"]["action"],
        "rekeyed",
        "{}",
        done.report()
    );
    assert_eq!(
        done.value["authorities"]["Int"]["action"],
        "reissued",
        "{}",
        done.report()
    );
    tree.quiet(json!({"authorities": changed}));
    tree.assert_pair("Root");
    tree.assert_pair("Int");
    witness::verify(tree.certificate("Root"), "", tree.certificate("Int"), "").unwrap();
}

#[test]
fn another_parent_is_drift() {
    let tree = Tree::with_authorities();
    let mut wishes = authorities();
    wishes[1]["parent"] = "Second".into();
    wishes
        .as_array_mut()
        .unwrap()
        .push(json!({"name": "Second", "key": {"algorithm": "ecdsa"}}));
    let refused = tree.check(json!({"authorities": wishes}));
    assert_eq!(refused.kind(), "authority.drift", "{}", refused.report());
    assert_eq!(drift_of(&refused, "parent")["existing"], "CN=Example Root");
    let done = tree.run(json!({"authorities": wishes, "regenerate": ["Int"]}));
    assert_eq!(
        done.value["authorities"]["Int"]["action"],
        "reissued",
        "{}",
        done.report()
    );
    witness::verify(tree.certificate("Second"), "", tree.certificate("Int"), "").unwrap();
    tree.quiet(json!({"authorities": wishes}));
}

#[test]
fn regenerate_keeps_the_key_and_the_old_certificate_and_refreshes_what_is_below() {
    let tree = Tree::with_authorities();
    let sign = json!([{"name": "web", "csr": request("web.example.org").1}]);
    tree.converge(json!({"authorities": authorities(), "sign": sign}));
    let (key, old, int) = (
        tree.read("roots/Root/private/Root.key.pem"),
        tree.certificate("Root"),
        tree.certificate("Int"),
    );
    let args = json!({"authorities": authorities(), "regenerate": "Root", "sign": sign});
    let predicted = tree.check(args.clone());
    let done = tree.run(args);
    for answer in [&predicted, &done] {
        assert_eq!(
            answer.value["authorities"]["Root"]["action"],
            "reissued",
            "{}",
            answer.report()
        );
        assert_eq!(
            answer.value["authorities"]["Int"]["action"],
            "repaired",
            "{}",
            answer.report()
        );
        assert_eq!(
            answer.value["signed"][0]["changed"],
            true,
            "{}",
            answer.report()
        );
    }
    assert_eq!(tree.read("roots/Root/private/Root.key.pem"), key);
    assert_eq!(tree.read("roots/Root/certs/Root-1000.crt"), old);
    assert_eq!(tree.read("roots/Root/serial"), "1001");
    assert_eq!(tree.certificate("Int"), int);
    assert_eq!(
        tree.read("roots/Int/certs/Int-chain.crt"),
        format!("{int}{}", tree.certificate("Root"))
    );
    assert_ne!(tree.certificate("Root"), old);
    assert_eq!(
        std::fs::read_link(tree.path("roots/Root/certs/Root.crt"))
            .unwrap()
            .to_str(),
        Some("Root-1001.crt")
    );
    tree.quiet(json!({"authorities": authorities(), "sign": sign}));
}

#[test]
fn a_new_root_key_takes_three_tiers_with_it_in_the_right_order() {
    let tree = Tree::new();
    let wishes = json!([
        {"name": "C", "type": "intermediate", "parent": "B", "state": "active", "key": {"algorithm": "ed25519"}},
        {"name": "B", "type": "intermediate", "parent": "A", "path_length": 1, "key": {"algorithm": "ecdsa"}},
        {"name": "A", "key": {"algorithm": "ecdsa"}}]);
    let sign = json!([{"name": "web", "csr": request("web.example.org").1}]);
    tree.converge(json!({"authorities": wishes, "sign": sign}));
    let old_leaf = tree.read("certs/certs/web.crt");
    let done = tree.run(json!({"authorities": [{"name": "A"}], "regenerate_key": true}));
    assert_eq!(
        done.value["authorities"]["A"]["action"],
        "rekeyed",
        "{}",
        done.report()
    );
    assert_eq!(done.value["authorities"]["B"]["action"], "reissued");
    assert_eq!(done.value["authorities"]["C"]["action"], "repaired");
    tree.quiet(json!({"authorities": wishes}));
    for name in ["A", "B", "C"] {
        tree.assert_pair(name);
    }
    let middle = [tree.certificate("C"), tree.certificate("B")].concat();
    witness::verify(tree.certificate("A"), &middle, &old_leaf, "web.example.org").unwrap();
    let again = tree.converge(json!({"authorities": wishes, "sign": sign}));
    assert_eq!(tree.read("certs/certs/web.crt"), old_leaf);
    assert_eq!(again.value["signed"][0]["reasons"][0]["kind"], "chain");
    assert_eq!(
        std::fs::read_dir(tree.path("roots/A/private"))
            .unwrap()
            .count(),
        2,
        "the old key is kept beside"
    );
}

#[test]
fn a_lost_key_names_what_it_invalidates_and_heals_only_by_regenerate() {
    let tree = Tree::with_authorities();
    tree.converge(json!({"authorities": authorities(), "sign": [{"name": "web", "csr": request("web.example.org").1}]}));
    std::fs::remove_file(tree.key_path("Int")).unwrap();
    let refused = tree.refused(json!({"authorities": authorities()}), "authority.key_lost");
    assert!(refused.msg().contains("'web'"), "{}", refused.msg());
    let done = tree.run(json!({"authorities": authorities(), "regenerate": "Int"}));
    assert_eq!(
        done.value["authorities"]["Int"]["action"],
        "rekeyed",
        "{}",
        done.report()
    );
    tree.assert_pair("Int");
    tree.quiet(json!({"authorities": authorities()}));
}

#[test]
fn a_lost_certificate_is_made_again_for_the_same_key() {
    let tree = Tree::with_authorities();
    let key = tree.read("roots/Root/private/Root.key.pem");
    std::fs::remove_file(tree.path("roots/Root/certs/Root-1000.crt")).unwrap();
    let int = tree.certificate("Int");
    let done = tree.converge(json!({"authorities": authorities()}));
    assert_eq!(
        done.value["authorities"]["Root"]["reasons"][0]["kind"],
        "certificate_missing"
    );
    assert_eq!(tree.read("roots/Root/private/Root.key.pem"), key);
    witness::verify(tree.certificate("Root"), "", int, "").unwrap();
}

#[test]
fn owner_and_mode_are_repaired_without_touching_the_key() {
    let tree = Tree::with_authorities();
    let key = tree.read("roots/Root/private/Root.key.pem");
    sh(
        &tree.path("roots/Root"),
        "chmod 0644 private/Root.key.pem; chmod 0755 private",
    );
    let serial = tree.certificate("Root");
    let done = tree.converge(json!({"authorities": authorities()}));
    assert_eq!(done.value["authorities"]["Root"]["action"], "repaired");
    assert_eq!(
        tree.sandbox.mode("tree/roots/Root/private/Root.key.pem"),
        0o600
    );
    assert_eq!(tree.sandbox.mode("tree/roots/Root/private"), 0o700);
    assert_eq!(
        (
            tree.read("roots/Root/private/Root.key.pem"),
            tree.certificate("Root")
        ),
        (key, serial)
    );
}

#[test]
fn a_key_gets_its_passphrase_with_the_next_certificate() {
    let tree = Tree::with_authorities();
    let mut wishes = authorities();
    wishes[0]["key"]["passphrase"] = "correct horse".into();
    let refused = tree.refused(json!({"authorities": wishes}), "authority.drift");
    assert_eq!(
        drift_of(&refused, "key.passphrase")["wished"],
        "an encrypted key"
    );
    let public = openssl(
        tree.sandbox.path(),
        &[
            "x509",
            "-in",
            "tree/roots/Root/certs/Root.crt",
            "-noout",
            "-pubkey",
        ],
    );
    let done = tree.run(json!({"authorities": wishes, "regenerate": "Root"}));
    assert!(!done.failed(), "{}", done.report());
    assert!(
        tree.read("roots/Root/private/Root.key.pem")
            .contains("ENCRYPTED")
    );
    assert_eq!(
        openssl(
            tree.sandbox.path(),
            &[
                "x509",
                "-in",
                "tree/roots/Root/certs/Root.crt",
                "-noout",
                "-pubkey"
            ]
        ),
        public
    );
    tree.quiet(json!({"authorities": wishes}));
}
