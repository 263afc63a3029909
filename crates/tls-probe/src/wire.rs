// SPDX-License-Identifier: Apache-2.0
//! The bytes between us and a server, bounded in time and number.

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::deadline::Deadline;
use crate::{Error, Result, Stage};

/// What a server may send before its certificate, plain text included. A chain is 2 to 10 KiB; OpenSSL itself takes
/// no more than 100 KiB of certificates.
const BYTES_LIMIT: usize = 192 * 1024;

/// So many of the first bytes of TLS are kept, to say what it is if it is no TLS.
const HEAD_LENGTH: usize = 64;

/// Why a read or a write of ours failed. OpenSSL hands on no error of ours in a useful form, so it is kept here.
#[derive(Debug)]
enum Fault {
    Io(io::Error),
    TimedOut,
    TooMuch,
}

/// A switch that makes the wire refuse to carry anything: the handshake then stands still.
#[derive(Clone, Debug, Default)]
pub(crate) struct Pause(Arc<AtomicBool>);

impl Pause {
    pub(crate) fn set(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    pub(crate) fn clear(&self) {
        self.0.store(false, Ordering::Relaxed);
    }

    pub(crate) fn is_set(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

/// A connection under one deadline and one limit of bytes.
#[derive(Debug)]
pub(crate) struct Wire {
    tcp: TcpStream,
    address: SocketAddr,
    deadline: Deadline,
    stage: Stage,
    budget: usize,
    fault: Option<Fault>,
    head: Vec<u8>,
    pause: Pause,
    /// The type of the first TLS record that was written since the last [`Wire::go_on`].
    wrote: Option<u8>,
    first: First,
}

/// How far the first read of TLS is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum First {
    Ahead,
    /// OpenSSL was told to come again.
    PutOff,
    Over,
}

impl Wire {
    pub(crate) fn new(tcp: TcpStream, address: SocketAddr, deadline: Deadline) -> Self {
        Self {
            tcp,
            address,
            deadline,
            stage: Stage::StartTls,
            budget: BYTES_LIMIT,
            fault: None,
            head: Vec::new(),
            pause: Pause::default(),
            wrote: None,
            first: First::Ahead,
        }
    }

    /// From here on the bytes are TLS.
    pub(crate) fn begin_tls(&mut self) {
        self.stage = Stage::Handshake;
    }

    pub(crate) fn pause(&self) -> &Pause {
        &self.pause
    }

    /// Carries again, under a new deadline and a new limit.
    pub(crate) fn go_on(&mut self, deadline: Deadline) {
        self.pause.clear();
        self.deadline = deadline;
        self.budget = BYTES_LIMIT;
        self.wrote = None;
    }

    /// Waits for the first byte of TLS, if that is why the handshake stands still. OpenSSL has given its buffer back by
    /// then: hundreds of servers that hang take less memory so.
    pub(crate) fn wait_for_first(&mut self) -> bool {
        if self.first != First::PutOff {
            return false;
        }
        self.first = First::Over;
        let waited = match self.deadline.left() {
            None => Err(io::ErrorKind::TimedOut.into()),
            Some(left) => {
                let waiting = self.tcp.set_read_timeout(Some(left));
                waiting.and_then(|()| self.tcp.peek(&mut [0]))
            }
        };
        if let Err(error) = waited {
            // The next read tells it; an interruption is none, and that read waits again.
            self.failed(error);
        }
        true
    }

    pub(crate) fn wrote(&self) -> Option<u8> {
        self.wrote
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Exactly so many bytes of plain text.
    pub(crate) fn take(&mut self, count: usize) -> Result<Vec<u8>> {
        let mut bytes = vec![0; count];
        self.read_exact(&mut bytes)
            .map_err(|error| self.explain(error))?;
        Ok(bytes)
    }

    /// Sends plain text.
    pub(crate) fn send(&mut self, bytes: &[u8]) -> Result<()> {
        self.write_all(bytes).map_err(|error| self.explain(error))
    }

    /// Says what really happened when a read or a write has failed.
    pub(crate) fn explain(&mut self, error: io::Error) -> Error {
        let (address, stage) = (self.address, self.stage);
        match self.fault.take().unwrap_or(Fault::Io(error)) {
            Fault::TimedOut => Error::TimedOut {
                address,
                stage,
                patience: self.deadline.patience(),
            },
            Fault::TooMuch => Error::TooMuch {
                address,
                stage,
                limit: BYTES_LIMIT,
            },
            Fault::Io(source) if is_closed(&source) => Error::Closed { address, stage },
            Fault::Io(source) => Error::Io {
                address,
                stage,
                source,
            },
        }
    }

    /// The fault of the last read or write, if it failed.
    pub(crate) fn take_fault(&mut self) -> Option<Error> {
        self.fault.is_some().then(|| {
            // The kept fault is what is told; this error only fills the place.
            self.explain(io::ErrorKind::Other.into())
        })
    }

    /// What came instead of a TLS record, if so.
    pub(crate) fn foreign(&mut self) -> Option<Error> {
        let is_record = match self.head[..] {
            [] => true,
            [kind] => (20..=24).contains(&kind),
            [kind, major, ..] => (20..=24).contains(&kind) && major == 3,
        };
        (!is_record).then(|| {
            self.complete_head();
            Error::NotTls {
                address: self.address,
                received: printable(&self.head),
            }
        })
    }

    /// OpenSSL reads five bytes before it gives up. What else has come says more.
    fn complete_head(&mut self) {
        let mut rest = vec![0; HEAD_LENGTH.saturating_sub(self.head.len())];
        let count = self
            .tcp
            .set_nonblocking(true)
            .and_then(|()| self.tcp.read(&mut rest));
        self.head.extend_from_slice(&rest[..count.unwrap_or(0)]);
    }

    fn keep(&mut self, fault: Fault) -> io::Error {
        self.fault = Some(fault);
        io::ErrorKind::Other.into()
    }

    /// A timeout of the socket shows as one of two kinds.
    fn failed(&mut self, error: io::Error) -> io::Error {
        match error.kind() {
            io::ErrorKind::Interrupted => error,
            io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut => self.keep(Fault::TimedOut),
            _ => self.keep(Fault::Io(error)),
        }
    }
}

impl Read for Wire {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.pause.is_set() {
            return Err(io::ErrorKind::WouldBlock.into());
        }
        if self.stage == Stage::Handshake && self.first == First::Ahead {
            self.first = First::PutOff;
            return Err(io::ErrorKind::WouldBlock.into());
        }
        if self.fault.is_some() {
            return Err(io::ErrorKind::Other.into());
        }
        if self.budget == 0 {
            return Err(self.keep(Fault::TooMuch));
        }
        let Some(left) = self.deadline.left() else {
            return Err(self.keep(Fault::TimedOut));
        };
        let room = buffer.len().min(self.budget);
        let outcome = self
            .tcp
            .set_read_timeout(Some(left))
            .and_then(|()| self.tcp.read(&mut buffer[..room]));
        let count = outcome.map_err(|error| self.failed(error))?;
        self.budget -= count;
        if self.stage == Stage::Handshake {
            let wanted = HEAD_LENGTH.saturating_sub(self.head.len()).min(count);
            self.head.extend_from_slice(&buffer[..wanted]);
        }
        Ok(count)
    }
}

impl Write for Wire {
    fn write(&mut self, buffer: &[u8]) -> io::Result<usize> {
        if self.pause.is_set() {
            return Err(io::ErrorKind::WouldBlock.into());
        }
        let Some(left) = self.deadline.left() else {
            return Err(self.keep(Fault::TimedOut));
        };
        self.wrote = self.wrote.or_else(|| buffer.first().copied());
        let outcome = self
            .tcp
            .set_write_timeout(Some(left))
            .and_then(|()| self.tcp.write(buffer));
        outcome.map_err(|error| self.failed(error))
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn is_closed(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::UnexpectedEof
            | io::ErrorKind::ConnectionReset
            | io::ErrorKind::ConnectionAborted
            | io::ErrorKind::BrokenPipe
    )
}

/// Text for people out of anything: nothing in it can steer a terminal or break a line.
pub(crate) fn printable(bytes: &[u8]) -> String {
    let text = String::from_utf8_lossy(bytes);
    let shown = text.trim_end().chars().map(|letter| match letter {
        ' '..='~' => letter,
        _ => '.',
    });
    shown.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_peer_sent_is_made_harmless_for_a_terminal() {
        assert_eq!(printable(b"220 mail\x1b[2J\r\n"), "220 mail.[2J");
        assert_eq!(printable(&[0, 0xff, b'a']), "..a");
    }
}
