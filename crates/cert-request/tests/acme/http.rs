// SPDX-License-Identifier: Apache-2.0
//! Names proved by http-01.

use serde_json::json;
use testbed::servers::{Release, free_port};

use crate::world::{HaProxy, Lab, of};

/// HAProxy does not know the responder before its health check has found it: the task waits for that.
#[test]
fn certificates_are_proved_behind_haproxy_and_a_second_run_asks_nobody() {
    let lab = Lab::new(Release::New, free_port(), free_port());
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
    assert_eq!(lab.proxy.count("POST /sign-me-up"), 1);
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
