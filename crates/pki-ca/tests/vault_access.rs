// SPDX-License-Identifier: Apache-2.0
//! Who may do what at a mount, on a real OpenBao: tokens that may not, and what hosts get to have certificates signed.
#![expect(clippy::unwrap_used, reason = "tests")]

#[path = "support/configured.rs"]
mod configured;

use std::os::unix::fs::PermissionsExt;

use configured::{PROGRAM, Site};
use serde_json::{Value, json};
use testbed::ModuleRun;

#[test]
fn a_token_without_leave_is_told_the_lines_of_its_policy() {
    let site = Site::with_mount();
    let read = r#"path "pki/*" { capabilities = ["read", "list"] } path "sys/mounts/pki" { capabilities = ["read"] }
        path "sys/mounts/pki/tune" { capabilities = ["read"] }"#;
    let token = site.token(read);
    let wish = json!({"mount": {"max_lease_ttl": "9000h"}, "crl": {"expiry": "4d"}, "roles": [{"name": "web", "ttl": "1h"}]});
    let objects = site.objects();
    for check in [true, false] {
        let answer = site.module(&token, &wish).check(check).run();
        assert_eq!(
            answer.kind(),
            "vault_config.permissions",
            "{}",
            answer.report()
        );
        let lines = [
            r#"path "sys/mounts/pki/tune" { capabilities = ["create", "update"] }"#,
            r#"path "pki/config/crl" { capabilities = ["create", "update"] }"#,
            r#"path "pki/roles/web" { capabilities = ["create", "update"] }"#,
        ];
        assert_eq!(answer.value["missing"], json!(lines), "{}", answer.report());
        answer.never_says(&token);
    }
    assert_eq!(site.objects(), objects);

    // What it may not even look at is told with what it may not write.
    let token = site.token(r#"path "sys/mounts/pki" { capabilities = ["read"] }"#);
    let wish = json!({"mount": {"description": "mine"}, "crl": {"expiry": "4d"}, "access": [{"name": "hosts", "sign": ["web"]}]});
    let answer = site.module(&token, &wish).run();
    assert_eq!(
        answer.kind(),
        "vault_config.permissions",
        "{}",
        answer.report()
    );
    let lines = [
        r#"path "sys/mounts/pki/tune" { capabilities = ["read"] }"#,
        r#"path "pki/config/crl" { capabilities = ["read"] }"#,
        r#"path "sys/policies/acl/hosts" { capabilities = ["read"] }"#,
    ];
    assert_eq!(answer.value["missing"], json!(lines), "{}", answer.report());

    // Who may write roles but not patch them has them read whole and written whole.
    site.server
        .api("pki/roles/web", &json!({"ou": ["By Hand"], "ttl": "2h"}));
    let before = site.read("pki/roles/web");
    let update = r#"path "pki/roles/web" { capabilities = ["read", "update"] }"#;
    let token = site.token(update);
    let answer = site
        .module(&token, &json!({"roles": [{"name": "web", "ttl": "1h"}]}))
        .run();
    assert!(!answer.failed() && answer.changed(), "{}", answer.report());
    site.assert_changed("pki/roles/web", &before, &json!({"ttl": 3_600}));
}

#[test]
fn hosts_get_a_policy_a_role_and_a_wrapped_secret_that_is_in_no_answer() {
    let site = Site::with_mount();
    let path = site.sandbox.path().join("compute1.wrapped");
    let secret = json!({"name": "compute1", "path": path, "issue": "spent", "cidr_list": ["127.0.0.1"], "metadata": {"rack": 3}});
    let mut wish = json!({"access": [{"name": "hosts", "sign": ["web"],
        "approle": {"token_bound_cidrs": ["127.0.0.0/8"], "secret_ids": [secret]}}]});
    let made = site.converge(&wish);
    let wrapped = std::fs::read_to_string(&path).unwrap();
    let mode = std::fs::metadata(&path).unwrap().permissions().mode();
    assert_eq!(mode & 0o7777, 0o600);
    made.never_says(wrapped.trim());
    let role = site.read("auth/approle/role/hosts");
    assert_eq!(role["token_type"], "batch");
    assert_eq!(role["token_ttl"], 60);
    assert_eq!(role["token_policies"], json!(["hosts"]));

    // A host exchanges it, logs in, and may do what the policy says and nothing else.
    let unwrapped = site
        .server
        .ask_as(wrapped.trim(), "POST", "sys/wrapping/unwrap", &json!({}))
        .1;
    let secret_id = unwrapped["data"]["secret_id"].as_str().unwrap();
    assert_eq!(
        unwrapped["data"]["secret_id_accessor"],
        made.value["vault_config"]["secret_ids"]["compute1"]["accessor"]
    );
    let role_id = &made.value["vault_config"]["approles"]["hosts"]["role_id"];
    let (status, login) = site.server.ask(
        "POST",
        "auth/approle/login",
        &json!({"role_id": role_id, "secret_id": secret_id}),
    );
    assert_eq!(status, 200, "{login}");
    let token = login["auth"]["client_token"].as_str().unwrap();
    let asked = json!({"paths": ["pki/sign/web", "pki/issuer/x/sign/web", "pki/roles/web"]});
    let can = site
        .server
        .ask_as(token, "POST", "sys/capabilities-self", &asked)
        .1["data"]
        .clone();
    let both = json!(["create", "update"]);
    assert_eq!(
        can,
        json!({"pki/sign/web": both, "pki/issuer/x/sign/web": both, "pki/roles/web": ["deny"]})
    );

    // Exchanged, it is of no use any more; and by hand, somebody gave tokens more time.
    site.server
        .api("auth/approle/role/hosts", &json!({"token_ttl": "90s"}));
    let role = site.read("auth/approle/role/hosts");
    wish["access"][0]["approle"]["token_bound_cidrs"] = json!(["127.0.0.1/32"]);
    let again = site.converge(&wish);
    assert_eq!(
        again.value["vault_config"]["secret_ids"]["compute1"]["reason"],
        "spent"
    );
    assert_ne!(std::fs::read_to_string(&path).unwrap(), wrapped);
    site.assert_changed(
        "auth/approle/role/hosts",
        &role,
        &json!({"token_bound_cidrs": ["127.0.0.1"]}),
    );

    // Without a secret the identifier of the role is one.
    let open = json!({"access": [{"name": "local", "policy": "path \"pki/sign/web\" { capabilities = [\"update\"] }",
        "approle": {"name": "local-charm-access", "bind_secret_id": false, "token_bound_cidrs": ["127.0.0.1/32"]}}]});
    let opened = site.converge(&open);
    let id = site.read("auth/approle/role/local-charm-access/role-id");
    opened.never_says(id["role_id"].as_str().unwrap());

    let gone = json!({"access": [{"name": "hosts", "state": "absent", "approle": {}}]});
    site.converge(&gone);
    assert_eq!(
        site.server
            .ask("GET", "auth/approle/role/hosts", &Value::Null)
            .0,
        404
    );
    assert_eq!(
        site.server
            .ask("GET", "sys/policies/acl/hosts", &Value::Null)
            .0,
        404
    );
}

#[test]
fn a_sealed_server_and_a_token_that_is_none_are_told_once() {
    let site = Site::with_mount();
    let wish = json!({"mount": {"description": "mine"}, "crl": {"expiry": "4d"}, "roles": [{"name": "web"}]});
    let answer = site.module("s.unknown", &wish).run();
    assert_eq!(answer.kind(), "vault.token_invalid", "{}", answer.report());
    assert!(
        answer.value.get("failures").is_none(),
        "{}",
        answer.report()
    );
    site.server.seal();
    let answer = site.run(&wish);
    assert_eq!(answer.kind(), "vault.sealed", "{}", answer.report());
    assert!(
        answer.value.get("failures").is_none(),
        "{}",
        answer.report()
    );
}

#[test]
fn a_secret_that_cannot_be_written_is_not_issued() {
    let site = Site::with_mount();
    let path = site.sandbox.path().join("missing/compute1.wrapped");
    let wish = json!({"access": [{"name": "hosts", "sign": ["web"],
        "approle": {"secret_ids": [{"name": "compute1", "path": path}]}}]});
    let answer = site.run(&wish);
    assert_eq!(
        answer.kind(),
        "files.directory_missing",
        "{}",
        answer.report()
    );
    assert_eq!(
        site.server
            .ask("LIST", "auth/approle/role/hosts/secret-id", &Value::Null)
            .0,
        404
    );
}

#[test]
fn a_host_logs_in_once_by_the_file_that_it_was_given() {
    let site = Site::with_mount();
    let path = site.sandbox.path().join("reader.wrapped");
    let policy = r#"path "pki/config/crl" { capabilities = ["read"] }"#;
    let access = json!({"name": "readers", "policy": policy, "approle": {"secret_ids": [{"name": "reader", "path": path}]}});
    let made = site.converge(&json!({"access": [access]}));
    let role_id = &made.value["vault_config"]["approles"]["readers"]["role_id"];
    let auth = json!({"method": "approle", "role": "readers", "role_id": role_id, "wrapped_secret_id_file": path});
    let vault = json!({"url": site.server.url(), "mount": "pki", "auth": auth});
    let args = json!({"backend": {"vault": vault}, "vault_config": {"crl": {"expiry": "3d"}}});
    let module = ModuleRun::new(PROGRAM).args(args).sandbox(&site.sandbox);
    let first = module.run();
    assert!(!first.failed() && !first.changed(), "{}", first.report());
    let second = module.run();
    assert_eq!(
        second.kind(),
        "vault.wrapped_secret_used",
        "{}",
        second.report()
    );
}
