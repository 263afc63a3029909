// SPDX-License-Identifier: Apache-2.0
//! Where processes listen.

use std::collections::{HashMap, HashSet};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::ops::ControlFlow;

use rustix::process::Pid;

use crate::processes::{self, Identity};
use crate::{Error, NetworkNamespace, Result, tcp_table};

/// An address at which at least one of the processes listens for TCP connections.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listener {
    /// The address as it was bound; `0.0.0.0` and `[::]` are all addresses.
    pub address: SocketAddr,
    /// The processes that have a listening socket of it open, in the order given. Programs that prefork inherit it.
    pub holders: Vec<Pid>,
    /// How many listening sockets there are. With one, whoever accepts has inherited it from the same program; with
    /// more (SO_REUSEPORT), they may be those of strangers.
    pub sockets: usize,
    /// The network in which the address is.
    pub network: NetworkNamespace,
}

impl Listener {
    /// The addresses to connect to, most likely first. A listener on all addresses is reached on the loopback ones,
    /// which every network has.
    pub fn addresses(&self) -> Vec<SocketAddr> {
        let at = |ip: IpAddr| SocketAddr::new(ip, self.address.port());
        match self.address.ip() {
            IpAddr::V4(Ipv4Addr::UNSPECIFIED) => vec![at(Ipv4Addr::LOCALHOST.into())],
            IpAddr::V6(Ipv6Addr::UNSPECIFIED) => {
                vec![
                    at(Ipv6Addr::LOCALHOST.into()),
                    at(Ipv4Addr::LOCALHOST.into()),
                ]
            }
            ip => vec![at(ip)],
        }
    }
}

/// The TCP listeners of some processes, by address, each address once in each network. Processes that end meanwhile
/// are left out.
///
/// # Errors
/// [`Error::Proc`] and [`Error::Namespace`], if a process is another user's and we are not root.
pub fn listeners(pids: &[Pid]) -> Result<Vec<Listener>> {
    let mut found = Vec::new();
    for (network, sockets) in by_network(pids)? {
        found.extend(listeners_inside(&network, &sockets)?);
    }
    found.sort_by_key(|listener| (listener.network.identity(), listener.address));
    Ok(found)
}

/// The open sockets of each process.
type Sockets = Vec<(Pid, HashSet<u64>)>;

/// Processes of one container may live in several networks: Neutron's do.
fn by_network(pids: &[Pid]) -> Result<Vec<(NetworkNamespace, Sockets)>> {
    let mut networks: HashMap<Identity, (NetworkNamespace, Sockets)> = HashMap::new();
    for &pid in pids {
        let looked_at = processes::network_identity(pid).and_then(|identity| {
            let network = match networks.get(&identity) {
                Some((network, _)) => network.clone(),
                None => NetworkNamespace::of(pid)?,
            };
            Ok((network, processes::sockets(pid)?))
        });
        match looked_at {
            Ok((network, sockets)) => {
                let entry = networks.entry(network.identity());
                entry
                    .or_insert_with(|| (network, Vec::new()))
                    .1
                    .push((pid, sockets));
            }
            Err(Error::ProcessGone { .. }) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(networks.into_values().collect())
}

fn listeners_inside(network: &NetworkNamespace, sockets: &Sockets) -> Result<Vec<Listener>> {
    let mut inodes: HashMap<SocketAddr, Vec<u64>> = HashMap::new();
    tcp_table::walk(network, |row| {
        if !row.is_listening {
            return ControlFlow::Break(());
        }
        inodes.entry(row.local).or_default().push(row.inode);
        ControlFlow::Continue(())
    })?;
    let listeners = inodes.into_iter().map(|(address, inodes)| Listener {
        address,
        holders: holders(sockets, &inodes),
        sockets: inodes.len(),
        network: network.clone(),
    });
    Ok(listeners
        .filter(|listener| !listener.holders.is_empty())
        .collect())
}

fn holders(sockets: &Sockets, inodes: &[u64]) -> Vec<Pid> {
    let has_one =
        |(_, open): &&(Pid, HashSet<u64>)| inodes.iter().any(|inode| open.contains(inode));
    sockets
        .iter()
        .filter(has_one)
        .map(|(pid, _)| *pid)
        .collect()
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn our_own_listeners_are_found_with_their_addresses() {
        let four = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let six = std::net::TcpListener::bind("[::]:0").unwrap();
        let own = rustix::process::getpid();
        let found = listeners(&[own]).unwrap();
        let at = |address: SocketAddr| found.iter().find(|one| one.address == address);
        let four = at(four.local_addr().unwrap()).unwrap();
        assert_eq!(four.holders, [own]);
        assert_eq!(four.addresses(), [four.address]);
        let six = at(six.local_addr().unwrap()).unwrap();
        let port = six.address.port();
        assert_eq!(
            six.addresses(),
            [
                SocketAddr::new(Ipv6Addr::LOCALHOST.into(), port),
                SocketAddr::new(Ipv4Addr::LOCALHOST.into(), port)
            ]
        );
    }

    #[test]
    fn a_process_that_is_gone_has_no_listeners() {
        assert_eq!(listeners(&[Pid::from_raw(i32::MAX).unwrap()]).unwrap(), []);
    }
}
