// SPDX-License-Identifier: Apache-2.0
//! Bad days of the server itself: sealed, a token that may not, answers that are lost, clocks apart, and a server that is
//! too old (a stand-in, as no package has one).
#![expect(clippy::unwrap_used, reason = "tests")]

mod support;

use serde_json::{Value, json};
use support::bao::{Bao, text};
use testbed::servers::{BaoCluster, BaoRelease, BaoServer, old_vault_stand_in};
use testbed::{Answer, ModuleRun, Sandbox};

fn root() -> Value {
    json!({"authorities": [{"name": "root-1", "common_name": "Example Root"}]})
}

/// The same task as another token.
fn run_as(bao: &Bao, token: &str, args: Value, check: bool) -> Answer {
    let mut all = json!({"backend": bao.backend()});
    all["backend"]["vault"]["auth"]["token"] = token.into();
    let merged = all.as_object_mut().unwrap();
    merged.extend(args.as_object().unwrap().clone());
    let answer = ModuleRun::new(support::PROGRAM)
        .args(all)
        .check(check)
        .run();
    answer.never_says(token);
    answer
}

#[test]
fn a_look_at_the_server_tells_its_state_and_its_issuers() {
    let bao = Bao::new();
    let empty = bao.quiet(json!({"inspect": true}));
    assert_eq!(empty.value["issuers"], json!([]));
    bao.converge(root());
    let answer = bao.quiet(json!({"inspect": true}));
    let server = &answer.value["server"];
    assert_eq!(
        (&server["version"], &server["sealed"]),
        (&json!("2.7.2"), &json!(false))
    );
    assert!(
        server["clock_skew"].as_i64().unwrap().abs() < 60,
        "{server}"
    );
    let issuer = &answer.value["issuers"][0];
    assert_eq!(
        (&issuer["name"], &issuer["state"]),
        (&json!("root-1"), &json!("active"))
    );
}

#[test]
fn a_sealed_server_is_told_where_that_was_asked_and_else_refused() {
    let bao = Bao::alone();
    bao.server.seal();
    let told = bao.run(json!({"inspect": true}));
    assert!(
        !told.failed() && told.value["server"]["sealed"] == true,
        "{}",
        told.report()
    );
    assert!(told.value.get("issuers").is_none(), "{}", told.report());
    for check in [true, false] {
        let answer = bao.args(root()).check(check).run();
        assert_eq!(answer.kind(), "vault.sealed", "{}", answer.report());
    }
    bao.server.unseal();
    bao.converge(root());
}

#[test]
fn a_sealed_node_of_a_cluster_that_serves_is_no_sealed_server() {
    let cluster = BaoCluster::start(BaoRelease::Current);
    let body = json!({"type": "pki", "config": {"max_lease_ttl": "87600h"}});
    cluster.api(cluster.leader(), "sys/mounts/pki", &body);
    let sealed = cluster.standby();
    cluster.seal(sealed);
    let others = (0..cluster.urls().len()).filter(|index| *index != sealed);
    let order = std::iter::once(sealed).chain(others);
    let urls: Vec<String> = order.map(|index| cluster.url(index)).collect();
    let run = |more: Value| {
        let vault = json!({"url": urls, "auth": {"token": cluster.token()}});
        let mut args = json!({"backend": {"vault": vault}});
        let merged = args.as_object_mut().unwrap();
        merged.extend(more.as_object().unwrap().clone());
        ModuleRun::new(support::PROGRAM).args(args).run()
    };
    let done = run(root());
    assert!(done.changed() && !done.failed(), "{}", done.report());
    let told = run(json!({"inspect": true}));
    let server = &told.value["server"];
    assert!(
        !told.failed() && server["sealed"] == false && server["cluster"] == true,
        "{}",
        told.report()
    );
    assert_eq!(told.value["issuers"][0]["name"], "root-1");
}

#[test]
fn what_a_token_may_not_do_is_told_before_anything_is_done() {
    let bao = Bao::new();
    let policy = format!(
        "path \"{0}/issuer/*\" {{ capabilities = [\"read\"] }}\npath \"{0}/keys\" {{ capabilities = [\"list\"] }}\n\
         path \"{0}/key/*\" {{ capabilities = [\"read\"] }}",
        bao.mount
    );
    let name = format!("read-{}", bao.mount);
    bao.server.api(
        &format!("sys/policies/acl/{name}"),
        &json!({"policy": policy}),
    );
    let made = bao
        .server
        .api("auth/token/create", &json!({"policies": [name]}));
    let token = text(&made["auth"]["client_token"]);
    let before = bao.content();
    for check in [true, false] {
        let answer = run_as(&bao, &token, root(), check);
        assert_eq!(
            answer.kind(),
            "vault.permission_denied",
            "{}",
            answer.report()
        );
        assert!(
            answer.msg().contains("root/generate/internal"),
            "{}",
            answer.report()
        );
        assert!(!answer.changed(), "{}", answer.report());
    }
    assert_eq!(before, bao.content());
    let answer = run_as(&bao, "no-such-token", root(), true);
    assert_eq!(answer.kind(), "vault.token_invalid", "{}", answer.report());
}

/// A token of the test's own with this policy, in which `MOUNT` stands for the mount, and without the policy of all tokens.
fn token_with(bao: &Bao, policy: &str) -> String {
    let policy = policy.replace("MOUNT", &bao.mount);
    let name = format!("own-{}-{}", bao.mount, policy.len());
    let path = format!("sys/policies/acl/{name}");
    bao.server.api(&path, &json!({"policy": policy}));
    let body = json!({"policies": [name], "no_default_policy": true});
    let made = bao.server.api("auth/token/create", &body);
    text(&made["auth"]["client_token"])
}

const ASKS: &str = "path \"sys/capabilities-self\" { capabilities = [\"update\"] }";

#[test]
fn what_is_needed_to_name_and_to_take_back_is_asked_before_too() {
    let bao = Bao::new();
    bao.converge(root());
    let wish =
        json!({"authorities": [{"name": "int-1", "type": "intermediate", "parent": "root-1"}]});
    let policy =
        format!("{ASKS}\npath \"MOUNT/*\" {{ capabilities = [\"read\", \"list\", \"update\"] }}");
    let token = token_with(&bao, &policy);
    let before = bao.content();
    for check in [true, false] {
        let answer = run_as(&bao, &token, wish.clone(), check);
        assert_eq!(
            answer.kind(),
            "vault.permission_denied",
            "{}",
            answer.report()
        );
        let issuer = format!("{}/issuer/int-1", bao.mount);
        for capability in ["patch", "delete"] {
            let lacking = format!("{capability} {issuer}");
            assert!(
                answer.msg().contains(&lacking),
                "{lacking}: {}",
                answer.report()
            );
        }
    }
    assert_eq!(before, bao.content());
}

#[test]
fn a_token_that_may_not_ask_what_it_may_do_does_it_with_a_warning() {
    let bao = Bao::new();
    let policy = "path \"MOUNT/*\" { capabilities = [\"read\", \"list\", \"update\"] }";
    let token = token_with(&bao, policy);
    for check in [true, false] {
        let answer = run_as(&bao, &token, root(), check);
        assert!(answer.changed() && !answer.failed(), "{}", answer.report());
        let said = answer.value["warnings"].to_string();
        assert!(said.contains("sys/capabilities-self"), "{said}");
    }
    assert_eq!(bao.names(), ["root-1"]);
    let quiet = run_as(&bao, &token, root(), false);
    assert!(
        quiet.value.get("warnings").is_none() && !quiet.failed(),
        "{}",
        quiet.report()
    );
}

#[test]
fn to_create_is_no_leave_to_write_in_this_engine() {
    let bao = Bao::new();
    let policy = format!(
        "{ASKS}\npath \"MOUNT/*\" {{ capabilities = [\"read\", \"list\", \"create\", \"patch\", \"delete\"] }}"
    );
    let token = token_with(&bao, &policy);
    let path = format!("{}/root/generate/internal", bao.mount);
    let body = json!({"common_name": "Example Root"});
    let (status, said) = bao.server.ask_as(&token, "POST", &path, &body);
    assert_eq!(status, 403, "{said}");
    for check in [true, false] {
        let answer = run_as(&bao, &token, root(), check);
        assert_eq!(
            answer.kind(),
            "vault.permission_denied",
            "{}",
            answer.report()
        );
        assert!(
            answer.msg().contains(&format!("update {path}")),
            "{}",
            answer.report()
        );
    }
}

/// Debian's package libfaketime moves the clock of the module, the server keeps its own.
#[test]
fn clocks_apart_are_no_fault_of_an_authority() {
    const FAKETIME: &str = "/usr/lib/x86_64-linux-gnu/faketime/libfaketime.so.1";
    assert!(std::path::Path::new(FAKETIME).exists(), "no libfaketime");
    let bao = Bao::new();
    bao.converge(root());
    for (number, clock) in ["-120s", "+600s"].into_iter().enumerate() {
        let wish = json!({"authorities": [{"name": format!("int-{number}"), "type": "intermediate",
            "parent": "root-1", "common_name": "Below", "state": "active"}]});
        let run = bao.args(wish).env("LD_PRELOAD", FAKETIME);
        let run = run
            .env("FAKETIME", clock)
            .env("FAKETIME_DONT_FAKE_MONOTONIC", "1");
        let done = run.run();
        assert!(done.changed() && !done.failed(), "{}", done.report());
        assert!(done.report().contains("the clock of"), "{}", done.report());
        assert_eq!(bao.default(), format!("int-{number}"));
    }
}

#[test]
fn a_mount_that_is_not_there_is_named() {
    let bao = Bao::new();
    let mut args = json!({"backend": bao.backend()});
    args["backend"]["vault"]["mount"] = "nothing/here".into();
    let merged = args.as_object_mut().unwrap();
    merged.extend(root().as_object().unwrap().clone());
    let answer = ModuleRun::new(support::PROGRAM).args(args).run();
    assert_eq!(answer.kind(), "vault.no_mount", "{}", answer.report());
    assert!(answer.msg().contains("nothing/here"), "{}", answer.report());
}

#[test]
fn a_life_longer_than_the_mount_allows_is_refused() {
    let bao = Bao::new();
    let mut wish = root();
    wish["authorities"][0]["ttl"] = "20000d".into();
    bao.refused(wish, "vault.ttl_too_long");
}

#[test]
fn the_other_release_does_the_same() {
    let server = BaoServer::start(BaoRelease::Before);
    server.api(
        "sys/mounts/pki",
        &json!({"type": "pki", "config": {"max_lease_ttl": "87600h"}}),
    );
    let args = json!({
        "backend": {"vault": {"url": server.url(), "auth": {"token": server.token()}}},
        "authorities": [
            {"name": "root-1", "common_name": "Example Root"},
            {"name": "int-1", "type": "intermediate", "parent": "root-1", "common_name": "Below", "state": "active"},
        ],
    });
    let done = ModuleRun::new(support::PROGRAM).args(args.clone()).run();
    assert!(done.changed() && !done.failed(), "{}", done.report());
    assert_eq!(
        done.value["authorities"]["int-1"]["state"],
        "active",
        "{}",
        done.report()
    );
    let again = ModuleRun::new(support::PROGRAM).args(args).run();
    assert!(!again.failed() && !again.changed(), "{}", again.report());
}

/// A stand-in: nothing is asked of it but its state.
#[test]
fn a_stand_in_of_a_vault_without_issuer_names_is_left_alone() {
    let stand_in = old_vault_stand_in("", "");
    let sandbox = Sandbox::new();
    let backend = json!({"vault": {"url": stand_in.url(), "auth": {"token": "x-token"}}});
    let states = ["present", "csr", "retired"];
    for state in states {
        let kind = if state == "csr" {
            "intermediate"
        } else {
            "root"
        };
        let args = json!({"backend": backend, "authorities": [{"name": "root-1", "state": state, "type": kind}]});
        let answer = ModuleRun::new(support::PROGRAM)
            .args(args)
            .sandbox(&sandbox)
            .run();
        assert_eq!(answer.kind(), "vault.too_old", "{}", answer.report());
        assert!(answer.msg().contains("1.10.11"), "{}", answer.report());
        // Its clock stands in 1970.
        assert!(
            answer.report().contains("the clock of"),
            "{}",
            answer.report()
        );
    }
    assert!(
        stand_in
            .asked()
            .iter()
            .all(|asked| asked.path.starts_with("/v1/sys/"))
    );
}
