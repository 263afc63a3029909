// SPDX-License-Identifier: Apache-2.0
//! The files of a set: their attributes, backups and removal, the order of the steps, and journals of others.
#![expect(clippy::unwrap_used, clippy::panic, reason = "tests")]

mod support;

use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::sync::Mutex;

use support::{is_root, mode, names, pair, place, read, target, told};
use tls_files::{
    Drift, Installed, Mode, Observed, Step, Steps, attribute_drift, fix_attributes, install,
    install_observed, observe, recover, remove,
};

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
