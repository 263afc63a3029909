// SPDX-License-Identifier: Apache-2.0
//! What the tests of this crate share: sets to install, and what is then in their directory.
#![allow(dead_code, reason = "each test binary uses its part")]
#![expect(clippy::unwrap_used, reason = "tests")]

use std::error::Error as _;
use std::io::Write as _;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use tls_files::{Attributes, Error, FileChange, Target};
use zeroize::Zeroizing;

pub(crate) fn target(path: impl Into<PathBuf>, secret: bool) -> Target {
    Target {
        path: path.into(),
        attributes: Attributes::default(),
        secret,
        backup: false,
    }
}

pub(crate) fn file(path: impl Into<PathBuf>, secret: bool, content: &str) -> FileChange {
    FileChange {
        target: target(path, secret),
        content: Zeroizing::new(content.as_bytes().to_vec()),
    }
}

pub(crate) fn pair(directory: &Path, content: &str) -> Vec<FileChange> {
    vec![
        file(directory.join("a.key"), true, content),
        file(directory.join("a.pem"), false, content),
    ]
}

pub(crate) fn read(path: PathBuf) -> String {
    std::fs::read_to_string(path).unwrap()
}

pub(crate) fn names(directory: &Path) -> Vec<String> {
    let mut names: Vec<String> = std::fs::read_dir(directory)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

pub(crate) fn mode(path: &Path) -> u32 {
    path.metadata().unwrap().mode() & 0o7777
}

pub(crate) fn place() -> (tempfile::TempDir, PathBuf) {
    let place = tempfile::tempdir().unwrap();
    let path = place.path().canonicalize().unwrap();
    (place, path)
}

/// The message and the cause, as the protocol joins them.
pub(crate) fn told(error: &Error) -> String {
    error
        .source()
        .map_or_else(|| error.to_string(), |cause| format!("{error}: {cause}"))
}

/// For tests that need root, be it to mount or to give files away: true if we are; with TEST_MUST_MOUNT set, as
/// in CI, it must be so.
pub(crate) fn is_root(test: &str) -> bool {
    let root = rustix::process::geteuid().is_root();
    if !root {
        assert!(
            std::env::var_os("TEST_MUST_MOUNT").is_none(),
            "{test} needs root, and TEST_MUST_MOUNT says that it must not be skipped"
        );
        // Not `eprintln!`, which is not shown of a test that passes.
        let _ = writeln!(std::io::stderr(), "skipped: {test} needs root");
    }
    root
}
