// SPDX-License-Identifier: Apache-2.0
//! An intermediate whose certificate is signed by an authority outside, run by the openssl command line: the
//! request out, the chain in, and every kind of upload that must not be taken.
#![expect(clippy::unwrap_used, reason = "tests")]

mod support;

use serde_json::{Value, json};
use support::outside::CONFIG;
use support::{Tree, openssl, request, sh};
use testbed::witness;

struct Outside {
    tree: Tree,
}

impl Outside {
    /// The request is out; `root.pem` is the authority outside.
    fn new() -> Self {
        let tree = Tree::new();
        tree.sandbox.write("ca.cnf", CONFIG);
        let outside = Self { tree };
        outside.root("root", "root");
        let made = outside.tree.converge(outside.csr());
        outside.tree.sandbox.write(
            "int.csr",
            made.value["authorities"]["Int"]["csr"].as_str().unwrap(),
        );
        outside
    }

    fn csr(&self) -> Value {
        json!({"authorities": [{"name": "Int", "type": "intermediate", "state": "csr",
            "common_name": "Outside Signed", "key": {"algorithm": "ecdsa"}}]})
    }

    fn signed(&self, pem: &str) -> Value {
        json!({"authorities": [{"name": "Int", "type": "intermediate", "state": "signed", "signed": pem}]})
    }

    fn root(&self, name: &str, profile: &str) {
        sh(
            self.tree.sandbox.path(),
            &format!(
                "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -keyout {name}.key -out {name}.pem \
             -subj '/CN=Outside {name}' -days 100 -config ca.cnf -extensions {profile} 2>/dev/null"
            ),
        );
    }

    /// What the authority outside makes of `request`, with its root behind it.
    fn upload(&self, request: &str, root: &str, profile: &str, more: &[&str]) -> String {
        let mut arguments = vec![
            "x509",
            "-req",
            "-in",
            request,
            "-CAcreateserial",
            "-extfile",
            "ca.cnf",
            "-extensions",
            profile,
        ];
        let (ca, key) = (format!("{root}.pem"), format!("{root}.key"));
        arguments.extend(["-CA", &ca, "-CAkey", &key]);
        arguments.extend(more);
        let certificate = openssl(self.tree.sandbox.path(), &arguments);
        certificate + &String::from_utf8(self.tree.sandbox.read(&ca)).unwrap()
    }
}

#[test]
fn the_request_goes_out_and_the_chain_comes_in() {
    let outside = Outside::new();
    let tree = &outside.tree;
    assert!(
        witness::request_text(tree.path("roots/Int/csr/ca_csr-1000.csr"))
            .unwrap()
            .contains("Outside Signed")
    );
    let upload = outside.upload("int.csr", "root", "good", &["-days", "50"]);
    // Any order, with text around, with CRLF.
    let blocks: Vec<_> = upload
        .split_inclusive("-----END CERTIFICATE-----\n")
        .collect();
    let reversed = format!("the chain\n{}{}", blocks[1], blocks[0]);
    let done = tree.converge(outside.signed(&reversed.replace('\n', "\r\n")));
    assert_eq!(
        done.value["authorities"]["Int"]["action"],
        "installed",
        "{}",
        done.report()
    );
    tree.assert_pair("Int");
    tree.quiet(outside.csr());
    tree.quiet(outside.signed(&upload));
    let active = json!({"authorities": [{"name": "Int", "type": "intermediate", "state": "active"}],
        "sign": [{"name": "web", "csr": request("web.example.org").1}]});
    let signed = tree.converge(active);
    let entry = &signed.value["signed"][0];
    witness::verify_strict(
        tree.sandbox.read("root.pem"),
        entry["chain"].as_str().unwrap(),
        entry["certificate"].as_str().unwrap(),
        "web.example.org",
    )
    .unwrap();
}

#[test]
fn an_authority_in_service_is_not_disturbed_by_a_request_with_a_new_key() {
    let outside = Outside::new();
    let tree = &outside.tree;
    tree.converge(outside.signed(&outside.upload("int.csr", "root", "good", &["-days", "50"])));
    let (key, certificate) = (
        tree.read("roots/Int/private/Int.key.pem"),
        tree.certificate("Int"),
    );
    let mut again = outside.csr();
    again["regenerate_key"] = "Int".into();
    let made = tree.run(again);
    assert_eq!(
        (
            tree.read("roots/Int/private/Int.key.pem"),
            tree.certificate("Int")
        ),
        (key.clone(), certificate)
    );
    tree.assert_pair("Int");
    tree.sandbox.write(
        "next.csr",
        made.value["authorities"]["Int"]["csr"].as_str().unwrap(),
    );
    tree.converge(outside.signed(&outside.upload("next.csr", "root", "good", &["-days", "60"])));
    tree.assert_pair("Int");
    assert_ne!(tree.read("roots/Int/private/Int.key.pem"), key);
    assert!(!tree.path("roots/Int/private/Int-1001.key.pem").exists());
}

#[test]
fn every_bad_upload_is_refused_by_its_name_and_nothing_moves() {
    let outside = Outside::new();
    let tree = &outside.tree;
    sh(
        tree.sandbox.path(),
        "openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes \
        -keyout other.key -out other.csr -subj '/CN=Outside Signed' 2>/dev/null",
    );
    outside.root("narrow", "root_no_room");
    outside.root("constrained", "root_constrained");
    outside.root("plain", "no_ca");
    // Another key behind the same name.
    sh(tree.sandbox.path(), "mkdir impostor; cp ca.cnf impostor/");
    sh(
        &tree.sandbox.join("impostor"),
        "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes \
        -keyout root.key -out root.pem -subj '/CN=Outside root' -days 100 -config ca.cnf -extensions root 2>/dev/null",
    );
    let good = outside.upload("int.csr", "root", "good", &["-days", "50"]);
    let (leaf, _) = good.split_at(good.find("END CERTIFICATE-----\n").unwrap() + 21);
    let impostor = String::from_utf8(tree.sandbox.read("impostor/root.pem")).unwrap();
    let cases = [
        (
            "signed.key_mismatch",
            outside.upload("other.csr", "root", "good", &["-days", "50"]),
        ),
        (
            "signed.not_authority",
            outside.upload("int.csr", "root", "no_ca", &["-days", "50"]),
        ),
        (
            "signed.no_key_cert_sign",
            outside.upload("int.csr", "root", "no_sign", &["-days", "50"]),
        ),
        (
            "signed.key_identifier",
            outside.upload("int.csr", "root", "wrong_aki", &["-days", "50"]),
        ),
        (
            "signed.unknown_critical",
            outside.upload("int.csr", "root", "critical", &["-days", "50"]),
        ),
        (
            "signed.path_length",
            outside.upload("int.csr", "narrow", "good", &["-days", "50"]),
        ),
        (
            "signed.name_constraints",
            outside.upload("int.csr", "constrained", "disjoint", &["-days", "50"]),
        ),
        (
            "signed.not_authority",
            outside.upload("int.csr", "plain", "good", &["-days", "50"]),
        ),
        ("signed.chain_incomplete", leaf.to_owned()),
        ("signed.signature", format!("{leaf}{impostor}")),
        (
            "input.invalid",
            "-----BEGIN CERTIFICATE-----\nnot base64\n-----END CERTIFICATE-----\n".to_owned(),
        ),
        ("input.invalid", leaf[..leaf.len() / 2].to_owned()),
        ("input.invalid", "nothing".to_owned()),
    ];
    for (kind, pem) in cases {
        let answer = tree.refused(outside.signed(&pem), kind);
        assert!(!answer.msg().is_empty(), "{kind}");
    }
    tree.converge(outside.signed(&good));
}

#[test]
fn an_expired_or_early_upload_is_refused() {
    let outside = Outside::new();
    let tree = &outside.tree;
    let dir = tree.sandbox.path();
    // `openssl x509 -req` has no start date before 3.4; `openssl ca` has.
    tree.sandbox.write("ca/index.txt", "");
    tree.sandbox.write("ca/serial", "01\n");
    tree.sandbox.write("db.cnf", format!("{CONFIG}\n[ca]\ndefault_ca=d\n[d]\ndatabase=ca/index.txt\nserial=ca/serial\n\
        new_certs_dir=ca\ndefault_md=sha256\npolicy=p\nunique_subject=no\n[p]\ncommonName=supplied\n"));
    let root = String::from_utf8(tree.sandbox.read("root.pem")).unwrap();
    for (kind, start, end) in [
        ("signed.expired", "20200101000000Z", "20210101000000Z"),
        ("signed.not_yet_valid", "20900101000000Z", "20910101000000Z"),
    ] {
        let certificate = openssl(
            dir,
            &[
                "ca",
                "-batch",
                "-notext",
                "-config",
                "db.cnf",
                "-extensions",
                "good",
                "-in",
                "int.csr",
                "-cert",
                "root.pem",
                "-keyfile",
                "root.key",
                "-startdate",
                start,
                "-enddate",
                end,
            ],
        );
        tree.refused(outside.signed(&format!("{certificate}{root}")), kind);
    }
}

#[test]
fn an_upload_without_a_request_is_refused() {
    let outside = Outside::new();
    let good = outside.upload("int.csr", "root", "good", &["-days", "50"]);
    let empty = Tree::new();
    empty.refused(outside.signed(&good), "signed.no_key");
    assert!(!empty.path("").exists(), "no empty tree is left behind");
}
