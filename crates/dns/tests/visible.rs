// SPDX-License-Identifier: Apache-2.0
//! Against BIND: who shows a record, and who does not.
#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "tests, with figures"
)]

mod support;

use std::time::{Duration, Instant};

use dns::message::{Kind, Text};
use dns::target::{walk, walk_all};
use dns::update::{Change, Updater};
use dns::visible::{Expected, wait};
use dns::{Error, Name, Patience, Target};
use support::{add, challenge, delete, expect, key, name, resolver, updater, zones};
use testbed::servers::{DnsWorld, SIGNING_ZONE, World};

#[test]
fn the_recursive_server_is_never_asked_for_the_last_name() {
    let world = DnsWorld::start(&World::default());
    let resolver = resolver(&world);
    let zones = zones(&world, &resolver);
    let target = walk(&zones, &challenge("h1"), None).unwrap();
    updater(&world, Some(key("hmac-sha256")))
        .apply(&target.zone.apex, &[add(target.owner(), "fresh")])
        .unwrap();
    wait(&[expect(&target, "fresh")], false, Duration::from_secs(10)).unwrap();
    // It would say for 60 s that there is none, had it been asked before.
    assert_eq!(
        world
            .resolver
            .dig(&["_acme-challenge.h1.example.test", "TXT"]),
        "h1.acme-sign.test.\n\"fresh\""
    );
    // The witness: once asked too early, it does.
    assert_eq!(world.resolver.dig(&["h2.acme-sign.test", "TXT"]), "");
    let early = walk(&zones, &challenge("h2"), None).unwrap();
    updater(&world, Some(key("hmac-sha256")))
        .apply(&early.zone.apex, &[add(early.owner(), "late")])
        .unwrap();
    let visible = wait(&[expect(&early, "late")], true, Duration::from_secs(10)).unwrap();
    assert_eq!(world.resolver.dig(&["h2.acme-sign.test", "TXT"]), "");
    assert_eq!(visible.hold, Duration::from_secs(60));
}

/// Somebody else's record came between our look and our own: a resolver may have seen theirs alone.
#[test]
fn a_set_that_is_shared_meanwhile_is_held_for_its_ttl() {
    let world = DnsWorld::start(&World::default());
    let resolver = resolver(&world);
    let zones = zones(&world, &resolver);
    let target = walk(&zones, &challenge("h1"), None).unwrap();
    assert!(target.before.texts.is_empty());
    let updater = updater(&world, Some(key("hmac-sha256")));
    let (zone, owner) = (&target.zone.apex, target.owner());
    updater.apply(zone, &[add(owner, "theirs")]).unwrap();
    updater.apply(zone, &[add(owner, "ours")]).unwrap();
    let visible = wait(&[expect(&target, "ours")], false, Duration::from_secs(10)).unwrap();
    let answer = world
        .primary
        .dig(&["h1.acme-sign.test", "TXT", "+noshort", "+noall", "+answer"]);
    let ttl: u64 = answer.split_whitespace().nth(1).unwrap().parse().unwrap();
    assert_eq!(visible.hold, Duration::from_secs(ttl));
    assert!(ttl > 0);
}

#[test]
fn a_value_over_255_bytes_is_several_strings_and_comes_back_whole() {
    let world = DnsWorld::start(&World::default());
    let resolver = resolver(&world);
    let zones = zones(&world, &resolver);
    let target = walk(&zones, &challenge("h1"), None).unwrap();
    let value = "issuer.example; accounturi=https://ca.example/".to_owned() + &"a".repeat(600);
    let updater = updater(&world, Some(key("hmac-sha256")));
    let (zone, owner) = (&target.zone.apex, target.owner());
    updater.apply(zone, &[add(owner, &value)]).unwrap();
    wait(&[expect(&target, &value)], false, Duration::from_secs(10)).unwrap();
    let strings: Vec<String> = [&value[..255], &value[255..510], &value[510..]]
        .map(|part| format!("\"{}\"", part.replace(';', "\\;")))
        .into();
    let shown = world.primary.dig(&["h1.acme-sign.test", "TXT"]);
    assert_eq!(
        shown.replace("\\;", ";"),
        strings.join(" ").replace("\\;", ";")
    );
    let now = walk(&zones, &challenge("h1"), None).unwrap();
    assert_eq!(now.before.texts[0].value(), value.as_bytes());
    assert_eq!(now.before.ttl, Duration::from_secs(60));
    updater.apply(zone, &[delete(owner, &value)]).unwrap();
    assert!(world.texts().is_empty());
}

#[test]
fn a_stale_secondary_is_named_with_what_it_shows() {
    let world = DnsWorld::start(&World {
        notify: false,
        ..World::default()
    });
    let resolver = resolver(&world);
    let zones = zones(&world, &resolver);
    let target = walk(&zones, &challenge("h1"), None).unwrap();
    let updater = updater(&world, Some(key("hmac-sha256")));
    let (zone, owner) = (&target.zone.apex, target.owner());
    updater.apply(zone, &[add(owner, "old")]).unwrap();
    world.refresh();
    wait(&[expect(&target, "old")], false, Duration::from_secs(10)).unwrap();
    updater.apply(zone, &[add(owner, "new")]).unwrap();
    let within = Duration::from_secs(2);
    let started = Instant::now();
    let error = wait(&[expect(&target, "new")], false, within).unwrap_err();
    assert!(started.elapsed() < within * 4, "{:?}", started.elapsed());
    assert_eq!(error.kind(), "dns.not_visible");
    assert_eq!(
        error.to_string(),
        format!(
            "after 2 s not all authoritative servers show the records: 'ns2.example.test' ({}) for 'h1.acme-sign.test': it shows 'old'",
            world.secondary.address()
        )
    );
    // A secondary that is only slow is waited for, and the old set's TTL is what to hold.
    let again = walk(&zones, &challenge("h1"), None).unwrap();
    let again = Target {
        before: dns::target::Before {
            texts: vec![Text::from_value(b"old")],
            ..again.before
        },
        ..again
    };
    let visible = std::thread::scope(|scope| {
        scope.spawn(|| {
            std::thread::sleep(Duration::from_millis(500));
            world.refresh();
        });
        wait(&[expect(&again, "new")], false, Duration::from_secs(10)).unwrap()
    });
    assert!(visible.took >= Duration::from_millis(400));
    assert_eq!(visible.hold, Duration::from_secs(60));
}

#[test]
fn a_server_that_does_not_answer_is_named_and_costs_its_bound() {
    let world = DnsWorld::start(&World::default());
    let resolver = resolver(&world).with_patience(Patience {
        answer: Duration::from_millis(300),
        rounds: 1,
    });
    let zones = zones(&world, &resolver);
    let target = walk(&zones, &challenge("h1"), None).unwrap();
    let zone = &target.zone.apex;
    let updater = updater(&world, Some(key("hmac-sha256")));
    updater.apply(zone, &[add(target.owner(), "x")]).unwrap();
    world.secondary.pause();
    let started = Instant::now();
    let error = wait(&[expect(&target, "x")], false, Duration::from_secs(1)).unwrap_err();
    assert!(started.elapsed() < Duration::from_secs(8));
    assert!(error.to_string().ends_with("it does not answer"), "{error}");
    // The other one is enough to find the target.
    walk(&zones, &challenge("h2"), None).unwrap();
    world.primary.pause();
    let started = Instant::now();
    let error = walk(&zones, &challenge("h3"), None).unwrap_err();
    assert_eq!(error.kind(), "dns.no_answer");
    let short = Updater {
        within: Duration::from_millis(500),
        ..updater
    };
    let error = short.apply(zone, &[add(target.owner(), "y")]).unwrap_err();
    assert!(matches!(error, Error::NoAnswer { .. }), "{error}");
    assert!(
        error
            .to_string()
            .ends_with("to the update of zone 'acme-sign.test'")
    );
    assert!(started.elapsed() < Duration::from_secs(20));
    world.resolver.pause();
    let started = Instant::now();
    let deadline = started + Duration::from_millis(200);
    let patient = support::resolver(&world);
    let why = web::Resolver::addresses(&patient, "h4.example.test", deadline).unwrap_err();
    assert!(why.starts_with("no answer from"), "{why}");
    // Half a deadline for each of two rounds, where it would have been two seconds each.
    assert!(started.elapsed() < Duration::from_millis(3_500));
    let error = resolver.ask(&name("h4.example.test"), Kind::A).unwrap_err();
    assert_eq!(error.kind(), "dns.no_answer");
}

#[test]
fn five_hundred_targets_are_walked_written_and_seen() {
    let world = DnsWorld::start(&World {
        hosts: 500,
        ..World::default()
    });
    let resolver = resolver(&world);
    let zones = zones(&world, &resolver);
    let challenges: Vec<Name> = (0..500)
        .map(|host| challenge(&format!("h{host}")))
        .collect();
    let started = Instant::now();
    let allowed = name(SIGNING_ZONE);
    let targets: Vec<Target> = walk_all(&zones, &challenges, Some(&allowed))
        .into_iter()
        .map(Result::unwrap)
        .collect();
    let walked = started.elapsed();
    let changes: Vec<Change> = targets
        .iter()
        .map(|target| add(target.owner(), "token"))
        .collect();
    let sent = updater(&world, Some(key("hmac-sha256")))
        .apply(&allowed, &changes)
        .unwrap();
    let written = started.elapsed();
    let expected: Vec<Expected<'_>> = targets
        .iter()
        .map(|target| expect(target, "token"))
        .collect();
    let visible = wait(&expected, false, Duration::from_secs(20)).unwrap();
    println!(
        "500 targets: walked {walked:?}, written {:?} in {sent} message, seen {:?} with {} questions",
        written - walked,
        visible.took,
        visible.questions
    );
    assert_eq!(sent, 1);
    assert!(visible.questions >= 1000);
}
