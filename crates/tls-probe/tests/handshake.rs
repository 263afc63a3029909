// SPDX-License-Identifier: Apache-2.0
//! What servers of every temper present, against `openssl s_server`.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test that starts programs"
)]

mod support;

use std::fs;
use std::process::Command;
use std::time::Duration;

use support::{
    Pair, asking_for, der, directory, free_port, loopback, probe, run, s_server, s_server_at,
};
use tls_probe::{Ask, Ending, Held, KeyKind};

const SECOND: Duration = Duration::from_secs(10);

fn served(port: u16) -> Held {
    probe(loopback(port), &Ask::default()).unwrap()
}

#[test]
fn leaf_and_chain_come_as_the_server_sends_them() {
    let place = directory();
    let root = Pair::new(place.path(), "root.test");
    let other = Pair::new(place.path(), "other.test");
    let pair = Pair::new(place.path(), "leaf.test");
    // In no sensible order: what is wrong with a chain is for others to say.
    let chain = place.path().join("chain.pem");
    let text = [&other, &root].map(|pair| fs::read_to_string(&pair.certificate).unwrap());
    fs::write(&chain, text.concat()).unwrap();
    let port = free_port();
    let _server = s_server(
        place.path(),
        port,
        &pair,
        &["-cert_chain", chain.to_str().unwrap()],
    );
    let held = served(port);
    assert_eq!(held.presented().leaf(), der(&pair.certificate));
    assert_eq!(
        held.presented().others(),
        [der(&other.certificate), der(&root.certificate)]
    );
    assert_eq!(
        held.presented().fingerprint_sha256_text(),
        pair.fingerprint()
    );
    assert_eq!(held.protocol(), "TLSv1.3");
    assert_eq!(held.finish(SECOND), Ending::Finished);
}

#[test]
fn each_protocol_version_presents_and_proves() {
    let place = directory();
    let pair = Pair::new(place.path(), "leaf.test");
    for (option, version) in [("-tls1_2", "TLSv1.2"), ("-tls1_3", "TLSv1.3")] {
        let port = free_port();
        let _server = s_server(place.path(), port, &pair, &[option]);
        let held = served(port);
        assert_eq!(
            held.presented().fingerprint_sha256_text(),
            pair.fingerprint()
        );
        assert_eq!(held.protocol(), version);
        assert_eq!(held.finish(SECOND), Ending::Finished);
    }
}

#[test]
fn a_server_that_demands_a_certificate_of_us_has_shown_its_own() {
    let place = directory();
    let pair = Pair::new(place.path(), "leaf.test");
    for (option, version) in [("-tls1_2", "TLSv1.2"), ("-tls1_3", "TLSv1.3")] {
        let port = free_port();
        let _server = s_server(
            place.path(),
            port,
            &pair,
            &[option, "-Verify", "1", "-verify_return_error"],
        );
        let held = served(port);
        assert_eq!(held.presented().leaf(), der(&pair.certificate), "{version}");
        let ending = held.finish(SECOND);
        assert!(ending.proves_key(), "{version}: {ending:?}");
        // In TLS 1.3 our handshake is over before the server looks for our certificate.
        let is_refused = matches!(ending, Ending::Refused { .. });
        assert_eq!(is_refused, version == "TLSv1.2", "{version}: {ending:?}");
    }
}

#[test]
fn the_name_that_is_asked_for_chooses_the_certificate() {
    let place = directory();
    let usual = Pair::new(place.path(), "usual.test");
    let named = Pair::new(place.path(), "named.test");
    let port = free_port();
    let more = [
        "-servername",
        "named.test",
        "-cert2",
        named.certificate.to_str().unwrap(),
        "-key2",
        named.key.to_str().unwrap(),
    ];
    let _server = s_server(place.path(), port, &usual, &more);
    let fingerprint = |ask: &Ask| {
        let held = probe(loopback(port), ask).unwrap();
        held.presented().fingerprint_sha256_text()
    };
    assert_eq!(fingerprint(&Ask::default()), usual.fingerprint());
    assert_eq!(fingerprint(&asking_for("named.test")), named.fingerprint());
    assert_eq!(fingerprint(&asking_for("third.test")), usual.fingerprint());
}

#[test]
fn the_kind_of_key_chooses_the_certificate() {
    let place = directory();
    let ecdsa = Pair::new(place.path(), "ecdsa.test");
    let rsa = Pair::with(place.path(), "rsa.test", &["-newkey", "rsa:2048"]);
    for version in ["-tls1_2", "-tls1_3"] {
        let port = free_port();
        let more = [
            version,
            "-dcert",
            rsa.certificate.to_str().unwrap(),
            "-dkey",
            rsa.key.to_str().unwrap(),
        ];
        let _server = s_server(place.path(), port, &ecdsa, &more);
        for (key, pair) in [(KeyKind::Ecdsa, &ecdsa), (KeyKind::Rsa, &rsa)] {
            let ask = Ask {
                key: Some(key),
                ..Ask::default()
            };
            let held = probe(loopback(port), &ask).unwrap();
            assert_eq!(
                held.presented().fingerprint_sha256_text(),
                pair.fingerprint(),
                "{version} {key:?}"
            );
            assert_eq!(held.finish(SECOND), Ending::Finished);
        }
    }
}

#[test]
fn weak_and_expired_certificates_are_seen_too() {
    let place = directory();
    let weak = Pair::with(
        place.path(),
        "weak.test",
        &["-newkey", "rsa:1024", "-sha1", "-days", "1"],
    );
    let edwards = Pair::with(place.path(), "edwards.test", &["-newkey", "ed25519"]);
    let expired = Pair::new(place.path(), "expired.test");
    run(Command::new("openssl")
        .args(["x509", "-days", "-1", "-in"])
        .arg(&expired.certificate)
        .arg("-signkey")
        .arg(&expired.key)
        .arg("-out")
        .arg(&expired.certificate));
    for pair in [weak, edwards, expired] {
        let port = free_port();
        let _server = s_server(
            place.path(),
            port,
            &pair,
            &["-cipher", "DEFAULT@SECLEVEL=0"],
        );
        let held = served(port);
        assert_eq!(
            held.presented().fingerprint_sha256_text(),
            pair.fingerprint()
        );
        assert_eq!(held.finish(SECOND), Ending::Finished);
    }
}

#[test]
fn a_server_without_ephemeral_keys_is_read_and_proves_by_the_end_only() {
    let place = directory();
    let pair = Pair::with(place.path(), "rsa.test", &["-newkey", "rsa:2048"]);
    let port = free_port();
    let more = ["-tls1_2", "-cipher", "AES128-GCM-SHA256"];
    let _server = s_server(place.path(), port, &pair, &more);
    assert_eq!(served(port).finish(SECOND), Ending::Finished);
    let port = free_port();
    let demanding = [&more[..], &["-Verify", "1", "-verify_return_error"]].concat();
    let _demanding = s_server(place.path(), port, &pair, &demanding);
    let held = served(port);
    assert_eq!(
        held.presented().fingerprint_sha256_text(),
        pair.fingerprint()
    );
    let ending = held.finish(SECOND);
    assert!(matches!(ending, Ending::Broken { .. }), "{ending:?}");
}

#[test]
fn a_server_on_ipv6_only_is_reached() {
    let place = directory();
    let pair = Pair::new(place.path(), "six.test");
    let port = free_port();
    let address = format!("[::1]:{port}").parse().unwrap();
    let _server = s_server_at(address, place.path(), &pair, &[]);
    let held = probe(address, &Ask::default()).unwrap();
    assert_eq!(
        held.presented().fingerprint_sha256_text(),
        pair.fingerprint()
    );
    let error = probe(loopback(port), &Ask::default()).unwrap_err();
    assert_eq!(error.kind(), "probe.connect");
}

#[test]
fn a_server_of_old_protocols_only_is_told_as_such() {
    let place = directory();
    let pair = Pair::with(place.path(), "old.test", &["-newkey", "rsa:2048"]);
    let port = free_port();
    let _server = s_server(
        place.path(),
        port,
        &pair,
        &["-tls1_1", "-cipher", "ALL@SECLEVEL=0"],
    );
    let error = probe(loopback(port), &Ask::default()).unwrap_err();
    assert_eq!(error.kind(), "probe.tls");
    assert!(error.to_string().contains("protocol version"), "{error}");
}

#[test]
fn a_server_without_a_certificate_is_told_as_such() {
    let place = directory();
    let port = free_port();
    let mut command = Command::new("openssl");
    command.args([
        "s_server",
        "-quiet",
        "-nocert",
        "-tls1_2",
        "-cipher",
        "aNULL@SECLEVEL=0",
        "-accept",
        &port.to_string(),
    ]);
    let _server = support::Server::start(place.path(), &mut command).listening(loopback(port));
    let error = probe(loopback(port), &Ask::default()).unwrap_err();
    assert_eq!(error.kind(), "probe.tls", "{error}");
}

#[test]
fn many_threads_share_one_prober() {
    let place = directory();
    let pair = Pair::new(place.path(), "leaf.test");
    let port = free_port();
    let config = place.path().join("haproxy.cfg");
    fs::write(&config, format!(
        "defaults\n mode http\n timeout client 5s\n timeout server 5s\n timeout connect 5s\nfrontend f\n bind 127.0.0.1:{port} ssl crt {}\n",
        pair.combined().display())).unwrap();
    let mut haproxy = Command::new("haproxy");
    haproxy.args(["-db", "-f"]).arg(&config);
    let _server = support::Server::start(place.path(), &mut haproxy).listening(loopback(port));
    let prober = tls_probe::Prober::new().unwrap();
    let expected = pair.fingerprint();
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                for _ in 0..10 {
                    let place = tls_probe::Place::anywhere(loopback(port));
                    let held = prober
                        .probe(&place, &Ask::default(), support::PATIENCE)
                        .unwrap();
                    assert_eq!(held.presented().fingerprint_sha256_text(), expected);
                    assert_eq!(held.finish(SECOND), Ending::Finished);
                }
            });
        }
    });
}

#[test]
fn a_line_is_said_and_answered_unless_we_are_refused() {
    let place = directory();
    let pair = Pair::new(place.path(), "leaf.test");
    for version in ["-tls1_2", "-tls1_3"] {
        let port = free_port();
        // `-rev` sends each line back, its letters in reverse.
        let _server = s_server(place.path(), port, &pair, &["-rev", version]);
        assert_eq!(
            served(port).say(b"olleh\n", SECOND).unwrap(),
            b"hello\n",
            "{version}"
        );
    }
    let port = free_port();
    let _demanding = s_server(place.path(), port, &pair, &["-rev", "-Verify", "1"]);
    let refused = served(port).say(b"olleh\n", SECOND).unwrap_err();
    assert!(
        ["probe.tls", "probe.io", "probe.closed"].contains(&refused.kind()),
        "{refused:?}"
    );
}
