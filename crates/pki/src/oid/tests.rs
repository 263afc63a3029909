// SPDX-License-Identifier: Apache-2.0
#![expect(clippy::unwrap_used, reason = "tests")]

use proptest::prelude::*;

use super::*;

fn oid(text: &str) -> Oid {
    text.parse().unwrap()
}

#[test]
fn der_is_that_of_x690() {
    // X.690 §8.19.5: {joint-iso-itu-t 100 3}.
    assert_eq!(oid("2.100.3").der_content(), [0x81, 0x34, 0x03]);
    assert_eq!(
        oid("1.2.840.113549").der_content(),
        [0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d]
    );
    assert_eq!(oid("0.0").der_content(), [0]);
    assert_eq!(oid("2.39").der_content(), [119]);
    // An arc made of a UUID is as long as our arithmetic.
    let uuid = "2.25.340282366920938463463374607431768211455";
    assert_eq!(
        Oid::from_der_content(&oid(uuid).der_content()).unwrap(),
        uuid
    );
}

#[test]
fn wrong_texts_are_refused() {
    for text in [
        "",
        "1",
        "1.",
        ".1",
        "3.1",
        "1.40",
        "1.2.x",
        "1.02",
        "1. 2",
        "-1.2",
        "1.2.340282366920938463463374607431768211456",
    ] {
        assert!(text.parse::<Oid>().is_err(), "{text}");
    }
}

#[test]
fn wrong_encodings_are_refused() {
    for content in [
        &[][..],
        &[0x80],
        &[0x2a, 0x86],
        &[0x2a, 0x80, 0x01],
        &[0xff; 20],
    ] {
        assert!(Oid::from_der_content(content).is_err(), "{content:?}");
    }
}

proptest! {
    #[test]
    fn texts_round_trip(root in 0u8..3, second in 0u8..40, arcs in prop::collection::vec(any::<u128>(), 0..6)) {
        let rest: String = arcs.iter().map(|arc| format!(".{arc}")).collect();
        let text = format!("{root}.{second}{rest}");
        prop_assert_eq!(Oid::from_der_content(&oid(&text).der_content()).unwrap().to_string(), text);
    }
}
