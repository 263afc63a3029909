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
