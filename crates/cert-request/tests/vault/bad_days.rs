// SPDX-License-Identifier: Apache-2.0
//! What servers, policies and roles do to a certificate.

use std::fs::File;
use std::io::Write;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use testbed::servers::Rule;

use crate::world::{EXECUTABLE, Lab, of, reasons};

fn forced(task: &Value) -> Value {
    let mut task = task.clone();
    task["defaults"]["renew"] = json!({"force": true});
    task
}

#[test]
fn a_sealed_server_is_no_harm_to_certificates_that_are_fine() {
    let lab = Lab::new();
    let task = lab.task(&["a", "b", "c"], &json!({}));
    lab.succeed(&task);
    lab.bao.api("sys/seal", &json!({}));
    let fine = lab.succeed(&task);
    assert!(!fine.changed(), "{}", fine.report());
    let warnings = fine.value["warnings"].as_array().unwrap();
    assert_eq!(warnings.len(), 1, "{}", fine.report());
    assert!(
        warnings[0].to_string().contains("sealed"),
        "{}",
        fine.report()
    );

    let before = lab.sandbox.read("a.pem");
    let begun = Instant::now();
    let due = lab.run(&forced(&task));
    assert_eq!(due.kind(), "vault.sealed", "{}", due.report());
    assert!(!due.changed());
    assert!(
        begun.elapsed() < Duration::from_secs(30),
        "nobody waits for a person"
    );
    assert_eq!(lab.sandbox.read("a.pem"), before);
}

#[test]
fn a_mount_that_is_wrong_for_one_certificate_hides_no_revocation_of_the_others() {
    let lab = Lab::new();
    let mut task = lab.task(&["a", "b", "c"], &json!({}));
    task["parallel"] = json!(1);
    let serials = lab.succeed(&task);
    let serial = of(&serials, "c")["serial"].as_str().unwrap();
    let pem = String::from_utf8(lab.sandbox.read("c.pem")).unwrap();
    lab.bao.api("pki/revoke", &json!({"certificate": pem}));
    let with = |change: &Value| json!({"vault": lab.issuer(change)});
    task["certificates"][0]["issuer"] = with(&json!({"mount": "nowhere"}));
    task["certificates"][1]["issuer"] = with(&json!({"issuer": "unknown"}));
    let answer = lab.succeed(&task);
    assert_eq!(reasons(&answer, "c"), ["revoked"], "{}", answer.report());
    assert_ne!(of(&answer, "c")["serial"], serial);
    for (name, warnings) in [("a", 2), ("b", 1), ("c", 0)] {
        let told = of(&answer, name)["warnings"].as_array().unwrap();
        assert_eq!(told.len(), warnings, "{}", answer.report());
    }
}

#[test]
fn a_server_that_is_gone_is_waited_for_once_and_not_by_each_certificate() {
    let lab = Lab::new();
    let task = lab.task(
        &["a", "b", "c", "d", "e", "f", "g", "h", "i", "j"],
        &json!({}),
    );
    lab.succeed(&task);
    // What refuses connections: a port of which nobody else hears.
    let mut gone = task.clone();
    let port = testbed::servers::free_port();
    gone["defaults"]["issuer"]["vault"]["url"] = json!([format!("https://localhost:{port}")]);
    let fine = lab.succeed(&gone);
    assert!(!fine.changed(), "{}", fine.report());
    assert_eq!(
        fine.value["warnings"].as_array().unwrap().len(),
        1,
        "{}",
        fine.report()
    );
    let mut due = forced(&gone);
    due["parallel"] = json!(1);
    let begun = Instant::now();
    let refused = lab.run(&due);
    assert_eq!(refused.kind(), "vault.unreachable", "{}", refused.report());
    // Ten times the window, if each one waited.
    assert!(
        begun.elapsed() < Duration::from_secs(40),
        "{:?}",
        begun.elapsed()
    );
}

#[test]
fn whoever_may_not_is_told_which_of_the_reasons_it_is() {
    let lab = Lab::new();
    let with = |change: &Value| lab.run(&lab.task(&["web"], change));
    let token = |body: &Value| {
        let made = lab.bao.api("auth/token/create", body);
        made["auth"]["client_token"].as_str().unwrap().to_owned()
    };
    let auth = |token: &str| json!({"auth": {"method": "token", "token": token}});

    let spent = token(&json!({"policies": ["hosts"]}));
    lab.bao.api("auth/token/revoke", &json!({"token": spent}));
    let expired = with(&auth(&spent));
    assert_eq!(
        expired.kind(),
        "vault.token_invalid",
        "{}",
        expired.report()
    );
    expired.never_says(&spent);

    let weak = token(&json!({"policies": ["default"]}));
    let powerless = with(&auth(&weak));
    assert_eq!(
        powerless.kind(),
        "vault.permission_denied",
        "{}",
        powerless.report()
    );
    powerless.never_says(&weak);
    let told = lab
        .module(&lab.task(&["web"], &auth(&weak)))
        .check(true)
        .run();
    assert_eq!(told.kind(), "vault.permission_denied", "{}", told.report());

    let elsewhere = with(&json!({"namespace": "nowhere"}));
    assert_eq!(
        elsewhere.kind(),
        "vault.namespace_unknown",
        "{}",
        elsewhere.report()
    );

    let headers = [("x-vault-wrap-ttl".to_owned(), "120s".to_owned())];
    let wrapped = lab
        .bao
        .ask_with(&headers, "POST", "auth/approle/role/host/secret-id", b"{}");
    let wrapped = wrapped["wrap_info"]["token"].as_str().unwrap().to_owned();
    let role_id = lab.secrets()[0];
    let twice = json!({"auth": {"method": "approle", "role_id": role_id, "wrapped_secret_id": wrapped, "role": "host"}});
    let told = lab.module(&lab.task(&["web"], &twice)).check(true).run();
    assert!(told.changed(), "{}", told.report());
    lab.succeed(&lab.task(&["web"], &twice));
    let stolen = lab.run(&forced(&lab.task(&["web"], &twice)));
    assert_eq!(
        stolen.kind(),
        "vault.wrapped_secret_used",
        "{}",
        stolen.report()
    );
    stolen.never_says(&wrapped);

    let said =
        [expired, powerless, elsewhere, stolen].map(|answer| answer.value["msg"].to_string());
    let different: std::collections::BTreeSet<&String> = said.iter().collect();
    assert_eq!(different.len(), 4, "{said:?}");
    lab.assert_issued("web");
}

/// The server locks a role after five refusals, for all hosts that log in with it.
#[test]
fn a_wrong_secret_is_tried_once_for_all_certificates_and_locks_nobody_out() {
    let lab = Lab::new();
    let task = lab.task(&["a", "b", "c", "d", "e", "f", "g", "h"], &json!({}));
    lab.sandbox.write("secret-id", "wrong-secret");
    let asked = lab.asked(|| {
        let answer = lab.run(&task);
        assert_eq!(answer.kind(), "vault.login_refused", "{}", answer.report());
        answer.never_says("wrong-secret");
    });
    let logins = asked.iter().filter(|line| line.contains("approle/login"));
    assert_eq!(logins.count(), 1, "{asked:?}");
    lab.sandbox.write("secret-id", lab.secrets()[1]);
    lab.succeed(&task);
}

#[test]
fn check_mode_fails_where_the_run_would_and_nowhere_else() {
    let lab = Lab::new();
    let policy = r#"path "pki/sign/*" { capabilities = ["create"] }"#;
    let policy = json!({"policy": policy});
    lab.bao.api("sys/policies/acl/create", &policy);
    let token = |body: &Value| {
        let made = lab.bao.api("auth/token/create", body);
        let token = made["auth"]["client_token"].as_str().unwrap();
        lab.task(
            &["web"],
            &json!({"auth": {"method": "token", "token": token}}),
        )
    };
    let half = token(&json!({"policies": ["create"]}));
    for told in [true, false] {
        let answer = lab.module(&half).check(told).run();
        assert_eq!(answer.kind(), "vault.permission_denied", "{told}");
    }
    let silent = token(&json!({"policies": ["hosts"], "no_default_policy": true}));
    let told = lab.module(&silent).check(true).run();
    assert!(told.changed(), "{}", told.report());
    let warnings = of(&told, "web")["warnings"].to_string();
    assert!(
        warnings.contains("may not ask sys/capabilities-self"),
        "{}",
        told.report()
    );
    let done = lab.succeed(&silent);
    assert_eq!(of(&done, "web")["warnings"], json!([]));
    lab.assert_issued("web");
}

#[test]
fn a_mount_without_a_default_issuer_fails_at_once() {
    let lab = Lab::new();
    lab.bao.api("sys/mounts/empty", &json!({"type": "pki"}));
    let role = json!({"allow_any_name": true, "key_type": "any"});
    lab.bao.api("empty/roles/web", &role);
    let policy = json!({"policy": "path \"empty/*\" { capabilities = [\"create\", \"update\"] }"});
    lab.bao.api("sys/policies/acl/hosts", &policy);
    let task = lab.task(&["web"], &json!({"mount": "empty", "role": "web"}));
    let asked = lab.asked(|| {
        let answer = lab.run(&task);
        assert_eq!(
            answer.kind(),
            "vault.no_default_issuer",
            "{}",
            answer.report()
        );
    });
    let signs = asked.iter().filter(|line| line.contains("empty/sign/web"));
    assert_eq!(signs.count(), 1, "{asked:?}");
}

#[test]
fn what_a_role_drops_or_cannot_give_is_never_installed() {
    let lab = Lab::new();
    let task = lab.task(&["web"], &json!({}));
    lab.succeed(&task);
    let before = lab.sandbox.read("web.pem");
    let refuse = |change: &Value, entry: &Value, kind: &str, word: &str| {
        let mut task = forced(&lab.task(&["web"], change));
        let all = task["certificates"][0].as_object_mut().unwrap();
        all.extend(entry.as_object().unwrap().clone());
        let answer = lab.run(&task);
        assert_eq!(answer.kind(), kind, "{}", answer.report());
        let said = answer.value["msg"].to_string();
        assert!(said.contains(word), "{word}: {said}");
        assert_eq!(lab.sandbox.read("web.pem"), before, "{kind}");
    };
    lab.bao.api("pki/roles/narrow", &json!({"allow_any_name": true, "key_type": "any", "client_flag": false, "allow_ip_sans": false}));
    let client = json!({"extended_key_usage": ["clientAuth"]});
    refuse(
        &json!({"role": "narrow"}),
        &client,
        "vault.usages",
        "clientAuth",
    );
    let other = json!({"other_name": [{"type_id": "1.3.6.1.4.1.311.20.2.3", "value": "web"}]});
    refuse(&json!({}), &other, "vault.refused", "other SAN OID");
    let ip = json!({"ip": ["192.0.2.1"]});
    refuse(
        &json!({"role": "narrow"}),
        &ip,
        "vault.refused",
        "IP Subject Alternative Names are not allowed",
    );
    refuse(
        &json!({"role": "unknown"}),
        &json!({}),
        "vault.refused",
        "unknown role",
    );
    lab.bao.api(
        "pki/roles/rsa",
        &json!({"allow_any_name": true, "key_type": "rsa"}),
    );
    refuse(&json!({"role": "rsa"}), &json!({}), "vault.refused", "rsa");

    // No role of this release drops names that are sent both ways, so the proxy gives what the server has signed for others.
    let other = lab.bao.api(
        "pki/issue/year",
        &json!({"common_name": "other.example.test", "key_type": "ec", "key_bits": 256}),
    );
    let other = json!({"data": other["data"], "request_id": "x"});
    lab.proxy
        .set(vec![Rule::edit("POST /v1/pki/sign/", 1, other)]);
    refuse(&json!({}), &json!({}), "vault.names", "web.example.test");
    lab.proxy.set(vec![Rule::edit(
        "POST /v1/pki/sign/",
        1,
        json!({"warnings": ["Endpoint ignored these unrecognized parameters: [ttl]"]}),
    )]);
    refuse(
        &json!({}),
        &json!({}),
        "vault.unrecognized_parameters",
        "ttl",
    );
    lab.proxy.set(Vec::new());
    assert!(!lab.succeed(&task).changed());
}

#[test]
fn a_clock_that_is_two_minutes_off_is_warned_of() {
    let lab = Lab::new();
    let task = lab.task(&["a", "b"], &json!({}));
    let now = std::time::UNIX_EPOCH.elapsed().unwrap().as_secs();
    lab.proxy.set(vec![Rule::edit(
        "sys/health",
        9,
        json!({"server_time_utc": now + 120}),
    )]);
    let answer = lab.succeed(&task);
    let warnings = answer.value["warnings"].as_array().unwrap();
    let about = warnings
        .iter()
        .filter(|text| text.to_string().contains("ahead of this host's"));
    assert_eq!(about.count(), 1, "{}", answer.report());
}

/// Starts the task, and kills it as soon as the server has been asked for this.
fn kill_in(lab: &Lab, task: &Value, matches: &str) {
    let before = lab.proxy.count(matches);
    let mut child = Command::new(EXECUTABLE)
        .stdin(Stdio::piped())
        .stdout(File::create(lab.sandbox.join("answer")).unwrap())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let input = lab.sandbox.place(task).to_string();
    child
        .stdin
        .take()
        .unwrap()
        .write_all(input.as_bytes())
        .unwrap();
    let deadline = Instant::now() + Duration::from_secs(60);
    while lab.proxy.count(matches) == before {
        assert!(Instant::now() < deadline, "no {matches}");
        assert!(
            child.try_wait().unwrap().is_none(),
            "it ended before {matches}"
        );
        std::thread::sleep(Duration::from_millis(10));
    }
    child.kill().unwrap();
    child.wait().unwrap();
}

#[test]
fn a_task_that_is_killed_while_it_is_signed_leaves_the_old_pair_and_no_key() {
    let lab = Lab::new();
    let task = lab.task(&["web"], &json!({}));
    lab.succeed(&task);
    let (key, pem) = (lab.sandbox.read("web.key"), lab.sandbox.read("web.pem"));
    lab.proxy
        .set(vec![Rule::hang_after("POST /v1/pki/sign/", 1)]);
    kill_in(&lab, &forced(&task), "POST /v1/pki/sign/");
    lab.proxy.set(Vec::new());
    assert_eq!(lab.sandbox.read("web.key"), key);
    assert_eq!(lab.sandbox.read("web.pem"), pem);
    assert!(!lab.sandbox.join("state").exists());
    assert!(!lab.succeed(&task).changed());
    let answer = lab.succeed(&forced(&task));
    assert_eq!(of(&answer, "web")["action"], "issue");
    lab.assert_issued("web");
}
