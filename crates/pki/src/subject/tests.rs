// SPDX-License-Identifier: Apache-2.0
#![expect(clippy::unwrap_used, reason = "tests")]

use proptest::prelude::*;

use super::*;

fn subject(pairs: &[(&str, &str)]) -> Subject {
    Subject::from_pairs(pairs.iter().copied()).unwrap()
}

fn error_of(name: &str, value: &str) -> String {
    Subject::from_pairs([(name, value)])
        .unwrap_err()
        .to_string()
}

#[test]
fn attributes_have_long_short_and_dotted_names() {
    for (long, short, oid) in [
        ("common_name", "CN", "2.5.4.3"),
        ("commonName", "cn", "2.5.4.3"),
        ("organization", "O", "2.5.4.10"),
        ("organizational_unit", "OU", "2.5.4.11"),
        ("country", "C", "2.5.4.6"),
        ("state", "ST", "2.5.4.8"),
        ("state_or_province_name", "S", "2.5.4.8"),
        ("locality", "L", "2.5.4.7"),
        ("email", "emailAddress", "1.2.840.113549.1.9.1"),
        ("serial_number", "serialNumber", "2.5.4.5"),
        ("street", "street_address", "2.5.4.9"),
        ("title", "title", "2.5.4.12"),
        ("surname", "SN", "2.5.4.4"),
        ("given_name", "GN", "2.5.4.42"),
        ("domain_component", "DC", "0.9.2342.19200300.100.1.25"),
        ("user_id", "UID", "0.9.2342.19200300.100.1.1"),
    ] {
        for name in [long, short, oid] {
            assert_eq!(*SubjectAttribute::named(name).unwrap().oid(), oid, "{name}");
        }
    }
    assert!(KNOWN.iter().all(|known| known.oid.parse::<Oid>().is_ok()));
    assert!(
        error_of("orgnization", "a")
            .starts_with("'orgnization' is not a valid subject attribute: use one of common_name")
    );
}

#[test]
fn values_keep_to_their_bounds() {
    assert!(Subject::from_pairs([("CN", "ü".repeat(64).as_str())]).is_ok());
    assert_eq!(
        error_of("CN", &"a".repeat(65)),
        format!(
            "'CN={}' is not a valid subject attribute: it has 65 characters; at most 64 are allowed; put long host names under dns",
            "a".repeat(65)
        )
    );
    for value in ["D", "DEU", "D1", "ÄÖ"] {
        assert!(
            error_of("C", value).ends_with("a country is a code of two letters, such as DE"),
            "{value}"
        );
    }
    assert!(error_of("O", "").ends_with("it is empty; leave the attribute out"));
    assert!(error_of("O", "a\nb").ends_with("it has a control character"));
    assert!(error_of("DC", "ü").ends_with("it must be ASCII"));
    assert!(error_of("serialNumber", "a_b").contains("only letters, digits"));
}

#[test]
fn der_has_the_string_type_of_each_attribute() {
    let name = subject(&[("C", "DE"), ("O", "Ä"), ("DC", "org")]);
    let expected = [
        &[0x30, 0x2f][..],
        &[
            0x31, 0x0b, 0x30, 0x09, 0x06, 0x03, 0x55, 0x04, 0x06, 0x13, 0x02, b'D', b'E',
        ],
        &[
            0x31, 0x0b, 0x30, 0x09, 0x06, 0x03, 0x55, 0x04, 0x0a, 0x0c, 0x02, 0xc3, 0x84,
        ],
        &[
            0x31, 0x13, 0x30, 0x11, 0x06, 0x0a, 0x09, 0x92, 0x26, 0x89, 0x93, 0xf2, 0x2c, 0x64,
            0x01, 0x19,
        ],
        &[0x16, 0x03, b'o', b'r', b'g'],
    ];
    assert_eq!(name.to_der(), expected.concat());
    assert_eq!(Subject::from_der(&name.to_der()).unwrap(), name);
    assert_eq!(Subject::default().to_der(), [0x30, 0]);
    assert!(Subject::from_der(&[&name.to_der()[..], &[0]].concat()).is_err());
}

#[test]
fn string_types_of_others_are_read() {
    let read = |tag: u8, bytes: &[u8]| {
        let pair = der::sequence(&[
            der::object_identifier(&Oid::known("2.5.4.3")),
            der::element(tag, bytes),
        ]);
        Subject::from_der(&der::sequence(&[der::set_of(vec![pair])]))
            .unwrap()
            .common_name()
            .unwrap()
            .to_owned()
    };
    assert_eq!(read(0x14, b"M\xfcller"), "Müller"); // TeletexString
    assert_eq!(read(0x1e, b"\0M\0\xfc"), "Mü"); // BMPString
    assert_eq!(read(0x1c, b"\0\0\0M\0\x01\xf6\x00"), "M😀"); // UniversalString
    assert_eq!(read(0x02, b"\x05"), "#05"); // INTEGER
    assert_eq!(read(0x0c, b"\xff"), "#FF"); // not UTF-8
}

#[test]
fn order_and_repeats_are_kept() {
    let name = subject(&[("OU", "b"), ("OU", "a"), ("CN", "x"), ("OU", "c")]);
    assert_eq!(name.to_string(), "OU=b, OU=a, CN=x, OU=c");
    assert_eq!(Subject::from_der(&name.to_der()).unwrap(), name);
    assert_eq!(name.common_name(), Some("x"));
    assert_ne!(
        name,
        subject(&[("OU", "a"), ("OU", "b"), ("CN", "x"), ("OU", "c")])
    );
}

#[test]
fn a_value_cannot_look_like_two_attributes() {
    assert_eq!(
        subject(&[("O", "a, CN=evil"), ("CN", "#x ")]).to_string(),
        "O=a\\, CN=evil, CN=\\#x\\ "
    );
    assert_eq!(
        subject(&[("1.2.3.4", "a+b\\")]).to_string(),
        "1.2.3.4=a\\+b\\\\"
    );
}

#[test]
fn comparison_folds_case_and_spaces() {
    let name = subject(&[("O", "My  Cloud"), ("CN", "Root")]);
    assert!(name.matches(&subject(&[("O", " my cloud "), ("CN", "ROOT")])));
    assert!(!name.matches(&subject(&[("CN", "Root"), ("O", "My Cloud")])));
    assert!(!name.matches(&subject(&[("O", "My Cloud")])));
}

proptest! {
    #[test]
    fn der_round_trips(values in prop::collection::vec("[^\\p{Cc}]{1,64}", 0..5)) {
        let name = Subject::from_pairs(values.iter().map(|value| ("O", value.as_str()))).unwrap();
        prop_assert_eq!(Subject::from_der(&name.to_der()).unwrap(), name);
    }
}
