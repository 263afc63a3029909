// SPDX-License-Identifier: Apache-2.0
//! Days on which something does not work: what is told, what is left, and that the next run goes on.

use std::os::unix::process::ExitStatusExt;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use testbed::servers::{Release, Rule, SECRET, World};

use crate::lab::{Lab, Setup, certificate, with};

fn four(lab: &Lab) -> Value {
    let each = [0, 1, 2, 3].map(|n| lab.csr(&format!("c{n}"), &[&format!("h{n}.example.test")]));
    json!({"certificates": each, "provider": lab.provider()})
}

/// Each request would have its limit, for each certificate; the task has one for all.
#[test]
fn a_server_that_stops_answering_does_not_hold_a_task_longer_than_its_deadline() {
    let lab = Lab::proxied(Release::New);
    let task = four(&lab);
    let retry = json!({"http_timeout": "1s", "deadline": "3s"});
    for silent in ["POST /authZ/", "POST /my-order/"] {
        lab.fault(vec![Rule::hang(silent, 999)]);
        let begin = Instant::now();
        let answer = lab.task(with(&task, json!({"retry": retry}))).run();
        let took = begin.elapsed();
        assert!(answer.failed(), "{}", answer.report());
        assert!(took < Duration::from_secs(15), "{silent}: {took:?}");
        let kinds: Vec<&str> = ["c0", "c1", "c2", "c3"]
            .map(|name| {
                certificate(&answer, name)["error"]["kind"]
                    .as_str()
                    .unwrap()
            })
            .into();
        let known = ["web.timed_out", "acme.out_of_time"];
        assert!(
            kinds.iter().all(|kind| known.contains(kind)),
            "{}",
            answer.report()
        );
        // The last ones were not even asked for.
        assert_eq!(kinds[3], "acme.out_of_time", "{}", answer.report());
        assert!(
            lab.dns.texts().is_empty(),
            "{silent}: {:?}",
            lab.dns.texts()
        );
    }
    lab.fault(Vec::new());
    let answer = lab.task(task).run();
    assert!(!answer.failed(), "{}", answer.report());
    assert!(
        lab.count("POST /order-plz") <= 8,
        "orders were gone on with: {}",
        lab.count("POST /order-plz")
    );
}

#[test]
fn a_limit_of_a_day_fails_at_once_says_when_and_is_kept_to() {
    let lab = Lab::proxied(Release::New);
    let task = json!({"certificates": [lab.csr("main", &["h0.example.test"])], "provider": lab.provider()});
    lab.fault(vec![Rule::problem(
        "POST /order-plz",
        9,
        429,
        "rateLimited",
        &[("retry-after", "86400")],
    )]);
    let begin = Instant::now();
    let answer = lab.task(task.clone()).run();
    assert_eq!(answer.kind(), "acme.rate_limited", "{}", answer.report());
    let until = certificate(&answer, "main")["retry_at"].clone();
    assert!(
        until.is_string() && answer.msg().contains(until.as_str().unwrap()),
        "{}",
        answer.report()
    );
    assert!(begin.elapsed() < Duration::from_secs(30));
    lab.fault(Vec::new());
    let again = lab.task(task).run();
    assert_eq!(again.kind(), "acme.not_yet", "{}", again.report());
    assert!(!again.changed(), "{}", again.report());
    assert_eq!(certificate(&again, "main")["retry_at"], until);
    assert_eq!(lab.count("POST /order-plz"), 1);
}

#[test]
fn a_name_that_the_server_refuses_is_named_and_other_certificates_are_issued() {
    let lab = Lab::with(Setup {
        configuration: json!({"domainBlocklist": ["h2.example.test"]}),
        ..Setup::default()
    });
    let hosts = [0, 1, 2, 3, 4].map(|n| format!("h{n}.example.test"));
    let hosts: Vec<&str> = hosts.iter().map(String::as_str).collect();
    let certificates = json!([
        lab.csr("five", &hosts),
        lab.csr("good", &["h0.example.test"])
    ]);
    let answer = lab
        .task(json!({"certificates": certificates, "provider": lab.provider()}))
        .run();
    assert!(answer.failed(), "{}", answer.report());
    let failed = &certificate(&answer, "five")["failed_identifiers"];
    assert_eq!(failed.as_array().unwrap().len(), 1, "{failed}");
    assert_eq!(
        (&failed[0]["identifier"], &failed[0]["type"]),
        (&json!("h2.example.test"), &json!("rejectedIdentifier"))
    );
    assert_eq!(certificate(&answer, "good")["status"], "issued");
    lab.assert_issued("good", "h0.example.test");
}

/// The authority would ask any of both: while one does not show the record, nothing is answered.
#[test]
fn a_secondary_that_is_stale_is_named_before_the_authority_looks() {
    let lab = Lab::with(Setup {
        world: World {
            notify: false,
            ..World::default()
        },
        proxied: true,
        ..Setup::default()
    });
    let mut task = json!({"certificates": [lab.csr("main", &["h0.example.test"])], "provider": lab.provider()});
    let servers: Vec<String> = lab
        .dns
        .authoritative()
        .iter()
        .map(ToString::to_string)
        .collect();
    task["propagation"] = json!({"resolvers": [lab.dns.resolver.address().to_string()], "nameservers": servers, "timeout": "2s"});
    let answer = lab.task(task.clone()).run();
    assert_eq!(answer.kind(), "dns.not_visible", "{}", answer.report());
    let [primary, secondary] = lab.dns.authoritative();
    let port = |address: std::net::SocketAddr| address.port().to_string();
    assert!(
        answer.msg().contains(&port(secondary)) && !answer.msg().contains(&port(primary)),
        "{}",
        answer.msg()
    );
    assert_eq!(
        lab.count("POST /chalZ/"),
        0,
        "the challenge was not answered"
    );
    assert!(lab.dns.texts().is_empty(), "{:?}", lab.dns.texts());
}

#[test]
fn an_order_that_expired_between_the_phases_is_made_anew_with_the_reason() {
    let lab = Lab::proxied(Release::New);
    let certificates = json!([lab.csr("main", &["h0.example.test"])]);
    let phase = |phase: &str| {
        lab.task(json!({"phase": phase, "certificates": certificates}))
            .run()
    };
    assert!(!phase("request").failed());
    let gone = || Rule::problem("POST /my-order/", 1, 404, "malformed", &[]);
    lab.fault(vec![gone()]);
    let answer = phase("complete");
    assert_eq!(answer.kind(), "acme.start_again", "{}", answer.report());
    lab.fault(vec![gone()]);
    let answer = phase("request");
    assert!(!answer.failed() && answer.changed(), "{}", answer.report());
    assert_eq!(
        certificate(&answer, "main")["restarted"],
        json!(["the server does not know the order any more"])
    );
}

#[test]
fn keys_and_servers_that_nobody_knows_are_told() {
    let lab = Lab::proxied(Release::New);
    let task = json!({"certificates": [lab.csr("main", &["h0.example.test"])], "provider": lab.provider()});
    let answer = lab.task(with(&task, json!({"ca_file": null}))).run();
    assert_eq!(answer.kind(), "web.untrusted", "{}", answer.report());
    for damaged in ["", "-----BEGIN CERTIFICATE-----\nMIIB"] {
        lab.sandbox.write("damaged.pem", damaged);
        let answer = lab
            .task(with(&task, json!({"ca_file": "$DIR/damaged.pem"})))
            .run();
        assert_eq!(answer.kind(), "input.file", "{}", answer.report());
        let says = answer.value["msg"]
            .as_str()
            .unwrap()
            .contains("damaged.pem");
        assert!(says, "{}", answer.report());
    }
    let answer = lab
        .task(with(&task, json!({"account_create": false})))
        .run();
    assert_eq!(answer.kind(), "acme.no_account_key", "{}", answer.report());
    assert!(answer.value["error"]["hint"].is_string());
    let mut provider = lab.provider();
    provider["rfc2136"]["key_name"] = json!("key-unknown");
    // As verbose as Ansible can be, and nothing of a secret is said.
    let answer = lab
        .task(with(&task, json!({"provider": provider})))
        .control("_ansible_verbosity", 3)
        .run();
    assert_eq!(answer.kind(), "dns.tsig_bad_key", "{}", answer.report());
    answer.never_says(SECRET);
    let key = String::from_utf8(lab.sandbox.read("account.key")).unwrap();
    answer.never_says(key.lines().nth(1).unwrap());
    assert_eq!(lab.count("POST /chalZ/"), 0);
}

/// Not the library's job but the module's task: records, state, files and account together.
#[test]
fn a_task_that_is_killed_inside_a_request_is_gone_on_with() {
    let lab = Lab::proxied(Release::New);
    for (number, (matches, heard)) in [
        ("POST /sign-me-up", true),
        ("POST /order-plz", true),
        ("POST /authZ/", false),
        ("POST /chalZ/", true),
        ("POST /finalize-order/", true),
        ("POST /certZ/", false),
    ]
    .into_iter()
    .enumerate()
    {
        let name = format!("c{number}");
        let host = format!("n{number}.acme-sign.test");
        let task = json!({"certificates": [lab.csr(&name, &[&host])], "provider": lab.provider()});
        let (orders, finalized, before) = (
            lab.count("POST /order-plz"),
            lab.count("POST /finalize-order/"),
            lab.count(matches),
        );
        lab.fault(vec![if heard {
            Rule::hang_after(matches, 1)
        } else {
            Rule::hang(matches, 1)
        }]);
        let mut child = lab.start(task.clone());
        let limit = Instant::now() + Duration::from_secs(60);
        while lab.count(matches) == before {
            assert!(
                Instant::now() < limit && child.try_wait().unwrap().is_none(),
                "no {matches}"
            );
            std::thread::sleep(Duration::from_millis(10));
        }
        std::thread::sleep(Duration::from_millis(150));
        child.kill().unwrap();
        assert_eq!(child.wait().unwrap().signal(), Some(9));
        lab.fault(Vec::new());
        let answer = lab.task(task).run();
        assert!(!answer.failed(), "{matches}: {}", answer.report());
        lab.assert_issued(&name, &host);
        let twice = usize::from(matches == "POST /order-plz");
        assert_eq!(
            lab.count("POST /order-plz") - orders,
            1 + twice,
            "{matches}"
        );
        assert_eq!(
            lab.count("POST /finalize-order/") - finalized,
            1,
            "{matches}"
        );
        assert!(
            lab.dns.texts().is_empty(),
            "{matches}: {:?}",
            lab.dns.texts()
        );
    }
}
