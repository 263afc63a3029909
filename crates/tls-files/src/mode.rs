// SPDX-License-Identifier: Apache-2.0
//! File modes as Ansible users write them: octal strings, YAML numbers, symbolic changes.

mod symbolic;

use serde_json::Value;

use self::symbolic::Clause;
use crate::{Error, Result};

const QUOTE: &str = "write it as a quoted octal string, for example mode: \"0640\"";

/// A file mode: exact permission bits, or a symbolic change like `u=rw,g=r,o=` of the bits that a file has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mode(Kind);

#[derive(Debug, Clone, PartialEq, Eq)]
enum Kind {
    Exact(u32),
    Symbolic(Vec<Clause>),
}

impl Mode {
    /// Exactly these permission bits (up to `0o7777`; more are ignored).
    pub const fn new(bits: u32) -> Self {
        Self(Kind::Exact(bits & 0o7777))
    }

    /// Reads what a user wrote as `mode`.
    ///
    /// - A string of octal digits, with or without `0` or `0o` in front: `"0640"`.
    /// - A symbolic change in Ansible's grammar: `"u=rw,g=r,o="`.
    /// - A number. YAML has already read `mode: 0640` as octal, so 416 arrives and means 0640. `mode: 640` arrives
    ///   as 640, which would be the nonsense 01200: a number is only taken where it cannot be meant otherwise.
    ///
    /// # Errors
    /// [`Error::InvalidMode`], which says how to write it.
    pub fn parse_from_value(value: &Value) -> Result<Self> {
        match value {
            Value::String(text) => Self::parse(text),
            Value::Number(number) => {
                match number.as_u64().and_then(|bits| u32::try_from(bits).ok()) {
                    Some(bits) => Self::from_number(bits),
                    None => Err(invalid(
                        &number.to_string(),
                        "it is not a whole number from 0 to 511",
                        QUOTE,
                    )),
                }
            }
            other => Err(invalid(
                &other.to_string(),
                "it is neither a string nor a number",
                QUOTE,
            )),
        }
    }

    /// Reads an octal or symbolic string; see [`Mode::parse_from_value`].
    ///
    /// # Errors
    /// [`Error::InvalidMode`].
    pub fn parse(text: &str) -> Result<Self> {
        let trimmed = text.trim();
        let digits = trimmed.strip_prefix("0o").unwrap_or(trimmed);
        if !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit()) {
            return match u32::from_str_radix(digits, 8) {
                Ok(bits) if bits <= 0o7777 => Ok(Self::new(bits)),
                Ok(_) => Err(invalid(text, "it is larger than 7777", QUOTE)),
                Err(_) => Err(invalid(text, "it has digits that are not octal", QUOTE)),
            };
        }
        symbolic::parse(trimmed)
            .map(|clauses| Self(Kind::Symbolic(clauses)))
            .map_err(|reason| {
                invalid(
                    text,
                    &reason,
                    "write an octal string like \"0640\" or clauses like \"u=rw,g=r,o=\"",
                )
            })
    }

    fn from_number(bits: u32) -> Result<Self> {
        let as_digits = u32::from_str_radix(&bits.to_string(), 8).ok();
        // The same digits in both readings (0 to 7) leave nothing to misunderstand.
        let ambiguous = as_digits.is_some_and(|octal| octal != bits && is_sensible(octal));
        if is_sensible(bits) && !ambiguous {
            return Ok(Self::new(bits));
        }
        let reason = if ambiguous {
            format!("the number {bits} is {bits:04o} in octal, not {bits:0>4}")
        } else {
            format!("the number {bits} is {bits:04o} in octal, which is no sensible mode")
        };
        let hint = if ambiguous {
            format!("write it as a quoted octal string: mode: \"{bits:0>4}\"")
        } else {
            QUOTE.to_owned()
        };
        Err(invalid(&bits.to_string(), &reason, &hint))
    }

    /// The bits that a file with the permission bits `current` gets.
    pub fn resolve(&self, current: u32) -> u32 {
        match &self.0 {
            Kind::Exact(bits) => *bits,
            Kind::Symbolic(clauses) => symbolic::apply(clauses, current & 0o7777),
        }
    }
}

/// Nobody has a right that somebody closer to the file lacks, each class can read what it can use, no special bits.
fn is_sensible(bits: u32) -> bool {
    let (owner, group, others) = (bits >> 6 & 7, bits >> 3 & 7, bits & 7);
    let readable = |class: u32| class == 0 || class & 4 != 0;
    bits <= 0o777
        && group & !owner == 0
        && others & !group == 0
        && [owner, group, others].into_iter().all(readable)
}

fn invalid(value: &str, reason: &str, hint: &str) -> Error {
    Error::InvalidMode {
        value: value.to_owned(),
        reason: reason.to_owned(),
        hint: hint.to_owned(),
    }
}

#[cfg(test)]
mod tests;
