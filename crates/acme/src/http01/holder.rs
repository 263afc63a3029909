// SPDX-License-Identifier: Apache-2.0
//! Who listens on a port: for the message that it is busy.

use std::net::{IpAddr, SocketAddr};
use std::path::Path;

/// State LISTEN in the tables of the kernel.
const LISTENS: &str = "0A";

/// `haproxy (process 812)`, if we may see it.
pub(super) fn of(address: SocketAddr) -> Option<String> {
    let socket = ["/proc/net/tcp", "/proc/net/tcp6"]
        .iter()
        .find_map(|table| inode(&std::fs::read_to_string(table).ok()?, address))?;
    let wanted = format!("socket:[{socket}]");
    let processes = std::fs::read_dir("/proc").ok()?.flatten();
    processes.into_iter().find_map(|process| {
        let directory = process.path();
        let number: u32 = directory.file_name()?.to_str()?.parse().ok()?;
        let files = std::fs::read_dir(directory.join("fd")).ok()?;
        let mut links = files.flatten().map(|file| std::fs::read_link(file.path()));
        links
            .any(|link| link.is_ok_and(|link| link == Path::new(&wanted)))
            .then_some(())?;
        let name = std::fs::read_to_string(directory.join("comm")).ok()?;
        let name: String = name.trim().chars().filter(|c| !c.is_control()).collect();
        Some(format!("{name} (process {number})"))
    })
}

/// The socket of the listener at an address: one at all addresses counts, others at the same port do not.
fn inode(table: &str, address: SocketAddr) -> Option<String> {
    let port = format!("{:04X}", address.port());
    let wanted = in_table(address.ip());
    table.lines().skip(1).find_map(|line| {
        let words: Vec<&str> = line.split_whitespace().collect();
        let (ip, of) = words.get(1)?.split_once(':')?;
        let is_any = |ip: &str| ip.bytes().all(|digit| digit == b'0');
        let is_there = of == port && (ip == wanted || is_any(ip) || is_any(&wanted));
        (is_there && *words.get(3)? == LISTENS).then_some((*words.get(9)?).to_owned())
    })
}

/// The kernel prints the words of an address as the machine has them.
fn in_table(ip: IpAddr) -> String {
    let octets = match ip {
        IpAddr::V4(ip) => ip.octets().to_vec(),
        IpAddr::V6(ip) => ip.octets().to_vec(),
    };
    let word = |bytes: &[u8; 4]| format!("{:08X}", u32::from_ne_bytes(*bytes));
    octets.as_chunks().0.iter().map(word).collect()
}
