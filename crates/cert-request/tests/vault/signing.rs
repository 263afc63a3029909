// SPDX-License-Identifier: Apache-2.0
//! What is asked of the server, how often, and what is installed.

use serde_json::json;

use crate::world::{Lab, of};

fn count(asked: &[String], matches: &str) -> usize {
    asked.iter().filter(|line| line.contains(matches)).count()
}

#[test]
fn twenty_certificates_take_one_login_and_a_run_without_changes_takes_none() {
    let lab = Lab::new();
    let names: Vec<String> = (0..20).map(|number| format!("h{number}")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let task = lab.task(&names, &json!({}));
    let asked = lab.asked(|| {
        let answer = lab.succeed(&task);
        assert_eq!(answer.value["renewed"].as_array().unwrap().len(), 20);
        assert_eq!(answer.value["warnings"], json!(null), "{}", answer.report());
        for secret in lab.secrets() {
            answer.never_says(secret);
        }
        answer.never_says("hvs.").never_says("PRIVATE KEY");
    });
    for name in &names {
        lab.assert_issued(name);
    }
    assert_eq!(count(&asked, "auth/approle/login"), 1, "{asked:?}");
    assert_eq!(count(&asked, "auth/token/revoke-self"), 1, "{asked:?}");
    assert_eq!(count(&asked, "pki/sign/year"), 20, "{asked:?}");

    let asked = lab.asked(|| assert!(!lab.succeed(&task).changed()));
    assert_eq!(count(&asked, "auth/"), 0, "{asked:?}");
    assert_eq!(count(&asked, "pki/issuer/default/json"), 1, "{asked:?}");
    assert_eq!(count(&asked, "pki/cert/"), 20, "{asked:?}");
    assert_eq!(asked.len(), 21, "{asked:?}");

    let mut quiet = task.clone();
    quiet["defaults"]["renew"] = json!({"on": ["expiry", "names", "key"]});
    let asked = lab.asked(|| assert!(!lab.succeed(&quiet).changed()));
    assert_eq!(asked, Vec::<String>::new());
}

#[test]
fn all_kinds_of_names_are_asked_for_and_check_mode_signs_nothing() {
    let lab = Lab::new();
    let mut task = lab.task(&["web"], &json!({}));
    let entry = &mut task["certificates"][0];
    entry["ip"] = json!(["192.0.2.1", "2001:db8::1"]);
    entry["uri"] = json!(["spiffe://example.test/web"]);
    entry["email"] = json!(["web@example.test"]);
    entry["common_name"] = json!("common.example.test");
    let before = lab.issued();
    let told = lab.module(&task).check(true).run();
    assert_eq!(told.value["renewed"], json!(["web"]), "{}", told.report());
    assert_eq!(lab.issued(), before);
    lab.succeed(&task);
    lab.assert_issued("web");
    assert_eq!(lab.issued(), before + 1);
    let asked = lab.asked(|| assert!(!lab.succeed(&task).changed()));
    assert_eq!(asked.len(), 2, "{asked:?}");
}

#[test]
fn the_root_is_not_served_and_files_of_it_come_back_without_a_new_certificate() {
    let lab = Lab::new();
    let mut task = lab.task(&["web"], &json!({}));
    let all = |names: &[&str]| {
        names
            .iter()
            .map(|content| json!({"content": content, "path": format!("$DIR/web.{content}")}))
            .collect::<Vec<_>>()
    };
    let pair = ["private_key", "certificate", "chain"];
    task["certificates"][0]["files"] = json!(all(&pair));
    lab.succeed(&task);
    let chain = lab.sandbox.read("web.chain");
    assert_eq!(
        String::from_utf8_lossy(&chain)
            .matches("BEGIN CERT")
            .count(),
        1
    );

    let more = [
        "private_key",
        "certificate",
        "chain",
        "fullchain",
        "root",
        "ca_bundle",
    ];
    task["certificates"][0]["files"] = json!(all(&more));
    let answer = lab.succeed(&task);
    assert_eq!(
        of(&answer, "web")["action"],
        "rewrite",
        "{}",
        answer.report()
    );
    let root = String::from_utf8(lab.sandbox.read("web.root")).unwrap();
    assert_eq!(
        root.trim(),
        String::from_utf8_lossy(lab.bao.root_pem()).trim()
    );
    assert!(!lab.succeed(&task).changed());

    for content in ["chain", "fullchain", "root", "ca_bundle"] {
        std::fs::remove_file(lab.sandbox.join(format!("web.{content}"))).unwrap();
    }
    let answer = lab.succeed(&task);
    assert_eq!(
        of(&answer, "web")["action"],
        "rewrite",
        "{}",
        answer.report()
    );
    assert_eq!(lab.sandbox.read("web.chain"), chain);
    assert!(!lab.succeed(&task).changed());

    // Roots that are given decide, whatever the server sends.
    let mut other = task.clone();
    other["defaults"]["issuer"]["vault"]["root"] = json!("$DIR/ca.pem");
    other["defaults"]["renew"] = json!({"force": true});
    let refused = lab.run(&other);
    assert_eq!(refused.kind(), "chain.untrusted", "{}", refused.report());
    assert!(!lab.succeed(&task).changed());
}
