// SPDX-License-Identifier: Apache-2.0
#![expect(clippy::unwrap_used, reason = "tests")]

use super::*;

#[test]
fn random_serials_are_positive_and_twenty_bytes() {
    let serials: Vec<Serial> = (0..200).map(|_| Serial::random().unwrap()).collect();
    for serial in &serials {
        assert_eq!(serial.content.len(), 20);
        assert!(serial.is_positive());
        assert_eq!(Serial::from_der_content(&serial.content).unwrap(), *serial);
    }
    let distinct: std::collections::BTreeSet<&Serial> = serials.iter().collect();
    assert_eq!(distinct.len(), 200);
    // All bits but the fixed top two take both values.
    for bit in 2..160 {
        let set = serials
            .iter()
            .filter(|serial| serial.content[bit / 8] & (0x80 >> (bit % 8)) != 0)
            .count();
        assert!((1..200).contains(&set), "bit {bit}");
    }
}

#[test]
fn hexadecimal_with_or_without_colons() {
    let serial = |text: &str| text.parse::<Serial>().map(|serial| serial.to_string()).ok();
    assert_eq!(serial("5d:0E:41").as_deref(), Some("5D0E41"));
    assert_eq!(serial("a").as_deref(), Some("0A"));
    assert_eq!(serial("10").as_deref(), Some("10"));
    assert_eq!(serial("00ff").as_deref(), Some("FF"));
    assert_eq!("ff".parse::<Serial>().unwrap().der_content(), [0, 0xff]);
    for text in ["", "0", "00:00", "0x12", "xyz", "-1", "é", &"f".repeat(40)] {
        assert_eq!(serial(text), None, "{text}");
    }
}

#[test]
fn what_others_wrote_is_taken_as_it_is() {
    let shown = |content: &[u8]| Serial::from_der_content(content).unwrap().to_string();
    assert_eq!(shown(&[0]), "00");
    assert_eq!(shown(&[0, 0, 5]), "05");
    assert_eq!(shown(&[0x80]), "-80");
    assert_eq!(shown(&[0xff, 0xff]), "-01");
    assert_eq!(shown(&[0xff, 0x00]), "-0100");
    assert!(!Serial::from_der_content(&[0x80]).unwrap().is_positive());
    assert!(!Serial::from_der_content(&[0]).unwrap().is_positive());
    assert!(Serial::from_der_content(&[]).is_err());
}
