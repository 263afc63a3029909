// SPDX-License-Identifier: Apache-2.0
//! Signed transactions (RFC 8945).

use std::fmt;
use std::str::FromStr;

use pki::{MacHash, MacKey};

use crate::message::{Data, Kind, Malformed, Reader, last_record};
use crate::{Error, Name, Result};

/// How far the clocks may be apart, in seconds (RFC 8945 §10).
pub(crate) const FUDGE: u16 = 300;
/// Where the header has the number of additional records.
const ARCOUNT: std::ops::Range<usize> = 10..12;
/// The class of the record.
const ANY: u16 = 255;
/// Class ANY and TTL 0 of the record, which its code covers too.
const CLASS_AND_TTL: [u8; 6] = [0, 255, 0, 0, 0, 0];

/// The algorithm of a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Algorithm(MacHash);

const ALGORITHMS: [(&str, MacHash); 5] = [
    ("hmac-sha1", MacHash::Sha1),
    ("hmac-sha224", MacHash::Sha224),
    ("hmac-sha256", MacHash::Sha256),
    ("hmac-sha384", MacHash::Sha384),
    ("hmac-sha512", MacHash::Sha512),
];

impl FromStr for Algorithm {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let lower = text.trim_end_matches('.').to_ascii_lowercase();
        let known = ALGORITHMS.iter().find(|(name, _)| *name == lower);
        known
            .map(|(_, hash)| Self(*hash))
            .ok_or_else(|| Error::Configuration {
                what: format!("algorithm '{text}'"),
                why: format!("there are {}", ALGORITHMS.map(|(name, _)| name).join(", ")),
            })
    }
}

impl fmt::Display for Algorithm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = ALGORITHMS.iter().find(|(_, hash)| *hash == self.0);
        f.write_str(name.map_or("", |(name, _)| name))
    }
}

/// A key that a server and we share.
#[derive(Clone, Debug)]
pub struct Key {
    name: Name,
    algorithm: Algorithm,
    /// The algorithm's name on the wire.
    algorithm_name: Name,
    mac: MacKey,
}

/// What was signed: the answer's code covers it.
#[derive(Clone, Debug)]
pub(crate) struct Signed {
    pub(crate) bytes: Vec<u8>,
    pub(crate) mac: Vec<u8>,
    pub(crate) time: u64,
}

/// How an answer's signature was found.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// It is right.
    Right,
    /// There is none.
    Missing,
    /// It says why ours was not accepted, perhaps with its own time.
    Refuses {
        error: u16,
        server_time: Option<u64>,
        signed: bool,
    },
    /// It is not right.
    Wrong(String),
}

/// The content of a TSIG record.
struct Fields {
    algorithm: Name,
    time: u64,
    fudge: u16,
    mac: Vec<u8>,
    original_id: u16,
    error: u16,
    other: Vec<u8>,
}

impl Key {
    /// From its name, and its secret in base64 as `tsig-keygen` writes it.
    ///
    /// # Errors
    /// [`Error::TsigKey`] without the secret, [`Error::Name`].
    pub fn new(name: &str, algorithm: Algorithm, secret: &str) -> Result<Self> {
        let wrong = |why: &str| Error::TsigKey {
            key: name.into(),
            why: why.into(),
        };
        let secret: String = secret.split_whitespace().collect();
        let bytes = data_encoding::BASE64
            .decode(secret.as_bytes())
            .map_err(|_| wrong("its secret is not base64"))?;
        let mac = MacKey::new(algorithm.0, bytes).map_err(|_| wrong("its secret is empty"))?;
        Ok(Self {
            name: name.parse()?,
            algorithm,
            algorithm_name: algorithm.to_string().parse()?,
            mac,
        })
    }

    /// Its name.
    pub fn name(&self) -> &Name {
        &self.name
    }

    /// Its algorithm.
    pub fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    /// How many bytes a signature adds to a message.
    pub(crate) fn overhead(&self) -> usize {
        let fixed = 10 + 6 + 2 + 2 + 2 + 2 + 2;
        self.name.wire().len() + fixed + self.algorithm_name.wire().len() + self.algorithm.0.size()
    }

    /// Adds a signature made at `now`, in seconds since 1970.
    pub(crate) fn sign(&self, message: Vec<u8>, now: u64) -> Result<Signed> {
        let mac = self.code(&[&message, &self.variables(now, FUDGE, 0, &[])])?;
        // The identifier is the first two bytes of any message.
        let id = message.get(..2).unwrap_or_default();
        let content = [
            self.algorithm_name.wire(),
            &time48(now),
            &FUDGE.to_be_bytes(),
            &(mac.len() as u16).to_be_bytes(),
            &mac,
            id,
            &[0; 4],
        ]
        .concat();
        let record = [
            self.name.wire(),
            &Kind::TSIG.0.to_be_bytes(),
            &CLASS_AND_TTL,
            &(content.len() as u16).to_be_bytes(),
            &content,
        ]
        .concat();
        let mut bytes = message;
        count(&mut bytes, 1);
        bytes.extend(record);
        Ok(Signed {
            bytes,
            mac,
            time: now,
        })
    }

    /// Judges the answer to what was signed.
    pub(crate) fn judge(&self, request: &Signed, answer: &[u8], now: u64) -> Result<Verdict> {
        let wrong = |why: &str| Ok(Verdict::Wrong(why.into()));
        let Ok(last) = last_record(answer, Kind::TSIG) else {
            return wrong("it is no DNS message");
        };
        let Some((at, record)) = last else {
            return Ok(Verdict::Missing);
        };
        let fields = fields(&record.data).filter(|_| (record.class, record.ttl) == (ANY, 0));
        let Some(fields) = fields else {
            return wrong("its signature cannot be read");
        };
        if fields.mac.is_empty() && fields.error != 0 {
            // BADSIG and BADKEY come without a code: the server has no key to make one with (RFC 8945 §5.3.2).
            return Ok(refusal(&fields, false));
        }
        if record.name != self.name || fields.algorithm != self.algorithm_name {
            return wrong("it is signed with another key");
        }
        let mut unsigned = answer.get(..at).unwrap_or_default().to_vec();
        count(&mut unsigned, -1);
        if let Some(id) = unsigned.get_mut(..2) {
            id.copy_from_slice(&fields.original_id.to_be_bytes());
        }
        let length = (request.mac.len() as u16).to_be_bytes();
        let variables = self.variables(fields.time, fields.fudge, fields.error, &fields.other);
        let parts: [&[u8]; 4] = [&length, &request.mac, &unsigned, &variables];
        if !self.verify(&parts, &fields.mac)? {
            return wrong("its signature does not fit");
        }
        if fields.error != 0 {
            return Ok(refusal(&fields, true));
        }
        match fields.time.abs_diff(now) <= u64::from(fields.fudge) {
            true => Ok(Verdict::Right),
            false => wrong(&format!(
                "it was signed {} s away from now",
                fields.time.abs_diff(now)
            )),
        }
    }

    /// What the code covers beside the message (RFC 8945 §4.3.3).
    fn variables(&self, time: u64, fudge: u16, error: u16, other: &[u8]) -> Vec<u8> {
        [
            self.name.wire(),
            &CLASS_AND_TTL,
            self.algorithm_name.wire(),
            &time48(time),
            &fudge.to_be_bytes(),
            &error.to_be_bytes(),
            &(other.len() as u16).to_be_bytes(),
            other,
        ]
        .concat()
    }

    fn code(&self, parts: &[&[u8]]) -> Result<Vec<u8>> {
        self.mac.code(parts).map_err(|error| self.unusable(&error))
    }

    fn verify(&self, parts: &[&[u8]], code: &[u8]) -> Result<bool> {
        let verified = self.mac.verify(parts, code);
        verified.map_err(|error| self.unusable(&error))
    }

    fn unusable(&self, error: &pki::Error) -> Error {
        Error::TsigKey {
            key: self.name.to_string(),
            why: error.to_string(),
        }
    }
}

fn refusal(fields: &Fields, signed: bool) -> Verdict {
    Verdict::Refuses {
        error: fields.error,
        server_time: number48(&fields.other),
        signed,
    }
}

fn fields(data: &Data) -> Option<Fields> {
    let Data::Other(bytes) = data else {
        return None;
    };
    let read = |reader: &mut Reader<'_>| -> Result<Fields, Malformed> {
        Ok(Fields {
            algorithm: reader.name()?,
            time: number48(reader.bytes(6)?).unwrap_or(0),
            fudge: reader.short()?,
            mac: counted(reader)?,
            original_id: reader.short()?,
            error: reader.short()?,
            other: counted(reader)?,
        })
    };
    let mut reader = Reader::new(bytes);
    let fields = read(&mut reader).ok()?;
    (reader.at() == bytes.len()).then_some(fields)
}

fn counted(reader: &mut Reader<'_>) -> Result<Vec<u8>, Malformed> {
    let length = usize::from(reader.short()?);
    Ok(reader.bytes(length)?.to_vec())
}

/// 48 bits: enough for some million years.
fn time48(time: u64) -> [u8; 6] {
    let [_, _, bytes @ ..] = time.to_be_bytes();
    bytes
}

fn number48(bytes: &[u8]) -> Option<u64> {
    let bytes: [u8; 6] = bytes.try_into().ok()?;
    Some(
        bytes
            .iter()
            .fold(0, |number, byte| number << 8 | u64::from(*byte)),
    )
}

/// Changes the number of additional records in the header.
fn count(message: &mut [u8], by: i16) {
    if let Some([high, low]) = message.get_mut(ARCOUNT) {
        let changed = u16::from_be_bytes([*high, *low]).wrapping_add_signed(by);
        [*high, *low] = changed.to_be_bytes();
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests;
