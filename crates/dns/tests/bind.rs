// SPDX-License-Identifier: Apache-2.0
//! Against BIND: a primary, its secondary, a recursive server. `dig` and `nsupdate` are the witnesses.
#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "tests, with figures"
)]

mod support;

use std::collections::HashMap;
use std::net::{IpAddr, SocketAddr};
use std::time::{Duration, Instant, SystemTime};

use dns::target::walk;
use dns::tsig::Key;
use dns::update::{Change, Updater};
use dns::zone::Zones;
use dns::{Clock, Name, Resolver};
use support::{add, challenge, delete, key, name, resolver, updater, zones};
use testbed::servers::{DnsWorld, HOST_ZONE, Named, SECRET, SIGNING_ZONE, World, free_addresses};

#[test]
fn addresses_come_from_the_recursive_server_by_udp_and_tcp() {
    let extra = (0..90)
        .map(|host| format!("many A 192.0.2.{host}\n"))
        .collect::<String>()
        + "alias CNAME h1\nsix AAAA 2001:db8::1\ntext TXT \"x\"\ndead NS ns2\n";
    let world = DnsWorld::start(&World {
        extra,
        ..World::default()
    });
    let resolver = resolver(&world);
    let loopback: IpAddr = "127.0.0.1".parse().unwrap();
    for host in ["h1.example.test", "H1.Example.Test.", "alias.example.test"] {
        assert_eq!(resolver.addresses(host).unwrap(), [loopback], "{host}");
    }
    assert_eq!(
        resolver.addresses("six.example.test").unwrap(),
        ["2001:db8::1".parse::<IpAddr>().unwrap()]
    );
    // 90 addresses are more than the datagrams that we ask for hold; BIND takes no more than 100.
    assert_eq!(resolver.addresses("many.example.test").unwrap().len(), 90);
    for host in ["nobody.example.test", "text.example.test", "h1"] {
        let error = resolver.addresses(host).unwrap_err();
        assert_eq!(error.kind(), "dns.unknown_host");
        assert_eq!(error.to_string(), format!("host '{host}' has no address"));
    }
    let searching = Resolver::from_files("search example.test\n", "")
        .with_servers(vec![world.resolver.address()]);
    assert_eq!(searching.addresses("h1").unwrap(), [loopback]);
    let broken = Resolver::from_files("search dead.example.test example.test\n", "")
        .with_servers(vec![world.resolver.address()]);
    assert_eq!(broken.addresses("h1").unwrap(), [loopback]);
    let error = broken.addresses("nobody").unwrap_err();
    assert_eq!(error.kind(), "dns.refused", "{error}");
}

#[test]
fn the_target_of_a_challenge_is_found_with_its_zone_and_its_servers() {
    let extra = "_acme-challenge.chain CNAME c1\nc1 CNAME c2\nc2 CNAME chain.acme-sign.test.\n";
    let world = DnsWorld::start(&World {
        extra: extra.into(),
        ..World::default()
    });
    let resolver = resolver(&world);
    let zones = zones(&world, &resolver);
    let allowed = name(SIGNING_ZONE);
    for (host, owner, length) in [
        ("h1", "h1.acme-sign.test", 2),
        ("*.h1", "h1.acme-sign.test", 2),
        ("s1", "acme-sign.test", 2),
        ("chain", "chain.acme-sign.test", 4),
    ] {
        let target = walk(&zones, &challenge(host), Some(&allowed)).unwrap();
        assert_eq!(*target.owner(), name(owner));
        assert_eq!(target.chain.len(), length);
        assert_eq!(target.zone.apex, allowed);
        let mut addresses: Vec<SocketAddr> = target
            .zone
            .servers
            .iter()
            .map(|server| server.address)
            .collect();
        addresses.sort();
        let mut authoritative = world.authoritative();
        authoritative.sort();
        assert_eq!(addresses, authoritative);
        assert_eq!(target.before.negative_ttl, Duration::from_secs(60));
    }
    // Without a CNAME the record belongs at the challenge itself, in the zone of the host.
    let own = walk(&zones, &challenge("nocname"), None).unwrap();
    assert_eq!(*own.owner(), challenge("nocname"));
    assert_eq!(own.zone.apex, name(HOST_ZONE));
}

#[test]
fn cnames_that_lead_nowhere_are_told_before_anything_is_written() {
    let chain: String = (0..12)
        .map(|hop| format!("f{hop} CNAME f{}\n", hop + 1))
        .collect();
    let extra = format!(
        "_acme-challenge.loop CNAME l1\nl1 CNAME l2\nl2 CNAME l1\n_acme-challenge.dangling CNAME nowhere.invalid.\n\
         _acme-challenge.sold CNAME x.sold-domain.com.\n_acme-challenge.elsewhere CNAME x.example.test.\n\
         _acme-challenge.lame CNAME x.dead\ndead NS ns2\n_acme-challenge.nameless CNAME x.gone\ngone NS nobody\n\
         _acme-challenge.self CNAME _acme-challenge.self\n_acme-challenge.far CNAME f0\n{chain}"
    );
    let world = DnsWorld::start(&World {
        extra,
        ..World::default()
    });
    let resolver = resolver(&world);
    let zones = zones(&world, &resolver);
    let allowed = name(SIGNING_ZONE);
    for (host, allowed, kind, message) in [
        (
            "loop",
            Some(&allowed),
            "dns.target_loop",
            "the CNAMEs of '_acme-challenge.loop.example.test' are a loop: '_acme-challenge.loop.example.test' -> 'l1.example.test' -> 'l2.example.test' -> 'l1.example.test'",
        ),
        (
            "self",
            None,
            "dns.target_loop",
            "the CNAMEs of '_acme-challenge.self.example.test' are a loop: '_acme-challenge.self.example.test' -> '_acme-challenge.self.example.test'",
        ),
        (
            "far",
            None,
            "dns.target_too_far",
            "'_acme-challenge.far.example.test' leads over 12 CNAMEs and further; resolvers follow at most 11",
        ),
        (
            "dangling",
            None,
            "dns.target_dangling",
            "'_acme-challenge.dangling.example.test' leads to 'nowhere.invalid', which nobody can fill: no zone below '.' holds it",
        ),
        (
            "sold",
            None,
            "dns.target_dangling",
            "'_acme-challenge.sold.example.test' leads to 'x.sold-domain.com', which nobody can fill: no zone below 'com' holds it",
        ),
        (
            "lame",
            None,
            "dns.target_dangling",
            "'_acme-challenge.lame.example.test' leads to 'x.dead.example.test', which nobody can fill: ",
        ),
        (
            "nameless",
            None,
            "dns.target_dangling",
            "'_acme-challenge.nameless.example.test' leads to 'x.gone.example.test', which nobody can fill: ",
        ),
        (
            "elsewhere",
            Some(&allowed),
            "dns.target_outside",
            "'_acme-challenge.elsewhere.example.test' leads to 'x.example.test' in zone 'example.test', but records may only be written to 'acme-sign.test'",
        ),
        (
            "nocname",
            Some(&allowed),
            "dns.target_missing",
            "'_acme-challenge.nocname.example.test' has no CNAME into 'acme-sign.test'",
        ),
    ] {
        let error = walk(&zones, &challenge(host), allowed).unwrap_err();
        assert_eq!(error.kind(), kind, "{error}");
        assert!(error.to_string().starts_with(message), "{error}");
    }
    let missing = walk(&zones, &challenge("nocname"), Some(&allowed)).unwrap_err();
    assert_eq!(
        missing.hint().unwrap(),
        "create the record: _acme-challenge.nocname.example.test. CNAME nocname-example-test.acme-sign.test."
    );
    assert!(world.texts().is_empty());
}

#[test]
fn every_algorithm_signs_updates_that_bind_takes_and_answers_that_we_take() {
    let world = DnsWorld::start(&World::default());
    let zone = name(SIGNING_ZONE);
    let owner = name("h1.acme-sign.test");
    for algorithm in [
        "hmac-sha1",
        "hmac-sha224",
        "hmac-sha256",
        "hmac-sha384",
        "hmac-sha512",
    ] {
        let updater = updater(&world, Some(key(algorithm)));
        assert_eq!(updater.apply(&zone, &[add(&owner, algorithm)]).unwrap(), 1);
        // Again is no failure.
        updater.apply(&zone, &[add(&owner, algorithm)]).unwrap();
    }
    assert_eq!(world.texts().len(), 5);
    let updater = updater(&world, Some(key("hmac-sha512")));
    updater
        .apply(&zone, &[delete(&owner, "hmac-sha1")])
        .unwrap();
    updater
        .apply(&zone, &[delete(&owner, "hmac-sha1")])
        .unwrap();
    let left: Vec<String> = world.texts().into_iter().map(|(_, value)| value).collect();
    assert_eq!(
        left,
        ["hmac-sha224", "hmac-sha256", "hmac-sha384", "hmac-sha512"]
            .map(|value| format!("\"{value}\""))
    );
}

#[test]
fn what_is_wrong_with_a_signature_is_told_apart() {
    let world = DnsWorld::start(&World::default());
    let zone = name(SIGNING_ZONE);
    let change = [add(&name("h1.acme-sign.test"), "x")];
    let refuse = |updater: Updater, zone: &Name| updater.apply(zone, &change).unwrap_err();
    let algorithm = "hmac-sha256".parse().unwrap();
    let server = world.primary.address();

    let unknown = Key::new("no-such-key", algorithm, SECRET).unwrap();
    let error = refuse(updater(&world, Some(unknown)), &zone);
    assert_eq!(error.kind(), "dns.tsig_bad_key");
    assert_eq!(
        error.to_string(),
        format!(
            "'{server}' does not accept our signature with key 'no-such-key': BADKEY, it has no key of this name with this algorithm"
        )
    );

    let other = Key::new("key-hmac-sha256", algorithm, "b3RoZXI=").unwrap();
    let error = refuse(updater(&world, Some(other)), &zone);
    assert_eq!(error.kind(), "dns.tsig_bad_signature");

    for (clock, order) in [(4000, "behind"), (-4000, "ahead of")] {
        let now = SystemTime::now();
        let shift = Duration::from_secs(4000);
        let wrong = if clock > 0 { now + shift } else { now - shift };
        let updater = Updater {
            clock: Clock::starting_at(wrong),
            ..updater(&world, Some(key("hmac-sha256")))
        };
        let error = refuse(updater, &zone);
        assert_eq!(error.kind(), "dns.tsig_bad_time");
        let text = error.to_string();
        let apart: Vec<String> = [3999, 4000, 4001]
            .iter()
            .map(|seconds| format!("its clock is {seconds} s {order} ours"))
            .collect();
        assert!(apart.iter().any(|part| text.ends_with(part)), "{text}");
        assert_eq!(error.hint().unwrap(), "set both clocks, best by NTP");
    }

    let guest = Key::new("key-guest", algorithm, SECRET).unwrap();
    let error = refuse(updater(&world, Some(guest)), &zone);
    assert_eq!(error.kind(), "dns.update_refused");
    assert!(error.hint().unwrap().contains("update-policy"));

    let error = refuse(
        updater(&world, Some(key("hmac-sha256"))),
        &name("other.test"),
    );
    assert_eq!(error.kind(), "dns.update_not_authoritative");

    let error = refuse(updater(&world, None), &zone);
    assert_eq!(error.kind(), "dns.update_refused");
    assert!(world.texts().is_empty());
}

#[test]
fn five_hundred_records_are_one_update() {
    let world = DnsWorld::start(&World::default());
    let zone = name(SIGNING_ZONE);
    let changes: Vec<Change> = (0..500)
        .map(|host| add(&name(&format!("h{host}.acme-sign.test")), &"v".repeat(43)))
        .collect();
    let updater = updater(&world, Some(key("hmac-sha256")));
    let started = Instant::now();
    assert_eq!(updater.apply(&zone, &changes).unwrap(), 1);
    println!("500 records in one update: {:?}", started.elapsed());
    assert_eq!(world.texts().len(), 500);
    assert_eq!(
        world.primary.dig(&["h499.acme-sign.test", "TXT"]),
        format!("\"{}\"", "v".repeat(43))
    );
}

#[test]
fn twenty_at_once_at_one_name_do_not_erase_each_other() {
    let world = DnsWorld::start(&World::default());
    let (zone, owner) = (name(SIGNING_ZONE), name("lb.acme-sign.test"));
    world.nsupdate(&["update add lb.acme-sign.test 60 TXT \"somebody's\""]);
    let all = || world.texts().len();
    std::thread::scope(|scope| {
        for run in 0..20 {
            let (world, zone, owner) = (&world, &zone, &owner);
            scope.spawn(move || {
                let updater = updater(world, Some(key("hmac-sha256")));
                updater
                    .apply(zone, &[add(owner, &format!("run {run}"))])
                    .unwrap();
            });
        }
    });
    assert_eq!(all(), 21);
    std::thread::scope(|scope| {
        for run in 0..20 {
            let (world, zone, owner) = (&world, &zone, &owner);
            scope.spawn(move || {
                let updater = updater(world, Some(key("hmac-sha256")));
                updater
                    .apply(zone, &[delete(owner, &format!("run {run}"))])
                    .unwrap();
            });
        }
    });
    assert_eq!(
        world.texts(),
        [("lb.acme-sign.test".into(), "\"somebody's\"".into())]
    );
}

/// OpenDev's layout, where all names share one: BIND 9.18.49 has `max-records-per-type 100`.
#[test]
fn a_name_that_is_full_is_told_with_what_to_do() {
    let world = DnsWorld::start(&World::default());
    let zone = name(SIGNING_ZONE);
    let changes: Vec<Change> = (0..101).map(|run| add(&zone, &format!("{run}"))).collect();
    let updater = updater(&world, Some(key("hmac-sha256")));
    assert_eq!(updater.apply(&zone, &changes[..100]).unwrap(), 1);
    let error = updater.apply(&zone, &changes[100..]).unwrap_err();
    assert_eq!(error.kind(), "dns.update_failed");
    assert!(
        error.hint().unwrap().contains("max-records-per-type"),
        "{error}"
    );
    assert_eq!(world.texts().len(), 100);
}

#[test]
fn given_servers_stand_in_for_those_that_the_zone_names() {
    let world = DnsWorld::start(&World::default());
    // The recursive server is not needed then; this one does not even exist.
    let resolver = Resolver::from_files("", "").with_servers(vec!["127.0.0.1:1".parse().unwrap()]);
    let zones = Zones::new(&resolver).with_servers(vec![world.primary.address()]);
    let target = walk(&zones, &challenge("h1"), Some(&name(SIGNING_ZONE))).unwrap();
    let names: Vec<&str> = target
        .zone
        .servers
        .iter()
        .map(|server| server.name.as_str())
        .collect();
    assert_eq!(names, [world.primary.address().to_string()]);
    assert_eq!(target.zone.apex, name(SIGNING_ZONE));
}

#[test]
fn servers_are_given_for_several_zones_in_any_order() {
    let world = DnsWorld::start(&World::default());
    let resolver = Resolver::from_files("", "").with_servers(vec!["127.0.0.1:1".parse().unwrap()]);
    let [one, two] = world.authoritative();
    // The recursive server has a zone of its own, `com`, and knows nothing for certain of the others.
    let zones = Zones::new(&resolver).with_servers(vec![world.resolver.address(), one, two]);
    let servers = |owner: &str| -> Vec<SocketAddr> {
        let target = walk(&zones, &name(owner), None).unwrap();
        let servers = target.zone.servers.iter();
        servers.map(|server| server.address).collect()
    };
    assert_eq!(servers("_acme-challenge.h1.example.test"), [one, two]);
    let (zone, _) = zones.locate(&name("www.com")).unwrap();
    assert_eq!(zone.apex, name("com"));
    let addresses: Vec<SocketAddr> = zone.servers.iter().map(|server| server.address).collect();
    assert_eq!(addresses, [world.resolver.address()]);
}

#[test]
fn a_zone_below_a_known_one_is_found_by_referral() {
    let [address] = free_addresses();
    let zone = "$TTL 60\n@ SOA ns3.example.test. host.example.test. 1 600 60 3600 60\n@ NS ns3.example.test.\n";
    let below = Named::start(
        address,
        "recursion no;",
        "zone \"acme.example.test\" { type primary; file \"zone.db\"; };",
        &[("zone.db", zone.into())],
    );
    let world = DnsWorld::start(&World {
        extra: "acme NS ns3\nns3 A 127.0.0.1\n_acme-challenge.web CNAME web.acme\n".into(),
        elsewhere: vec![("acme.example.test".into(), below.address())],
        ..World::default()
    });
    let resolver = resolver(&world);
    let mut ports: HashMap<Name, u16> =
        HashMap::from(world.ports().map(|(server, port)| (name(&server), port)));
    ports.insert(name("ns3.example.test"), below.address().port());
    let zones = Zones::new(&resolver).with_ports(ports);
    let target = walk(&zones, &challenge("web"), None).unwrap();
    assert_eq!(target.zone.apex, name("acme.example.test"));
    assert_eq!(target.zone.servers[0].address, below.address());
    let within = walk(&zones, &challenge("web"), Some(&name(HOST_ZONE))).unwrap();
    assert_eq!(within.zone.apex, name("acme.example.test"));
}
