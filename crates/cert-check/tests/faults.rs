// SPDX-License-Identifier: Apache-2.0
//! Real servers, each with one fault: `openssl s_server`, HAProxy and OpenLDAP.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test that starts programs"
)]

mod support;

use std::fs;
use std::net::{SocketAddr, TcpListener};
use std::process::Command;
use std::time::Duration;

use serde_json::{Value, json};
use support::{Leaf, Pki, Server, at, kinds};
use testbed::servers::free_port;

const NOTHING: [&str; 0] = [];

#[test]
fn what_is_well_served_has_no_findings_and_a_root_and_a_process() {
    let pki = Pki::new();
    let pair = pki.leaf("good.test");
    let (server, port) = pki.s_server(&pair, &[]);
    let answer = pki.check(json!({
        "endpoints": [{"host": "127.0.0.1", "port": port, "sni": "good.test", "service": "good", "certificate": pair.certificate}],
        "files": [{"path": pair.certificate, "private_key": pair.key, "service": "good"}],
    }));
    let chain = [
        json!({"subject": "CN=good.test"}),
        json!({"subject": "CN=Test sub"}),
    ];
    answer.expect(&json!({
        "changed": false,
        "endpoints": [{"service": "good", "status": "ok", "findings": [], "protocol": "tls", "address": "127.0.0.1", "trusted_by": {"subject": "CN=Test Root"}, "chain": chain}],
    }));
    // The file has the leaf alone: the server has its chain from elsewhere.
    assert_eq!(kinds(&answer.value["files"][0]), NOTHING);
    assert_eq!(
        answer.value["files"][0]["served_at"],
        json!([format!("127.0.0.1:{port}")])
    );
    if rustix::process::geteuid().is_root() {
        let by = json!({"process": "openssl", "pid": server.pid()});
        assert_eq!(answer.value["endpoints"][0]["served_by"], by);
    }
}

#[test]
fn dates_are_judged_against_the_limits() {
    let pki = Pki::new();
    let serve = |name: &str, wish: Leaf<'_>| {
        let pair = pki.leaf_of("sub", name, &wish);
        pki.s_server(&pair, &[])
    };
    let made = |made: &'static str| Leaf {
        made: Some(made),
        ..Leaf::default()
    };
    let (_expired, expired) = serve("expired.test", made("-91d"));
    let (_soon, soon) = serve("soon.test", made("-70d"));
    let (_late, late) = serve("late.test", made("-88d"));
    let (_early, early) = serve("early.test", made("+2d"));
    let answer = pki.check(json!({"endpoints": [
        at(expired, "expired.test"), at(soon, "soon.test"), at(late, "late.test"), at(early, "early.test"),
        {"host": "127.0.0.1", "port": soon, "sni": "soon.test", "warn": "10d", "fail": "5%"},
        {"host": "127.0.0.1", "port": soon, "sni": "soon.test", "fail": "25d"},
    ]}));
    let found: Vec<Vec<String>> = (0..6)
        .map(|index| kinds(&answer.value["endpoints"][index]))
        .collect();
    assert_eq!(
        found,
        [
            vec!["fail expired"],
            vec!["warn expires_soon"],
            vec!["fail expires_soon"],
            vec!["fail not_yet_valid"],
            vec![],
            vec!["fail expires_soon"]
        ]
    );
}

#[test]
fn names_must_be_those_that_are_asked_for() {
    let pki = Pki::new();
    let pair = pki.leaf("right.test");
    let (_server, port) = pki.s_server(&pair, &[]);
    assert_eq!(pki.kinds_at(at(port, "right.test")), NOTHING);
    assert_eq!(pki.kinds_at(at(port, "wrong.test")), ["fail name_mismatch"]);
    assert_eq!(
        pki.kinds_at(json!({"host": "127.0.0.1", "port": port})),
        ["fail name_mismatch"]
    );
    assert_eq!(
        pki.kinds_at(json!({"host": "127.0.0.1", "port": port, "names": []})),
        NOTHING
    );
}

#[test]
fn a_chain_must_be_complete_and_lead_to_a_trusted_root() {
    let pki = Pki::new();
    let pair = pki.leaf("chain.test");
    let (_bare, bare) = pki.bare_s_server(&pair, &[]);
    assert_eq!(
        pki.kinds_at(at(bare, "chain.test")),
        ["fail chain_incomplete"]
    );
    let (_whole, whole) = pki.s_server(&pair, &[]);
    // A root of the same name with another key, as it is after an authority was made anew.
    let other = Pki::new();
    assert_eq!(
        other.kinds_at(at(whole, "chain.test")),
        ["fail chain_signature"]
    );
    pki.openssl([
        "req",
        "-x509",
        "-newkey",
        "rsa:2048",
        "-nodes",
        "-subj",
        "/CN=Unrelated",
        "-days",
        "90",
        "-keyout",
        "unrelated.key",
        "-out",
        "unrelated.pem",
    ]);
    let answer = pki.check(json!({"endpoints": [at(whole, "chain.test")], "trust": {"system": false, "ca_path": [pki.path("unrelated.pem")]}}));
    assert_eq!(kinds(&answer.value["endpoints"][0]), ["fail untrusted"]);
    pki.openssl([
        "req",
        "-x509",
        "-newkey",
        "rsa:2048",
        "-nodes",
        "-subj",
        "/CN=own.test",
        "-addext",
        "subjectAltName=DNS:own.test",
        "-days",
        "90",
        "-keyout",
        "own.key",
        "-out",
        "own.pem",
    ]);
    let own = support::Pair {
        certificate: pki.path("own.pem"),
        key: pki.path("own.key"),
    };
    let (_own, own) = pki.bare_s_server(&own, &[]);
    assert_eq!(pki.kinds_at(at(own, "own.test")), ["fail self_signed"]);
}

#[test]
fn a_chain_out_of_order_or_with_strangers_is_a_warning() {
    let pki = Pki::new();
    pki.authority("lower", "sub");
    pki.authority("stranger", "root");
    let pair = pki.leaf_of("lower", "order.test", &Leaf::default());
    let (lower, sub, stranger) = (
        pki.path("lower.pem"),
        pki.path("sub.pem"),
        pki.path("stranger.pem"),
    );
    let right = pki.bundle("right.all", &[&pair.certificate, &pair.key, &lower, &sub]);
    let wrong = pki.bundle("wrong.all", &[&pair.certificate, &pair.key, &sub, &lower]);
    let more = pki.bundle(
        "more.all",
        &[&pair.certificate, &pair.key, &lower, &sub, &stranger],
    );
    let ports = [free_port(), free_port(), free_port()];
    let binds: Vec<(u16, String)> = ports
        .into_iter()
        .zip([right, wrong, more])
        .map(|(port, file)| (port, format!("ssl crt {}", file.display())))
        .collect();
    let _server = pki.haproxy(&binds);
    let answer = pki.check(json!({"endpoints": ports.map(|port| at(port, "order.test"))}));
    let found: Vec<Vec<String>> = (0..3)
        .map(|index| kinds(&answer.value["endpoints"][index]))
        .collect();
    assert_eq!(
        found,
        [
            vec![],
            vec!["warn chain_order"],
            vec!["warn chain_unneeded"]
        ]
    );
}

#[test]
fn an_old_certificate_that_is_still_served_is_told_from_another() {
    let pki = Pki::new();
    let old = pki.leaf_of(
        "sub",
        "stale.test",
        &Leaf {
            made: Some("-3d"),
            ..Leaf::default()
        },
    );
    let file = pki.combined(&old, "stale.all");
    let port = free_port();
    let _server = pki.haproxy(&[(port, format!("ssl crt {}", file.display()))]);
    let endpoint =
        json!({"host": "127.0.0.1", "port": port, "sni": "stale.test", "certificate": file});
    assert_eq!(pki.kinds_at(endpoint.clone()), NOTHING);
    let new = pki.leaf_of(
        "sub",
        "stale.test",
        &Leaf {
            again: true,
            ..Leaf::default()
        },
    );
    pki.combined(&new, "stale.all");
    assert_eq!(pki.kinds_at(endpoint.clone()), ["fail stale"]);
    let foreign = pki.leaf("foreign.test");
    pki.combined(&foreign, "stale.all");
    assert_eq!(pki.kinds_at(endpoint.clone()), ["fail other_certificate"]);
    fs::remove_file(&file).unwrap();
    assert_eq!(pki.kinds_at(endpoint), ["fail file_unreadable"]);
}

#[test]
fn a_key_that_two_services_use_is_told_of_both_unless_they_may() {
    let pki = Pki::new();
    let first = pki.leaf("shared.test");
    let file = pki.combined(&first, "shared.all");
    let ports = [free_port(), free_port(), free_port()];
    let _server = pki.haproxy(&ports.map(|port| (port, format!("ssl crt {}", file.display()))));
    let entry = |port: u16, service: &str, may: bool| json!({"host": "127.0.0.1", "port": port, "sni": "shared.test", "service": service, "allow_shared": may});
    let same = pki.check(
        json!({"endpoints": [entry(ports[0], "api", false), entry(ports[1], "api", false)]}),
    );
    same.expect(&json!({"status": "ok", "shared_keys": []}));
    let endpoints = [
        entry(ports[0], "api", false),
        entry(ports[1], "web", false),
        entry(ports[2], "stats", true),
    ];
    let answer = pki.check(json!({"endpoints": endpoints}));
    let found: Vec<Vec<String>> = (0..3)
        .map(|index| kinds(&answer.value["endpoints"][index]))
        .collect();
    assert_eq!(
        found,
        [vec!["warn shared_key"], vec!["warn shared_key"], vec![]]
    );
    let users: Vec<String> = ["api", "web", "stats"]
        .iter()
        .zip(ports)
        .map(|(name, port)| format!("{name} at 127.0.0.1:{port}"))
        .collect();
    assert_eq!(answer.value["shared_keys"][0]["users"], json!(users));
}

#[test]
fn a_certificate_that_nobody_serves_is_told_unless_nobody_shall() {
    let pki = Pki::new();
    let (served, left) = (pki.leaf("served.test"), pki.leaf("left.test"));
    let (served, left) = (
        pki.combined(&served, "served.all"),
        pki.combined(&left, "left.all"),
    );
    let port = free_port();
    let _server = pki.haproxy(&[(port, format!("ssl crt {}", served.display()))]);
    let dead = free_port();
    let check = |endpoint: Value, served_too: bool| {
        pki.check(json!({"endpoints": [at(port, "served.test"), endpoint], "files": [{"path": served}, {"path": left, "served": served_too}]}))
    };
    let answer = check(at(port, "served.test"), true);
    assert_eq!(kinds(&answer.value["files"][0]), NOTHING);
    assert_eq!(kinds(&answer.value["files"][1]), ["warn unserved"]);
    assert_eq!(answer.value["unserved"][0]["path"], json!(left));
    assert_eq!(
        kinds(&check(at(port, "served.test"), false).value["files"][1]),
        NOTHING
    );
    // Whoever would serve it does not answer: then nothing is known.
    let mut down = at(dead, "left.test");
    down["certificate"] = json!(left);
    assert_eq!(kinds(&check(down, true).value["files"][1]), NOTHING);
}

#[test]
fn weak_keys_and_signatures_and_purposes_fail() {
    let pki = Pki::new();
    let weak = Leaf {
        key: Some(&["-newkey", "rsa:1024"]),
        ..Leaf::default()
    };
    let sha1 = Leaf {
        digest: Some("-sha1"),
        ..Leaf::default()
    };
    let client = Leaf {
        extensions: "extendedKeyUsage=clientAuth",
        ..Leaf::default()
    };
    let more = ["-cipher", "ALL:@SECLEVEL=0"];
    let (_weak, key) = pki.s_server(&pki.leaf_of("sub", "weak.test", &weak), &more);
    let (_sha1, signature) = pki.s_server(&pki.leaf_of("sub", "sha1.test", &sha1), &more);
    let (_client, purpose) = pki.s_server(&pki.leaf_of("sub", "client.test", &client), &[]);
    assert_eq!(pki.kinds_at(at(key, "weak.test")), ["fail weak_key"]);
    assert_eq!(
        pki.kinds_at(at(signature, "sha1.test")),
        ["fail weak_signature"]
    );
    assert_eq!(
        pki.kinds_at(at(purpose, "client.test")),
        ["fail not_for_servers"]
    );
}

#[test]
fn a_server_that_wants_our_certificate_is_seen_all_the_same() {
    let pki = Pki::new();
    let pair = pki.leaf("mutual.test");
    let root = pki.path("root.pem").display().to_string();
    for version in ["-tls1_2", "-tls1_3"] {
        let (_server, port) = pki.s_server(&pair, &["-Verify", "2", "-CAfile", &root, version]);
        assert_eq!(pki.kinds_at(at(port, "mutual.test")), NOTHING, "{version}");
    }
}

#[test]
fn what_is_no_tls_and_who_does_not_answer_are_told() {
    let pki = Pki::new();
    let plain = free_port();
    let _server = pki.haproxy(&[(plain, String::new())]);
    // A stand-in: real servers that hang do so for reasons that cannot be ordered.
    let hanging = TcpListener::bind("127.0.0.1:0").unwrap();
    let hangs = hanging.local_addr().unwrap().port();
    let nowhere = json!({"host": "no-such-host.invalid"});
    let endpoints = [at(plain, "a.test"), at(free_port(), "a.test"), nowhere];
    let answer = pki.check(json!({"endpoints": endpoints, "timeout": 10}));
    let found: Vec<Vec<String>> = (0..3)
        .map(|index| kinds(&answer.value["endpoints"][index]))
        .collect();
    assert_eq!(
        found,
        [
            ["fail probe.not_tls"],
            ["fail probe.connect"],
            ["fail name_lookup"]
        ]
    );
    // The time that the others need on a busy machine would be waited for here.
    let answer = pki.check(json!({"endpoints": [at(hangs, "a.test")], "timeout": 2}));
    assert_eq!(
        kinds(&answer.value["endpoints"][0]),
        ["fail probe.timed_out"]
    );
}

#[test]
fn a_server_with_ipv6_only_is_reached() {
    let pki = Pki::new();
    let pair = pki.leaf("six.test");
    let port = free_port();
    let mut command = Command::new("openssl");
    command.args([
        "s_server",
        "-quiet",
        "-6",
        "-accept",
        &format!("[::1]:{port}"),
        "-cert",
    ]);
    command
        .arg(&pair.certificate)
        .arg("-key")
        .arg(&pair.key)
        .arg("-cert_chain")
        .arg(pki.path("sub.pem"));
    let address: SocketAddr = format!("[::1]:{port}").parse().unwrap();
    let server = Server::start(&mut command, address);
    let answer = pki.check(json!({"endpoints": [{"host": "::1", "port": port, "sni": "six.test"}], "domains": [format!("[::1]:{port}")]}));
    answer.expect(&json!({"endpoints": [{"status": "ok", "findings": [], "address": "::1"}, {"findings": [{"kind": "name_mismatch"}]}]}));
    if rustix::process::geteuid().is_root() {
        assert_eq!(
            answer.value["endpoints"][0]["served_by"]["pid"],
            server.pid()
        );
    }
}

#[test]
fn a_protocol_with_plain_text_before_tls_is_checked_through_it() {
    let pki = Pki::new();
    let pair = pki.leaf("ldap.test");
    let port = free_port();
    let text = format!(
        "TLSCertificateFile {}\nTLSCertificateKeyFile {}\nTLSCACertificateFile {}\n",
        pair.certificate.display(),
        pair.key.display(),
        pki.path("sub.pem").display()
    );
    fs::write(pki.path("slapd.conf"), text).unwrap();
    let mut command = Command::new("/usr/sbin/slapd");
    command
        .args(["-d", "0", "-h", &format!("ldap://127.0.0.1:{port}/"), "-f"])
        .arg(pki.path("slapd.conf"));
    let _server = Server::start(&mut command, SocketAddr::from(([127, 0, 0, 1], port)));
    let answer = pki.check(json!({"endpoints": [{"host": "127.0.0.1", "port": port, "sni": "ldap.test", "starttls": "ldap"}]}));
    answer.expect(&json!({"endpoints": [{"protocol": "ldap", "chain": [{"subject": "CN=ldap.test"}, {"subject": "CN=Test sub"}], "findings": []}]}));
    let answer = pki.check(json!({"endpoints": [{"host": "127.0.0.1", "port": port, "sni": "ldap.test", "starttls": "smtp"}], "timeout": 3}));
    assert_eq!(
        kinds(&answer.value["endpoints"][0]).len(),
        1,
        "{}",
        answer.report()
    );
}

#[test]
fn five_hundred_endpoints_of_which_most_hang_take_one_timeout_and_not_many() {
    let pki = Pki::new();
    let pair = pki.leaf("many.test");
    let file = pki.combined(&pair, "many.all");
    let port = free_port();
    let _server = pki.haproxy(&[(port, format!("ssl crt {}", file.display()))]);
    // A stand-in that accepts nothing: its queue takes the connections.
    let hanging: Vec<TcpListener> = (0..300)
        .map(|_| TcpListener::bind("127.0.0.1:0").unwrap())
        .collect();
    let dead = free_port();
    let mut endpoints: Vec<Value> = Vec::new();
    for index in 0..500 {
        endpoints.push(match index % 5 {
            0..=2 => at(
                hanging[index / 5 * 3 + index % 5]
                    .local_addr()
                    .unwrap()
                    .port(),
                "many.test",
            ),
            3 => at(dead, "many.test"),
            _ => at(port, "many.test"),
        });
    }
    let began = std::time::Instant::now();
    let answer = pki.check(json!({"endpoints": endpoints, "timeout": 10}));
    let took = began.elapsed();
    answer.expect(&json!({"summary": {"ok": 100, "warn": 0, "fail": 400}}));
    assert!(
        took < Duration::from_secs(28),
        "300 that hang took {took:?}, with 10 s for each"
    );
}
