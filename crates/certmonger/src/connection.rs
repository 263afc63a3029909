// SPDX-License-Identifier: Apache-2.0
//! One connection: authentication, calls and their answers, signals in between. Every wait has an end.

use std::collections::{BTreeMap, VecDeque};
use std::io::{ErrorKind, Read, Write};
use std::os::unix::net::UnixStream;
use std::sync::mpsc;
use std::time::{Duration, Instant};

use crate::Error;
use crate::address::{Address, Socket};
use crate::wire::{Body, Kind, Message, PRELUDE, encode_call, message_length};

/// Signals that may wait for us; a peer that sends more without end is cut short.
const MOST_SIGNALS: usize = 100_000;

/// Longer limits are cut to this.
const LONGEST_LIMIT: Duration = Duration::from_secs(86_400);
/// A line of the authentication.
const LONGEST_LINE: usize = 4096;

/// A call before it is sent.
pub(crate) struct Call<'a> {
    pub(crate) destination: &'a str,
    pub(crate) path: &'a str,
    pub(crate) interface: &'a str,
    pub(crate) method: &'a str,
    pub(crate) body: Body,
    /// What it is for, to complete "while we wanted to …".
    pub(crate) what: &'static str,
    /// May the bus start the service?
    pub(crate) may_start: bool,
}

pub(crate) struct Connection {
    stream: UnixStream,
    address: String,
    buffer: Vec<u8>,
    serial: u32,
    signals: VecDeque<Message>,
    answers: BTreeMap<u32, Message>,
    within: Duration,
}

impl Connection {
    /// Connects to the first socket of the address that answers, and authenticates as whoever we are.
    pub(crate) fn open(address: &Address, within: Duration) -> Result<Self, Error> {
        // An instant that the clock cannot show would be a panic.
        let within = within.min(LONGEST_LIMIT);
        let stream = connect(address, within)?;
        let mut connection = Self {
            stream,
            address: address.to_string(),
            buffer: Vec::new(),
            serial: 0,
            signals: VecDeque::new(),
            answers: BTreeMap::new(),
            within,
        };
        connection.authenticate(Instant::now() + within)?;
        Ok(connection)
    }

    /// The kernel tells the other side who we are; so no name is given, as sd-bus does it.
    fn authenticate(&mut self, deadline: Instant) -> Result<(), Error> {
        const WHAT: &str = "authenticate";
        self.write(b"\0AUTH EXTERNAL\r\nDATA\r\n", WHAT, deadline)?;
        for expected in ["DATA", "OK"] {
            let line = self.line(WHAT, deadline)?;
            if line.split(' ').next() != Some(expected) {
                return Err(Error::Authentication {
                    address: self.address.clone(),
                    said: line,
                });
            }
        }
        self.write(b"BEGIN\r\n", WHAT, deadline)
    }

    fn line(&mut self, what: &'static str, deadline: Instant) -> Result<String, Error> {
        loop {
            if let Some(end) = self.buffer.windows(2).position(|pair| pair == b"\r\n") {
                let line = self.buffer.drain(..end + 2).collect::<Vec<u8>>();
                return Ok(String::from_utf8_lossy(&line[..end]).into_owned());
            }
            if self.buffer.len() > LONGEST_LINE {
                return Err(Error::Authentication {
                    address: self.address.clone(),
                    said: String::from("a line without end"),
                });
            }
            self.read(what, deadline)?;
        }
    }

    /// Calls and waits for the answer.
    pub(crate) fn call(&mut self, call: &Call<'_>) -> Result<Message, Error> {
        let serial = self.send(call)?;
        let deadline = Instant::now() + self.within;
        self.answer(serial, call.what, deadline)
    }

    /// Sends a call; the answer is fetched by [`Self::answer`].
    pub(crate) fn send(&mut self, call: &Call<'_>) -> Result<u32, Error> {
        // Zero is no serial.
        self.serial = self.serial.checked_add(1).unwrap_or(1);
        let method = (call.interface, call.method);
        let bytes = encode_call(
            self.serial,
            call.destination,
            call.path,
            method,
            call.may_start,
            &call.body,
        );
        self.write(&bytes, call.what, Instant::now() + self.within)?;
        Ok(self.serial)
    }

    /// The answer to a call that was sent; signals that come before it are kept.
    pub(crate) fn answer(
        &mut self,
        serial: u32,
        what: &'static str,
        deadline: Instant,
    ) -> Result<Message, Error> {
        loop {
            if let Some(message) = self.answers.remove(&serial) {
                return Ok(message);
            }
            let message = self.message(what, deadline)?;
            self.sort_in(message);
        }
    }

    /// The time that one answer may take.
    pub(crate) fn deadline(&self) -> Instant {
        Instant::now() + self.within
    }

    /// The next signal; `None` when the deadline passed without one.
    pub(crate) fn signal(
        &mut self,
        what: &'static str,
        deadline: Instant,
    ) -> Result<Option<Message>, Error> {
        loop {
            if let Some(signal) = self.signals.pop_front() {
                return Ok(Some(signal));
            }
            match self.message(what, deadline) {
                Ok(message) => self.sort_in(message),
                Err(Error::Timeout { .. }) => return Ok(None),
                Err(error) => return Err(error),
            }
        }
    }

    /// A signal that has come already.
    pub(crate) fn waiting_signal(&mut self) -> Option<Message> {
        self.signals.pop_front()
    }

    fn sort_in(&mut self, message: Message) {
        match (message.kind, message.reply_to) {
            (Kind::Signal, _) if self.signals.len() < MOST_SIGNALS => {
                self.signals.push_back(message)
            }
            // An answer to nothing that we asked is dropped when its turn never comes: only serials of ours are kept.
            (Kind::Return | Kind::Error, Some(serial)) if serial <= self.serial => {
                drop(self.answers.insert(serial, message));
            }
            _ => {}
        }
    }

    fn message(&mut self, what: &'static str, deadline: Instant) -> Result<Message, Error> {
        let wire = |connection: &Self, source| Error::Wire {
            from: connection.address.clone(),
            source,
        };
        self.fill(PRELUDE, what, deadline)?;
        let length =
            message_length(&self.buffer[..PRELUDE]).map_err(|source| wire(self, source))?;
        self.fill(length, what, deadline)?;
        let message = Message::parse(&self.buffer[..length]).map_err(|source| wire(self, source));
        self.buffer.drain(..length);
        message
    }

    fn fill(&mut self, length: usize, what: &'static str, deadline: Instant) -> Result<(), Error> {
        while self.buffer.len() < length {
            self.read(what, deadline)?;
        }
        Ok(())
    }

    fn read(&mut self, what: &'static str, deadline: Instant) -> Result<(), Error> {
        let mut chunk = [0; 16 << 10];
        loop {
            let left = self.left(what, deadline)?;
            let result = self
                .stream
                .set_read_timeout(Some(left))
                .and_then(|()| self.stream.read(&mut chunk));
            match result {
                Ok(0) => return Err(Error::WentAway { what }),
                Ok(count) => {
                    self.buffer.extend(&chunk[..count]);
                    return Ok(());
                }
                Err(error) if is_late(&error) => {}
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(_) => return Err(Error::WentAway { what }),
            }
        }
    }

    fn write(
        &mut self,
        mut bytes: &[u8],
        what: &'static str,
        deadline: Instant,
    ) -> Result<(), Error> {
        while !bytes.is_empty() {
            let left = self.left(what, deadline)?;
            let result = self
                .stream
                .set_write_timeout(Some(left))
                .and_then(|()| self.stream.write(bytes));
            match result {
                Ok(count) if count > 0 => bytes = &bytes[count..],
                Err(error) if is_late(&error) || error.kind() == ErrorKind::Interrupted => {}
                _ => return Err(Error::WentAway { what }),
            }
        }
        Ok(())
    }

    /// What is left until the deadline; a time-out of zero would mean none.
    fn left(&self, what: &'static str, deadline: Instant) -> Result<Duration, Error> {
        let left = deadline.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Err(Error::Timeout {
                from: self.address.clone(),
                what,
                within: self.within,
            });
        }
        Ok(left)
    }
}

fn is_late(error: &std::io::Error) -> bool {
    matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut)
}

/// A full queue of the listener would block without end, so a thread of its own connects.
fn connect(address: &Address, within: Duration) -> Result<UnixStream, Error> {
    let unreachable = |source| Error::NoBus {
        address: address.to_string(),
        source,
    };
    let mut last = std::io::Error::from(ErrorKind::NotFound);
    for socket in address.sockets() {
        let (sender, receiver) = mpsc::channel();
        let wanted: Socket = socket.clone();
        let dial = move || {
            let stream = wanted
                .address()
                .and_then(|at| UnixStream::connect_addr(&at));
            // Nobody listens any more when it took too long.
            drop(sender.send(stream));
        };
        std::thread::Builder::new()
            .spawn(dial)
            .map_err(unreachable)?;
        match receiver.recv_timeout(within) {
            Ok(Ok(stream)) => return Ok(stream),
            Ok(Err(error)) => last = error,
            Err(_) => last = std::io::Error::from(ErrorKind::TimedOut),
        }
    }
    Err(unreachable(last))
}
