// SPDX-License-Identifier: Apache-2.0
//! Resource records.

use std::fmt;
use std::net::{Ipv4Addr, Ipv6Addr};

use crate::Name;

/// The type of a record, by number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Kind(pub u16);

impl Kind {
    /// IPv4 address.
    pub const A: Self = Self(1);
    /// Name server.
    pub const NS: Self = Self(2);
    /// Other name.
    pub const CNAME: Self = Self(5);
    /// Head of a zone.
    pub const SOA: Self = Self(6);
    /// Text.
    pub const TXT: Self = Self(16);
    /// IPv6 address.
    pub const AAAA: Self = Self(28);
    /// EDNS.
    pub const OPT: Self = Self(41);
    /// Signature of a transaction.
    pub const TSIG: Self = Self(250);
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::A => f.write_str("A"),
            Self::NS => f.write_str("NS"),
            Self::CNAME => f.write_str("CNAME"),
            Self::SOA => f.write_str("SOA"),
            Self::TXT => f.write_str("TXT"),
            Self::AAAA => f.write_str("AAAA"),
            Self::OPT => f.write_str("OPT"),
            Self::TSIG => f.write_str("TSIG"),
            Self(number) => write!(f, "TYPE{number}"),
        }
    }
}

/// Class IN.
pub(crate) const IN: u16 = 1;
/// Class NONE: in an update, delete exactly this record (RFC 2136 §2.5.4).
pub(crate) const NONE: u16 = 254;

/// A text record: one or more strings of at most 255 bytes, which readers put together.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Text {
    strings: Vec<Vec<u8>>,
}

impl Text {
    /// A value, cut into as few strings as it needs: always the same way, so that a later delete finds it.
    pub fn from_value(value: &[u8]) -> Self {
        let strings: Vec<Vec<u8>> = value.chunks(255).map(<[u8]>::to_vec).collect();
        Self::from_strings(strings)
    }

    /// From the strings as they are in a record; none is one empty one, since a record has at least one.
    pub(crate) fn from_strings(mut strings: Vec<Vec<u8>>) -> Self {
        if strings.is_empty() {
            strings.push(Vec::new());
        }
        Self { strings }
    }

    /// Its strings.
    pub fn strings(&self) -> &[Vec<u8>] {
        &self.strings
    }

    /// Its value: the strings, one after the other.
    pub fn value(&self) -> Vec<u8> {
        self.strings.concat()
    }
}

/// As in a zone file: each string in quotes.
impl fmt::Display for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, string) in self.strings.iter().enumerate() {
            f.write_str(if index == 0 { "\"" } else { " \"" })?;
            for &byte in string {
                match byte {
                    b'"' | b'\\' => write!(f, "\\{}", char::from(byte))?,
                    b' '..=b'~' => write!(f, "{}", char::from(byte))?,
                    _ => write!(f, "\\{byte:03}")?,
                }
            }
            f.write_str("\"")?;
        }
        Ok(())
    }
}

/// The head of a zone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Soa {
    /// The primary server.
    pub primary: Name,
    /// Whom to write to, with a dot for the `@`.
    pub mailbox: Name,
    /// The version of the zone.
    pub serial: u32,
    /// Seconds after which a secondary looks for a new version.
    pub refresh: u32,
    /// Seconds after which it tries again.
    pub retry: u32,
    /// Seconds after which it gives up.
    pub expire: u32,
    /// Seconds for which "there is none" may be kept, at most (RFC 2308).
    pub minimum: u32,
}

/// What a record says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Data {
    /// IPv4 address.
    A(Ipv4Addr),
    /// IPv6 address.
    Aaaa(Ipv6Addr),
    /// Other name.
    Cname(Name),
    /// Name server.
    Ns(Name),
    /// Head of a zone.
    Soa(Soa),
    /// Text.
    Txt(Text),
    /// Anything else, as it is.
    Other(Vec<u8>),
}

/// A resource record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// Its owner.
    pub name: Name,
    /// Its type.
    pub kind: Kind,
    /// Its class.
    pub class: u16,
    /// Seconds for which it may be kept.
    pub ttl: u32,
    /// What it says.
    pub data: Data,
}

impl Record {
    /// A text record of class IN.
    pub fn text(name: Name, ttl: u32, text: Text) -> Self {
        Self {
            name,
            kind: Kind::TXT,
            class: IN,
            ttl,
            data: Data::Txt(text),
        }
    }

    /// The text, if it is a text record.
    pub fn as_text(&self) -> Option<&Text> {
        match &self.data {
            Data::Txt(text) => Some(text),
            _ => None,
        }
    }
}
