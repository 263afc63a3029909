// SPDX-License-Identifier: Apache-2.0
//! A private tree, and listings of it that show whether anything moved.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;
use tempfile::TempDir;

use crate::must;

/// What stands for the path of the tree in arguments and expectations.
const PLACEHOLDER: &str = "$DIR";

/// A temporary directory (mode 0755) that is removed at the end.
#[derive(Debug)]
pub struct Sandbox {
    root: TempDir,
}

impl Default for Sandbox {
    fn default() -> Self {
        Self::new()
    }
}

impl Sandbox {
    /// An empty tree.
    #[track_caller]
    pub fn new() -> Self {
        let root = must(
            tempfile::Builder::new().prefix("sandbox-").tempdir(),
            "cannot make a sandbox",
        );
        // The usual mode of a parent directory, not the 0700 of a temporary one, which would hide mistakes.
        must(
            fs::set_permissions(root.path(), PermissionsExt::from_mode(0o755)),
            "cannot set the mode",
        );
        Self { root }
    }

    /// The path of the tree.
    pub fn path(&self) -> &Path {
        self.root.path()
    }

    /// The path of something inside.
    pub fn join(&self, inside: impl AsRef<Path>) -> PathBuf {
        self.root.path().join(inside)
    }

    /// Writes a file with mode 0644, making the directories above it.
    #[track_caller]
    pub fn write(&self, inside: impl AsRef<Path>, content: impl AsRef<[u8]>) -> PathBuf {
        let path = self.join(inside);
        if let Some(parent) = path.parent() {
            must(fs::create_dir_all(parent), "cannot make a directory");
        }
        must(
            fs::write(&path, content),
            "cannot write a file of the sandbox",
        );
        must(
            fs::set_permissions(&path, PermissionsExt::from_mode(0o644)),
            "cannot set the mode",
        );
        path
    }

    /// The content of a file.
    #[track_caller]
    pub fn read(&self, inside: impl AsRef<Path>) -> Vec<u8> {
        let path = self.join(inside);
        must(fs::read(&path), &format!("cannot read {}", path.display()))
    }

    /// The permission bits of a file, such as 0o600.
    #[track_caller]
    pub fn mode(&self, inside: impl AsRef<Path>) -> u32 {
        let path = self.join(inside);
        must(
            fs::symlink_metadata(&path),
            &format!("cannot look at {}", path.display()),
        )
        .mode()
            & 0o7777
    }

    /// Copies the content of a directory into the tree; symbolic links stay links.
    #[track_caller]
    pub fn copy_from(&self, source: &Path) {
        let status = Command::new("cp")
            .arg("-a")
            .arg(source.join("."))
            .arg(self.path())
            .status();
        assert!(
            must(status, "cannot start cp").success(),
            "cannot copy {}",
            source.display()
        );
        must(
            fs::set_permissions(self.path(), PermissionsExt::from_mode(0o755)),
            "cannot set the mode",
        );
    }

    /// `value` with `$DIR` replaced by the path of the tree in every string.
    pub fn place(&self, value: &Value) -> Value {
        match value {
            Value::String(text) => self.place_text(text).into(),
            Value::Array(items) => items.iter().map(|item| self.place(item)).collect(),
            Value::Object(map) => Value::Object(
                map.iter()
                    .map(|(key, item)| (self.place_text(key), self.place(item)))
                    .collect(),
            ),
            other => other.clone(),
        }
    }

    fn place_text(&self, text: &str) -> String {
        text.replace(PLACEHOLDER, &self.path().to_string_lossy())
    }

    /// What is in the tree now.
    #[track_caller]
    pub fn listing(&self) -> Listing {
        Listing::of(self.path())
    }

    /// Fails if anything in the tree moved since `before`, be it a time stamp.
    #[track_caller]
    pub fn assert_unmoved(&self, before: &Listing, when: &str) {
        let moved = before.differences(&self.listing());
        assert!(
            moved.is_empty(),
            "{when}: something on disk moved:\n{}",
            moved.join("\n")
        );
    }
}

/// One file, directory or link of a listing.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Entry {
    /// `f`, `d`, `l` or `?` for what is none of these.
    pub kind: char,
    /// Permission bits.
    pub mode: u32,
    /// Owner and group.
    pub owner: (u32, u32),
    /// Bytes; 0 for a directory.
    pub size: u64,
    /// SHA-256 of a file in hex, or the target of a link, or empty.
    pub content: String,
    /// Inode number and modification time in nanoseconds: a file that was replaced by an equal one did move.
    pub identity: (u64, i128),
}

impl std::fmt::Display for Entry {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self {
            kind,
            mode,
            owner: (uid, gid),
            size,
            content,
            identity: (inode, mtime),
        } = self;
        write!(
            out,
            "{kind} {mode:04o} {uid}:{gid} {size} {content} inode {inode} mtime {mtime}"
        )
    }
}

/// All of a tree by relative path; the tree itself is `.`.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Listing(pub BTreeMap<PathBuf, Entry>);

impl Listing {
    /// The listing of a directory; links are not followed.
    #[track_caller]
    pub fn of(root: &Path) -> Self {
        let mut entries = BTreeMap::new();
        visit(root, Path::new("."), &mut entries);
        let files: Vec<PathBuf> = entries
            .iter()
            .filter(|(_, entry)| entry.kind == 'f')
            .map(|(path, _)| path.clone())
            .collect();
        for (path, digest) in digests(root, &files) {
            if let Some(entry) = entries.get_mut(&path) {
                entry.content = digest;
            }
        }
        Self(entries)
    }

    /// What differs, one line each: `+` new, `-` gone, `~` other.
    pub fn differences(&self, after: &Self) -> Vec<String> {
        let mut lines = Vec::new();
        for (path, old) in &self.0 {
            match after.0.get(path) {
                None => lines.push(format!("- {} {old}", path.display())),
                Some(new) if new != old => {
                    lines.push(format!("~ {} {old} -> {new}", path.display()))
                }
                Some(_) => {}
            }
        }
        let new = after
            .0
            .iter()
            .filter(|(path, _)| !self.0.contains_key(*path));
        lines.extend(new.map(|(path, entry)| format!("+ {} {entry}", path.display())));
        lines
    }
}

impl std::fmt::Display for Listing {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0
            .iter()
            .try_for_each(|(path, entry)| writeln!(out, "{entry} {}", path.display()))
    }
}

fn visit(root: &Path, inside: &Path, entries: &mut BTreeMap<PathBuf, Entry>) {
    let path = root.join(inside);
    let metadata = must(
        fs::symlink_metadata(&path),
        &format!("cannot look at {}", path.display()),
    );
    let (kind, content) = match metadata.file_type() {
        it if it.is_dir() => ('d', String::new()),
        it if it.is_file() => ('f', String::new()),
        it if it.is_symlink() => (
            'l',
            fs::read_link(&path)
                .map(|target| target.display().to_string())
                .unwrap_or_default(),
        ),
        _ => ('?', String::new()),
    };
    let mtime = i128::from(metadata.mtime()) * 1_000_000_000 + i128::from(metadata.mtime_nsec());
    let entry = Entry {
        kind,
        mode: metadata.mode() & 0o7777,
        owner: (metadata.uid(), metadata.gid()),
        size: if kind == 'd' { 0 } else { metadata.len() },
        content,
        identity: (metadata.ino(), mtime),
    };
    entries.insert(inside.to_owned(), entry);
    if kind != 'd' {
        return;
    }
    for item in must(
        fs::read_dir(&path),
        &format!("cannot list {}", path.display()),
    ) {
        let name = must(item, "cannot list").file_name();
        let below = if inside == Path::new(".") {
            PathBuf::from(name)
        } else {
            inside.join(name)
        };
        visit(root, &below, entries);
    }
}

/// SHA-256 by an independent program, many files a call.
fn digests(root: &Path, files: &[PathBuf]) -> Vec<(PathBuf, String)> {
    let mut found = Vec::new();
    for chunk in files.chunks(500) {
        let output = Command::new("sha256sum")
            .arg("--")
            .args(chunk)
            .current_dir(root)
            .output();
        let output = must(output, "cannot start sha256sum");
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(
            output.status.success(),
            "sha256sum: {}",
            String::from_utf8_lossy(&output.stderr)
        );
        // One line a file in the order given; a name with a line break or backslash is only marked by it.
        let sums = text
            .lines()
            .map(|line| line.trim_start_matches('\\').chars().take(64).collect());
        found.extend(chunk.iter().cloned().zip(sums));
    }
    found
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use serde_json::json;

    use super::*;

    #[test]
    fn a_listing_shows_path_mode_size_and_digest() {
        let sandbox = Sandbox::new();
        let path = sandbox.write("a/key.pem", "abc");
        must(
            fs::set_permissions(&path, PermissionsExt::from_mode(0o600)),
            "chmod",
        );
        must(symlink("a/key.pem", sandbox.join("link")), "symlink");
        let listing = sandbox.listing();
        let Some(entry) = listing.0.get(Path::new("a/key.pem")) else {
            panic!("{listing}")
        };
        // FIPS 180-2 appendix B.1: the digest of "abc".
        assert_eq!(
            entry.content,
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
        );
        assert_eq!((entry.kind, entry.mode, entry.size), ('f', 0o600, 3));
        assert_eq!(
            listing.0.get(Path::new("link")).map(|e| e.content.as_str()),
            Some("a/key.pem")
        );
        assert_eq!(
            listing
                .0
                .keys()
                .map(|p| p.display().to_string())
                .collect::<Vec<_>>(),
            [".", "a", "a/key.pem", "link"]
        );
    }

    #[test]
    fn an_equal_file_in_the_place_of_another_did_move() {
        let sandbox = Sandbox::new();
        sandbox.write("f", "same");
        let before = sandbox.listing();
        sandbox.assert_unmoved(&before, "at once");
        sandbox.write("g", "same");
        must(fs::rename(sandbox.join("g"), sandbox.join("f")), "rename");
        let moved = before.differences(&sandbox.listing());
        assert!(
            moved.iter().any(|line| line.starts_with("~ f ")),
            "{moved:?}"
        );
    }

    #[test]
    fn the_placeholder_is_replaced_at_every_depth() {
        let sandbox = Sandbox::new();
        let root = sandbox.path().display().to_string();
        let placed = sandbox.place(&json!({"a": ["$DIR/x", 1], "$DIR": {"b": "-$DIR-"}}));
        assert_eq!(placed["a"][0], format!("{root}/x"));
        assert_eq!(placed[&root]["b"], format!("-{root}-"));
    }
}
