// SPDX-License-Identifier: Apache-2.0
#![expect(clippy::unwrap_used, reason = "tests")]

use proptest::prelude::*;

use super::*;

fn error_of(text: &[u8]) -> String {
    decode(text, "certificate").unwrap_err().to_string()
}

#[test]
fn blocks_come_in_order_with_any_text_around() {
    let text = format!(
        "subject=CN = a\r\n{}\nkey:\n{}tail",
        encode("CERTIFICATE", b"one"),
        encode("PRIVATE KEY", b"two")
    );
    let blocks = decode(text.replace('\n', "\r\n").as_bytes(), "bundle").unwrap();
    let seen: Vec<(&str, &[u8])> = blocks
        .iter()
        .map(|block| (block.label.as_str(), block.der.as_slice()))
        .collect();
    assert_eq!(
        seen,
        [("CERTIFICATE", &b"one"[..]), ("PRIVATE KEY", &b"two"[..])]
    );
}

#[test]
fn a_missing_line_break_between_two_blocks_does_no_harm() {
    let text = format!(
        "\u{feff}{}{}",
        encode("A", b"one").trim_end(),
        encode("B", b"two")
    );
    assert_eq!(
        describe(&decode(text.as_bytes(), "bundle").unwrap()),
        "a A block and a B block"
    );
}

#[test]
fn header_lines_of_rfc_1421_are_read_and_folded_ones_joined() {
    let text = "-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES-256-CBC,\n 00FF\n\nb25l\n-----END RSA PRIVATE KEY-----";
    let block = decode(text.as_bytes(), "key").unwrap().remove(0);
    let expected = [
        ("Proc-Type", "4,ENCRYPTED"),
        ("DEK-Info", "AES-256-CBC,00FF"),
    ];
    assert_eq!(
        block.headers,
        expected.map(|(name, value)| (name.to_owned(), value.to_owned()))
    );
    assert_eq!(block.der.as_slice(), b"one");
}

#[test]
fn each_fault_has_its_own_message() {
    assert_eq!(error_of(b" \r\n\t"), "certificate is empty");
    assert_eq!(
        error_of(b"hello"),
        "certificate cannot be read: it has no line '-----BEGIN ...-----'; give the text of a PEM file"
    );
    assert_eq!(
        error_of(b"\x30\x82\x01\x00\xff\xfe"),
        "certificate cannot be read: it is binary (DER) and not PEM; convert it with openssl ... -inform DER"
    );
    let block = encode("CERTIFICATE", &[7; 60]);
    assert_eq!(
        error_of(format!("x\n{}", &block[..60]).as_bytes()),
        "certificate is truncated or damaged: the CERTIFICATE block that begins on line 2 has no END line"
    );
    assert_eq!(
        error_of(block.replace("END CERT", "END OTHER CERT").as_bytes()),
        error_of(&block.as_bytes()[..90])
    );
    let damaged = |from: &str, to: &str| error_of(block.replacen(from, to, 1).as_bytes());
    let prefix =
        "certificate is truncated or damaged: the CERTIFICATE block that begins on line 1: ";
    assert_eq!(
        damaged("BwcH", "Bwc"),
        format!("{prefix}the base64 is cut off")
    );
    assert_eq!(
        damaged("BwcH", "Bw!H"),
        format!("{prefix}a character that is not base64")
    );
    assert_eq!(
        damaged("BwcH", "Bw=="),
        format!("{prefix}base64 goes on after its padding")
    );
    assert_eq!(
        error_of(b"-----BEGIN A-----\n-----END A-----"),
        "certificate is truncated or damaged: the A block that begins on line 1: it holds nothing"
    );
}

/// The samples of RFC 4648 §10, and encodings with stray bits that a strict reader refuses (§3.5).
#[test]
fn rfc_4648_samples() {
    let read = |text: &str| {
        decode_base64(&[text.as_bytes()])
            .map(|bytes| bytes.to_vec())
            .ok()
    };
    for (bytes, text) in [
        ("f", "Zg=="),
        ("fo", "Zm8="),
        ("foo", "Zm9v"),
        ("foob", "Zm9vYg=="),
        ("fooba", "Zm9vYmE="),
    ] {
        assert_eq!(read(text).as_deref(), Some(bytes.as_bytes()));
    }
    for damaged in ["Zh==", "Zm9=", "Zg=", "Zg", "Zm8", "Z", "====", "Zm9v="] {
        assert_eq!(read(damaged), None, "{damaged}");
    }
}

#[test]
fn one_block_where_one_is_expected() {
    let (certificate, key) = (encode("CERTIFICATE", b"one"), encode("PRIVATE KEY", b"two"));
    let read = |text: &str| single(text.as_bytes(), "certificate", &["CERTIFICATE"]);
    assert_eq!(
        read(&format!("{key}{certificate}"))
            .ok()
            .unwrap()
            .der
            .as_slice(),
        b"one"
    );
    assert_eq!(
        read(&key).unwrap_err().to_string(),
        "expected a certificate, found a PRIVATE KEY block"
    );
    let several = read(&certificate.repeat(3)).unwrap_err();
    assert!(
        matches!(
            several,
            Error::Several {
                what: "certificate",
                count: 3
            }
        ),
        "{several}"
    );
}

proptest! {
    #[test]
    fn what_is_written_is_read(contents in prop::collection::vec(prop::collection::vec(any::<u8>(), 1..200), 1..5)) {
        let text: String = contents.iter().map(|content| encode("CERTIFICATE", content)).collect();
        prop_assert!(text.lines().all(|line| line.len() <= 64));
        let read: Vec<Vec<u8>> = decode(text.as_bytes(), "x").unwrap().iter().map(|block| block.der.to_vec()).collect();
        prop_assert_eq!(read, contents);
    }

    #[test]
    fn no_input_panics(text in prop::collection::vec(any::<u8>(), 0..300), cut in 0usize..300) {
        let _ = decode(&text, "x");
        let valid = encode("CERTIFICATE", &text);
        prop_assume!(!text.is_empty());
        let cut = cut.min(valid.len().saturating_sub(2));
        prop_assert!(decode(&valid.as_bytes()[..cut], "x").is_err());
    }
}

#[test]
fn debug_shows_no_content() {
    let block = decode(encode("PRIVATE KEY", b"one").as_bytes(), "x")
        .unwrap()
        .remove(0);
    assert_eq!(
        format!("{block:?}"),
        "PemBlock(PRIVATE KEY, 3 bytes elided)"
    );
}
