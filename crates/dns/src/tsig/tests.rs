// SPDX-License-Identifier: Apache-2.0

use proptest::prelude::*;

use super::*;
use crate::message::Message;

const NOW: u64 = 1_800_000_000;

fn key(algorithm: &str, secret: &str) -> Key {
    Key::new("Key.Example", algorithm.parse().unwrap(), secret).unwrap()
}

fn request() -> Message {
    Message::update(7, "example".parse().unwrap(), Vec::new())
}

/// An answer as a server that has the key would sign it.
fn answer(key: &Key, request: &Signed, time: u64, error: u16, other: &[u8]) -> Vec<u8> {
    let message = Message {
        is_answer: true,
        ..self::request()
    };
    let mut bytes = message.to_bytes().unwrap();
    let length = (request.mac.len() as u16).to_be_bytes();
    let variables = key.variables(time, FUDGE, error, other);
    let mac = key
        .code(&[&length, &request.mac, &bytes, &variables])
        .unwrap();
    let content = [
        key.algorithm_name.wire(),
        &time48(time),
        &FUDGE.to_be_bytes(),
        &(mac.len() as u16).to_be_bytes(),
        &mac,
        &[0, 7],
        &error.to_be_bytes(),
        &(other.len() as u16).to_be_bytes(),
        other,
    ]
    .concat();
    count(&mut bytes, 1);
    bytes.extend(
        [
            key.name.wire(),
            &[0, 250],
            &CLASS_AND_TTL,
            &(content.len() as u16).to_be_bytes(),
            &content,
        ]
        .concat(),
    );
    bytes
}

#[test]
fn an_answer_is_right_only_with_the_same_secret_request_and_time() {
    for algorithm in ALGORITHMS.map(|(name, _)| name) {
        let ours = key(algorithm, "c2VjcmV0");
        let signed = ours.sign(request().to_bytes().unwrap(), NOW).unwrap();
        let right = answer(&ours, &signed, NOW + 299, 0, &[]);
        assert_eq!(ours.judge(&signed, &right, NOW).unwrap(), Verdict::Right);
        let wrong = |answer: &[u8], why: &str| {
            assert_eq!(
                ours.judge(&signed, answer, NOW).unwrap(),
                Verdict::Wrong(why.into())
            );
        };
        wrong(
            &answer(&ours, &signed, NOW - 301, 0, &[]),
            "it was signed 301 s away from now",
        );
        let other = key(algorithm, "b3RoZXI=");
        wrong(
            &answer(&other, &signed, NOW, 0, &[]),
            "its signature does not fit",
        );
        let later = ours.sign(request().to_bytes().unwrap(), NOW + 1).unwrap();
        wrong(
            &answer(&ours, &later, NOW, 0, &[]),
            "its signature does not fit",
        );
        // NOERROR made of whatever it was.
        let mut changed = right;
        changed[3] ^= 5;
        wrong(&changed, "its signature does not fit");
        let plain = request().to_bytes().unwrap();
        assert_eq!(ours.judge(&signed, &plain, NOW).unwrap(), Verdict::Missing);
    }
}

#[test]
fn a_refusal_tells_its_reason_and_the_servers_time() {
    let ours = key("hmac-sha256", "c2VjcmV0");
    let signed = ours.sign(request().to_bytes().unwrap(), NOW).unwrap();
    let refusal = answer(&ours, &signed, NOW, 18, &time48(NOW + 4000));
    assert_eq!(
        ours.judge(&signed, &refusal, NOW).unwrap(),
        Verdict::Refuses {
            error: 18,
            server_time: Some(NOW + 4000),
            signed: true
        }
    );
}

#[test]
fn the_size_of_a_signature_is_known_beforehand() {
    for algorithm in ALGORITHMS.map(|(name, _)| name) {
        let key = key(algorithm, "c2VjcmV0");
        let plain = request().to_bytes().unwrap();
        let signed = key.sign(plain.clone(), NOW).unwrap();
        assert_eq!(signed.bytes.len(), plain.len() + key.overhead());
        assert_eq!(Message::parse(&signed.bytes).unwrap(), request());
    }
}

#[test]
fn unusable_keys_are_refused_without_their_secret() {
    let algorithm = "HMAC-SHA256.".parse().unwrap();
    for (secret, why) in [
        ("c2Vj*", "its secret is not base64"),
        (" ", "its secret is empty"),
    ] {
        let error = Key::new("k", algorithm, secret).unwrap_err();
        assert_eq!(
            error.to_string(),
            format!("the TSIG key 'k' cannot be used: {why}")
        );
    }
    assert_eq!(
        "hmac-md5".parse::<Algorithm>().unwrap_err().to_string(),
        "algorithm 'hmac-md5': there are hmac-sha1, hmac-sha224, hmac-sha256, hmac-sha384, hmac-sha512"
    );
    assert!(!format!("{:?}", key("hmac-sha256", "c2VjcmV0")).contains("c2Vj"));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(500))]

    #[test]
    fn no_damaged_answer_is_right_and_none_panics(at in any::<prop::sample::Index>(), mask in 1..=u8::MAX, cut in any::<prop::sample::Index>()) {
        let ours = key("hmac-sha256", "c2VjcmV0");
        let signed = ours.sign(request().to_bytes().unwrap(), NOW).unwrap();
        let right = answer(&ours, &signed, NOW, 0, &[]);
        let mut damaged = right.clone();
        let at = at.index(damaged.len());
        damaged[at] ^= mask;
        // The first two bytes are the identifier, which who forwards may change: the original one is in the signature.
        // Names may be written in another case.
        let is_other = at > 1 && !damaged.eq_ignore_ascii_case(&right);
        let verdict = ours.judge(&signed, &damaged, NOW).unwrap();
        prop_assert!(!is_other || verdict != Verdict::Right, "{at} {mask}");
        damaged.truncate(cut.index(right.len()));
        prop_assert_ne!(ours.judge(&signed, &damaged, NOW).unwrap(), Verdict::Right);
    }

    #[test]
    fn noise_is_no_signature(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        let ours = key("hmac-sha256", "c2VjcmV0");
        let signed = ours.sign(request().to_bytes().unwrap(), NOW).unwrap();
        prop_assert_ne!(ours.judge(&signed, &bytes, NOW).unwrap(), Verdict::Right);
    }
}
