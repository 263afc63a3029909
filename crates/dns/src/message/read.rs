// SPDX-License-Identifier: Apache-2.0
//! Reads messages.

use std::net::{Ipv4Addr, Ipv6Addr};

use super::record::{Data, Kind, Record, Soa, Text};
use super::{LARGEST, Malformed, Message, Opcode, Question, Rcode};
use crate::Name;

type Read<T> = Result<T, Malformed>;

/// A place in a message.
pub(crate) struct Reader<'a> {
    message: &'a [u8],
    at: usize,
    end: usize,
}

impl<'a> Reader<'a> {
    pub(crate) fn new(message: &'a [u8]) -> Self {
        Self {
            message,
            at: 0,
            end: message.len(),
        }
    }

    pub(crate) fn at(&self) -> usize {
        self.at
    }

    pub(crate) fn bytes(&mut self, count: usize) -> Read<&'a [u8]> {
        let end = self.at.checked_add(count).filter(|end| *end <= self.end);
        let end = end.ok_or(Malformed::Truncated)?;
        let bytes = self.message.get(self.at..end).ok_or(Malformed::Truncated)?;
        self.at = end;
        Ok(bytes)
    }

    fn array<const N: usize>(&mut self) -> Read<[u8; N]> {
        self.bytes(N)?.try_into().map_err(|_| Malformed::Truncated)
    }

    pub(crate) fn byte(&mut self) -> Read<u8> {
        Ok(u8::from_be_bytes(self.array()?))
    }

    pub(crate) fn short(&mut self) -> Read<u16> {
        Ok(u16::from_be_bytes(self.array()?))
    }

    pub(crate) fn long(&mut self) -> Read<u32> {
        Ok(u32::from_be_bytes(self.array()?))
    }

    /// A name. Each pointer must lead before the place where the last one led to, so their number is bounded.
    pub(crate) fn name(&mut self) -> Read<Name> {
        let mut labels: Vec<&[u8]> = Vec::new();
        let (mut at, mut limit, mut after) = (self.at, self.at, None);
        loop {
            // Only the part before the first pointer belongs to the record, and must end with it.
            let end = if after.is_none() {
                self.end
            } else {
                self.message.len()
            };
            let byte = |index: usize| {
                let found = self.message.get(index).filter(|_| index < end);
                found.copied().ok_or(Malformed::Truncated)
            };
            let length = usize::from(byte(at)?);
            match length {
                0 => {
                    self.at = after.unwrap_or(at + 1);
                    return Name::from_labels(labels).map_err(|_| Malformed::Name);
                }
                1..=63 => {
                    let label = self.message.get(at + 1..at + 1 + length);
                    let label = label.filter(|_| at + 1 + length <= end);
                    labels.push(label.ok_or(Malformed::Truncated)?);
                    at += 1 + length;
                }
                192.. => {
                    let target = (length & 63) << 8 | usize::from(byte(at + 1)?);
                    if target >= limit {
                        return Err(Malformed::Name);
                    }
                    after = after.or(Some(at + 2));
                    (at, limit) = (target, target);
                }
                _ => return Err(Malformed::Name),
            }
            if labels.len() > 127 {
                return Err(Malformed::Name);
            }
        }
    }

    fn question(&mut self) -> Read<Question> {
        let question = Question {
            name: self.name()?,
            kind: Kind(self.short()?),
        };
        self.short()?;
        Ok(question)
    }

    pub(crate) fn record(&mut self) -> Read<Record> {
        let (name, kind, class) = (self.name()?, Kind(self.short()?), self.short()?);
        let (ttl, length) = (self.long()?, usize::from(self.short()?));
        let end = self.at + length;
        if end > self.end {
            return Err(Malformed::Truncated);
        }
        let mut content = Reader {
            message: self.message,
            at: self.at,
            end,
        };
        // Records without content are those of updates and their answers.
        let data = match length {
            0 => Data::Other(Vec::new()),
            _ => content.data(kind)?,
        };
        if content.at != end {
            return Err(Malformed::Length);
        }
        self.at = end;
        Ok(Record {
            name,
            kind,
            class,
            ttl,
            data,
        })
    }

    fn data(&mut self, kind: Kind) -> Read<Data> {
        let inside = |error| match error {
            Malformed::Truncated => Malformed::Length,
            other => other,
        };
        match kind {
            Kind::A => self
                .array()
                .map(|bytes| Data::A(Ipv4Addr::from_octets(bytes))),
            Kind::AAAA => self
                .array()
                .map(|bytes| Data::Aaaa(Ipv6Addr::from_octets(bytes))),
            Kind::CNAME => self.name().map(Data::Cname),
            Kind::NS => self.name().map(Data::Ns),
            Kind::SOA => self.soa().map(Data::Soa),
            Kind::TXT => self.text().map(Data::Txt),
            _ => self
                .bytes(self.end - self.at)
                .map(|bytes| Data::Other(bytes.to_vec())),
        }
        .map_err(inside)
    }

    fn soa(&mut self) -> Read<Soa> {
        Ok(Soa {
            primary: self.name()?,
            mailbox: self.name()?,
            serial: self.long()?,
            refresh: self.long()?,
            retry: self.long()?,
            expire: self.long()?,
            minimum: self.long()?,
        })
    }

    fn text(&mut self) -> Read<Text> {
        let mut strings = Vec::new();
        while self.at < self.end {
            let length = usize::from(self.byte()?);
            strings.push(self.bytes(length)?.to_vec());
        }
        Ok(Text::from_strings(strings))
    }
}

/// The flags and counts at the beginning.
struct Header {
    id: u16,
    flags: u16,
    counts: [u16; 4],
}

fn header(reader: &mut Reader<'_>) -> Read<Header> {
    Ok(Header {
        id: reader.short()?,
        flags: reader.short()?,
        counts: [
            reader.short()?,
            reader.short()?,
            reader.short()?,
            reader.short()?,
        ],
    })
}

pub(super) fn message(bytes: &[u8]) -> Read<Message> {
    if bytes.len() > LARGEST {
        return Err(Malformed::Large(bytes.len()));
    }
    let mut reader = Reader::new(bytes);
    let Header { id, flags, counts } = header(&mut reader)?;
    let questions = (0..counts[0])
        .map(|_| reader.question())
        .collect::<Read<_>>()?;
    let mut section = |count: u16| {
        (0..count)
            .map(|_| reader.record())
            .collect::<Read<Vec<_>>>()
    };
    let (answers, authority) = (section(counts[1])?, section(counts[2])?);
    let mut additional = section(counts[3])?;
    if reader.at < bytes.len() {
        return Err(Malformed::Surplus(bytes.len() - reader.at));
    }
    // The upper eight bits of the code are the first byte of OPT's time to live (RFC 6891 §6.1.3).
    let upper = additional
        .iter()
        .find(|record| record.kind == Kind::OPT)
        .map_or(0, |opt| (opt.ttl >> 24) as u16);
    additional.retain(|record| record.kind != Kind::OPT && record.kind != Kind::TSIG);
    Ok(Message {
        id,
        is_answer: flags & 0x8000 != 0,
        opcode: Opcode::from_number((flags >> 11 & 15) as u8),
        authoritative: flags & 0x0400 != 0,
        truncated: flags & 0x0200 != 0,
        recursion_desired: flags & 0x0100 != 0,
        rcode: Rcode(upper << 4 | flags & 15),
        questions,
        answers,
        authority,
        additional,
    })
}

/// Where the last record begins, and the record, if it is of that kind: TSIG must be the last.
pub(crate) fn last_record(bytes: &[u8], kind: Kind) -> Read<Option<(usize, Record)>> {
    let mut reader = Reader::new(bytes);
    let Header { counts, .. } = header(&mut reader)?;
    for _ in 0..counts[0] {
        reader.question()?;
    }
    let mut last = None;
    for _ in 0..u32::from(counts[1]) + u32::from(counts[2]) + u32::from(counts[3]) {
        let at = reader.at();
        last = Some((at, reader.record()?));
    }
    Ok(last.filter(|(_, record)| record.kind == kind))
}
