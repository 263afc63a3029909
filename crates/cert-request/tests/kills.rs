// SPDX-License-Identifier: Apache-2.0
//! `kill -9` at random moments: key and certificate on disk always belong together.
#![expect(
    clippy::disallowed_methods,
    clippy::panic,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a test that starts programs and says what it saw"
)]

#[path = "support/processes.rs"]
mod processes;
mod support;

use std::io::Write;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant, SystemTime};

use processes::children;
use serde_json::{Value, json};
use support::{EXECUTABLE, Host, of_web, web};

/// A few bits that nobody can foresee; the seed is printed so that a run can be told again.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % limit
    }
}

/// Who is killed.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Victims {
    /// The module; its committer lives on.
    Module,
    /// The module and the committer, as when the power fails.
    Both,
}

/// Starts the module on `args`, kills it after `delay`; whether it was still alive.
fn run_and_kill(args: &str, delay: Duration, victims: Victims) -> bool {
    let mut child = Command::new(EXECUTABLE)
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    child
        .stdin
        .take()
        .unwrap()
        .write_all(args.as_bytes())
        .unwrap();
    std::thread::sleep(delay);
    let was_alive = child.try_wait().unwrap().is_none();
    if was_alive && victims == Victims::Both {
        let stop = |signal: &str, pid: &str| {
            Command::new("kill")
                .args([signal, pid])
                .stderr(Stdio::null())
                .status()
        };
        stop("-STOP", &child.id().to_string()).unwrap();
        for committer in children(child.id()) {
            stop("-KILL", &committer).unwrap();
        }
    }
    child.kill().unwrap();
    child.wait().unwrap();
    was_alive
}

/// Waits until nobody, a committer that outlived its parent included, holds the lock of the directory.
fn wait_for_lock(host: &Host) {
    let status = Command::new("flock")
        .args(["-w", "20"])
        .arg(host.sandbox.path())
        .arg("true")
        .status()
        .unwrap();
    assert!(status.success(), "the lock is not released");
}

fn args(host: &Host, is_forced: bool) -> Value {
    let file =
        |content: &str, name: &str| json!({"content": content, "path": format!("$DIR/{name}")});
    host.sandbox.place(&web(json!({
        "renew": {"force": is_forced},
        "files": [file("private_key", "web.key"), file("certificate", "web.pem"), file("fullchain", "full.pem"), file("combined", "all.pem")],
    })))
}

fn micros(work: impl FnOnce()) -> u64 {
    let begin = Instant::now();
    work();
    u64::try_from(begin.elapsed().as_micros()).unwrap()
}

/// Kills `kills` runs at random moments; after each, one more run finds or makes everything right.
fn survive(kills: u32, victims: Victims) {
    let host = Host::new("root ca");
    let (forced, calm) = (args(&host, true), args(&host, false));
    host.run(&calm);
    // The shortest of a few: on a loaded machine one may take ten times as long, and kills that come too late
    // say nothing.
    let usual = (0..5)
        .map(|_| micros(|| drop(host.run(&forced))))
        .min()
        .unwrap();
    let seed = SystemTime::UNIX_EPOCH.elapsed().unwrap().subsec_nanos();
    let mut random = Random(u64::from(seed) | 1);
    let (mut done, mut recovered, mut rewritten) = (0, 0, 0);
    while done < kills {
        let delay = Duration::from_micros(random.below(usual));
        done += u32::from(run_and_kill(&forced.to_string(), delay, victims));
        wait_for_lock(&host);
        if victims == Victims::Module {
            host.assert_pair("web.pem", "web.key");
            host.assert_pair("all.pem", "all.pem");
        }
        let next = host.run(&calm);
        recovered += u32::from(next.value["recovered"].is_array());
        rewritten += u32::from(of_web(&next)["action"] == "rewrite");
        assert_ne!(
            of_web(&next)["action"],
            "issue",
            "seed {seed}: {}",
            next.report()
        );
        host.assert_pair("web.pem", "web.key");
        host.assert_pair("all.pem", "all.pem");
        assert_eq!(
            host.sandbox.read("web.pem"),
            host.sandbox.read("full.pem"),
            "seed {seed}"
        );
        assert!(
            !host.run(&calm).changed(),
            "seed {seed}: repaired by one run"
        );
    }
    let left = host.shell("ls -A | grep -v '^ca$' | grep -v '^web\\|^full\\|^all' || true");
    assert_eq!(left, "", "seed {seed}: nothing is left over");
    println!(
        "{kills} kills within {usual} µs each: {recovered} recovered, {rewritten} rewritten by the next run"
    );
}

/// The committer finishes what it was handed: no moment shows a key beside another's certificate.
#[test]
fn two_hundred_kills_leave_key_and_certificate_together() {
    survive(200, Victims::Module);
}

/// Nobody is left to finish: the journal does it in the next run.
#[test]
fn what_a_power_cut_leaves_is_put_right_by_the_next_run() {
    survive(60, Victims::Both);
}
