// SPDX-License-Identifier: Apache-2.0
//! A server behind a proxy that counts, a host that logs in with an AppRole, and one way to run.

use std::process::Command;
use std::time::Duration;

use serde_json::{Value, json};
use testbed::servers::{Certificate, FaultProxy, OpenBao};
use testbed::{Answer, ModuleRun, Sandbox, witness};

pub(crate) const EXECUTABLE: &str = env!("CARGO_BIN_EXE_cert_request");

/// What hosts may do: sign, and revoke what they have.
const POLICY: &str = r#"
path "pki/sign/*" { capabilities = ["create", "update"] }
path "pki/issuer/+/sign/*" { capabilities = ["create", "update"] }
path "pki/revoke" { capabilities = ["create", "update"] }
"#;

/// A server, and a host.
pub(crate) struct Lab {
    pub(crate) bao: OpenBao,
    pub(crate) proxy: FaultProxy,
    pub(crate) sandbox: Sandbox,
    role_id: String,
    secret_id: String,
}

impl Lab {
    /// A server with an authority `Bao Issuing` below `Bao Root`, and the roles `web` (any name, up to 30 days) and
    /// `year`.
    pub(crate) fn new() -> Self {
        let bao = OpenBao::start(([127, 0, 0, 1], 9).into());
        let role = json!({"allow_any_name": true, "key_type": "any", "max_ttl": "8000h", "allowed_uri_sans": "*"});
        bao.api("pki/roles/year", &role);
        bao.api("sys/auth/approle", &json!({"type": "approle"}));
        bao.api("sys/policies/acl/hosts", &json!({"policy": POLICY}));
        let role = json!({"token_policies": ["hosts"], "token_ttl": "10m"});
        bao.api("auth/approle/role/host", &role);
        let text =
            |answer: &Value, member: &str| answer["data"][member].as_str().unwrap().to_owned();
        let role_id = text(
            &bao.ask("GET", "auth/approle/role/host/role-id", b""),
            "role_id",
        );
        let secret_id = text(
            &bao.api("auth/approle/role/host/secret-id", &json!({})),
            "secret_id",
        );
        // Where nothing is, nothing can be listed.
        bao.api(
            "pki/issue/year",
            &json!({"common_name": "first.example.test", "key_type": "ec", "key_bits": 256}),
        );
        let sandbox = Sandbox::new();
        let tls = Certificate::make(sandbox.path());
        let proxy = FaultProxy::start(Some(bao.port()), &tls);
        sandbox.write("ca.pem", proxy.ca_pem());
        sandbox.write("secret-id", &secret_id);
        Self {
            bao,
            proxy,
            sandbox,
            role_id,
            secret_id,
        }
    }

    /// The secrets that nothing may show.
    pub(crate) fn secrets(&self) -> [&str; 2] {
        [&self.role_id, &self.secret_id]
    }

    /// The issuer, with `more` in it; null takes an option away.
    pub(crate) fn issuer(&self, more: &Value) -> Value {
        let mut vault = json!({
            "url": [self.proxy.url("")],
            "ca_path": "$DIR/ca.pem",
            "auth": {"method": "approle", "role_id": self.role_id, "secret_id_file": "$DIR/secret-id"},
            "mount": "pki",
            "role": "year",
            "retry_window": "5s",
        });
        let all = vault.as_object_mut().unwrap();
        all.extend(more.as_object().unwrap().clone());
        all.retain(|_, value| !value.is_null());
        vault
    }

    /// A task for certificates of these names, each for `NAME.example.test`.
    pub(crate) fn task(&self, names: &[&str], issuer: &Value) -> Value {
        let entries: Vec<Value> = names
            .iter()
            .map(|name| {
                json!({
                    "name": name, "dns": [format!("{name}.example.test")],
                    "files": [
                        {"content": "private_key", "path": format!("$DIR/{name}.key")},
                        {"content": "fullchain", "path": format!("$DIR/{name}.pem")},
                    ],
                })
            })
            .collect();
        json!({
            "certificates": entries,
            "defaults": {"key": {"algorithm": "ecdsa"}, "ttl": "90d", "issuer": {"vault": self.issuer(issuer)}},
            "state_dir": "$DIR/state",
        })
    }

    pub(crate) fn module(&self, args: &Value) -> ModuleRun {
        ModuleRun::new(EXECUTABLE)
            .args(args.clone())
            .diff(true)
            .sandbox(&self.sandbox)
            .time_limit(Duration::from_secs(120))
    }

    pub(crate) fn run(&self, args: &Value) -> Answer {
        self.module(args).run()
    }

    /// Runs and expects success.
    pub(crate) fn succeed(&self, args: &Value) -> Answer {
        let answer = self.run(args);
        assert!(!answer.failed(), "{}{}", answer.report(), self.bao.log());
        answer
    }

    /// What a run asks of the server: the lines of the proxy's log that it adds.
    pub(crate) fn asked(&self, run: impl FnOnce()) -> Vec<String> {
        let before = self.proxy.log().len();
        run();
        self.proxy.log().split_off(before)
    }

    /// How many certificates the mount has issued, the authority's own among them.
    pub(crate) fn issued(&self) -> usize {
        let all = self.bao.ask("LIST", "pki/certs", b"");
        all["data"]["keys"].as_array().unwrap().len()
    }

    /// What `openssl x509` says of a certificate, and its status.
    pub(crate) fn openssl(&self, name: &str, options: &str) -> (Option<i32>, String) {
        let done = Command::new("openssl")
            .args(["x509", "-noout", "-in"])
            .arg(self.sandbox.join(format!("{name}.pem")))
            .args(options.split_whitespace())
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&done.stdout).into_owned();
        (done.status.code(), said)
    }

    /// openssl's word that a certificate is below the root, for its key and for the name.
    pub(crate) fn assert_issued(&self, name: &str) {
        let pem = self.sandbox.read(format!("{name}.pem"));
        let host = format!("{name}.example.test");
        witness::verify_strict(self.bao.root_pem(), &pem, &pem, &host).unwrap();
        let (certificate, key) = (format!("{name}.pem"), format!("{name}.key"));
        witness::key_matches(self.sandbox.join(certificate), self.sandbox.join(key)).unwrap();
    }
}

pub(crate) fn of<'a>(answer: &'a Answer, name: &str) -> &'a Value {
    &answer.value["certificates"][name]
}

pub(crate) fn reasons(answer: &Answer, name: &str) -> Vec<Value> {
    let reasons = of(answer, name)["reasons"].as_array().unwrap();
    reasons
        .iter()
        .map(|reason| reason["kind"].clone())
        .collect()
}
