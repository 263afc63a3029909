// SPDX-License-Identifier: Apache-2.0
//! Who listens on a port: for the message that it is busy.

use std::net::SocketAddr;
use std::path::Path;

/// State LISTEN in the tables of the kernel.
const LISTENS: &str = "0A";

/// `haproxy (process 812)`, if we may see it.
pub(super) fn of(address: SocketAddr) -> Option<String> {
    let socket = ["/proc/net/tcp", "/proc/net/tcp6"]
        .iter()
        .find_map(|table| inode(&std::fs::read_to_string(table).ok()?, address.port()))?;
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

/// The socket of the first listener on a port.
fn inode(table: &str, port: u16) -> Option<String> {
    let ending = format!(":{port:04X}");
    table.lines().skip(1).find_map(|line| {
        let words: Vec<&str> = line.split_whitespace().collect();
        let is_it = words.get(1)?.ends_with(&ending) && *words.get(3)? == LISTENS;
        is_it.then_some((*words.get(9)?).to_owned())
    })
}
