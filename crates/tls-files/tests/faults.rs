// SPDX-License-Identifier: Apache-2.0
//! The bad days of an operator: each gets a message that says what, where and what to do, and nothing is lost.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stderr,
    reason = "tests"
)]

use std::error::Error as _;
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Mutex;

use tls_files::{
    Attributes, Drift, Error, FileChange, Installed, Mode, Observed, Step, Steps, Target,
    attribute_drift, check_destination, fix_attributes, install, install_observed, observe,
    recover, remove,
};
use zeroize::Zeroizing;

fn target(path: impl Into<PathBuf>, secret: bool) -> Target {
    Target {
        path: path.into(),
        attributes: Attributes::default(),
        secret,
        backup: false,
    }
}

fn file(path: impl Into<PathBuf>, secret: bool, content: &str) -> FileChange {
    FileChange {
        target: target(path, secret),
        content: Zeroizing::new(content.as_bytes().to_vec()),
    }
}

fn pair(directory: &Path, content: &str) -> Vec<FileChange> {
    vec![
        file(directory.join("a.key"), true, content),
        file(directory.join("a.pem"), false, content),
    ]
}

fn read(path: PathBuf) -> String {
    std::fs::read_to_string(path).unwrap()
}

fn names(directory: &Path) -> Vec<String> {
    let mut names: Vec<String> = std::fs::read_dir(directory)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

fn mode(path: &Path) -> u32 {
    path.metadata().unwrap().mode() & 0o7777
}

fn place() -> (tempfile::TempDir, PathBuf) {
    let place = tempfile::tempdir().unwrap();
    let path = place.path().canonicalize().unwrap();
    (place, path)
}

/// The message and the cause, as the protocol joins them.
fn told(error: &Error) -> String {
    error
        .source()
        .map_or_else(|| error.to_string(), |cause| format!("{error}: {cause}"))
}

/// For tests that need root: true if we are; in CI it must be so.
fn is_root(test: &str) -> bool {
    let root = rustix::process::geteuid().is_root();
    if !root {
        assert!(
            std::env::var_os("CI").is_none(),
            "{test} needs root, and CI must not skip it"
        );
        eprintln!("skipped: {test} needs root");
    }
    root
}

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
fn a_directory_at_the_destination_is_refused() {
    let (_place, path) = place();
    std::fs::create_dir(path.join("a.key")).unwrap();
    let error = install("a", pair(&path, "1")).unwrap_err();
    assert_eq!(
        told(&error),
        format!(
            "'{}/a.key' is a directory; give the path of a file",
            path.display()
        )
    );
    assert!(matches!(
        observe(&path.join("a.key")),
        Observed::Unreadable(Error::IsDirectory { .. })
    ));
    assert_eq!(names(&path), ["a.key"]);
    for ending in ["a.pem/", "a.pem/.", ".."] {
        let error =
            check_destination(&target(format!("{}/{ending}", path.display()), false)).unwrap_err();
        assert_eq!(error.kind(), "files.invalid_path", "{error}");
    }
}

#[test]
fn a_missing_directory_is_named() {
    let (_place, path) = place();
    let error = install("a", pair(&path.join("no"), "1")).unwrap_err();
    assert_eq!(
        told(&error),
        format!(
            "directory '{}/no' does not exist; create it first",
            path.display()
        )
    );
    assert!(matches!(observe(&path.join("no/a.key")), Observed::Absent));
    std::fs::write(path.join("file"), "").unwrap();
    let error = check_destination(&target(path.join("file/a.key"), true)).unwrap_err();
    let expected = format!(
        "'{0}/file' is not a directory; '{0}/file/a.key' cannot be in it",
        path.display()
    );
    assert_eq!(told(&error), expected);
}

#[test]
fn links_are_followed_within_their_directory_only() {
    let (_place, path) = place();
    let elsewhere = path.join("elsewhere");
    std::fs::create_dir(&elsewhere).unwrap();
    std::fs::write(elsewhere.join("victim"), "victim").unwrap();
    symlink("gone.pem", path.join("dangling")).unwrap();
    symlink("/no/such/place", path.join("far")).unwrap();
    symlink("elsewhere/victim", path.join("leaving")).unwrap();
    symlink("circle", path.join("circle")).unwrap();
    let refusal =
        |name: &str| told(&install("a", vec![file(path.join(name), true, "1")]).unwrap_err());
    let at = path.display();
    let dangling = |name, to| {
        format!(
            "'{at}/{name}' is a symbolic link to '{to}', which does not exist; remove the link or create its target"
        )
    };
    assert_eq!(refusal("dangling"), dangling("dangling", "gone.pem"));
    assert_eq!(refusal("far"), dangling("far", "/no/such/place"));
    assert_eq!(
        refusal("leaving"),
        format!(
            "'{at}/leaving' is a symbolic link to 'elsewhere/victim', outside its directory; give the path of the file itself"
        )
    );
    assert_eq!(
        refusal("circle"),
        format!("'{at}/circle' is not the path of a file: its symbolic links run in a circle")
    );
    assert_eq!(read(elsewhere.join("victim")), "victim");
    assert!(matches!(
        observe(&path.join("dangling")),
        Observed::Unreadable(Error::DanglingLink { .. })
    ));

    std::fs::write(path.join("real.pem"), "old").unwrap();
    symlink("real.pem", path.join("near")).unwrap();
    symlink(path.join("near"), path.join("nearer")).unwrap();
    assert_eq!(
        install("a", vec![file(path.join("nearer"), false, "new")])
            .unwrap()
            .files,
        [path.join("nearer")]
    );
    assert_eq!(read(path.join("real.pem")), "new");
    assert!(path.join("near").is_symlink() && path.join("nearer").is_symlink());
    let Observed::Present(found) = observe(&path.join("nearer")) else {
        panic!()
    };
    assert!(found.is_symlink && *found.bytes == *b"new");

    // Through a link to the directory, which is the host's layout.
    symlink(&elsewhere, path.join("layout")).unwrap();
    install("a", vec![file(path.join("layout/b.pem"), false, "b")]).unwrap();
    assert_eq!(read(elsewhere.join("b.pem")), "b");
}

#[test]
fn a_secret_is_not_written_where_everybody_writes() {
    let (_place, path) = place();
    for bits in [0o777, 0o1777] {
        std::fs::set_permissions(&path, PermissionsExt::from_mode(bits)).unwrap();
        assert_eq!(
            told(&install("a", pair(&path, "1")).unwrap_err()),
            format!(
                "refusing to write the secret '{0}/a.key' into '{0}', which is writable by everybody (mode {bits:04o}); choose another directory or remove that permission with 'chmod o-w'",
                path.display()
            )
        );
    }
    assert!(install("a", vec![file(path.join("a.pem"), false, "1")]).is_ok());
}

#[test]
fn a_secret_is_not_opened_to_everybody() {
    let (_place, path) = place();
    let mut changes = pair(&path, "1");
    changes[0].target.attributes.mode = Some(Mode::new(0o644));
    assert_eq!(
        told(&install("a", changes).unwrap_err()),
        format!(
            "refusing mode 0644 for the secret '{}/a.key': it grants access to everybody; use '0640' with a group, or '0600'",
            path.display()
        )
    );
    assert_eq!(names(&path), Vec::<String>::new());
}

#[test]
fn what_is_no_file_is_not_read_and_not_replaced() {
    let (_place, path) = place();
    let socket = path.join("socket");
    let _listener = std::os::unix::net::UnixListener::bind(&socket).unwrap();
    let refusal = format!(
        "'{}' is a socket, not a file; give the path of a file",
        socket.display()
    );
    assert_eq!(
        told(&install("a", vec![file(&socket, false, "1")]).unwrap_err()),
        refusal
    );
    let Observed::Unreadable(error) = observe(&socket) else {
        panic!()
    };
    assert_eq!(told(&error), refusal);
    let Observed::Unreadable(error) = observe(Path::new("/dev/null")) else {
        panic!()
    };
    assert_eq!(
        told(&error),
        "'/dev/null' is a device, not a file; give the path of a file"
    );
}

#[test]
fn a_file_too_large_is_not_read() {
    let (_place, path) = place();
    let large = path.join("large");
    std::fs::File::create(&large)
        .unwrap()
        .set_len(16 * 1024 * 1024 + 1)
        .unwrap();
    let Observed::Unreadable(error) = observe(&large) else {
        panic!()
    };
    let expected = format!(
        "'{}' is larger than 16777216 bytes, which no file of a certificate is",
        large.display()
    );
    assert_eq!(told(&error), expected);
}

#[test]
fn one_path_twice_is_refused_even_in_two_spellings() {
    let (_place, path) = place();
    symlink(&path, path.join("same")).unwrap();
    let changes = vec![
        file(path.join("a.key"), true, "1"),
        file(path.join("same/a.key"), true, "2"),
    ];
    assert_eq!(
        told(&install("a", changes).unwrap_err()),
        format!(
            "'{}/same/a.key' is named twice in set 'a'; give each file its own path",
            path.display()
        )
    );
}

#[test]
fn new_files_have_their_attributes_and_old_ones_keep_theirs() {
    let (_place, path) = place();
    install("a", pair(&path, "1")).unwrap();
    assert_eq!(
        (mode(&path.join("a.key")), mode(&path.join("a.pem"))),
        (0o600, 0o644)
    );
    std::fs::set_permissions(path.join("a.key"), PermissionsExt::from_mode(0o644)).unwrap();
    std::fs::set_permissions(path.join("a.pem"), PermissionsExt::from_mode(0o640)).unwrap();
    let mut changes = pair(&path, "2");
    if is_root("owners") {
        std::os::unix::fs::chown(path.join("a.pem"), Some(4711), Some(4712)).unwrap();
        changes[0].target.attributes.owner = Some(4713);
    }
    install("a", changes).unwrap();
    assert_eq!(
        (mode(&path.join("a.key")), mode(&path.join("a.pem"))),
        (0o640, 0o640)
    );
    if is_root("owners") {
        let owners = |name| {
            path.join(name)
                .metadata()
                .map(|found| (found.uid(), found.gid()))
                .unwrap()
        };
        assert_eq!(owners("a.pem"), (4711, 4712));
        assert_eq!(owners("a.key"), (4713, 0));
    }
}

#[test]
fn a_file_that_is_right_is_not_touched() {
    let (_place, path) = place();
    install("a", pair(&path, "1")).unwrap();
    let inodes = || ["a.key", "a.pem"].map(|name| path.join(name).metadata().unwrap().ino());
    let before = inodes();
    assert_eq!(
        install("a", pair(&path, "1")).unwrap(),
        Installed::default()
    );
    assert_eq!(inodes(), before);
    let mut changes = pair(&path, "1");
    changes[1].target.attributes.mode = Some(Mode::parse("g-r,o-r").unwrap());
    assert_eq!(install("a", changes).unwrap().files, [path.join("a.pem")]);
    assert_eq!((inodes()[0], mode(&path.join("a.pem"))), (before[0], 0o600));
}

#[test]
fn a_backup_is_the_old_file_under_ansibles_name() {
    let (_place, path) = place();
    let with_backup = |content| {
        let mut changes = pair(&path, content);
        changes
            .iter_mut()
            .for_each(|change| change.target.backup = true);
        changes
    };
    assert_eq!(
        install("a", with_backup("1")).unwrap().backups,
        Vec::<PathBuf>::new()
    );
    let backups = install("a", with_backup("2")).unwrap().backups;
    let prefix = format!("{}/a.key.{}.20", path.display(), std::process::id());
    let name = backups[0].to_str().unwrap();
    assert!(
        name.starts_with(&prefix)
            && name.ends_with('~')
            && name.as_bytes()[name.len() - 10] == b'@',
        "{name}"
    );
    assert_eq!(
        (read(backups[0].clone()), mode(&backups[0])),
        ("1".to_owned(), 0o600)
    );
    assert_eq!((backups.len(), names(&path).len()), (2, 4));
}

#[test]
fn drift_is_found_and_repaired_in_place() {
    let (_place, path) = place();
    install("a", pair(&path, "1")).unwrap();
    let mut wanted = target(path.join("a.pem"), false);
    wanted.attributes.mode = Some(Mode::new(0o640));
    let Observed::Present(found) = observe(&wanted.path) else {
        panic!()
    };
    let drift = Drift {
        what: "mode",
        before: "0644".to_owned(),
        after: "0640".to_owned(),
    };
    assert_eq!(attribute_drift(&wanted, &found), [drift]);
    let inode = wanted.path.metadata().unwrap().ino();
    assert_eq!(
        fix_attributes(std::slice::from_ref(&wanted)).unwrap(),
        [wanted.path.clone()]
    );
    assert_eq!(
        (mode(&wanted.path), wanted.path.metadata().unwrap().ino()),
        (0o640, inode)
    );
    assert_eq!(
        fix_attributes(std::slice::from_ref(&wanted)).unwrap(),
        Vec::<PathBuf>::new()
    );
    if is_root("owners") {
        wanted.attributes.owner = Some(4711);
        wanted.attributes.mode = Some(Mode::new(0o600));
        fix_attributes(std::slice::from_ref(&wanted)).unwrap();
        assert_eq!(
            (wanted.path.metadata().unwrap().uid(), mode(&wanted.path)),
            (4711, 0o600)
        );
    }
    std::fs::hard_link(&wanted.path, path.join("second")).unwrap();
    wanted.attributes.mode = Some(Mode::new(0o644));
    assert_eq!(
        told(&fix_attributes(&[wanted.clone()]).unwrap_err()),
        format!(
            "refusing to change owner or mode of '{}', which has 2 names (hard links); remove the other names or replace the file",
            wanted.path.display()
        )
    );
}

#[test]
fn a_set_is_removed_with_its_links_but_not_beyond_its_directory() {
    let (_place, path) = place();
    install("a", pair(&path, "1")).unwrap();
    let outside = path.join("outside");
    std::fs::create_dir(&outside).unwrap();
    std::fs::write(outside.join("kept"), "kept").unwrap();
    symlink("a.pem", path.join("inner")).unwrap();
    symlink("outside/kept", path.join("outer")).unwrap();
    let paths = ["a.key", "inner", "outer", "missing"].map(|name| path.join(name));
    assert_eq!(remove("a", &paths).unwrap(), &paths[..3]);
    assert_eq!(names(&path), ["outside"]);
    assert_eq!(read(outside.join("kept")), "kept");
    assert_eq!(remove("a", &paths).unwrap(), Vec::<PathBuf>::new());
    let error = remove("a", std::slice::from_ref(&outside)).unwrap_err();
    assert_eq!(
        told(&error),
        format!(
            "'{}' is a directory; give the path of a file",
            outside.display()
        )
    );
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

#[test]
fn steps_come_in_their_order() {
    struct Record(Mutex<Vec<Step>>);
    impl Steps for Record {
        fn reached(&self, step: Step, _: &Path) {
            self.0.lock().unwrap().push(step);
        }
    }
    let (_place, path) = place();
    install("a", pair(&path, "1")).unwrap();
    let record = Record(Mutex::default());
    // This test program does not know '--commit', so it is also the test of a change without a committer.
    let installed = install_observed("a", pair(&path, "2"), &record).unwrap();
    assert!(
        installed.warnings[0].starts_with("no committer for set 'a' (")
            && installed.warnings.len() == 1,
        "{:?}",
        installed.warnings
    );
    use Step::{
        CommitBegun, DirectoriesSynced, JournalRemoved, JournalWritten, LeftoversRemoved, OldKept,
        Renamed, TemporariesSynced, TemporaryCreated, TemporaryWritten,
    };
    let expected = [
        TemporaryCreated,
        TemporaryWritten,
        TemporaryCreated,
        TemporaryWritten,
        TemporariesSynced,
        OldKept,
        OldKept,
        JournalWritten,
        CommitBegun,
        Renamed,
        Renamed,
        DirectoriesSynced,
        JournalRemoved,
        LeftoversRemoved,
    ];
    assert_eq!(*record.0.lock().unwrap(), expected);
}

#[test]
fn a_pointer_that_is_not_ours_moves_nothing() {
    let (_place, path) = place();
    let (mine, theirs) = (path.join("mine"), path.join("theirs"));
    std::fs::create_dir(&mine).unwrap();
    std::fs::create_dir(&theirs).unwrap();
    std::fs::write(mine.join("a.pem"), "mine").unwrap();
    // A journal of ours in one directory may not act in another that does not point back to it.
    let temporary = ".a.pem.tls-everywhere.0123456789abcdef.new";
    std::fs::write(mine.join(temporary), "evil").unwrap();
    let journal = theirs.join(".tls-everywhere.a.journal");
    let text = format!(
        r#"{{"version":1,"set":"a","entries":[{{"directory":"{}","file":"a.pem","new":"{temporary}"}}]}}"#,
        mine.display()
    );
    std::fs::write(&journal, text + "\n").unwrap();
    std::fs::set_permissions(&journal, PermissionsExt::from_mode(0o600)).unwrap();
    assert_eq!(
        told(&recover([theirs.clone()]).unwrap_err()),
        format!(
            "journal '{}' is not trusted: it names files in '{}', which does not point back to it; find out who wrote it, then remove it",
            journal.display(),
            mine.display()
        )
    );
    assert_eq!(read(mine.join("a.pem")), "mine");
    if is_root("owners") {
        std::fs::remove_file(&journal).unwrap();
        symlink(mine.join(".tls-everywhere.a.journal"), &journal).unwrap();
        std::os::unix::fs::lchown(&journal, Some(4711), None).unwrap();
        assert_eq!(
            told(&recover([theirs]).unwrap_err()),
            format!(
                "journal '{}' is not trusted: it is a symbolic link of another user; find out who wrote it, then remove it",
                journal.display()
            )
        );
    }
}

#[test]
fn names_of_any_bytes_and_full_length_are_files_too() {
    use std::os::unix::ffi::OsStringExt;
    let (_place, path) = place();
    let odd = std::ffi::OsString::from_vec(b"a\xff \"%.pem".to_vec());
    let long = "l".repeat(255);
    let set = |content| {
        vec![
            file(path.join(&odd), true, content),
            file(path.join(&long), false, content),
        ]
    };
    for content in ["1", "2"] {
        install("näme/with: all & %", set(content)).unwrap();
        assert_eq!(
            (read(path.join(&odd)), read(path.join(&long))),
            (content.to_owned(), content.to_owned())
        );
    }
    assert_eq!(std::fs::read_dir(&path).unwrap().count(), 2);
}
