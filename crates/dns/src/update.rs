// SPDX-License-Identifier: Apache-2.0
//! Dynamic updates (RFC 2136): as few messages as bytes allow, only additions and exact deletions.
//!
//! A whole set of records is never deleted: other runs have theirs at the same name.

use std::io::{self, ErrorKind};
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use crate::clock::Clock;
use crate::error::TsigFault;
use crate::exchange::{random_id, tcp};
use crate::message::{Data, Kind, LARGEST, Message, NONE, Opcode, Rcode, Record, Text};
use crate::tsig::{Key, Signed, Verdict};
use crate::{Error, Name, Result};

/// A change of a zone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// Add this record beside what there is.
    Add {
        /// Its owner.
        owner: Name,
        /// Seconds for which it may be kept.
        ttl: u32,
        /// What it says.
        text: Text,
    },
    /// Delete the record that says exactly this.
    Delete {
        /// Its owner.
        owner: Name,
        /// What it says.
        text: Text,
    },
}

/// Where updates of a zone go, and how they are signed.
#[derive(Clone, Debug)]
pub struct Updater {
    /// The primary server.
    pub server: SocketAddr,
    /// With which key; without one only the address tells who we are.
    pub key: Option<Key>,
    /// How long the server has for one message.
    pub within: Duration,
    /// What time it is.
    pub clock: Clock,
}

impl Updater {
    /// Carries out the changes and says how many messages that took. Each message is carried out as a whole or not
    /// at all; adding what is there and deleting what is not is no failure.
    ///
    /// # Errors
    /// [`Error::Tsig`] and [`Error::TsigAnswer`] about signatures, [`Error::Update`] for what the server refuses,
    /// [`Error::NoAnswer`].
    pub fn apply(&self, zone: &Name, changes: &[Change]) -> Result<usize> {
        let messages = self.messages(zone, changes)?;
        for message in &messages {
            self.send(zone, message)?;
        }
        Ok(messages.len())
    }

    /// The changes as messages, each as large as it may be.
    fn messages(&self, zone: &Name, changes: &[Change]) -> Result<Vec<Vec<u8>>> {
        let room = LARGEST - self.key.as_ref().map_or(0, Key::overhead);
        let mut pending = vec![changes];
        let mut messages = Vec::new();
        while let Some(part) = pending.pop() {
            if part.is_empty() {
                continue;
            }
            let records = part.iter().map(record).collect();
            let bytes = Message::update(random_id()?, zone.clone(), records).to_bytes();
            match bytes {
                Ok(bytes) if bytes.len() <= room => messages.push(bytes),
                Ok(_) | Err(Error::TooLarge { .. }) if part.len() > 1 => {
                    let (first, second) = part.split_at(part.len() / 2);
                    pending.extend([second, first]);
                }
                Ok(bytes) => return Err(Error::TooLarge { size: bytes.len() }),
                Err(error) => return Err(error),
            }
        }
        Ok(messages)
    }

    fn send(&self, zone: &Name, message: &[u8]) -> Result<()> {
        match &self.key {
            Some(key) => {
                let signed = key.sign(message.to_vec(), self.clock.unix())?;
                let answer = self.exchange(zone, &signed.bytes)?;
                self.judge(zone, key, &signed, &answer)
            }
            None => {
                let answer = self.exchange(zone, message)?;
                self.done(zone, &answer, true)
            }
        }
    }

    /// What the signature of the answer says comes first: only then can the rest be believed.
    fn judge(&self, zone: &Name, key: &Key, signed: &Signed, answer: &[u8]) -> Result<()> {
        let verdict = key.judge(signed, answer, self.clock.unix())?;
        let untrusted = |why: &str| {
            Err(Error::TsigAnswer {
                server: self.server,
                why: why.into(),
            })
        };
        match verdict {
            Verdict::Right => self.done(zone, answer, true),
            Verdict::Wrong(why) => untrusted(&why),
            // A refusal without a signature can be forged, and then all that is lost is this run.
            Verdict::Missing => match self.done(zone, answer, false) {
                Ok(()) => untrusted("it has no signature"),
                refused => refused,
            },
            Verdict::Refuses {
                error, server_time, ..
            } => {
                let fault = match error {
                    16 => TsigFault::Signature,
                    17 => TsigFault::Key,
                    18 => TsigFault::Time {
                        server: server_time,
                        ours: signed.time,
                    },
                    22 => TsigFault::Truncated,
                    other => return untrusted(&format!("it has the unknown TSIG error {other}")),
                };
                Err(Error::Tsig {
                    server: self.server,
                    key: key.name().clone(),
                    fault,
                })
            }
        }
    }

    fn done(&self, zone: &Name, answer: &[u8], signed: bool) -> Result<()> {
        let server = self.server;
        let answer =
            Message::parse(answer).map_err(|source| Error::Malformed { server, source })?;
        if !answer.is_answer || answer.opcode != Opcode::Update {
            // NOERROR is also what our own message says, where somebody sends back what he gets.
            return Err(self.missing(
                zone,
                io::Error::new(
                    ErrorKind::InvalidData,
                    "what came is no answer to an update",
                ),
            ));
        }
        match answer.rcode {
            Rcode::NOERROR => Ok(()),
            rcode => Err(Error::Update {
                server,
                zone: zone.clone(),
                rcode,
                signed,
            }),
        }
    }

    /// Sends once more where the connection was lost: whether the changes were carried out or not, doing it again is
    /// the same.
    fn exchange(&self, zone: &Name, bytes: &[u8]) -> Result<Vec<u8>> {
        let started = Instant::now();
        let exchange = || tcp(self.server, bytes, started, self.within);
        let answer = exchange().or_else(|error| match error.kind() {
            ErrorKind::ConnectionReset | ErrorKind::UnexpectedEof | ErrorKind::BrokenPipe => {
                exchange()
            }
            _ => Err(error),
        });
        let answer = answer.map_err(|source| self.missing(zone, source))?;
        match answer.get(..2) == bytes.get(..2) {
            true => Ok(answer),
            false => Err(self.missing(
                zone,
                io::Error::new(ErrorKind::InvalidData, "it answers another message"),
            )),
        }
    }

    fn missing(&self, zone: &Name, source: io::Error) -> Error {
        Error::NoAnswer {
            server: self.server,
            asked: format!("the update of zone '{zone}'"),
            source,
        }
    }
}

/// The record of a change (RFC 2136 §2.5.1 and §2.5.4).
fn record(change: &Change) -> Record {
    match change {
        Change::Add { owner, ttl, text } => Record::text(owner.clone(), *ttl, text.clone()),
        Change::Delete { owner, text } => Record {
            name: owner.clone(),
            kind: Kind::TXT,
            class: NONE,
            ttl: 0,
            data: Data::Txt(text.clone()),
        },
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests;
