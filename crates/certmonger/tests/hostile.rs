// SPDX-License-Identifier: Apache-2.0
//! Bytes from outside: an answer or an error, never a panic, never a large allocation for a small message.
#![expect(clippy::unwrap_used, reason = "tests")]

mod support;

use certmonger::wire::{Kind, LARGEST_MESSAGE, Message, Value, WireError, read_body};
use proptest::prelude::*;
use support::{Encoder, message, properties};

#[test]
fn both_byte_orders_say_the_same() {
    let little = Message::parse(&properties(true, 3)).unwrap();
    let big = Message::parse(&properties(false, 3)).unwrap();
    assert_eq!(little, big);
    assert_eq!(little.kind, Kind::Return);
    assert_eq!(little.reply_to, Some(3));
    assert_eq!(little.body[0].items().len(), 9);
}

#[test]
fn every_prefix_of_a_message_is_refused() {
    for little_endian in [true, false] {
        let whole = properties(little_endian, 3);
        for end in 0..whole.len() {
            assert_eq!(
                Message::parse(&whole[..end]).unwrap_err(),
                WireError::Truncated,
                "{end}"
            );
        }
        let mut longer = whole;
        longer.push(0);
        assert_eq!(Message::parse(&longer).unwrap_err(), WireError::Surplus(1));
    }
}

#[test]
fn lengths_beyond_the_end_are_refused_before_anything_is_allocated() {
    for (types, little_endian) in [
        ("s", true),
        ("as", true),
        ("ay", false),
        ("a{sv}", false),
        ("o", true),
    ] {
        for length in [u32::MAX, u32::MAX - 7, 0x7fff_ffff, 5] {
            let mut body = Encoder::new(little_endian);
            body.word(length);
            assert_eq!(
                read_body(&body.bytes, types, little_endian).unwrap_err(),
                WireError::Truncated,
                "{types} {length}"
            );
        }
    }
}

#[test]
fn a_message_larger_than_the_limit_is_refused_by_its_first_bytes() {
    for (body, fields) in [
        (LARGEST_MESSAGE as u32, 0),
        (0, u32::MAX),
        (u32::MAX, u32::MAX),
    ] {
        let mut prelude = Encoder::new(false);
        prelude.bytes = vec![b'B', 2, 0, 1];
        prelude.word(body);
        prelude.word(1);
        prelude.word(fields);
        let error = Message::parse(&prelude.bytes).unwrap_err();
        assert!(matches!(error, WireError::TooLarge(_)), "{error}");
    }
}

#[test]
fn variants_in_variants_end_somewhere() {
    let nested = |depth: usize| {
        let mut body = Vec::new();
        for _ in 0..depth {
            body.extend([1, b'v', 0]);
        }
        body.extend([1, b'y', 0, 9]);
        read_body(&body, "v", true)
    };
    assert_eq!(nested(60).unwrap(), [Value::Int(9)]);
    assert_eq!(nested(100_000).unwrap_err(), WireError::Nested);
}

#[test]
fn an_array_that_ends_inside_of_an_element_is_refused() {
    let mut body = Encoder::new(true);
    body.word(6);
    body.text("abcd");
    assert_eq!(
        read_body(&body.bytes, "as", true).unwrap_err(),
        WireError::Truncated
    );
}

#[test]
fn what_is_no_string_path_boolean_or_signature_is_refused() {
    let text = |bytes: &[u8], types: &str| {
        let mut body = Encoder::new(true);
        body.word(bytes.len() as u32);
        body.bytes.extend(bytes);
        body.bytes.push(0);
        read_body(&body.bytes, types, true)
    };
    assert!(text(b"fine", "s").is_ok());
    assert!(text(b"\xff\xfe", "s").is_err());
    assert!(text(b"a\0b", "s").is_err());
    assert!(text(b"/a/b_1", "o").is_ok());
    for path in ["", "a", "/a/", "//", "/a//b", "/a-b", "/\u{e4}"] {
        assert!(text(path.as_bytes(), "o").is_err(), "{path}");
    }
    let mut unterminated = Encoder::new(true);
    unterminated.word(1);
    unterminated.bytes.extend(b"ab");
    assert!(read_body(&unterminated.bytes, "s", true).is_err());
    assert_eq!(
        read_body(&2u32.to_le_bytes(), "b", true).unwrap_err(),
        WireError::Boolean(2)
    );
    assert!(read_body(&[2, b's', b's', 0, 0, 0], "v", true).is_err());
    assert!(read_body(&[1, b'a', 0], "v", true).is_err());
}

#[test]
fn padding_that_is_not_zero_is_refused() {
    assert_eq!(
        read_body(&[1, 0, 0, 1, 1, 0, 0, 0], "yu", true).unwrap_err(),
        WireError::Padding
    );
}

#[test]
fn an_answer_to_nothing_and_a_nameless_error_are_refused() {
    assert!(matches!(
        Message::parse(&message(true, 2, 0, "", |_| {})).unwrap_err(),
        WireError::Lacks(_)
    ));
    let signal = Message::parse(&message(false, 4, 0, "", |_| {})).unwrap();
    assert_eq!(signal.member.as_deref(), Some("PropertiesChanged"));
    let mut other_version = message(true, 4, 0, "", |_| {});
    other_version[3] = 2;
    assert_eq!(
        Message::parse(&other_version).unwrap_err(),
        WireError::Version(2)
    );
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn noise_never_panics(bytes in proptest::collection::vec(any::<u8>(), 0..200), types in "[a-z(){}]{0,12}", little in any::<bool>()) {
        drop(Message::parse(&bytes));
        drop(read_body(&bytes, &types, little));
        drop(read_body(&bytes, "a{sv}", little));
        drop(read_body(&bytes, "av", little));
    }

    #[test]
    fn a_damaged_answer_never_panics(at in any::<prop::sample::Index>(), mask in 1..=u8::MAX, cut in any::<prop::sample::Index>(), little in any::<bool>()) {
        let mut bytes = properties(little, 3);
        let at = at.index(bytes.len());
        bytes[at] ^= mask;
        drop(Message::parse(&bytes));
        bytes.truncate(cut.index(bytes.len()));
        prop_assert!(Message::parse(&bytes).is_err());
    }
}
