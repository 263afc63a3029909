// SPDX-License-Identifier: Apache-2.0
//! Authorities of a real OpenBao: made, activated, retired, revoked and removed; openssl is the witness.
#![expect(clippy::unwrap_used, reason = "tests")]

mod support;

use serde_json::{Value, json};
use support::bao::{Bao, text};
use support::request;
use testbed::witness;

fn root() -> Value {
    json!({"name": "root-1", "common_name": "Example Root", "state": "active",
        "subject": {"country": "DE", "organization": "Example"}})
}

fn intermediate(name: &str, parent: &str) -> Value {
    json!({"name": name, "type": "intermediate", "parent": parent, "common_name": format!("Example {name}")})
}

fn authorities(list: &[Value]) -> Value {
    json!({"authorities": list})
}

#[test]
fn a_root_and_an_intermediate_below_it_are_made_inside_the_server() {
    let bao = Bao::new();
    let mut below = intermediate("int-1", "root-1");
    below["name_constraints"] = json!({"permitted_dns": ["example.org"]});
    let done = bao.converge(authorities(&[root(), below]));
    let made = &done.value["authorities"];
    assert_eq!(made["root-1"]["action"], "created");
    assert_eq!(made["root-1"]["state"], "active");
    assert_eq!(made["int-1"]["subject"], "CN=Example int-1");
    assert_eq!(made["int-1"]["root_ca"], made["root-1"]["certificate"]);
    assert_eq!(bao.names(), ["int-1", "root-1"]);
    let shown = witness::certificate_text(
        bao.sandbox
            .write("int.pem", text(&made["int-1"]["certificate"])),
    )
    .unwrap();
    for part in ["CA:TRUE, pathlen:0", "CRL Sign", "DNS:example.org", "P-384"] {
        assert!(shown.contains(part), "{part}: {shown}");
    }
    assert!(!shown.contains("Alternative Name"), "{shown}");
}

#[test]
fn what_is_answered_of_a_server_is_documented() {
    let bao = Bao::new();
    let done = bao.run(json!({"authorities": [root()], "inspect": true}));
    let place = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../plugins/modules/pki_ca.py"
    );
    let module = std::fs::read_to_string(place).unwrap();
    let (_, returns) = module.split_once("RETURN = ").unwrap();
    let facts = [&done.value["authorities"]["root-1"], &done.value["server"]];
    for name in facts
        .iter()
        .flat_map(|facts| facts.as_object().unwrap().keys())
    {
        assert!(returns.contains(&format!("\n    {name}:\n")), "{name}");
    }
    for name in done.value["issuers"][0].as_object().unwrap().keys() {
        let known = done.value["authorities"]["root-1"].get(name).is_some();
        assert!(known || name == "name", "{name}");
    }
}

#[test]
fn the_default_moves_to_an_intermediate_that_has_proven_itself() {
    let bao = Bao::new();
    bao.converge(authorities(&[root()]));
    let mut below = intermediate("int-1", "root-1");
    below["state"] = "active".into();
    let done = bao.converge(authorities(&[below]));
    let made = &done.value["authorities"]["int-1"];
    assert_eq!(
        (&made["is_default"], &made["default_before"]),
        (&json!(true), &json!("root-1"))
    );
    assert_eq!(bao.default(), "int-1");
    let (_, csr) = request("web.example.org");
    let signed = bao.post("sign-verbatim", &json!({"csr": csr, "ttl": "1h"}));
    witness::verify_strict(
        text(&made["root_ca"]),
        text(&made["certificate"]),
        text(&signed["data"]["certificate"]),
        "web.example.org",
    )
    .unwrap();
}

#[test]
fn a_parent_in_another_mount_signs() {
    let bao = Bao::new();
    let other = bao.beside();
    let mut upper = root();
    upper["state"] = "present".into();
    let mut parents = bao.backend();
    parents["vault"]["mount"] = other.clone().into();
    let made = bao.run(json!({"backend": parents, "authorities": [upper]}));
    assert!(made.changed() && !made.failed(), "{}", made.report());
    let mut below = intermediate("int-1", "root-1");
    below["parent_mount"] = other.clone().into();
    below["state"] = "active".into();
    let done = bao.converge(authorities(&[below.clone()]));
    assert_eq!(
        done.value["authorities"]["int-1"]["root_ca"],
        made.value["authorities"]["root-1"]["certificate"]
    );
    // Revoked, it is on the list of the mount that has signed it.
    bao.converge(authorities(&[
        json!({"name": "int-2", "common_name": "Other", "state": "active"}),
    ]));
    below["state"] = "revoked".into();
    bao.converge(authorities(&[below]));
    let serial = text(&done.value["authorities"]["int-1"]["serial"]).to_lowercase();
    let pairs: Vec<&str> = (0..serial.len())
        .step_by(2)
        .map(|at| &serial[at..at + 2])
        .collect();
    let stored = bao.read(&other, &format!("cert/{}", pairs.join("-")));
    assert!(
        stored["data"]["revocation_time"].as_i64() > Some(0),
        "{stored}"
    );
}

#[test]
fn an_issuer_that_differs_is_an_error_and_stays() {
    let bao = Bao::new();
    bao.converge(authorities(&[root()]));
    for (option, value) in [
        ("common_name", json!("Another")),
        ("key", json!({"algorithm": "rsa", "size": 2048})),
        ("path_length", json!(3)),
        ("type", json!("intermediate")),
    ] {
        let mut wish = root();
        wish[option] = value;
        let answer = bao.refused(authorities(&[wish]), "authority.drift");
        assert!(
            answer.report().contains("another name"),
            "{}",
            answer.report()
        );
    }
}

#[test]
fn settings_change_and_others_stay() {
    let bao = Bao::new();
    bao.converge(authorities(&[root(), intermediate("int-1", "root-1")]));
    // Made by hand, and none of the task's business.
    bao.post(
        "issuer/int-1",
        &json!({"issuer_name": "int-1", "leaf_not_after_behavior": "truncate",
        "ocsp_servers": ["http://ocsp.example.org"]}),
    );
    let mut below = intermediate("int-1", "root-1");
    below["leaf_not_after_behavior"] = "permit".into();
    below["chain_issuers"] = json!(["root-1"]);
    bao.converge(authorities(&[root(), below]));
    let shown = bao.get("issuer/int-1");
    assert_eq!(shown["data"]["leaf_not_after_behavior"], "permit");
    assert_eq!(shown["data"]["manual_chain"].as_array().unwrap().len(), 2);
    assert_eq!(
        shown["data"]["ocsp_servers"],
        json!(["http://ocsp.example.org"])
    );
}

#[test]
fn an_authority_retires_returns_and_goes() {
    let bao = Bao::new();
    bao.converge(authorities(&[root(), intermediate("int-1", "root-1")]));
    let mut wish = intermediate("int-1", "root-1");
    wish["state"] = "retired".into();
    let done = bao.converge(authorities(&[wish.clone()]));
    assert_eq!(
        done.value["authorities"]["int-1"]["usage"],
        "crl-signing,ocsp-signing,read-only"
    );
    wish["state"] = "present".into();
    let done = bao.converge(authorities(&[wish.clone()]));
    assert_eq!(done.value["authorities"]["int-1"]["action"], "returned");
    wish["state"] = "absent".into();
    bao.refused(authorities(&[wish.clone()]), "input.invalid");
    wish["confirm"] = bao.mount.clone().into();
    bao.converge(authorities(&[wish]));
    assert_eq!(bao.names(), ["root-1"]);
    assert_eq!(
        bao.content()[1]["keys"].as_array().unwrap().len(),
        1,
        "its key is gone too"
    );
}

#[test]
fn a_key_without_its_issuer_is_removed_too() {
    let bao = Bao::new();
    bao.converge(authorities(&[root(), intermediate("int-1", "root-1")]));
    // As a run leaves it that was cut between the two.
    let path = format!("{}/issuer/int-1", bao.mount);
    let (status, said) = bao.server.ask("DELETE", &path, &Value::Null);
    assert!(status < 300, "{said}");
    let waiting = json!({"name": "int-2", "type": "intermediate", "state": "csr"});
    bao.converge(authorities(&[waiting]));
    let keys = || bao.content()[1]["keys"].as_array().unwrap().len();
    assert_eq!(keys(), 3);
    let gone = |name: &str| json!({"name": name, "state": "absent", "confirm": bao.mount});
    let heir = json!({"name": "root-3", "key_name": "int-2"});
    bao.quiet(authorities(&[gone("root-1-x-none")]));
    bao.converge(authorities(&[gone("int-2"), heir]));
    let done = bao.converge(authorities(&[gone("int-1"), gone("int-2")]));
    let reason = |name: &str| done.value["authorities"][name]["reasons"][0]["kind"].clone();
    assert_eq!(
        (reason("int-1"), reason("int-2")),
        ("key_left".into(), Value::Null)
    );
    assert_eq!(keys(), 2, "that of the root, and that of its heir");
}

#[test]
fn the_default_and_what_has_valid_leaves_are_not_taken_away() {
    let bao = Bao::new();
    bao.converge(authorities(&[root(), intermediate("int-1", "root-1")]));
    for state in ["retired", "absent"] {
        let mut wish = root();
        wish["state"] = state.into();
        if state == "absent" {
            wish["confirm"] = bao.mount.clone().into();
        }
        bao.refused(authorities(&[wish]), "authority.is_default");
    }
    let (_, csr) = request("web.example.org");
    bao.post(
        "issuer/int-1/sign-verbatim",
        &json!({"csr": csr, "ttl": "1h"}),
    );
    let mut wish = intermediate("int-1", "root-1");
    wish["state"] = "absent".into();
    wish["confirm"] = bao.mount.clone().into();
    let answer = bao.refused(authorities(&[wish.clone()]), "authority.in_use");
    assert!(
        answer.report().contains("web.example.org"),
        "{}",
        answer.report()
    );
    wish["force"] = true.into();
    bao.converge(authorities(&[wish]));
}

#[test]
fn a_successor_takes_the_place_of_the_default_in_one_task() {
    let bao = Bao::new();
    bao.converge(authorities(&[root()]));
    let mut old = root();
    old["state"] = "retired".into();
    let new = json!({"name": "root-2", "common_name": "Example Root 2", "state": "active"});
    bao.converge(authorities(&[old, new]));
    assert_eq!(bao.default(), "root-2");
}

#[test]
fn a_root_is_cross_signed_by_the_one_before_and_both_verify() {
    let bao = Bao::new();
    bao.converge(authorities(&[root()]));
    let mut crossed = json!({"name": "root-2", "common_name": "Example Root 2"});
    crossed["state"] = "cross_signed".into();
    crossed["parent"] = "root-1".into();
    let mut below = intermediate("int-2", "root-2");
    below["state"] = "active".into();
    below["chain_issuers"] = json!(["int-2", "root-2-x-root-1", "root-1"]);
    bao.converge(authorities(&[below, crossed]));
    assert_eq!(
        bao.names(),
        ["int-2", "root-1", "root-2", "root-2-x-root-1"]
    );
    let (_, csr) = request("web.example.org");
    let signed = bao.post("sign-verbatim", &json!({"csr": csr, "ttl": "1h"}));
    let chain: Vec<String> = signed["data"]["ca_chain"]
        .as_array()
        .unwrap()
        .iter()
        .map(text)
        .collect();
    for name in ["root-1", "root-2"] {
        let root = text(&bao.get(&format!("issuer/{name}"))["data"]["certificate"]);
        witness::verify_strict(
            root,
            chain.join("\n"),
            text(&signed["data"]["certificate"]),
            "web.example.org",
        )
        .unwrap();
    }
}

#[test]
fn a_certificate_is_revoked_once_and_its_list_is_fresh() {
    let bao = Bao::new();
    bao.converge(authorities(&[root()]));
    let (_, csr) = request("web.example.org");
    let signed = bao.post("sign-verbatim", &json!({"csr": csr, "ttl": "1h"}));
    let serial = text(&signed["data"]["serial_number"]).to_uppercase();
    let wish = json!({"revoke": [{"authority": "root-1", "serial": serial}], "crl": {}});
    let done = bao.converge(wish);
    assert!(
        done.value["revoked"][0]["at"].is_string(),
        "{}",
        done.report()
    );
    assert!(
        done.value["crls"]["root-1"]["next_update"].is_string(),
        "{}",
        done.report()
    );
    bao.refused(
        json!({"revoke": [{"authority": "root-1", "serial": "0102"}]}),
        "revoke.unknown",
    );
    bao.refused(
        json!({"revoke": [{"authority": "nobody", "serial": "0102"}]}),
        "authority.missing",
    );
}

#[test]
fn issuers_that_may_sign_no_lists_change_nothing_in_every_run() {
    let bao = Bao::new();
    bao.converge(authorities(&[root(), intermediate("int-1", "root-1")]));
    let path = format!("{}/issuer/int-1", bao.mount);
    let usage = json!({"issuer_name": "int-1", "usage": "read-only,issuing-certificates"});
    let (status, said) = bao.server.ask("POST", &path, &usage);
    assert_eq!(status, 200, "{said}");
    let all = bao.converge(json!({"crl": {}}));
    let names: Vec<&String> = all.value["crls"].as_object().unwrap().keys().collect();
    assert_eq!(names, ["root-1"]);
    // The server goes on to show the list of before, which is good for a while.
    bao.quiet(json!({"crl": {"authorities": ["int-1"]}}));
}
