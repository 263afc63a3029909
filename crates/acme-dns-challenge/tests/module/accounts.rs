// SPDX-License-Identifier: Apache-2.0
//! Accounts: taken over, pinned, changed, given another key, given up.

use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use testbed::Answer;
use testbed::servers::{Release, Rule};

use crate::lab::{Lab, Setup, with};

fn request(lab: &Lab, name: &str, host: &str) -> Value {
    json!({"phase": "request", "certificates": [lab.csr(name, &[host])]})
}

/// Asks for an order, which needs the account; who it was.
#[track_caller]
fn uri(lab: &Lab, more: &Value) -> Value {
    let answer = lab.task(more.clone()).run();
    assert!(!answer.failed(), "{}", answer.report());
    answer.value["account_uri"].clone()
}

fn run(command: &mut Command) {
    let output = command.output().unwrap();
    let said = [output.stdout, output.stderr].concat();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&said)
    );
}

/// An account that the real certbot made: RSA.
fn certbot(lab: &Lab, home: &Path) {
    let mut command = Command::new("certbot");
    command
        .args([
            "register",
            "--non-interactive",
            "--agree-tos",
            "-m",
            "a@example.org",
        ])
        .args(["--server", &lab.pebble.directory_url()])
        .env("REQUESTS_CA_BUNDLE", lab.sandbox.join("ca.pem"));
    for (option, inside) in [
        ("--config-dir", "etc"),
        ("--work-dir", "lib"),
        ("--logs-dir", "log"),
    ] {
        command.arg(option).arg(home.join(inside));
    }
    run(&mut command);
}

/// An account that the real lego made: ECDSA P-256. That it has no certificate afterwards does not matter.
fn lego(lab: &Lab, home: &Path) {
    let _ = Command::new("lego")
        .args([
            "--accept-tos",
            "--email",
            "a@example.org",
            "--domains",
            "h0.example.test",
        ])
        .args(["--server", &lab.pebble.directory_url(), "--path"])
        .arg(home)
        .args([
            "--http",
            "--http.port",
            &format!("127.0.0.1:{}", testbed::servers::free_port()),
            "run",
        ])
        .env("LEGO_CA_CERTIFICATES", lab.sandbox.join("ca.pem"))
        .output()
        .unwrap();
}

/// An account at the server, and files as acme.sh lays them: ECDSA P-384.
fn acme_sh(lab: &Lab, inside: &str) {
    lab.openssl("ecparam -name secp384r1 -genkey -noout -out source.key");
    let made = uri(
        lab,
        &with(
            &request(lab, "made", "h0.example.test"),
            json!({"account_key": "$DIR/source.key", "state_dir": "$DIR/made"}),
        ),
    );
    lab.sandbox.write(
        format!("{inside}/account.key"),
        lab.sandbox.read("source.key"),
    );
    lab.sandbox.write(
        format!("{inside}/ca.conf"),
        format!("ACCOUNT_URL='{}'\n", made.as_str().unwrap()),
    );
}

#[test]
fn accounts_of_other_programs_are_taken_over_and_left_as_they_are() {
    let lab = Lab::new("");
    certbot(&lab, &lab.sandbox.join("certbot"));
    lego(&lab, &lab.sandbox.join("lego"));
    acme_sh(&lab, "acme.sh/ca/localhost/dir");
    for (name, path, kind) in [
        ("certbot", "certbot/etc/accounts", "RSA"),
        ("lego", "lego/accounts", "prime256v1"),
        ("acmesh", "acme.sh", "secp384r1"),
    ] {
        let key = format!("{name}.account");
        let before = testbed::Listing::of(&lab.sandbox.join(path));
        let task = with(
            &request(&lab, name, "h1.example.test"),
            json!({"account_key": format!("$DIR/{key}"), "account_import": format!("$DIR/{path}"), "account_create": false,
                "state_dir": format!("$DIR/state-{name}")}),
        );
        let answer = lab.task(task.clone()).run();
        assert!(answer.changed() && !answer.failed(), "{}", answer.report());
        assert_eq!(answer.value["account_changes"], json!(["imported"]));
        assert_eq!(lab.sandbox.mode(&key), 0o600);
        let text =
            String::from_utf8(run_output(&lab, &format!("pkey -in {key} -noout -text"))).unwrap();
        assert!(
            text.contains(kind) || kind == "RSA" && text.contains("modulus"),
            "{name} {text}"
        );
        // The second time there is a key, and the other program may be gone.
        let mut again = task;
        again["account_import"] = json!("$DIR/gone");
        assert_eq!(uri(&lab, &again), answer.value["account_uri"]);
        let after = testbed::Listing::of(&lab.sandbox.join(path));
        assert_eq!(before.differences(&after), Vec::<String>::new(), "{name}");
    }
}

fn run_output(lab: &Lab, words: &str) -> Vec<u8> {
    let mut command = Command::new("openssl");
    command
        .args(words.split_whitespace())
        .current_dir(lab.sandbox.path());
    command.output().unwrap().stdout
}

#[test]
fn what_is_no_account_of_this_server_is_not_taken_over() {
    let lab = Lab::new("");
    lab.openssl("ecparam -name prime256v1 -genkey -noout -out made.key");
    lab.sandbox
        .write("other/account.key", lab.sandbox.read("made.key"));
    let task = |path: &str| {
        with(
            &request(&lab, "main", "h0.example.test"),
            json!({"account_import": path}),
        )
    };
    for (path, kind) in [
        ("$DIR/other", "acme.account_gone"),
        ("$DIR/nothing", "acme.account_unreadable"),
    ] {
        let answer = lab.task(task(path)).run();
        assert!(answer.failed(), "{}", answer.report());
        assert_eq!(answer.kind(), kind, "{}", answer.report());
        assert!(
            !lab.sandbox.join("account.key").exists(),
            "no key is left that is good for nothing"
        );
    }
}

#[test]
fn an_account_is_pinned_and_its_contacts_follow() {
    let lab = Lab::proxied(Release::New);
    let task = request(&lab, "main", "h0.example.test");
    let first = uri(
        &lab,
        &with(&task, json!({"contact": ["mailto:a@example.org"]})),
    );
    let pinned = with(
        &task,
        json!({"account_uri": first, "state_dir": "$DIR/second"}),
    );
    assert_eq!(uri(&lab, &pinned), first);

    let orders = lab.count("POST /order-plz");
    let other = with(
        &pinned,
        json!({"account_uri": lab.proxy.as_ref().unwrap().url("/my-account/other"), "state_dir": "$DIR/third"}),
    );
    let answer = lab.task(other).run();
    assert_eq!(
        answer.kind(),
        "acme.account_mismatch",
        "{}",
        answer.report()
    );
    assert_eq!(lab.count("POST /order-plz"), orders, "nothing was ordered");
    // A pinned account whose key is lost is not made anew.
    lab.openssl("ecparam -name prime256v1 -genkey -noout -out lost.key");
    let lost = with(&pinned, json!({"account_key": "$DIR/lost.key"}));
    assert_eq!(lab.task(lost).run().kind(), "acme.account_gone");
    let missing = with(&pinned, json!({"account_key": "$DIR/missing.key"}));
    assert_eq!(lab.task(missing).run().kind(), "acme.no_account_key");

    for (create, changes) in [(true, json!(["contact"])), (false, json!([]))] {
        let changed = with(
            &task,
            json!({"contact": ["mailto:b@example.org"], "account_create": create, "state_dir": "$DIR/fourth"}),
        );
        let answer = lab.task(changed).run();
        assert_eq!(
            answer.value["account_changes"],
            changes,
            "{}",
            answer.report()
        );
    }
    // The server has them.
    let changed = with(
        &task,
        json!({"contact": ["mailto:c@example.org"], "account_create": false, "state_dir": "$DIR/fifth"}),
    );
    assert_eq!(
        lab.task(changed.clone()).run().value["account_changes"],
        json!(["contact"])
    );
    assert_eq!(lab.task(changed).run().value["account_changes"], json!([]));
}

#[test]
fn external_credentials_are_asked_for_and_shown_to_nobody() {
    const KEY: &str = "zWNDZM6eQGHWpSRTPal5eIUYFTu7EajVIoguysqZ9wG44nMEtx3MUAsUDkMTQ12W";
    for release in [Release::Stable, Release::New] {
        let lab = Lab::with(Setup {
            release,
            configuration: json!({"externalAccountBindingRequired": true, "externalAccountMACKeys": {"kid-1": KEY}}),
            ..Setup::default()
        });
        let task = request(&lab, "main", "h0.example.test");
        assert_eq!(lab.task(task.clone()).run().kind(), "acme.unsupported");
        let eab = |kid: &str| with(&task, json!({"eab": {"kid": kid, "hmac_key": KEY}}));
        let answer = lab.task(eab("kid-2")).run();
        assert!(answer.failed(), "{}", answer.report());
        let answer = lab.task(eab("kid-1")).run();
        assert!(!answer.failed(), "{}", answer.report());
        answer.never_says(KEY);
        assert!(answer.value["account_uri"].is_string());
    }
}

fn rollover(lab: &Lab) -> Answer {
    lab.task(json!({"phase": "rollover"})).run()
}

#[test]
fn an_account_gets_another_key_and_the_old_one_is_good_for_nothing() {
    for release in [Release::Stable, Release::New] {
        let lab = Lab::with(Setup {
            release,
            ..Setup::default()
        });
        let answer = rollover(&lab);
        assert_eq!(
            answer.kind(),
            "acme.no_account_key",
            "no account is made for it: {}",
            answer.report()
        );
        let task = request(&lab, "main", "h0.example.test");
        let first = uri(&lab, &task);
        lab.sandbox
            .write("old.key", lab.sandbox.read("account.key"));

        let before = lab.sandbox.listing();
        let told = lab.task(json!({"phase": "rollover"})).check(true).run();
        assert!(
            told.changed() && told.value["requests"] == 0,
            "{}",
            told.report()
        );
        lab.sandbox.assert_unmoved(&before, "in check mode");

        let answer = rollover(&lab);
        assert!(answer.changed() && !answer.failed(), "{}", answer.report());
        assert_eq!(
            (
                &answer.value["account_uri"],
                &answer.value["account_changes"]
            ),
            (&first, &json!(["rolled_over"]))
        );
        assert_ne!(lab.sandbox.read("old.key"), lab.sandbox.read("account.key"));
        assert_eq!(lab.sandbox.mode("account.key"), 0o600);
        assert!(!lab.sandbox.join("account.key.next").exists());
        let old = with(
            &task,
            json!({"account_key": "$DIR/old.key", "account_create": false, "state_dir": "$DIR/other"}),
        );
        assert_eq!(lab.task(old).run().kind(), "acme.account_gone");
        assert_eq!(
            uri(
                &lab,
                &with(
                    &task,
                    json!({"account_uri": first, "state_dir": "$DIR/more"})
                )
            ),
            first
        );
    }
}

/// Whichever of both keys the server has, the next task finds it, and the account is the same.
#[test]
fn a_change_of_keys_may_be_killed_anywhere() {
    let lab = Lab::proxied(Release::New);
    let task = request(&lab, "main", "h0.example.test");
    let first = uri(&lab, &task);
    let pinned = with(&task, json!({"account_uri": first}));
    for matches in ["POST /sign-me-up", "POST /rollover-account-key"] {
        for (heard, rule) in [
            (false, Rule::hang(matches, 1)),
            (true, Rule::hang_after(matches, 1)),
        ] {
            let before = lab.count(matches);
            lab.fault(vec![rule]);
            let mut child = lab.start(json!({"phase": "rollover"}));
            let limit = Instant::now() + Duration::from_secs(30);
            while lab.count(matches) == before {
                assert!(
                    Instant::now() < limit && child.try_wait().unwrap().is_none(),
                    "no {matches}"
                );
                std::thread::sleep(Duration::from_millis(5));
            }
            std::thread::sleep(Duration::from_millis(100));
            child.kill().unwrap();
            assert_eq!(child.wait().unwrap().signal(), Some(9));
            lab.fault(Vec::new());
            let answer = lab.task(pinned.clone()).run();
            assert!(!answer.failed(), "{matches} {heard}: {}", answer.report());
            let done = matches.ends_with("key") && heard;
            let changes = if done {
                json!(["rolled_over"])
            } else {
                json!([])
            };
            assert_eq!(
                answer.value["account_changes"], changes,
                "{matches} {heard}"
            );
        }
    }
    // And at moments that have no name: between and inside its writes.
    let (mut early, mut late) = (0, 0);
    for step in 0..16 {
        let mut child = lab.start(json!({"phase": "rollover"}));
        std::thread::sleep(Duration::from_millis(9 * step));
        child.kill().unwrap();
        match child.wait().unwrap().signal() {
            Some(9) => early += 1,
            _ => late += 1,
        }
        let answer = lab.task(pinned.clone()).run();
        assert!(!answer.failed(), "step {step}: {}", answer.report());
        assert_eq!(answer.value["account_uri"], first);
    }
    assert!(early >= 3, "{early} were killed, {late} had ended");
    let answer = rollover(&lab);
    assert!(!answer.failed(), "{}", answer.report());
    let left: Vec<_> = std::fs::read_dir(lab.sandbox.path())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| name.starts_with("account.key"))
        .collect();
    assert_eq!(left, ["account.key"]);
    assert_eq!(lab.sandbox.mode("account.key"), 0o600);
}

#[test]
fn an_account_is_given_up_once_and_for_ever() {
    for release in [Release::Stable, Release::New] {
        let lab = Lab::with(Setup {
            release,
            ..Setup::default()
        });
        let task = request(&lab, "main", "h0.example.test");
        uri(&lab, &task);
        let end = || lab.task(json!({"phase": "deactivate_account"}));
        let told = end().check(true).run();
        assert!(
            told.changed() && told.value["requests"] == 0,
            "{}",
            told.report()
        );
        let answer = end().run();
        assert!(answer.changed() && !answer.failed(), "{}", answer.report());
        assert_eq!(answer.value["account_changes"], json!(["deactivated"]));
        let again = end().run();
        assert!(!again.changed() && !again.failed(), "{}", again.report());
        assert!(
            again.value["warnings"]
                .to_string()
                .contains("has no account for this key any more"),
            "{}",
            again.report()
        );
        let answer = lab
            .task(with(&task, json!({"state_dir": "$DIR/other"})))
            .run();
        assert_eq!(answer.kind(), "acme.account_gone", "{}", answer.report());
    }
}
