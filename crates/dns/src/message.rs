// SPDX-License-Identifier: Apache-2.0
//! Messages of the domain name system (RFC 1035 §4, RFC 2136 §2, RFC 6891).
//!
//! What comes in is bounded by its own length: counts in the header allocate nothing, compression pointers lead only
//! backwards, and a record ends where its length says.

mod read;
mod record;
mod write;

use std::fmt;

pub(crate) use read::{Reader, last_record};
pub(crate) use record::NONE;
pub use record::{Data, Kind, Record, Soa, Text};

use crate::{Error, Name, Result};

/// The largest UDP answer that we ask for: what no path cuts to pieces (DNS flag day 2020).
pub const UDP_SIZE: u16 = 1232;
/// The largest message there is.
pub const LARGEST: usize = 65_535;

/// What a message wants.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Opcode {
    /// An answer.
    Query,
    /// A change of a zone.
    Update,
    /// Anything else, by number.
    Other(u8),
}

impl Opcode {
    pub(crate) fn number(self) -> u8 {
        match self {
            Self::Query => 0,
            Self::Update => 5,
            Self::Other(number) => number,
        }
    }

    pub(crate) fn from_number(number: u8) -> Self {
        match number {
            0 => Self::Query,
            5 => Self::Update,
            other => Self::Other(other),
        }
    }
}

/// How the server judged it: the RCODE, with the upper bits of EDNS.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rcode(pub u16);

impl Rcode {
    /// Done, or here is the answer.
    pub const NOERROR: Self = Self(0);
    /// It could not read the message.
    pub const FORMERR: Self = Self(1);
    /// It failed.
    pub const SERVFAIL: Self = Self(2);
    /// There is no such name.
    pub const NXDOMAIN: Self = Self(3);
    /// It does not do that at all.
    pub const NOTIMP: Self = Self(4);
    /// It does not do that for us.
    pub const REFUSED: Self = Self(5);
    /// Not authoritative for the zone, or the signature is not accepted.
    pub const NOTAUTH: Self = Self(9);
    /// A name of the update is not in its zone.
    pub const NOTZONE: Self = Self(10);
}

impl fmt::Display for Rcode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const NAMES: [&str; 11] = [
            "NOERROR", "FORMERR", "SERVFAIL", "NXDOMAIN", "NOTIMP", "REFUSED", "YXDOMAIN",
            "YXRRSET", "NXRRSET", "NOTAUTH", "NOTZONE",
        ];
        match NAMES.get(usize::from(self.0)) {
            Some(name) => f.write_str(name),
            None => write!(f, "RCODE {}", self.0),
        }
    }
}

/// The first entry of a message: what is asked, or which zone is changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Question {
    /// The name.
    pub name: Name,
    /// The kind of records.
    pub kind: Kind,
}

/// One message. Its sections have the names of queries; in an update they hold zone, prerequisites and changes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// Which answer belongs to which question.
    pub id: u16,
    /// Whether it is an answer.
    pub is_answer: bool,
    /// What it wants.
    pub opcode: Opcode,
    /// Whether the server is authoritative for the name.
    pub authoritative: bool,
    /// Whether something was left out for want of space.
    pub truncated: bool,
    /// Whether the server shall ask others.
    pub recursion_desired: bool,
    /// How it was judged.
    pub rcode: Rcode,
    /// What is asked.
    pub questions: Vec<Question>,
    /// The records asked for.
    pub answers: Vec<Record>,
    /// Who is responsible: SOA of a negative answer, NS of a referral; the changes of an update.
    pub authority: Vec<Record>,
    /// What comes in handy, without OPT and TSIG.
    pub additional: Vec<Record>,
}

impl Message {
    /// A question.
    pub fn query(id: u16, name: Name, kind: Kind, recursion_desired: bool) -> Self {
        Self {
            id,
            is_answer: false,
            opcode: Opcode::Query,
            authoritative: false,
            truncated: false,
            recursion_desired,
            rcode: Rcode::NOERROR,
            questions: vec![Question { name, kind }],
            answers: Vec::new(),
            authority: Vec::new(),
            additional: Vec::new(),
        }
    }

    /// An update of a zone.
    pub fn update(id: u16, zone: Name, changes: Vec<Record>) -> Self {
        Self {
            opcode: Opcode::Update,
            authority: changes,
            ..Self::query(id, zone, Kind::SOA, false)
        }
    }

    /// Reads a message.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn parse(bytes: &[u8]) -> Result<Self, Malformed> {
        read::message(bytes)
    }

    /// As bytes; with an OPT record if it is a query.
    ///
    /// # Errors
    /// [`Error::TooLarge`] when it does not fit a message.
    pub fn to_bytes(&self) -> Result<Vec<u8>> {
        let bytes = write::message(self);
        match bytes.len() {
            0..=LARGEST => Ok(bytes),
            size => Err(Error::TooLarge { size }),
        }
    }

    /// Whether it answers that question.
    pub fn answers(&self, question: &Self) -> bool {
        self.is_answer
            && self.id == question.id
            && self.opcode == question.opcode
            // Servers that cannot read a question may leave it out; there are no records in such an answer.
            && (self.questions == question.questions || (self.questions.is_empty() && self.answers.is_empty()))
    }

    /// The SOA record that says how long a negative answer holds.
    pub fn negative_soa(&self) -> Option<(&Name, u32, &Soa)> {
        self.authority.iter().find_map(|record| match &record.data {
            Data::Soa(soa) => Some((&record.name, record.ttl, soa)),
            _ => None,
        })
    }
}

/// Why bytes are no message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Malformed {
    /// It is larger than any message can be.
    #[error("a message of {0} bytes")]
    Large(usize),
    /// A length does not fit what it is the length of.
    #[error("a record whose length does not fit its content")]
    Length,
    /// A name that is too long, points forwards or in a circle, or has a label of an unknown kind.
    #[error("a name that points forwards or is too long")]
    Name,
    /// There is something behind the end.
    #[error("{0} bytes behind the end")]
    Surplus(usize),
    /// It ends before its end.
    #[error("the message is cut off")]
    Truncated,
}
