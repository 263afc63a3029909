// SPDX-License-Identifier: Apache-2.0
//! Bytes from outside: an answer or an error, never a panic, never a large allocation for a small message.
#![expect(clippy::unwrap_used, reason = "tests")]

use std::time::Instant;

use dns::Name;
use dns::message::{Data, Kind, LARGEST, Malformed, Message, Rcode, Record, Soa, Text};
use proptest::prelude::*;

fn name(text: &str) -> Name {
    text.parse().unwrap()
}

fn record(owner: &str, kind: Kind, data: Data) -> Record {
    Record {
        name: name(owner),
        kind,
        class: 1,
        ttl: 60,
        data,
    }
}

/// An answer with every kind that we read.
fn whole() -> Message {
    let soa = Soa {
        primary: name("ns1.example"),
        mailbox: name("host.example"),
        serial: 7,
        refresh: 600,
        retry: 60,
        expire: 3600,
        minimum: 5,
    };
    let mut message = Message::query(0x1234, name("a.example"), Kind::TXT, true);
    message.is_answer = true;
    message.rcode = Rcode::NXDOMAIN;
    message.answers = vec![
        record("a.example", Kind::CNAME, Data::Cname(name("b.example"))),
        Record::text(name("b.example"), 1, Text::from_value(&vec![b'x'; 600])),
        record("b.example", Kind::A, Data::A([192, 0, 2, 1].into())),
        record(
            "b.example",
            Kind::AAAA,
            Data::Aaaa("2001:db8::1".parse().unwrap()),
        ),
        record("b.example", Kind(99), Data::Other(vec![1, 2, 3])),
    ];
    message.authority = vec![record("example", Kind::SOA, Data::Soa(soa))];
    message.additional = vec![record("example", Kind::NS, Data::Ns(name("ns1.example")))];
    message
}

/// A header with these counts, of an answer.
fn header(counts: [u16; 4]) -> Vec<u8> {
    let mut bytes = vec![0, 1, 0x80, 0];
    for count in counts {
        bytes.extend(count.to_be_bytes());
    }
    bytes
}

/// One question whose name is these bytes.
fn question(name: &[u8]) -> Vec<u8> {
    [&header([1, 0, 0, 0]), name, &[0, 16, 0, 1]].concat()
}

/// One record of the root with this content and this length.
fn answer(kind: Kind, length: u16, content: &[u8]) -> Vec<u8> {
    [
        &header([0, 1, 0, 0]),
        &[0][..],
        &kind.0.to_be_bytes(),
        &[0, 1, 0, 0, 0, 60],
        &length.to_be_bytes(),
        content,
    ]
    .concat()
}

#[test]
fn what_is_written_is_read_again() {
    let bytes = whole().to_bytes().unwrap();
    assert_eq!(Message::parse(&bytes).unwrap(), whole());
    // Names that came before are pointers: 'b.example' is there twice in full, in two contents.
    let times = bytes
        .windows(10)
        .filter(|part| part == b"\x01b\x07example")
        .count();
    assert_eq!(times, 1);
    let query = Message::query(1, name("a.example"), Kind::TXT, false);
    let bytes = query.to_bytes().unwrap();
    assert_eq!(Message::parse(&bytes).unwrap(), query);
    // EDNS with 1232 bytes, at its end.
    assert!(bytes.ends_with(&[0, 0, 41, 0x04, 0xd0, 0, 0, 0, 0, 0, 0]));
}

#[test]
fn every_prefix_of_a_message_is_refused_and_so_is_what_follows_it() {
    let bytes = whole().to_bytes().unwrap();
    for end in 0..bytes.len() {
        assert!(Message::parse(&bytes[..end]).is_err(), "{end}");
    }
    let mut longer = bytes;
    longer.push(0);
    assert_eq!(Message::parse(&longer).unwrap_err(), Malformed::Surplus(1));
    longer.resize(LARGEST + 1, 0);
    assert_eq!(
        Message::parse(&longer).unwrap_err(),
        Malformed::Large(LARGEST + 1)
    );
}

#[test]
fn pointers_lead_backwards_only() {
    for (what, bytes) in [
        ("to itself", question(&[0xc0, 12])),
        ("forwards", question(&[0xc0, 14, 0])),
        ("behind the end", question(&[0xff, 0xff])),
        ("to its own label", question(&[1, b'a', 0xc0, 12])),
        ("to its own pointer", question(&[1, b'a', 0xc0, 14])),
    ] {
        assert_eq!(
            Message::parse(&bytes).unwrap_err(),
            Malformed::Name,
            "{what}"
        );
    }
    // Two names that point at each other: the second points back, which is fine, and the first forwards, which is not.
    let mutual = [
        &header([2, 0, 0, 0])[..],
        &[0xc0, 18, 0, 16, 0, 1, 0xc0, 12, 0, 16, 0, 1],
    ]
    .concat();
    assert_eq!(Message::parse(&mutual).unwrap_err(), Malformed::Name);
}

#[test]
fn a_ladder_of_pointers_ends_at_the_longest_name() {
    // Each name is one label and a pointer to the one before: the 128th is longer than any may be.
    let mut bytes = header([300, 0, 0, 0]);
    let mut before = None;
    for _ in 0..300 {
        let here = bytes.len();
        bytes.extend([1, b'a']);
        match before {
            None => bytes.push(0),
            Some(place) => bytes.extend((0xc000 | place as u16).to_be_bytes()),
        }
        bytes.extend([0, 16, 0, 1]);
        before = Some(here);
    }
    assert_eq!(Message::parse(&bytes).unwrap_err(), Malformed::Name);
}

#[test]
fn a_message_full_of_pointers_takes_no_time() {
    // A name of 127 labels, and thousands of records that point at it.
    let mut bytes = header([1, 4000, 0, 0]);
    bytes.extend([1, b'a'].repeat(126));
    bytes.extend([0, 0, 16, 0, 1]);
    for _ in 0..4000 {
        bytes.extend([0xc0, 12, 0, 99, 0, 1, 0, 0, 0, 1, 0, 0]);
    }
    let started = Instant::now();
    assert_eq!(Message::parse(&bytes).unwrap().answers.len(), 4000);
    assert!(started.elapsed().as_secs() < 2, "{:?}", started.elapsed());
}

#[test]
fn labels_of_other_kinds_and_names_that_are_too_long_are_refused() {
    for first in [0x40, 0x80, 0xbf] {
        let bytes = question(&[first, b'a', 0]);
        assert_eq!(Message::parse(&bytes).unwrap_err(), Malformed::Name);
    }
    let mut long = Vec::new();
    for _ in 0..4 {
        long.push(63);
        long.extend([b'a'; 63]);
    }
    long.push(0);
    assert_eq!(
        Message::parse(&question(&long)).unwrap_err(),
        Malformed::Name
    );
}

#[test]
fn counts_allocate_nothing() {
    let bytes = header([u16::MAX; 4]);
    assert_eq!(Message::parse(&bytes).unwrap_err(), Malformed::Truncated);
}

#[test]
fn contents_that_do_not_fit_their_length_are_refused() {
    for (what, bytes, expected) in [
        (
            "a short address",
            answer(Kind::A, 3, &[1, 2, 3]),
            Malformed::Length,
        ),
        (
            "a long address",
            answer(Kind::A, 5, &[1, 2, 3, 4, 5]),
            Malformed::Length,
        ),
        (
            "a short IPv6 address",
            answer(Kind::AAAA, 4, &[1, 2, 3, 4]),
            Malformed::Length,
        ),
        (
            "a string behind its record",
            answer(Kind::TXT, 3, &[9, b'a', b'b']),
            Malformed::Length,
        ),
        (
            "a name behind its record",
            answer(Kind::NS, 2, &[5, b'a']),
            Malformed::Length,
        ),
        (
            "a name and something",
            answer(Kind::CNAME, 2, &[0, 0]),
            Malformed::Length,
        ),
        (
            "half a SOA",
            answer(Kind::SOA, 6, &[0, 0, 0, 0, 0, 1]),
            Malformed::Length,
        ),
        (
            "a record behind the message",
            answer(Kind::TXT, 9, &[1, b'a']),
            Malformed::Truncated,
        ),
    ] {
        assert_eq!(Message::parse(&bytes).unwrap_err(), expected, "{what}");
    }
    // A text with an empty string is one.
    let empty = Message::parse(&answer(Kind::TXT, 1, &[0])).unwrap();
    assert_eq!(empty.answers[0].as_text().unwrap().value(), b"");
}

#[test]
fn an_answer_to_another_question_is_none() {
    let query = Message::query(1, name("a.example"), Kind::TXT, false);
    let right = Message {
        is_answer: true,
        ..query.clone()
    };
    assert!(right.answers(&query));
    for wrong in [
        Message {
            id: 2,
            ..right.clone()
        },
        Message {
            is_answer: false,
            ..right.clone()
        },
        Message {
            questions: Message::query(1, name("b.example"), Kind::TXT, false).questions,
            ..right.clone()
        },
        Message {
            questions: Message::query(1, name("a.example"), Kind::A, false).questions,
            ..right.clone()
        },
        Message {
            questions: Vec::new(),
            ..whole()
        },
    ] {
        assert!(!wrong.answers(&query), "{wrong:?}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn noise_never_panics(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        drop(Message::parse(&bytes));
        drop(Message::parse(&[header([1, 2, 1, 1]), bytes].concat()));
    }

    #[test]
    fn a_damaged_answer_never_panics(at in any::<prop::sample::Index>(), mask in 1..=u8::MAX, cut in any::<prop::sample::Index>()) {
        let mut bytes = whole().to_bytes().unwrap();
        let at = at.index(bytes.len());
        bytes[at] ^= mask;
        if let Ok(message) = Message::parse(&bytes) {
            drop(message.to_bytes());
        }
        bytes.truncate(cut.index(bytes.len()));
        prop_assert!(Message::parse(&bytes).is_err());
    }

    #[test]
    fn names_of_any_bytes_are_the_same_after_text_and_wire(labels in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 1..20), 0..8)) {
        let labels = labels.iter().map(Vec::as_slice);
        let made = Name::from_labels(labels).unwrap();
        prop_assert_eq!(&made.to_string().parse::<Name>().unwrap(), &made);
        prop_assert_eq!(&made.absolute().parse::<Name>().unwrap(), &made);
        let query = Message::query(1, made.clone(), Kind::TXT, false);
        let again = Message::parse(&query.to_bytes().unwrap()).unwrap();
        prop_assert_eq!(&again.questions[0].name, &made);
    }

    #[test]
    fn texts_of_any_bytes_come_back_whole(value in proptest::collection::vec(any::<u8>(), 0..2000)) {
        let mut message = Message::query(1, Name::root(), Kind::TXT, false);
        message.is_answer = true;
        message.answers = vec![Record::text(Name::root(), 1, Text::from_value(&value))];
        let again = Message::parse(&message.to_bytes().unwrap()).unwrap();
        prop_assert_eq!(again.answers[0].as_text().unwrap().value(), value);
    }

    #[test]
    fn any_text_is_a_name_or_not(text in "\\PC{0,40}") {
        if let Ok(read) = text.parse::<Name>() {
            prop_assert_eq!(read.to_string().parse::<Name>().unwrap(), read);
        }
    }
}
