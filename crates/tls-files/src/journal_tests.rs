// SPDX-License-Identifier: Apache-2.0
#![expect(clippy::unwrap_used, reason = "tests")]

use std::os::unix::ffi::OsStringExt;
use std::os::unix::fs::PermissionsExt;

use proptest::prelude::*;

use super::*;

fn entry(directory: &str, file: &str) -> Entry {
    let name = |end: &str| {
        Some(OsString::from(format!(
            ".{file}.tls-everywhere.0123456789abcdef.{end}"
        )))
    };
    let (directory, file) = (OsString::from(directory), OsString::from(file));
    Entry {
        directory,
        file,
        new: name("new"),
        old: name("old"),
        backup: None,
    }
}

fn journal() -> Journal {
    Journal::new("api", vec![entry("/c", "a.key"), entry("/c", "a.pem")])
}

fn home() -> (tempfile::TempDir, Directory) {
    let place = tempfile::tempdir().unwrap();
    let home = Directory::open(place.path()).unwrap();
    (place, home)
}

#[test]
fn a_journal_has_this_form_and_only_paths() {
    let mut journal = journal();
    journal.entries.truncate(1);
    assert_eq!(
        String::from_utf8(journal.to_bytes()).unwrap(),
        concat!(
            r#"{"version":1,"set":"api","entries":[{"directory":"/c","file":"a.key","#,
            r#""new":".a.key.tls-everywhere.0123456789abcdef.new","#,
            r#""old":".a.key.tls-everywhere.0123456789abcdef.old"}]}"#,
            "\n"
        )
    );
}

#[test]
fn a_written_journal_is_private_and_comes_back() {
    let (place, home) = home();
    journal().write(&home).unwrap();
    let path = place.path().join(".tls-everywhere.api.journal");
    assert_eq!(
        path.metadata().unwrap().permissions().mode() & 0o7777,
        0o600
    );
    assert_eq!(
        Journal::read(&home, &journal().name()).unwrap(),
        Found::Complete(journal())
    );
    assert_eq!(
        Journal::read(&home, &names::journal("other")).unwrap(),
        Found::Absent
    );
    let error = journal().write(&home).unwrap_err().to_string();
    let home = home.path().display();
    assert_eq!(
        error,
        format!(
            "set 'api' is being changed already ('{home}/.tls-everywhere.api.journal' exists); name each set once"
        )
    );
}

#[test]
fn a_journal_that_was_cut_anywhere_had_not_begun() {
    let (place, home) = home();
    let bytes = journal().to_bytes();
    for length in 0..bytes.len() {
        std::fs::write(
            place.path().join(".tls-everywhere.api.journal"),
            &bytes[..length],
        )
        .unwrap();
        assert_eq!(
            Journal::read(&home, &journal().name()).unwrap(),
            Found::Incomplete,
            "{length}"
        );
    }
}

/// Writes the text as journal of set `api` and returns the message of the refusal, without the path.
fn refusal(text: &str, prepare: impl Fn(&Path)) -> String {
    let (place, home) = home();
    let path = place.path().join(".tls-everywhere.api.journal");
    std::fs::write(&path, text).unwrap();
    std::fs::set_permissions(&path, PermissionsExt::from_mode(0o600)).unwrap();
    prepare(&path);
    let message = Journal::read(&home, &names::journal("api"))
        .unwrap_err()
        .to_string();
    message.replace(
        &home
            .join(OsStr::new(".tls-everywhere.api.journal"))
            .display()
            .to_string(),
        "J",
    )
}

fn text_of(change: impl FnOnce(&mut Entry)) -> String {
    let mut journal = journal();
    change(&mut journal.entries[0]);
    String::from_utf8(journal.to_bytes()).unwrap()
}

#[test]
fn a_journal_that_others_could_have_written_is_not_trusted() {
    let good = text_of(|_| {});
    let open = refusal(&good, |path| {
        std::fs::set_permissions(path, PermissionsExt::from_mode(0o620)).unwrap()
    });
    assert_eq!(
        open,
        "journal 'J' is not trusted: others can write to it; find out who wrote it, then remove it"
    );
    let linked = refusal(&good, |path| {
        std::fs::hard_link(path, path.with_extension("second")).unwrap()
    });
    assert!(linked.contains("it has more than one name"), "{linked}");
    if rustix::process::geteuid().is_root() {
        let foreign = refusal(&good, |path| {
            std::os::unix::fs::chown(path, Some(12345), None).unwrap()
        });
        assert!(foreign.contains("it belongs to user 12345"), "{foreign}");
    }
}

#[test]
fn a_journal_can_only_rename_its_own_temporaries_in_place() {
    let not_ours = "it renames files that are not its temporaries";
    for (text, reason) in [
        (text_of(|e| e.new = Some("evil".into())), not_ours),
        (
            text_of(|e| e.new = Some(".b.tls-everywhere.0123456789abcdef.new".into())),
            not_ours,
        ),
        (
            text_of(|e| e.new = Some("../.a.key.tls-everywhere.0123456789abcdef.new".into())),
            not_ours,
        ),
        (text_of(|e| e.old = Some("/etc/shadow".into())), not_ours),
        (text_of(|e| (e.new, e.old) = (None, None)), not_ours),
        (
            text_of(|e| e.file = "../shadow".into()),
            "a file that is not a plain name",
        ),
        (
            text_of(|e| e.file = "..".into()),
            "a file that is not a plain name",
        ),
        (
            text_of(|e| e.directory = "c".into()),
            "a directory that is not a canonical path",
        ),
        (
            text_of(|e| e.directory = "/c/../etc".into()),
            "a directory that is not a canonical path",
        ),
        (
            text_of(|e| e.backup = Some("passwd".into())),
            "a backup that is not one",
        ),
        (
            text_of(|e| e.backup = Some("a.key/../x.1.2~".into())),
            "a backup that is not one",
        ),
        (
            text_of(|_| {}).replace("\"api\"", "\"other\""),
            "the name of another set",
        ),
        (
            "{\"version\":1,\"set\":\"api\",\"entries\":[]}\n".to_owned(),
            "no file, or too many",
        ),
    ] {
        let message = refusal(&text, |_| {});
        assert!(
            message.contains("not trusted") && message.contains(reason),
            "{text}: {message}"
        );
    }
}

#[test]
fn a_journal_that_is_complete_but_garbled_is_damaged() {
    assert_eq!(
        refusal("{\"version\":7,\"set\":\"api\",\"entries\":[]}\n", |_| {}),
        "journal 'J' is damaged: it has version 7, not 1; check that the key and the certificate of its set match, then remove it"
    );
    assert!(refusal("nonsense}\n", |_| {}).contains("is damaged: expected"));
    assert!(
        refusal(
            &text_of(|_| {}).replace("\"version\"", "\"more\":1,\"version\""),
            |_| {}
        )
        .contains("unknown field `more`")
    );
}

proptest! {
    #[test]
    fn every_journal_comes_back(
        set in "\\PC{0,40}",
        files in proptest::collection::vec((proptest::collection::vec(1_u8..=255, 1..20), any::<bool>(), any::<bool>()), 1..6),
    ) {
        let entries: Vec<Entry> = files
            .into_iter()
            .map(|(bytes, replaces, removes)| {
                let bytes: Vec<u8> = bytes.into_iter().map(|byte| if byte == b'/' { b'_' } else { byte }).collect();
                let file = OsString::from_vec([b"f", bytes.as_slice()].concat());
                let change = names::Change::random().unwrap();
                let new = (!removes).then(|| change.new_name(&file));
                let old = (replaces || removes).then(|| change.old_name(&file));
                let backup = replaces.then(|| names::backup(&file, 1, 0));
                Entry { directory: OsString::from_vec(b"/d\xff\"%".to_vec()), file, new, old, backup }
            })
            .collect();
        let journal = Journal::new(&set, entries);
        match Journal::parse(&journal.to_bytes(), &journal.name()) {
            Ok(found) => prop_assert_eq!(found, Found::Complete(journal)),
            Err(Fault::Damaged(reason)) => prop_assert!(false, "{}", reason),
            Err(Fault::Untrusted(reason)) => prop_assert!(false, "{}", reason),
        }
    }

    #[test]
    fn no_bytes_make_the_reader_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        let mut bytes = bytes;
        bytes.extend_from_slice(END);
        prop_assert!(Journal::parse(&bytes, OsStr::new("x")).is_err());
    }
}
