// SPDX-License-Identifier: Apache-2.0
//! Certificates in files, made by the openssl command: what needs no server.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test that starts programs"
)]

mod support;

use std::fs;
use std::path::Path;

use serde_json::{Value, json};
use support::{Leaf, Pki, kinds};

const NOTHING: [&str; 0] = [];

/// A file that is for a server, where no endpoint is asked for.
fn file(path: &Path) -> Value {
    json!({"path": path, "service": "a"})
}

fn found(pki: &Pki, path: &Path, options: Value) -> Vec<String> {
    let mut all = options;
    all["files"] = json!([file(path)]);
    kinds(&pki.check(all).value["files"][0])
}

#[test]
fn a_renewed_certificate_behind_the_old_one_is_not_what_is_judged() {
    let pki = Pki::new();
    pki.authority("other", "root");
    let made = Leaf {
        made: Some("-10d"),
        ..Leaf::default()
    };
    let old = pki.leaf_of("other", "a.test", &made);
    fs::copy(&old.certificate, pki.path("old.pem")).unwrap();
    let again = Leaf {
        again: true,
        ..Leaf::default()
    };
    let renewed = pki.leaf_of("sub", "a.test", &again);
    let parts = [
        pki.path("old.pem"),
        renewed.certificate,
        pki.path("sub.pem"),
    ];
    let bundle = pki.bundle("a.all", &parts.each_ref().map(AsRef::as_ref));
    // The issuer of the old one is not in the file; that of the renewed one is.
    assert_eq!(found(&pki, &bundle, json!({})), ["fail chain_incomplete"]);
    let other = pki.path("other.pem");
    let complete = [&parts[0], &other, &parts[1]].map(AsRef::as_ref);
    let bundle = pki.bundle("b.all", &complete);
    assert_eq!(found(&pki, &bundle, json!({})), ["warn chain_unneeded"]);
}

#[test]
fn a_root_that_is_named_twice_is_trusted() {
    let pki = Pki::new();
    let pair = pki.leaf("a.test");
    let bundle = pki.bundle("a.all", &[&pair.certificate, &pki.path("sub.pem")]);
    let root = pki.path("root.pem");
    let trust = |paths: Value| json!({"trust": {"system": false, "ca_path": paths}});
    assert_eq!(found(&pki, &bundle, trust(json!([root, root]))), NOTHING);
    let answer = pki.check(trust(json!([root, pki.path("sub.pem")])));
    assert_eq!(answer.kind(), "trust.unreadable");
}

#[test]
fn what_is_not_for_servers_is_told_unless_nobody_shall_serve_it() {
    let pki = Pki::new();
    let usage = |extensions: &'static str| Leaf {
        extensions,
        ..Leaf::default()
    };
    let signs = pki.leaf_of("sub", "a.test", &usage("keyUsage=critical,keyCertSign"));
    let serves = pki.leaf_of("sub", "b.test", &usage("keyUsage=critical,keyAgreement"));
    // An authority for clients only.
    let text = "basicConstraints=critical,CA:TRUE\nextendedKeyUsage=clientAuth\n";
    fs::write(pki.path("clients.ext"), text).unwrap();
    let about = ["-in", "sub.csr", "-CA", "root.pem", "-CAkey", "root.key"];
    let made = [
        "-days",
        "90",
        "-extfile",
        "clients.ext",
        "-out",
        "clients.pem",
    ];
    pki.openssl(["x509", "-req"].into_iter().chain(about).chain(made));
    let bundle = |name: &str, leaf: &Path, above: &str| pki.bundle(name, &[leaf, &pki.path(above)]);
    let signs = bundle("a.all", &signs.certificate, "sub.pem");
    let below = bundle("b.all", &serves.certificate, "clients.pem");
    let serves = bundle("c.all", &serves.certificate, "sub.pem");
    assert_eq!(found(&pki, &signs, json!({})), ["fail not_for_servers"]);
    assert_eq!(found(&pki, &below, json!({})), ["fail not_for_servers"]);
    assert_eq!(found(&pki, &serves, json!({})), NOTHING);
    let files = [&signs, &below].map(|path| json!({"path": path, "served": false}));
    let answer = pki.check(json!({"files": files}));
    answer.expect(&json!({"status": "ok"}));
}

#[test]
fn a_weak_certificate_that_nobody_needs_is_no_failure() {
    let pki = Pki::new();
    let weak = Leaf {
        key: Some(&["-newkey", "rsa:1024"]),
        digest: Some("-sha1"),
        ..Leaf::default()
    };
    let (good, weak) = (pki.leaf("a.test"), pki.leaf_of("sub", "weak.test", &weak));
    let sub = pki.path("sub.pem");
    let extra = pki.bundle("extra.all", &[&good.certificate, &sub, &weak.certificate]);
    let own = pki.bundle("own.all", &[&weak.certificate, &sub]);
    assert_eq!(
        found(&pki, &extra, json!({})),
        [
            "warn weak_key",
            "warn weak_signature",
            "warn chain_unneeded"
        ]
    );
    assert_eq!(
        found(&pki, &own, json!({})),
        ["fail weak_key", "fail weak_signature"]
    );
}
