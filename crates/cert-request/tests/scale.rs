// SPDX-License-Identifier: Apache-2.0
//! Many at once: certificates in one task, runs on one set.
#![expect(
    clippy::disallowed_methods,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test that starts programs"
)]

mod support;

use serde_json::{Value, json};
use support::{Host, of_web, web};
use testbed::witness;

fn many(count: usize) -> Value {
    let entry = |index: usize| {
        json!({
            "name": format!("service-{index}"),
            "dns": [format!("n{index}.example.org")],
            "files": [{"content": "combined", "path": format!("$DIR/out/{index}.pem")}],
        })
    };
    let mut args = web(json!({}));
    args["defaults"] =
        json!({"key": {"algorithm": "ecdsa"}, "issuer": args["certificates"][0]["issuer"]});
    args["certificates"] = (0..count).map(entry).collect();
    args
}

#[test]
fn a_thousand_certificates_in_one_task() {
    let host = Host::new("root ca\nmkdir out");
    let args = many(1_000);
    let first = host.run(&args);
    assert_eq!(first.value["renewed"].as_array().map(Vec::len), Some(1_000));
    assert_eq!(first.msg(), "1000 certificates: 1000 issued");
    for index in [0, 499, 999] {
        let certificate = host.sandbox.read(format!("out/{index}.pem"));
        witness::verify(
            host.sandbox.read("ca/ca.pem"),
            "",
            certificate,
            &format!("n{index}.example.org"),
        )
        .unwrap();
    }
    let again = host.run(&args);
    assert!(!again.changed());
    assert_eq!(again.msg(), "1000 certificates: 1000 kept");
}

#[test]
fn two_runs_at_the_same_moment_end_with_one_set() {
    let host = Host::new("root ca");
    let args = web(json!({}));
    for round in 0..10 {
        host.shell("rm -f web.key web.pem");
        let answers: Vec<_> = std::thread::scope(|scope| {
            let runs: Vec<_> = (0..4)
                .map(|_| scope.spawn(|| host.module(&args).run()))
                .collect();
            runs.into_iter().map(|run| run.join().unwrap()).collect()
        });
        let changed = answers.iter().filter(|answer| answer.changed()).count();
        let serials: std::collections::BTreeSet<_> = answers
            .iter()
            .map(|a| of_web(a)["serial"].to_string())
            .collect();
        assert!(
            answers.iter().all(|answer| !answer.failed()),
            "round {round}: {}",
            answers[0].report()
        );
        assert_eq!(
            (changed, serials.len()),
            (1, 1),
            "round {round}: one issued, the others saw it"
        );
        host.assert_pair("web.pem", "web.key");
    }
}

#[test]
fn a_lock_that_is_held_too_long_is_told() {
    let host = Host::new("root ca");
    let mut args = web(json!({}));
    args["lock_timeout"] = json!("1s");
    let mut holder = std::process::Command::new("flock")
        .arg(host.sandbox.path())
        .args(["sleep", "5"])
        .spawn()
        .unwrap();
    std::thread::sleep(std::time::Duration::from_millis(300));
    let answer = host.module(&args).run();
    assert_eq!(
        answer.kind(),
        "files.directory_locked",
        "{}",
        answer.report()
    );
    let check = host.module(&args).check(true).run();
    assert!(
        check.changed() && !check.failed(),
        "check mode takes no lock"
    );
    holder.kill().unwrap();
    holder.wait().unwrap();
    host.shell("flock -w 40 . true");
    assert!(host.run(&args).changed());
}
