// SPDX-License-Identifier: Apache-2.0
//! Servers that misbehave as no real one does on demand; each test's name says what the stand-in does.

use std::net::TcpListener;

use super::*;
use crate::message::{Record, Text};

const SHORT: Duration = Duration::from_millis(300);
/// For answers that come, also on a busy machine.
const LONG: Duration = Duration::from_secs(10);

/// A stand-in on UDP that answers one question with these datagrams.
fn stand_in(answers: impl FnOnce(&Message) -> Vec<Vec<u8>> + Send + 'static) -> SocketAddr {
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    let address = socket.local_addr().unwrap();
    std::thread::spawn(move || {
        let mut buffer = [0; 2000];
        let (length, from) = socket.recv_from(&mut buffer).unwrap();
        let query = Message::parse(&buffer[..length]).unwrap();
        for answer in answers(&query) {
            socket.send_to(&answer, from).unwrap();
        }
    });
    address
}

fn name() -> Name {
    "h1.example".parse().unwrap()
}

fn answer(query: &Message, value: &str) -> Message {
    Message {
        is_answer: true,
        answers: vec![Record::text(name(), 1, Text::from_value(value.as_bytes()))],
        ..query.clone()
    }
}

fn value(message: &Message) -> String {
    let text = message.answers[0].as_text().unwrap();
    String::from_utf8(text.value()).unwrap()
}

#[test]
fn a_stand_in_that_sends_noise_and_wrong_identifiers_first_is_heard_to_the_end() {
    let server = stand_in(|query| {
        let forged = Message {
            id: query.id ^ 1,
            ..answer(query, "forged")
        };
        let other = Message {
            questions: vec![],
            ..answer(query, "without its question")
        };
        vec![
            b"noise".to_vec(),
            forged.to_bytes().unwrap(),
            other.to_bytes().unwrap(),
            query.to_bytes().unwrap(),
            answer(query, "right").to_bytes().unwrap(),
        ]
    });
    let said = ask(server, &name(), Kind::TXT, false, LONG).unwrap();
    assert_eq!(value(&said), "right");
}

#[test]
fn a_stand_in_that_never_answers_costs_its_time_and_no_more() {
    let silent = UdpSocket::bind("127.0.0.1:0").unwrap();
    let started = Instant::now();
    let patience = Patience {
        answer: SHORT,
        rounds: 2,
    };
    let server = silent.local_addr().unwrap();
    let error = ask_until(&[server], &name(), Kind::TXT, false, patience, is_settled).unwrap_err();
    assert_eq!(error.kind(), "dns.no_answer");
    assert_eq!(
        error.to_string(),
        format!("no answer from '{server}' to 'h1.example TXT'")
    );
    let took = started.elapsed();
    assert!(took >= SHORT * 2 && took < SHORT * 15, "{took:?}");
}

#[test]
fn a_stand_in_that_truncates_and_drips_over_tcp_is_cut_off() {
    let (listener, address) = loop {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        if let Ok(socket) = UdpSocket::bind(address) {
            std::thread::spawn(move || {
                let mut buffer = [0; 2000];
                let (length, from) = socket.recv_from(&mut buffer).unwrap();
                let query = Message::parse(&buffer[..length]).unwrap();
                let cut = Message {
                    is_answer: true,
                    truncated: true,
                    ..query
                };
                socket.send_to(&cut.to_bytes().unwrap(), from).unwrap();
            });
            break (listener, address);
        }
    };
    std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        // One byte every 50 ms: each read succeeds, the whole never ends.
        while stream.write_all(&[0xff]).is_ok() {
            std::thread::sleep(Duration::from_millis(50));
        }
    });
    let started = Instant::now();
    let error = ask(address, &name(), Kind::TXT, false, SHORT).unwrap_err();
    assert_eq!(error.kind(), "dns.no_answer");
    assert!(started.elapsed() < SHORT * 15, "{:?}", started.elapsed());
}

#[test]
fn a_stand_in_that_refuses_is_passed_over_for_the_next() {
    let refusing = stand_in(|query| {
        vec![
            Message {
                is_answer: true,
                rcode: Rcode::REFUSED,
                ..query.clone()
            }
            .to_bytes()
            .unwrap(),
        ]
    });
    let right = stand_in(|query| vec![answer(query, "right").to_bytes().unwrap()]);
    let patience = Patience {
        answer: LONG,
        rounds: 1,
    };
    let servers = [refusing, right];
    let (index, said) =
        ask_until(&servers, &name(), Kind::TXT, false, patience, is_settled).unwrap();
    assert_eq!((index, value(&said)), (1, "right".to_owned()));
}

#[test]
fn identifiers_differ() {
    let drawn: std::collections::BTreeSet<u16> = (0..64).map(|_| random_id().unwrap()).collect();
    assert!(drawn.len() > 32, "{drawn:?}");
}
