// SPDX-License-Identifier: Apache-2.0
//! One message: header and body.

use super::WireError;
use super::read::{Reader, Value, read_body};

/// The largest message that we take. certmonger's answers have some ten thousand bytes, with every certificate of a
/// CA's chain; the specification would allow 128 MiB.
pub const LARGEST_MESSAGE: usize = 4 << 20;

/// Bytes from which the length of a message is known.
pub const PRELUDE: usize = 16;

/// What a message is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// An error in answer to a call.
    Error,
    /// Somebody calls us, or a kind of the future: to be ignored.
    Other,
    /// The answer to a call.
    Return,
    /// A signal.
    Signal,
}

/// A message that came in.
#[derive(Debug, Clone, PartialEq)]
pub struct Message {
    /// What it is.
    pub kind: Kind,
    /// To which call it belongs.
    pub reply_to: Option<u32>,
    /// Object, for a signal.
    pub path: Option<String>,
    /// Interface, for a signal.
    pub interface: Option<String>,
    /// Name of the signal.
    pub member: Option<String>,
    /// Name of the error.
    pub error_name: Option<String>,
    /// Who sent it, by the bus.
    pub sender: Option<String>,
    /// Types of the body.
    pub signature: String,
    /// Its values.
    pub body: Vec<Value>,
}

fn word(bytes: &[u8], at: usize, little_endian: bool) -> Result<u64, WireError> {
    let word: [u8; 4] = bytes
        .get(at..at + 4)
        .and_then(|word| word.try_into().ok())
        .ok_or(WireError::Truncated)?;
    Ok(u64::from(if little_endian {
        u32::from_le_bytes(word)
    } else {
        u32::from_be_bytes(word)
    }))
}

fn byte_order(bytes: &[u8]) -> Result<bool, WireError> {
    match bytes.first() {
        Some(b'l') => Ok(true),
        Some(b'B') => Ok(false),
        Some(other) => Err(WireError::ByteOrder(*other)),
        None => Err(WireError::Truncated),
    }
}

/// How long the message is that begins with these [`PRELUDE`] bytes.
///
/// # Errors
/// That it is no message, or larger than [`LARGEST_MESSAGE`].
pub fn message_length(prelude: &[u8]) -> Result<usize, WireError> {
    let little_endian = byte_order(prelude)?;
    if let Some(version @ (0 | 2..)) = prelude.get(3) {
        return Err(WireError::Version(*version));
    }
    let body = word(prelude, 4, little_endian)?;
    let fields = word(prelude, 12, little_endian)?;
    let whole = (PRELUDE as u64 + fields).next_multiple_of(8) + body;
    match usize::try_from(whole) {
        Ok(length) if length <= LARGEST_MESSAGE => Ok(length),
        _ => Err(WireError::TooLarge(whole)),
    }
}

impl Message {
    /// Reads one whole message.
    ///
    /// # Errors
    /// The first thing that is wrong with it.
    pub fn parse(bytes: &[u8]) -> Result<Self, WireError> {
        let length = message_length(bytes)?;
        if bytes.len() != length {
            return Err(if bytes.len() < length {
                WireError::Truncated
            } else {
                WireError::Surplus(bytes.len() - length)
            });
        }
        let little_endian = byte_order(bytes)?;
        let mut reader = Reader::new(bytes, little_endian);
        reader.take(12)?;
        let fields = reader.values("a(yv)")?;
        reader.align(8)?;
        let mut message = Self::from_kind(bytes[1]);
        for field in fields.iter().flat_map(Value::items) {
            message.field(field)?;
        }
        message.check()?;
        message.body = read_body(&bytes[reader.at..], &message.signature, little_endian)?;
        Ok(message)
    }

    fn from_kind(kind: u8) -> Self {
        Self {
            kind: match kind {
                2 => Kind::Return,
                3 => Kind::Error,
                4 => Kind::Signal,
                _ => Kind::Other,
            },
            reply_to: None,
            path: None,
            interface: None,
            member: None,
            error_name: None,
            sender: None,
            signature: String::new(),
            body: Vec::new(),
        }
    }

    fn field(&mut self, field: &Value) -> Result<(), WireError> {
        let Value::Tuple(pair) = field else {
            return Ok(());
        };
        let (Some(Value::Int(code)), Some(value)) = (pair.first(), pair.get(1)) else {
            return Ok(());
        };
        let text = || match value {
            Value::Text(text) => Ok(Some(text.clone())),
            _ => Err(WireError::NotValid("header field")),
        };
        match code {
            1 => self.path = text()?,
            2 => self.interface = text()?,
            3 => self.member = text()?,
            4 => self.error_name = text()?,
            5 => match value {
                Value::Int(serial) => self.reply_to = u32::try_from(*serial).ok(),
                _ => return Err(WireError::NotValid("header field")),
            },
            7 => self.sender = text()?,
            8 => self.signature = text()?.unwrap_or_default(),
            // Unknown fields are to be ignored.
            _ => {}
        }
        Ok(())
    }

    fn check(&self) -> Result<(), WireError> {
        match self.kind {
            Kind::Return | Kind::Error if self.reply_to.is_none() => {
                Err(WireError::Lacks("reply serial"))
            }
            Kind::Error if self.error_name.is_none() => Err(WireError::Lacks("error name")),
            Kind::Signal
                if self.path.is_none() || self.interface.is_none() || self.member.is_none() =>
            {
                Err(WireError::Lacks("path, interface or member"))
            }
            _ => Ok(()),
        }
    }

    /// The text of an error, which is its first value.
    #[must_use]
    pub fn said(&self) -> String {
        match self.body.first() {
            Some(Value::Text(text)) if !text.is_empty() => text.clone(),
            _ => self.error_name.clone().unwrap_or_default(),
        }
    }
}

impl Value {
    /// The elements of a list or structure.
    #[must_use]
    pub fn items(&self) -> &[Self] {
        match self {
            Self::List(items) | Self::Tuple(items) => items,
            _ => &[],
        }
    }

    /// As text.
    #[must_use]
    pub fn text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            _ => None,
        }
    }
}
