// SPDX-License-Identifier: Apache-2.0
#![expect(clippy::unwrap_used, reason = "tests")]

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Instant;

use super::*;
use crate::state::Wanted;
use crate::{Identifier, Proof, Publisher};

const PATH: &str = "/.well-known/acme-challenge/token";

fn local() -> Vec<SocketAddr> {
    vec![(Ipv4Addr::LOCALHOST, 0).into()]
}

fn opened() -> Responder {
    let responder = Responder::open(&local()).unwrap();
    responder.show(PATH, "token.thumb");
    responder
}

/// What comes back for these bytes.
fn says(responder: &Responder, bytes: &[u8]) -> String {
    let mut stream = TcpStream::connect(responder.addresses()[0]).unwrap();
    stream
        .set_read_timeout(Some(Duration::from_secs(30)))
        .unwrap();
    // It may have answered and closed before all was sent.
    drop(stream.write_all(bytes));
    let mut read = Vec::new();
    drop(stream.read_to_end(&mut read));
    String::from_utf8(read).unwrap()
}

#[test]
fn a_proof_is_shown_at_its_path_and_a_sign_of_life_at_the_root() {
    let responder = opened();
    let line = |line: &str| says(&responder, format!("{line}\r\nHost: a\r\n\r\n").as_bytes());
    let proof = line(&format!("GET {PATH} HTTP/1.1"));
    assert!(
        proof.starts_with("HTTP/1.1 200 OK\r\n") && proof.ends_with("\r\n\r\ntoken.thumb"),
        "{proof}"
    );
    let whole = line(&format!("GET http://www.example.org:80{PATH} HTTP/1.1"));
    assert!(whole.ends_with("\r\n\r\ntoken.thumb"), "{whole}");
    let head = line(&format!("HEAD {PATH} HTTP/1.0"));
    assert!(
        head.contains("Content-Length: 11\r\n") && head.ends_with("\r\n\r\n"),
        "{head}"
    );
    for health in ["GET / HTTP/1.0", "HEAD / HTTP/1.1", "OPTIONS / HTTP/1.0"] {
        assert!(line(health).starts_with("HTTP/1.1 200 OK\r\n"), "{health}");
    }
    for (other, status) in [
        ("GET /.well-known/acme-challenge/ HTTP/1.1", "404"),
        (
            "GET /.well-known/acme-challenge/../../etc/passwd HTTP/1.1",
            "404",
        ),
        ("POST / HTTP/1.1", "405"),
        ("GET /", "400"),
        ("GET / HTTP/2.0", "400"),
        ("\u{0}\u{1}", "400"),
    ] {
        assert!(
            line(other).starts_with(&format!("HTTP/1.1 {status} ")),
            "{other}: {}",
            line(other)
        );
    }
    responder.hide(PATH);
    assert!(line(&format!("GET {PATH} HTTP/1.1")).starts_with("HTTP/1.1 404 "));
}

#[test]
fn whoever_holds_connections_open_or_sends_without_end_keeps_nobody_out() {
    let responder = opened();
    let address = responder.addresses()[0];
    let held: Vec<TcpStream> = (0..2 * MOST_CONNECTIONS)
        .map(|_| {
            let mut stream = TcpStream::connect(address).unwrap();
            drop(stream.write_all(b"GET / HT"));
            stream
        })
        .collect();
    let begun = Instant::now();
    let proof = says(
        &responder,
        format!("GET {PATH} HTTP/1.1\r\n\r\n").as_bytes(),
    );
    assert!(proof.ends_with("token.thumb"), "{proof}");
    assert!(begun.elapsed() < Duration::from_secs(5));
    drop(held);
    let endless = says(&responder, &vec![b'a'; 1 << 20]);
    assert!(
        endless.is_empty() || endless.starts_with("HTTP/1.1 431 "),
        "{endless}"
    );
}

#[test]
fn a_busy_port_is_told_with_the_program_that_has_it() {
    let responder = opened();
    let error = Responder::open(responder.addresses()).unwrap_err();
    let text = error.to_string();
    assert_eq!(error.kind(), "acme.listen");
    assert!(
        text.contains(&format!("(process {})", std::process::id())),
        "{text}"
    );
    let address = responder.addresses()[0];
    // Who listens at the same port of another address is not in the way, and not named.
    let beside: SocketAddr = ([127, 0, 0, 2], address.port()).into();
    assert_eq!(holder::of(beside), None);
    drop(Responder::open(&[beside]).unwrap());
    let all: SocketAddr = (Ipv4Addr::UNSPECIFIED, address.port()).into();
    let text = Responder::open(&[all]).unwrap_err().to_string();
    assert!(text.contains("(process "), "{text}");
    drop(responder);
    // Closed at once and for good: the next one gets it.
    drop(Responder::open(&[address]).unwrap());
}

#[test]
fn all_addresses_of_both_families_may_be_named_together() {
    let probe = Responder::open(&local()).unwrap();
    let port = probe.addresses()[0].port();
    drop(probe);
    let both = [
        SocketAddr::from((Ipv4Addr::UNSPECIFIED, port)),
        SocketAddr::from((Ipv6Addr::UNSPECIFIED, port)),
    ];
    let Ok(responder) = Responder::open(&both) else {
        // A host without IPv6 has no `::`.
        assert!(TcpListener::bind((Ipv6Addr::UNSPECIFIED, 0)).is_err());
        return;
    };
    responder.show(PATH, "both");
    for ip in [
        IpAddr::from(Ipv4Addr::LOCALHOST),
        Ipv6Addr::LOCALHOST.into(),
    ] {
        let mut stream = TcpStream::connect((ip, port)).unwrap();
        write!(stream, "GET {PATH} HTTP/1.1\r\n\r\n").unwrap();
        let mut read = String::new();
        stream.read_to_string(&mut read).unwrap();
        assert!(read.ends_with("both"), "{ip}: {read}");
    }
}

#[test]
fn the_look_at_the_own_proof_waits_for_the_right_one_and_names_a_wrong_one() {
    let responder = opened();
    let port = responder.addresses()[0].port();
    let name: Identifier = "127.0.0.1".parse().unwrap();
    let check = |demand, within| {
        SelfCheck::new(
            Arc::new(web::HostResolver::default()),
            port,
            Duration::from_millis(within),
            demand,
        )
        .unwrap()
    };
    let path = "/.well-known/acme-challenge/late";
    std::thread::scope(|scope| {
        scope.spawn(|| {
            std::thread::sleep(Duration::from_millis(400));
            responder.show(path, "late.thumb");
        });
        let seen = check(Demand::Seen, 20_000).wait(&name, path, "late.thumb");
        assert_eq!(seen, Ok(None));
    });
    let wrong = check(Demand::NotWrong, 1_000).wait(&name, PATH, "other");
    assert!(wrong.unwrap_err().contains("11 bytes of something else"));
    drop(responder);
    let gone = check(Demand::NotWrong, 1_000).wait(&name, PATH, "token.thumb");
    assert!(
        gone.unwrap()
            .unwrap()
            .contains("could not be seen from here")
    );
    let demanded = check(Demand::Seen, 1_000).wait(&name, PATH, "token.thumb");
    assert!(
        demanded
            .unwrap_err()
            .contains("did not show the proof within 1 s")
    );
}

#[test]
fn whatever_bytes_come_the_answer_is_one_of_http_and_repeats_none_of_them() {
    let shown = Shown::default();
    let proof = "token.thumb".to_owned();
    shown.files.lock().unwrap().insert(PATH.to_owned(), proof);
    let mut seed = [0; 32];
    for round in 0..2_000_usize {
        seed = pki::jws::sha256(&seed);
        let mut bytes = seed.get(..round % 33).unwrap().to_vec();
        // Every other one looks like a request for a while.
        if round % 2 == 0 {
            bytes.splice(0..0, *b"GET /");
            bytes.extend_from_slice(b" HTTP/1.1\r\nX-Evil: ");
            bytes.extend_from_slice(&seed);
        }
        let answer = connection::answer(&bytes, &shown);
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        assert!(head.starts_with("HTTP/1.1 "), "{answer}");
        assert!(body.is_empty() || body == "ok\n", "{answer}");
        assert!(!head.contains("X-Evil"), "{answer}");
    }
}

/// Answers every request with this, as long as the test runs.
fn answering(answer: &'static str) -> u16 {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let port = listener.local_addr().unwrap().port();
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let mut stream = stream;
            let mut request = [0; 1024];
            drop(stream.read(&mut request));
            drop(stream.write_all(answer.as_bytes()));
        }
    });
    port
}

#[test]
fn a_redirect_is_not_followed_and_a_wrong_answer_is_never_passed_over() {
    let name: Identifier = "127.0.0.1".parse().unwrap();
    let wait = |port, demand| {
        let resolver = Arc::new(web::HostResolver::default());
        let check = SelfCheck::new(resolver, port, Duration::from_secs(1), demand).unwrap();
        check.wait(&name, PATH, "token.thumb")
    };
    let away = answering(
        "HTTP/1.1 301 Moved\r\nLocation: https://user:secret@other.example/x\r\nContent-Length: 0\r\nConnection: close\r\n\r\n",
    );
    let warning = wait(away, Demand::NotWrong).unwrap().unwrap();
    assert!(
        warning.contains("it leads to https://other.example/x"),
        "{warning}"
    );
    let error = wait(away, Demand::Seen).unwrap_err();
    assert!(
        error.contains("it leads to https://other.example/x"),
        "{error}"
    );
    let down = answering("HTTP/1.1 503 Down\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
    let error = wait(down, Demand::NotWrong).unwrap_err();
    assert!(error.contains("it answers with status 503"), "{error}");
    // It is cut off at 8 KiB, not read to its end.
    let huge = answering(
        "HTTP/1.1 200 OK\r\nContent-Length: 9999999999\r\nConnection: close\r\n\r\ntoken.thumb",
    );
    assert!(wait(huge, Demand::NotWrong).is_err());
}

/// One that cannot be reached is looked for as long as one may take, not each of them.
#[test]
fn many_names_out_of_reach_take_the_time_of_one() {
    let responder = opened();
    let within = Duration::from_secs(2);
    let resolver = Arc::new(web::HostResolver::default());
    // Nobody listens at this port.
    let check = SelfCheck::new(resolver, 1, within, Demand::NotWrong).unwrap();
    let publisher = HttpPublisher::new(Some(&responder), Some(&check));
    let mut proofs: Vec<Wanted> = (0..20)
        .map(|number| Wanted {
            identifier: "127.0.0.1".parse().unwrap(),
            authorization: String::new(),
            challenge: format!("https://ca.example/c/{number}"),
            proof: Proof::File {
                path: format!("{PATH}-{number}"),
                content: String::from("token.thumb"),
            },
            published: None,
        })
        .collect();
    let begun = Instant::now();
    publisher.publish(&mut proofs).unwrap();
    assert!(begun.elapsed() < 5 * within, "{:?}", begun.elapsed());
    assert_eq!(publisher.warnings().len(), proofs.len());
}
