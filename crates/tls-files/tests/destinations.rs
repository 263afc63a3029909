// SPDX-License-Identifier: Apache-2.0
//! Destinations that no file of a certificate may have, or only just: each refusal says what, where and what to do.
#![expect(clippy::unwrap_used, clippy::panic, reason = "tests")]

mod support;

use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;

use support::{file, names, pair, place, read, target, told};
use tls_files::{Error, Mode, Observed, check_destination, install, observe};

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
