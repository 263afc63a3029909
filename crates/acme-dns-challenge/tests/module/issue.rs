// SPDX-License-Identifier: Apache-2.0
//! Certificates, all steps in one task and in phases.

use serde_json::{Value, json};
use testbed::Answer;
use testbed::servers::{SECRET, World};

use crate::lab::{Lab, Setup, certificate};

#[test]
fn all_certificates_of_a_task_take_one_update_and_a_second_run_asks_nobody() {
    let lab = Lab::new("");
    let certificates = json!([
        lab.csr("one", &["h0.example.test", "h1.example.test"]),
        lab.csr("two", &["h2.example.test"])
    ]);
    let more = json!({"certificates": certificates, "provider": lab.provider()});

    let before = lab.sandbox.listing();
    let told = lab.task(more.clone()).check(true).run();
    assert!(
        told.changed() && certificate(&told, "one")["status"] == "due",
        "{}",
        told.report()
    );
    lab.sandbox.assert_unmoved(&before, "in check mode");
    assert!(lab.dns.texts().is_empty());

    let answer = lab.task(more.clone()).run();
    assert!(answer.changed() && !answer.failed(), "{}", answer.report());
    assert_eq!(answer.value["updated"], json!(["one", "two"]));
    assert_eq!(
        answer.value["updates"], 2,
        "one UPDATE to add all records, one to remove them"
    );
    assert_eq!(certificate(&answer, "one")["reasons"][0]["kind"], "missing");
    answer.never_says(SECRET);
    lab.assert_issued("one", "h1.example.test");
    lab.assert_issued("two", "h2.example.test");
    assert!(lab.dns.texts().is_empty(), "{:?}", lab.dns.texts());
    assert_eq!(
        (lab.sandbox.mode("account.key"), lab.sandbox.mode("state")),
        (0o600, 0o700)
    );

    // It asks once when to renew, for each certificate, and remembers.
    let again = lab.task(more.clone()).run();
    assert!(
        !again.changed() && again.value["requests"] == 3,
        "{}",
        again.report()
    );
    let quiet = lab.task(more).run();
    assert!(
        !quiet.changed() && quiet.value["requests"] == 0,
        "{}",
        quiet.report()
    );
    assert_eq!(
        certificate(&quiet, "one")["serial"],
        certificate(&answer, "one")["serial"]
    );
}

/// What the protocol needs: directory, a nonce and the account once; order, authorization, challenge, finalize and
/// certificate for each, and two looks at its order, since Pebble validates and issues after it has answered.
#[test]
fn no_more_is_asked_for_many_certificates_than_the_protocol_needs() {
    const COUNT: usize = 20;
    let lab = Lab::with(Setup {
        world: World {
            hosts: COUNT,
            ..World::default()
        },
        environment: vec![("PEBBLE_WFE_NONCEREJECT", "0")],
        ..Setup::default()
    });
    let certificates: Vec<Value> = (0..COUNT)
        .map(|host| lab.csr(&format!("c{host}"), &[&format!("h{host}.example.test")]))
        .collect();
    let more = json!({"certificates": certificates, "provider": lab.provider()});
    let answer = lab.task(more).run();
    assert!(!answer.failed(), "{}", answer.report());
    let log = lab.pebble.log();
    let asked = |begin: &str| lab.pebble.requests(begin);
    for (begin, count) in [
        ("GET /dir", 1),
        ("HEAD /nonce-plz", 1),
        ("POST /sign-me-up", 1),
        ("POST /order-plz", COUNT),
        ("POST /authZ/", COUNT),
        ("POST /chalZ/", COUNT),
        ("POST /finalize-order/", COUNT),
        ("POST /certZ/", COUNT),
    ] {
        assert_eq!(asked(begin), count, "{begin}: {log}");
    }
    // Twice for each, and again where a busy machine lets Pebble take longer than the pause.
    let looks = asked("POST /my-order/");
    assert!((2 * COUNT..=3 * COUNT).contains(&looks), "{looks}: {log}");
    let all = asked("GET ") + asked("HEAD ") + asked("POST ");
    assert_eq!(all, 3 + 5 * COUNT + looks, "and nothing else: {log}");
    assert_eq!(answer.value["requests"], all);
    assert_eq!(answer.value["updates"], 2);
}

/// The play that was to bring it to its host was cut off: it is told again, and nobody is asked for another.
#[test]
fn a_certificate_that_never_got_where_it_is_used_is_handed_out_again() {
    let lab = Lab::new("");
    let mut wanted = lab.csr("main", &["h0.example.test"]);
    wanted["current"] = json!("$DIR/live.pem");
    wanted["files"] = json!([]);
    let task = |renew: Value| {
        let more = json!({"certificates": [wanted], "provider": lab.provider(), "renew": renew});
        lab.task(more)
    };
    let quiet = || task(json!({"ari": false}));
    let fullchain = |answer: &Answer| {
        let text = &certificate(answer, "main")["fullchain"];
        text.as_str().unwrap().to_owned()
    };
    let first = quiet().run();
    assert_eq!(
        first.value["updated"],
        json!(["main"]),
        "{}",
        first.report()
    );
    lab.sandbox.write("live.pem", fullchain(&first));
    assert!(!quiet().run().changed());
    lab.let_resolvers_forget();
    let second = task(json!({"ari": false, "force": true})).run();
    assert_ne!(fullchain(&second), fullchain(&first));

    let told = quiet().check(true).run();
    assert_eq!(
        certificate(&told, "main")["status"],
        "repaired",
        "{}",
        told.report()
    );
    let again = quiet().run();
    assert_eq!(
        again.value["updated"],
        json!(["main"]),
        "{}",
        again.report()
    );
    assert_eq!(again.value["requests"], 0);
    assert_eq!(fullchain(&again), fullchain(&second));
    lab.sandbox.write("live.pem", fullchain(&again));
    let arrived = quiet().run();
    assert!(
        !arrived.changed() && arrived.value["updated"] == json!([]),
        "{}",
        arrived.report()
    );
}

/// Two hosts with all names in common, as load balancers have. Let's Encrypt would give both requests the same order, which
/// has one certificate; so the second is ordered when the first is issued. Pebble gives each its own, so only the sequence shows.
#[test]
fn certificates_with_the_same_names_are_ordered_one_after_the_other() {
    let lab = Lab::with(Setup {
        environment: vec![("PEBBLE_WFE_NONCEREJECT", "0")],
        proxied: true,
        ..Setup::default()
    });
    let names = ["h0.example.test", "h1.example.test"];
    let certificates = json!([
        lab.csr("one", &names),
        lab.csr("two", &[names[1], names[0]])
    ]);
    let more = json!({"certificates": certificates, "provider": lab.provider()});
    let answer = lab.task(more).run();
    assert!(!answer.failed(), "{}", answer.report());
    assert_eq!(answer.value["updated"], json!(["one", "two"]));
    lab.assert_issued("one", "h0.example.test");
    lab.assert_issued("two", "h0.example.test");
    let log = lab.proxy.as_ref().unwrap().log();
    let steps: Vec<&str> = log
        .iter()
        .filter_map(|line| {
            let step = ["order-plz", "certZ"]
                .into_iter()
                .find(|step| line.contains(step));
            step.filter(|_| line.contains("POST"))
        })
        .collect();
    assert_eq!(
        steps,
        ["order-plz", "certZ", "order-plz", "certZ"],
        "{log:?}"
    );
    assert!(lab.dns.texts().is_empty());
}

#[test]
fn phases_go_from_host_to_host() {
    let lab = Lab::new("");
    let more = json!({"certificates": [lab.csr("main", &["h3.example.test"])]});
    let with = |more: &Value, phase: &str, extra: Value| {
        let mut args = more.clone();
        let all = args.as_object_mut().unwrap();
        all.insert("phase".to_owned(), json!(phase));
        all.extend(extra.as_object().unwrap().clone());
        args
    };
    let host = |phase: &str| lab.task(with(&more, phase, json!({}))).run();
    let asked = host("request");
    assert!(
        asked.changed() && asked.value["pending"] == json!(["main"]),
        "{}",
        asked.report()
    );
    let records = asked.value["txt_records"].clone();
    assert_eq!(records[0]["target"], "h3.acme-sign.test");
    let same = host("request");
    assert!(
        !same.changed() && same.value["txt_records"] == records,
        "{}",
        same.report()
    );

    // Where the DNS is written nothing is known of the authority.
    lab.sandbox.write("tsig.secret", format!("{SECRET}\n"));
    let mut provider = lab.provider();
    let update = provider["rfc2136"].as_object_mut().unwrap();
    update.remove("secret");
    update.insert("secret_file".to_owned(), json!("$DIR/tsig.secret"));
    let writer = |phase: &str| {
        lab.task(with(
            &json!({}),
            phase,
            json!({"records": records, "provider": provider}),
        ))
        .run()
    };
    for (phase, changes) in [("publish", true), ("publish", false), ("wait", false)] {
        let answer = writer(phase);
        assert_eq!(
            (answer.failed(), answer.changed()),
            (false, changes),
            "{phase}: {}",
            answer.report()
        );
    }
    assert_eq!(lab.dns.texts().len(), 1);
    let done = host("complete");
    assert!(
        done.changed() && done.value["updated"] == json!(["main"]),
        "{}",
        done.report()
    );
    lab.assert_issued("main", "h3.example.test");
    for changes in [true, false] {
        assert_eq!(writer("cleanup").changed(), changes);
    }
    assert!(lab.dns.texts().is_empty());
    assert!(!host("complete").changed() && !host("request").changed());
}

#[test]
fn a_name_that_leads_nowhere_fails_its_certificate_only() {
    let lab = Lab::new("_acme-challenge.loop CNAME l1\nl1 CNAME l2\nl2 CNAME l1\n");
    let certificates = json!([
        lab.csr("bad", &["loop.example.test"]),
        lab.csr("good", &["h4.example.test"])
    ]);
    let more = json!({"certificates": certificates, "provider": lab.provider()});
    let told = lab.task(more.clone()).check(true).run();
    assert!(
        told.failed() && told.kind() == "dns.target_loop",
        "{}",
        told.report()
    );
    let answer = lab.task(more).run();
    assert!(
        answer.failed() && answer.kind() == "dns.target_loop",
        "{}",
        answer.report()
    );
    assert_eq!(certificate(&answer, "good")["status"], "issued");
    lab.assert_issued("good", "h4.example.test");
    assert!(lab.dns.texts().is_empty());
}

#[test]
fn a_file_that_was_damaged_is_written_again_without_an_order() {
    let lab = Lab::new("");
    let more = json!({"certificates": [lab.csr("main", &["h0.example.test"])], "provider": lab.provider(), "renew": {"ari": false}});
    let first = lab.task(more.clone()).run();
    assert!(!first.failed(), "{}", first.report());
    lab.sandbox.write("main.crt", "garbage");
    let answer = lab.task(more.clone()).run();
    assert!(
        answer.changed() && answer.value["requests"] == 0,
        "{}",
        answer.report()
    );
    assert_eq!(certificate(&answer, "main")["status"], "repaired");
    assert_eq!(
        answer.value["updated"],
        json!(["main"]),
        "its handlers have not run"
    );
    lab.assert_issued("main", "h0.example.test");

    // Another key and other names: all reasons are told, and nothing is asked of anybody for it.
    lab.csr("main", &["h0.example.test", "h1.example.test"]);
    let told = lab.task(more.clone()).check(true).run();
    let kinds: Vec<&Value> = certificate(&told, "main")["reasons"]
        .as_array()
        .unwrap()
        .iter()
        .map(|reason| &reason["kind"])
        .collect();
    assert_eq!(kinds, ["key", "names"], "{}", told.report());
    assert_eq!(told.value["requests"], 0);

    let mut forced = more;
    forced["renew"]["force"] = json!(true);
    lab.let_resolvers_forget();
    let answer = lab.task(forced).run();
    assert_eq!(
        certificate(&answer, "main")["previous_fingerprint_sha256"],
        certificate(&first, "main")["fingerprint_sha256"]
    );
    lab.assert_issued("main", "h0.example.test");
}

/// A program of the user's publishes: here by nsupdate, for a server of whose zone it has the key.
#[test]
fn a_hook_gets_all_records_at_once() {
    let lab = Lab::new("");
    let [primary, _] = lab.dns.authoritative();
    lab.sandbox.write(
        "hook.py",
        format!(
            r#"
import json, subprocess, sys
task = json.load(sys.stdin)
word = {{"publish": "add", "withdraw": "delete"}}[task["action"]]
lines = ["server {ip} {port}", "zone acme-sign.test"]
for record in task["records"]:
    ttl = f"{{record['ttl']}} " if word == "add" else ""
    lines.append(f"update {{word}} {{record['name']}}. {{ttl}}TXT \"{{record['value']}}\"")
subprocess.run(["nsupdate", "-y", "hmac-sha256:key-hmac-sha256:{SECRET}"], input="\n".join([*lines, "send", ""]), text=True, check=True)
open(sys.argv[1], "a").write(task["action"] + str(len(task["records"])) + "\n")
"#,
            ip = primary.ip(),
            port = primary.port()
        ),
    );
    let hook = json!({"hook": {"command": ["/usr/bin/python3", "$DIR/hook.py", "$DIR/hook.log"], "ttl": 1}});
    let certificates = json!([lab.csr("main", &["h0.example.test", "h1.example.test"])]);
    let answer = lab
        .task(json!({"certificates": certificates, "provider": hook}))
        .run();
    assert!(!answer.failed(), "{}", answer.report());
    lab.assert_issued("main", "h1.example.test");
    assert_eq!(
        String::from_utf8(lab.sandbox.read("hook.log")).unwrap(),
        "publish2\nwithdraw2\n"
    );
    assert!(lab.dns.texts().is_empty());
}

/// The directory of a file goes while the server is asked: what was issued is not lost, and not ordered again.
#[test]
fn a_certificate_that_cannot_be_installed_is_written_by_the_next_run() {
    // Requests are counted, so no nonce is refused.
    let lab = Lab::with(Setup {
        environment: vec![("PEBBLE_WFE_NONCEREJECT", "0")],
        ..Setup::default()
    });
    let [primary, _] = lab.dns.authoritative();
    let script = format!(
        r#"
import json, pathlib, shutil, subprocess, sys
task = json.load(sys.stdin)
word = {{"publish": "add", "withdraw": "delete"}}[task["action"]]
lines = [f"update {{word}} {{record['name']}}. 1 TXT \"{{record['value']}}\"" for record in task["records"]]
lines = ["server {ip} {port}", "zone acme-sign.test", *lines, "send", ""]
subprocess.run(["nsupdate", "-y", "hmac-sha256:key-hmac-sha256:{SECRET}"], input="\n".join(lines), text=True, check=True)
shutil.rmtree(sys.argv[1], ignore_errors=True)
"#,
        ip = primary.ip(),
        port = primary.port()
    );
    lab.sandbox.write("hook.py", script);
    std::fs::create_dir(lab.sandbox.join("out")).unwrap();
    let mut wish = lab.csr("main", &["h0.example.test"]);
    wish["files"][0]["path"] = json!("$DIR/out/main.crt");
    let hook = json!({"hook": {"command": ["/usr/bin/python3", "$DIR/hook.py", "$DIR/out"]}});
    let more = json!({"certificates": [wish], "provider": hook, "renew": {"ari": false}});
    let failed = lab.task(more.clone()).run();
    assert!(failed.failed(), "{}", failed.report());
    assert_eq!(lab.pebble.requests("POST /certZ/"), 1);
    std::fs::create_dir(lab.sandbox.join("out")).unwrap();
    let answer = lab.task(more).run();
    assert!(answer.changed() && !answer.failed(), "{}", answer.report());
    assert_eq!(certificate(&answer, "main")["status"], "repaired");
    assert_eq!(answer.value["requests"], 0);
    std::fs::copy(
        lab.sandbox.join("out/main.crt"),
        lab.sandbox.join("main.crt"),
    )
    .unwrap();
    lab.assert_issued("main", "h0.example.test");
}

#[test]
fn a_server_that_is_gone_hurts_only_what_is_due() {
    let lab = Lab::new("");
    let more = json!({"certificates": [lab.csr("fine", &["h0.example.test"])], "provider": lab.provider()});
    let first = lab.task(more.clone()).run();
    assert!(!first.failed(), "{}", first.report());
    let mut both = more;
    let due = lab.csr("due", &["h1.example.test"]);
    both["certificates"].as_array_mut().unwrap().push(due);
    both["directory"] = json!("https://127.0.0.1:1/directory");
    let answer = lab.task(both).run();
    assert!(
        answer.failed() && answer.kind() == "web.connect",
        "{}",
        answer.report()
    );
    assert_eq!(certificate(&answer, "fine")["status"], "valid");
    assert_eq!(certificate(&answer, "due")["status"], "failed");
    assert!(
        answer.value["warnings"]
            .to_string()
            .contains("was not asked when to renew")
    );
}

/// Whatever is answered is documented.
#[test]
fn every_key_of_an_answer_is_documented() {
    let page = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../plugins/modules/acme_dns_challenge.py"
    );
    let page = std::fs::read_to_string(page).unwrap();
    let (_, documented) = page.split_once("RETURN = ").unwrap();
    let lab = Lab::new("");
    let certificates = json!([
        lab.csr("main", &["h0.example.test"]),
        lab.csr("pending", &["h1.example.test"])
    ]);
    let mut answers = Vec::new();
    for (phase, count) in [("request", 2), ("all", 1)] {
        let taken: Vec<Value> = certificates.as_array().unwrap()[..count].to_vec();
        let more = json!({"certificates": taken, "provider": lab.provider(), "phase": phase});
        answers.push(lab.task(more).run());
    }
    let main = json!([{"name": "main", "csr": "$DIR/main.csr"}]);
    for more in [
        json!({"phase": "deactivate_authz", "certificates": main}),
        json!({"phase": "rollover"}),
    ] {
        answers.push(lab.task(more).run());
    }
    let ansible = [
        "changed",
        "failed",
        "diff",
        "invocation",
        "warnings",
        "deprecations",
    ];
    for answer in &answers {
        assert!(!answer.failed(), "{}", answer.report());
        let all = answer.value.as_object().unwrap();
        let own = all
            .iter()
            .filter(|(key, _)| !ansible.contains(&key.as_str()));
        for (key, value) in own {
            assert_documented(documented, key, value);
        }
    }
}

fn assert_documented(page: &str, key: &str, value: &Value) {
    let line = format!("{key}:");
    assert!(
        page.lines().any(|text| text.trim_start() == line),
        "'{key}' is answered, but not documented"
    );
    // Certificates are by their names.
    let named = key == "certificates";
    let inner = value
        .as_array()
        .cloned()
        .unwrap_or_else(|| vec![value.clone()]);
    for part in inner {
        for (key, value) in part.as_object().into_iter().flatten() {
            match named {
                true => value
                    .as_object()
                    .into_iter()
                    .flatten()
                    .for_each(|(key, value)| assert_documented(page, key, value)),
                false => assert_documented(page, key, value),
            }
        }
    }
}
