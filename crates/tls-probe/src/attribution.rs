// SPDX-License-Identifier: Apache-2.0
//! Which process holds the other end of a connection.

use std::net::{SocketAddr, TcpStream};
use std::ops::ControlFlow;

use rustix::process::Pid;

use crate::{Error, NetworkNamespace, Result, Stage, processes, sock_diag, tcp_table};

/// The two ends of a connection of ours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Link {
    ours: SocketAddr,
    theirs: SocketAddr,
}

impl Link {
    pub(crate) fn of(tcp: &TcpStream, address: SocketAddr) -> Result<Self> {
        let broke = |source| Error::Io {
            address,
            stage: Stage::Connect,
            source,
        };
        let ours = tcp.local_addr().map_err(broke)?;
        Ok(Self {
            ours: canonical(ours),
            theirs: canonical(address),
        })
    }

    /// Our end.
    pub fn ours(&self) -> SocketAddr {
        self.ours
    }

    /// The server's end.
    pub fn theirs(&self) -> SocketAddr {
        self.theirs
    }
}

/// As the table of sockets shows it: without scope and flow, which it does not have.
fn canonical(address: SocketAddr) -> SocketAddr {
    SocketAddr::new(address.ip().to_canonical(), address.port())
}

/// Who holds the other end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AcceptedBy {
    /// These of the candidates. More than one if a process forked in between.
    Candidates(Vec<Pid>),
    /// A process of this network that is no candidate.
    SomebodyElse,
    /// No socket of this network: the server has closed it already, or the connection was led elsewhere (address
    /// translation, a port that an engine publishes).
    Unknown,
}

/// Finds the processes that hold the other end of a connection, by the kernel's own table: the socket with the same
/// two addresses the other way round, and the process that has it open. The connection must still be open, so ask
/// while the [`Held`](crate::Held) that it comes from is alive.
///
/// # Errors
/// [`Error::Proc`] and [`Error::Namespace`], if a candidate is another user's and we are not root.
pub fn accepted_by(
    link: &Link,
    network: &NetworkNamespace,
    candidates: &[Pid],
) -> Result<AcceptedBy> {
    let Some(inode) = other_end(link, network)? else {
        return Ok(AcceptedBy::Unknown);
    };
    let holders = holders(inode, candidates)?;
    Ok(match holders.is_empty() {
        true => AcceptedBy::SomebodyElse,
        false => AcceptedBy::Candidates(holders),
    })
}

/// Whether the other end of a connection, which must still be open, is a socket of this network at all: it is not where
/// address translation leads elsewhere.
///
/// # Errors
/// [`Error::Namespace`], if the network is not ours and we are not root.
pub fn is_in(link: &Link, network: &NetworkNamespace) -> Result<bool> {
    Ok(other_end(link, network)?.is_some())
}

/// The processes that hold the other end of a connection which address translation has led into another network of this
/// machine (a port that an engine publishes): there the server's end has another address, and only ours is the same.
///
/// # Errors
/// As [`accepted_by`].
pub fn led_to(link: &Link, network: &NetworkNamespace, candidates: &[Pid]) -> Result<Vec<Pid>> {
    let mut inode = None;
    tcp_table::walk(network, |row| {
        if row.remote == link.ours && row.inode != 0 {
            inode = Some(row.inode);
            return ControlFlow::Break(());
        }
        ControlFlow::Continue(())
    })?;
    match inode {
        Some(inode) => holders(inode, candidates),
        None => Ok(Vec::new()),
    }
}

fn holders(inode: u64, candidates: &[Pid]) -> Result<Vec<Pid>> {
    let mut holders = Vec::new();
    for &pid in candidates {
        match processes::sockets(pid) {
            Ok(open) if open.contains(&inode) => holders.push(pid),
            Ok(_) | Err(Error::ProcessGone { .. }) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(holders)
}

fn other_end(link: &Link, network: &NetworkNamespace) -> Result<Option<u64>> {
    if let Ok(answer) = network.enter(|| sock_diag::inode(link.theirs, link.ours))? {
        return Ok(answer);
    }
    let mut inode = None;
    tcp_table::walk(network, |row| {
        if row.local == link.theirs && row.remote == link.ours && row.inode != 0 {
            inode = Some(row.inode);
            return ControlFlow::Break(());
        }
        ControlFlow::Continue(())
    })?;
    Ok(inode)
}
