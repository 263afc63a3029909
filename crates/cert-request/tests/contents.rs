// SPDX-License-Identifier: Apache-2.0
//! What is in certificates and files, in the words of openssl and keytool.
#![expect(
    clippy::disallowed_methods,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test that starts programs"
)]

mod support;

use serde_json::{Value, json};
use support::{Host, of_web, web};
use testbed::witness;

fn assert_lines(text: &str, lines: &[&str]) {
    for line in lines {
        assert!(
            text.lines().any(|seen| seen.trim() == *line),
            "'{line}' is not in\n{text}"
        );
    }
}

/// Every name and extension that a wish can have.
fn everything() -> Value {
    json!({
        "common_name": "web",
        "subject": {"country": "DE", "O": "Cloud, Inc.", "organizational_unit": ["a", "b"], "email": "ops@example.org"},
        "dns": "web.example.org, *.example.org",
        "ip": ["192.0.2.1", "2001:db8::1"],
        "email": ["web@example.org"],
        "uri": ["spiffe://cloud/web"],
        "other_name": [{"type_id": "1.3.6.1.4.1.311.20.2.3", "value": "web@EXAMPLE.ORG"}],
        "key_usage": ["Digital Signature", "key_agreement"],
        "extended_key_usage": ["server_auth", "1.3.6.1.5.2.3.5"],
        "must_staple": true,
    })
}

#[test]
fn openssl_sees_every_name_and_extension_of_the_wish_in_request_and_certificate() {
    let host = Host::new("root ca");
    let mut change = everything();
    change["files"] = json!([
        {"content": "private_key", "path": "$DIR/web.key"},
        {"content": "certificate", "path": "$DIR/web.pem"},
        {"content": "csr", "path": "$DIR/web.csr"},
    ]);
    let args = web(change);
    host.run(&args);
    for text in [
        witness::certificate_text(host.sandbox.join("web.pem")).unwrap(),
        witness::request_text(host.sandbox.join("web.csr")).unwrap(),
    ] {
        let names = text
            .lines()
            .find(|line| line.contains("DNS:web.example.org"));
        let names: Vec<_> = names.unwrap_or_default().trim().split(", ").collect();
        assert_eq!(
            names,
            [
                "DNS:web.example.org",
                "DNS:*.example.org",
                "IP Address:192.0.2.1",
                "IP Address:2001:DB8:0:0:0:0:0:1",
                "email:web@example.org",
                "URI:spiffe://cloud/web",
                "othername: UPN::web@EXAMPLE.ORG",
            ],
            "{text}"
        );
        assert_lines(
            &text,
            &[
                "Subject: C = DE, O = \"Cloud, Inc.\", OU = a, OU = b, emailAddress = ops@example.org, CN = web",
                "Digital Signature, Key Agreement",
                "TLS Web Server Authentication, Signing KDC Response",
                "status_request",
            ],
        );
    }
    assert!(!host.run(&args).changed(), "again");
    // Each of them is also compared: without it the certificate differs from the wish.
    for name in everything().as_object().unwrap().keys() {
        let kind = match name.as_str() {
            "common_name" | "subject" => "subject",
            "key_usage" | "extended_key_usage" | "must_staple" => "usages",
            _ => "names",
        };
        let mut less = args.clone();
        less["certificates"][0]
            .as_object_mut()
            .unwrap()
            .remove(name);
        let answer = host.module(&less).check(true).run();
        let reasons = &of_web(&answer)["reasons"];
        assert_eq!(
            of_web(&answer)["action"],
            "issue",
            "without '{name}': {}",
            answer.report()
        );
        assert!(
            reasons
                .as_array()
                .unwrap()
                .iter()
                .any(|reason| reason["kind"] == kind),
            "without '{name}': {reasons}"
        );
    }
}

#[test]
fn the_longest_common_name_is_taken() {
    let host = Host::new("root ca");
    let longest = "n".repeat(64);
    let args = web(json!({"common_name": longest}));
    host.run(&args);
    let text = witness::certificate_text(host.sandbox.join("web.pem")).unwrap();
    assert_lines(&text, &[&format!("Subject: CN = {longest}")]);
    // Of DNS names, the first that is short enough.
    let long = format!("{}.example.org", "a".repeat(60));
    let args = web(json!({"dns": [long, "short.example.org"]}));
    host.run(&args);
    let text = witness::certificate_text(host.sandbox.join("web.pem")).unwrap();
    assert_lines(&text, &["Subject: CN = short.example.org"]);
    assert!(!host.run(&args).changed(), "again");
}

/// The labels of the PEM blocks of a file, in their order.
fn labels(host: &Host, name: &str) -> Vec<String> {
    let text = String::from_utf8(host.sandbox.read(name)).unwrap();
    text.lines()
        .filter_map(|line| line.strip_prefix("-----BEGIN "))
        .map(|label| label.trim_end_matches('-').to_owned())
        .collect()
}

#[test]
fn parts_of_a_combined_file_come_in_the_order_of_each_service() {
    let host = Host::new("root root\nintermediate root ca");
    let combined =
        |parts: Value| json!({"content": "combined", "path": "$DIR/all.pem", "parts": parts});
    for (parts, expected) in [
        (
            json!(["private_key", "certificate", "chain", "root"]),
            &["PRIVATE KEY", "CERTIFICATE", "CERTIFICATE", "CERTIFICATE"][..],
        ),
        (
            json!("certificate,private_key"),
            &["CERTIFICATE", "PRIVATE KEY"],
        ),
        (Value::Null, &["CERTIFICATE", "CERTIFICATE", "PRIVATE KEY"]),
    ] {
        let args = web(
            json!({"files": [combined(parts.clone())], "issuer": {"private_ca": {
            "certificate": "$DIR/ca/ca.pem", "private_key": "$DIR/ca/ca.key", "chain": "$DIR/ca/root.pem"}}}),
        );
        assert!(host.run(&args).changed(), "{parts}");
        assert_eq!(labels(&host, "all.pem"), expected, "{parts}");
        host.assert_pair("all.pem", "all.pem");
        assert!(!host.run(&args).changed(), "{parts} again");
    }
}

#[test]
fn a_chain_that_ends_with_its_root_stays_and_one_that_ends_with_another_is_mended() {
    let host = Host::new("root root\nroot other");
    let args = web(json!({
        "files": [{"content": "private_key", "path": "$DIR/web.key"}, {"content": "certificate", "path": "$DIR/web.pem"},
            {"content": "fullchain", "path": "$DIR/chain.pem"}],
        "issuer": {"private_ca": {"certificate": "$DIR/ca/root.pem", "private_key": "$DIR/ca/root.key"}}}));
    assert!(host.run(&args).changed());
    host.shell("cat web.pem ca/root.pem > chain.pem");
    assert!(!host.run(&args).changed());
    for wrong in ["web.pem ca/other.pem", "web.pem ca/root.pem ca/root.pem"] {
        host.shell(&format!("cat {wrong} > chain.pem"));
        assert!(host.run(&args).changed(), "{wrong}");
        assert_eq!(host.sandbox.read("chain.pem"), host.sandbox.read("web.pem"));
    }
}

/// What a store holds is what openssl says of the certificate beside it, for a store that Java and openssl open.
#[test]
fn stores_hold_the_pair_and_its_chain_and_follow_each_renewal() {
    let host = Host::new("root root\nintermediate root ca");
    let args = |force: bool| {
        web(json!({"renew": {"force": force}, "files": [
            {"content": "certificate", "path": "$DIR/web.pem"},
            {"content": "private_key", "path": "$DIR/web.key"},
            {"content": "pkcs12", "path": "$DIR/web.p12", "passphrase": "changeit", "alias": "broker"},
            {"content": "jks", "path": "$DIR/web.jks", "passphrase": "changeit", "alias": "broker"},
        ]}))
    };
    for force in [false, true, true] {
        assert!(host.run(&args(force)).changed());
        // Java reads both forms, the key included, and converts them for openssl.
        for (store, form) in [("web.jks", "JKS"), ("web.p12", "PKCS12")] {
            host.shell(&format!(
                "rm -f out.p12\n\
                 keytool -importkeystore -noprompt -srckeystore {store} -srcstoretype {form} -srcstorepass changeit \
                 -srcalias broker -destkeystore out.p12 -deststoretype PKCS12 -deststorepass changeit >out.log 2>&1 || {{ cat out.log >&2; exit 1; }}\n\
                 openssl pkcs12 -in out.p12 -passin pass:changeit -nodes -nocerts 2>/dev/null | openssl pkey >out.key\n\
                 openssl pkcs12 -in out.p12 -passin pass:changeit -nokeys -clcerts 2>/dev/null | openssl x509 >out.pem\n\
                 cmp out.pem web.pem\n\
                 test $(openssl pkcs12 -in out.p12 -passin pass:changeit -nokeys 2>/dev/null | grep -c BEGIN) = 2"
            ));
            host.assert_pair("out.pem", "out.key");
            host.assert_pair("web.pem", "out.key");
        }
        assert!(!host.run(&args(false)).changed(), "again");
    }
    let mut other = args(false);
    for file in [2, 3] {
        other["certificates"][0]["files"][file]["passphrase"] = json!("changed-it");
    }
    let answer = host.module(&other).run();
    assert!(
        answer.failed() && answer.msg().contains("passphrase"),
        "another passphrase is not taken for damage: {}",
        answer.report()
    );
    other["certificates"][0]["on_unreadable"] = json!("replace");
    assert_eq!(of_web(&host.run(&other))["action"], "rewrite");
    assert!(!host.run(&other).changed(), "with the new passphrase");
}
