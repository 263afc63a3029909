// SPDX-License-Identifier: Apache-2.0
//! Whole lives of authorities, each certificate judged by the openssl command line.
#![expect(clippy::unwrap_used, reason = "tests")]

mod support;

use serde_json::{Value, json};
use support::{Tree, authorities, openssl, request};
use testbed::witness;

#[test]
fn a_root_and_an_intermediate_sign_a_hundred_requests_and_revoke_one() {
    let tree = Tree::new();
    tree.converge(json!({"authorities": authorities(), "crl": {"authorities": "all"}}));
    tree.assert_pair("Root");
    tree.assert_pair("Int");
    let (root, int) = (tree.certificate("Root"), tree.certificate("Int"));
    witness::verify_with(&["-x509_strict"], root.as_bytes(), b"", int.as_bytes(), "").unwrap();
    assert_eq!(
        tree.read("roots/Int/certs/Int-chain.crt"),
        format!("{int}{root}")
    );
    assert_eq!(tree.read("roots/Root/certs/Root-chain.crt"), root);

    let wishes: Vec<Value> = (0..100)
        .map(|n| json!({"name": format!("host{n}"), "csr": request(&format!("host{n}.example.org")).1}))
        .collect();
    let signed = tree.converge(json!({"authorities": authorities(), "sign": wishes}));
    let entries = signed.value["signed"].as_array().unwrap();
    assert_eq!(entries.len(), 100);
    let mut serials = std::collections::BTreeSet::new();
    for (n, entry) in entries.iter().enumerate() {
        let name = format!("www.host{n}.example.org");
        let certificate = entry["certificate"].as_str().unwrap();
        witness::verify_strict(&root, entry["chain"].as_str().unwrap(), certificate, &name)
            .unwrap();
        assert_eq!(entry["name"], format!("host{n}"));
        assert_eq!(tree.read(&format!("certs/certs/host{n}.crt")), certificate);
        assert!(serials.insert(entry["serial"].as_str().unwrap().to_owned()));
    }

    let victim = entries[7]["certificate"].as_str().unwrap();
    let revoke = json!({"authorities": authorities(), "revoke": [
        {"authority": "Int", "certificate": victim, "reason": "keyCompromise"}]});
    let revoked = tree.converge(revoke);
    assert_eq!(revoked.value["revoked"][0]["serial"], entries[7]["serial"]);
    assert_eq!(revoked.value["crls"]["Int"]["number"], 2);
    let crl = tree.path("roots/Int/crl/Int.crl");
    witness::crl_verify(&crl, tree.path("roots/Int/certs/Int.crt")).unwrap();
    assert!(witness::crl_text(&crl).unwrap().contains("Key Compromise"));
    let lists = [
        tree.read("roots/Int/crl/Int.crl"),
        tree.read("roots/Root/crl/Root.crl"),
    ]
    .concat();
    let list_file = tree.sandbox.write("lists.pem", lists);
    let options = ["-crl_check_all", "-CRLfile", list_file.to_str().unwrap()];
    let said = witness::verify_with(
        &options,
        root.as_bytes(),
        int.as_bytes(),
        victim.as_bytes(),
        "",
    );
    assert!(said.unwrap_err().contains("revoked"));
    let good = entries[8]["certificate"].as_str().unwrap();
    witness::verify_with(
        &options,
        root.as_bytes(),
        int.as_bytes(),
        good.as_bytes(),
        "",
    )
    .unwrap();

    // The revoked one is signed again, the others stay.
    let again = tree.converge(json!({"authorities": authorities(), "sign": wishes}));
    let changed: Vec<usize> = again.value["signed"]
        .as_array()
        .unwrap()
        .iter()
        .enumerate()
        .filter(|(_, entry)| entry["changed"] == true)
        .map(|(n, _)| n)
        .collect();
    assert_eq!(changed, [7]);
    assert_eq!(again.value["signed"][7]["reasons"][0]["kind"], "revoked");
}

#[test]
fn a_root_is_rolled_over_with_a_bridge() {
    let tree = Tree::with_authorities();
    let leaf = tree
        .run(json!({"authorities": authorities(), "sign": [{"csr": request("a.example.org").1}]}));
    assert!(leaf.changed());
    let new = json!([
        {"name": "Root", "common_name": "Example Root"},
        {"name": "New", "key": {"algorithm": "ecdsa"}, "state": "cross_signed", "parent": "Root"},
        {"name": "NewInt", "type": "intermediate", "parent": "New", "state": "active", "key": {"algorithm": "ecdsa"}}]);
    let done = tree.converge(
        json!({"authorities": new, "sign": [{"name": "b", "csr": request("b.example.org").1}]}),
    );
    let certificate = done.value["signed"][0]["certificate"].as_str().unwrap();
    let bridge = tree.read("roots/New/certs/New-cross-Root.crt");
    // Clients that know only the old root, and those that know only the new one.
    let untrusted = [bridge, tree.certificate("NewInt")].concat();
    witness::verify(
        tree.certificate("Root"),
        &untrusted,
        certificate,
        "b.example.org",
    )
    .unwrap();
    witness::verify(
        tree.certificate("New"),
        tree.certificate("NewInt"),
        certificate,
        "b.example.org",
    )
    .unwrap();
    assert!(
        tree.read("roots/Int/index.json")
            .contains("\"state\": \"present\""),
        "the old one is active no more"
    );
}

#[test]
fn retired_and_revoked_authorities_sign_no_more_and_absent_ones_are_gone() {
    let tree = Tree::with_authorities();
    tree.converge(json!({"authorities": authorities(), "sign": [{"name": "web", "csr": request("web.example.org").1}]}));
    let state = |state: &str| json!([{"name": "Int", "type": "intermediate", "state": state}]);
    let sign = json!([{"authority": "Int", "csr": request("b.example.org").1}]);
    tree.converge(json!({"authorities": state("retired")}));
    tree.refused(json!({"sign": sign}), "authority.out_of_service");
    tree.refused(
        json!({"sign": [{"csr": request("b.example.org").1}]}),
        "sign.no_active_authority",
    );
    tree.refused(json!({"authorities": state("absent")}), "authority.in_use");
    let revoked = tree.converge(json!({"authorities": state("revoked")}));
    assert!(
        revoked.value["crls"]["Root"]["changed"] == true,
        "{}",
        revoked.report()
    );
    let list = tree.path("roots/Root/crl/Root.crl");
    let said = witness::verify_with(
        &["-crl_check", "-CRLfile", list.to_str().unwrap()],
        tree.certificate("Root").as_bytes(),
        b"",
        tree.certificate("Int").as_bytes(),
        "",
    );
    assert!(said.unwrap_err().contains("revoked"));
    tree.refused(
        json!({"authorities": state("present")}),
        "authority.out_of_service",
    );
    tree.refused(
        json!({"authorities": [{"name": "Root", "state": "revoked"}]}),
        "revoke.root",
    );
    let mut absent = state("absent");
    absent[0]["force"] = true.into();
    tree.converge(json!({"authorities": absent}));
    assert!(!tree.path("roots/Int").exists());
    tree.converge(json!({"authorities": [{"name": "Root", "state": "absent"}]}));
    assert!(!tree.path("roots/Root").exists());
}

#[test]
fn an_encrypted_key_needs_its_passphrase_and_never_shows_it() {
    let tree = Tree::new();
    let with = |passphrase: &str| {
        json!([{"name": "Root", "state": "active",
        "key": {"algorithm": "rsa", "size": 2048, "passphrase": passphrase}}])
    };
    let made = tree.converge(json!({"authorities": with("correct horse")}));
    made.never_says("correct horse").never_says("PRIVATE KEY");
    assert!(
        tree.read("roots/Root/private/Root.key.pem")
            .contains("ENCRYPTED")
    );
    openssl(
        &tree.path("roots/Root"),
        &[
            "rsa",
            "-in",
            "private/Root.key.pem",
            "-passin",
            "pass:correct horse",
            "-check",
            "-noout",
        ],
    );
    tree.refused(
        json!({"authorities": with("wrong horse")}),
        "key.passphrase_wrong",
    )
    .never_says("wrong horse");
    let sign = json!({"sign": [{"csr": request("a.example.org").1}]});
    tree.refused(sign, "authority.key_unavailable");
    let plain = json!({"authorities": [{"name": "Root"}]});
    tree.refused(plain, "key.encrypted");
}

#[test]
fn expired_authorities_warn_and_do_not_sign() {
    let tree = Tree::new();
    let short =
        json!([{"name": "Root", "ttl": "2s", "state": "active", "key": {"algorithm": "ecdsa"}}]);
    tree.run(json!({"authorities": short}));
    std::thread::sleep(std::time::Duration::from_secs(3));
    let kept = tree.quiet(json!({"authorities": short}));
    assert!(
        kept.value["warnings"][0]
            .as_str()
            .unwrap()
            .contains("expired at"),
        "{}",
        kept.report()
    );
    let refused = tree.refused(
        json!({"authorities": short, "sign": [{"csr": request("a.example.org").1}]}),
        "authority.expired",
    );
    assert!(
        refused.value["error"]["hint"]
            .as_str()
            .unwrap()
            .contains("regenerate: Root")
    );
}

#[test]
fn two_runs_at_once_serialize() {
    let tree = Tree::new();
    let args = json!({"authorities": authorities(), "crl": {"authorities": "all"}});
    let answers: Vec<_> = std::thread::scope(|scope| {
        let runs: Vec<_> = (0..4)
            .map(|_| scope.spawn(|| tree.run(args.clone())))
            .collect();
        runs.into_iter().map(|run| run.join().unwrap()).collect()
    });
    // Another may have made the empty directory and says so; the authorities are made by one.
    let makers = answers
        .iter()
        .filter(|answer| answer.value["authorities"]["Root"]["changed"] == true);
    assert_eq!(makers.count(), 1);
    assert!(answers.iter().all(|answer| !answer.failed()));
    assert_eq!(tree.read("roots/Root/serial"), "1000");
}

#[test]
fn a_retired_authority_keeps_its_list_fresh_and_a_new_key_signs_a_new_list() {
    let tree = Tree::with_authorities();
    let leaf = tree
        .run(json!({"authorities": authorities(), "sign": [{"csr": request("a.example.org").1}]}));
    let serial = leaf.value["signed"][0]["serial"].as_str().unwrap();
    let list = tree.path("roots/Int/crl/Int.crl");
    tree.converge(json!({"authorities": authorities(), "revoke": [{"authority": "Int", "serial": serial, "reason": "superseded"}]}));
    let retired = json!([{"name": "Int", "type": "intermediate", "state": "retired"}]);
    let soon =
        json!({"authorities": retired, "crl": {"authorities": ["Int"], "next_update": "2s"}});
    tree.converge(json!({"authorities": retired}));
    // Due at once: the present list is good for 30 days, so only its renewal window makes it due.
    tree.quiet(soon);
    let other =
        json!({"revoke": [{"authority": "Int", "serial": "0A:0B", "at": "2026-01-01T00:00:00Z"}]});
    let done = tree.converge(other);
    assert_eq!(done.value["crls"]["Int"]["number"], 2, "{}", done.report());
    assert!(witness::crl_text(&list).unwrap().contains("0A0B"));
    let back = json!({"authorities": authorities(), "regenerate_key": "Int"});
    let rekeyed = tree.run(back);
    assert_eq!(
        rekeyed.value["crls"]["Int"]["number"],
        3,
        "{}",
        rekeyed.report()
    );
    witness::crl_verify(&list, tree.path("roots/Int/certs/Int.crt")).unwrap();
    tree.quiet(json!({"authorities": authorities()}));
}

#[test]
fn certificates_of_others_and_unknown_authorities_are_not_revoked() {
    let tree = Tree::with_authorities();
    let root = tree.certificate("Root");
    tree.refused(
        json!({"revoke": [{"authority": "Int", "certificate": root}]}),
        "revoke.foreign",
    );
    tree.refused(
        json!({"revoke": [{"authority": "Nobody", "serial": "01"}]}),
        "authority.missing",
    );
}
