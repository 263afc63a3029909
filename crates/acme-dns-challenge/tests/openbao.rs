// SPDX-License-Identifier: Apache-2.0
//! The module against another server than Pebble: a real OpenBao, which wants credentials and looks at real BINDs.
#![expect(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    reason = "a test that starts programs"
)]

use std::process::Command;

use serde_json::json;
use testbed::servers::{DnsWorld, OpenBao, SECRET, World};
use testbed::{ModuleRun, Sandbox};

/// What the shell makes of a script in the directory; it must work.
fn sh(sandbox: &Sandbox, script: &str) -> String {
    let mut command = Command::new("sh");
    let command = command.args(["-euc", script]).current_dir(sandbox.path());
    let done = command.output().unwrap();
    let said = String::from_utf8_lossy(&done.stderr);
    assert!(done.status.success(), "{script}: {said}");
    String::from_utf8_lossy(&done.stdout).trim().to_owned()
}

#[test]
fn certificates_of_openbao_are_issued_kept_and_renewed() {
    let dns = DnsWorld::start(&World::default());
    let bao = OpenBao::start(dns.resolver.address());
    let (kid, hmac_key) = bao.credentials();
    let sandbox = Sandbox::new();
    sandbox.write("ca.pem", bao.ca_pem());
    sandbox.write("root.pem", bao.root_pem());
    sh(
        &sandbox,
        "openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj / \
         -addext subjectAltName=DNS:h0.example.test,DNS:h1.example.test -keyout main.key -out main.csr",
    );
    let [primary, secondary] = dns.authoritative().map(|address| address.to_string());
    let task = |renew: serde_json::Value| {
        let args = json!({
            "directory": bao.directory_url(),
            "ca_file": "$DIR/ca.pem",
            "account_key": "$DIR/account.key",
            "eab": {"kid": kid, "hmac_key": hmac_key},
            "certificates": [{
                "name": "main",
                "csr": "$DIR/main.csr",
                "files": [
                    {"content": "fullchain", "path": "$DIR/full.pem", "mode": "0644"},
                    {"content": "chain", "path": "$DIR/chain.pem", "mode": "0644"},
                ],
            }],
            "provider": {"rfc2136": {"server": primary, "key_name": "key-hmac-sha256", "secret": SECRET}},
            "target": {"zone": "acme-sign.test"},
            "propagation": {
                "resolvers": [dns.resolver.address().to_string()],
                "nameservers": [primary, secondary],
                "timeout": "20s",
            },
            "renew": renew,
            "state_dir": "$DIR/state",
        });
        let answer = ModuleRun::new(env!("CARGO_BIN_EXE_acme_dns_challenge"))
            .args(args)
            .sandbox(&sandbox)
            .run();
        assert!(!answer.failed(), "{}", answer.report());
        answer.never_says(&hmac_key);
        answer
    };
    let issued = task(json!({}));
    assert_eq!(issued.value["updated"], json!(["main"]));
    assert!(dns.texts().is_empty(), "{:?}", dns.texts());
    // The root comes with the chain, and openssl needs none of it.
    let subjects = "openssl crl2pkcs7 -nocrl -certfile full.pem | openssl pkcs7 -print_certs -noout | grep -c '^subject'";
    assert_eq!(sh(&sandbox, subjects), "3");
    let verify = "openssl verify -x509_strict -CAfile root.pem -untrusted chain.pem full.pem";
    assert_eq!(sh(&sandbox, verify), "full.pem: OK");

    // The server shows no renewal information, which is no fault: it is asked for its directory, once.
    let kept = task(json!({}));
    assert!(!kept.changed(), "{}", kept.report());
    assert_eq!(kept.value["requests"], 1);
    assert_eq!(kept.value.get("warnings"), None, "{}", kept.report());

    // The account is there: its credentials, which are spent, are shown again and do no harm.
    let renewed = task(json!({"force": true}));
    assert!(renewed.changed(), "{}", renewed.report());
    let serial = |answer: &testbed::Answer| answer.value["certificates"]["main"]["serial"].clone();
    assert_ne!(serial(&renewed), serial(&issued));
    assert_eq!(sh(&sandbox, verify), "full.pem: OK");
}
