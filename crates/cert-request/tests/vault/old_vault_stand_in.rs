// SPDX-License-Identifier: Apache-2.0
//! Vault 1.10 and older has one issuer for a mount and no paths for issuers. No package has such a server, so this is a
//! stand-in of the four paths that are asked, after the source of Vault 1.8; what it signs is signed by openssl.

use std::process::Command;

use serde_json::{Value, json};
use testbed::servers::{Asked, ServiceStandIn};
use testbed::{ModuleRun, Sandbox, witness};

use crate::world::{EXECUTABLE, of};

const SIGN: &str = "openssl x509 -req -in csr.pem -CA ca.pem -CAkey ca.key -days 90 -copy_extensions copyall -out leaf.pem";

/// An authority of the openssl command line in the directory `ca` of the sandbox.
fn authority(sandbox: &Sandbox) -> String {
    sandbox.write("ca/.keep", "");
    let script = "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 900 -subj /CN=Old -keyout ca.key -out ca.pem \
                  -addext basicConstraints=critical,CA:TRUE -addext keyUsage=critical,keyCertSign,cRLSign";
    shell(sandbox, script);
    String::from_utf8(sandbox.read("ca/ca.pem")).unwrap()
}

fn shell(sandbox: &Sandbox, script: &str) {
    let done = Command::new("sh")
        .args(["-euc", script])
        .current_dir(sandbox.join("ca"))
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&done.stderr);
    assert!(done.status.success(), "{script}: {said}");
}

fn answer(authority: &Sandbox, ca: &str, asked: &Asked) -> (u16, Value) {
    let envelope =
        |data: Value| json!({"request_id": "0", "data": data, "warnings": null, "auth": null});
    let path = asked.path.trim_start_matches("/v1/");
    match (asked.method.as_str(), path) {
        ("GET", "pki/cert/ca") => (
            200,
            envelope(json!({"certificate": ca, "revocation_time": 0})),
        ),
        ("GET", path) if path.starts_with("pki/cert/") => {
            let pem = String::from_utf8(authority.read("ca/leaf.pem")).unwrap();
            (
                200,
                envelope(json!({"certificate": pem, "revocation_time": 0})),
            )
        }
        ("POST", "pki/sign/web") if asked.header("x-vault-token") == Some("good") => {
            authority.write("ca/csr.pem", asked.body["csr"].as_str().unwrap());
            shell(authority, SIGN);
            let pem = String::from_utf8(authority.read("ca/leaf.pem")).unwrap();
            let data = json!({"certificate": pem, "issuing_ca": ca, "serial_number": "00", "expiration": 1});
            (200, envelope(data))
        }
        ("GET", path) if path.starts_with("sys/health") => {
            let now = std::time::UNIX_EPOCH.elapsed().unwrap().as_secs();
            let health = json!({
                "initialized": true, "sealed": false, "standby": false, "server_time_utc": now, "version": "1.8.12",
            });
            (200, health)
        }
        // It looks for a token before it looks for a path.
        (_, _) if asked.header("x-vault-token").is_none() => {
            (400, json!({"errors": ["missing client token"]}))
        }
        _ => (
            404,
            json!({"errors": ["1 error occurred:\n\t* unsupported path\n\n"]}),
        ),
    }
}

#[test]
fn the_one_issuer_of_an_old_vault_is_known_to_be_the_same_in_the_next_run() {
    let (sandbox, place) = (Sandbox::new(), Sandbox::new());
    let ca = authority(&place);
    let root = ca.clone();
    let server = ServiceStandIn::start(move |asked| answer(&place, &ca, asked));
    let vault = json!({
        "url": [server.url()], "role": "web",
        "auth": {"method": "token", "token": "good"},
    });
    let task = json!({
        "certificates": [{
            "name": "web", "dns": ["web.example.test"], "ttl": "90d", "key": {"algorithm": "ecdsa"}, "issuer": {"vault": vault},
            "files": [
                {"content": "private_key", "path": "$DIR/web.key"},
                {"content": "certificate", "path": "$DIR/web.pem"},
                {"content": "root", "path": "$DIR/root.pem"},
            ],
        }],
        "state_dir": "$DIR/state",
    });
    let run = || {
        ModuleRun::new(EXECUTABLE)
            .args(task.clone())
            .sandbox(&sandbox)
            .run()
    };
    let first = run();
    assert_eq!(of(&first, "web")["action"], "issue", "{}", first.report());
    witness::verify(&root, "", sandbox.read("web.pem"), "web.example.test").unwrap();
    let second = run();
    assert!(!second.changed(), "{}", second.report());
    assert_eq!(second.value["warnings"], Value::Null, "{}", second.report());
}
