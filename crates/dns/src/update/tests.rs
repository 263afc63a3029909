// SPDX-License-Identifier: Apache-2.0

use std::io::{Read, Write};
use std::net::TcpListener;
use std::time::SystemTime;

use super::*;

fn updater(key: Option<Key>) -> Updater {
    Updater {
        server: "127.0.0.1:9".parse().unwrap(),
        key,
        within: Duration::from_secs(10),
        clock: Clock::starting_at(SystemTime::UNIX_EPOCH),
    }
}

fn add(host: usize, length: usize) -> Change {
    Change::Add {
        owner: format!("h{host}.acme.example").parse().unwrap(),
        ttl: 1,
        text: Text::from_value(&vec![b'x'; length]),
    }
}

#[test]
fn five_hundred_records_are_one_message_and_two_thousand_a_few() {
    let zone: Name = "acme.example".parse().unwrap();
    let key = Key::new("k", "hmac-sha512".parse().unwrap(), "c2VjcmV0").unwrap();
    let updater = updater(Some(key.clone()));
    for (records, messages) in [(0, 0), (1, 1), (500, 1), (2000, 2)] {
        let changes: Vec<Change> = (0..records).map(|host| add(host, 43)).collect();
        let split = updater.messages(&zone, &changes).unwrap();
        assert_eq!(split.len(), messages, "{records} records");
        let mut found = 0;
        for message in split {
            found += Message::parse(&message).unwrap().authority.len();
            let signed = key.sign(message, 0).unwrap();
            assert!(signed.bytes.len() <= LARGEST);
        }
        assert_eq!(found, records);
    }
}

#[test]
fn the_order_of_changes_is_kept_over_messages() {
    let zone: Name = "acme.example".parse().unwrap();
    let changes: Vec<Change> = (0..5).map(|host| add(host, 30_000)).collect();
    let split = updater(None).messages(&zone, &changes).unwrap();
    let owners: Vec<String> = split
        .iter()
        .flat_map(|bytes| Message::parse(bytes).unwrap().authority)
        .map(|record| record.name.to_string())
        .collect();
    assert_eq!(
        owners,
        [0, 1, 2, 3, 4].map(|host| format!("h{host}.acme.example"))
    );
}

#[test]
fn one_record_that_fits_no_message_is_told() {
    let zone: Name = "acme.example".parse().unwrap();
    let error = updater(None)
        .messages(&zone, &[add(1, 70_000)])
        .unwrap_err();
    assert_eq!(error.kind(), "dns.too_large");
}

/// A stand-in on TCP that takes messages and gives these answers, one a connection; an empty one is a hang-up.
fn stand_in(answers: Vec<fn(Vec<u8>) -> Vec<u8>>) -> (SocketAddr, std::thread::JoinHandle<usize>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let server = std::thread::spawn(move || {
        let mut taken = 0;
        for answer in answers {
            let (mut stream, _) = listener.accept().unwrap();
            let mut length = [0; 2];
            stream.read_exact(&mut length).unwrap();
            let mut message = vec![0; usize::from(u16::from_be_bytes(length))];
            stream.read_exact(&mut message).unwrap();
            taken += 1;
            let said = answer(message);
            if !said.is_empty() {
                let length = u16::try_from(said.len()).unwrap();
                stream.write_all(&length.to_be_bytes()).unwrap();
                stream.write_all(&said).unwrap();
            }
        }
        taken
    });
    (address, server)
}

/// NOERROR, as anybody on the way may say.
fn fine(message: Vec<u8>) -> Vec<u8> {
    let update = Message::parse(&message).unwrap();
    let answer = Message {
        is_answer: true,
        authority: Vec::new(),
        ..update
    };
    answer.to_bytes().unwrap()
}

fn apply(answers: Vec<fn(Vec<u8>) -> Vec<u8>>, signed: bool) -> (Result<usize>, usize) {
    let key = Key::new("k", "hmac-sha256".parse().unwrap(), "c2VjcmV0").unwrap();
    let (server, taken) = stand_in(answers);
    let updater = Updater {
        server,
        ..updater(signed.then_some(key))
    };
    let done = updater.apply(&"acme.example".parse().unwrap(), &[add(1, 43)]);
    (done, taken.join().unwrap())
}

#[test]
fn a_stand_in_that_agrees_without_the_key_is_not_believed() {
    let (done, _) = apply(vec![fine], true);
    let error = done.unwrap_err();
    assert_eq!(error.kind(), "dns.tsig_answer");
    assert!(
        error.to_string().ends_with("it has no signature"),
        "{error}"
    );
    // Our own message sent back has our signature, but not over our signature.
    let (done, _) = apply(vec![|message| message], true);
    let error = done.unwrap_err();
    assert!(
        error.to_string().ends_with("its signature does not fit"),
        "{error}"
    );
    let (done, _) = apply(vec![fine], false);
    assert_eq!(done.unwrap(), 1);
}

#[test]
fn a_stand_in_that_hangs_up_once_gets_the_message_again() {
    let (done, taken) = apply(vec![|_| Vec::new(), fine], false);
    assert_eq!((done.unwrap(), taken), (1, 2));
    let (done, taken) = apply(vec![|_| Vec::new(), |_| Vec::new()], false);
    assert_eq!(done.unwrap_err().kind(), "dns.no_answer");
    assert_eq!(taken, 2);
}

#[test]
fn a_stand_in_that_answers_nonsense_is_told() {
    let (done, _) = apply(vec![|message| message[..2].to_vec()], false);
    assert_eq!(done.unwrap_err().kind(), "dns.malformed");
    // Without a key there is no signature to tell an echo by.
    let (done, _) = apply(vec![|message| message], false);
    assert_eq!(done.unwrap_err().kind(), "dns.no_answer");
    let (done, _) = apply(vec![|_| b"HTTP/1.1 400 Bad Request".to_vec()], false);
    assert_eq!(done.unwrap_err().kind(), "dns.no_answer");
    let (done, _) = apply(vec![|message| message[..2].to_vec()], true);
    assert_eq!(done.unwrap_err().kind(), "dns.tsig_answer");
}
