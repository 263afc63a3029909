// SPDX-License-Identifier: Apache-2.0
//! Peers that break the protocol, fall silent or leave. Stand-ins, for no real bus does this on demand; what a real
//! bus and certmonger do is in `tests/certmonger`.
#![expect(clippy::unwrap_used, reason = "tests")]

mod support;

use std::io::Write;
use std::time::{Duration, Instant};

use certmonger::{Daemon, Place, Start};
use support::{Peer, message, properties, read_call, read_until};

const SHORT: Duration = Duration::from_millis(300);
const LONG: Duration = Duration::from_secs(10);

/// What the first question leads to.
fn asked(peer: Peer, within: Duration) -> certmonger::Error {
    let mut daemon = peer.connect(within).unwrap();
    let error = daemon.requests().unwrap_err();
    drop(daemon);
    peer.join();
    error
}

#[test]
fn a_request_is_read_in_either_byte_order() {
    for little_endian in [true, false] {
        let peer = Peer::new(move |stream| {
            let serial = read_call(stream);
            let paths = message(little_endian, 2, serial, "ao", |body| {
                body.array(4, |paths| {
                    paths.text("/org/fedorahosted/certmonger/requests/Request1")
                });
            });
            stream.write_all(&paths).unwrap();
            let serial = read_call(stream);
            // A signal in between is kept for later.
            stream
                .write_all(&message(little_endian, 4, 0, "", |_| {}))
                .unwrap();
            stream
                .write_all(&properties(little_endian, serial))
                .unwrap();
        });
        let mut daemon = peer.connect(LONG).unwrap();
        let requests = daemon.requests().unwrap();
        assert_eq!(requests.len(), 1);
        let request = &requests[0];
        assert_eq!(request.nickname, "web");
        assert_eq!(request.ca.as_deref(), Some("CA4"));
        assert_eq!(request.dns, ["a.example.org", "b.example.org"]);
        assert_eq!(request.email, [""; 0]);
        assert_eq!(request.cert_mode, 0o640);
        assert!(request.auto_renew);
        peer.join();
    }
}

#[test]
fn silence_ends_at_the_time_limit() {
    let peer = Peer::new(|stream| {
        read_call(stream);
        read_until_closed(stream);
    });
    let begin = Instant::now();
    let error = asked(peer, SHORT);
    assert_eq!(error.kind(), "certmonger.no_answer", "{error}");
    assert!(begin.elapsed() < LONG);
}

#[test]
fn a_peer_that_sends_byte_for_byte_does_not_extend_the_time_limit() {
    let peer = Peer::new(|stream| {
        let serial = read_call(stream);
        for byte in message(true, 2, serial, "ao", |body| body.array(4, |_| {})) {
            std::thread::sleep(Duration::from_millis(50));
            if stream.write_all(&[byte]).is_err() {
                return;
            }
        }
    });
    assert_eq!(asked(peer, SHORT).kind(), "certmonger.no_answer");
}

#[test]
fn a_connection_that_ends_in_the_middle_is_told() {
    let peer = Peer::new(|stream| {
        let serial = read_call(stream);
        let whole = message(true, 2, serial, "ao", |body| body.array(4, |_| {}));
        stream.write_all(&whole[..whole.len() - 3]).unwrap();
    });
    assert_eq!(asked(peer, LONG).kind(), "certmonger.went_away");
}

#[test]
fn a_length_without_end_is_refused() {
    let peer = Peer::new(|stream| {
        read_call(stream);
        let mut huge = vec![b'l', 2, 0, 1];
        huge.extend([0xff; 12]);
        stream.write_all(&huge).unwrap();
        read_until_closed(stream);
    });
    assert_eq!(asked(peer, LONG).kind(), "certmonger.protocol");
}

#[test]
fn an_answer_of_another_type_is_no_answer() {
    let peer = Peer::new(|stream| {
        let serial = read_call(stream);
        let body = message(true, 2, serial, "s", |body| body.text("MONITORING"));
        stream.write_all(&body).unwrap();
    });
    let mut daemon = peer.connect(LONG).unwrap();
    let error = daemon.add(&certmonger::Fields::default()).unwrap_err();
    assert_eq!(error.kind(), "certmonger.protocol", "{error}");
    peer.join();
}

#[test]
fn a_refusal_of_the_policy_is_told_as_one() {
    let peer = Peer::new(|stream| {
        let serial = read_call(stream);
        let body = message(true, 3, serial, "s", |body| {
            body.text("Rejected send message")
        });
        stream.write_all(&body).unwrap();
    });
    let error = asked(peer, LONG);
    assert_eq!(error.kind(), "certmonger.denied");
    assert!(
        error.to_string().contains("Rejected send message"),
        "{error}"
    );
    assert!(error.hint().unwrap().contains("become"));
}

#[test]
fn answers_to_calls_that_were_never_made_are_ignored() {
    let peer = Peer::new(|stream| {
        let serial = read_call(stream);
        for other in [serial + 1, serial + 99, u32::MAX] {
            stream
                .write_all(&message(true, 2, other, "", |_| {}))
                .unwrap();
        }
        let empty = message(true, 2, serial, "ao", |body| body.array(4, |_| {}));
        stream.write_all(&empty).unwrap();
    });
    let mut daemon = peer.connect(LONG).unwrap();
    assert_eq!(daemon.requests().unwrap(), []);
    peer.join();
}

#[test]
fn an_authentication_that_is_refused_or_without_end_is_told() {
    let refused = Peer::bare(|stream| {
        read_until(stream, b"DATA\r\n");
        stream.write_all(b"REJECTED EXTERNAL\r\n").unwrap();
    });
    let error = refused.connect(LONG).map(drop).unwrap_err();
    assert_eq!(error.kind(), "certmonger.denied");
    assert!(error.to_string().contains("REJECTED"), "{error}");
    refused.join();
    let endless = Peer::bare(|stream| while stream.write_all(&[b'x'; 1024]).is_ok() {});
    assert_eq!(
        endless.connect(LONG).map(drop).unwrap_err().kind(),
        "certmonger.denied"
    );
    endless.join();
}

#[test]
fn a_socket_that_is_not_there_is_told() {
    let place = Place::Bus("unix:path=/nonexistent/bus".parse().unwrap());
    let error = Daemon::connect(&place, Start::Never, LONG)
        .map(drop)
        .unwrap_err();
    assert_eq!(error.kind(), "certmonger.no_bus");
    assert!(error.to_string().contains("/nonexistent/bus"), "{error}");
}

fn read_until_closed(stream: &mut std::os::unix::net::UnixStream) {
    let mut rest = Vec::new();
    drop(std::io::Read::read_to_end(stream, &mut rest));
}
