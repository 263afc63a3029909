// SPDX-License-Identifier: Apache-2.0
//! The kernel's table of TCP sockets, /proc/PID/net/tcp and tcp6.

use std::fs::File;
use std::io::{BufRead, BufReader, ErrorKind};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::ops::ControlFlow;

use crate::{Error, NetworkNamespace, Result};

/// One socket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Row {
    pub(crate) local: SocketAddr,
    pub(crate) remote: SocketAddr,
    pub(crate) is_listening: bool,
    /// Zero for a connection that nobody has accepted yet, and for one that is closing.
    pub(crate) inode: u64,
}

/// Hands each socket of a network namespace to `visit` until that says break. Listening sockets come first in each
/// of the two tables: the kernel walks that hash before the one of connections (`tcp_get_idx` in net/ipv4/tcp_ipv4.c).
pub(crate) fn walk(
    network: &NetworkNamespace,
    mut visit: impl FnMut(Row) -> ControlFlow<()> + Send,
) -> Result<()> {
    network.enter(|| {
        for path in ["/proc/thread-self/net/tcp", "/proc/thread-self/net/tcp6"] {
            match File::open(path) {
                Ok(file) => read(BufReader::with_capacity(64 * 1024, file), path, &mut visit)?,
                // A kernel without IPv6.
                Err(error) if error.kind() == ErrorKind::NotFound => {}
                Err(error) => return Err(Error::proc(path, error)),
            }
        }
        Ok(())
    })?
}

/// A break ends this table only: the other family's is another list.
fn read(
    mut table: impl BufRead,
    path: &str,
    visit: &mut impl FnMut(Row) -> ControlFlow<()>,
) -> Result<()> {
    let mut line = String::new();
    loop {
        line.clear();
        let length = table
            .read_line(&mut line)
            .map_err(|error| Error::proc(path, error))?;
        if length == 0 {
            return Ok(());
        }
        // The first line is a heading.
        if let Some(row) = row(&line)
            && visit(row).is_break()
        {
            return Ok(());
        }
    }
}

/// `sl local_address rem_address st tx:rx tr:when retrnsmt uid timeout inode …`
fn row(line: &str) -> Option<Row> {
    let mut fields = line.split_ascii_whitespace();
    let local = endpoint(fields.nth(1)?)?;
    let remote = endpoint(fields.next()?)?;
    let state = fields.next()?;
    let inode = fields.nth(5)?.parse().ok()?;
    Some(Row {
        local,
        remote,
        is_listening: state == "0A",
        inode,
    })
}

/// `0100007F:1F90`: the address in words of four bytes, each printed as a number of this machine's byte order. An
/// IPv4 peer of an IPv6 socket becomes an IPv4 address again.
fn endpoint(text: &str) -> Option<SocketAddr> {
    let (address, port) = text.split_once(':')?;
    let port = u16::from_str_radix(port, 16).ok()?;
    let words: Vec<[u8; 4]> = (0..address.len())
        .step_by(8)
        .map(|at| {
            let word = u32::from_str_radix(address.get(at..at + 8)?, 16).ok()?;
            Some(word.to_ne_bytes())
        })
        .collect::<Option<_>>()?;
    let ip: IpAddr = match words[..] {
        [four] => Ipv4Addr::from(four).into(),
        [_, _, _, _] => {
            let bytes: [u8; 16] = words.concat().try_into().ok()?;
            Ipv6Addr::from(bytes).to_canonical()
        }
        _ => return None,
    };
    Some(SocketAddr::new(ip, port))
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    const HEADING: &str = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n";

    #[cfg(target_endian = "little")]
    #[test]
    fn a_listener_and_a_connection_are_read() {
        let listener = row("   0: 0100007F:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 45661 1 000 100 0 0 10 0").unwrap();
        assert_eq!(listener.local, "127.0.0.1:8080".parse().unwrap());
        assert!(listener.is_listening);
        assert_eq!(listener.inode, 45661);
        let connection = row("   7: 0000000000000000FFFF00000100007F:01BB 0000000000000000FFFF00000200007F:C350 01 00000000:00000000 00:00000000 00000000   101        0 77 1 000").unwrap();
        assert_eq!(connection.local, "127.0.0.1:443".parse().unwrap());
        assert_eq!(connection.remote, "127.0.0.2:50000".parse().unwrap());
        assert!(!connection.is_listening);
        let six = row("   1: 000080FE000000000000000001000000:0016 00000000000000000000000000000000:0000 0A 0:0 00:0 0 0 0 9 1").unwrap();
        assert_eq!(six.local, "[fe80::1]:22".parse().unwrap());
    }

    #[test]
    fn a_heading_and_cut_lines_are_no_sockets() {
        assert_eq!(row(HEADING), None);
        for line in [
            "",
            "\n",
            "0: 0100007F:1F90",
            "0: 01007F:1F90 0:0 0A a b c d e 1",
            "0: é000007F:1F90 00000000:0000 0A 0 0 0 0 0 1",
        ] {
            assert_eq!(row(line), None, "{line:?}");
        }
    }
}
