// SPDX-License-Identifier: Apache-2.0
//! What is wrong with one record: others do not suffer from it, and nothing of it is forgotten.

use serde_json::{Value, json};
use testbed::servers::SECRET;

use crate::lab::{Lab, certificate};

/// Publishes by nsupdate, but not what is said in the file `skipped`, and takes nothing back while there is a file
/// `broken`.
fn hook(lab: &Lab) -> Value {
    let [primary, _] = lab.dns.authoritative();
    let (ip, port) = (primary.ip(), primary.port());
    lab.sandbox.write(
        "hook.py",
        format!(
            r#"
import json, os, subprocess, sys
task = json.load(sys.stdin)
os.chdir(sys.argv[1])
if task["action"] == "withdraw" and os.path.exists("broken"):
    sys.exit("the hook is broken today")
word = {{"publish": "add", "withdraw": "delete"}}[task["action"]]
skipped = open("skipped").read().split() if os.path.exists("skipped") else []
lines = ["server {ip} {port}", "zone acme-sign.test"]
for record in task["records"]:
    if record["name"] in skipped:
        continue
    ttl = f"{{record['ttl']}} " if word == "add" else ""
    lines.append(f"update {{word}} {{record['name']}}. {{ttl}}TXT \"{{record['value']}}\"")
subprocess.run(["nsupdate", "-y", "hmac-sha256:key-hmac-sha256:{SECRET}"], input="\n".join([*lines, "send", ""]), text=True, check=True)
"#
        ),
    );
    json!({"hook": {"command": ["/usr/bin/python3", "$DIR/hook.py", "$DIR"], "ttl": 1}})
}

#[test]
fn a_zone_that_refuses_updates_stops_only_the_certificates_in_it() {
    let lab = Lab::new("_acme-challenge.other IN TXT \"there\"\n");
    let certificates = json!([
        lab.csr("other", &["other.example.test"]),
        lab.csr("good", &["h0.example.test"]),
        lab.csr("both", &["other.example.test", "h1.example.test"]),
    ]);
    let task = json!({"certificates": certificates, "provider": lab.provider(), "target": null});
    let answer = lab.task(task).run();
    assert!(answer.failed(), "{}", answer.report());
    assert_eq!(
        certificate(&answer, "other")["error"]["kind"],
        "dns.update_refused",
        "{}",
        answer.report()
    );
    assert_eq!(certificate(&answer, "both")["status"], "failed");
    assert_eq!(certificate(&answer, "good")["status"], "issued");
    lab.assert_issued("good", "h0.example.test");
    assert!(lab.dns.texts().is_empty(), "{:?}", lab.dns.texts());
}

#[test]
fn a_record_that_nobody_shows_stops_only_its_certificate_and_is_named_there() {
    let lab = Lab::new("");
    let provider = hook(&lab);
    let certificates = json!([
        lab.csr("late", &["h0.example.test"]),
        lab.csr("good", &["h1.example.test"]),
    ]);
    let mut task = json!({"certificates": certificates, "provider": provider});
    let servers: Vec<String> = lab.dns.authoritative().map(|one| one.to_string()).into();
    task["propagation"] = json!({"resolvers": [lab.dns.resolver.address().to_string()], "nameservers": servers, "timeout": "5s"});
    let told = lab.task(task.clone()).check(true).run();
    assert!(!told.failed(), "{}", told.report());
    lab.sandbox.write("skipped", "h0.acme-sign.test");
    let answer = lab.task(task.clone()).run();
    let error = certificate(&answer, "late")["error"].clone();
    assert_eq!(error["kind"], "dns.not_visible", "{}", answer.report());
    let words = error["msg"].as_str().unwrap();
    assert!(
        words.contains("h0.acme-sign.test") && !words.contains("h1."),
        "{words}"
    );
    assert_eq!(certificate(&answer, "good")["status"], "issued");
    lab.assert_issued("good", "h1.example.test");
    assert!(lab.dns.texts().is_empty(), "{:?}", lab.dns.texts());
    lab.sandbox.write("skipped", "");
    let next = lab.task(task).run();
    assert!(!next.failed(), "{}", next.report());
    lab.assert_issued("late", "h0.example.test");
}

#[test]
fn a_record_that_could_not_be_taken_back_is_by_the_next_order_of_an_issued_certificate() {
    let lab = Lab::new("");
    let task =
        json!({"certificates": [lab.csr("main", &["h0.example.test"])], "provider": hook(&lab)});
    lab.sandbox.write("broken", "");
    let answer = lab.task(task.clone()).run();
    assert!(!answer.failed(), "{}", answer.report());
    let warnings = answer.value["warnings"].to_string();
    assert!(
        warnings.contains("its next order removes them"),
        "{warnings}"
    );
    assert_eq!(lab.dns.texts().len(), 1, "{:?}", lab.dns.texts());
    std::fs::remove_file(lab.sandbox.path().join("broken")).unwrap();
    let quiet = lab.task(task.clone()).run();
    assert!(!quiet.changed() && !quiet.failed(), "{}", quiet.report());
    let mut again = task;
    again["renew"] = json!({"force": true});
    let answer = lab.task(again).run();
    assert!(!answer.failed(), "{}", answer.report());
    assert!(lab.dns.texts().is_empty(), "{:?}", lab.dns.texts());
    assert!(!lab.sandbox.path().join("state/main.json").exists());
}
