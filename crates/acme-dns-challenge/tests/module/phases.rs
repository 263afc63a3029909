// SPDX-License-Identifier: Apache-2.0
//! Certificates that are revoked, and proofs that are given up.

use serde_json::{Value, json};
use testbed::servers::{Release, Rule};

use crate::lab::{Lab, Setup, certificate, with};

const SUPERSEDED: u64 = 4;
const KEY_COMPROMISE: u64 = 1;

#[test]
fn a_certificate_is_revoked_once_and_the_next_run_orders_another() {
    for release in [Release::Stable, Release::New] {
        let lab = Lab::with(Setup {
            release,
            ..Setup::default()
        });
        let wanted = json!({"certificates": [lab.csr("main", &["h0.example.test"])], "provider": lab.provider()});
        let first = lab.task(wanted.clone()).run();
        assert!(!first.failed(), "{}", first.report());
        let serial = certificate(&first, "main")["serial"].clone();
        let one = json!({"name": "main", "current": "$DIR/main.crt", "reason": "superseded"});
        let revoke = json!({"phase": "revoke", "certificates": [one]});

        let before = lab.sandbox.listing();
        let told = lab.task(revoke.clone()).check(true).run();
        assert!(told.changed() && !told.failed(), "{}", told.report());
        assert_eq!(certificate(&told, "main")["status"], "due");
        assert_eq!(told.value["requests"], 0);
        lab.sandbox.assert_unmoved(&before, "in check mode");

        let answer = lab.task(revoke.clone()).run();
        assert!(answer.changed() && !answer.failed(), "{}", answer.report());
        assert_eq!(certificate(&answer, "main")["status"], "revoked");
        let status = lab.status_of(&serial);
        assert_eq!(status["Status"], "Revoked", "{status}");
        if release == Release::New {
            assert_eq!(status["Reason"], SUPERSEDED, "{status}");
        }

        // It is noted, so nobody is asked; and who has no note hears it from the server.
        let again = lab.task(revoke.clone()).run();
        assert!(!again.changed() && !again.failed(), "{}", again.report());
        assert_eq!(again.value["requests"], 0);
        let elsewhere = lab
            .task(with(&revoke, json!({"state_dir": "$DIR/other"})))
            .run();
        assert!(
            !elsewhere.changed() && !elsewhere.failed(),
            "{}",
            elsewhere.report()
        );
        assert!(elsewhere.value["requests"].as_u64().unwrap() > 0);

        lab.let_resolvers_forget();
        let next = lab.task(wanted).run();
        assert!(!next.failed(), "{}", next.report());
        assert_eq!(
            certificate(&next, "main")["reasons"][0]["kind"],
            "revoked",
            "{}",
            next.report()
        );
        assert_ne!(certificate(&next, "main")["serial"], serial);
        lab.assert_issued("main", "h0.example.test");
    }
}

#[test]
fn the_key_of_a_certificate_revokes_it_without_an_account() {
    let lab = Lab::proxied(Release::New);
    let certificates = json!([
        lab.csr("one", &["h0.example.test"]),
        lab.csr("two", &["h1.example.test"]),
        lab.csr("three", &["h2.example.test"]),
    ]);
    let wanted = json!({"certificates": certificates, "provider": lab.provider()});
    let first = lab.task(wanted).run();
    assert!(!first.failed(), "{}", first.report());
    let text = certificate(&first, "one")["fullchain"].clone();
    let task = |certificates: Value| json!({"phase": "revoke", "account_key": null, "certificates": certificates});
    let one = json!({"name": "one", "certificate": text, "private_key": "$DIR/one.key", "reason": "keyCompromise"});
    // A stranger's key is not tried, told in check mode too, and spoils nothing else.
    let two = json!({"name": "two", "current": "$DIR/two.crt", "private_key": "$DIR/one.key"});
    let told = lab.task(task(json!([two]))).check(true).run();
    assert_eq!(told.kind(), "input.key", "{}", told.report());
    let answer = lab.task(task(json!([two, one]))).run();
    assert!(answer.failed() && answer.changed(), "{}", answer.report());
    assert_eq!(
        certificate(&answer, "two")["error"]["kind"],
        "input.key",
        "{}",
        answer.report()
    );
    assert_eq!(certificate(&answer, "one")["status"], "revoked");
    let status = |name: &str| lab.status_of(&certificate(&first, name)["serial"]);
    assert_eq!(
        (&status("one")["Status"], &status("one")["Reason"]),
        (&json!("Revoked"), &json!(KEY_COMPROMISE))
    );
    assert_eq!(status("two")["Status"], "Valid");
    assert_eq!(lab.count("POST /sign-me-up"), 1, "only to order them");

    // The server does it and its answer is lost: it is revoked, and that is what counts.
    lab.fault(vec![Rule::lose_answer("POST /revoke-cert", 1)]);
    let three =
        json!({"name": "three", "current": "$DIR/three.crt", "private_key": "$DIR/three.key"});
    let answer = lab.task(task(json!([three]))).run();
    assert!(answer.changed() && !answer.failed(), "{}", answer.report());
    assert_eq!(status("three")["Status"], "Revoked");
}

#[test]
fn options_of_the_phase_revoke_are_checked_together() {
    let lab = Lab::new("");
    let answer = lab
        .task(
            json!({"phase": "revoke", "account_key": null, "certificates": [
                {"name": "a", "csr": "/x.csr"},
                {"name": "b", "certificate": "no certificate"},
            {"name": "d", "current": "/c", "reason": "boredom"},
                {"name": "../c", "current": "relative", "private_key": "/k"},
            ]}),
        )
        .run();
    let faults = answer.value["faults"].to_string();
    for path in [
        "account_key",
        "certificates[0]",
        "certificates[1].certificate",
        "certificates[2].reason",
        "certificates[3].name",
        "certificates[3].current",
    ] {
        assert!(faults.contains(&format!("\"{path}\"")), "{path}: {faults}");
    }
    let wanted = with(
        &lab.csr("main", &["h0.example.test"]),
        json!({"reason": "superseded"}),
    );
    let answer = lab
        .task(json!({"certificates": [wanted], "provider": lab.provider()}))
        .run();
    assert_eq!(
        answer.value["faults"][0]["path"],
        "certificates[0].reason",
        "{}",
        answer.report()
    );
}

/// With and without a list of the account's orders: Let's Encrypt has none.
#[test]
fn proofs_are_given_up_and_must_be_shown_anew() {
    for (release, lists) in [(Release::Stable, true), (Release::New, false)] {
        let lab = Lab::with(Setup {
            release,
            environment: vec![
                ("PEBBLE_AUTHZREUSE", "100"),
                ("PEBBLE_WFE_NONCEREJECT", "0"),
            ],
            proxied: true,
            ..Setup::default()
        });
        let silent = || {
            let hidden = Rule::edit("POST /my-account/", 99, json!({"orders": null}));
            lab.fault(if lists { Vec::new() } else { vec![hidden] });
        };
        let names = ["h0.example.test", "h1.example.test"];
        let wanted = json!({"certificates": [lab.csr("main", &names)], "provider": lab.provider()});
        let first = lab.task(wanted).run();
        assert!(!first.failed(), "{}", first.report());
        // What was proved counts for another certificate.
        let request = json!({"phase": "request", "certificates": [lab.csr("other", &names)]});
        let reused = lab.task(request.clone()).run();
        assert_eq!(
            reused.value["txt_records"],
            json!([]),
            "{}",
            reused.report()
        );

        let give_up = json!({"phase": "deactivate_authz", "certificates": [{"name": "main", "current": "$DIR/main.crt"}]});
        let told = lab.task(give_up.clone()).check(true).run();
        assert!(
            told.changed() && told.value["requests"] == 0,
            "{}",
            told.report()
        );
        silent();
        let answer = lab.task(give_up.clone()).run();
        assert!(answer.changed() && !answer.failed(), "{}", answer.report());
        assert_eq!(certificate(&answer, "main")["released"], json!(names));
        silent();
        let again = lab.task(give_up).run();
        assert!(!again.changed() && !again.failed(), "{}", again.report());
        lab.fault(Vec::new());
        let anew = lab.task(request).run();
        assert_eq!(
            anew.value["txt_records"].as_array().unwrap().len(),
            2,
            "{lists} {}",
            anew.report()
        );
    }
}

#[test]
fn what_was_given_up_before_a_failure_is_told_and_a_wildcard_may_not_be_called_so() {
    let lab = Lab::proxied(Release::Stable);
    let names = ["*.h0.example.test", "h1.example.test"];
    let wanted = json!({"certificates": [lab.csr("main", &names)], "provider": lab.provider()});
    let first = lab.task(wanted).run();
    assert!(!first.failed(), "{}", first.report());
    let give_up = json!({"phase": "deactivate_authz", "certificates": [{"name": "main", "current": "$DIR/main.crt"}]});
    // Each is looked at and given up; the last of the four requests fails.
    let forgets = || Rule::edit("POST /authZ/", 9, json!({"wildcard": false}));
    let refuses = Rule::problem("POST /authZ/", 1, 403, "unauthorized", &[]).after(3);
    lab.fault(vec![refuses, forgets()]);
    let answer = lab.task(give_up.clone()).run();
    assert!(answer.failed() && answer.changed(), "{}", answer.report());
    assert_eq!(
        certificate(&answer, "main")["released"]
            .as_array()
            .map(Vec::len),
        Some(1),
        "{}",
        answer.report()
    );
    lab.fault(vec![forgets()]);
    let rest = lab.task(give_up.clone()).run();
    assert!(rest.changed() && !rest.failed(), "{}", rest.report());
    lab.fault(vec![forgets()]);
    let quiet = lab.task(give_up).run();
    assert!(!quiet.changed() && !quiet.failed(), "{}", quiet.report());
}
