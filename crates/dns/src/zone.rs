// SPDX-License-Identifier: Apache-2.0
//! Which zone holds a name, and which servers are authoritative for it.
//!
//! A name that is about to get its first record must not be asked of a recursive server: it would remember for the
//! zone's negative TTL that there is none, and a CA that asks the same server would be told so. Hence the recursive
//! servers are asked about the names above it, and about the name itself the authoritative servers alone.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use crate::exchange::{Patience, ask, ask_until};
use crate::message::{Data, Kind, Message, Rcode};
use crate::{Error, Name, Resolver, Result};

/// One address of an authoritative server.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Server {
    /// Its name; for a given server its address.
    pub name: String,
    /// Where it is.
    pub address: SocketAddr,
}

/// A zone and who serves it.
#[derive(Debug)]
pub struct Zone {
    /// Its name.
    pub apex: Name,
    /// All addresses of all its servers; never empty.
    pub servers: Vec<Server>,
    /// Which one answered last: asked first.
    answering: AtomicUsize,
}

impl Zone {
    /// A zone whose servers are known.
    pub fn new(apex: Name, servers: Vec<Server>) -> Self {
        Self {
            apex,
            servers,
            answering: AtomicUsize::new(0),
        }
    }

    /// Asks one of the servers, without recursion.
    ///
    /// # Errors
    /// The first server's, if none answers.
    pub fn ask(&self, name: &Name, kind: Kind, patience: Patience) -> Result<Message> {
        let first = self.answering.load(Ordering::Relaxed);
        let count = self.servers.len();
        let order = (0..count).map(|index| (first + index) % count.max(1));
        let order: Vec<usize> = order.collect();
        let addresses: Vec<SocketAddr> = order
            .iter()
            .filter_map(|index| self.servers.get(*index))
            .map(|server| server.address)
            .collect();
        let useful = |answer: &Message| {
            matches!(answer.rcode, Rcode::NOERROR | Rcode::NXDOMAIN)
                && (answer.authoritative || referral(answer, name).is_some())
        };
        let (at, answer) = ask_until(&addresses, name, kind, false, patience, useful)?;
        if let Some(index) = order.get(at) {
            self.answering.store(*index, Ordering::Relaxed);
        }
        Ok(answer)
    }
}

/// Finds zones, each once.
#[derive(Debug)]
pub struct Zones<'a> {
    resolver: &'a Resolver,
    given: Vec<SocketAddr>,
    ports: HashMap<Name, u16>,
    known: Mutex<Vec<Arc<Zone>>>,
}

impl<'a> Zones<'a> {
    /// By way of these recursive servers.
    pub fn new(resolver: &'a Resolver) -> Self {
        Self {
            resolver,
            given: Vec::new(),
            ports: HashMap::new(),
            known: Mutex::new(Vec::new()),
        }
    }

    /// Servers that are asked instead of those that a zone names, for the zones that they are authoritative for: hidden
    /// primaries, views that only some see, ports other than 53.
    #[must_use]
    pub fn with_servers(mut self, given: Vec<SocketAddr>) -> Self {
        self.given = given;
        self
    }

    /// The ports of servers that zones name, where they are not 53: no record can say so.
    #[must_use]
    pub fn with_ports(mut self, ports: HashMap<Name, u16>) -> Self {
        self.ports = ports;
        self
    }

    /// How long and how often servers are asked.
    pub fn patience(&self) -> Patience {
        self.resolver.patience()
    }

    /// The zone that holds a name, or would, and what its servers say of a CNAME there. Where there is one, only the
    /// servers are certain: a positive answer does not name the zone.
    ///
    /// It is the CNAME that is asked for, because servers follow it for any other type and fail where it is a loop.
    ///
    /// # Errors
    /// [`Error::Zone`] if no servers are found, else what they answer.
    pub fn locate(&self, name: &Name) -> Result<(Arc<Zone>, Message)> {
        if let Some(located) = self.of_given(name)? {
            return Ok(located);
        }
        let mut zone = match self.nearest_known(name) {
            Some(zone) => zone,
            None => self.load(&self.above(name)?)?,
        };
        // Each turn goes one cut down, and a name has no more cuts than labels.
        for _ in 0..=name.label_count() {
            let answer = zone.ask(name, Kind::CNAME, self.patience())?;
            match cut(&answer, name) {
                Some(apex) if apex != zone.apex && apex.is_within(&zone.apex) => {
                    zone = self.load(&apex)?;
                }
                _ => return Ok((zone, answer)),
            }
        }
        Err(unknown(name, "its servers refer to each other"))
    }

    /// The zone, if one of the given servers is authoritative for the name. Several may be given for several zones.
    fn of_given(&self, name: &Name) -> Result<Option<(Arc<Zone>, Message)>> {
        let (patience, mut silent) = (self.patience(), None);
        for _ in 0..patience.rounds.max(1) {
            let mut is_others = false;
            for server in &self.given {
                match ask(*server, name, Kind::CNAME, false, patience.answer) {
                    Ok(answer) if answer.authoritative => {
                        return Ok(Some((self.zone_of_given(name, &answer), answer)));
                    }
                    Ok(_) => is_others = true,
                    Err(error) => silent = silent.or(Some(error)),
                }
            }
            if is_others {
                return Ok(None);
            }
        }
        silent.map_or(Ok(None), Err)
    }

    /// The zone of an answer of a given server, with those of them that serve it.
    fn zone_of_given(&self, name: &Name, answer: &Message) -> Arc<Zone> {
        let apex = soa_owner(answer, name);
        if let Some(zone) = apex.as_ref().and_then(|apex| self.remembered(apex)) {
            return zone;
        }
        let zone = apex.as_ref().unwrap_or(name);
        let within = self.patience().answer;
        // One that is silent may be one of them: whoever waits for all shall wait for it, too.
        let serves = |server: &&SocketAddr| {
            let asked = ask(**server, zone, Kind::SOA, false, within);
            asked.map_or(true, |answer| answer.authoritative)
        };
        let servers = self.given.iter().filter(serves).map(|address| Server {
            name: address.to_string(),
            address: *address,
        });
        let found = Zone::new(zone.clone(), servers.collect());
        match apex {
            Some(_) => self.remember(found),
            None => Arc::new(found),
        }
    }

    /// The zone that holds the names above `name`, by the recursive servers.
    fn above(&self, name: &Name) -> Result<Name> {
        let mut above = name.parent();
        while let Some(candidate) = above {
            let answer = self.resolver.ask(&candidate, Kind::SOA)?;
            if let Some(apex) = soa_owner(&answer, &candidate) {
                return Ok(apex);
            }
            // A CNAME leads elsewhere, and a server may leave the SOA out: one higher.
            above = candidate.parent();
        }
        Err(unknown(
            name,
            "no recursive server tells the zone of any name above it",
        ))
    }

    /// The servers that a zone names, with all their addresses.
    fn load(&self, apex: &Name) -> Result<Arc<Zone>> {
        if let Some(zone) = self.remembered(apex) {
            return Ok(zone);
        }
        let answer = self.resolver.ask(apex, Kind::NS)?;
        let named = answer
            .answers
            .iter()
            .filter_map(|record| match &record.data {
                Data::Ns(server) if record.name == *apex => Some(server),
                _ => None,
            });
        let mut servers = Vec::new();
        let mut missing = Vec::new();
        for name in named {
            let port = self.ports.get(name).copied();
            let port = port.unwrap_or(crate::resolver::PORT);
            match self.resolver.addresses(&name.absolute()) {
                Ok(found) => servers.extend(found.into_iter().map(|address| Server {
                    name: name.to_string(),
                    address: (address, port).into(),
                })),
                Err(error) => missing.push(error.to_string()),
            }
        }
        match servers.is_empty() {
            true if missing.is_empty() => Err(unknown(apex, "the zone names no servers")),
            true => Err(unknown(apex, &missing.join("; "))),
            false => Ok(self.remember(Zone::new(apex.clone(), servers))),
        }
    }

    fn nearest_known(&self, name: &Name) -> Option<Arc<Zone>> {
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let holding = known.iter().filter(|zone| name.is_within(&zone.apex));
        holding
            .max_by_key(|zone| zone.apex.label_count())
            .map(Arc::clone)
    }

    fn remembered(&self, apex: &Name) -> Option<Arc<Zone>> {
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        known.iter().find(|zone| zone.apex == *apex).map(Arc::clone)
    }

    fn remember(&self, zone: Zone) -> Arc<Zone> {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(same) = known.iter().find(|other| other.apex == zone.apex) {
            return Arc::clone(same);
        }
        let zone = Arc::new(zone);
        known.push(Arc::clone(&zone));
        zone
    }
}

/// The zone that an authoritative server says the name is in: by SOA, or by referring to its servers.
fn cut(answer: &Message, name: &Name) -> Option<Name> {
    match answer.authoritative {
        true => soa_owner(answer, name),
        false => referral(answer, name),
    }
}

/// The owner of the SOA in an answer, if it is the name or above it.
fn soa_owner(answer: &Message, name: &Name) -> Option<Name> {
    let sections = answer.answers.iter().chain(&answer.authority);
    sections
        .filter(|record| record.kind == Kind::SOA && name.is_within(&record.name))
        .map(|record| record.name.clone())
        .next()
}

/// The zone that a referral leads to.
fn referral(answer: &Message, name: &Name) -> Option<Name> {
    if !answer.answers.is_empty() {
        return None;
    }
    let below = answer
        .authority
        .iter()
        .filter(|record| record.kind == Kind::NS && name.is_within(&record.name));
    below.map(|record| record.name.clone()).next()
}

fn unknown(name: &Name, why: &str) -> Error {
    Error::Zone {
        name: name.clone(),
        why: why.into(),
    }
}
