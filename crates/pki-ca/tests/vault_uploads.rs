// SPDX-License-Identifier: Apache-2.0
//! An authority of a real OpenBao whose certificate is signed outside, by the openssl command line: the request out, the
//! chain in, and every upload that the server would take and that must not be sent.
#![expect(clippy::unwrap_used, reason = "tests")]

mod support;

use serde_json::json;
use support::bao::{Bao, text};
use support::outside::{CONFIG, DAYS, Outside};
use support::{openssl, sh};
use testbed::witness;

#[test]
fn the_request_goes_out_and_comes_out_again_unchanged() {
    let outside = Outside::new();
    let bao = &outside.bao;
    let first = bao.sandbox.read("int.csr");
    let again = bao.quiet(outside.csr());
    assert_eq!(
        bao.sandbox.read("int.csr"),
        first,
        "a second request of one key is none"
    );
    let shown = witness::request_text(bao.sandbox.join("int.csr")).unwrap();
    assert!(
        shown.contains("O = Example") && shown.contains("CN = Outside Signed"),
        "{shown}"
    );
    assert_eq!(
        text(&again.value["authorities"]["int-1"]["csr"]).as_bytes(),
        first
    );
    // The file was lost: the same key asks again.
    std::fs::remove_file(bao.sandbox.join("int.csr")).unwrap();
    let done = bao.converge(outside.csr());
    assert_eq!(done.value["authorities"]["int-1"]["action"], "repaired");
    assert_eq!(bao.content()[1]["keys"].as_array().unwrap().len(), 1);
}

#[test]
fn a_request_does_not_touch_the_authority_in_service() {
    let outside = Outside::new();
    let bao = &outside.bao;
    bao.converge(
        json!({"authorities": [{"name": "old", "common_name": "Old", "state": "active"}]}),
    );
    let next = json!({"authorities": [{"name": "int-2", "type": "intermediate", "state": "csr", "common_name": "Two"}]});
    bao.converge(next);
    assert_eq!(bao.default(), "old");
    let (_, csr) = support::request("web.example.org");
    bao.post("sign-verbatim", &json!({"csr": csr, "ttl": "1h"}));
}

#[test]
fn a_chain_comes_in_in_any_form() {
    let outside = Outside::new();
    let bao = &outside.bao;
    bao.sandbox.write("ca.cnf", CONFIG);
    // root signs the policy authority, which signs ours.
    sh(
        bao.sandbox.path(),
        "openssl x509 -x509toreq -in policy.pem -signkey policy.key -out policy.csr 2>/dev/null",
    );
    let policy = outside.leaf("policy.csr", "root", "root", DAYS);
    bao.sandbox.write("policy.pem", &policy);
    let own = outside.leaf("int.csr", "policy", "good", DAYS);
    let messy = format!(
        "Subject: the root\n{}\nsome words\n{policy}\n{own}",
        outside.pem("root")
    )
    .replace('\n', "\r\n");
    bao.sandbox.write("messy.pem", &messy);
    let packed = openssl(bao.sandbox.path(), &["base64", "-in", "messy.pem"]);
    let done = bao.converge(outside.signed(&packed));
    let made = &done.value["authorities"]["int-1"];
    assert_eq!(made["action"], "installed");
    assert_eq!(text(&made["root_ca"]), text(&json!(outside.pem("root"))));
    assert_eq!(made["leaf_not_after_behavior"], "truncate");
    bao.quiet(outside.signed(&messy));
    bao.quiet(outside.csr());
    bao.converge(
        json!({"authorities": [{"name": "int-1", "type": "intermediate", "state": "active"}]}),
    );
    assert_eq!(bao.default(), "int-1");
}

#[test]
fn an_upload_does_not_move_the_default() {
    let outside = Outside::new();
    let bao = &outside.bao;
    bao.converge(
        json!({"authorities": [{"name": "old", "common_name": "Old", "state": "active"}]}),
    );
    bao.post(
        "config/issuers",
        &json!({"default": "old", "default_follows_latest_issuer": true}),
    );
    let upload = outside.upload("int.csr", "root", "good");
    let done = bao.converge(outside.signed(&upload));
    assert_eq!(done.value["authorities"]["int-1"]["state"], "present");
    assert_eq!(bao.default(), "old");
    bao.converge(json!({"authorities": [{"name": "root-2", "common_name": "Another"}]}));
    assert_eq!(bao.default(), "old", "nor does a new root");
}

#[test]
fn every_bad_upload_is_refused_before_it_is_sent() {
    let outside = Outside::new();
    let sandbox = &outside.bao.sandbox;
    sh(
        sandbox.path(),
        "openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -keyout other.key -out other.csr \
         -subj '/O=Example/CN=Outside Signed' 2>/dev/null; cp root.pem right.pem",
    );
    let good = outside.upload("int.csr", "root", "good");
    let alone = outside.leaf("int.csr", "root", "good", DAYS);
    let unrelated = format!("{good}{}", outside.pem("narrow"));
    let broken = alone.get(..alone.len() / 2).unwrap().to_owned();
    let cases = [
        (
            "another key",
            "signed.key_mismatch",
            outside.upload("other.csr", "root", "good"),
        ),
        (
            "only an unrelated authority",
            "signed.key_mismatch",
            outside.pem("narrow"),
        ),
        (
            "no chain and no root",
            "signed.chain_incomplete",
            alone.clone(),
        ),
        (
            "the wrong root",
            "signed.chain_incomplete",
            format!("{alone}{}", outside.pem("policy")),
        ),
        (
            "an unrelated authority beside",
            "signed.unrelated",
            unrelated,
        ),
        (
            "a root that allows none below",
            "signed.path_length",
            outside.upload("int.csr", "narrow", "good"),
        ),
        (
            "no authority",
            "signed.not_authority",
            outside.upload("int.csr", "root", "no_ca"),
        ),
        (
            "no keyCertSign",
            "signed.no_key_cert_sign",
            outside.upload("int.csr", "root", "no_sign"),
        ),
        (
            "another key identifier",
            "signed.key_identifier",
            outside.upload("int.csr", "root", "wrong_aki"),
        ),
        (
            "names outside",
            "signed.name_constraints",
            outside.upload("int.csr", "constrained", "disjoint"),
        ),
        (
            "for clients only",
            "signed.extended_key_usage",
            outside.upload("int.csr", "root", "clients"),
        ),
        (
            "expired",
            "signed.expired",
            outside.dated("20200101000000Z", "20210101000000Z"),
        ),
        (
            "to come",
            "signed.not_yet_valid",
            outside.dated("20900101000000Z", "20910101000000Z"),
        ),
        ("cut off", "input.invalid", broken),
        ("no PEM", "input.invalid", "bm90aGluZw==".to_owned()),
        (
            "a request",
            "input.invalid",
            String::from_utf8(sandbox.read("int.csr")).unwrap(),
        ),
    ];
    for (what, kind, pem) in cases {
        let answer = outside.bao.refused(outside.signed(&pem), kind);
        assert!(!answer.msg().is_empty(), "{what}");
    }
    let soon = outside.leaf("int.csr", "root", "good", &["-days", "10"]) + &outside.pem("root");
    outside
        .bao
        .refused(outside.signed(&soon), "signed.short_life");
    outside.bao.refused(
        outside.rules(&good, json!({"max_depth": 1})),
        "signed.depth",
    );
    let mut elsewhere = outside.signed(&good);
    elsewhere["authorities"][0]["root_ca"] = outside.pem("policy").into();
    outside.bao.refused(elsewhere, "signed.root_mismatch");
    outside.bao.converge(outside.signed(&good));
}

#[test]
fn what_was_refused_can_be_allowed_by_name() {
    let outside = Outside::new();
    let good = outside.upload("int.csr", "root", "clients");
    let pem = format!("{good}{}", outside.pem("narrow"));
    let rules = json!({"required_eku": ["client"], "allow_unrelated": true});
    let done = outside.bao.converge(outside.rules(&pem, rules));
    let issuers = outside.bao.content()[0]["keys"].as_array().unwrap().len();
    assert_eq!(
        issuers,
        2,
        "what is not above it is not sent: {}",
        done.report()
    );
}

#[test]
fn an_upload_without_its_root_can_be_allowed() {
    let outside = Outside::new();
    let alone = outside.leaf("int.csr", "root", "good", DAYS);
    outside
        .bao
        .converge(outside.rules(&alone, json!({"require_root": false})));
    let narrow = Outside::new();
    let without = narrow.leaf("int.csr", "root", "no_sign", DAYS);
    let wish = narrow.rules(&without, json!({"require_root": false}));
    narrow.bao.refused(wish, "signed.no_key_cert_sign");
}

#[test]
fn a_missing_right_to_sign_lists_is_worth_a_word() {
    let outside = Outside::new();
    let upload = outside.upload("int.csr", "root", "no_crl");
    let done = outside.bao.converge(outside.signed(&upload));
    assert!(done.report().contains("cRLSign"), "{}", done.report());
    // It has no list, and never will.
    outside.bao.quiet(json!({"crl": {}}));
    let named = json!({"crl": {"authorities": ["int-1"]}});
    outside.bao.refused(named, "crl.not_allowed");
}

#[test]
fn a_role_that_allows_what_the_chain_does_not_permit_is_worth_a_word() {
    let outside = Outside::new();
    let bao = &outside.bao;
    bao.post(
        "roles/web",
        &json!({"allowed_domains": "example.net,sub.example.org", "allow_subdomains": true}),
    );
    let upload = outside.upload("int.csr", "constrained", "good");
    let done = bao.converge(outside.signed(&upload));
    let report = done.report();
    assert!(
        report.contains("role 'web'") && report.contains("'example.net' (permitted: example.org)"),
        "{report}"
    );
    assert!(!report.contains("'sub.example.org' (permitted"), "{report}");
}

#[test]
fn an_upload_without_a_request_is_refused() {
    let outside = Outside::new();
    let good = outside.upload("int.csr", "root", "good");
    let empty = Bao::new();
    empty.refused(outside.signed(&good), "signed.no_key");
}

#[test]
fn another_certificate_under_the_same_name_is_refused() {
    let outside = Outside::new();
    let upload = outside.upload("int.csr", "root", "good");
    outside.bao.converge(outside.signed(&upload));
    let second = outside.upload("int.csr", "root", "good");
    outside
        .bao
        .refused(outside.signed(&second), "authority.drift");
}

#[test]
fn an_import_without_a_name_is_taken_up_again() {
    let outside = Outside::new();
    let bao = &outside.bao;
    let upload = outside.upload("int.csr", "root", "good");
    // As a run that was cut between the import and the name.
    bao.post("intermediate/set-signed", &json!({"certificate": upload}));
    let done = bao.converge(outside.signed(&upload));
    assert_eq!(
        done.value["authorities"]["int-1"]["reasons"][0]["kind"],
        "unnamed"
    );
    assert_eq!(bao.names(), ["int-1"]);
}
