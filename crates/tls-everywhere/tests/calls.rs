// SPDX-License-Identifier: Apache-2.0
//! The one file under its own name, under links, as Ansible copies it, and called wrongly.
#![expect(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    reason = "a test that starts programs"
)]

use std::io::Write;
use std::os::unix::fs::symlink;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use serde_json::{Value, json};
use testbed::{ModuleRun, Sandbox};

const EXECUTABLE: &str = env!("CARGO_BIN_EXE_tls_everywhere");

/// The names of all executables of the workspace but this one: there is a thin one for each module.
fn modules() -> Vec<String> {
    let crates = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let mut names = Vec::new();
    for member in std::fs::read_dir(crates).unwrap() {
        let manifest = member.unwrap().path().join("Cargo.toml");
        let text = std::fs::read_to_string(manifest).unwrap_or_default();
        let bins = text.split("[[bin]]\n").skip(1);
        names.extend(bins.filter_map(|bin| {
            let line = bin.lines().find(|line| line.starts_with("name = "))?;
            Some(line.split('"').nth(1)?.to_owned())
        }));
    }
    names.retain(|name| name != "tls_everywhere");
    assert!(names.len() >= 4, "{names:?}");
    names
}

fn output(command: &mut Command) -> Output {
    command.stdin(Stdio::null()).output().unwrap()
}

fn said(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

/// A key and a certificate in words, which change together by way of the committer.
fn pair(sandbox: &Sandbox) -> Value {
    let file = |name: &str| json!({"path": sandbox.join(name), "content": name});
    json!({"sets": [{"name": "web", "files": [file("key"), file("certificate")]}]})
}

fn is_written(sandbox: &Sandbox) {
    for name in ["key", "certificate"] {
        assert_eq!(sandbox.read(name), name.as_bytes());
    }
}

#[test]
fn every_module_of_the_workspace_is_in_it() {
    for name in modules() {
        let version = said(&output(Command::new(EXECUTABLE).args([&name, "--version"])));
        assert_eq!(version, format!("{name} {}\n", env!("CARGO_PKG_VERSION")));
        let spec = said(&output(Command::new(EXECUTABLE).args([&name, "--spec"])));
        let spec: Value = serde_json::from_str(&spec).unwrap();
        assert_eq!(spec["module"], json!(name));
    }
    let version = said(&output(Command::new(EXECUTABLE).arg("--version")));
    assert_eq!(
        version,
        format!("tls_everywhere {}\n", env!("CARGO_PKG_VERSION"))
    );
}

#[test]
fn a_link_by_a_modules_name_is_that_module() {
    let link = |target: &Path, path: &Path| symlink(target, path).unwrap();
    for name in ["file_set", "AnsiballZ_file_set"] {
        let (sandbox, place) = (Sandbox::new(), tempfile::tempdir().unwrap());
        // As hosts have it: the link names the file beside it.
        link(Path::new(EXECUTABLE), &place.path().join("tls_everywhere"));
        let path = place.path().join(name);
        link(Path::new("tls_everywhere"), &path);
        let run = ModuleRun::new(&path).args(pair(&sandbox));
        let answer = run.run();
        assert!(answer.changed(), "{}", answer.report());
        // Without a committer each change is a warning.
        assert!(
            answer.value.get("warnings").is_none(),
            "{}",
            answer.report()
        );
        is_written(&sandbox);
        assert!(!run.on_stdin().run().changed());
    }
}

#[test]
fn under_its_own_name_the_first_argument_is_the_module() {
    let (sandbox, place) = (Sandbox::new(), tempfile::tempdir().unwrap());
    // As it lies on a target.
    let path: PathBuf = place.path().join(format!("tls_everywhere-{:064x}", 7));
    symlink(EXECUTABLE, &path).unwrap();
    for changed in [true, false] {
        let mut child = Command::new(&path)
            .args(["file_set", "-"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let input = pair(&sandbox).to_string();
        let mut stdin = child.stdin.take().unwrap();
        stdin.write_all(input.as_bytes()).unwrap();
        drop(stdin);
        let answer: Value =
            serde_json::from_str(&said(&child.wait_with_output().unwrap())).unwrap();
        assert_eq!(answer["changed"], json!(changed), "{answer}");
        assert!(answer.get("warnings").is_none(), "{answer}");
        is_written(&sandbox);
    }
}

#[test]
fn a_helper_of_certmonger_is_found_by_link_and_by_argument() {
    let place = tempfile::tempdir().unwrap();
    let link = place.path().join("pki_ca");
    symlink(EXECUTABLE, &link).unwrap();
    let by_link = output(Command::new(&link).arg("--certmonger"));
    let by_argument = output(Command::new(EXECUTABLE).args(["pki_ca", "--certmonger"]));
    for answer in [by_link, by_argument] {
        assert_eq!(answer.status.code(), Some(4));
        assert_eq!(
            said(&answer),
            "give the file with the options after --certmonger\n"
        );
    }
}

#[test]
fn a_wrong_call_is_one_answer_that_names_the_modules() {
    let calls: [&[&str]; 5] = [
        &[],
        &["-"],
        &["--spec"],
        &["cert-request", "-"],
        &["\u{fffd}"],
    ];
    for words in calls {
        let answer = output(Command::new(EXECUTABLE).args(words));
        let text = said(&answer);
        assert_eq!(answer.status.code(), Some(1), "{text}");
        assert_eq!(text.lines().count(), 1, "{text}");
        let value: Value = serde_json::from_str(&text).unwrap();
        assert_eq!(value["failed"], json!(true));
        assert_eq!(value["error"]["kind"], json!("input.unreadable"));
        for name in modules() {
            assert!(value["msg"].as_str().unwrap().contains(&name), "{value}");
        }
        assert_eq!(String::from_utf8_lossy(&answer.stderr), "");
    }
}

#[test]
fn the_name_of_the_call_counts_and_not_that_of_the_file() {
    let version = said(&output(
        Command::new(EXECUTABLE).arg0("pki_ca").arg("--version"),
    ));
    assert_eq!(version, format!("pki_ca {}\n", env!("CARGO_PKG_VERSION")));
}
