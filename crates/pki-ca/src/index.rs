// SPDX-License-Identifier: Apache-2.0
//! `roots/<CA>/index.json`: what an authority has issued and revoked, and whether it is in service.
//!
//! One certificate a line, so that `grep` and `git diff` serve an operator:
//!
//! ```text
//! {
//! "version": 1,
//! "state": "active",
//! "crl_number": 2,
//! "issued": [
//! {"serial":"4A…","not_after":"2027-12-25T06:00:00Z","subject":"CN=web","name":"web"}
//! ],
//! "revoked": [
//! {"serial":"4A…","at":"2026-11-22T06:00:00Z","reason":"keyCompromise"}
//! ]
//! }
//! ```

use std::fmt::Write as _;
use std::str::FromStr;

use pki::crl::{Revocation, RevocationList, RevocationReason};
use pki::{Serial, Timestamp};
use serde::{Deserialize, Serialize};

/// The only version of the file so far.
const VERSION: u32 = 1;

/// Whether an authority signs.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Service {
    /// Signs what names it.
    #[default]
    Present,
    /// Signs what names no authority, too.
    Active,
    /// Signs only its revocation list.
    Retired,
    /// Its own certificate is revoked.
    Revoked,
}

impl Service {
    /// The word in the index, options and results.
    pub fn word(self) -> &'static str {
        match self {
            Self::Present => "present",
            Self::Active => "active",
            Self::Retired => "retired",
            Self::Revoked => "revoked",
        }
    }
}

/// A certificate that was issued.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Issued {
    /// Its number.
    pub serial: Serial,
    /// Its end.
    pub not_after: Timestamp,
    /// Its subject, for people.
    pub subject: String,
    /// The name under which it is kept; none if it was only returned.
    pub name: Option<String>,
}

/// The index of one authority.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Index {
    /// Whether it signs.
    pub service: Service,
    /// The number of the newest revocation list; 0 if there was none.
    pub crl_number: u64,
    /// What it issued and has not expired.
    pub issued: Vec<Issued>,
    /// What it revoked.
    pub revoked: Vec<Revocation>,
}

/// Why an index cannot be read.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct Damage(String);

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    version: u32,
    state: Service,
    crl_number: u64,
    issued: Vec<IssuedLine>,
    revoked: Vec<RevokedLine>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct IssuedLine {
    serial: String,
    not_after: String,
    subject: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    name: Option<String>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct RevokedLine {
    serial: String,
    at: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
}

impl Index {
    /// Reads the file.
    pub fn parse(bytes: &[u8]) -> Result<Self, Damage> {
        let file: File =
            serde_json::from_slice(bytes).map_err(|error| Damage(error.to_string()))?;
        if file.version != VERSION {
            return Err(Damage(format!(
                "its version is {}, this program knows {VERSION}",
                file.version
            )));
        }
        Ok(Self {
            service: file.state,
            crl_number: file.crl_number,
            issued: file
                .issued
                .into_iter()
                .map(IssuedLine::read)
                .collect::<Result<_, _>>()?,
            revoked: file
                .revoked
                .into_iter()
                .map(RevokedLine::read)
                .collect::<Result<_, _>>()?,
        })
    }

    /// The file, one certificate a line.
    pub fn to_bytes(&self) -> Vec<u8> {
        let issued: Vec<_> = self
            .issued
            .iter()
            .map(|entry| line(&IssuedLine::write(entry)))
            .collect();
        let revoked: Vec<_> = self
            .revoked
            .iter()
            .map(|entry| line(&RevokedLine::write(entry)))
            .collect();
        let mut text = String::new();
        let _infallible = write!(
            text,
            "{{\n\"version\": {VERSION},\n\"state\": \"{}\",\n\"crl_number\": {},\n\"issued\": [{}],\n\"revoked\": [{}]\n}}\n",
            self.service.word(),
            self.crl_number,
            block(&issued),
            block(&revoked),
        );
        text.into_bytes()
    }

    /// The revocation of a certificate.
    pub fn revocation(&self, serial: &Serial) -> Option<&Revocation> {
        self.revoked.iter().find(|entry| &entry.serial == serial)
    }

    /// Notes an issued certificate and forgets those that have expired.
    pub fn note_issued(&mut self, entry: Issued, now: Timestamp) {
        self.issued.retain(|old| old.not_after >= now);
        self.issued.push(entry);
    }

    /// Takes in what a list of the same authority says and the index does not know.
    pub fn remember_published(&mut self, list: &RevocationList) {
        self.crl_number = self.crl_number.max(list.number().unwrap_or_default());
        for entry in list.revocations() {
            if self.revocation(&entry.serial).is_none() {
                self.revoked.push(entry.clone());
            }
        }
    }

    /// What is issued, neither expired nor revoked.
    pub fn valid_below(&self, now: Timestamp) -> impl Iterator<Item = &Issued> {
        self.issued
            .iter()
            .filter(move |entry| entry.not_after >= now && self.revocation(&entry.serial).is_none())
    }
}

impl IssuedLine {
    fn read(self) -> Result<Issued, Damage> {
        Ok(Issued {
            serial: value(&self.serial)?,
            not_after: value(&self.not_after)?,
            subject: self.subject,
            name: self.name,
        })
    }

    fn write(entry: &Issued) -> Self {
        Self {
            serial: entry.serial.to_string(),
            not_after: entry.not_after.to_string(),
            subject: entry.subject.clone(),
            name: entry.name.clone(),
        }
    }
}

impl RevokedLine {
    fn read(self) -> Result<Revocation, Damage> {
        let reason = self
            .reason
            .as_deref()
            .map(value::<RevocationReason>)
            .transpose()?;
        Ok(Revocation {
            serial: value(&self.serial)?,
            at: value(&self.at)?,
            reason,
        })
    }

    fn write(entry: &Revocation) -> Self {
        Self {
            serial: entry.serial.to_string(),
            at: entry.at.to_string(),
            reason: entry.reason.as_ref().map(ToString::to_string),
        }
    }
}

fn value<T>(text: &str) -> Result<T, Damage>
where
    T: FromStr,
    T::Err: std::fmt::Display,
{
    text.parse()
        .map_err(|error: T::Err| Damage(error.to_string()))
}

fn line(entry: &impl Serialize) -> String {
    // Structs of strings always serialize.
    serde_json::to_string(entry).unwrap_or_default()
}

fn block(lines: &[String]) -> String {
    if lines.is_empty() {
        return String::new();
    }
    format!("\n{}\n", lines.join(",\n"))
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    fn index() -> Index {
        Index {
            service: Service::Active,
            crl_number: 7,
            issued: vec![Issued {
                serial: "4A01".parse().unwrap(),
                not_after: Timestamp(2_000_000_000),
                subject: "CN=\"quoted\", O=Ü".to_owned(),
                name: Some("web".to_owned()),
            }],
            revoked: vec![Revocation {
                serial: "4B02".parse().unwrap(),
                at: Timestamp(1_700_000_000),
                reason: Some("keyCompromise".parse().unwrap()),
            }],
        }
    }

    #[test]
    fn what_is_written_is_read_again() {
        assert_eq!(Index::parse(&index().to_bytes()).unwrap(), index());
        assert_eq!(
            Index::parse(&Index::default().to_bytes()).unwrap(),
            Index::default()
        );
    }

    #[test]
    fn each_certificate_has_its_line() {
        let text = String::from_utf8(index().to_bytes()).unwrap();
        assert_eq!(text.lines().filter(|line| line.contains("4A01")).count(), 1);
        assert!(text.contains("\"state\": \"active\""), "{text}");
    }

    #[test]
    fn damage_is_not_taken_for_an_empty_index() {
        for bad in [
            "",
            "{}",
            "not json",
            "{\"version\": 2, \"state\": \"present\", \"crl_number\": 0, \"issued\": [], \"revoked\": []}",
        ] {
            assert!(Index::parse(bad.as_bytes()).is_err(), "{bad}");
        }
    }

    #[test]
    fn expired_entries_are_forgotten_when_the_next_is_noted() {
        let mut index = index();
        let new = Issued {
            serial: "4C".parse().unwrap(),
            not_after: Timestamp(3_000_000_000),
            subject: String::new(),
            name: None,
        };
        index.note_issued(new.clone(), Timestamp(2_500_000_000));
        assert_eq!(index.issued, [new]);
    }
}
