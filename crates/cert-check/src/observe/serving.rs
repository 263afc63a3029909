// SPDX-License-Identifier: Apache-2.0
//! What endpoints serve.

use std::collections::HashMap;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use pki::Certificate;
use tls_probe::{Ask, Ending, Held, Place, Prober};
use web::{HostResolver, Resolver};

use super::attribution::{Server, Sight};
use super::{Seen, crowd};
use crate::failure::Failure;
use crate::request::{Endpoint, Request};

/// To end a handshake politely is worth no more than this, whatever time is left.
const GOODBYE: Duration = Duration::from_secs(5);
/// Less is no chance for anybody.
const LEAST: Duration = Duration::from_millis(50);

/// What was seen at one endpoint.
#[derive(Debug)]
pub struct EndpointSeen {
    /// The address that answered, or was tried last.
    pub address: Option<IpAddr>,
    /// How long it took.
    pub took: Duration,
    /// What it serves.
    pub result: Result<Served, Trouble>,
}

/// What an endpoint serves.
#[derive(Debug)]
pub struct Served {
    /// In the order in which they came, the server's own first; those that can be read.
    pub chain: Vec<Arc<Certificate>>,
    /// One that cannot be read, and why.
    pub damaged: Option<String>,
    /// How the handshake ended.
    pub ending: Ending,
    /// The OCSP answer that came with the certificate.
    pub stapled: Option<Vec<u8>>,
    /// Who answered, if it is a process of this host.
    pub by: Option<Server>,
}

/// Why nothing was seen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trouble {
    /// A stable word.
    pub kind: &'static str,
    /// For people.
    pub words: String,
}

/// Looks at all endpoints; those that hang delay nobody else.
pub(super) fn look(
    request: &Request,
    seen: &Seen,
    started: Instant,
    warnings: &mut Vec<String>,
) -> Result<Vec<EndpointSeen>, Failure> {
    if request.endpoints.is_empty() {
        return Ok(Vec::new());
    }
    let sight = match request.attribution {
        true => Sight::open(request.engine_socket.as_deref()).unwrap_or_else(|why| {
            warnings.extend(why.map(|why| format!("who serves was not found out: {why}")));
            None
        }),
        false => None,
    };
    let look = Look {
        request,
        seen,
        started,
        prober: Prober::new()?,
        sight,
        names: Names::default(),
    };
    let found = crowd::each(&request.endpoints, request.parallel, |each| look.at(each));
    if let Some(sight) = look.sight {
        warnings.extend(sight.trouble());
    }
    Ok(found)
}

struct Look<'a> {
    request: &'a Request,
    seen: &'a Seen,
    started: Instant,
    prober: Prober,
    sight: Option<Sight>,
    names: Names,
}

impl Look<'_> {
    fn at(&self, endpoint: &Endpoint) -> EndpointSeen {
        let began = Instant::now();
        let mut address = endpoint.address;
        let result = self.reached(endpoint, began, &mut address);
        EndpointSeen {
            address,
            took: began.elapsed(),
            result,
        }
    }

    /// What an endpoint has of its own time and of everybody's.
    fn left(&self, began: Instant) -> Option<Duration> {
        let own = self.request.timeout.checked_sub(began.elapsed())?;
        let all = self.request.deadline.checked_sub(self.started.elapsed())?;
        Some(own.min(all)).filter(|left| *left >= LEAST)
    }

    fn late(&self) -> Trouble {
        Trouble {
            kind: "deadline",
            words: format!(
                "it was not asked: the time for all endpoints, {} s, was over; give a longer 'deadline'",
                self.request.deadline.as_secs()
            ),
        }
    }

    fn reached(
        &self,
        endpoint: &Endpoint,
        began: Instant,
        address: &mut Option<IpAddr>,
    ) -> Result<Served, Trouble> {
        let left = self.left(began).ok_or_else(|| self.late())?;
        let addresses = match endpoint.address {
            Some(address) => vec![address],
            None => self.names.addresses(&endpoint.host, began + left)?,
        };
        let mut last = self.late();
        for (index, ip) in addresses.iter().enumerate() {
            let Some(left) = self.left(began) else { break };
            *address = Some(*ip);
            // An address that is dead must leave some time to the others.
            let others = u32::try_from(addresses.len() - index).unwrap_or(u32::MAX);
            match self.probe(endpoint, *ip, left / others) {
                Ok(held) => return Ok(self.served(held, began)),
                Err(error) => {
                    last = Trouble {
                        kind: error.kind(),
                        words: ansible_module::flatten(&error),
                    };
                }
            }
        }
        Err(last)
    }

    fn probe(
        &self,
        endpoint: &Endpoint,
        ip: IpAddr,
        patience: Duration,
    ) -> Result<Held, tls_probe::Error> {
        let ask = Ask {
            key: None,
            server_name: endpoint.server_name.clone(),
            starttls: endpoint.starttls,
            stapled: self.request.revocation.stapled,
        };
        let place = Place::anywhere(SocketAddr::new(ip, endpoint.port));
        self.prober.probe(&place, &ask, patience)
    }

    fn served(&self, held: Held, began: Instant) -> Served {
        // While the connection is open: afterwards nobody holds its other end.
        let by = self.sight.as_ref().and_then(|sight| sight.who(held.link()));
        let mut damaged = None;
        let mut chain = Vec::new();
        let presented = held.presented();
        let all =
            std::iter::once(presented.leaf()).chain(presented.others().iter().map(Vec::as_slice));
        for der in all {
            match self.seen.certificate(der) {
                Ok(certificate) => chain.push(certificate),
                Err(error) => {
                    damaged = Some(error.to_string());
                    break;
                }
            }
        }
        let left = self.left(began).unwrap_or(LEAST);
        let concluded = held.conclude(left.min(GOODBYE));
        Served {
            chain,
            damaged,
            ending: concluded.ending,
            stapled: concluded.stapled,
            by,
        }
    }
}

/// Addresses that were looked up: many endpoints are on one host.
#[derive(Default)]
struct Names {
    resolver: HostResolver,
    known: Mutex<HashMap<String, Result<Vec<IpAddr>, String>>>,
}

impl Names {
    fn addresses(&self, host: &str, until: Instant) -> Result<Vec<IpAddr>, Trouble> {
        if let Ok(address) = host.parse() {
            return Ok(vec![address]);
        }
        let known = || self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let found = known().get(host).cloned();
        let found = found.unwrap_or_else(|| {
            let found = self.resolver.addresses(host, until);
            known().insert(host.to_owned(), found.clone());
            found
        });
        found.map_err(|why| Trouble {
            kind: "name_lookup",
            words: format!("'{host}' has no address: {why}"),
        })
    }
}
