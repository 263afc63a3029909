// SPDX-License-Identifier: Apache-2.0
//! Text records: where they must be, writing them, waiting until all authoritative servers show them, removing them.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::time::Duration;

use acme::state::Wanted;
use acme::{ChallengeKind, Identifier};
use dns::publish::{Publisher, TextRecord};
use dns::target::{challenge_name, walk_all};
use dns::visible::{self, Expected};
use dns::zone::Zones;
use dns::{Name, Resolver, Target};
use serde_json::{Value, json};
use tls_files::Observed;

use crate::request::Request;

/// Where dns-persist-01 is proved.
pub(crate) const PERSIST_LABEL: &str = "_validation-persist";

/// What is known of a record that shall be seen.
#[derive(Clone, Debug)]
pub struct Placed {
    /// Where it goes.
    pub target: Target,
    /// What it says.
    pub value: String,
    /// The zone that it is written to, where that is not the one that was found.
    pub zone: Option<Name>,
}

impl Placed {
    /// The zone that it is written to.
    pub fn zone(&self) -> &Name {
        self.zone.as_ref().unwrap_or(&self.target.zone.apex)
    }

    /// As a publisher takes it.
    pub fn record(&self, ttl: u32) -> TextRecord {
        TextRecord {
            zone: self.zone().clone(),
            owner: self.target.owner().clone(),
            value: self.value.clone(),
            ttl,
        }
    }

    /// As it is answered.
    pub fn to_json(&self, certificate: &str, identifier: &str, ttl: u32) -> Value {
        let record = self.record(ttl);
        json!({
            "name": self.target.challenge.to_string(),
            "target": record.owner.to_string(),
            "zone": record.zone.to_string(),
            "value": record.value,
            "ttl": record.ttl,
            "certificate": certificate,
            "identifier": identifier,
        })
    }
}

/// The record of a proof, by what [`Placed::to_json`] gave for its note.
pub fn noted(wanted: &Wanted, value: &str, ttl: u32) -> Option<TextRecord> {
    let note = wanted.published.as_ref()?;
    let name = |member: &str| note.get(member)?.as_str()?.parse().ok();
    Some(TextRecord {
        zone: name("zone")?,
        owner: name("target")?,
        value: value.to_owned(),
        ttl,
    })
}

/// How long waiting took.
#[derive(Clone, Copy, Debug, Default)]
pub struct Waited {
    /// Until all servers showed all records.
    pub visible: Duration,
    /// Until resolvers have forgotten what was there before.
    pub held: Duration,
    /// How many questions were asked.
    pub questions: usize,
}

/// The name servers.
#[derive(Debug)]
pub struct Dns<'a> {
    request: &'a Request,
    resolver: Resolver,
}

impl<'a> Dns<'a> {
    /// Those of the host, or those that the user names.
    pub fn new(request: &'a Request) -> Self {
        let text = |path: &str| match tls_files::observe(Path::new(path)) {
            Observed::Present(file) => String::from_utf8_lossy(&file.bytes).into_owned(),
            Observed::Absent | Observed::Unreadable(_) => String::new(),
        };
        let resolver = Resolver::from_files(&text("/etc/resolv.conf"), &text("/etc/hosts"));
        let resolver = match request.propagation.resolvers.as_slice() {
            [] => resolver,
            given => resolver.with_servers(given.to_vec()),
        };
        Self { request, resolver }
    }

    /// Who looks names up, for HTTPS as well.
    pub fn resolver(&self) -> Resolver {
        self.resolver.clone()
    }

    /// Where each name's record must be, in their order.
    pub fn place(&self, names: &[Name]) -> Vec<dns::Result<Target>> {
        let zones =
            Zones::new(&self.resolver).with_servers(self.request.propagation.nameservers.clone());
        walk_all(&zones, names, self.request.zone.as_ref())
    }

    /// What keeps the record of one of these names from being written, as far as that is known without the server: the
    /// label of dns-account-01 is not, before the account is.
    pub fn unreachable(&self, identifiers: &[Identifier]) -> Option<dns::Error> {
        let label = match self.request.challenge {
            ChallengeKind::Dns01 => "_acme-challenge",
            ChallengeKind::DnsPersist01 => PERSIST_LABEL,
            _ => return None,
        };
        let of_dns = identifiers.iter().filter_map(|name| match name {
            Identifier::Dns(name) => Some(name),
            _ => None,
        });
        let names: dns::Result<Vec<Name>> = of_dns
            .map(|name| challenge_name(label, &name.parse()?))
            .collect();
        match names {
            Ok(names) => self.place(&names).into_iter().find_map(Result::err),
            Err(error) => Some(error),
        }
    }

    /// Waits until they can be seen, by us and by who has looked before; not longer than there is time.
    ///
    /// # Errors
    /// [`dns::Error::NotVisible`].
    pub fn wait(&self, placed: &[Placed], at_most: Duration) -> dns::Result<Waited> {
        let expected = expected(placed);
        let limit = self.request.propagation.timeout.min(at_most);
        let seen = visible::wait(&expected, false, limit)?;
        let limit = limit.min(at_most.saturating_sub(seen.took));
        let held = match self.request.propagation.hold {
            true => seen.hold.min(limit),
            false => Duration::ZERO,
        };
        // Nobody tells when a resolver forgets.
        std::thread::sleep(held);
        Ok(Waited {
            visible: seen.took,
            held,
            questions: seen.questions,
        })
    }

    /// Those that are not there yet, by what the walk has seen.
    pub fn missing(placed: &[Placed]) -> Vec<Placed> {
        let is_there = |one: &&Placed| {
            let mut texts = one.target.before.texts.iter();
            texts.any(|text| text.value() == one.value.as_bytes())
        };
        placed
            .iter()
            .filter(|one| !is_there(one))
            .cloned()
            .collect()
    }
}

/// Adds records, each once.
///
/// # Errors
/// Whatever keeps one of them from being there.
pub fn publish(
    publisher: &dyn Publisher,
    placed: &[Placed],
    ttl: u32,
) -> dns::Result<dns::publish::Published> {
    publisher.publish(&records(placed, ttl))
}

/// Removes exactly these records.
///
/// # Errors
/// Whatever keeps one of them there.
pub fn withdraw(
    publisher: &dyn Publisher,
    placed: &[Placed],
    ttl: u32,
) -> dns::Result<dns::publish::Published> {
    publisher.withdraw(&records(placed, ttl))
}

fn records(placed: &[Placed], ttl: u32) -> Vec<TextRecord> {
    let each: BTreeSet<TextRecord> = placed.iter().map(|one| one.record(ttl)).collect();
    each.into_iter().collect()
}

/// All values of an owner together: its records are one set.
fn expected(placed: &[Placed]) -> Vec<Expected<'_>> {
    let mut by_owner: BTreeMap<&Name, Expected<'_>> = BTreeMap::new();
    for one in placed {
        let value = one.value.clone().into_bytes();
        let entry = by_owner
            .entry(one.target.owner())
            .or_insert_with(|| Expected {
                target: &one.target,
                values: Vec::new(),
            });
        if !entry.values.contains(&value) {
            entry.values.push(value);
        }
    }
    by_owner.into_values().collect()
}
