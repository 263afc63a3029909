// SPDX-License-Identifier: Apache-2.0
//! A real PowerDNS, over its API.

use serde_json::json;
use testbed::servers::{PowerDnsServer, World};

use crate::lab::Lab;

const ZONE: &str = "acme-pdns.test";

fn world(server: &PowerDnsServer) -> World {
    World {
        extra: format!(
            "_acme-challenge.p0 CNAME p0.{ZONE}.\n_acme-challenge.p1 CNAME p1.{ZONE}.\n"
        ),
        elsewhere: vec![(ZONE.to_owned(), server.address())],
        ..World::default()
    }
}

#[test]
fn powerdns_shows_what_pebble_wants_and_nothing_afterwards() {
    let server = PowerDnsServer::start(ZONE);
    let lab = Lab::new(world(&server)).in_zone(ZONE, server.address());
    lab.sandbox
        .write("key", format!("{}\n", PowerDnsServer::API_KEY));
    let provider = json!({"powerdns": {"url": server.url(), "api_key_file": "$DIR/key"}});
    let answer = lab.issue(&provider, &["p0", "p1"]);
    answer.never_says(PowerDnsServer::API_KEY);
    for host in ["p0", "p1"] {
        assert_eq!(server.dig(&[&format!("{host}.{ZONE}"), "TXT"]), "");
    }
}

#[test]
fn powerdns_that_refuses_the_key_or_has_no_zone_is_told_without_the_key() {
    let server = PowerDnsServer::start(ZONE);
    let lab = Lab::without_authority(world(&server)).in_zone(ZONE, server.address());
    let owner = format!("p0.{ZONE}");
    let with = |key: &str| json!({"powerdns": {"url": server.url(), "api_key": key}});
    let answer = lab.write("publish", &with("hunter2-hunter2"), (&owner, "v"));
    assert_eq!(answer.kind(), "dns.api_denied", "{}", answer.report());
    answer.never_says("hunter2-hunter2");
    let answer = lab.write("publish", &with(PowerDnsServer::API_KEY), (&owner, "v"));
    assert!(answer.changed(), "{}", answer.report());
    answer.never_says(PowerDnsServer::API_KEY);
    assert_eq!(server.dig(&[&owner, "TXT"]), "\"v\"");
    let answer = lab.write("cleanup", &with(PowerDnsServer::API_KEY), (&owner, "v"));
    assert!(answer.changed(), "{}", answer.report());
    assert_eq!(server.dig(&[&owner, "TXT"]), "");

    // A zone that is served by somebody else.
    let elsewhere = json!([{"target": "h0.acme-sign.test", "value": "v"}]);
    let servers: Vec<String> = lab.dns.authoritative().map(|at| at.to_string()).into();
    let more = json!({
        "phase": "publish", "records": elsewhere, "provider": with(PowerDnsServer::API_KEY),
        "target": {"zone": "acme-sign.test"},
        "propagation": {"resolvers": [lab.dns.resolver.address().to_string()], "nameservers": servers},
    });
    let answer = lab.task(more).run();
    assert_eq!(answer.kind(), "dns.api_not_found", "{}", answer.report());
}

/// The API replaces whole sets: processes of several hosts must not undo each other.
#[test]
fn hosts_that_write_one_name_of_powerdns_at_the_same_moment_lose_nothing() {
    let server = PowerDnsServer::start(ZONE);
    let lab = Lab::without_authority(world(&server)).in_zone(ZONE, server.address());
    let owner = format!("p0.{ZONE}");
    let provider = json!({"powerdns": {"url": server.url(), "api_key": PowerDnsServer::API_KEY}});
    let all_hosts = |phase: &str| {
        std::thread::scope(|scope| {
            for host in 0..6 {
                let (lab, owner, provider) = (&lab, &owner, &provider);
                scope.spawn(move || {
                    let value = format!("host {host}");
                    let answer = lab.write(phase, provider, (owner, &value));
                    assert!(answer.changed(), "{}", answer.report());
                });
            }
        });
    };
    all_hosts("publish");
    let shown = server.dig(&[&owner, "TXT"]);
    assert_eq!(shown.lines().count(), 6, "{shown}");
    all_hosts("cleanup");
    assert_eq!(server.dig(&[&owner, "TXT"]), "");
}
