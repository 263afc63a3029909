// SPDX-License-Identifier: Apache-2.0
//! Bad days of the machine: killed in the middle, disk full, read-only.
#![expect(clippy::unwrap_used, reason = "tests")]

mod support;

use std::io::Write as _;
use std::process::{Command, Stdio};
use std::time::Instant;

use serde_json::json;
use support::{PROGRAM, Tree, authorities, request};
use testbed::{Sandbox, witness};

/// How many runs must have been killed before they ended by themselves.
const KILLS: u32 = 50;

/// After each kill the key and the certificate in service belong together, and the next run needs no help.
#[test]
fn fifty_kills_leave_pairs_that_match_and_the_next_run_repairs() {
    let tree = Tree::with_authorities();
    let rekey = json!({"authorities": authorities(), "regenerate_key": ["Root", "Int"],
        "sign": [{"name": "web", "csr": request("web.example.org").1}]});
    let mut all = rekey.clone();
    all["backend"] =
        json!({"files": {"directory": tree.path("").to_str().unwrap().trim_end_matches('/')}});
    let arguments = tree.sandbox.write("args.json", all.to_string());
    let mut whole = run_whole(&arguments);
    let (mut killed, mut attempts) = (0, 0);
    while killed < KILLS {
        attempts += 1;
        assert!(
            attempts < 10 * KILLS,
            "only {killed} of {attempts} runs were killed before they were done"
        );
        let mut child = Command::new(PROGRAM)
            .arg(&arguments)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        // Every part of the run in turn, in steps that do not repeat themselves.
        std::thread::sleep(whole.mul_f64(f64::from(attempts * 37 % 100) / 100.0));
        child.kill().unwrap();
        if child.wait().unwrap().success() {
            whole = whole.mul_f64(0.9);
        } else {
            killed += 1;
        }
        wait_for_committer(&tree);
        for name in ["Root", "Int"] {
            tree.assert_pair(name);
        }
        let healed = tree.run(json!({"authorities": authorities()}));
        assert!(!healed.failed(), "attempt {attempts}: {}", healed.report());
        tree.quiet(json!({"authorities": authorities()}));
        witness::verify(tree.certificate("Root"), "", tree.certificate("Int"), "").unwrap();
    }
}

/// How long a run takes that nobody kills.
fn run_whole(arguments: &std::path::Path) -> std::time::Duration {
    let start = Instant::now();
    let status = Command::new(PROGRAM)
        .arg(arguments)
        .stdout(Stdio::null())
        .status();
    assert!(status.unwrap().success());
    start.elapsed()
}

/// The committer of a killed run finishes what it was handed and holds the locks of its directories until then.
fn wait_for_committer(tree: &Tree) {
    let mut directories = vec!["certs/csr".to_owned(), "certs/certs".to_owned()];
    for name in ["Root", "Int"] {
        for part in ["", "/private", "/certs", "/csr", "/crl"] {
            directories.push(format!("roots/{name}{part}"));
        }
    }
    for directory in directories {
        let status = Command::new("flock")
            .args(["-w", "20"])
            .arg(tree.path(&directory))
            .arg("true")
            .status();
        assert!(status.unwrap().success(), "'{directory}' is still locked");
    }
}

/// A small file system of its own; none where we may not mount.
struct SmallDisk {
    sandbox: Sandbox,
}

impl SmallDisk {
    fn mount(options: &str) -> Option<Self> {
        let sandbox = Sandbox::new();
        let status = Command::new("mount")
            .args(["-t", "tmpfs", "-o", options, "tmpfs"])
            .arg(sandbox.path())
            .stderr(Stdio::null())
            .status()
            .ok()?;
        status.success().then(|| Self { sandbox })
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg(self.sandbox.path()).status();
    }
}

#[test]
fn a_full_disk_leaves_the_authorities_as_they_were() {
    let Some(disk) = SmallDisk::mount("size=200k,mode=0755") else {
        skip("mount is not allowed here");
        return;
    };
    let args = |more: serde_json::Value| {
        let mut all =
            json!({"backend": {"files": {"directory": "$DIR/tree"}}, "authorities": authorities()});
        all.as_object_mut()
            .unwrap()
            .extend(more.as_object().unwrap().clone());
        testbed::ModuleRun::new(PROGRAM)
            .args(all)
            .sandbox(&disk.sandbox)
    };
    let made = args(json!({})).run();
    assert!(made.changed() && !made.failed(), "{}", made.report());
    let before = disk.sandbox.read("tree/roots/Root/certs/Root.crt");
    let filler = disk.sandbox.join("filler");
    let _full = Command::new("dd")
        .args(["if=/dev/zero", "bs=1k"])
        .arg(format!("of={}", filler.display()))
        .stderr(Stdio::null())
        .status()
        .unwrap();
    let refused = args(json!({"regenerate_key": true})).run();
    assert!(refused.failed(), "{}", refused.report());
    assert!(refused.msg().contains("No space left"), "{}", refused.msg());
    assert!(
        refused.value["error"]["hint"]
            .as_str()
            .unwrap()
            .contains("free space"),
        "{}",
        refused.report()
    );
    assert_eq!(disk.sandbox.read("tree/roots/Root/certs/Root.crt"), before);
    let pair = |name: &str| {
        let at = disk.sandbox.join(format!("tree/roots/{name}"));
        witness::key_matches(
            at.join(format!("certs/{name}.crt")),
            at.join(format!("private/{name}.key.pem")),
        )
        .unwrap();
    };
    pair("Root");
    pair("Int");
    std::fs::remove_file(filler).unwrap();
    // Even the link is as it was.
    let healed = args(json!({})).run();
    assert!(!healed.failed() && !healed.changed(), "{}", healed.report());
    let done = args(json!({"regenerate_key": true})).run();
    assert!(done.changed() && !done.failed(), "{}", done.report());
    pair("Root");
    pair("Int");
}

#[test]
fn a_read_only_file_system_is_named() {
    let Some(disk) = SmallDisk::mount("size=1m,ro,mode=0755") else {
        skip("mount is not allowed here");
        return;
    };
    let args =
        json!({"backend": {"files": {"directory": "$DIR/tree"}}, "authorities": authorities()});
    let refused = testbed::ModuleRun::new(PROGRAM)
        .args(args)
        .sandbox(&disk.sandbox)
        .run();
    assert!(
        refused.failed() && refused.msg().contains("Read-only file system"),
        "{}",
        refused.report()
    );
}

/// Loud, and an error where continuous integration says that nothing may be skipped.
fn skip(why: &str) {
    assert!(
        std::env::var_os("TEST_MUST_MOUNT").is_none(),
        "{why}, and TEST_MUST_MOUNT says that it must be"
    );
    // Not `eprintln!`, which is not shown of a test that passes.
    let _ = writeln!(std::io::stderr(), "skipped: {why}");
}
