// SPDX-License-Identifier: Apache-2.0
//! One socket out of the kernel's tables, by netlink (sock_diag(7)): what /proc/net/tcp says, without reading all of it.

use std::io;
use std::net::{IpAddr, SocketAddr};

use rustix::net::netlink::{SOCK_DIAG, SocketAddrNetlink};
use rustix::net::{
    AddressFamily, RecvFlags, SendFlags, SocketFlags, SocketType, recv, sendto, socket_with,
};

/// struct nlmsghdr.
const HEADER: usize = 16;
/// struct inet_diag_req_v2 behind it.
const REQUEST: usize = HEADER + 8 + 48;
/// `NLMSG_ERROR`, and the message of one socket, which has the number of the question.
const ERROR: u16 = 2;
const SOCK_DIAG_BY_FAMILY: u16 = 20;
const NLM_F_REQUEST: u16 = 1;
const IPPROTO_TCP: u8 = 6;
const TCP_LISTEN: u8 = 10;
/// Where struct inet_diag_msg has the state, the peer's port and the inode.
const STATE: usize = HEADER + 1;
const PEER_PORT: usize = HEADER + 4 + 2;
const INODE: usize = HEADER + 4 + 48 + 16;

/// The inode of the TCP socket with these two ends in the network of this thread; `None` if there is none, or nobody
/// has accepted it yet.
///
/// # Errors
/// The kernel does not answer such questions: it was built without, or a filter forbids them.
pub(crate) fn inode(local: SocketAddr, remote: SocketAddr) -> io::Result<Option<u64>> {
    let socket = socket_with(
        AddressFamily::NETLINK,
        SocketType::DGRAM,
        SocketFlags::CLOEXEC,
        Some(SOCK_DIAG),
    )?;
    let kernel = SocketAddrNetlink::new(0, 0);
    sendto(
        &socket,
        &request(local, remote),
        SendFlags::empty(),
        &kernel,
    )?;
    let mut answer = [0; 1024];
    // The kernel answers within the call above: nothing to wait for.
    let (size, _) = recv(&socket, &mut answer[..], RecvFlags::DONTWAIT)?;
    read(answer.get(..size).unwrap_or_default(), remote.port())
}

fn request(local: SocketAddr, remote: SocketAddr) -> Vec<u8> {
    let family = match local.ip() {
        IpAddr::V4(_) => AddressFamily::INET,
        IpAddr::V6(_) => AddressFamily::INET6,
    };
    let mut bytes = Vec::with_capacity(REQUEST);
    bytes.extend((REQUEST as u32).to_ne_bytes());
    bytes.extend(SOCK_DIAG_BY_FAMILY.to_ne_bytes());
    bytes.extend(NLM_F_REQUEST.to_ne_bytes());
    bytes.extend([0; 8]); // sequence and port: one question, one answer
    bytes.extend([family.as_raw() as u8, IPPROTO_TCP, 0, 0]);
    bytes.extend(u32::MAX.to_ne_bytes()); // in any state
    bytes.extend(local.port().to_be_bytes());
    bytes.extend(remote.port().to_be_bytes());
    bytes.extend(sixteen(local.ip()));
    bytes.extend(sixteen(remote.ip()));
    bytes.extend([0; 4]); // on any interface
    bytes.extend([0xff; 8]); // INET_DIAG_NOCOOKIE
    bytes
}

fn sixteen(ip: IpAddr) -> [u8; 16] {
    match ip {
        IpAddr::V4(four) => {
            let mut bytes = [0; 16];
            bytes[..4].copy_from_slice(&four.octets());
            bytes
        }
        IpAddr::V6(six) => six.octets(),
    }
}

fn read(answer: &[u8], peer_port: u16) -> io::Result<Option<u64>> {
    let short = || io::Error::from(io::ErrorKind::UnexpectedEof);
    let kind: [u8; 2] = bytes_at(answer, 4).ok_or_else(short)?;
    match u16::from_ne_bytes(kind) {
        SOCK_DIAG_BY_FAMILY => {
            let state: [u8; 1] = bytes_at(answer, STATE).ok_or_else(short)?;
            let port: [u8; 2] = bytes_at(answer, PEER_PORT).ok_or_else(short)?;
            let inode: [u8; 4] = bytes_at(answer, INODE).ok_or_else(short)?;
            let inode = u64::from(u32::from_ne_bytes(inode));
            // Where no connection fits, the kernel answers with who listens.
            let is_it = state != [TCP_LISTEN] && u16::from_be_bytes(port) == peer_port;
            Ok(Some(inode).filter(|inode| is_it && *inode != 0))
        }
        ERROR => {
            let number: [u8; 4] = bytes_at(answer, HEADER).ok_or_else(short)?;
            let error = io::Error::from_raw_os_error(i32::from_ne_bytes(number).saturating_neg());
            match error.kind() {
                io::ErrorKind::NotFound => Ok(None),
                _ => Err(error),
            }
        }
        _ => Err(io::ErrorKind::InvalidData.into()),
    }
}

fn bytes_at<const N: usize>(answer: &[u8], at: usize) -> Option<[u8; N]> {
    answer.get(at..at + N)?.try_into().ok()
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use std::net::{TcpListener, TcpStream};

    use super::*;

    fn inode_of(socket: &impl std::os::fd::AsFd) -> u64 {
        rustix::fs::fstat(socket).unwrap().st_ino
    }

    #[test]
    fn the_accepted_end_is_found_and_not_the_listener() {
        for address in ["127.0.0.1:0", "[::1]:0"] {
            let listener = TcpListener::bind(address).unwrap();
            let ours = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
            let (local, remote) = (ours.peer_addr().unwrap(), ours.local_addr().unwrap());
            assert_eq!(inode(local, remote).unwrap(), None, "nobody has accepted");
            let (accepted, _) = listener.accept().unwrap();
            assert_eq!(inode(local, remote).unwrap(), Some(inode_of(&accepted)));
            let stranger = SocketAddr::new(remote.ip(), 1);
            assert_eq!(inode(local, stranger).unwrap(), None);
        }
    }

    #[test]
    fn an_ipv4_peer_of_an_ipv6_socket_is_found() {
        let listener = TcpListener::bind("[::]:0").unwrap();
        let at = SocketAddr::from(([127, 0, 0, 1], listener.local_addr().unwrap().port()));
        let ours = TcpStream::connect(at).unwrap();
        let (accepted, _) = listener.accept().unwrap();
        let found = inode(at, ours.local_addr().unwrap()).unwrap();
        assert_eq!(found, Some(inode_of(&accepted)));
    }

    #[test]
    fn what_is_cut_short_is_no_answer() {
        for size in 0..HEADER {
            assert!(read(&vec![0; size], 1).is_err());
        }
        let mut error = vec![0; HEADER + 4];
        error[4..6].copy_from_slice(&ERROR.to_ne_bytes());
        error[HEADER..].copy_from_slice(&(-2i32).to_ne_bytes());
        assert_eq!(read(&error, 1).unwrap(), None);
        error[HEADER..].copy_from_slice(&(-95i32).to_ne_bytes());
        assert!(read(&error, 1).is_err());
    }
}
