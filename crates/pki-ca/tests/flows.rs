// SPDX-License-Identifier: Apache-2.0
//! Whole lives of authorities, each certificate judged by the openssl command line.
#![expect(clippy::unwrap_used, reason = "tests")]

mod support;

use serde_json::{Value, json};
use support::{Tree, authorities, openssl, request, request_of, sh};
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
fn profiles_decide_usages_and_what_is_not_granted_is_said() {
    let tree = Tree::with_authorities();
    let dir = tree.sandbox.path();
    sh(
        dir,
        "openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -keyout k.pem -out ca.csr \
        -subj /CN=greedy.example.org -addext basicConstraints=critical,CA:TRUE -addext keyUsage=keyCertSign \
        -addext subjectAltName=DNS:greedy.example.org -addext extendedKeyUsage=codeSigning 2>/dev/null",
    );
    let csr = std::fs::read_to_string(dir.join("ca.csr")).unwrap();
    for (profile, purpose) in [
        ("server", "TLS Web Server"),
        ("client", "TLS Web Client"),
        ("peer", "TLS Web Server"),
    ] {
        let name = format!("g-{profile}");
        let done = tree.converge(json!({"authorities": authorities(),
            "sign": [{"name": name, "csr": csr, "profile": profile}]}));
        let entry = &done.value["signed"][0];
        let ignored = entry["ignored_extensions"].as_array().unwrap();
        for extension in ["keyUsage", "extendedKeyUsage", "basicConstraints"] {
            assert!(ignored.contains(&extension.into()), "{}", done.report());
        }
        let text =
            witness::certificate_text(tree.path(&format!("certs/certs/{name}.crt"))).unwrap();
        assert!(
            text.contains(purpose) && !text.contains("CA:TRUE") && !text.contains("Code Signing"),
            "{text}"
        );
    }
}

#[test]
fn an_authority_can_be_signed_from_a_request_only_where_the_path_allows() {
    let tree = Tree::with_authorities();
    let (_, csr) = request("sub.example.org");
    let under = |authority: &str| {
        json!({"authorities": authorities(),
        "sign": [{"name": "sub", "csr": csr, "profile": "ca", "authority": authority}]})
    };
    let refused = tree.refused(under("Int"), "sign.path_length");
    assert!(refused.msg().contains("'Int'"), "{}", refused.msg());
    let done = tree.converge(under("Root"));
    let certificate = done.value["signed"][0]["certificate"].as_str().unwrap();
    witness::verify(tree.certificate("Root"), "", certificate, "").unwrap();
    assert!(
        witness::certificate_text(tree.path("certs/certs/sub.crt"))
            .unwrap()
            .contains("CA:TRUE, pathlen:0")
    );
}

#[test]
fn names_outside_the_constraints_are_all_named_and_nothing_is_signed() {
    let tree = Tree::new();
    let constrained = json!([
        {"name": "Root", "key": {"algorithm": "ecdsa"}},
        {"name": "Int", "type": "intermediate", "parent": "Root", "state": "active", "key": {"algorithm": "ecdsa"},
         "name_constraints": {"permitted_dns": ["internal"], "excluded_dns": ["db.internal"]}}]);
    tree.converge(json!({"authorities": constrained}));
    let key = request("x").0;
    let sign = |names: &[&str]| {
        json!({"authorities": constrained,
        "sign": [{"name": "a", "csr": request_of("a.internal", names, &key)}]})
    };
    let refused = tree.refused(
        sign(&["a.internal", "a.example.org", "x.db.internal"]),
        "sign.name_not_permitted",
    );
    let named = refused.value["failures"][0]["names"].as_array().unwrap();
    assert_eq!(named.len(), 2, "{}", refused.report());
    let good = tree.converge(sign(&["a.internal"]));
    let entry = &good.value["signed"][0];
    witness::verify_strict(
        tree.certificate("Root"),
        tree.certificate("Int"),
        entry["certificate"].as_str().unwrap(),
        "a.internal",
    )
    .unwrap();
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
fn one_bad_entry_does_not_spoil_the_others() {
    let tree = Tree::with_authorities();
    let done = tree.run(json!({"authorities": authorities(), "sign": [
        {"name": "good", "csr": request("good.example.org").1},
        {"name": "bad", "authority": "Nobody", "csr": request("bad.example.org").1}]}));
    assert!(done.failed() && done.changed(), "{}", done.report());
    assert_eq!(done.kind(), "authority.missing");
    assert_eq!(done.value["failures"][0]["item"], "sign[1]");
    assert!(done.value["signed"][0]["certificate"].is_string());
    assert!(tree.path("certs/certs/good.crt").exists());
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
fn lifetimes_are_cut_to_the_end_of_the_authority_with_a_warning() {
    let tree = Tree::new();
    let wishes = json!([{"name": "Root", "ttl": "40d", "key": {"algorithm": "ecdsa"}},
        {"name": "Int", "type": "intermediate", "parent": "Root", "state": "active", "key": {"algorithm": "ecdsa"}}]);
    let made = tree.run(
        json!({"authorities": wishes, "sign": [{"name": "a", "csr": request("a.example.org").1}]}),
    );
    let authorities = &made.value["authorities"];
    assert_eq!(
        authorities["Int"]["not_after"],
        authorities["Root"]["not_after"],
        "{}",
        made.report()
    );
    assert_eq!(
        made.value["signed"][0]["not_after"],
        authorities["Root"]["not_after"]
    );
    let warnings = made.value["warnings"].to_string();
    assert!(
        warnings.contains("authority 'Int' is cut to") && warnings.contains("sign[0]"),
        "{warnings}"
    );
    tree.quiet(json!({"authorities": wishes}));
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
    assert_eq!(answers.iter().filter(|answer| answer.changed()).count(), 1);
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
