// SPDX-License-Identifier: Apache-2.0
//! What the tests against BIND share.
#![allow(dead_code, reason = "each test crate uses its part")]

use std::time::{Duration, SystemTime};

use dns::message::Text;
use dns::target::challenge_name;
use dns::tsig::Key;
use dns::update::{Change, Updater};
use dns::visible::Expected;
use dns::zone::Zones;
use dns::{Clock, Name, Resolver, Target};
use testbed::servers::{DnsWorld, HOST_ZONE, SECRET};

pub(crate) fn name(text: &str) -> Name {
    text.parse().unwrap()
}

pub(crate) fn resolver(world: &DnsWorld) -> Resolver {
    Resolver::from_files("", "").with_servers(vec![world.resolver.address()])
}

pub(crate) fn zones<'a>(world: &DnsWorld, resolver: &'a Resolver) -> Zones<'a> {
    let ports = world.ports().map(|(server, port)| (name(&server), port));
    Zones::new(resolver).with_ports(ports.into())
}

pub(crate) fn key(algorithm: &str) -> Key {
    Key::new(
        &format!("key-{algorithm}"),
        algorithm.parse().unwrap(),
        SECRET,
    )
    .unwrap()
}

pub(crate) fn updater(world: &DnsWorld, key: Option<Key>) -> Updater {
    Updater {
        server: world.primary.address(),
        key,
        within: Duration::from_secs(10),
        clock: Clock::starting_at(SystemTime::now()),
    }
}

pub(crate) fn add(owner: &Name, value: &str) -> Change {
    Change::Add {
        owner: owner.clone(),
        ttl: 60,
        text: Text::from_value(value.as_bytes()),
    }
}

pub(crate) fn delete(owner: &Name, value: &str) -> Change {
    Change::Delete {
        owner: owner.clone(),
        text: Text::from_value(value.as_bytes()),
    }
}

pub(crate) fn challenge(host: &str) -> Name {
    challenge_name("_acme-challenge", &name(&format!("{host}.{HOST_ZONE}"))).unwrap()
}

pub(crate) fn expect<'a>(target: &'a Target, value: &str) -> Expected<'a> {
    Expected {
        target,
        values: vec![value.into()],
    }
}
