// SPDX-License-Identifier: Apache-2.0
//! Object identifiers (ITU-T X.660), and the ones that we name.

use std::fmt;
use std::str::FromStr;

use crate::{Error, Result};

/// An object identifier in dotted form, such as `1.3.6.1.5.5.7.3.1`. Arcs are at most 128 bits long.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Oid(String);

impl Oid {
    /// One that is written correctly in this source; the tests check every one of them.
    pub(crate) fn known(dotted: &'static str) -> Self {
        Self(dotted.to_owned())
    }

    /// The dotted form.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// From the content of a DER OBJECT IDENTIFIER (X.690 §8.19).
    pub fn from_der_content(content: &[u8]) -> Result<Self> {
        let broken = || Error::malformed("object identifier", "its encoding is wrong");
        let mut arcs: Vec<u128> = Vec::new();
        let (mut value, mut started) = (0u128, false);
        for byte in content {
            if (!started && *byte == 0x80) || value.leading_zeros() < 7 {
                return Err(broken());
            }
            value = (value << 7) | u128::from(byte & 0x7f);
            started = byte & 0x80 != 0;
            if !started {
                arcs.push(value);
                value = 0;
            }
        }
        let Some((first, rest)) = arcs.split_first().filter(|_| !started) else {
            return Err(broken());
        };
        let root = (*first / 40).min(2);
        let mut text = format!("{root}.{}", first - root * 40);
        for arc in rest {
            text.push_str(&format!(".{arc}"));
        }
        Ok(Self(text))
    }

    /// The content of the DER OBJECT IDENTIFIER (X.690 §8.19).
    pub fn der_content(&self) -> Vec<u8> {
        let arcs: Vec<u128> = self
            .0
            .split('.')
            .filter_map(|arc| arc.parse().ok())
            .collect();
        let (head, rest) = arcs.split_at(arcs.len().min(2));
        let mut content = Vec::new();
        if let [root, second] = head {
            push_base128(&mut content, root * 40 + second);
        }
        for arc in rest {
            push_base128(&mut content, *arc);
        }
        content
    }
}

fn push_base128(out: &mut Vec<u8>, value: u128) {
    let groups = (128 - value.leading_zeros()).div_ceil(7).max(1);
    for group in (0..groups).rev() {
        let bits = u8::try_from((value >> (group * 7)) & 0x7f).unwrap_or_default();
        out.push(if group == 0 { bits } else { bits | 0x80 });
    }
}

impl FromStr for Oid {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let wrong = |reason: &str| Error::invalid("object identifier", text, reason);
        let canonical = |arc: &str| {
            arc.bytes().all(|b| b.is_ascii_digit()) && (arc == "0" || !arc.starts_with('0'))
        };
        let mut arcs = Vec::new();
        for arc in text.split('.') {
            if !canonical(arc) {
                return Err(wrong(
                    "write numbers with dots between, such as 1.3.6.1.4.1.311.20.2.3",
                ));
            }
            arcs.push(
                arc.parse::<u128>()
                    .map_err(|_| wrong("an arc is longer than 128 bits"))?,
            );
        }
        match arcs.as_slice() {
            [0 | 1, 0..40, ..] => Ok(Self(text.to_owned())),
            [2, second, ..] if *second <= u128::MAX - 80 => Ok(Self(text.to_owned())),
            _ => Err(wrong(
                "it starts with 0, 1 or 2 and has a second arc, below 40 under 0 and 1",
            )),
        }
    }
}

impl fmt::Display for Oid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl PartialEq<str> for Oid {
    fn eq(&self, other: &str) -> bool {
        self.0 == other
    }
}

impl PartialEq<&str> for Oid {
    fn eq(&self, other: &&str) -> bool {
        self.0 == *other
    }
}

#[cfg(test)]
mod tests;
