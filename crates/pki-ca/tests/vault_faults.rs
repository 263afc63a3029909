// SPDX-License-Identifier: Apache-2.0
//! What a task leaves when a step fails half way: a proxy before a real OpenBao fails it. Nothing half done stays in service.
#![expect(clippy::unwrap_used, reason = "tests")]

mod support;

use serde_json::{Value, json};
use support::{openssl, sh};
use testbed::servers::{BaoRelease, BaoServer, Certificate, FaultProxy, Rule};
use testbed::{Answer, ModuleRun, Sandbox};

struct Proxied {
    server: BaoServer,
    proxy: FaultProxy,
    sandbox: Sandbox,
}

impl Proxied {
    /// A server with a mount `pki`, and a proxy before it.
    fn new() -> Self {
        let server = BaoServer::start_tls(BaoRelease::Current);
        let config = json!({"max_lease_ttl": "87600h"});
        server.api("sys/mounts/pki", &json!({"type": "pki", "config": config}));
        let sandbox = Sandbox::new();
        let proxy = FaultProxy::start(Some(server.port()), &Certificate::make(sandbox.path()));
        sandbox.write("proxy.pem", proxy.ca_pem());
        Self {
            server,
            proxy,
            sandbox,
        }
    }

    fn run(&self, authorities: Value) -> Answer {
        let vault = json!({
            "url": self.proxy.url("").trim_end_matches('/'),
            "auth": {"token": self.server.token()},
            "ca_path": self.sandbox.join("proxy.pem"),
            "retry_window": "20s",
            "pin_active": false,
        });
        let args = json!({"backend": {"vault": vault}, "authorities": authorities});
        ModuleRun::new(support::PROGRAM)
            .args(args)
            .sandbox(&self.sandbox)
            .run()
    }

    #[track_caller]
    fn done(&self, authorities: Value) -> Answer {
        let done = self.run(authorities.clone());
        assert!(
            done.changed() && !done.failed(),
            "{}\n{:?}",
            done.report(),
            self.proxy.log()
        );
        let again = self.run(authorities);
        assert!(!again.changed() && !again.failed(), "{}", again.report());
        done
    }

    fn list(&self, of: &str) -> Value {
        let (_, said) = self.server.ask("LIST", &format!("pki/{of}"), &Value::Null);
        said["data"].clone()
    }

    fn count(&self, of: &str) -> usize {
        self.list(of)["keys"].as_array().map_or(0, Vec::len)
    }

    fn default(&self) -> Value {
        let (_, said) = self.server.ask("GET", "pki/config/issuers", &Value::Null);
        said["data"]["default"].clone()
    }
}

/// A root, and the intermediate that shall follow it.
fn pair(state: &str) -> Value {
    json!([
        {"name": "root-1", "common_name": "Example Root"},
        {"name": "int-1", "type": "intermediate", "parent": "root-1", "common_name": "Below", "state": state},
    ])
}

/// The request of `int-1` goes to `int.csr`.
fn request_out(sandbox: &Sandbox) -> Value {
    json!([{"name": "int-1", "type": "intermediate", "state": "csr", "common_name": "Outside",
        "csr_path": sandbox.join("int.csr")}])
}

/// What an authority outside makes of it, as a wish.
fn answer_in(sandbox: &Sandbox) -> Value {
    sandbox.write(
        "ext",
        "basicConstraints=critical,CA:TRUE,pathlen:0\nkeyUsage=critical,keyCertSign,cRLSign\n",
    );
    sh(
        sandbox.path(),
        "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -keyout root.key -out root.pem \
         -subj '/CN=Outside Root' -days 900 2>/dev/null",
    );
    let mut upload = openssl(
        sandbox.path(),
        &[
            "x509",
            "-req",
            "-in",
            "int.csr",
            "-CA",
            "root.pem",
            "-CAkey",
            "root.key",
            "-CAcreateserial",
            "-days",
            "500",
            "-extfile",
            "ext",
        ],
    );
    upload.push_str(&String::from_utf8(sandbox.read("root.pem")).unwrap());
    json!([{"name": "int-1", "type": "intermediate", "state": "signed", "signed": upload}])
}

const JSON: &[(&str, &str)] = &[("content-type", "application/json")];
const REFUSED: &str = r#"{"errors": ["refused by the proxy"]}"#;

#[test]
fn answers_that_were_lost_make_nothing_twice() {
    let proxied = Proxied::new();
    proxied.proxy.set(vec![
        Rule::lose_answer("/pki/root/generate/internal", 1),
        Rule::lose_answer("/pki/intermediate/generate/internal", 1),
        Rule::lose_answer("/pki/intermediate/set-signed", 1),
        Rule::lose_answer("/pki/config/issuers", 1),
    ]);
    proxied.done(pair("active"));
    assert_eq!((proxied.count("issuers"), proxied.count("keys")), (2, 2));
}

#[test]
fn a_default_that_does_not_sign_is_put_back() {
    let proxied = Proxied::new();
    proxied.done(pair("present"));
    let before = proxied.default();
    // By name it signs, as the default it does not.
    proxied.proxy.set(vec![Rule::answer(
        "POST /v1/pki/sign-verbatim",
        1,
        400,
        JSON,
        REFUSED,
    )]);
    let failed = proxied.run(pair("active"));
    assert!(
        failed.failed() && failed.report().contains("refused by the proxy"),
        "{}",
        failed.report()
    );
    assert_eq!(proxied.default(), before);
    proxied.done(pair("active"));
    assert_ne!(proxied.default(), before);
}

#[test]
fn an_issuer_that_cannot_sign_never_becomes_the_default() {
    let proxied = Proxied::new();
    proxied.done(pair("present"));
    let before = proxied.default();
    let rule = Rule::answer("/pki/issuer/int-1/sign-verbatim", 1, 400, JSON, REFUSED);
    proxied.proxy.set(vec![rule]);
    let failed = proxied.run(pair("active"));
    assert!(failed.failed(), "{}", failed.report());
    assert_eq!(proxied.default(), before);
    assert_eq!(proxied.proxy.count("POST /v1/pki/config/issuers"), 0);
}

#[test]
fn a_first_issuer_that_proves_nothing_is_said_to_be_the_default() {
    let proxied = Proxied::new();
    let rule = Rule::answer("/pki/issuer/root-1/sign-verbatim", 1, 400, JSON, REFUSED);
    proxied.proxy.set(vec![rule]);
    let wish = json!([{"name": "root-1", "common_name": "Example Root", "state": "active"}]);
    let failed = proxied.run(wish.clone());
    assert!(failed.failed() && failed.changed(), "{}", failed.report());
    let said = failed.value["warnings"].to_string();
    assert!(said.contains("is the default issuer of mount"), "{said}");
    assert_ne!(proxied.default(), "");
}

#[test]
fn an_upload_that_does_not_prove_itself_is_taken_back() {
    let proxied = Proxied::new();
    let sandbox = &proxied.sandbox;
    proxied.done(request_out(sandbox));
    let signed = answer_in(sandbox);
    for (what, rule) in [
        (
            "its proof",
            Rule::answer("/sign-verbatim", 1, 400, JSON, REFUSED),
        ),
        (
            "its name",
            Rule::answer("PATCH /v1/pki/issuer/", 1, 400, JSON, REFUSED),
        ),
    ] {
        proxied.proxy.set(vec![rule]);
        let failed = proxied.run(signed.clone());
        assert!(failed.failed(), "{what}: {}", failed.report());
        assert_eq!(
            (proxied.count("issuers"), proxied.count("keys")),
            (0, 1),
            "{what}"
        );
    }
    proxied.done(signed);
    assert_eq!(proxied.count("issuers"), 2);
}

#[test]
fn what_cannot_be_taken_back_is_said_beside_the_failure() {
    let proxied = Proxied::new();
    let sandbox = &proxied.sandbox;
    proxied.done(request_out(sandbox));
    let signed = answer_in(sandbox);
    let forbidden = r#"{"errors": ["no removal"]}"#;
    proxied.proxy.set(vec![
        Rule::answer("/sign-verbatim", 1, 400, JSON, REFUSED),
        Rule::answer("DELETE /v1/pki/issuer/", 1, 400, JSON, forbidden),
    ]);
    let failed = proxied.run(signed);
    let failure = failed.value["failures"][0].to_string();
    assert!(
        failure.contains("refused by the proxy"),
        "{}",
        failed.report()
    );
    let said = failed.value["warnings"].to_string();
    assert!(
        said.contains("is still in mount") && said.contains("no removal"),
        "{said}"
    );
    assert!(failed.changed(), "{}", failed.report());
}

#[test]
fn what_was_cut_before_its_name_is_taken_up_again() {
    let proxied = Proxied::new();
    proxied.done(json!([{"name": "root-1", "common_name": "Example Root"}]));
    let (_, csr) = proxied.server.ask(
        "POST",
        "pki/intermediate/generate/internal",
        &json!({"common_name": "Below", "key_name": "int-1", "key_type": "ec", "key_bits": 384}),
    );
    // A key is left; its request is made again.
    assert!(csr["data"]["csr"].is_string(), "{csr}");
    proxied.done(pair("present"));
    assert_eq!((proxied.count("issuers"), proxied.count("keys")), (2, 2));
    // A certificate is left without its name.
    let (_, whole) = proxied.server.ask("GET", "pki/issuer/int-1", &Value::Null);
    let chain: Vec<&str> = whole["data"]["ca_chain"]
        .as_array()
        .unwrap()
        .iter()
        .filter_map(Value::as_str)
        .collect();
    proxied
        .server
        .ask("DELETE", "pki/issuer/int-1", &Value::Null);
    proxied.server.api(
        "pki/intermediate/set-signed",
        &json!({"certificate": chain.join("\n")}),
    );
    let done = proxied.done(pair("present"));
    assert_eq!(
        done.value["authorities"]["int-1"]["reasons"][0]["kind"],
        "unnamed",
        "{}",
        done.report()
    );
    assert_eq!((proxied.count("issuers"), proxied.count("keys")), (2, 2));
}

#[test]
fn a_server_that_does_not_show_public_keys_is_asked_for_requests() {
    let proxied = Proxied::new();
    proxied.done(request_out(&proxied.sandbox));
    let id = proxied.list("keys")["keys"][0].clone();
    // As Vault 1.11 shows a key.
    let shown = json!({"data": {"key_id": id, "key_name": "int-1", "key_type": "ec"}});
    proxied
        .proxy
        .set(vec![Rule::edit("GET /v1/pki/key/", 1_000, shown)]);
    let before = proxied
        .proxy
        .count("/issuers/generate/intermediate/existing");
    let again = proxied.run(request_out(&proxied.sandbox));
    assert!(!again.changed() && !again.failed(), "{}", again.report());
    // Once to know the key, once for the answer.
    let asked = proxied
        .proxy
        .count("/issuers/generate/intermediate/existing");
    assert_eq!(asked - before, 2, "{:?}", proxied.proxy.log());
    proxied.done(answer_in(&proxied.sandbox));
}
