// SPDX-License-Identifier: Apache-2.0
//! The reports of many hosts as one.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use crate::{
    Certificate, Endpoint, FileEntry, Finding, Level, Moment, Report, SharedKey, Unserved,
};

/// The reports of many hosts as one: of each host the newest.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Fleet {
    reports: Vec<Report>,
}

impl Fleet {
    /// Puts reports together, in any order. Of two reports of one host the newer holds.
    pub fn of(reports: impl IntoIterator<Item = Report>) -> Self {
        let mut reports: Vec<Report> = reports.into_iter().collect();
        // Who looked at nothing, such as a host that only puts the reports of others together, is not part of the fleet,
        // and does not stand for a host of the same name that did look.
        if reports.iter().any(Report::looked) {
            reports.retain(Report::looked);
        }
        let mut newest = BTreeMap::<String, Report>::new();
        for report in reports {
            let older = newest
                .get(&report.host)
                .is_none_or(|known| known.generated_at <= report.generated_at);
            if older {
                newest.insert(report.host.clone(), report);
            }
        }
        Self {
            reports: newest.into_values().collect(),
        }
    }

    /// The reports, by host.
    pub fn reports(&self) -> &[Report] {
        &self.reports
    }

    /// The worst of everything.
    pub fn level(&self) -> Level {
        self.reports
            .iter()
            .map(Report::level)
            .max()
            .unwrap_or_default()
    }

    /// The endpoints, and the files that say more than their endpoints do: worst first, then by their end.
    pub fn rows(&self) -> Vec<Row<'_>> {
        let shared: HashSet<String> = self
            .shared_keys()
            .into_iter()
            .map(|key| key.sha256)
            .collect();
        let unserved: HashSet<(&str, String)> = self
            .unserved()
            .into_iter()
            .map(|(host, file)| (host, file.path))
            .collect();
        let mut rows = Vec::new();
        for report in &self.reports {
            let several = report.at_several_addresses();
            let endpoints = report.endpoints.iter().map(Place::Endpoint);
            for place in endpoints.chain(report.files.iter().map(Place::File)) {
                let mut row = Row {
                    host: &report.host,
                    place,
                    several: matches!(place, Place::Endpoint(it) if several.contains(&it.place())),
                    shared: false,
                    unserved: false,
                };
                row.shared = row
                    .leaf()
                    .is_some_and(|leaf| shared.contains(&leaf.key.sha256));
                row.unserved = matches!(place, Place::File(file) if unserved.contains(&(row.host, file.path.clone())));
                rows.push(row);
            }
        }
        rows.retain(Row::says_something);
        rows.sort_by_key(|row| (std::cmp::Reverse(row.level()), row.ends()));
        rows
    }

    /// Keys that more than one service uses, on whichever hosts: what the reports say, and what only all of them
    /// together show.
    pub fn shared_keys(&self) -> Vec<SharedKey> {
        let mut users = BTreeMap::<&str, BTreeSet<String>>::new();
        let mut services = HashMap::<&str, HashSet<String>>::new();
        let mut servers = HashSet::new();
        for report in &self.reports {
            for key in &report.shared_keys {
                users
                    .entry(&key.sha256)
                    .or_default()
                    .extend(key.users.iter().cloned());
            }
            for endpoint in &report.endpoints {
                let Some(key) = endpoint.chain.first().map(|leaf| leaf.key.sha256.as_str()) else {
                    continue;
                };
                // One server that is asked under two names is no other service.
                let server = endpoint.server(&report.host);
                let is_other = server.is_none_or(|server| servers.insert((server, key)));
                if !key.is_empty() && is_other {
                    users.entry(key).or_default().insert(endpoint.user());
                    services.entry(key).or_default().insert(endpoint.identity());
                }
            }
        }
        let told: HashSet<&str> = self
            .reports
            .iter()
            .flat_map(|report| report.shared_keys.iter().map(|key| key.sha256.as_str()))
            .collect();
        users.retain(|key, _| {
            told.contains(key) || services.get(key).is_some_and(|all| all.len() > 1)
        });
        users
            .into_iter()
            .map(|(sha256, users)| SharedKey {
                sha256: sha256.to_owned(),
                users: users.into_iter().collect(),
            })
            .collect()
    }

    /// Certificates of files that no endpoint of the whole fleet serves, each with its host.
    pub fn unserved(&self) -> Vec<(&str, Unserved)> {
        let served: HashSet<&str> = self
            .reports
            .iter()
            .flat_map(|report| &report.endpoints)
            .filter_map(|endpoint| Some(endpoint.chain.first()?.fingerprint_sha256.as_str()))
            .collect();
        self.reports
            .iter()
            .flat_map(|report| {
                report
                    .unserved
                    .iter()
                    .map(|file| (report.host.as_str(), file.clone()))
            })
            .filter(|(_, file)| !served.contains(file.fingerprint_sha256.as_str()))
            .collect()
    }
}

impl Endpoint {
    /// `host:port`, an IPv6 address in brackets.
    pub fn at(&self) -> String {
        if self.host.contains(':') {
            format!("[{}]:{}", self.host, self.port)
        } else {
            format!("{}:{}", self.host, self.port)
        }
    }

    /// What users tell endpoints apart by: service, host and port.
    pub fn place(&self) -> (&str, &str, u16) {
        (&self.service, &self.host, self.port)
    }

    /// Which socket answered: the address, with the host that it is on where only that host reaches it, and the port.
    pub fn server(&self, on: &str) -> Option<String> {
        let address = self.address.as_deref()?;
        let parsed: Result<std::net::IpAddr, _> = address.parse();
        let host = match parsed {
            Ok(parsed) if parsed.is_loopback() => on,
            _ => "",
        };
        Some(format!("{host} {address} {}", self.port))
    }

    /// What tells two services apart.
    fn identity(&self) -> String {
        if self.service.is_empty() {
            self.at()
        } else {
            self.service.clone()
        }
    }

    fn user(&self) -> String {
        if self.service.is_empty() {
            self.at()
        } else {
            format!("{} at {}", self.service, self.at())
        }
    }
}

/// One line of the picture.
#[derive(Clone, Copy, Debug)]
pub struct Row<'a> {
    /// The host whose report it is from.
    pub host: &'a str,
    /// What was looked at.
    pub place: Place<'a>,
    /// Another endpoint differs in nothing but its address.
    pub several: bool,
    /// Another service has the same key.
    pub shared: bool,
    /// Nobody serves it.
    pub unserved: bool,
}

/// What was looked at.
#[derive(Clone, Copy, Debug)]
pub enum Place<'a> {
    /// A server.
    Endpoint(&'a Endpoint),
    /// A file.
    File(&'a FileEntry),
}

impl<'a> Row<'a> {
    /// How bad it is.
    pub fn level(&self) -> Level {
        match self.place {
            Place::Endpoint(endpoint) => endpoint.status,
            Place::File(file) => file.status,
        }
    }

    /// What was found.
    pub fn findings(&self) -> &'a [Finding] {
        match self.place {
            Place::Endpoint(endpoint) => &endpoint.findings,
            Place::File(file) => &file.findings,
        }
    }

    /// All certificates, the server's own first.
    pub fn chain(&self) -> &'a [Certificate] {
        match self.place {
            Place::Endpoint(endpoint) => &endpoint.chain,
            Place::File(file) => &file.chain,
        }
    }

    /// The server's own certificate.
    pub fn leaf(&self) -> Option<&'a Certificate> {
        self.chain().first()
    }

    /// When that ends. What showed no certificate is before all others.
    pub fn ends(&self) -> Option<Moment> {
        self.leaf().map(|leaf| leaf.not_after)
    }

    /// What the user calls the service.
    pub fn service(&self) -> &'a str {
        match self.place {
            Place::Endpoint(endpoint) => &endpoint.service,
            Place::File(file) => &file.service,
        }
    }

    /// For people: the service and where it is.
    pub fn title(&self) -> String {
        match self.place {
            Place::Endpoint(endpoint) => match &endpoint.address {
                Some(address) if self.several => format!("{} ({address})", endpoint.user()),
                _ => endpoint.user(),
            },
            Place::File(file) if file.service.is_empty() => format!("{}: {}", self.host, file.path),
            Place::File(file) => format!("{}, {}: {}", file.service, self.host, file.path),
        }
    }

    /// A file that is served and in order is in the line of its endpoint.
    fn says_something(&self) -> bool {
        match self.place {
            Place::Endpoint(_) => true,
            Place::File(file) => {
                self.unserved || file.status != Level::Ok || file.served_at.is_empty()
            }
        }
    }
}

#[cfg(test)]
mod tests;
