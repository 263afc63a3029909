// SPDX-License-Identifier: Apache-2.0
//! What takes several runs: renewal, an authority outside, provided sets, removal.
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

fn kinds(answer: &testbed::Answer) -> Vec<String> {
    let reasons = of_web(answer)["reasons"]
        .as_array()
        .cloned()
        .unwrap_or_default();
    reasons
        .iter()
        .map(|reason| reason["kind"].as_str().unwrap().to_owned())
        .collect()
}

#[test]
fn every_algorithm_is_issued_verified_and_served() {
    let host = Host::new("root root\nintermediate root ca");
    for (key, format) in [
        (json!({"algorithm": "rsa"}), "pkcs8"),
        (json!({"algorithm": "rsa", "size": 3072}), "traditional"),
        (
            json!({"algorithm": "ecdsa", "curve": "secp256r1"}),
            "traditional",
        ),
        (json!({"algorithm": "ecdsa", "curve": "P-384"}), "pkcs8"),
        (json!({"algorithm": "ecdsa", "curve": "secp521r1"}), "pkcs8"),
        (json!({"algorithm": "ed25519"}), "pkcs8"),
        (json!({"algorithm": "ed448"}), "pkcs8"),
    ] {
        let mut key = key;
        key["format"] = Value::from(format);
        let files = json!([
            {"content": "private_key", "path": "$DIR/web.key"},
            {"content": "certificate", "path": "$DIR/web.pem"},
            {"content": "chain", "path": "$DIR/chain.pem"},
            {"content": "fullchain", "path": "$DIR/full.pem"},
        ]);
        let args = web(json!({"key": key, "files": files, "ip": "127.0.0.1"}));
        let answer = host.run(&args);
        assert!(answer.changed(), "{key}: {}", answer.report());
        let at = |name: &str| host.sandbox.read(name);
        host.assert_pair("web.pem", "web.key");
        witness::verify_strict(
            at("ca/root.pem"),
            at("chain.pem"),
            at("web.pem"),
            "web.example.org",
        )
        .unwrap();
        witness::verify(
            at("ca/root.pem"),
            at("chain.pem"),
            at("web.pem"),
            "127.0.0.1",
        )
        .unwrap();
        witness::handshake(
            host.sandbox.join("full.pem"),
            host.sandbox.join("web.key"),
            host.sandbox.join("ca/root.pem"),
            "web.example.org",
        )
        .unwrap();
        assert!(!host.run(&args).changed(), "{key} again");
    }
}

#[test]
fn stores_are_read_by_others_and_kept_by_us() {
    let host = Host::new("root root\nintermediate root ca");
    let store = |content: &str| json!({"content": content, "path": format!("$DIR/web.{content}"), "passphrase": "changeit", "alias": "broker"});
    let args = web(json!({"files": [store("pkcs12"), store("jks")],
        "issuer": {"private_ca": {"certificate": "$DIR/ca/ca.pem", "private_key": "$DIR/ca/ca.key", "root": "$DIR/ca/root.pem"}}}));
    assert!(host.run(&args).changed());
    let text = witness::pkcs12_info(host.sandbox.join("web.pkcs12"), "changeit").unwrap();
    assert!(
        text.contains("friendlyName: broker") && text.contains("CN = ca"),
        "{text}"
    );
    match witness::keystore_list(host.sandbox.join("web.jks"), "changeit") {
        Ok(text) => assert!(
            text.contains("broker") && text.contains("web.example.org"),
            "{text}"
        ),
        Err(why) => assert!(why.to_string().contains("keytool"), "{why}"),
    }
    let before = host.sandbox.listing();
    assert!(!host.run(&args).changed());
    host.sandbox.assert_unmoved(&before, "the second run");
    host.shell("rm web.jks");
    assert_eq!(of_web(&host.run(&args))["action"], "rewrite");
}

#[test]
fn a_short_lived_certificate_is_renewed_when_it_is_due() {
    let host = Host::new("root ca");
    let args = web(json!({"ttl": "8s", "renew": {"before": "6s"}}));
    let first = host.run(&args);
    assert_eq!(kinds(&first), ["missing"]);
    // Backdating makes the whole life 308 s; due is 6 s before the end.
    assert!(!host.run(&args).changed());
    std::thread::sleep(std::time::Duration::from_secs(3));
    let second = host.run(&args);
    assert_eq!(kinds(&second), ["expiry"]);
    assert_eq!(
        of_web(&second)["previous_fingerprint_sha256"],
        of_web(&first)["fingerprint_sha256"]
    );
    assert_eq!(
        second.value["restart"][0]["replaces"][0],
        of_web(&first)["fingerprint_sha256"]
    );
    host.assert_pair("web.pem", "web.key");
}

#[test]
fn reuse_keeps_the_key_unless_the_key_is_the_reason() {
    let host = Host::new("root ca");
    let args = |change: Value| web(change);
    let reuse = json!({"algorithm": "ecdsa", "reuse": true});
    host.run(&args(json!({"key": reuse})));
    let key = host.sandbox.read("web.key");
    host.run(&args(json!({"key": reuse, "renew": {"force": true}})));
    assert_eq!(
        host.sandbox.read("web.key"),
        key,
        "reuse: true keeps the key"
    );
    host.run(&args(json!({"renew": {"force": true}})));
    assert_ne!(
        host.sandbox.read("web.key"),
        key,
        "reuse: false makes a new one"
    );
    let answer = host.run(&args(
        json!({"key": {"algorithm": "ed25519", "reuse": true}}),
    ));
    assert_eq!(kinds(&answer), ["key"]);
    host.assert_pair("web.pem", "web.key");
}

#[test]
fn an_authority_outside_signs_on_a_later_run() {
    let host = Host::new("root root\nroot other");
    let external = |more: Value| {
        web(json!({"issuer": {"external": more}, "files": [
            {"content": "private_key", "path": "$DIR/web.key"},
            {"content": "fullchain", "path": "$DIR/web.pem"},
            {"content": "ca_bundle", "path": "$DIR/ca.pem"},
        ]}))
    };
    let first = host.run(&external(json!({"trust": "$DIR/ca/root.pem"})));
    let csr = of_web(&first)["csr"].as_str().unwrap().to_owned();
    host.sandbox.write("web.csr", &csr);
    witness::request_text(host.sandbox.join("web.csr")).unwrap();
    assert!(
        !host.sandbox.join("web.key").exists(),
        "the key stays with the pending request"
    );
    let sign = |ca: &str| {
        host.shell(&format!(
            "extensions e subjectAltName=DNS:web.example.org keyUsage=critical,digitalSignature\n\
             openssl x509 -req -in web.csr -CA ca/{ca}.pem -CAkey ca/{ca}.key -set_serial 0x$(openssl rand -hex 8) -days 90 -extfile e 2>/dev/null; cat ca/{ca}.pem"
        ))
    };
    let waiting = host.run(&external(json!({"trust": "$DIR/ca/root.pem"})));
    assert!(!waiting.changed());
    assert_eq!(
        of_web(&waiting)["csr"],
        csr.as_str(),
        "the request stays the same"
    );

    let untrusted = external(json!({"signed": sign("other"), "trust": "$DIR/ca/root.pem"}));
    for is_check in [true, false] {
        let answer = host.module(&untrusted).check(is_check).run();
        assert_eq!(answer.kind(), "chain.untrusted", "{}", answer.report());
    }
    assert!(!host.sandbox.join("web.pem").exists());

    let args = external(json!({"signed": sign("root"), "trust": "$DIR/ca/root.pem"}));
    host.shell("cp -a state keep");
    let installed = host.run(&args);
    assert_eq!(of_web(&installed)["action"], "issue");
    assert_eq!(installed.value["pending"], json!([]));
    assert!(!host.sandbox.join("state/pending/web").exists());
    host.assert_pair("web.pem", "web.key");
    let at = |name: &str| host.sandbox.read(name);
    witness::verify(at("ca.pem"), "", at("web.pem"), "web.example.org").unwrap();
    assert!(
        !host.run(&args).changed(),
        "the same signed text is no change"
    );
    assert!(
        !host.run(&external(json!({}))).changed(),
        "without it neither"
    );

    host.shell("rm -r state\nmv keep state");
    assert!(
        !host.run(&args).changed(),
        "a request that a kill left behind was answered already"
    );
    assert!(!host.run(&external(json!({}))).changed());

    // A changed wish: a new request; the old certificate stays in service; the old answer no longer fits.
    let mut wider = args.clone();
    wider["certificates"][0]["dns"] = json!(["web.example.org", "api.example.org"]);
    let before = host.sandbox.read("web.pem");
    let again = host.run(&wider);
    assert_eq!(
        (&of_web(&again)["action"], kinds(&again)),
        (&json!("request"), vec!["names".to_owned()])
    );
    assert_eq!(host.sandbox.read("web.pem"), before);
}

#[test]
fn a_pending_request_follows_the_wish() {
    let host = Host::new("");
    let external = |dns: &str| web(json!({"issuer": {"external": {}}, "dns": [dns]}));
    let first = host.run(&external("a.example.org"));
    let second = host.run(&external("b.example.org"));
    assert!(second.changed());
    assert_ne!(of_web(&first)["csr"], of_web(&second)["csr"]);
    let absent = json!({"certificates": [{"name": "web", "files": [{"content": "combined", "path": "$DIR/x.pem"}]}], "state": "absent", "state_dir": "$DIR/state"});
    assert!(host.run(&absent).changed());
    assert!(!host.sandbox.join("state/pending/web").exists());
    assert!(!host.run(&absent).changed());
}

#[test]
fn a_provided_set_changes_only_when_it_is_another() {
    let host = Host::new("root ca\nmkdir in\nserver ca in/web 365 DNS:web.example.org");
    let text = |name: &str| String::from_utf8(host.sandbox.read(name)).unwrap();
    let args = || {
        web(json!({"issuer": {"provided": {
            "certificate_content": text("in/web.pem"), "private_key_content": text("in/web.key"), "chain_content": text("ca/ca.pem"),
        }}}))
    };
    let first = host.run(&args());
    assert!(first.changed());
    let secret = text("in/web.key");
    first.never_says(secret.lines().nth(1).unwrap());
    host.assert_pair("web.pem", "web.key");
    assert!(!host.run(&args()).changed());
    host.shell("server ca in/web 365 DNS:web.example.org");
    let second = host.run(&args());
    assert_eq!(kinds(&second), ["issuer"]);
    assert_eq!(
        of_web(&second)["previous_fingerprint_sha256"],
        of_web(&first)["fingerprint_sha256"]
    );
}

#[test]
fn a_renewed_ca_with_the_same_key_only_rewrites_the_chain() {
    let host = Host::new("root root\nintermediate root ca");
    let args = web(json!({"files": [
        {"content": "private_key", "path": "$DIR/web.key"}, {"content": "fullchain", "path": "$DIR/web.pem"},
    ]}));
    let first = host.run(&args);
    host.shell("below root ca/ca 1000 /CN=ca ca/ca.key basicConstraints=critical,CA:TRUE keyUsage=critical,keyCertSign,cRLSign");
    let second = host.run(&args);
    assert_eq!(of_web(&second)["action"], "rewrite");
    assert_eq!(of_web(&second)["serial"], of_web(&first)["serial"]);
    assert_eq!(second.value["renewed"], json!([]));
}

#[test]
fn one_bad_entry_does_not_spoil_the_others() {
    let host = Host::new("root ca\nroot old\nserver old bad\nmkdir blocked");
    let files = |name: &str| json!([{"content": "private_key", "path": format!("$DIR/{name}.key")}, {"content": "certificate", "path": format!("$DIR/{name}.pem")}]);
    let mut args = web(json!({}));
    let mut bad = args["certificates"][0].clone();
    (bad["name"], bad["dns"], bad["files"]) =
        (json!("bad"), json!(["bad.example.org"]), files("bad"));
    bad["issuer"]["private_ca"]["private_key"] = json!("$DIR/ca/old.key");
    let mut gone = bad.clone();
    (gone["name"], gone["files"]) = (json!("gone"), files("gone"));
    gone["issuer"]["private_ca"]["certificate"] = json!("$DIR/ca/none.pem");
    args["certificates"]
        .as_array_mut()
        .unwrap()
        .extend([bad, gone]);
    let answer = host.module(&args).run();
    assert!(answer.failed() && answer.changed());
    assert_eq!(answer.kind(), "certificates.failed");
    assert_eq!(answer.value["renewed"], json!(["web"]));
    assert_eq!(
        answer.value["failures"]["bad"]["kind"],
        "issuer.key_mismatch"
    );
    assert_eq!(
        answer.value["failures"]["gone"]["kind"],
        "issuer.unreadable"
    );
    assert_eq!(answer.value["certificates"]["bad"]["action"], "failed");
    assert_eq!(
        answer.value["certificates"]["bad"]["issuer"], "CN=old",
        "what stays in service is told"
    );
    host.assert_pair("web.pem", "web.key");
    host.assert_pair("bad.pem", "bad.key");
    let msg = answer.msg();
    assert!(
        msg.starts_with(
            "2 of 3 certificates failed: 'bad': the private key does not belong to the CA 'CN=ca'"
        ),
        "{msg}"
    );
}

#[test]
fn secrets_never_leave() {
    let host = Host::new(
        "root ca\nopenssl pkey -in ca/ca.key -aes256 -passout pass:ca-secret -out k\nmv k ca/ca.key",
    );
    let args = |passphrase: &str| {
        web(
            json!({"key": {"algorithm": "ecdsa", "passphrase": "key-secret"},
        "issuer": {"private_ca": {"certificate": "$DIR/ca/ca.pem", "private_key": "$DIR/ca/ca.key", "passphrase": passphrase}}}),
        )
    };
    let answer = host.run(&args("ca-secret"));
    answer
        .never_says("ca-secret")
        .never_says("key-secret")
        .never_says("PRIVATE KEY");
    let wrong = host.module(&args("not-this-one")).run();
    assert!(
        !wrong.failed(),
        "without anything to sign the key of the CA is not even read"
    );
    let public =
        witness::private_key_public_half(host.sandbox.join("web.key"), "key-secret").unwrap();
    assert_eq!(
        public,
        witness::certificate_public_key(host.sandbox.join("web.pem")).unwrap()
    );
}

#[test]
fn two_paths_that_are_one_file_are_refused_for_the_later() {
    let host = Host::new("root ca\nmkdir real\nln -s real link");
    let mut args = web(json!({"files": [{"content": "combined", "path": "$DIR/real/web.pem"}]}));
    let mut other = args["certificates"][0].clone();
    (other["name"], other["files"][0]["path"]) = (json!("other"), json!("$DIR/link/web.pem"));
    args["certificates"].as_array_mut().unwrap().push(other);
    let answer = host.module(&args).run();
    assert_eq!(answer.kind(), "files.same_file", "{}", answer.report());
    assert_eq!(answer.value["renewed"], json!(["web"]));
    let expected = host.sandbox.place(&json!(
        "1 of 2 certificates failed: 'other': '$DIR/link/web.pem' is the same file as '$DIR/real/web.pem' of 'web'; give each its own path"
    ));
    assert_eq!(answer.msg(), expected.as_str().unwrap());
}
