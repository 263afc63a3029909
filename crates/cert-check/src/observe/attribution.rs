// SPDX-License-Identifier: Apache-2.0
//! Which process of this host answered, and in which container it lives.

use std::collections::HashMap;
use std::net::{IpAddr, SocketAddr};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, OnceLock, PoisonError};
use std::time::Duration;

use containers::State;
use containers::engine::{Search, find};
use containers::processes::process;
use rustix::process::Pid;
use tls_probe::{
    AcceptedBy, Link, Listener, NetworkNamespace, Processes, accepted_by, is_in, led_to, listeners,
};

/// An engine answers from memory.
const ENGINE_LIMIT: Duration = Duration::from_secs(5);
/// Docker's process that leads a published port into a container.
const PROXY: &str = "docker-proxy";

/// Who answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Server {
    /// Its number.
    pub pid: i32,
    /// Its name.
    pub program: String,
    /// The container that it lives in: its name, or the start of its identity where no engine tells the name.
    pub container: Option<String>,
}

/// What listens on this host, in all of its networks.
pub(super) struct Sight {
    at: HashMap<u16, Vec<Listener>>,
    all: Vec<Listener>,
    processes: Processes,
    containers: OnceLock<Vec<Home>>,
    /// One process serves many endpoints.
    known: Mutex<HashMap<Pid, Option<Server>>>,
    own: (u64, u64),
    engine_socket: Option<PathBuf>,
    trouble: Mutex<Option<String>>,
}

/// A container and what lives in it.
struct Home {
    id: String,
    name: String,
    members: Vec<Pid>,
}

impl Sight {
    /// `Ok(None)` without root: then it is not told, and nothing is wrong.
    ///
    /// # Errors
    /// /proc cannot be read.
    pub(super) fn open(engine_socket: Option<&Path>) -> Result<Option<Self>, Option<String>> {
        if !rustix::process::geteuid().is_root() {
            return Ok(None);
        }
        let told = |error: tls_probe::Error| Some(ansible_module::flatten(&error));
        let processes = Processes::snapshot().map_err(told)?;
        let pids: Vec<Pid> = processes.pids().collect();
        let all = listeners(&pids).map_err(told)?;
        let mut at: HashMap<u16, Vec<Listener>> = HashMap::new();
        for listener in &all {
            let same = at.entry(listener.address.port()).or_default();
            same.push(listener.clone());
        }
        let own = NetworkNamespace::of(rustix::process::getpid()).map_err(told)?;
        Ok(Some(Self {
            at,
            all,
            processes,
            containers: OnceLock::new(),
            known: Mutex::default(),
            own: own.identity(),
            engine_socket: engine_socket.map(Path::to_owned),
            trouble: Mutex::default(),
        }))
    }

    /// What could not be found out.
    pub(super) fn trouble(self) -> Option<String> {
        self.trouble
            .into_inner()
            .unwrap_or_else(PoisonError::into_inner)
    }

    /// Who holds the other end of a connection, if it is a process of this host.
    pub(super) fn who(&self, link: &Link) -> Option<Server> {
        let pid = self.holder(link)?;
        let known = || self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(server) = known().get(&pid) {
            return server.clone();
        }
        let server = self.server(pid);
        known().insert(pid, server.clone());
        server
    }

    fn server(&self, pid: Pid) -> Option<Server> {
        let number = pid.as_raw_nonzero().get();
        let found = process(u32::try_from(number).ok()?)?;
        if found.program == PROXY
            && let Some(inside) = self.behind(&found.arguments)
        {
            return Some(inside);
        }
        Some(Server {
            pid: number,
            program: found.program,
            container: self.container(pid),
        })
    }

    fn is_own(&self, listener: &Listener) -> bool {
        listener.network.identity() == self.own
    }

    fn holder(&self, link: &Link) -> Option<Pid> {
        let port = link.theirs().port();
        let fitting = self.at.get(&port).into_iter().flatten();
        let mut fitting: Vec<&Listener> = fitting
            .filter(|each| is_at(each.address, link.theirs().ip()))
            .collect();
        // Our own network first: nearly all are there, and the others cost a thread each.
        fitting.sort_by_key(|each| !self.is_own(each));
        let direct = fitting.into_iter().find_map(|each| in_network(link, each));
        direct.or_else(|| self.translated(link))
    }

    /// A connection to an address of ours that no process of our network holds was led into another network.
    fn translated(&self, link: &Link) -> Option<Pid> {
        if link.ours().ip() != link.theirs().ip() {
            return None;
        }
        let others = self.all.iter().filter(|each| !self.is_own(each));
        let mut asked = Vec::new();
        for listener in others {
            if asked.contains(&listener.network.identity()) {
                continue;
            }
            asked.push(listener.network.identity());
            let network = &listener.network;
            let same = self.all.iter().filter(|each| each.network == *network);
            let candidates: Vec<Pid> = same.flat_map(|each| each.holders.clone()).collect();
            let found = led_to(link, network, &candidates).ok();
            if let Some(pid) = found.and_then(|pids| pids.first().copied()) {
                return Some(pid);
            }
        }
        None
    }

    /// The server behind Docker's proxy, by what the proxy was told.
    fn behind(&self, arguments: &[String]) -> Option<Server> {
        let value = |name: &str| {
            let at = arguments.iter().position(|word| word == name)?;
            arguments.get(at + 1)
        };
        let ip: IpAddr = value("-container-ip")?.parse().ok()?;
        let port: u16 = value("-container-port")?.parse().ok()?;
        let mut fitting = self.at.get(&port)?.iter().filter(|each| {
            is_at(each.address, ip) && !self.is_own(each) && each.network.has(ip).unwrap_or(false)
        });
        let pid = fitting.next()?.holders.first().copied()?;
        let number = pid.as_raw_nonzero().get();
        Some(Server {
            pid: number,
            program: process(u32::try_from(number).ok()?)?.program,
            container: self.container(pid),
        })
    }

    fn container(&self, pid: Pid) -> Option<String> {
        let identity = identity_in_cgroup(pid);
        if identity.is_none() && !lives_elsewhere(pid) {
            return None;
        }
        let homes = self.containers.get_or_init(|| self.homes());
        let by_identity = homes
            .iter()
            .find(|home| identity.as_deref() == Some(&home.id));
        let home = by_identity.or_else(|| homes.iter().find(|home| home.members.contains(&pid)));
        match home {
            Some(home) => Some(home.name.clone()),
            None => identity.map(|id| id.chars().take(12).collect()),
        }
    }

    fn homes(&self) -> Vec<Home> {
        let search = Search {
            kind: None,
            socket: self.engine_socket.clone(),
            user: None,
            limit: ENGINE_LIMIT,
        };
        let engines = match find(&search) {
            Ok(found) => found.engines,
            Err(error) => return self.nameless(&error),
        };
        let mut homes = Vec::new();
        for engine in engines {
            let found = match engine.containers() {
                Ok(found) => found,
                Err(error) => return self.nameless(&error),
            };
            let running = found
                .into_iter()
                .filter(|each| each.state == State::Running);
            homes.extend(running.filter_map(|each| {
                let first = Pid::from_raw(i32::try_from(each.pid?).ok()?)?;
                Some(Home {
                    members: self.processes.members(first).map(|it| it.pids).ok()?,
                    id: each.id,
                    name: each.name,
                })
            }));
        }
        homes
    }

    fn nameless(&self, error: &containers::Error) -> Vec<Home> {
        let words = format!(
            "containers are told by identity, not by name: {}",
            ansible_module::flatten(error)
        );
        let mut trouble = self.trouble.lock().unwrap_or_else(PoisonError::into_inner);
        trouble.get_or_insert(words);
        Vec::new()
    }
}

/// Whether a listener at `bound` is reached at `ip`.
fn is_at(bound: SocketAddr, ip: IpAddr) -> bool {
    let bound = bound.ip().to_canonical();
    match bound {
        IpAddr::V4(any) if any.is_unspecified() => ip.is_ipv4(),
        IpAddr::V6(any) if any.is_unspecified() => true,
        exactly => exactly == ip,
    }
}

/// The process that accepted, if it was at this listener.
fn in_network(link: &Link, listener: &Listener) -> Option<Pid> {
    // One socket that was inherited, or one process with several: nobody else can have it.
    if listener.sockets == 1 || listener.holders.len() == 1 {
        let is_here = is_in(link, &listener.network).ok()?;
        return listener.holders.first().copied().filter(|_| is_here);
    }
    match accepted_by(link, &listener.network, &listener.holders).ok()? {
        AcceptedBy::Candidates(pids) => pids.first().copied(),
        AcceptedBy::SomebodyElse | AcceptedBy::Unknown => None,
    }
}

fn lives_elsewhere(pid: Pid) -> bool {
    let namespace = |of: &str| {
        let found = std::fs::metadata(format!("/proc/{of}/ns/pid"));
        found.ok().map(|found| (found.dev(), found.ino()))
    };
    let theirs = namespace(&pid.as_raw_nonzero().to_string());
    theirs.is_some() && theirs != namespace("self")
}

/// Both engines name a container's cgroup by its identity of 64 hexadecimal digits.
fn identity_in_cgroup(pid: Pid) -> Option<String> {
    let text = std::fs::read_to_string(format!("/proc/{}/cgroup", pid.as_raw_nonzero())).ok()?;
    let mut words = text.split(|letter: char| !letter.is_ascii_hexdigit());
    words.find(|word| word.len() == 64).map(str::to_owned)
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn a_listener_on_all_addresses_is_at_each() {
        let at = |bound: &str, ip: &str| is_at(bound.parse().unwrap(), ip.parse().unwrap());
        assert!(at("0.0.0.0:1", "10.0.0.1") && !at("0.0.0.0:1", "::1"));
        assert!(at("[::]:1", "10.0.0.1") && at("[::]:1", "::1"));
        assert!(at("10.0.0.1:1", "10.0.0.1") && !at("10.0.0.1:1", "10.0.0.2"));
    }
}
