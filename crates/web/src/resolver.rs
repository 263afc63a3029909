// SPDX-License-Identifier: Apache-2.0
//! Looking names up without the C library: `/etc/hosts`, then the name servers of `/etc/resolv.conf`.
//!
//! It asks for addresses and nothing else (RFC 1035; UDP, and TCP for an answer that was cut off), and trusts the
//! servers that the host trusts to follow aliases.

use std::collections::hash_map::RandomState;
use std::hash::{BuildHasher, Hasher};
use std::io::{Read, Write};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpStream, UdpSocket};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// Who looks names up.
pub trait Resolver: Send + Sync {
    /// The addresses of a host, at least one, until `deadline`.
    ///
    /// # Errors
    /// Why there is none, in words.
    fn addresses(&self, host: &str, deadline: Instant) -> Result<Vec<IpAddr>, String>;
}

/// The resolver of the host's own files and name servers.
#[derive(Clone, Debug)]
pub struct HostResolver {
    /// `/etc/hosts`.
    pub hosts: PathBuf,
    /// `/etc/resolv.conf`.
    pub configuration: PathBuf,
}

impl Default for HostResolver {
    fn default() -> Self {
        Self {
            hosts: "/etc/hosts".into(),
            configuration: "/etc/resolv.conf".into(),
        }
    }
}

/// What one server may take before the next is asked.
const PATIENCE: Duration = Duration::from_secs(2);
/// How often all servers are asked.
const ROUNDS: usize = 2;
const NO_SERVER: &str = "there is no name server in the resolver's configuration";
const TYPE_A: u16 = 1;
const TYPE_AAAA: u16 = 28;

impl Resolver for HostResolver {
    fn addresses(&self, host: &str, deadline: Instant) -> Result<Vec<IpAddr>, String> {
        let host = host.trim_end_matches('.');
        if let Ok(address) = host.trim_matches(['[', ']']).parse() {
            return Ok(vec![address]);
        }
        let hosts = read(&self.hosts);
        let mut found: Vec<_> = listed(&hosts, host).collect();
        // RFC 6761 §6.3: never a question for a name server.
        if found.is_empty() && (host == "localhost" || host.ends_with(".localhost")) {
            found = vec![Ipv4Addr::LOCALHOST.into(), Ipv6Addr::LOCALHOST.into()];
        }
        if !found.is_empty() {
            return Ok(found);
        }
        let configuration = Configuration::read(&read(&self.configuration));
        let mut last = NO_SERVER.to_owned();
        for name in configuration.candidates(host) {
            match configuration.ask(&name, deadline) {
                Ok(found) if !found.is_empty() => return Ok(found),
                Ok(_) => last = format!("'{name}' does not exist or has no address"),
                Err(reason) => last = reason,
            }
        }
        Err(last)
    }
}

fn read(path: &Path) -> String {
    // Without the file there is nothing in it.
    std::fs::read(path)
        .map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
        .unwrap_or_default()
}

/// The addresses that a file in the form of `/etc/hosts` gives a name.
fn listed<'a>(hosts: &'a str, host: &'a str) -> impl Iterator<Item = IpAddr> + 'a {
    hosts.lines().filter_map(move |line| {
        let mut words = line.split('#').next()?.split_whitespace();
        let address = words.next()?.parse().ok()?;
        words
            .any(|name| name.eq_ignore_ascii_case(host))
            .then_some(address)
    })
}

#[derive(Debug, Default, PartialEq)]
struct Configuration {
    servers: Vec<SocketAddr>,
    search: Vec<String>,
}

impl Configuration {
    /// As resolv.conf(5): of `search` and `domain` the last counts, of servers the first three.
    fn read(text: &str) -> Self {
        let mut read = Self::default();
        for line in text.lines() {
            let mut words = line.split_whitespace();
            match words.next() {
                Some("nameserver") if read.servers.len() < 3 => {
                    read.servers.extend(words.next().and_then(server));
                }
                Some("search" | "domain") => read.search = words.map(str::to_owned).collect(),
                _ => {}
            }
        }
        read
    }

    /// A name with a dot is tried as it is first, one without with the search list first (ndots:1).
    fn candidates(&self, host: &str) -> Vec<String> {
        let extended = self
            .search
            .iter()
            .map(|domain| format!("{host}.{}", domain.trim_end_matches('.')));
        let as_is = std::iter::once(host.to_owned());
        match host.contains('.') {
            true => as_is.chain(extended).collect(),
            false => extended.chain(as_is).collect(),
        }
    }

    /// Empty if a server says that there is no such name or that it has no address.
    fn ask(&self, name: &str, deadline: Instant) -> Result<Vec<IpAddr>, String> {
        let mut found = self.ask_for(name, TYPE_A, deadline)?;
        // Half an answer is better than none: many servers have trouble with AAAA.
        found.extend(self.ask_for(name, TYPE_AAAA, deadline).unwrap_or_default());
        Ok(found)
    }

    fn ask_for(&self, name: &str, kind: u16, deadline: Instant) -> Result<Vec<IpAddr>, String> {
        let mut last = NO_SERVER.to_owned();
        for server in self
            .servers
            .iter()
            .cycle()
            .take(self.servers.len() * ROUNDS)
        {
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Err(format!("no answer in time; {last}"));
            }
            match exchange(*server, name, kind, left.min(PATIENCE)) {
                Ok(found) => return Ok(found),
                Err(reason) => last = format!("name server {}: {reason}", server.ip()),
            }
        }
        Err(last)
    }
}

/// An address, or OpenBSD's `[address]:port`.
fn server(word: &str) -> Option<SocketAddr> {
    match word
        .strip_prefix('[')
        .and_then(|rest| rest.split_once("]:"))
    {
        Some((ip, port)) => Some(SocketAddr::new(ip.parse().ok()?, port.parse().ok()?)),
        None => Some(SocketAddr::new(word.parse().ok()?, 53)),
    }
}

fn exchange(
    server: SocketAddr,
    name: &str,
    kind: u16,
    limit: Duration,
) -> Result<Vec<IpAddr>, String> {
    let id = RandomState::new().build_hasher().finish() as u16;
    let question = question(id, name, kind)?;
    let failed = |error: std::io::Error| error.to_string();
    let answer = over_udp(server, &question, limit).map_err(failed)?;
    match parse(&answer, &question, kind)? {
        Parsed::Whole(found) => Ok(found),
        Parsed::CutOff => {
            let answer = over_tcp(server, &question, limit).map_err(failed)?;
            match parse(&answer, &question, kind)? {
                Parsed::Whole(found) => Ok(found),
                Parsed::CutOff => Err("its answer over TCP is cut off".to_owned()),
            }
        }
    }
}

fn over_udp(server: SocketAddr, question: &[u8], limit: Duration) -> std::io::Result<Vec<u8>> {
    let any: IpAddr = match server {
        SocketAddr::V4(_) => Ipv4Addr::UNSPECIFIED.into(),
        SocketAddr::V6(_) => Ipv6Addr::UNSPECIFIED.into(),
    };
    let socket = UdpSocket::bind((any, 0))?;
    socket.connect(server)?;
    socket.set_read_timeout(Some(limit))?;
    socket.send(question)?;
    let deadline = Instant::now() + limit;
    let mut answer = [0; 4096];
    // What has another number is no answer to us.
    while Instant::now() < deadline {
        let size = socket.recv(&mut answer)?;
        if answer.get(..2) == question.get(..2) {
            return Ok(answer.get(..size).unwrap_or_default().to_vec());
        }
    }
    Err(std::io::ErrorKind::TimedOut.into())
}

fn over_tcp(server: SocketAddr, question: &[u8], limit: Duration) -> std::io::Result<Vec<u8>> {
    let deadline = Instant::now() + limit;
    let mut stream = TcpStream::connect_timeout(&server, limit)?;
    stream.set_write_timeout(Some(limit))?;
    // A question has less than 300 bytes.
    let mut message = (question.len() as u16).to_be_bytes().to_vec();
    message.extend_from_slice(question);
    stream.write_all(&message)?;
    let mut size = [0; 2];
    fill(&mut stream, &mut size, deadline)?;
    let mut answer = vec![0; u16::from_be_bytes(size).into()];
    fill(&mut stream, &mut answer, deadline)?;
    Ok(answer)
}

/// Reads so many bytes until `deadline`, however slowly they drip.
fn fill(stream: &mut TcpStream, buffer: &mut [u8], deadline: Instant) -> std::io::Result<()> {
    let mut filled = 0;
    while let Some(rest @ [_, ..]) = buffer.get_mut(filled..) {
        let left = deadline.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Err(std::io::ErrorKind::TimedOut.into());
        }
        stream.set_read_timeout(Some(left))?;
        match stream.read(rest)? {
            0 => return Err(std::io::ErrorKind::UnexpectedEof.into()),
            size => filled += size,
        }
    }
    Ok(())
}

fn question(id: u16, name: &str, kind: u16) -> Result<Vec<u8>, String> {
    let mut message = id.to_be_bytes().to_vec();
    // Recursion desired, one question.
    message.extend_from_slice(&[1, 0, 0, 1, 0, 0, 0, 0, 0, 0]);
    for label in name.split('.') {
        match u8::try_from(label.len()) {
            Ok(size @ 1..=63) => message.push(size),
            _ => return Err(format!("'{name}' is not a DNS name")),
        }
        message.extend_from_slice(label.as_bytes());
    }
    message.push(0);
    message.extend_from_slice(&kind.to_be_bytes());
    message.extend_from_slice(&[0, 1]);
    if name.len() > 253 {
        return Err(format!("'{name}' is not a DNS name"));
    }
    Ok(message)
}

#[derive(Debug, PartialEq)]
enum Parsed {
    Whole(Vec<IpAddr>),
    CutOff,
}

fn parse(message: &[u8], question: &[u8], kind: u16) -> Result<Parsed, String> {
    read_answer(message, question, kind).unwrap_or_else(|| Err("its answer is damaged".to_owned()))
}

/// `None` for a damaged message.
fn read_answer(message: &[u8], question: &[u8], kind: u16) -> Option<Result<Parsed, String>> {
    let echoed = message.get(12..question.len())?;
    let is_ours = message.get(..2) == question.get(..2)
        && message.get(4..6)? == [0, 1]
        && echoed.eq_ignore_ascii_case(question.get(12..)?);
    if !is_ours || message.get(2)? & 0x80 == 0 {
        return None;
    }
    if message.get(2)? & 0x02 != 0 {
        return Some(Ok(Parsed::CutOff));
    }
    match message.get(3)? & 0x0f {
        0 => {}
        3 => return Some(Ok(Parsed::Whole(Vec::new()))),
        2 => return Some(Err("it failed to find out (SERVFAIL)".to_owned())),
        5 => return Some(Err("it refuses to answer (REFUSED)".to_owned())),
        code => return Some(Err(format!("it answered with code {code}"))),
    }
    let count = number(message, 6)?;
    let mut at = question.len();
    let mut found = Vec::new();
    for _ in 0..count {
        at = after_name(message, at)?;
        let (record, size) = (number(message, at)?, number(message, at + 8)?);
        let data = message.get(at + 10..at + 10 + usize::from(size))?;
        if record == kind {
            found.push(address(data)?);
        }
        at += 10 + data.len();
    }
    Some(Ok(Parsed::Whole(found)))
}

fn address(data: &[u8]) -> Option<IpAddr> {
    match data.len() {
        4 => <[u8; 4]>::try_from(data).ok().map(IpAddr::from),
        16 => <[u8; 16]>::try_from(data).ok().map(IpAddr::from),
        _ => None,
    }
}

fn number(message: &[u8], at: usize) -> Option<u16> {
    let bytes = message.get(at..at + 2)?;
    Some(u16::from_be_bytes(bytes.try_into().ok()?))
}

/// Where a name ends; one that points elsewhere ends with its pointer, which nobody needs to follow here.
fn after_name(message: &[u8], mut at: usize) -> Option<usize> {
    loop {
        match *message.get(at)? {
            0 => return Some(at + 1),
            size @ 1..=63 => at += 1 + usize::from(size),
            0xc0.. => return Some(at + 2),
            _ => return None,
        }
    }
}

#[cfg(test)]
mod tests;
