// SPDX-License-Identifier: Apache-2.0
//! Serial numbers of certificates.

use std::fmt;
use std::str::FromStr;

use crate::{Error, Result};

/// A certificate's serial number. Displays as upper-case hexadecimal without colons, two digits a byte.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Serial {
    /// The content of the DER INTEGER: two's complement, shortest form.
    content: Vec<u8>,
}

impl Serial {
    /// 20 bytes of the system's random numbers with the top bit clear and the next one set: positive, of
    /// constant length, 158 random bits (RFC 5280 §4.1.2.2 wants uniqueness and at most 20 bytes, the
    /// CA/Browser Forum at least 64 random bits).
    pub fn random() -> Result<Self> {
        let mut content = vec![0; 20];
        openssl::rand::rand_bytes(&mut content).map_err(Error::crypto("draw random numbers"))?;
        content[0] = content[0] & 0x7f | 0x40;
        Ok(Self { content })
    }

    /// The content of the DER INTEGER.
    pub fn der_content(&self) -> &[u8] {
        &self.content
    }

    /// From the content of a DER INTEGER. Zero, negative and overlong numbers are taken as they are:
    /// RFC 5280 asks to be able to handle them.
    pub fn from_der_content(content: &[u8]) -> Result<Self> {
        if content.is_empty() {
            return Err(Error::malformed("serial number", "it has no bytes"));
        }
        let mut rest = content;
        while let [first @ (0 | 0xff), second, ..] = rest
            && (second & 0x80 != 0) == (*first == 0xff)
        {
            rest = &rest[1..];
        }
        Ok(Self {
            content: rest.to_vec(),
        })
    }

    /// From the bytes of a positive number, most significant first.
    pub fn from_magnitude(magnitude: &[u8]) -> Result<Self> {
        let mut content = vec![0];
        content.extend_from_slice(magnitude);
        Self::from_der_content(&content)
    }

    /// Whether it is above zero, as RFC 5280 wants.
    pub fn is_positive(&self) -> bool {
        self.content[0] & 0x80 == 0 && self.content != [0]
    }

    /// The absolute value, most significant byte first, without leading zeros (one zero byte for zero).
    fn magnitude(&self) -> Vec<u8> {
        let mut bytes = self.content.clone();
        if bytes[0] & 0x80 != 0 {
            let mut carry = true;
            for byte in bytes.iter_mut().rev() {
                let (next, overflow) = (!*byte).overflowing_add(u8::from(carry));
                (*byte, carry) = (next, overflow);
            }
        }
        let zeros = bytes
            .iter()
            .take_while(|byte| **byte == 0)
            .count()
            .min(bytes.len() - 1);
        bytes.split_off(zeros)
    }
}

impl fmt::Display for Serial {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.content[0] & 0x80 != 0 {
            f.write_str("-")?;
        }
        self.magnitude()
            .iter()
            .try_for_each(|byte| write!(f, "{byte:02X}"))
    }
}

/// Hexadecimal only, with or without colons, any case; `10` is sixteen.
impl FromStr for Serial {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let wrong = |reason: &str| Error::invalid("serial number", text, reason);
        let digits: String = text.trim().chars().filter(|c| *c != ':').collect();
        if digits.is_empty() || !digits.bytes().all(|b| b.is_ascii_hexdigit()) {
            return Err(wrong(
                "write it in hexadecimal, such as 5D0E41 or 5D:0E:41 (decimal is not accepted)",
            ));
        }
        let even = if digits.len().is_multiple_of(2) {
            digits
        } else {
            format!("0{digits}")
        };
        let magnitude: Vec<u8> = (0..even.len())
            .step_by(2)
            .filter_map(|at| u8::from_str_radix(&even[at..at + 2], 16).ok())
            .collect();
        let serial = Self::from_magnitude(&magnitude)?;
        if !serial.is_positive() || serial.content.len() > 20 {
            return Err(wrong(
                "it must be positive and at most 20 bytes long (RFC 5280 §4.1.2.2)",
            ));
        }
        Ok(serial)
    }
}

#[cfg(test)]
mod tests;
