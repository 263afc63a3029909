// SPDX-License-Identifier: Apache-2.0
//! Certificates that were revoked, by lists of `openssl ca`, in files and over HTTP, and by the answers that
//! `openssl s_server` staples.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test that starts programs"
)]

mod support;

use std::fs;
use std::net::SocketAddr;
use std::process::Command;

use serde_json::{Value, json};
use support::{Leaf, Pair, Pki, Server, at, kinds};
use testbed::servers::free_port;

const NOTHING: [&str; 0] = [];

/// An index of the intermediate in which a leaf is revoked, and its list.
fn revoke(pki: &Pki, pair: &Pair, list: &str, days: &str) {
    let text = "[ca]\ndefault_ca=sub\n[sub]\ndatabase=index.txt\ncrlnumber=number\ndefault_md=sha256\nunique_subject=no\n";
    fs::write(pki.path("ca.cnf"), text).unwrap();
    for (name, content) in [("index.txt", ""), ("number", "01\n")] {
        if !pki.path(name).exists() {
            fs::write(pki.path(name), content).unwrap();
        }
    }
    let certificate = pair.certificate.display().to_string();
    let common = [
        "ca", "-config", "ca.cnf", "-cert", "sub.pem", "-keyfile", "sub.key",
    ];
    pki.openssl(common.into_iter().chain([
        "-revoke",
        &certificate,
        "-crl_reason",
        "keyCompromise",
    ]));
    pki.openssl(
        common
            .into_iter()
            .chain(["-gencrl", "-crlsec", days, "-out", list]),
    );
}

/// A server of files, Python's own.
fn web(pki: &Pki, port: u16) -> Server {
    let mut command = Command::new("python3");
    command
        .args([
            "-m",
            "http.server",
            "--bind",
            "127.0.0.1",
            &port.to_string(),
        ])
        .current_dir(pki.place());
    Server::start(&mut command, SocketAddr::from(([127, 0, 0, 1], port)))
}

fn found(pki: &Pki, port: u16, name: &str, revocation: Value) -> Vec<String> {
    let answer = pki.check(json!({"endpoints": [at(port, name)], "revocation": revocation}));
    kinds(&answer.value["endpoints"][0])
}

#[test]
fn a_list_in_a_file_revokes_what_its_authority_issued() {
    let pki = Pki::new();
    let (bad, good) = (pki.leaf("bad.test"), pki.leaf("good.test"));
    pki.authority("other", "root");
    let elsewhere = pki.leaf_of("other", "elsewhere.test", &Leaf::default());
    revoke(&pki, &bad, "sub.crl", "3600");
    let (_bad, bad) = pki.s_server(&bad, &[]);
    let (_good, good) = pki.s_server(&good, &[]);
    let other = pki.path("other.pem").display().to_string();
    let (_elsewhere, elsewhere) = pki.bare_s_server(&elsewhere, &["-cert_chain", &other]);
    let list = json!({"crl": [pki.path("sub.crl")]});
    assert_eq!(found(&pki, bad, "bad.test", list.clone()), ["fail revoked"]);
    assert_eq!(found(&pki, good, "good.test", list.clone()), NOTHING);
    assert_eq!(
        found(&pki, elsewhere, "elsewhere.test", list),
        ["warn revocation_unknown"]
    );
    assert_eq!(found(&pki, bad, "bad.test", json!({})), NOTHING);
    let missing = json!({"crl": [pki.path("nothing.crl")]});
    assert_eq!(
        found(&pki, bad, "bad.test", missing),
        ["warn revocation_unknown"]
    );
}

#[test]
fn a_file_with_the_leaf_alone_is_judged_by_the_issuer_that_was_seen_elsewhere() {
    let pki = Pki::new();
    let (bad, good) = (pki.leaf("bad.test"), pki.leaf("good.test"));
    revoke(&pki, &bad, "sub.crl", "3600");
    let file = |path: &std::path::Path| json!({"path": path, "served": false});
    let look = |files: Value| {
        let options = json!({"files": files, "revocation": {"crl": [pki.path("sub.crl")]}});
        let answer = pki.check(options).value;
        let all = answer["files"].as_array().unwrap().iter();
        all.map(kinds).collect::<Vec<_>>()
    };
    let (bad, good) = (file(&bad.certificate), file(&good.certificate));
    let above = file(&pki.path("sub.pem"));
    assert_eq!(
        look(json!([bad, good])),
        [["warn revocation_unknown"], ["warn revocation_unknown"]]
    );
    let found = look(json!([bad, good, above]));
    assert_eq!(found[0], ["fail revoked"]);
    assert_eq!(found[1], NOTHING);
}

#[test]
fn a_list_of_somebody_else_with_the_same_name_revokes_nothing() {
    let (pki, stranger) = (Pki::new(), Pki::new());
    let pair = pki.leaf("a.test");
    let forged = Pair {
        certificate: pair.certificate.clone(),
        key: pair.key.clone(),
    };
    revoke(&stranger, &forged, "forged.crl", "3600");
    let (_server, port) = pki.s_server(&pair, &[]);
    let list = json!({"crl": [stranger.path("forged.crl")]});
    assert_eq!(
        found(&pki, port, "a.test", list),
        ["warn revocation_unknown"]
    );
}

#[test]
fn lists_that_certificates_name_are_fetched_if_told_so() {
    let pki = Pki::new();
    let port = free_port();
    let named = |list: &str| format!("crlDistributionPoints=URI:http://127.0.0.1:{port}/{list}");
    let leaf = |name: &str, list: &str| {
        pki.leaf_of(
            "sub",
            name,
            &Leaf {
                extensions: &named(list),
                ..Leaf::default()
            },
        )
    };
    let (bad, good, lost) = (
        leaf("bad.test", "sub.crl"),
        leaf("good.test", "sub.crl"),
        leaf("lost.test", "lost.crl"),
    );
    revoke(&pki, &bad, "sub.crl", "3600");
    let _web = web(&pki, port);
    let (_bad, bad) = pki.s_server(&bad, &[]);
    let (_good, good) = pki.s_server(&good, &[]);
    let (_lost, lost) = pki.s_server(&lost, &[]);
    assert_eq!(found(&pki, bad, "bad.test", json!({})), NOTHING);
    let endpoints = [
        at(bad, "bad.test"),
        at(good, "good.test"),
        at(lost, "lost.test"),
    ];
    let answer = pki.check(json!({"endpoints": endpoints, "revocation": {"fetch": true}}));
    let kinds: Vec<Vec<String>> = (0..3)
        .map(|index| kinds(&answer.value["endpoints"][index]))
        .collect();
    assert_eq!(kinds[0], ["fail revoked"]);
    assert_eq!(kinds[1], NOTHING);
    // The list of the others is of the same authority and says that it is not revoked, so nothing is unknown.
    assert_eq!(kinds[2], NOTHING);
    assert_eq!(
        found(&pki, lost, "lost.test", json!({"fetch": true})),
        ["warn revocation_unknown"]
    );
    // A list is there, and who is to have signed it is not.
    let alone = json!([{"path": pki.path("bad.test.pem"), "served": false}]);
    let answer = pki.check(json!({"files": alone, "revocation": {"fetch": true}}));
    answer.expect(&json!({"files": [{"findings": [{"kind": "revocation_unknown"}]}]}));
    let url = format!("http://127.0.0.1:{port}/sub.crl");
    assert_eq!(
        found(&pki, bad, "bad.test", json!({"crl": [url]})),
        ["fail revoked"]
    );
}

#[test]
fn a_list_that_is_out_of_date_still_revokes_and_says_nothing_else() {
    let pki = Pki::new();
    let (bad, good) = (pki.leaf("bad.test"), pki.leaf("good.test"));
    revoke(&pki, &bad, "old.crl", "1");
    std::thread::sleep(std::time::Duration::from_secs(2));
    let (_bad, bad) = pki.s_server(&bad, &[]);
    let (_good, good) = pki.s_server(&good, &[]);
    let list = json!({"crl": [pki.path("old.crl")]});
    assert_eq!(found(&pki, bad, "bad.test", list.clone()), ["fail revoked"]);
    assert_eq!(found(&pki, good, "good.test", list), ["warn crl_outdated"]);
}
