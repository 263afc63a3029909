// SPDX-License-Identifier: Apache-2.0
//! Peers that mean no good or are no TLS servers. No program of Debian does such things, so these peers are written
//! here, byte by byte; the one real server among them is named in its test.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test that starts programs"
)]

mod support;

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::process::Command;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use support::{Pair, Server, directory, free_port, loopback};
use tls_probe::{Ask, Ending, Error, Held, Place, Prober, Result, StartTls};

const SHORT: Duration = Duration::from_millis(700);

/// Serves one connection after the other by a function, in a thread that ends with the test's process.
fn peer(serve: impl Fn(TcpStream) + Send + 'static) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            serve(stream.unwrap());
        }
    });
    address
}

fn probe(address: SocketAddr, starttls: Option<StartTls>, patience: Duration) -> Result<Held> {
    let ask = Ask {
        starttls,
        ..Ask::default()
    };
    Prober::new()
        .unwrap()
        .probe(&Place::anywhere(address), &ask, patience)
}

/// Probes, and checks that it took no longer than the patience and a margin for a busy machine.
fn refused(address: SocketAddr, starttls: Option<StartTls>) -> Error {
    let started = Instant::now();
    let error = probe(address, starttls, SHORT).unwrap_err();
    let took = started.elapsed();
    assert!(
        took < SHORT + Duration::from_millis(1500),
        "{took:?}: {error}"
    );
    error
}

fn hang(stream: TcpStream) {
    std::thread::sleep(Duration::from_secs(5));
    drop(stream);
}

fn greeting(stream: &mut TcpStream) -> Vec<u8> {
    let mut hello = vec![0; 4096];
    let count = stream.read(&mut hello).unwrap_or(0);
    hello.truncate(count);
    hello
}

#[test]
fn a_peer_that_says_nothing_is_left_in_time() {
    let error = refused(peer(hang), None);
    assert_eq!(error.kind(), "probe.timed_out");
    assert!(
        error
            .to_string()
            .ends_with("within 700 ms before it sent a certificate"),
        "{error}"
    );
    for protocol in StartTls::ALL {
        let error = refused(peer(hang), Some(protocol));
        assert_eq!(error.kind(), "probe.timed_out", "{protocol:?}: {error}");
    }
}

#[test]
fn a_peer_that_drips_bytes_gains_no_time() {
    // A record of 16 KiB that comes one byte every 50 ms.
    let address = peer(|mut stream| {
        greeting(&mut stream);
        let _ = stream.write_all(&[22, 3, 3, 0x40, 0]);
        while stream.write_all(&[2]).is_ok() {
            std::thread::sleep(Duration::from_millis(50));
        }
    });
    assert_eq!(refused(address, None).kind(), "probe.timed_out");
}

#[test]
fn a_peer_that_floods_is_left_at_the_limit() {
    let address = peer(|mut stream| {
        greeting(&mut stream);
        // Warnings (close_notify aside) that mean nothing, without end.
        while stream
            .write_all(&[22, 3, 3, 0, 4, 0, 0, 0, 0].repeat(1000))
            .is_ok()
        {}
    });
    let error = refused(address, None);
    assert!(
        ["probe.tls", "probe.too_much"].contains(&error.kind()),
        "{error}"
    );
    let address = peer(|mut stream| while stream.write_all(&[b'x'; 4096]).is_ok() {});
    for (protocol, kind) in [
        (StartTls::Imap, "probe.starttls"),
        (StartTls::Xmpp, "probe.starttls"),
    ] {
        assert_eq!(refused(address, Some(protocol)).kind(), kind);
    }
    let address =
        peer(|mut stream| while stream.write_all(&b"220-more\r\n".repeat(500)).is_ok() {});
    assert_eq!(
        refused(address, Some(StartTls::Smtp)).kind(),
        "probe.starttls"
    );
}

#[test]
fn a_chain_of_megabytes_is_refused() {
    // A ServerHello that agrees on TLS 1.2, then a Certificate message that claims 16 MiB and sends on.
    let address = peer(|mut stream| {
        greeting(&mut stream);
        let _ = stream.write_all(&server_hello());
        let _ = stream.write_all(&[22, 3, 3, 0x40, 0, 11, 0xff, 0xff, 0xff, 0xff, 0xff, 0xfc]);
        while stream.write_all(&[0; 4096]).is_ok() {}
    });
    let error = refused(address, None);
    assert!(
        ["probe.tls", "probe.too_much"].contains(&error.kind()),
        "{error}"
    );
}

/// TLS 1.2, ECDHE-ECDSA-AES128-GCM-SHA256, with secure renegotiation and extended master secret.
fn server_hello() -> Vec<u8> {
    let extensions = [0xff, 0x01, 0, 1, 0, 0, 0x17, 0, 0];
    let mut body = vec![3, 3];
    body.extend([7; 32]);
    body.extend([0, 0xc0, 0x2b, 0, 0, extensions.len() as u8]);
    body.extend(extensions);
    let mut hello = vec![22, 3, 3, 0, body.len() as u8 + 4, 2, 0, 0, body.len() as u8];
    hello.extend(body);
    hello
}

/// As the wire has it: a Certificate message with these.
fn certificate_message(ders: &[Vec<u8>]) -> Vec<u8> {
    let length = |count: usize| [(count >> 16) as u8, (count >> 8) as u8, count as u8];
    let mut list = Vec::new();
    for der in ders {
        list.extend(length(der.len()));
        list.extend(der);
    }
    let mut message = vec![11];
    message.extend(length(list.len() + 3));
    message.extend(length(list.len()));
    message.extend(list);
    let mut record = vec![22, 3, 3, (message.len() >> 8) as u8, message.len() as u8];
    record.extend(message);
    record
}

#[test]
fn a_peer_that_hangs_after_its_certificate_has_shown_it_but_proven_nothing() {
    let place = directory();
    let pair = Pair::new(place.path(), "stolen.test");
    let der = support::der(&pair.certificate);
    let stolen = der.clone();
    let address = peer(move |mut stream| {
        greeting(&mut stream);
        let _ = stream.write_all(&server_hello());
        let _ = stream.write_all(&certificate_message(std::slice::from_ref(&stolen)));
        hang(stream);
    });
    let started = Instant::now();
    let held = probe(address, None, Duration::from_secs(20)).unwrap();
    assert!(
        started.elapsed() < Duration::from_secs(2),
        "it waited although the certificate was there"
    );
    assert_eq!(held.presented().leaf(), der);
    let ending = held.finish(SHORT);
    assert!(
        matches!(&ending, Ending::Broken { why } if why.contains("700 ms")),
        "{ending:?}"
    );
    assert!(started.elapsed() < Duration::from_secs(4));
}

#[test]
fn a_peer_that_signs_with_another_key_has_proven_nothing() {
    let place = directory();
    let pair = Pair::new(place.path(), "stolen.test");
    let stolen = support::der(&pair.certificate);
    // ServerKeyExchange (RFC 8422 §5.4): P-256, its generator as the public key, ecdsa_secp256r1_sha256, no signature of
    // the certificate's key.
    let mut message = vec![12, 0, 0, 81, 3, 0, 23, 65, 4];
    message.extend(GENERATOR);
    message.extend([4, 3, 0, 8, 0x30, 6, 2, 1, 1, 2, 1, 1]);
    let address = peer(move |mut stream| {
        greeting(&mut stream);
        let _ = stream.write_all(&server_hello());
        let _ = stream.write_all(&certificate_message(std::slice::from_ref(&stolen)));
        let _ = stream.write_all(&[22, 3, 3, 0, message.len() as u8]);
        let _ = stream.write_all(&message);
        let _ = stream.write_all(&[22, 3, 3, 0, 4, 14, 0, 0, 0]);
        hang(stream);
    });
    let held = probe(address, None, Duration::from_secs(20)).unwrap();
    assert_eq!(
        held.presented().fingerprint_sha256_text(),
        pair.fingerprint()
    );
    let ending = held.finish(Duration::from_secs(10));
    assert!(
        matches!(&ending, Ending::Broken { why } if why.contains("bad signature")),
        "{ending:?}"
    );
    assert!(!ending.proves_key());
}

/// The generator of P-256 (SEC 2 §2.4.2), a point that is on the curve.
const GENERATOR: [u8; 64] = [
    0x6b, 0x17, 0xd1, 0xf2, 0xe1, 0x2c, 0x42, 0x47, 0xf8, 0xbc, 0xe6, 0xe5, 0x63, 0xa4, 0x40, 0xf2,
    0x77, 0x03, 0x7d, 0x81, 0x2d, 0xeb, 0x33, 0xa0, 0xf4, 0xa1, 0x39, 0x45, 0xd8, 0x98, 0xc2, 0x96,
    0x4f, 0xe3, 0x42, 0xe2, 0xfe, 0x1a, 0x7f, 0x9b, 0x8e, 0xe7, 0xeb, 0x4a, 0x7c, 0x0f, 0x9e, 0x16,
    0x2b, 0xce, 0x33, 0x57, 0x6b, 0x31, 0x5e, 0xce, 0xcb, 0xb6, 0x40, 0x68, 0x37, 0xbf, 0x51, 0xf5,
];

#[test]
fn bytes_that_are_no_certificate_are_told_as_such() {
    let address = peer(|mut stream| {
        greeting(&mut stream);
        let _ = stream.write_all(&server_hello());
        let _ = stream.write_all(&certificate_message(&[vec![0x30, 3, 2, 1, 1]]));
        hang(stream);
    });
    let error = refused(address, None);
    assert_eq!(error.kind(), "probe.tls", "{error}");
    let address = peer(|mut stream| {
        greeting(&mut stream);
        let _ = stream.write_all(&server_hello());
        let _ = stream.write_all(&certificate_message(&[]));
        hang(stream);
    });
    let error = refused(address, None);
    assert!(
        ["probe.tls", "probe.no_certificate"].contains(&error.kind()),
        "{error}"
    );
}

#[test]
fn garbage_is_told_as_such_and_made_harmless() {
    let address = peer(|mut stream| {
        greeting(&mut stream);
        let _ = stream.write_all(b"\x1b]0;owned\x07\r\n\0\xff\xfe");
    });
    let error = refused(address, None);
    assert_eq!(error.kind(), "probe.not_tls");
    assert!(error.to_string().contains("'.]0;owned"), "{error}");
    assert!(
        error.to_string().chars().all(|letter| !letter.is_control()),
        "{error:?}"
    );
}

#[test]
fn a_plain_text_banner_is_quoted() {
    let address = peer(|mut stream| {
        let _ = stream.write_all(b"220 mail.example.org ESMTP\r\n");
        hang(stream);
    });
    let error = refused(address, None);
    assert_eq!(error.kind(), "probe.not_tls");
    assert!(
        error
            .to_string()
            .contains("it says '220 mail.example.org ESMTP'"),
        "{error}"
    );
}

#[test]
fn a_short_word_in_plain_text_is_told_after_the_time() {
    let address = peer(|mut stream| {
        let _ = stream.write_all(b"hi");
        hang(stream);
    });
    assert_eq!(refused(address, None).kind(), "probe.not_tls");
}

#[test]
fn a_real_http_server_without_tls_is_told_as_such() {
    let place = directory();
    let port = free_port();
    let config = place.path().join("haproxy.cfg");
    std::fs::write(&config, format!("defaults\n mode http\n timeout client 5s\n timeout server 5s\n timeout connect 5s\nfrontend f\n bind 127.0.0.1:{port}\n")).unwrap();
    let mut haproxy = Command::new("haproxy");
    haproxy.args(["-db", "-f"]).arg(&config);
    let _server = Server::start(place.path(), &mut haproxy).listening(loopback(port));
    let error = refused(loopback(port), None);
    assert_eq!(error.kind(), "probe.not_tls");
    assert!(error.to_string().contains("HTTP/1."), "{error}");
}

#[test]
fn a_peer_that_closes_is_told_as_such() {
    let error = refused(peer(drop), None);
    assert_eq!(error.kind(), "probe.closed", "{error}");
    let address = peer(|mut stream| {
        greeting(&mut stream);
    });
    let error = refused(address, None);
    assert_eq!(error.kind(), "probe.closed", "{error}");
    for protocol in StartTls::ALL {
        let error = refused(peer(drop), Some(protocol));
        assert_eq!(error.kind(), "probe.closed", "{protocol:?}: {error}");
    }
}

#[test]
fn nobody_there_is_told_as_such() {
    let error = refused(loopback(free_port()), None);
    assert_eq!(error.kind(), "probe.connect");
}

#[test]
fn an_alert_is_told_in_words() {
    let address = peer(|mut stream| {
        greeting(&mut stream);
        let _ = stream.write_all(&[21, 3, 3, 0, 2, 2, 112]);
    });
    let error = refused(address, None);
    assert_eq!(error.kind(), "probe.tls");
    assert!(error.to_string().contains("unrecognized name"), "{error}");
}

#[test]
fn lies_in_plain_text_protocols_are_refused() {
    let answers: [(StartTls, &[u8]); 16] = [
        (StartTls::Imap, b"* BYE go away\r\n"),
        (StartTls::Imap, b"* OK hello\r\na1 NO not here\r\n"),
        (
            StartTls::Ldap,
            b"\x30\x0c\x02\x01\x01\x78\x07\x0a\x01\x02\x04\x00\x04\x00",
        ),
        (StartTls::Ldap, b"\x30\x84\xff\xff\xff\xff"),
        (StartTls::Ldap, b"HTTP/1.1 400 Bad Request\r\n\r\n"),
        (
            StartTls::Mysql,
            b"\x17\x00\x00\x00\xff\x69\x04Host 'x' is blocked\r\n",
        ),
        (StartTls::Mysql, b"\xff\xff\xff\x00"),
        (StartTls::Mysql, b"\x05\x00\x00\x00\x0a8.0\0"),
        (StartTls::Postgres, b"N"),
        (StartTls::Postgres, b"E"),
        (StartTls::Smtp, b"554 no\r\n"),
        (StartTls::Smtp, b"220 hello\r\n250-hello\r\n250 SIZE\r\n"),
        (StartTls::Vnc, b"RFB 003.003\n"),
        (StartTls::Vnc, b"RFB 003.008\n\x00\x00\x00\x00\x04none"),
        (StartTls::Vnc, b"RFB 003.008\n\x02\x01\x02"),
        (
            StartTls::Xmpp,
            b"<?xml version='1.0'?><stream:stream><stream:features><mechanisms/></stream:features>",
        ),
    ];
    for (protocol, answer) in answers {
        let address = peer(move |mut stream| {
            let _ = stream.write_all(answer);
            hang(stream);
        });
        let error = refused(address, Some(protocol));
        assert_eq!(
            error.kind(),
            "probe.starttls",
            "{protocol:?} {answer:?}: {error}"
        );
    }
}

#[test]
fn nothing_is_sent_before_the_server_has_greeted_where_it_greets_first() {
    let heard = Arc::new(Mutex::new(Vec::new()));
    for protocol in [
        StartTls::Imap,
        StartTls::Mysql,
        StartTls::Smtp,
        StartTls::Vnc,
    ] {
        let heard = heard.clone();
        let address = peer(move |mut stream| {
            let bytes = greeting(&mut stream);
            heard.lock().unwrap().extend(bytes);
        });
        refused(address, Some(protocol));
    }
    assert_eq!(heard.lock().unwrap()[..], []);
}

#[test]
fn many_random_answers_never_hang_or_panic() {
    // A generator of one line (splitmix64), so that a failure can be repeated.
    let mut state = 7u64;
    let mut random = move || {
        state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = (state ^ state >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ mixed >> 31
    };
    let good = [
        server_hello(),
        certificate_message(&[vec![0x30, 0x82, 1, 0, 0x30]]),
    ]
    .concat();
    for round in 0..300 {
        let mut answer = good.clone();
        for _ in 0..1 + round % 5 {
            let at = random() as usize % answer.len();
            answer[at] = random() as u8;
        }
        let address = peer(move |mut stream| {
            greeting(&mut stream);
            let _ = stream.write_all(&answer);
        });
        let started = Instant::now();
        let _ = probe(address, None, SHORT);
        assert!(started.elapsed() < SHORT * 4, "round {round}");
    }
}
