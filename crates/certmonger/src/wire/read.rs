// SPDX-License-Identifier: Apache-2.0
//! Bytes → values.

use super::{WireError, signature};

/// Variants in variants and containers together: 64 by the specification.
const DEEPEST: usize = 64;

/// A value; numbers of certmonger's interface fit into 64 bits, others are kept as their bits.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// `b`.
    Bool(bool),
    /// `ay`.
    Bytes(Vec<u8>),
    /// One key with its value.
    Entry(Box<(Self, Self)>),
    /// Any signed or unsigned number, and the bits of `d`, `h`.
    Int(i64),
    /// An array of anything else.
    List(Vec<Self>),
    /// `s`, `o` or `g`.
    Text(String),
    /// The fields of a structure.
    Tuple(Vec<Self>),
}

/// Reads the values that `types` announces; nothing may be left.
///
/// # Errors
/// [`WireError`]: the first thing that is wrong.
pub fn read_body(bytes: &[u8], types: &str, little_endian: bool) -> Result<Vec<Value>, WireError> {
    let mut reader = Reader::new(bytes, little_endian);
    let values = reader.values(types)?;
    match bytes.len() - reader.at {
        0 => Ok(values),
        surplus => Err(WireError::Surplus(surplus)),
    }
}

/// A place in bytes; alignment counts from their beginning.
pub(super) struct Reader<'a> {
    bytes: &'a [u8],
    pub(super) at: usize,
    little_endian: bool,
}

impl<'a> Reader<'a> {
    pub(super) fn new(bytes: &'a [u8], little_endian: bool) -> Self {
        Self {
            bytes,
            at: 0,
            little_endian,
        }
    }

    pub(super) fn values(&mut self, types: &str) -> Result<Vec<Value>, WireError> {
        signature::check(types)?;
        self.series(types, 0)
    }

    fn series(&mut self, types: &str, depth: usize) -> Result<Vec<Value>, WireError> {
        let mut values = Vec::new();
        let mut rest = types;
        while !rest.is_empty() {
            let (first, others) = signature::split_first(rest)?;
            values.push(self.value(first, depth)?);
            rest = others;
        }
        Ok(values)
    }

    fn value(&mut self, kind: &str, depth: usize) -> Result<Value, WireError> {
        if depth > DEEPEST {
            return Err(WireError::Nested);
        }
        let first = kind.as_bytes().first().copied().unwrap_or_default();
        Ok(match first {
            b'y' => Value::Int(i64::from(self.byte()?)),
            b'b' => match self.number::<4>()? {
                flag @ (0 | 1) => Value::Bool(flag == 1),
                other => return Err(WireError::Boolean(other as u32)),
            },
            b'n' => Value::Int(i64::from(self.number::<2>()? as i16)),
            b'q' => Value::Int(self.number::<2>()? as i64),
            b'i' => Value::Int(i64::from(self.number::<4>()? as i32)),
            b'u' | b'h' => Value::Int(self.number::<4>()? as i64),
            b'x' | b't' | b'd' => Value::Int(self.number::<8>()? as i64),
            b's' => Value::Text(self.text()?),
            b'o' => Value::Text(self.object_path()?),
            b'g' => Value::Text(self.signature()?),
            b'v' => return self.variant(depth + 1),
            b'a' => self.array(&kind[1..], depth + 1)?,
            b'(' => {
                self.align(8)?;
                Value::Tuple(self.series(&kind[1..kind.len() - 1], depth + 1)?)
            }
            b'{' => self.entry(&kind[1..kind.len() - 1], depth + 1)?,
            _ => return Err(WireError::NotValid("signature")),
        })
    }

    fn entry(&mut self, types: &str, depth: usize) -> Result<Value, WireError> {
        self.align(8)?;
        let (key, value) = types.split_at(1);
        Ok(Value::Entry(Box::new((
            self.value(key, depth)?,
            self.value(value, depth)?,
        ))))
    }

    fn variant(&mut self, depth: usize) -> Result<Value, WireError> {
        let kind = self.signature()?;
        match signature::split_first(&kind)? {
            (_, "") => self.value(&kind, depth),
            _ => Err(WireError::NotValid("signature of a variant")),
        }
    }

    fn array(&mut self, element: &str, depth: usize) -> Result<Value, WireError> {
        let length = self.number::<4>()? as usize;
        self.align(alignment(element))?;
        let end = self
            .at
            .checked_add(length)
            .filter(|end| *end <= self.bytes.len());
        let end = end.ok_or(WireError::Truncated)?;
        if element == "y" {
            return Ok(Value::Bytes(self.take(length)?.to_vec()));
        }
        let mut list = Vec::new();
        while self.at < end {
            // Each element is at least one byte long, so this ends.
            list.push(if element.starts_with('{') {
                self.entry(&element[1..element.len() - 1], depth)?
            } else {
                self.value(element, depth)?
            });
        }
        if self.at > end {
            return Err(WireError::Truncated);
        }
        Ok(Value::List(list))
    }

    pub(super) fn take(&mut self, length: usize) -> Result<&'a [u8], WireError> {
        let end = self.at.checked_add(length).ok_or(WireError::Truncated)?;
        let taken = self.bytes.get(self.at..end).ok_or(WireError::Truncated)?;
        self.at = end;
        Ok(taken)
    }

    pub(super) fn align(&mut self, to: usize) -> Result<(), WireError> {
        let padding = self.at.next_multiple_of(to) - self.at;
        if self.take(padding)?.iter().any(|byte| *byte != 0) {
            return Err(WireError::Padding);
        }
        Ok(())
    }

    fn byte(&mut self) -> Result<u8, WireError> {
        self.take(1).map(|bytes| bytes[0])
    }

    fn number<const SIZE: usize>(&mut self) -> Result<u64, WireError> {
        self.align(SIZE)?;
        let mut bytes = [0; 8];
        let read = self.take(SIZE)?;
        if self.little_endian {
            bytes[..SIZE].copy_from_slice(read);
            Ok(u64::from_le_bytes(bytes))
        } else {
            bytes[8 - SIZE..].copy_from_slice(read);
            Ok(u64::from_be_bytes(bytes))
        }
    }

    fn terminated(&mut self, length: usize, what: &'static str) -> Result<&'a str, WireError> {
        let bytes = self.take(length)?;
        if self.byte()? != 0 || bytes.contains(&0) {
            return Err(WireError::NotValid(what));
        }
        std::str::from_utf8(bytes).map_err(|_| WireError::NotValid(what))
    }

    fn text(&mut self) -> Result<String, WireError> {
        let length = self.number::<4>()? as usize;
        self.terminated(length, "string").map(str::to_owned)
    }

    fn object_path(&mut self) -> Result<String, WireError> {
        let length = self.number::<4>()? as usize;
        let path = self.terminated(length, "object path")?;
        let is_element = |element: &str| {
            !element.is_empty()
                && element
                    .bytes()
                    .all(|c| c.is_ascii_alphanumeric() || c == b'_')
        };
        let is_path = path == "/"
            || path
                .strip_prefix('/')
                .is_some_and(|elements| elements.split('/').all(is_element));
        if !is_path {
            return Err(WireError::NotValid("object path"));
        }
        Ok(path.to_owned())
    }

    pub(super) fn signature(&mut self) -> Result<String, WireError> {
        let length = usize::from(self.byte()?);
        let kind = self.terminated(length, "signature")?;
        signature::check(kind)?;
        Ok(kind.to_owned())
    }
}

fn alignment(kind: &str) -> usize {
    match kind.as_bytes().first() {
        Some(b'n' | b'q') => 2,
        Some(b'b' | b'i' | b'u' | b'h' | b's' | b'o' | b'a') => 4,
        Some(b'x' | b't' | b'd' | b'(' | b'{') => 8,
        _ => 1,
    }
}
