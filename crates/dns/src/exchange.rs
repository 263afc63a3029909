// SPDX-License-Identifier: Apache-2.0
//! One question, one answer: over UDP, and over TCP when it does not fit.

use std::io::{self, ErrorKind, Read, Write};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpStream, UdpSocket};
use std::time::{Duration, Instant};

use rustix::rand::{GetRandomFlags, getrandom};

use crate::message::{Kind, LARGEST, Message, Rcode};
use crate::{Error, Name, Result};

/// How long and how often servers are asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Patience {
    /// How long one server has for one answer.
    pub answer: Duration,
    /// How often the servers are gone through.
    pub rounds: u32,
}

/// # Defaults
/// Two rounds of two seconds.
impl Default for Patience {
    fn default() -> Self {
        Self {
            answer: Duration::from_secs(2),
            rounds: 2,
        }
    }
}

/// Asks one server one question; the identifier is random, and so is the port, which the kernel chooses.
///
/// # Errors
/// [`Error::NoAnswer`], [`Error::Malformed`]. Whatever code an answer has, it is an answer.
pub fn ask(
    server: SocketAddr,
    name: &Name,
    kind: Kind,
    recursion: bool,
    within: Duration,
) -> Result<Message> {
    let query = Message::query(random_id()?, name.clone(), kind, recursion);
    let bytes = query.to_bytes()?;
    let started = Instant::now();
    let missing = |source| no_answer(server, name, kind, source);
    let answer = udp(server, &query, &bytes, started, within).map_err(missing)?;
    if !answer.truncated {
        return Ok(answer);
    }
    let bytes = tcp(server, &bytes, started, within).map_err(missing)?;
    let answer = Message::parse(&bytes).map_err(|source| Error::Malformed { server, source })?;
    match answer.answers(&query) {
        true => Ok(answer),
        false => Err(missing(io::Error::new(
            ErrorKind::InvalidData,
            "what came over TCP answers another question",
        ))),
    }
}

/// Asks the servers one after the other until one gives an answer that `is_useful`.
///
/// # Errors
/// The first server's, since it is the one that should have answered; [`Error::Refused`] if an answer was of no use.
pub(crate) fn ask_until(
    servers: &[SocketAddr],
    name: &Name,
    kind: Kind,
    recursion: bool,
    patience: Patience,
    is_useful: impl Fn(&Message) -> bool,
) -> Result<(usize, Message)> {
    let mut first = None;
    for _ in 0..patience.rounds.max(1) {
        for (index, &server) in servers.iter().enumerate() {
            let error = match ask(server, name, kind, recursion, patience.answer) {
                Ok(answer) if is_useful(&answer) => return Ok((index, answer)),
                Ok(answer) => Error::Refused {
                    server,
                    asked: asked(name, kind),
                    rcode: answer.rcode,
                },
                Err(error) => error,
            };
            first.get_or_insert(error);
        }
        // Who answered will answer the same again.
        if matches!(first, Some(Error::Refused { .. })) {
            break;
        }
    }
    Err(first.unwrap_or_else(|| Error::Zone {
        name: name.clone(),
        why: "there is no server to ask".into(),
    }))
}

/// Whether a recursive server's answer says something: a name that does not exist is an answer too.
pub(crate) fn is_settled(answer: &Message) -> bool {
    matches!(answer.rcode, Rcode::NOERROR | Rcode::NXDOMAIN)
}

/// Sends a message over TCP and gives back the answer's bytes.
///
/// # Errors
/// What the system says; [`ErrorKind::TimedOut`] when `within` is over.
pub(crate) fn tcp(
    server: SocketAddr,
    bytes: &[u8],
    started: Instant,
    within: Duration,
) -> io::Result<Vec<u8>> {
    let left = || left(started, within);
    let mut stream = TcpStream::connect_timeout(&server, left()?)?;
    stream.set_nodelay(true)?;
    // Never cut: `Message::to_bytes` refuses larger ones.
    let length = u16::try_from(bytes.len()).map_err(io::Error::other)?;
    stream.set_write_timeout(Some(left()?))?;
    stream
        .write_all(&[&length.to_be_bytes(), bytes].concat())
        .map_err(timed_out)?;
    let mut fill = |buffer: &mut [u8]| -> io::Result<()> {
        let mut filled = 0;
        while let Some(rest @ [_, ..]) = buffer.get_mut(filled..) {
            stream.set_read_timeout(Some(left()?))?;
            match stream.read(rest) {
                Ok(0) => return Err(ErrorKind::UnexpectedEof.into()),
                Ok(count) => filled += count,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(timed_out(error)),
            }
        }
        Ok(())
    };
    let mut length = [0; 2];
    fill(&mut length)?;
    let mut answer = vec![0; usize::from(u16::from_be_bytes(length))];
    fill(&mut answer)?;
    Ok(answer)
}

/// The first datagram that answers the question; others are somebody's who guesses, or late ones.
fn udp(
    server: SocketAddr,
    query: &Message,
    bytes: &[u8],
    started: Instant,
    within: Duration,
) -> io::Result<Message> {
    let socket = socket_towards(server)?;
    socket.send(bytes)?;
    let mut buffer = vec![0; LARGEST];
    loop {
        socket.set_read_timeout(Some(left(started, within)?))?;
        let length = match socket.recv(&mut buffer) {
            Ok(length) => length,
            Err(error) if error.kind() == ErrorKind::Interrupted => continue,
            Err(error) => return Err(timed_out(error)),
        };
        if let Some(Ok(answer)) = buffer.get(..length).map(Message::parse)
            && answer.answers(query)
        {
            return Ok(answer);
        }
    }
}

/// A socket that takes datagrams of this server only, on a port that the kernel draws.
pub(crate) fn socket_towards(server: SocketAddr) -> io::Result<UdpSocket> {
    let any: IpAddr = match server {
        SocketAddr::V4(_) => Ipv4Addr::UNSPECIFIED.into(),
        SocketAddr::V6(_) => Ipv6Addr::UNSPECIFIED.into(),
    };
    let socket = UdpSocket::bind((any, 0))?;
    socket.connect(server)?;
    Ok(socket)
}

fn left(started: Instant, within: Duration) -> io::Result<Duration> {
    let left = within.checked_sub(started.elapsed()).unwrap_or_default();
    // The system's timeouts count microseconds, and zero means for ever.
    match left >= Duration::from_millis(1) {
        true => Ok(left),
        false => Err(ErrorKind::TimedOut.into()),
    }
}

/// Linux says EAGAIN when a socket's time is over.
fn timed_out(error: io::Error) -> io::Error {
    match error.kind() {
        ErrorKind::WouldBlock => ErrorKind::TimedOut.into(),
        _ => error,
    }
}

/// How questions are called in messages.
pub(crate) fn asked(name: &Name, kind: Kind) -> String {
    format!("'{name} {kind}'")
}

fn no_answer(server: SocketAddr, name: &Name, kind: Kind, source: io::Error) -> Error {
    Error::NoAnswer {
        server,
        asked: asked(name, kind),
        source,
    }
}

/// An identifier that nobody can guess.
pub(crate) fn random_id() -> Result<u16> {
    let mut bytes = [0; 2];
    getrandom(&mut bytes[..], GetRandomFlags::empty())
        .map_err(|errno| Error::Random(errno.into()))?;
    Ok(u16::from_ne_bytes(bytes))
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests;
