// SPDX-License-Identifier: Apache-2.0
//! Where to connect to.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpStream, UdpSocket};

use crate::deadline::Deadline;
use crate::{Error, NetworkNamespace, Result, Stage};

/// An address, seen from a network.
#[derive(Clone, Copy, Debug)]
pub struct Place<'a> {
    address: SocketAddr,
    inside: Option<&'a NetworkNamespace>,
}

impl<'a> Place<'a> {
    /// An address as this process reaches it, on whatever machine it is.
    pub fn anywhere(address: SocketAddr) -> Self {
        Self {
            address,
            inside: None,
        }
    }

    /// An address of this machine in one of its network namespaces. If the namespace does not have the address,
    /// nothing is sent and the answer is [`Error::NotLocal`].
    pub fn inside(address: SocketAddr, network: &'a NetworkNamespace) -> Self {
        Self {
            address,
            inside: Some(network),
        }
    }

    /// The address.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    pub(crate) fn connect(&self, deadline: &Deadline) -> Result<TcpStream> {
        let address = self.address;
        match self.inside {
            None => dial(address, deadline),
            Some(network) => network.enter(|| {
                if !is_local(address.ip()).unwrap_or(true) {
                    return Err(Error::NotLocal { address });
                }
                dial(address, deadline)
            })?,
        }
    }
}

fn dial(address: SocketAddr, deadline: &Deadline) -> Result<TcpStream> {
    let timed_out = || Error::TimedOut {
        address,
        stage: Stage::Connect,
        patience: deadline.patience(),
    };
    let left = deadline.left().ok_or_else(timed_out)?;
    let connected = TcpStream::connect_timeout(&address, left).and_then(|tcp| {
        tcp.set_nodelay(true)?;
        Ok(tcp)
    });
    connected.map_err(|source| match source.kind() {
        io::ErrorKind::TimedOut => timed_out(),
        _ => Error::Connect { address, source },
    })
}

/// Whether the namespace of this thread has the address. Asked of the routing table, without a packet: to an own
/// address the kernel goes from that address. A bind would not tell, since `ip_nonlocal_bind` lets it succeed.
/// An error says that there is no route at all, so a connection fails by itself.
pub(crate) fn is_local(ip: IpAddr) -> io::Result<bool> {
    if ip.is_loopback() {
        return Ok(true);
    }
    let any: IpAddr = match ip {
        IpAddr::V4(_) => Ipv4Addr::UNSPECIFIED.into(),
        IpAddr::V6(_) => Ipv6Addr::UNSPECIFIED.into(),
    };
    let socket = UdpSocket::bind((any, 0))?;
    // Any port does: connecting a datagram socket only looks up the route.
    socket.connect((ip, 9))?;
    Ok(socket.local_addr()?.ip() == ip)
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn an_address_of_documentation_is_not_ours() {
        // 192.0.2.0/24 is for documentation (RFC 5737): no machine has it. Without any route the answer is an error.
        assert!(!is_local("192.0.2.1".parse().unwrap()).unwrap_or(false));
        assert!(is_local("127.0.0.5".parse().unwrap()).unwrap());
        assert!(is_local("::1".parse().unwrap()).unwrap());
    }
}
