// SPDX-License-Identifier: Apache-2.0
//! Disks that are full or read-only, from the start or from any step on: the message says so, and nothing is lost.
#![expect(clippy::unwrap_used, reason = "tests")]

mod support;

use std::path::{Path, PathBuf};
use std::process::Command;

use support::{file, is_root, names, pair, place, read, told};
use tls_files::{Installed, Step, Steps, install, install_observed, recover};

/// A small file system in memory, gone with the value.
struct SmallDisk(tempfile::TempDir);

impl SmallDisk {
    fn new(options: &str) -> Self {
        let disk = Self(tempfile::tempdir().unwrap());
        mount(&["-t", "tmpfs", "-o", options, "tmpfs"], disk.0.path());
        disk
    }

    fn path(&self) -> PathBuf {
        self.0.path().canonicalize().unwrap()
    }

    fn remount(&self, options: &str) {
        mount(&["-o", &format!("remount,{options}")], self.0.path());
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg(self.0.path()).status();
    }
}

fn mount(arguments: &[&str], at: &Path) {
    assert!(
        Command::new("mount")
            .args(arguments)
            .arg(at)
            .status()
            .unwrap()
            .success()
    );
}

/// Does something at one step.
struct At<F: Fn() + Sync>(Step, F);

impl<F: Fn() + Sync> Steps for At<F> {
    fn reached(&self, step: Step, _: &Path) {
        if step == self.0 {
            (self.1)();
        }
    }
}

#[test]
fn a_full_disk_leaves_the_old_set_and_says_so() {
    if !is_root("a_full_disk_leaves_the_old_set_and_says_so") {
        return;
    }
    let disk = SmallDisk::new("size=64k,mode=700");
    let path = disk.path();
    install("a", pair(&path, "old")).unwrap();
    let error = install("a", pair(&path, &"n".repeat(100_000))).unwrap_err();
    assert_eq!(
        told(&error),
        format!(
            "cannot write '{}/a.key': No space left on device (os error 28)",
            path.display()
        )
    );
    assert_eq!(error.kind(), "files.no_space");
    assert_eq!(
        error.hint(),
        Some("free space or raise the quota of that file system; the old files are untouched")
    );
    assert_eq!(
        (read(path.join("a.key")), read(path.join("a.pem"))),
        ("old".to_owned(), "old".to_owned())
    );
    assert_eq!(names(&path), ["a.key", "a.pem"]);
}

/// At every step of an install, the disk becomes full: of bytes, and of inodes.
#[test]
fn a_disk_that_fills_up_at_any_step_loses_nothing() {
    if !is_root("a_disk_that_fills_up_at_any_step_loses_nothing") {
        return;
    }
    let mut failures = 0;
    for step in Step::ALL {
        let disk = SmallDisk::new("size=128k,nr_inodes=40,mode=700");
        let path = disk.path();
        install("a", pair(&path, "old")).unwrap();
        let filler = path.join("filler");
        let fill = || {
            std::fs::create_dir_all(&filler).unwrap();
            let _ = std::fs::write(filler.join("bytes"), vec![0; 200_000]);
            (0..)
                .take_while(|number| std::fs::File::create(filler.join(number.to_string())).is_ok())
                .for_each(drop);
        };
        let result = install_observed("a", pair(&path, "new"), &At(step, fill));
        let expected = if let Err(error) = &result {
            assert_eq!(error.kind(), "files.no_space", "{step:?}: {}", told(error));
            failures += 1;
            "old"
        } else {
            "new"
        };
        assert_eq!(
            (
                read(path.join("a.key")).as_str(),
                read(path.join("a.pem")).as_str()
            ),
            (expected, expected),
            "{step:?}"
        );
        let left: Vec<_> = names(&path)
            .into_iter()
            .filter(|name| name != "filler")
            .collect();
        assert_eq!(left, ["a.key", "a.pem"], "{step:?}");
    }
    assert!(failures >= 4, "only {failures} steps met the full disk");
}

#[test]
fn a_read_only_file_system_is_told_and_bothers_nobody_who_changes_nothing() {
    if !is_root("a_read_only_file_system_is_told_and_bothers_nobody_who_changes_nothing") {
        return;
    }
    let disk = SmallDisk::new("size=256k,mode=700");
    let path = disk.path();
    install("a", pair(&path, "old")).unwrap();
    disk.remount("ro");
    assert_eq!(
        install("a", pair(&path, "old")).unwrap(),
        Installed::default()
    );
    assert_eq!(recover([path.clone()]).unwrap(), []);
    let error = install("a", pair(&path, "new")).unwrap_err();
    assert_eq!(
        told(&error),
        format!(
            "cannot create a temporary file for '{}/a.key': Read-only file system (os error 30)",
            path.display()
        )
    );
    assert_eq!(
        error.hint(),
        Some("remount that file system read-write or choose another directory")
    );
    assert_eq!(names(&path), ["a.key", "a.pem"]);
}

#[test]
fn a_directory_that_turns_read_only_between_the_renames_gives_the_old_key_back() {
    if !is_root("a_directory_that_turns_read_only_between_the_renames_gives_the_old_key_back") {
        return;
    }
    let (_place, keys) = place();
    let disk = SmallDisk::new("size=256k,mode=700");
    let certificates = disk.path();
    let set = |content: &str| {
        vec![
            file(keys.join("a.key"), true, content),
            file(certificates.join("a.pem"), false, content),
        ]
    };
    install("a", set("old")).unwrap();
    let error = install_observed(
        "a",
        set("new"),
        &At(Step::JournalWritten, || disk.remount("ro")),
    )
    .unwrap_err();
    let expected = format!(
        "cannot replace '{}/a.pem': Read-only file system (os error 30)",
        certificates.display()
    );
    assert_eq!(told(&error), expected);
    let content = || (read(keys.join("a.key")), read(certificates.join("a.pem")));
    assert_eq!(content(), ("old".to_owned(), "old".to_owned()));
    assert_eq!(names(&keys), ["a.key"]);
    // What lies on the read-only file system could not be removed; the next run that can does it.
    disk.remount("rw");
    assert_eq!(recover([keys.clone(), certificates.clone()]).unwrap(), []);
    assert_eq!(names(&certificates), ["a.pem"]);
    install("a", set("new")).unwrap();
    assert_eq!(content(), ("new".to_owned(), "new".to_owned()));
}
