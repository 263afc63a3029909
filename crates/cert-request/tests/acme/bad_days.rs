// SPDX-License-Identifier: Apache-2.0
//! What the server, the network and the host do to an order.

use std::fs::File;
use std::io::Write;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use testbed::servers::{Release, Rule, post};

use crate::world::{EXECUTABLE, Lab, of};

fn reasons(answer: &testbed::Answer, name: &str) -> Vec<Value> {
    let reasons = of(answer, name)["reasons"].as_array().unwrap();
    reasons
        .iter()
        .map(|reason| reason["kind"].clone())
        .collect()
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
            "it ended before {matches}: {}{}",
            String::from_utf8_lossy(&lab.sandbox.read("answer")),
            lab.pebble.log()
        );
        std::thread::sleep(Duration::from_millis(10));
    }
    // What the server does with what it heard takes a moment.
    std::thread::sleep(Duration::from_millis(200));
    child.kill().unwrap();
    child.wait().unwrap();
}

/// Inside finalize, whose answer is lost, and inside the download.
#[test]
fn a_task_that_is_killed_is_gone_on_with_for_the_same_key_and_nothing_is_ordered_twice() {
    let lab = Lab::direct(Release::New);
    for (index, matches) in ["POST /finalize-order/", "POST /certZ/"].iter().enumerate() {
        let name = format!("h{index}");
        let host = format!("{name}.example.test");
        let task = lab.task(&[(&name, &[&host])], &json!({}));
        let orders = lab.orders();
        lab.proxy.set(vec![Rule::hang_after(matches, 1)]);
        kill_in(&lab, &task, matches);
        lab.proxy.set(Vec::new());
        let staged = format!("state/pending/{name}/key.pem");
        assert_eq!(lab.sandbox.mode(&staged), 0o600);
        let key = lab.sandbox.read(&staged);
        let answer = lab.succeed(&task);
        assert_eq!(of(&answer, &name)["action"], "issue", "{}", answer.report());
        lab.assert_issued(&name, &host);
        assert_eq!(lab.sandbox.read(format!("{name}.key")), key, "{matches}");
        assert_eq!(lab.orders(), orders + 1, "{matches}");
        assert!(!lab.sandbox.join(staged).exists());
        assert!(!lab.succeed(&task).changed());
    }
}

#[test]
fn a_server_that_wants_a_day_of_rest_is_told_at_once_and_not_asked_before() {
    let lab = Lab::direct(Release::New);
    let task = lab.task(&[("web", &["h0.example.test"])], &json!({}));
    let day = [("retry-after", "86400")];
    lab.proxy.set(vec![Rule::problem(
        "POST /order-plz",
        9,
        429,
        "rateLimited",
        &day,
    )]);
    let begun = Instant::now();
    let answer = lab.run(&task);
    assert_eq!(answer.kind(), "acme.rate_limited", "{}", answer.report());
    assert!(begun.elapsed() < Duration::from_secs(30));
    assert!(
        of(&answer, "web")["retry_at"].as_str().is_some(),
        "{}",
        answer.report()
    );
    let asked = lab.proxy.log().len();
    let again = lab.run(&task);
    assert_eq!(again.kind(), "acme.not_yet", "{}", again.report());
    assert_eq!(
        of(&again, "web")["retry_at"],
        of(&answer, "web")["retry_at"]
    );
    assert!(!again.changed());
    assert_eq!(lab.proxy.log().len(), asked, "{:?}", lab.proxy.log());
}

#[test]
fn an_order_that_is_not_done_in_time_is_pending_and_fetched_by_a_later_run() {
    let port = testbed::servers::free_port();
    let lab = Lab::with(Release::New, port, port, 0);
    let task = lab.task(
        &[("web", &["h0.example.test"])],
        &json!({"retry": {"deadline": "8s"}}),
    );
    let processing = json!({"status": "processing"});
    lab.proxy.set(vec![
        Rule::edit("POST /finalize-order/", 1, processing.clone()),
        Rule::edit("POST /my-order/", 50, processing).after(1),
    ]);
    let first = lab.succeed(&task);
    assert_eq!(first.value["pending"], json!(["web"]), "{}", first.report());
    assert_eq!(first.value["renewed"], json!([]));
    assert_eq!(of(&first, "web")["action"], "request");
    let still = lab.succeed(&task);
    assert_eq!(of(&still, "web")["action"], "wait", "{}", still.report());
    assert!(!still.changed());
    lab.proxy.set(Vec::new());
    let last = lab.succeed(&task);
    assert_eq!(last.value["renewed"], json!(["web"]));
    lab.assert_issued("web", "h0.example.test");
    assert_eq!(lab.orders(), 1);
}

#[test]
fn another_s_certificate_and_that_of_another_server_are_replaced_and_what_the_server_wishes_is_done()
 {
    let lab = Lab::direct(Release::New);
    let task = lab.task(&[("web", &["h0.example.test"])], &json!({}));
    let mut first = task.clone();
    first["defaults"]["issuer"] = json!({"self_signed": {}});
    lab.succeed(&first);
    let answer = lab.succeed(&task);
    assert_eq!(reasons(&answer, "web"), ["issuer"], "{}", answer.report());
    lab.assert_issued("web", "h0.example.test");

    // The same server by another URL counts as another one.
    let mut other = task.clone();
    other["defaults"]["issuer"]["acme"]["directory"] = json!(lab.pebble.directory_url());
    let told = lab.module(&other).check(true).run();
    assert_eq!(reasons(&told, "web"), ["issuer"], "{}", told.report());
    let mut profile = task.clone();
    profile["defaults"]["issuer"]["acme"]["profile"] = json!("default");
    let told = lab.module(&profile).check(true).run();
    assert_eq!(reasons(&told, "web"), ["issuer"], "{}", told.report());
    assert!(!lab.succeed(&task).changed());

    let names = lab.task(
        &[("web", &["h0.example.test", "h1.example.test"])],
        &json!({}),
    );
    let answer = lab.succeed(&names);
    assert_eq!(reasons(&answer, "web"), ["names"], "{}", answer.report());
    let fewer = lab.succeed(&task);
    assert_eq!(reasons(&fewer, "web"), ["names"], "{}", fewer.report());

    let pem = String::from_utf8(lab.sandbox.read("web.pem")).unwrap();
    let end = "-----END CERTIFICATE-----\n";
    let leaf = pem.split_inclusive(end).next().unwrap();
    let window = json!({"suggestedWindow": {"start": "2020-01-01T00:00:00Z", "end": "2020-01-02T00:00:00Z"}});
    let order = json!({"certificate": leaf, "ariResponse": window.to_string()});
    let port = lab.pebble.management_port();
    let (status, _, body) = post(port, "/set-renewal-info/", order.to_string().as_bytes());
    assert_eq!(status, 200, "{}", String::from_utf8_lossy(&body));
    let told = lab.module(&task).check(true).run();
    assert_eq!(
        reasons(&told, "web"),
        ["renewal_information"],
        "{}",
        told.report()
    );
    let renewed = lab.succeed(&task);
    assert_eq!(
        reasons(&renewed, "web"),
        ["renewal_information"],
        "{}",
        renewed.report()
    );
    assert_ne!(of(&renewed, "web")["serial"], of(&fewer, "web")["serial"]);
    lab.assert_issued("web", "h0.example.test");
    let quiet = lab.succeed(&task);
    assert!(!quiet.changed(), "{}", quiet.report());
}

#[test]
fn an_account_whose_key_is_gone_is_made_anew_or_told_and_absent_removes_all() {
    let lab = Lab::direct(Release::New);
    let task = lab.task(&[("web", &["h0.example.test"])], &json!({}));
    lab.succeed(&task);
    std::fs::remove_file(lab.sandbox.join("account.key")).unwrap();
    let mut forced = task.clone();
    forced["defaults"]["renew"] = json!({"force": true});
    let mut refused = forced.clone();
    refused["defaults"]["issuer"]["acme"]["account_create"] = json!(false);
    let answer = lab.run(&refused);
    assert_eq!(answer.kind(), "acme.no_account_key", "{}", answer.report());
    // Nothing is due, so nobody needs the account.
    assert!(!lab.succeed(&task).changed());
    lab.succeed(&forced);
    lab.assert_issued("web", "h0.example.test");
    assert_eq!(lab.accounts(), 2);

    let mut absent = task;
    absent["state"] = json!("absent");
    assert!(lab.succeed(&absent).changed());
    assert!(
        !lab.sandbox.join("web.pem").exists()
            && !lab.sandbox.join("state/acme/web.issued").exists()
    );
    assert!(!lab.succeed(&absent).changed());
}

#[test]
fn two_runs_at_the_same_moment_order_once() {
    let lab = Lab::direct(Release::New);
    let task = lab.task(&[("web", &["h0.example.test"])], &json!({}));
    let answers = std::thread::scope(|scope| {
        let runs = [0, 1].map(|_| scope.spawn(|| lab.succeed(&task)));
        runs.map(|run| run.join().unwrap())
    });
    let changed = answers.iter().filter(|answer| answer.changed()).count();
    assert_eq!((changed, lab.orders(), lab.accounts()), (1, 1, 1));
    lab.assert_issued("web", "h0.example.test");
}
