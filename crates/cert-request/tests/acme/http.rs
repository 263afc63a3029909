// SPDX-License-Identifier: Apache-2.0
//! Names proved by http-01.

use serde_json::json;
use testbed::servers::Release;

use crate::world::{HaProxy, Lab, of};

/// HAProxy does not know the responder before its health check has found it: the task waits for that.
#[test]
fn certificates_are_proved_behind_haproxy_and_a_second_run_asks_nobody() {
    let lab = Lab::new(
        Release::New,
        testbed::servers::free_port(),
        testbed::servers::free_port(),
    );
    let _haproxy = HaProxy::start(&lab.sandbox, lab.front, lab.port);
    let task = lab.task(
        &[
            ("one", &["h0.example.test", "h1.example.test"]),
            ("two", &["h2.example.test"]),
        ],
        &json!({}),
    );
    let before = lab.sandbox.listing();
    let told = lab.module(&task).check(true).run();
    assert!(
        told.changed() && of(&told, "one")["action"] == "issue",
        "{}",
        told.report()
    );
    lab.sandbox.assert_unmoved(&before, "in check mode");

    let answer = lab.succeed(&task);
    assert_eq!(answer.value["renewed"], json!(["one", "two"]));
    lab.assert_issued("one", "h1.example.test");
    lab.assert_issued("two", "h2.example.test");
    assert_eq!(lab.accounts(), 1);
    assert_eq!(lab.sandbox.mode("account.key"), 0o600);
    assert!(!lab.sandbox.join("state/pending/one").exists());
    assert!(!lab.sandbox.join("state/acme/one.json").exists());

    // It asks once when to renew, for each certificate, and remembers.
    let again = lab.succeed(&task);
    assert!(!again.changed(), "{}", again.report());
    let asked = lab.proxy.log().len();
    let quiet = lab.succeed(&task);
    assert!(!quiet.changed(), "{}", quiet.report());
    assert_eq!(lab.proxy.log().len(), asked, "{:?}", lab.proxy.log());
    assert_eq!(of(&quiet, "one")["serial"], of(&answer, "one")["serial"]);
}

/// The Pebble of Debian stable, which has no renewal information and no profiles.
#[test]
fn the_older_server_certifies_names_and_addresses_together() {
    let lab = Lab::direct(Release::Stable);
    let task = lab.task(
        &[("both", &["h0.example.test", "127.0.0.1"])],
        &json!({"preferred_chain": "No Such Root", "http": {"address": ["0.0.0.0", "::"], "port": lab.port, "public_port": lab.port}}),
    );
    let answer = lab.succeed(&task);
    lab.assert_issued("both", "h0.example.test");
    lab.assert_issued("both", "127.0.0.1");
    let warnings = of(&answer, "both")["warnings"].to_string();
    assert!(
        warnings.contains("no chain leads to the preferred root"),
        "{warnings}"
    );
    let quiet = lab.succeed(&task);
    assert!(!quiet.changed(), "{}", quiet.report());
    assert_eq!(of(&quiet, "both")["warnings"], json!([]));
}

#[test]
fn a_name_that_is_not_here_fails_its_certificate_only_and_is_told_with_the_server_s_words() {
    let lab = Lab::direct(Release::New);
    let task = lab.task(
        &[
            ("bad", &["h0.example.test", "ghost.example.test"]),
            ("good", &["h1.example.test"]),
        ],
        &json!({"http": {"port": lab.port, "self_check": "false"}}),
    );
    let answer = lab.run(&task);
    assert_eq!(answer.kind(), "acme.order_failed", "{}", answer.report());
    let failed = &of(&answer, "bad")["failed_identifiers"];
    assert_eq!(failed.as_array().map(Vec::len), Some(1), "{failed}");
    assert_eq!(failed[0]["identifier"], "ghost.example.test");
    assert_eq!(of(&answer, "good")["action"], "issue");
    lab.assert_issued("good", "h1.example.test");
    assert!(!lab.sandbox.join("bad.pem").exists());

    // What the server would not see is seen here first, and no authorization is spent on it.
    let asked = lab.proxy.count("POST /chalZ/");
    let mut wrong = lab.task(
        &[("elsewhere", &["h2.example.test"])],
        &json!({"http": {"port": lab.port, "public_port": testbed::servers::free_port(), "self_check": true, "timeout": "1s"}}),
    );
    let answer = lab.run(&wrong);
    assert_eq!(answer.kind(), "acme.proof", "{}", answer.report());
    assert!(
        answer.msg().contains("did not show the proof within 1 s"),
        "{}",
        answer.msg()
    );
    assert_eq!(lab.proxy.count("POST /chalZ/"), asked);
    wrong["defaults"]["issuer"]["acme"]["http"]["self_check"] = json!("auto");
    let answer = lab.succeed(&wrong);
    let warnings = of(&answer, "elsewhere")["warnings"].to_string();
    assert!(
        warnings.contains("could not be seen from here"),
        "{warnings}"
    );
    lab.assert_issued("elsewhere", "h2.example.test");
}

#[test]
fn a_busy_port_is_told_with_its_holder_and_nothing_is_ordered() {
    let lab = Lab::direct(Release::New);
    let holder = std::net::TcpListener::bind(("127.0.0.1", lab.port)).unwrap();
    let task = lab.task(&[("web", &["h0.example.test"])], &json!({}));
    let answer = lab.run(&task);
    assert_eq!(answer.kind(), "acme.listen", "{}", answer.report());
    let me = format!("(process {})", std::process::id());
    assert!(answer.msg().contains(&me), "{}", answer.msg());
    assert!(
        answer.value["error"]["hint"]
            .to_string()
            .contains("http.port"),
        "{}",
        answer.report()
    );
    assert_eq!(lab.orders(), 0);
    drop(holder);
    lab.succeed(&task);
    lab.assert_issued("web", "h0.example.test");
}
