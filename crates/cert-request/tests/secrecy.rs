// SPDX-License-Identifier: Apache-2.0
//! Where a secret must not be: in answers, in diffs, in argument lists, in environments.
#![expect(
    clippy::disallowed_methods,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test that starts programs"
)]

#[path = "support/processes.rs"]
mod processes;
mod support;

use std::collections::BTreeMap;
use std::io::Write;
use std::process::{Child, Command, Stdio};

use processes::children;
use serde_json::{Value, json};
use support::{EXECUTABLE, Host, of_web, web};

const PASSPHRASE: &str = "never-in-a-list-of-processes";
const INHERITED: &str = "from-the-environment-of-the-caller";

/// What can be seen of a process: argv and environment.
type Visible = BTreeMap<String, (String, String)>;

/// A process and its children, the committer among them, as /proc shows them now.
fn look(of: u32, seen: &mut Visible) {
    for pid in children(of).into_iter().chain([of.to_string()]) {
        let text = |name: &str| {
            let bytes = std::fs::read(format!("/proc/{pid}/{name}")).unwrap_or_default();
            String::from_utf8_lossy(&bytes).replace('\0', " ")
        };
        let (argv, environment) = (text("cmdline"), text("environ"));
        // Between fork and exec a child still looks like its parent.
        if !argv.is_empty() && (pid == of.to_string() || argv.contains("--")) {
            seen.insert(pid, (argv, environment));
        }
    }
}

fn start(args: &Value) -> Child {
    let mut child = Command::new(EXECUTABLE)
        .env("INHERITED", INHERITED)
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    let mut input = child.stdin.take().unwrap();
    input.write_all(args.to_string().as_bytes()).unwrap();
    child
}

/// Sets with a passphrase each, so many that there is time to look.
fn many(host: &Host) -> Value {
    let mut args = web(json!({"key": {"algorithm": "ecdsa", "passphrase": PASSPHRASE}}));
    let entry = args["certificates"][0].clone();
    let numbered = |number: usize| {
        let mut entry = entry.clone();
        entry["name"] = json!(format!("web{number}"));
        for (file, name) in [(0, "key"), (1, "pem")] {
            entry["files"][file]["path"] = json!(format!("$DIR/{number}.{name}"));
        }
        entry
    };
    args["certificates"] = (0..100).map(numbered).collect();
    host.sandbox.place(&args)
}

#[test]
fn neither_argv_nor_environment_of_any_process_has_a_secret() {
    let host = Host::new("root ca");
    let mut child = start(&many(&host));
    let mut seen = Visible::new();
    while child.try_wait().unwrap().is_none() {
        look(child.id(), &mut seen);
    }
    let own = child.id().to_string();
    let committers: Vec<_> = seen.iter().filter(|(pid, _)| **pid != own).collect();
    assert_eq!(committers.len(), 1, "one committer was seen: {seen:?}");
    for (pid, (argv, environment)) in &seen {
        assert!(!argv.contains(PASSPHRASE), "{pid}: {argv}");
        assert!(!environment.contains(PASSPHRASE), "{pid}: {environment}");
        assert!(!argv.contains("PRIVATE KEY"), "{pid}: {argv}");
    }
    let (argv, environment) = &committers[0].1;
    assert_eq!(argv.trim_end().split(' ').count(), 2, "one word: '{argv}'");
    assert_eq!(environment, "", "the committer has no environment at all");
    assert!(
        seen[&own].1.contains(INHERITED),
        "an environment is seen where there is one"
    );
}

#[test]
fn no_log_hides_diff_and_invocation_also_of_a_failure() {
    let host = Host::new("root ca");
    let wish = |algorithm: &str, force: bool| {
        web(
            json!({"renew": {"force": force}, "key": {"algorithm": algorithm}, "files": [
                {"content": "private_key", "path": "$DIR/web.key"},
                {"content": "certificate", "path": "$DIR/web.pem"},
                {"content": "pkcs12", "path": "$DIR/web.p12", "passphrase": PASSPHRASE},
            ]}),
        )
    };
    let shown = host.run(&wish("ecdsa", false));
    assert!(shown.value["diff"].is_array() && shown.value["invocation"].is_object());
    shown.never_says(PASSPHRASE);
    for (args, fails) in [(wish("ecdsa", true), false), (wish("dsa", true), true)] {
        let hidden = host.module(&args).no_log(true).run();
        assert_eq!(hidden.failed(), fails, "{}", hidden.report());
        assert!(hidden.value["diff"].is_null(), "{}", hidden.report());
        assert!(hidden.value["invocation"].is_null(), "{}", hidden.report());
        assert!(fails || of_web(&hidden)["action"] == "issue");
        hidden.never_says(PASSPHRASE);
    }
    host.assert_pair("web.pem", "web.key");
}
