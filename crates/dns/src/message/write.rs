// SPDX-License-Identifier: Apache-2.0
//! Writes messages. Owner names are compressed, names in contents are not (RFC 3597 §4 and RFC 2136 want it so).

use std::collections::HashMap;

use super::record::{Data, IN, Record, Soa};
use super::{Message, Opcode, UDP_SIZE};
use crate::Name;

/// A pointer has 14 bits.
const POINTER_LIMIT: usize = 0x4000;

#[derive(Default)]
struct Writer {
    bytes: Vec<u8>,
    /// Where a name is written already.
    known: HashMap<Vec<u8>, u16>,
}

impl Writer {
    fn short(&mut self, value: u16) {
        self.bytes.extend(value.to_be_bytes());
    }

    fn long(&mut self, value: u32) {
        self.bytes.extend(value.to_be_bytes());
    }

    fn name(&mut self, name: &Name) {
        let mut rest = name.wire();
        while let Some(&length @ 1..) = rest.first() {
            if let Some(place) = self.known.get(rest) {
                return self.short(0xc000 | *place);
            }
            if let Ok(here @ 0..0x4000) = u16::try_from(self.bytes.len()) {
                debug_assert!(usize::from(here) < POINTER_LIMIT);
                self.known.insert(rest.to_vec(), here);
            }
            let (label, after) = rest.split_at(1 + usize::from(length));
            self.bytes.extend(label);
            rest = after;
        }
        self.bytes.push(0);
    }

    fn record(&mut self, record: &Record) {
        self.name(&record.name);
        self.short(record.kind.0);
        self.short(record.class);
        self.long(record.ttl);
        let content = content(&record.data);
        // A longer one makes the message too large, which is refused when it is whole.
        self.short(u16::try_from(content.len()).unwrap_or(u16::MAX));
        self.bytes.extend(content);
    }
}

/// The content of a record.
fn content(data: &Data) -> Vec<u8> {
    match data {
        Data::A(address) => address.octets().to_vec(),
        Data::Aaaa(address) => address.octets().to_vec(),
        Data::Cname(name) | Data::Ns(name) => name.wire().to_vec(),
        Data::Soa(soa) => soa_content(soa),
        Data::Txt(text) => {
            let strings = text.strings().iter();
            // Never cut: the strings of a `Text` have at most 255 bytes.
            strings.fold(Vec::new(), |mut bytes, string| {
                bytes.push(string.len() as u8);
                bytes.extend(string);
                bytes
            })
        }
        Data::Other(bytes) => bytes.clone(),
    }
}

fn soa_content(soa: &Soa) -> Vec<u8> {
    let mut bytes = [soa.primary.wire(), soa.mailbox.wire()].concat();
    for number in [soa.serial, soa.refresh, soa.retry, soa.expire, soa.minimum] {
        bytes.extend(number.to_be_bytes());
    }
    bytes
}

pub(super) fn message(message: &Message) -> Vec<u8> {
    let with_edns = message.opcode == Opcode::Query && !message.is_answer;
    let mut writer = Writer::default();
    writer.short(message.id);
    writer.short(flags(message));
    let counts = [
        message.questions.len(),
        message.answers.len(),
        message.authority.len(),
        message.additional.len() + usize::from(with_edns),
    ];
    for count in counts {
        // More records than that do not fit a message, which is refused when it is whole.
        writer.short(u16::try_from(count).unwrap_or(u16::MAX));
    }
    for question in &message.questions {
        writer.name(&question.name);
        writer.short(question.kind.0);
        writer.short(IN);
    }
    let sections = [&message.answers, &message.authority, &message.additional];
    for record in sections.into_iter().flatten() {
        writer.record(record);
    }
    if with_edns {
        // OPT of the root: size where the class is, no extended code, version 0, no flags, no options.
        writer.bytes.extend([0, 0, 41]);
        writer.short(UDP_SIZE);
        writer.bytes.extend([0; 6]);
    }
    writer.bytes
}

fn flags(message: &Message) -> u16 {
    let flag = |is_set: bool, bit: u16| u16::from(is_set) << bit;
    flag(message.is_answer, 15)
        | u16::from(message.opcode.number()) << 11
        | flag(message.authoritative, 10)
        | flag(message.truncated, 9)
        | flag(message.recursion_desired, 8)
        | message.rcode.0 & 15
}
