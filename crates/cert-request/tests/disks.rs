// SPDX-License-Identifier: Apache-2.0
//! Full and read-only file systems: the old set stays, the message says what to do.
#![expect(
    clippy::disallowed_methods,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test that starts programs"
)]

mod support;

use std::io::Write as _;
use std::process::Command;

use serde_json::{Value, json};
use support::{Host, of_web, web};

/// A small file system at `disk` of the sandbox, unmounted at the end. `None`, said loudly, where nobody may
/// mount; with TEST_MUST_MOUNT set that is a failure.
struct Disk<'a>(&'a Host);

impl<'a> Disk<'a> {
    fn mount(host: &'a Host, options: &str) -> Option<Self> {
        host.shell("mkdir -p disk");
        let status = Command::new("mount")
            .args(["-t", "tmpfs", "-o", options, "tmpfs"])
            .arg(host.sandbox.join("disk"))
            .status()
            .unwrap();
        let is_required = std::env::var_os("TEST_MUST_MOUNT").is_some();
        assert!(
            status.success() || !is_required,
            "mount is not allowed here, and TEST_MUST_MOUNT says that it must be"
        );
        if !status.success() {
            // Not `eprintln!`, which is not shown of a test that passes.
            let _ = writeln!(std::io::stderr(), "skipped: mount is not allowed here");
        }
        status.success().then(|| Self(host))
    }

    fn remount(&self, options: &str) {
        self.0.shell(&format!("mount -o remount,{options} disk"));
    }
}

impl Drop for Disk<'_> {
    fn drop(&mut self) {
        self.0.shell("umount disk");
    }
}

fn args(force: bool) -> Value {
    let file = |content: &str, name: &str| json!({"content": content, "path": format!("$DIR/disk/{name}")});
    web(json!({"renew": {"force": force}, "files": [
        file("private_key", "web.key"), file("certificate", "web.pem"), file("fullchain", "full.pem"), file("combined", "all.pem"),
    ]}))
}

#[test]
fn a_full_disk_leaves_the_old_set() {
    let host = Host::new("root ca");
    // Pages: the directory takes none, each file one; the new set has room for some of its files only.
    let mut refused = 0;
    for room in 0..8 {
        let Some(disk) = Disk::mount(&host, "size=64k,mode=755") else {
            return;
        };
        host.run(&args(false));
        let before = ["web.key", "web.pem", "full.pem", "all.pem"]
            .map(|name| host.sandbox.read(format!("disk/{name}")));
        host.shell(&format!("dd if=/dev/zero of=disk/ballast bs=4096 2>/dev/null || :; truncate -s -$(({room} * 4096)) disk/ballast"));
        let answer = host.module(&args(true)).run();
        refused += u32::from(answer.failed());
        if answer.failed() {
            assert_eq!(answer.kind(), "files.no_space", "{}", answer.report());
            assert_eq!(
                answer.value["error"]["hint"],
                "free space or raise the quota of that file system; the old files are untouched"
            );
            let after = ["web.key", "web.pem", "full.pem", "all.pem"]
                .map(|name| host.sandbox.read(format!("disk/{name}")));
            assert!(before == after, "room for {room}: the old set is there");
        }
        host.assert_pair("disk/web.pem", "disk/web.key");
        host.assert_pair("disk/all.pem", "disk/all.pem");
        let left =
            host.shell("ls -A disk | grep -v -e '^web' -e '^full' -e '^all' -e '^ballast' || true");
        assert_eq!(left, "", "room for {room}: nothing is left over");
        host.shell("rm disk/ballast");
        assert!(host.run(&args(true)).changed(), "with room it works again");
        drop(disk);
    }
    assert!(
        (3..8).contains(&refused),
        "{refused} of 8 were refused: the disk was full at several steps, and once was not"
    );
}

#[test]
fn a_read_only_disk_is_told() {
    let host = Host::new("root ca");
    let Some(disk) = Disk::mount(&host, "size=1m,mode=755") else {
        return;
    };
    host.run(&args(false));
    disk.remount("ro");
    assert!(
        !host.run(&args(false)).changed(),
        "nothing to do needs no writing"
    );
    let answer = host.module(&args(true)).run();
    assert_eq!(answer.kind(), "files.read_only", "{}", answer.report());
    assert_eq!(of_web(&answer)["action"], "failed");
    assert_eq!(
        of_web(&answer)["issuer"],
        "CN=ca",
        "what stays in service is told"
    );
    assert_eq!(
        answer.value["error"]["hint"],
        "remount that file system read-write or choose another directory"
    );
    host.assert_pair("disk/web.pem", "disk/web.key");
}
