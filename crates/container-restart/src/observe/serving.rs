// SPDX-License-Identifier: Apache-2.0
//! What is served: the listeners of a container's own processes, and the certificate that each shows.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use containers::Container;
use containers::processes::{Process, process};
use pki::Certificate;
use rustix::process::Pid;
use tls_probe::{
    AcceptedBy, Ask, Listener, Place, Prober, Processes, StartTls, accepted_by, listeners,
};

use super::Wanted;
use crate::failure::Failure;
use crate::request::{Endpoint, Fingerprint, Request, Verify};

/// A server on this host answers a first hello within milliseconds, on a loaded one within a second or two.
const PATIENCE: Duration = Duration::from_secs(3);
/// To say goodbye politely is worth no more than this.
const GOODBYE: Duration = Duration::from_millis(300);
/// Two programs on one port are asked in turn by the kernel: so often until one of ours has answered.
const TRIES: usize = 24;

/// Looks at sockets.
#[derive(Debug)]
pub struct Eye {
    prober: Prober,
}

/// Whose sockets are looked at, and for what.
#[derive(Debug)]
pub struct Look<'a> {
    /// What was asked for.
    pub request: &'a Request,
    /// What must be served.
    pub wanted: &'a Wanted,
    /// The processes of the container.
    pub processes: &'a [Process],
    /// The task names the container, by its name or labels.
    pub is_named: bool,
    /// Listeners that are not asked.
    pub silent: &'a [SocketAddr],
}

/// What one listener serves.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Serving {
    /// Where it listens.
    pub at: SocketAddr,
    /// The process that answered, or one of those that listen.
    pub pid: Option<u32>,
    /// Its name.
    pub program: String,
    /// What came before TLS.
    pub starttls: Option<StartTls>,
    /// What it showed.
    pub seen: Seen,
}

/// What a listener showed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Seen {
    /// A certificate.
    Certificate(Fingerprint, Verdict),
    /// None: it speaks no TLS, or does not answer, for this reason.
    Nothing(String),
}

/// What a certificate that is served is to us.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// The one that must be served.
    New,
    /// One that it takes the place of.
    Replaced,
    /// Another for the same subject and names.
    SameNames,
    /// Another.
    Other,
}

impl Verdict {
    /// The word in results.
    pub const fn word(self) -> &'static str {
        match self {
            Self::New => "new",
            Self::Replaced => "replaced",
            Self::SameNames => "same_names",
            Self::Other => "other",
        }
    }
}

impl Serving {
    /// The certificate that it showed.
    pub fn fingerprint(&self) -> Option<&Fingerprint> {
        match &self.seen {
            Seen::Certificate(fingerprint, _) => Some(fingerprint),
            Seen::Nothing(_) => None,
        }
    }

    /// What that is to us.
    pub fn verdict(&self) -> Option<Verdict> {
        match &self.seen {
            Seen::Certificate(_, verdict) => Some(*verdict),
            Seen::Nothing(_) => None,
        }
    }
}

/// One look at one place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proof {
    /// What was shown.
    pub seen: Seen,
    /// Who of ours answered; `None` if somebody else did, or nobody knows.
    pub by: Option<u32>,
}

impl Eye {
    /// Prepares a client.
    pub fn new() -> Result<Self, Failure> {
        Ok(Self {
            prober: Prober::new()?,
        })
    }

    /// The processes of this host.
    pub fn snapshot(&self) -> Result<Processes, Failure> {
        Ok(Processes::snapshot()?)
    }

    /// The processes of a container, the first one first; none if it has ended meanwhile.
    pub fn members(
        &self,
        container: &Container,
        snapshot: &Processes,
    ) -> Result<Vec<Process>, Failure> {
        let Some(first) = container.pid.and_then(raw) else {
            return Ok(Vec::new());
        };
        let members = match snapshot.members(first) {
            Ok(members) => members,
            Err(tls_probe::Error::ProcessGone { .. }) => return Ok(Vec::new()),
            Err(error) => return Err(error.into()),
        };
        let numbers = members
            .pids
            .iter()
            .filter_map(|pid| u32::try_from(pid.as_raw_nonzero().get()).ok());
        let mut found: Vec<Process> = numbers.filter_map(process).collect();
        found.sort_by_key(|each| (Some(each.pid) != container.pid, each.began, each.pid));
        Ok(found)
    }

    /// What the processes serve, or what the endpoints do that the task names.
    pub fn serving(&self, look: &Look<'_>) -> Result<Vec<Serving>, Failure> {
        let pids = pids(look.processes);
        match &look.request.verify {
            Verify::None => Ok(Vec::new()),
            Verify::Auto => {
                let mut all = listeners(&pids)?;
                all.retain(|listener| !look.silent.contains(&listener.address));
                Ok(ansible_module::each(&all, 8, |listener| {
                    self.listener(look, listener, &pids)
                }))
            }
            Verify::Endpoints(endpoints) => {
                let all = listeners(&pids)?;
                Ok(ansible_module::each(endpoints, 8, |endpoint| {
                    self.endpoint(look, endpoint, &all, &pids)
                }))
            }
        }
    }

    /// Says a line over TLS to the listener of these processes, and gives back the first line of the answer.
    pub fn say(
        &self,
        processes: &[Process],
        at: SocketAddr,
        line: &str,
    ) -> Result<String, Failure> {
        let pids = pids(processes);
        let found = listeners(&pids)?;
        let gone = || Failure::ListenerGone { at };
        let listener = found
            .iter()
            .find(|each| each.address == at)
            .ok_or_else(gone)?;
        for address in listener.addresses() {
            let place = Place::inside(address, &listener.network);
            // Others may listen there too: whom the kernel gives us is a matter of luck.
            for _ in 0..TRIES {
                let held = self.prober.probe(&place, &Ask::default(), PATIENCE)?;
                if let AcceptedBy::Candidates(_) =
                    accepted_by(held.link(), &listener.network, &pids)?
                {
                    let answer = held.say(line.as_bytes(), PATIENCE)?;
                    return Ok(String::from_utf8_lossy(&answer).trim().to_owned());
                }
                held.finish(GOODBYE);
            }
        }
        Err(gone())
    }

    fn listener(&self, look: &Look<'_>, listener: &Listener, pids: &[Pid]) -> Serving {
        let holder = listener.holders.first().copied().and_then(number);
        let program = program(look.processes, holder);
        let mut ask = Ask {
            key: look.wanted.key_kind(),
            server_name: look.wanted.server_name(),
            starttls: starttls(&program, listener.address.port()),
            stapled: false,
        };
        let began = Instant::now();
        let mut last = self.patiently(look, listener, &ask, pids);
        // A server that waits for us to speak first speaks TLS at once: MariaDB's port for its cluster, wherever it is.
        let is_shy = is_database(&program) && began.elapsed() >= PATIENCE;
        if is_shy && ask.starttls.is_some() && matches!(last.seen, Seen::Nothing(_)) {
            ask.starttls = None;
            last = self.patiently(look, listener, &ask, pids);
        }
        Serving {
            at: listener.address,
            pid: last.by.or(holder),
            program,
            starttls: ask.starttls,
            seen: last.seen,
        }
    }

    /// Asks until one of ours has answered.
    fn patiently(&self, look: &Look<'_>, listener: &Listener, ask: &Ask, pids: &[Pid]) -> Proof {
        let mut last = Proof {
            seen: Seen::Nothing(String::from("it has no address")),
            by: None,
        };
        for address in listener.addresses() {
            let place = Place::inside(address, &listener.network);
            for _ in 0..TRIES {
                last = self.ask(look, &place, ask, |held| {
                    accepted_by(held.link(), &listener.network, pids)
                });
                if last.by.is_some() || matches!(last.seen, Seen::Nothing(_)) {
                    break;
                }
            }
            if last.by.is_some() {
                break;
            }
        }
        if last.by.is_none() && matches!(last.seen, Seen::Certificate(..)) {
            last.seen = Seen::Nothing(String::from("another process answered each time"));
        }
        last
    }

    /// A port of the host may be led to a container by address translation or by a proxy of the engine's, so that nobody
    /// can tell who answers. Then it speaks for a container that the task names, and for no other.
    fn endpoint(
        &self,
        look: &Look<'_>,
        endpoint: &Endpoint,
        listeners: &[Listener],
        pids: &[Pid],
    ) -> Serving {
        let name = endpoint.server_name.clone();
        let ask = Ask {
            key: look.wanted.key_kind(),
            server_name: name.or_else(|| look.wanted.server_name()),
            starttls: endpoint
                .starttls
                .or_else(|| StartTls::usual_at(endpoint.address.port())),
            stapled: false,
        };
        let own = listeners
            .iter()
            .find(|each| each.address.port() == endpoint.address.port() && each.network.is_own());
        let place = Place::anywhere(endpoint.address);
        let mut proof = self.ask(look, &place, &ask, |held| match own {
            Some(listener) => accepted_by(held.link(), &listener.network, pids),
            None => Ok(AcceptedBy::Unknown),
        });
        if proof.by.is_none() && !look.is_named && matches!(proof.seen, Seen::Certificate(..)) {
            proof.seen = Seen::Nothing(String::from("no process of this container answered"));
        }
        let holder = own
            .and_then(|each| each.holders.first().copied())
            .and_then(number);
        let pid = proof.by.or(holder);
        Serving {
            at: endpoint.address,
            pid,
            program: program(look.processes, pid),
            starttls: ask.starttls,
            seen: proof.seen,
        }
    }

    fn ask(
        &self,
        look: &Look<'_>,
        place: &Place<'_>,
        ask: &Ask,
        who: impl Fn(&tls_probe::Held) -> tls_probe::Result<AcceptedBy>,
    ) -> Proof {
        let held = match self.prober.probe(place, ask, PATIENCE) {
            Ok(held) => held,
            Err(_) if ask.key.is_some() => {
                // It may have no key of that kind yet: the certificate that is replaced may be of another.
                let any = Ask {
                    key: None,
                    ..ask.clone()
                };
                return self.ask(look, place, &any, who);
            }
            Err(error) => {
                return Proof {
                    seen: Seen::Nothing(ansible_module::flatten(&error)),
                    by: None,
                };
            }
        };
        let by = match who(&held) {
            Ok(AcceptedBy::Candidates(pids)) => pids.first().copied().and_then(number),
            Ok(AcceptedBy::SomebodyElse | AcceptedBy::Unknown) | Err(_) => None,
        };
        let seen = judge(
            look.request,
            look.wanted,
            held.presented().leaf(),
            held.presented().fingerprint_sha256_text(),
        );
        held.finish(GOODBYE);
        Proof { seen, by }
    }
}

fn judge(request: &Request, wanted: &Wanted, leaf: &[u8], fingerprint: String) -> Seen {
    let fingerprint = Fingerprint(fingerprint);
    let verdict = if fingerprint == wanted.fingerprint {
        Verdict::New
    } else if request.replaces.contains(&fingerprint) {
        Verdict::Replaced
    } else if Certificate::from_der(leaf).is_ok_and(|other| wanted.speaks_for_the_same(&other)) {
        Verdict::SameNames
    } else {
        Verdict::Other
    };
    Seen::Certificate(fingerprint, verdict)
}

/// What comes before TLS: the program tells it better than the port.
fn starttls(program: &str, port: u16) -> Option<StartTls> {
    match program {
        // What the members of a Galera cluster say to each other.
        "mariadbd" | "mysqld" if port == 4567 => None,
        _ if is_database(program) => Some(StartTls::Mysql),
        "postgres" => Some(StartTls::Postgres),
        // These speak TLS at once, on whatever port.
        "apache2" | "haproxy" | "httpd" | "nginx" => None,
        _ => StartTls::usual_at(port),
    }
}

fn is_database(program: &str) -> bool {
    matches!(program, "mariadbd" | "mysqld")
}

fn program(processes: &[Process], pid: Option<u32>) -> String {
    let found = processes.iter().find(|each| Some(each.pid) == pid);
    found.map(|each| each.program.clone()).unwrap_or_default()
}

fn pids(processes: &[Process]) -> Vec<Pid> {
    processes.iter().filter_map(|each| raw(each.pid)).collect()
}

fn raw(pid: u32) -> Option<Pid> {
    i32::try_from(pid).ok().and_then(Pid::from_raw)
}

fn number(pid: Pid) -> Option<u32> {
    u32::try_from(pid.as_raw_nonzero().get()).ok()
}
