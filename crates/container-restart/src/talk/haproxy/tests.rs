// SPDX-License-Identifier: Apache-2.0
#![expect(clippy::unwrap_used, reason = "tests")]

use super::*;

#[test]
fn the_name_that_haproxy_binds_is_not_that_of_the_socket() {
    let cases = [
        ("/run/h.sock.17.tmp", "/run/h.sock"),
        ("/run/h.sock", "/run/h.sock"),
        ("/run/h.tmp", "/run/h.tmp"),
        ("/run/h..tmp", "/run/h..tmp"),
    ];
    for (kernel, name) in cases {
        assert_eq!(bound(Path::new(kernel)), Path::new(name));
    }
}

#[test]
fn the_list_is_read_and_a_transaction_of_somebody_else_respected() {
    let list = "# filename\n/certs/a.pem\n/certs/b.pem\n\n";
    let names = listed(list).unwrap();
    assert_eq!(
        names,
        [Path::new("/certs/a.pem"), Path::new("/certs/b.pem")]
    );
    assert_eq!(listed("# filename\n\n").unwrap(), Vec::<PathBuf>::new());
    for other in [
        "# transaction\n*/certs/a.pem\n\n# filename\n/certs/a.pem\n",
        "Unknown command: 'show ssl cert'\n",
        "HTTP/1.0 400 Bad request\r\n",
        "",
    ] {
        assert!(matches!(listed(other), Err(Trouble::Other(_))), "{other}");
    }
}

#[test]
fn an_answer_that_repeats_what_was_sent_is_not_shown() {
    let payload = "-----BEGIN PRIVATE KEY-----\nMIGHAgEAMBMG\n-----END PRIVATE KEY-----\n";
    let echo = without(b"Unknown command: 'MIGHAgEAMBMG'", payload);
    assert!(!echo.contains("MIGH"), "{echo}");
    assert_eq!(
        without(b"Permission\n denied\n", payload),
        "Permission denied"
    );
}

#[test]
fn a_name_that_haproxy_would_read_as_two_words_is_left_alone() {
    for odd in ["/a b", "/a;b", "/a\\b", "relative.pem", "", "/a\nb"] {
        assert!(!is_plain(Path::new(odd)), "{odd}");
    }
    assert!(is_plain(Path::new("/etc/haproxy/ssl/a-b_1.pem")));
}

#[test]
fn no_empty_line_is_in_what_is_sent() {
    let made = std::process::Command::new("openssl")
        .args([
            "genpkey",
            "-algorithm",
            "EC",
            "-pkeyopt",
            "ec_paramgen_curve:P-256",
        ])
        .output()
        .unwrap();
    let key = String::from_utf8(made.stdout).unwrap();
    let file = format!("Bag Attributes\n\n{}\n\n\r\n", key.replace('\n', "\r\n"));
    let text = blocks(Path::new("/c"), file.as_bytes()).unwrap();
    assert_eq!(text.as_str(), key);
    let encrypted = key.replacen("-----\n", "-----\nProc-Type: 4,ENCRYPTED\n\n", 1);
    assert!(blocks(Path::new("/c"), encrypted.as_bytes()).is_err());
}
