// SPDX-License-Identifier: Apache-2.0
//! Asks the recursive servers of this host, and its hosts file: what a static executable has instead of `getaddrinfo`.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Instant;

use crate::exchange::{self, Patience, ask_until, is_settled};
use crate::message::{Data, Kind, Message};
use crate::{Error, Name, Result};

/// The port of DNS.
pub const PORT: u16 = 53;
/// glibc takes no more of either.
const MOST_SERVERS: usize = 3;
const MOST_SEARCHED: usize = 6;

/// The address of a server: `192.0.2.1`, `192.0.2.1:5353`, `2001:db8::1`, `[2001:db8::1]:5353`.
///
/// # Errors
/// [`Error::NoServer`]: names are not taken, because somebody would have to be asked for them.
pub fn server_address(text: &str) -> Result<SocketAddr> {
    let bare = text
        .strip_prefix('[')
        .and_then(|rest| rest.strip_suffix(']'));
    let address = bare.unwrap_or(text).parse::<IpAddr>();
    match address {
        Ok(address) => Ok(SocketAddr::new(address, PORT)),
        Err(_) => text.parse().map_err(|_| Error::NoServer {
            text: text.into(),
            why: "write an IP address, with a port if it is not 53: 192.0.2.1, 192.0.2.1:5353, [2001:db8::1]:5353",
        }),
    }
}

/// The recursive servers of a host, its hosts file, and how it completes short names.
#[derive(Clone, Debug)]
pub struct Resolver {
    servers: Vec<SocketAddr>,
    search: Vec<Name>,
    /// So many dots make a name complete.
    dots: usize,
    hosts: HashMap<Name, Vec<IpAddr>>,
    patience: Patience,
}

impl Resolver {
    /// As the files /etc/resolv.conf and /etc/hosts with these contents say.
    ///
    /// # Defaults
    /// Without a `nameserver` line: the one on this host, as with glibc.
    pub fn from_files(resolv_conf: &str, hosts: &str) -> Self {
        let mut resolver = Self {
            servers: Vec::new(),
            search: Vec::new(),
            dots: 1,
            hosts: read_hosts(hosts),
            patience: Patience::default(),
        };
        for line in resolv_conf.lines() {
            resolver.read_line(line);
        }
        if resolver.servers.is_empty() {
            resolver.servers.push((Ipv4Addr::LOCALHOST, PORT).into());
        }
        resolver
    }

    /// Other servers than those of the file.
    #[must_use]
    pub fn with_servers(mut self, servers: Vec<SocketAddr>) -> Self {
        self.servers = servers;
        self
    }

    /// Another patience.
    #[must_use]
    pub fn with_patience(mut self, patience: Patience) -> Self {
        self.patience = patience;
        self
    }

    /// How long and how often servers are asked.
    pub fn patience(&self) -> Patience {
        self.patience
    }

    /// The servers.
    pub fn servers(&self) -> &[SocketAddr] {
        &self.servers
    }

    /// What the servers say, also when it is that there is none.
    ///
    /// # Errors
    /// [`Error::NoAnswer`], [`Error::Malformed`]; [`Error::Refused`] for any code but NOERROR and NXDOMAIN.
    pub fn ask(&self, name: &Name, kind: Kind) -> Result<Message> {
        ask_until(&self.servers, name, kind, true, self.patience, is_settled)
            .map(|(_, answer)| answer)
    }

    /// The addresses of a host, those that there is a route to first, never none.
    ///
    /// # Errors
    /// [`Error::UnknownHost`] if there is no such host or it has no address; else as [`Self::ask`].
    pub fn addresses(&self, host: &str) -> Result<Vec<IpAddr>> {
        if let Ok(address) = host.parse() {
            return Ok(vec![address]);
        }
        let name: Name = host.parse()?;
        if let Some(found) = self.hosts.get(&name) {
            return Ok(routable_first(found.clone()));
        }
        if name.labels().last() == Some(b"localhost") {
            return Ok(vec![Ipv4Addr::LOCALHOST.into(), Ipv6Addr::LOCALHOST.into()]);
        }
        let mut refused = None;
        for candidate in self.candidates(&name, host.ends_with('.')) {
            match self.addresses_of(&candidate) {
                Ok(found) if !found.is_empty() => return Ok(routable_first(found)),
                Ok(_) => {}
                // As with glibc: one domain of the search list that is broken does not hide the others.
                Err(error @ Error::Refused { .. }) => refused = refused.or(Some(error)),
                Err(error) => return Err(error),
            }
        }
        Err(refused.unwrap_or_else(|| Error::UnknownHost { host: host.into() }))
    }

    /// The complete names that a name may stand for, in the order of trying.
    fn candidates(&self, name: &Name, is_absolute: bool) -> Vec<Name> {
        if is_absolute {
            return vec![name.clone()];
        }
        let below = |suffix: &Name| Name::from_labels(name.labels().chain(suffix.labels())).ok();
        let mut names: Vec<Name> = self.search.iter().filter_map(below).collect();
        let own_place = match name.label_count() > self.dots {
            true => 0,
            false => names.len(),
        };
        names.insert(own_place, name.clone());
        names
    }

    /// Both kinds at the same time; one that fails matters only if the other has nothing.
    fn addresses_of(&self, name: &Name) -> Result<Vec<IpAddr>> {
        let (six, four) = std::thread::scope(|scope| {
            let six = scope.spawn(|| self.ask(name, Kind::AAAA));
            let four = self.ask(name, Kind::A);
            // It joins unless it panicked, and then its panic goes on here.
            let six = six
                .join()
                .unwrap_or_else(|panic| std::panic::resume_unwind(panic));
            (six, four)
        });
        let (mut found, mut failed) = (Vec::new(), None);
        for answer in [six, four] {
            match answer {
                Ok(answer) => found.extend(chased(name, &answer)),
                Err(error) => failed = failed.or(Some(error)),
            }
        }
        match failed {
            Some(error) if found.is_empty() => Err(error),
            _ => Ok(found),
        }
    }

    fn read_line(&mut self, line: &str) {
        let mut words = line.split_ascii_whitespace();
        match words.next() {
            Some("nameserver") if self.servers.len() < MOST_SERVERS => {
                let address = words.next().and_then(|word| server_address(word).ok());
                self.servers.extend(address);
            }
            Some("search" | "domain") => {
                let names = words.filter_map(|word| word.parse().ok());
                self.search = names.take(MOST_SEARCHED).collect();
            }
            Some("options") => words.for_each(|option| self.read_option(option)),
            _ => {}
        }
    }

    fn read_option(&mut self, option: &str) {
        let Some((name, value)) = option.split_once(':') else {
            return;
        };
        let Ok(value) = value.parse::<u32>() else {
            return;
        };
        // The caps are glibc's.
        match name {
            "ndots" => self.dots = value.min(15) as usize,
            "timeout" => {
                self.patience.answer = std::time::Duration::from_secs(value.clamp(1, 30).into());
            }
            "attempts" => self.patience.rounds = value.clamp(1, 5),
            _ => {}
        }
    }
}

/// For HTTPS: the time that is left limits how long each server is waited for.
impl web::Resolver for Resolver {
    fn addresses(&self, host: &str, deadline: Instant) -> Result<Vec<IpAddr>, String> {
        let left = deadline.saturating_duration_since(Instant::now());
        let asks = self.patience.rounds.max(1)
            * u32::try_from(self.servers.len().max(1)).unwrap_or(u32::MAX);
        let hasty = self.clone().with_patience(Patience {
            answer: self.patience.answer.min(left / asks),
            ..self.patience
        });
        hasty.addresses(host).map_err(|error| error.to_string())
    }
}

/// The addresses in an answer, of the name itself or of what its CNAMEs lead to.
fn chased(name: &Name, answer: &Message) -> Vec<IpAddr> {
    let mut names = vec![name];
    // Each round follows one CNAME more; there are no more of them than records.
    for _ in 0..answer.answers.len() {
        let last = names.last().copied();
        let next = answer.answers.iter().find_map(|record| match &record.data {
            Data::Cname(target) if Some(&record.name) == last => Some(target),
            _ => None,
        });
        match next {
            Some(next) if !names.contains(&next) => names.push(next),
            _ => break,
        }
    }
    let of_them = answer.answers.iter().filter(|r| names.contains(&&r.name));
    of_them
        .filter_map(|record| match record.data {
            Data::A(address) => Some(address.into()),
            Data::Aaaa(address) => Some(address.into()),
            _ => None,
        })
        .collect()
}

/// Connecting a UDP socket sends nothing, but fails where there is no route.
fn routable_first(mut addresses: Vec<IpAddr>) -> Vec<IpAddr> {
    if addresses.len() > 1 {
        addresses.sort_by_cached_key(|address| {
            exchange::socket_towards((*address, PORT).into()).is_err()
        });
    }
    addresses
}

fn read_hosts(text: &str) -> HashMap<Name, Vec<IpAddr>> {
    let mut hosts: HashMap<Name, Vec<IpAddr>> = HashMap::new();
    for line in text.lines() {
        let line = line.split_once('#').map_or(line, |(line, _)| line);
        let mut words = line.split_ascii_whitespace();
        let Some(Ok(address)) = words.next().map(str::parse) else {
            continue;
        };
        for name in words.filter_map(|word| word.parse::<Name>().ok()) {
            hosts.entry(name).or_default().push(address);
        }
    }
    hosts
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::message::{Rcode, Record};

    #[test]
    fn the_files_of_a_host_are_read_as_glibc_reads_them() {
        let resolver = Resolver::from_files(
            "# comment\nnameserver 192.0.2.1\nnameserver 2001:db8::1\nnameserver x\nnameserver 192.0.2.3\nnameserver 192.0.2.4\n\
             search one.example two.example\noptions ndots:2 timeout:1 attempts:9 rotate edns0\n",
            "127.0.0.1 localhost\n192.0.2.9\tdb db.example # comment\n2001:db8::9 db\nnonsense x\n",
        );
        let expected = ["192.0.2.1:53", "[2001:db8::1]:53", "192.0.2.3:53"];
        assert_eq!(
            resolver.servers(),
            expected.map(|text| text.parse().unwrap())
        );
        assert_eq!(
            resolver.patience(),
            Patience {
                answer: Duration::from_secs(1),
                rounds: 5
            }
        );
        let mut found = resolver.addresses("DB").unwrap();
        found.sort();
        assert_eq!(
            found,
            ["192.0.2.9", "2001:db8::9"].map(|text| text.parse::<IpAddr>().unwrap())
        );
        assert_eq!(
            resolver.addresses("db.example.").unwrap(),
            ["192.0.2.9".parse::<IpAddr>().unwrap()]
        );
        let names = |text: &str| -> Vec<String> {
            let name = text.parse().unwrap();
            let candidates = resolver.candidates(&name, text.ends_with('.'));
            candidates.iter().map(Name::to_string).collect()
        };
        assert_eq!(
            names("api.lan"),
            ["api.lan.one.example", "api.lan.two.example", "api.lan"]
        );
        assert_eq!(
            names("a.b.c"),
            ["a.b.c", "a.b.c.one.example", "a.b.c.two.example"]
        );
        assert_eq!(names("api."), ["api"]);
    }

    #[test]
    fn without_a_line_the_server_is_this_host_and_localhost_needs_none() {
        let resolver = Resolver::from_files("", "");
        assert_eq!(resolver.servers(), ["127.0.0.1:53".parse().unwrap()]);
        assert_eq!(resolver.addresses("localhost").unwrap().len(), 2);
        assert_eq!(resolver.addresses("::1").unwrap(), [Ipv6Addr::LOCALHOST]);
    }

    #[test]
    fn servers_are_addresses_with_or_without_a_port() {
        for (text, address) in [
            ("192.0.2.1", "192.0.2.1:53"),
            ("192.0.2.1:5353", "192.0.2.1:5353"),
            ("2001:db8::1", "[2001:db8::1]:53"),
            ("[2001:db8::1]", "[2001:db8::1]:53"),
            ("[2001:db8::1]:5353", "[2001:db8::1]:5353"),
        ] {
            assert_eq!(
                server_address(text).unwrap(),
                address.parse().unwrap(),
                "{text}"
            );
        }
        for text in ["", "ns1.example", "192.0.2.1:x", "192.0.2.1:70000"] {
            assert_eq!(server_address(text).unwrap_err().kind(), "dns.no_server");
        }
    }

    #[test]
    fn only_addresses_that_the_cnames_lead_to_count() {
        let name = |text: &str| text.parse::<Name>().unwrap();
        let record = |owner: &str, kind, data| Record {
            name: name(owner),
            kind,
            class: 1,
            ttl: 1,
            data,
        };
        let address = |last| Data::A(Ipv4Addr::new(192, 0, 2, last));
        let mut answer = Message::query(1, name("a.x"), Kind::A, true);
        answer.rcode = Rcode::NOERROR;
        answer.answers = vec![
            record("b.x", Kind::CNAME, Data::Cname(name("c.x"))),
            record("a.x", Kind::CNAME, Data::Cname(name("b.x"))),
            record("c.x", Kind::CNAME, Data::Cname(name("a.x"))),
            record("c.x", Kind::A, address(1)),
            record("evil.x", Kind::A, address(2)),
        ];
        assert_eq!(chased(&name("a.x"), &answer), [Ipv4Addr::new(192, 0, 2, 1)]);
    }
}
