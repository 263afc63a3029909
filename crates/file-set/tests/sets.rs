// SPDX-License-Identifier: Apache-2.0
//! All files of a set or none: beside a set that fails, on a full disk, and under `kill -9`.
#![expect(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    reason = "a test that starts programs"
)]

use std::io::Write;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use testbed::{Answer, ModuleRun, Sandbox};

const EXECUTABLE: &str = env!("CARGO_BIN_EXE_file_set");

fn run(sandbox: &Sandbox, args: &Value) -> Answer {
    ModuleRun::new(EXECUTABLE)
        .args(args.clone())
        .diff(true)
        .sandbox(sandbox)
        .run()
}

fn shell(sandbox: &Sandbox, script: &str) {
    let status = Command::new("sh")
        .args(["-euc", script])
        .current_dir(sandbox.path())
        .status()
        .unwrap();
    assert!(status.success(), "{script}");
}

/// Three files that say which generation they are of, as key, certificate and chain would.
fn set(directory: &str, generation: usize, bytes: usize) -> Value {
    let file = |name: &str| {
        let content = format!("{generation}\n{}", "x".repeat(bytes));
        json!({"path": format!("$DIR/{directory}/{name}"), "content": content})
    };
    json!({"name": directory, "files": [file("key"), file("certificate"), file("chain")]})
}

fn generations(sandbox: &Sandbox, directory: &str) -> Vec<String> {
    let each = ["key", "certificate", "chain"].map(|name| {
        let content = sandbox.read(format!("{directory}/{name}"));
        let text = String::from_utf8(content).unwrap();
        text.lines().next().unwrap_or_default().to_owned()
    });
    each.to_vec()
}

#[test]
fn a_set_that_fails_does_not_spoil_the_others() {
    let sandbox = Sandbox::new();
    shell(&sandbox, "mkdir good; touch bad");
    let args = json!({"sets": [set("bad", 1, 0), set("good", 1, 0), set("none", 1, 0)]});
    let answer = run(&sandbox, &args);
    assert!(answer.failed() && answer.changed(), "{}", answer.report());
    assert_eq!(answer.kind(), "sets.failed");
    assert_eq!(
        answer.value["failures"]["bad"]["kind"],
        "files.not_a_directory"
    );
    assert_eq!(
        answer.value["failures"]["none"]["kind"],
        "files.directory_missing"
    );
    assert_eq!(answer.value["sets"]["good"]["action"], "write");
    assert_eq!(generations(&sandbox, "good"), ["1", "1", "1"]);
    assert!(
        answer.msg().starts_with("2 of 3 sets failed: 'bad': "),
        "{}",
        answer.msg()
    );
}

#[test]
fn contents_of_keys_are_never_answered() {
    let sandbox = Sandbox::new();
    let line = "MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQg";
    let key = format!("-----BEGIN PRIVATE KEY-----\n{line}\n-----END PRIVATE KEY-----\n");
    let args =
        json!({"sets": [{"name": "web", "files": [{"path": "$DIR/web.key", "content": key}]}]});
    let answer = run(&sandbox, &args);
    answer.never_says(line);
    assert!(answer.changed(), "{}", answer.report());
    let asked = run(&sandbox, &json!({"read": ["$DIR/web.key"]}));
    let path = sandbox.join("web.key").display().to_string();
    assert!(
        asked.value["contents"][&path].is_string(),
        "asked for, it is"
    );
}

#[test]
fn a_full_disk_leaves_the_old_set() {
    let sandbox = Sandbox::new();
    shell(&sandbox, "mkdir disk");
    let mounted = Command::new("mount")
        .args(["-t", "tmpfs", "-o", "size=64k,mode=755", "tmpfs"])
        .arg(sandbox.join("disk"))
        .status()
        .unwrap();
    let is_required = std::env::var_os("TEST_MUST_MOUNT").is_some();
    assert!(mounted.success() || !is_required, "mount is not allowed");
    if !mounted.success() {
        let _ = writeln!(std::io::stderr(), "skipped: mount is not allowed here");
        return;
    }
    let first = run(&sandbox, &json!({"sets": [set("disk", 1, 4000)]}));
    let refused = run(&sandbox, &json!({"sets": [set("disk", 2, 30_000)]}));
    let kept = generations(&sandbox, "disk");
    let left = std::fs::read_dir(sandbox.join("disk")).unwrap().count();
    shell(&sandbox, "umount disk");
    assert!(first.changed(), "{}", first.report());
    assert_eq!(refused.kind(), "files.no_space", "{}", refused.report());
    assert!(!refused.changed(), "{}", refused.report());
    assert_eq!((kept.join(" "), left), (String::from("1 1 1"), 3));
}

fn kill_after(args: &Value, delay: Duration) {
    let mut child = Command::new(EXECUTABLE)
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut input = child.stdin.take().unwrap();
    input.write_all(args.to_string().as_bytes()).unwrap();
    drop(input);
    std::thread::sleep(delay);
    let _ = child.kill();
    child.wait().unwrap();
}

#[test]
fn sixty_kills_leave_all_files_of_one_generation() {
    let sandbox = Sandbox::new();
    shell(&sandbox, "mkdir set");
    let of = |generation: usize| sandbox.place(&json!({"sets": [set("set", generation, 2000)]}));
    let begin = Instant::now();
    assert!(run(&sandbox, &of(0)).changed());
    let usual = begin.elapsed().as_micros().max(1000);
    let (mut old, mut new) = (0, 0);
    for generation in 1..=60 {
        let delay = usual * (generation as u128 * 37 % 60) / 60;
        let before = generations(&sandbox, "set");
        kill_after(&of(generation), Duration::from_micros(delay as u64));
        // Whoever finishes the renames holds the lock of the directory.
        shell(&sandbox, "flock -w 20 set true");
        let found = generations(&sandbox, "set");
        assert!(
            found.iter().all(|each| *each == found[0]),
            "kill {generation} left {found:?}"
        );
        old += u32::from(found == before);
        new += u32::from(found[0] == generation.to_string());
        let next = run(&sandbox, &of(generation));
        assert!(!next.failed(), "{}", next.report());
        assert!(
            !run(&sandbox, &of(generation)).changed(),
            "quiet afterwards"
        );
        shell(&sandbox, "[ \"$(ls -A set | wc -l)\" = 3 ]");
    }
    assert_eq!(old + new, 60);
    assert!(
        old > 0 && new > 0,
        "{old} kept the old set, {new} had the new one"
    );
}
