// SPDX-License-Identifier: Apache-2.0
//! What is lost of a tree, or mistaken in a task, must not undo what was published.
#![expect(clippy::unwrap_used, reason = "tests")]

mod support;

use serde_json::json;
use support::{Tree, authorities, request};

const SERIAL: &str = "5D0E41";

fn revoke(serial: &str) -> serde_json::Value {
    json!({"authorities": authorities(), "revoke": [{"authority": "Int", "serial": serial}]})
}

fn listed(tree: &Tree) -> String {
    let list = tree.path("roots/Int/crl/Int.crl");
    let text = tree.sandbox.join("list.txt");
    support::sh(
        tree.sandbox.path(),
        &format!(
            "openssl crl -in {} -noout -text > {}",
            list.display(),
            text.display()
        ),
    );
    std::fs::read_to_string(text).unwrap()
}

#[test]
fn a_lost_index_does_not_put_revoked_certificates_back_into_service() {
    let tree = Tree::with_authorities();
    tree.run(revoke(SERIAL));
    std::fs::remove_file(tree.path("roots/Int/index.json")).unwrap();
    tree.converge(json!({"authorities": authorities(), "crl": {}}));
    assert!(listed(&tree).contains(SERIAL), "{}", listed(&tree));
    // The next list that is made has both, under a number that was never used.
    tree.run(revoke("5D0E42"));
    let text = listed(&tree);
    assert!(text.contains(SERIAL) && text.contains("5D0E42"), "{text}");
    assert!(tree.read("roots/Int/index.json").contains(SERIAL));
}

#[test]
fn an_old_backup_of_the_index_does_not_either() {
    let tree = Tree::with_authorities();
    tree.run(revoke("5D0E42"));
    let backup = tree.read("roots/Int/index.json");
    tree.run(revoke(SERIAL));
    std::fs::write(tree.path("roots/Int/index.json"), backup).unwrap();
    tree.run(revoke("5D0E43"));
    let text = listed(&tree);
    for serial in [SERIAL, "5D0E42", "5D0E43"] {
        assert!(text.contains(serial), "{serial}: {text}");
    }
}

#[test]
fn a_list_that_somebody_else_signed_is_not_believed() {
    let tree = Tree::with_authorities();
    tree.run(json!({"authorities": authorities(), "crl": {},
        "revoke": [{"authority": "Root", "serial": SERIAL}]}));
    std::fs::copy(
        tree.path("roots/Root/crl/Root.crl"),
        tree.path("roots/Int/crl/Int.crl"),
    )
    .unwrap();
    tree.run(json!({"authorities": authorities(), "crl": {}}));
    assert!(!listed(&tree).contains(SERIAL), "{}", listed(&tree));
}

#[test]
fn a_root_is_not_put_on_its_own_list() {
    let tree = Tree::with_authorities();
    let root = tree.certificate("Root");
    tree.refused(
        json!({"authorities": authorities(), "revoke": [{"authority": "Root", "certificate": root}]}),
        "revoke.root",
    );
}

#[test]
fn warnings_are_told_also_where_another_entry_failed() {
    let tree = Tree::with_authorities();
    let root = tree.certificate("Root");
    let mut options = revoke(SERIAL);
    options["revoke"]
        .as_array_mut()
        .unwrap()
        .push(json!({"authority": "Root", "certificate": root}));
    let answer = tree.args(options).run();
    assert!(
        answer.failed() && answer.kind() == "revoke.root",
        "{}",
        answer.report()
    );
    let warning = answer.value["warnings"][0].as_str().unwrap_or_default();
    assert!(warning.contains(SERIAL), "{}", answer.report());
}

#[test]
fn a_serial_number_that_nobody_knows_is_revoked_with_a_word() {
    let tree = Tree::with_authorities();
    let (_, csr) = request("web.example.org");
    let signed =
        tree.run(json!({"authorities": authorities(), "sign": [{"name": "web", "csr": csr}]}));
    let known = signed.value["signed"][0]["serial"]
        .as_str()
        .unwrap()
        .to_owned();
    let answer = tree.run(revoke(SERIAL));
    assert!(answer.changed(), "{}", answer.report());
    let warning = answer.value["warnings"][0].as_str().unwrap();
    assert!(
        warning.starts_with("revoke[0]: ") && warning.contains(SERIAL),
        "{warning}"
    );
    let answer = tree.run(revoke(&known));
    assert!(
        answer.changed() && answer.value.get("warnings").is_none(),
        "{}",
        answer.report()
    );
}

#[test]
fn the_root_of_the_file_system_is_no_tree() {
    let tree = Tree::new();
    let answer = tree
        .args(json!({"backend": {"files": {"directory": "/"}}, "authorities": authorities()}))
        .check(true)
        .run();
    assert_eq!(answer.kind(), "input.invalid", "{}", answer.report());
}

#[test]
fn a_parent_that_was_lost_and_made_anew_is_told_from_the_old_one() {
    let tree = Tree::with_authorities();
    std::fs::remove_dir_all(tree.path("roots/Root")).unwrap();
    let answer = tree.run(json!({"authorities": authorities()}));
    assert_eq!(answer.kind(), "authority.drift", "{}", answer.report());
    assert!(
        answer.msg().contains("'CN=Example Root with another key'"),
        "{}",
        answer.msg()
    );
}

#[test]
fn plausible_slips_are_named() {
    let tree = Tree::new();
    for (change, expected) in [
        (
            json!({"common_name": "{{ ca_name }}"}),
            "is a template that was not rendered",
        ),
        (
            json!({"subject": {"O": "a {% if x %}b{% endif %}"}}),
            "is a template that was not rendered",
        ),
        (json!({"subject": {"C": false}}), "quote it, as in \"NO\""),
        (
            json!({"ttl": 3650}),
            "'3650' has no unit; write 3650d for days or 3650s for seconds",
        ),
    ] {
        let mut authority = json!({"name": "Root", "key": {"algorithm": "ecdsa"}});
        authority
            .as_object_mut()
            .unwrap()
            .extend(change.as_object().unwrap().clone());
        let answer = tree.refused(json!({"authorities": [authority]}), "input.invalid");
        assert!(answer.msg().contains(expected), "{}", answer.msg());
    }
}
