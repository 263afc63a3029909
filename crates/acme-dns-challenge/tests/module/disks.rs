// SPDX-License-Identifier: Apache-2.0
//! Full file systems: nothing is ordered that could not be noted, and what was issued is not lost.

use std::io::Write as _;
use std::path::PathBuf;
use std::process::Command;

use serde_json::json;
use testbed::servers::Release;

use crate::lab::{Lab, certificate, with};

const HINT: &str = "free space or raise the quota of that file system; the old files are untouched";

/// A small file system in the sandbox, unmounted at the end. `None`, said loudly, where nobody may mount; with
/// TEST_MUST_MOUNT set that is a failure.
struct Disk(PathBuf);

impl Disk {
    fn mount(lab: &Lab) -> Option<Self> {
        let path = lab.sandbox.join("disk");
        std::fs::create_dir(&path).unwrap();
        let mut command = Command::new("mount");
        command.args(["-t", "tmpfs", "-o", "size=64k,mode=755", "tmpfs"]);
        let is_mounted = command.arg(&path).status().unwrap().success();
        let is_required = std::env::var_os("TEST_MUST_MOUNT").is_some();
        assert!(
            is_mounted || !is_required,
            "mount is not allowed here, and TEST_MUST_MOUNT says that it must be"
        );
        if !is_mounted {
            // Not `eprintln!`, which is not shown of a test that passes.
            let _ = writeln!(std::io::stderr(), "skipped: mount is not allowed here");
        }
        is_mounted.then(|| Self(path))
    }

    fn fill(&self) {
        let mut file = std::fs::File::create(self.0.join("ballast")).unwrap();
        while file.write_all(&[0; 4096]).is_ok() {}
    }

    fn free(&self) {
        std::fs::remove_file(self.0.join("ballast")).unwrap();
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg(&self.0).status();
    }
}

#[test]
fn nothing_is_ordered_while_the_state_cannot_be_written() {
    let lab = Lab::proxied(Release::New);
    let Some(disk) = Disk::mount(&lab) else {
        return;
    };
    std::fs::create_dir(disk.0.join("state")).unwrap();
    disk.fill();
    let task = json!({"certificates": [lab.csr("main", &["h0.example.test"])], "provider": lab.provider(), "state_dir": "$DIR/disk/state"});
    let answer = lab.task(task.clone()).run();
    assert_eq!(answer.kind(), "files.no_space", "{}", answer.report());
    assert_eq!(answer.value["error"]["hint"], HINT);
    assert!(answer.msg().contains("main.json"), "{}", answer.msg());
    assert_eq!(lab.count("POST /order-plz"), 0);
    disk.free();
    let answer = lab.task(task).run();
    assert!(!answer.failed(), "{}", answer.report());
    assert_eq!(lab.count("POST /order-plz"), 1);
    lab.assert_issued("main", "h0.example.test");
}

#[test]
fn a_certificate_that_does_not_fit_is_fetched_again_when_it_does() {
    let lab = Lab::proxied(Release::New);
    let Some(disk) = Disk::mount(&lab) else {
        return;
    };
    disk.fill();
    let file = json!({"content": "fullchain", "path": "$DIR/disk/main.crt"});
    let wanted = with(
        &lab.csr("main", &["h0.example.test"]),
        json!({"files": [file]}),
    );
    let task = json!({"certificates": [wanted], "provider": lab.provider()});
    for _ in 0..2 {
        let answer = lab.task(task.clone()).run();
        assert_eq!(answer.kind(), "files.no_space", "{}", answer.report());
        assert_eq!(answer.value["error"]["hint"], HINT);
        assert!(!disk.0.join("main.crt").exists());
        assert!(lab.dns.texts().is_empty(), "{:?}", lab.dns.texts());
    }
    disk.free();
    let answer = lab.task(task).run();
    assert_eq!(
        certificate(&answer, "main")["status"],
        "repaired",
        "{}",
        answer.report()
    );
    assert_eq!(
        (lab.count("POST /order-plz"), lab.count("POST /finalize")),
        (1, 1),
        "fetched, not ordered"
    );
    let left: Vec<_> = std::fs::read_dir(&disk.0)
        .unwrap()
        .map(|entry| entry.unwrap().file_name())
        .collect();
    assert_eq!(left, ["main.crt"]);
}

/// The key of a new account must be on disk before the server hears of it.
#[test]
fn no_account_is_made_whose_key_cannot_be_kept() {
    let lab = Lab::proxied(Release::New);
    let Some(disk) = Disk::mount(&lab) else {
        return;
    };
    disk.fill();
    let task = json!({"phase": "request", "certificates": [lab.csr("main", &["h0.example.test"])], "account_key": "$DIR/disk/account.key"});
    let answer = lab.task(task.clone()).run();
    assert_eq!(answer.kind(), "files.no_space", "{}", answer.report());
    assert_eq!(lab.count("POST /sign-me-up"), 0);
    disk.free();
    let made = lab.task(task).run();
    assert!(!made.failed(), "{}", made.report());
    // Neither does an account get another key that cannot be kept.
    let rollover = json!({"phase": "rollover", "account_key": "$DIR/disk/account.key"});
    disk.fill();
    let answer = lab.task(rollover.clone()).run();
    assert_eq!(answer.kind(), "files.no_space", "{}", answer.report());
    assert_eq!(lab.count("POST /rollover-account-key"), 0);
    disk.free();
    let answer = lab.task(rollover).run();
    assert!(!answer.failed(), "{}", answer.report());
    assert_eq!(answer.value["account_uri"], made.value["account_uri"]);
}
