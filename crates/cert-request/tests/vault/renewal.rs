// SPDX-License-Identifier: Apache-2.0
//! Why a certificate is replaced, and why not once more.

use serde_json::{Value, json};

use crate::world::{Lab, of, reasons};

/// Another authority in the mount, for so long, the default from now on.
fn rotate(lab: &Lab, ttl: &str) {
    let key = json!({"common_name": "Bao Issuing 2", "key_type": "ec", "key_bits": 256});
    let request = lab.bao.api("pki/intermediate/generate/internal", &key);
    let sign = json!({"csr": request["data"]["csr"], "ttl": ttl});
    let signed = lab.bao.api("root/root/sign-intermediate", &sign);
    let signed = signed["data"]["certificate"].as_str().unwrap();
    let chain = format!("{signed}\n{}", String::from_utf8_lossy(lab.bao.root_pem()));
    let imported = lab.bao.api(
        "pki/intermediate/set-signed",
        &json!({"certificate": chain}),
    );
    let mapping = imported["data"]["mapping"].as_object().unwrap();
    let ours = mapping.iter().find(|(_, key)| key.as_str() != Some(""));
    let body = json!({"default": ours.unwrap().0});
    lab.bao.api("pki/config/issuers", &body);
}

fn changed(task: &Value, change: &Value) -> Value {
    let mut task = task.clone();
    let entry = task["certificates"][0].as_object_mut().unwrap();
    entry.extend(change.as_object().unwrap().clone());
    task
}

#[test]
fn each_change_leads_to_one_new_certificate_and_no_second_one() {
    let lab = Lab::new();
    let task = lab.task(&["web"], &json!({}));
    lab.succeed(&task);
    for (change, kind) in [
        (
            json!({"dns": ["web.example.test", "b.example.test"]}),
            "names",
        ),
        (json!({}), "names"),
        (
            json!({"key": {"algorithm": "ecdsa", "curve": "P-384"}}),
            "key",
        ),
    ] {
        let task = changed(&task, &change);
        let told = lab.module(&task).check(true).run();
        assert_eq!(reasons(&told, "web"), [kind], "{}", told.report());
        let answer = lab.succeed(&task);
        assert_eq!(reasons(&answer, "web"), [kind], "{}", answer.report());
        lab.assert_issued("web");
        assert!(!lab.succeed(&task).changed());
    }
}

#[test]
fn another_default_issuer_and_a_revocation_are_noticed_once() {
    let lab = Lab::new();
    let task = lab.task(&["a", "b"], &json!({}));
    let first = lab.succeed(&task);
    rotate(&lab, "4380h");
    let mut blind = task.clone();
    blind["defaults"]["renew"] = json!({"on": ["expiry"]});
    assert!(!lab.succeed(&blind).changed());
    let answer = lab.succeed(&task);
    assert_eq!(reasons(&answer, "a"), ["issuer"], "{}", answer.report());
    assert_eq!(reasons(&answer, "b"), ["issuer"]);
    lab.assert_issued("a");
    assert!(!lab.succeed(&task).changed());

    // The one before is still the issuer of those that name it, and so is the role's that names it.
    let list = lab.bao.ask("LIST", "pki/issuers", b"");
    let serial = of(&first, "a")["issuer"].clone();
    let old = list["data"]["keys"].as_array().unwrap().iter().find(|id| {
        let shown = lab
            .bao
            .ask("GET", &format!("pki/issuer/{}", id.as_str().unwrap()), b"");
        shown["data"]["key_id"] != ""
            && !list["data"]["key_info"][id.as_str().unwrap()]["is_default"]
                .as_bool()
                .unwrap()
    });
    let old = old.unwrap();
    assert_eq!(serial, json!("CN=Bao Issuing"));
    let pinned = lab.task(&["a"], &json!({"issuer": old}));
    let answer = lab.succeed(&pinned);
    assert_eq!(
        of(&answer, "a")["issuer"],
        "CN=Bao Issuing",
        "{}",
        answer.report()
    );
    assert!(!lab.succeed(&pinned).changed());
    let role = json!({"allow_any_name": true, "key_type": "any", "issuer_ref": old});
    lab.bao.api("pki/roles/bound", &role);
    let bound = lab.task(&["b"], &json!({"role": "bound"}));
    let mut forced = bound.clone();
    forced["defaults"]["renew"] = json!({"force": true});
    let refused = lab.run(&forced);
    assert_eq!(refused.kind(), "vault.other_issuer", "{}", refused.report());
    assert!(!lab.succeed(&bound).changed());

    let serial = of(&answer, "a")["serial"].as_str().unwrap();
    let pairs: Vec<String> = serial
        .to_ascii_lowercase()
        .as_bytes()
        .chunks(2)
        .map(|pair| String::from_utf8_lossy(pair).into_owned())
        .collect();
    lab.bao
        .api("pki/revoke", &json!({"serial_number": pairs.join(":")}));
    let mut reuse = pinned.clone();
    reuse["defaults"]["key"]["reuse"] = json!(true);
    let key = lab.sandbox.read("a.key");
    let answer = lab.succeed(&reuse);
    assert_eq!(reasons(&answer, "a"), ["revoked"], "{}", answer.report());
    assert_ne!(lab.sandbox.read("a.key"), key);
    assert!(!lab.succeed(&pinned).changed());
}

#[test]
fn a_shorter_life_is_told_once_and_renewed_in_its_own_time() {
    let lab = Lab::new();
    let mut task = lab.task(&["web"], &json!({"role": "web"}));
    task["defaults"]["ttl"] = json!("398d");
    task["defaults"]["renew"] = json!({"before": "60d"});
    let answer = lab.succeed(&task);
    let told = |answer: &testbed::Answer| of(answer, "web")["warnings"].to_string();
    assert!(
        told(&answer).contains("the role, the mount or the authority allows less than 398d"),
        "{}",
        answer.report()
    );
    let again = lab.succeed(&task);
    assert!(!again.changed(), "{}", again.report());
    assert_eq!(told(&again), "[]");
}

#[test]
fn where_no_lifetime_is_wished_the_role_decides() {
    let lab = Lab::new();
    let role = json!({"allow_any_name": true, "key_type": "any", "ttl": "240h"});
    lab.bao.api("pki/roles/short", &role);
    let mut task = lab.task(&["web"], &json!({"role": "short"}));
    task["defaults"]["ttl"] = Value::Null;
    let answer = lab.succeed(&task);
    assert_eq!(of(&answer, "web")["warnings"], json!([]));
    for (days, ended) in [(9, 0), (11, 1)] {
        let end = format!("-checkend {} ", days * 86_400);
        assert_eq!(lab.openssl("web", &end).0, Some(ended), "{days}");
    }
    let again = lab.succeed(&task);
    assert!(!again.changed(), "{}", again.report());
}

#[test]
fn neither_a_mount_nor_an_authority_that_allows_less_leads_to_a_failure_or_a_loop() {
    let lab = Lab::new();
    let plain = json!({"allow_any_name": true, "key_type": "any"});
    lab.bao.api("pki/roles/plain", &plain);
    let mut task = lab.task(&["web"], &json!({"role": "plain"}));
    task["defaults"]["ttl"] = json!("3650d");
    let config = |change: &Value| lab.bao.api("sys/mounts/pki/tune", change);
    config(&json!({"max_lease_ttl": "87600h"}));
    for (limit, days) in [("87600h", 181), ("240h", 9)] {
        config(&json!({"max_lease_ttl": limit}));
        let mut forced = task.clone();
        forced["defaults"]["renew"] = json!({"force": true});
        let answer = lab.succeed(&forced);
        let warnings = of(&answer, "web")["warnings"].to_string();
        assert!(
            warnings.contains("allows less than 3650d"),
            "{}",
            answer.report()
        );
        lab.assert_issued("web");
        let end = format!("-checkend {} ", days * 86_400);
        assert_eq!(lab.openssl("web", &end).0, Some(0), "{limit}");
        let end = format!("-checkend {} ", (days + 2) * 86_400);
        assert_eq!(lab.openssl("web", &end).0, Some(1), "{limit}");
    }
    // Due at once, but a new one would not last longer.
    rotate(&lab, "40m");
    task["defaults"]["renew"] = json!({"before": "99%"});
    let answer = lab.succeed(&task);
    assert_eq!(reasons(&answer, "web"), ["issuer"], "{}", answer.report());
    let again = lab.succeed(&task);
    assert!(!again.changed(), "{}", again.report());
    let warnings = of(&again, "web")["warnings"].to_string();
    assert!(
        warnings.contains("renew the authority"),
        "{}",
        again.report()
    );
    // The mount's own lifetime is longer than what the authority has left.
    task["defaults"]["ttl"] = Value::Null;
    task["defaults"]["renew"] = json!({"force": true});
    lab.succeed(&task);
    lab.assert_issued("web");
}

#[test]
fn the_certificate_before_is_revoked_if_that_is_wished_and_the_last_one_with_its_files() {
    let lab = Lab::new();
    let task = lab.task(&["web"], &json!({"revoke_old": "after_install"}));
    let first = lab.succeed(&task);
    let mut forced = task.clone();
    forced["defaults"]["renew"] = json!({"force": true});
    let second = lab.succeed(&forced);
    let revoked = |answer: &testbed::Answer| {
        let serial = of(answer, "web")["serial"].as_str().unwrap();
        lab.bao.revoked_at(serial) > 0
    };
    assert!(revoked(&first) && !revoked(&second), "{}", second.report());

    let mut absent = task.clone();
    absent["state"] = json!("absent");
    assert!(lab.module(&absent).check(true).run().changed());
    assert!(!revoked(&second));
    assert!(lab.succeed(&absent).changed());
    assert!(revoked(&second));
    assert!(!lab.sandbox.join("web.key").exists());
    assert!(!lab.succeed(&absent).changed());
}
