// SPDX-License-Identifier: Apache-2.0
//! The configuration of a mount of Vault 1.10 and before, told by a stand-in: no package has such a server. It knows no PATCH
//! and no path for one mount, and a role that is written loses what is not sent.
#![expect(clippy::unwrap_used, reason = "tests")]

use serde_json::{Map, Value, json};
use testbed::servers::{Asked, ServiceStandIn};
use testbed::{Answer, ModuleRun};

const PROGRAM: &str = env!("CARGO_BIN_EXE_pki_ca");

/// A role with what nobody sent.
fn role(sent: &Value) -> Map<String, Value> {
    let mut role = json!({
        "allow_any_name": false, "allow_token_displayname": false, "allowed_domains": [], "client_flag": true, "enforce_hostnames": true,
        "key_bits": 2048, "key_type": "rsa", "max_ttl": 0, "ou": [], "server_flag": true, "ttl": 0,
    });
    let role = role.as_object_mut().unwrap();
    role.extend(sent.as_object().unwrap().clone());
    role.clone()
}

/// The stand-in, with the role `local` that somebody has made.
fn stand_in() -> ServiceStandIn {
    let mut local = role(&json!({"allow_any_name": true, "ou": ["By Hand"], "max_ttl": 3_600}));
    ServiceStandIn::start(move |asked| answer(asked, &mut local))
}

fn answer(asked: &Asked, local: &mut Map<String, Value>) -> (u16, Value) {
    let data = |data: Value| {
        (
            200,
            json!({"request_id": "0", "data": data, "warnings": null}),
        )
    };
    let path = asked.path.trim_start_matches("/v1/");
    match (asked.method.as_str(), path) {
        ("GET", path) if path.starts_with("sys/health") => {
            let state = json!({"initialized": true, "sealed": false, "standby": false, "server_time_utc": 1, "version": "1.8.8"});
            (200, state)
        }
        ("GET", "sys/leader") => (200, json!({"ha_enabled": false})),
        ("GET", "sys/mounts") => {
            data(json!({"pki/": {"type": "pki", "description": "", "config": {}}}))
        }
        ("GET", "sys/mounts/pki/tune") => {
            data(json!({"default_lease_ttl": 60, "max_lease_ttl": 3_600, "description": ""}))
        }
        ("POST", "sys/capabilities-self") => {
            let paths = asked.body["paths"].as_array().unwrap().iter();
            let all = paths.map(|path| (path.as_str().unwrap().to_owned(), json!(["root"])));
            data(Value::Object(all.collect()))
        }
        ("GET", "pki/roles/local") => data(Value::Object(local.clone())),
        // What a server does with a field that it does not know; here with the whole role.
        ("POST", "pki/roles/local") if asked.body["ttl"] == 13 => (204, Value::Null),
        ("POST", "pki/roles/local") => {
            *local = role(&asked.body);
            (204, Value::Null)
        }
        ("PATCH", _) => (405, json!({"errors": []})),
        _ => (
            404,
            json!({"errors": ["1 error occurred:\n\t* unsupported path\n\n"]}),
        ),
    }
}

fn run(server: &ServiceStandIn, config: &Value) -> Answer {
    let vault = json!({"url": server.url(), "mount": "pki", "auth": {"token": "t"}});
    let args = json!({"backend": {"vault": vault}, "vault_config": config});
    ModuleRun::new(PROGRAM).args(args).run()
}

#[test]
fn a_stand_in_for_vault_1_10_has_its_role_read_whole_and_written_whole() {
    let server = stand_in();
    let wish =
        json!({"mount": {"max_lease_ttl": "1h"}, "roles": [{"name": "local", "max_ttl": "8760h"}]});
    let changed = run(&server, &wish);
    assert!(
        changed.changed() && !changed.failed(),
        "{}",
        changed.report()
    );
    let asked = server.asked();
    let written = asked
        .iter()
        .find(|asked| asked.method == "POST" && asked.path.ends_with("roles/local"));
    let body = &written.unwrap().body;
    assert_eq!(body["max_ttl"], 31_536_000);
    assert_eq!(body["ou"], json!(["By Hand"]));
    assert_eq!(body["allow_any_name"], true);
    // It is no field that can be written.
    assert_eq!(body["allow_token_displayname"], Value::Null);
    let again = run(&server, &wish);
    assert!(!again.changed() && !again.failed(), "{}", again.report());
    let newer = run(
        &server,
        &json!({"roles": [{"name": "local", "allow_wildcard_certificates": false}]}),
    );
    assert_eq!(
        newer.kind(),
        "vault_config.field_unknown",
        "{}",
        newer.report()
    );
}

#[test]
fn a_stand_in_that_says_yes_and_does_nothing_is_found_out() {
    let server = stand_in();
    let answer = run(&server, &json!({"roles": [{"name": "local", "ttl": 13}]}));
    assert_eq!(
        answer.kind(),
        "vault_config.not_taken",
        "{}",
        answer.report()
    );
    assert_eq!(answer.value["failures"][0]["fields"], json!(["ttl"]));
    assert!(answer.changed(), "{}", answer.report());
}
