// SPDX-License-Identifier: Apache-2.0
//! Wishes and findings, and what has to be done.
#![expect(clippy::unwrap_used, reason = "tests")]

use std::collections::HashMap;

use ansible_module::Faults;
use serde_json::{Map, Value, json};

use super::super::params::VaultConfig;
use super::*;

fn wish(given: Value) -> ConfigWish {
    let mut faults = Faults::new();
    let wish = parse(given, &mut faults);
    assert!(faults.is_empty(), "{faults:?}");
    wish
}

/// As the walk over the table leaves it: defaults that matter here are given by each test.
fn parse(given: Value, faults: &mut Faults) -> ConfigWish {
    let params: VaultConfig = serde_json::from_value(given).unwrap();
    ConfigWish::new(params, "pki", faults)
}

fn faults(given: Value) -> Vec<String> {
    let mut faults = Faults::new();
    parse(given, &mut faults);
    faults.iter().map(ToString::to_string).collect()
}

fn map(value: Value) -> Map<String, Value> {
    value.as_object().unwrap().clone()
}

fn found(objects: impl IntoIterator<Item = (Object, Value)>) -> Observed {
    let objects: HashMap<_, _> = objects
        .into_iter()
        .map(|(object, fields)| match fields {
            Value::Null => (object, Found::Absent),
            fields => (object, Found::Present(map(fields))),
        })
        .collect();
    Observed {
        objects,
        ..Observed::default()
    }
}

fn now() -> Timestamp {
    "2026-11-26T12:00:00Z".parse().unwrap()
}

fn role(fields: Value) -> Value {
    let mut role = map(json!({"name": "web", "state": "present"}));
    role.extend(map(fields));
    json!({ "roles": [role] })
}

fn web() -> Object {
    Object::Role("web".to_owned())
}

/// What is sent for the one object of a task.
fn sent(given: Value, there: Value) -> (Act, Value) {
    let wish = wish(given);
    let object = wish.objects[0].object.clone();
    let plan = decide(&wish, found([(object, there)]), now());
    assert!(plan.failed.is_empty(), "{:?}", plan.failed);
    (plan.objects[0].act.clone(), plan.objects[0].body().into())
}

fn refused(given: Value, there: impl IntoIterator<Item = (Object, Value)>) -> String {
    let mut plan = decide(&wish(given), found(there), now());
    assert_eq!(plan.failed.len(), 1, "{:?}", plan.failed);
    plan.failed.remove(0).error.to_string()
}

#[test]
fn what_is_as_wished_is_left_alone() {
    let there = json!({"ttl": 86_400, "max_ttl": 0, "allow_any_name": true, "ou": ["by hand"]});
    let wished = role(json!({"ttl": "24h", "allow_any_name": true}));
    assert_eq!(sent(wished, there), (Act::Keep, json!({})));
}

#[test]
fn only_what_differs_is_sent() {
    let there = json!({"ttl": 3_600, "max_ttl": 0, "allow_any_name": true, "ou": ["by hand"]});
    let wished = role(json!({"ttl": "24h", "allow_any_name": true}));
    assert_eq!(sent(wished, there), (Act::Update, json!({"ttl": 86_400})));
}

#[test]
fn what_is_not_there_is_made_of_all_that_is_wished() {
    let wished = role(json!({"ttl": "24h", "allow_any_name": false}));
    let body = json!({"ttl": 86_400, "allow_any_name": false});
    assert_eq!(sent(wished, Value::Null), (Act::Create, body));
}

#[test]
fn another_type_of_key_gets_bits_of_its_own() {
    let there = json!({"key_type": "rsa", "key_bits": 2_048, "signature_bits": 0});
    let body = json!({"key_type": "ec", "key_bits": 0});
    let wished = role(json!({"key_type": "ec"}));
    assert_eq!(sent(wished, there.clone()), (Act::Update, body));
    let body = json!({"key_type": "ec", "key_bits": 384});
    let wished = role(json!({"key_type": "ec", "key_bits": 384}));
    assert_eq!(sent(wished, there), (Act::Update, body));
}

#[test]
fn a_field_that_the_server_lacks_is_told() {
    let there = [(web(), json!({"ttl": 0}))];
    let text = refused(role(json!({"ttl": "1h", "no_store": true})), there);
    assert_eq!(text, "the server knows no no_store in roles[web]");
}

#[test]
fn a_ttl_beyond_what_stays_is_refused_with_both() {
    let there = [(web(), json!({"ttl": 0, "max_ttl": 3_600}))];
    let text = refused(role(json!({"ttl": "24h"})), there);
    assert_eq!(
        text,
        "ttl: the role would have ttl 24h and max_ttl 1h; the first must not be longer"
    );
}

#[test]
fn a_mount_is_made_or_missed() {
    let mount = json!({"mount": {"create": true, "max_lease_ttl": "3650d"}});
    let body = json!({"max_lease_ttl": 315_360_000});
    assert_eq!(sent(mount, Value::Null), (Act::Create, body));
    let mount = json!({"mount": {"create": false}});
    let text = refused(mount, [(Object::Mount, Value::Null)]);
    assert!(text.contains("no mount 'pki'"), "{text}");
}

#[test]
fn below_a_mount_that_is_made_all_is_made() {
    let given = json!({"mount": {"create": true}, "crl": {"expiry": "4d"}});
    let there = found([(Object::Mount, Value::Null), (Object::Crl, Value::Null)]);
    let plan = decide(&wish(given), there, now());
    let acts: Vec<_> = plan.objects.iter().map(|plan| plan.act.clone()).collect();
    assert_eq!(acts, [Act::Create, Act::Create]);
    assert_eq!(
        Value::from(plan.objects[1].body()),
        json!({"expiry": "96h"})
    );
}

#[test]
fn acme_brings_the_headers_and_needs_the_path() {
    let given = json!({"acme": {"enabled": true}});
    let acme = json!({"enabled": false, "allowed_roles": ["*"], "default_directory_policy": "sign-verbatim"});
    let there = |path: &str| {
        [
            (
                Object::Mount,
                json!({"allowed_response_headers": ["X-Mine", "link"]}),
            ),
            (Object::Cluster, json!({"path": path, "aia_path": ""})),
            (Object::Acme, acme.clone()),
        ]
    };
    let plan = decide(
        &wish(given.clone()),
        found(there("https://v/v1/pki")),
        now(),
    );
    let headers =
        json!({"allowed_response_headers": ["X-Mine", "link", "Location", "Replay-Nonce"]});
    assert_eq!(Value::from(plan.objects[0].body()), headers);
    assert_eq!(
        Value::from(plan.objects[1].body()),
        json!({"enabled": true})
    );
    let text = refused(given, there(""));
    assert!(text.contains("vault_config.cluster.path"), "{text}");
}

#[test]
fn tidying_nothing_and_templates_without_templating_are_refused() {
    let text = refused(
        json!({"auto_tidy": {"enabled": true}}),
        [(
            Object::AutoTidy,
            json!({"enabled": false, "tidy_cert_store": false}),
        )],
    );
    assert!(text.contains("tidy_cert_store"), "{text}");
    let urls = json!({"enable_templating": false, "issuing_certificates": []});
    let text = refused(
        json!({"urls": {"issuing_certificates": ["{{cluster_aia_path}}/ca"]}}),
        [(Object::Urls, urls)],
    );
    assert!(text.contains("enable_templating: true"), "{text}");
}

#[test]
fn what_a_role_of_approle_gets_when_made_is_not_forced_later() {
    let approle =
        json!({"mount": "approle", "secret_ids": [], "token_bound_cidrs": ["10.0.0.0/8"]});
    let given = json!({"access": [{"name": "hosts", "state": "present", "sign": ["web"], "approle": approle}]});
    let object = Object::AppRole {
        method: "approle".to_owned(),
        name: "hosts".to_owned(),
    };
    let plan = decide(&wish(given.clone()), found([]), now());
    let made = plan.object(&object).unwrap().body();
    let wanted = json!({"token_bound_cidrs": ["10.0.0.0/8"], "token_type": "batch", "token_ttl": 60, "token_policies": ["hosts"]});
    assert_eq!(Value::from(made), wanted);
    let there =
        json!({"token_bound_cidrs": ["10.0.0.0/8"], "token_type": "service", "token_ttl": 300});
    let plan = decide(&wish(given), found([(object.clone(), there)]), now());
    assert_eq!(plan.object(&object).unwrap().act, Act::Keep);
}

#[test]
fn a_policy_is_made_of_the_roles_that_may_be_signed_by() {
    let given = json!({"access": [{"name": "hosts", "state": "present", "sign": ["web"]}]});
    let plan = decide(&wish(given), found([]), now());
    let body = plan.objects[0].body();
    let text = body["policy"].as_str().unwrap();
    assert!(text.contains(r#"path "pki/sign/web" {"#), "{text}");
    assert!(text.contains(r#"path "pki/issuer/+/sign/web" {"#), "{text}");
}

#[test]
fn a_role_that_shall_go_goes_once() {
    let given = json!({"roles": [{"name": "web", "state": "absent"}]});
    assert_eq!(sent(given.clone(), json!({"ttl": 0})).0, Act::Remove);
    assert_eq!(sent(given, Value::Null).0, Act::Keep);
}

#[test]
fn a_tidy_waits_for_its_time() {
    let tidy = |every: Value| {
        let given = json!({"tidy": {"every": every, "wait": "0s", "tidy_cert_store": true}});
        wish(given).tidy.unwrap()
    };
    let last = |state: &str, finished: &str| LastTidy {
        state: state.to_owned(),
        finished: Some(finished.to_owned()),
        error: None,
    };
    let fresh = last("Finished", "2026-11-26T11:00:00.92950586Z");
    assert!(is_due(&tidy(Value::Null), &fresh, now()));
    assert!(!is_due(&tidy(json!("2h")), &fresh, now()));
    assert!(is_due(&tidy(json!("30m")), &fresh, now()));
    assert!(is_due(&tidy(json!("2h")), &LastTidy::default(), now()));
    let running = last("Running", "");
    assert!(!is_due(&tidy(json!("1s")), &running, now()));
}

#[test]
fn a_mount_goes_only_by_its_name() {
    let disable = |confirm: &str| json!({"disable": {"confirm": confirm, "export": "/srv/export"}});
    let text = &faults(disable("pki2"))[0];
    assert!(
        text.starts_with("vault_config.disable.confirm: 'pki2'"),
        "{text}"
    );
    let crowded = json!({"disable": disable("pki")["disable"], "crl": {"expiry": "4d"}});
    let text = &faults(crowded)[0];
    assert!(text.starts_with("vault_config.disable: removes"), "{text}");
    let plan = decide(
        &wish(disable("pki")),
        found([(Object::Mount, json!({}))]),
        now(),
    );
    assert!(plan.disable.unwrap().due);
    let plan = decide(
        &wish(disable("pki")),
        found([(Object::Mount, Value::Null)]),
        now(),
    );
    assert!(!plan.disable.unwrap().due);
}

#[test]
fn faults_name_their_options() {
    let secret = json!({"name": "c1", "path": "c1.wrap", "issue": "missing", "wrap_ttl": "30d"});
    let approle =
        json!({"mount": "approle", "secret_ids": [secret], "token_bound_cidrs": ["10.0.0.0/40"]});
    let told = faults(json!({
        "mount": {"create": true, "default_lease_ttl": "2d", "max_lease_ttl": "1d"},
        "urls": {"ocsp_servers": ["ocsp.example.org"]},
        "crl": {"expiry": "soon"},
        "roles": [
            {"name": "web", "state": "present", "ttl": "1x", "key_usage": ["Signing"]},
            {"name": "web", "state": "present"},
            {"name": "a..b", "state": "present"},
        ],
        "access": [{"name": "h", "state": "present", "policy": "x", "sign": ["web"], "approle": approle}],
        "tidy": {"every": "often", "wait": "60s"},
    }));
    for start in [
        "vault_config.mount.default_lease_ttl: ",
        "vault_config.urls.ocsp_servers: 'ocsp.example.org'",
        "vault_config.crl.expiry: 'soon'",
        "vault_config.roles[0].ttl: '1x'",
        "vault_config.roles[0].key_usage: the server would ignore 'Signing'",
        "vault_config.roles[1].name: 'web' is there twice",
        "vault_config.roles[2].name: 'a..b'",
        "vault_config.access[0].sign: ",
        "vault_config.access[0].approle.token_bound_cidrs: '10.0.0.0/40'",
        "vault_config.access[0].approle.secret_ids[0].path: 'c1.wrap'",
        "vault_config.access[0].approle.secret_ids[0].wrap_ttl: ",
        "vault_config.tidy.every: 'often'",
    ] {
        let is_told = told.iter().any(|fault| fault.starts_with(start));
        assert!(is_told, "{start} is not in {told:#?}");
    }
    assert_eq!(told.len(), 12, "{told:#?}");
}

#[test]
fn the_table_of_options_is_sound() {
    let defects = ansible_module::table_defects(super::super::params::VAULT_CONFIG);
    assert!(defects.is_empty(), "{defects:?}");
}
