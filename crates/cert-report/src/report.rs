// SPDX-License-Identifier: Apache-2.0
//! What one host found out, as it travels.

use std::collections::{HashMap, HashSet};

use serde::{Deserialize, Serialize};

use crate::{Error, Moment, Result};

/// The version of the form that is written here. It rises when an old reader would misunderstand a new report; a new
/// field alone does not raise it.
pub const VERSION: u32 = 1;

/// What the check of one host found. Fields that a reader does not know are passed over.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Report {
    /// [`VERSION`].
    pub version: u32,
    /// When the check ended.
    pub generated_at: Moment,
    /// Where it ran.
    pub host: String,
    /// The endpoints, as they were asked for.
    #[serde(default)]
    pub endpoints: Vec<Endpoint>,
    /// The files, as they were asked for.
    #[serde(default)]
    pub files: Vec<FileEntry>,
    /// Keys that more than one service uses.
    #[serde(default)]
    pub shared_keys: Vec<SharedKey>,
    /// Certificates of files that no endpoint serves.
    #[serde(default)]
    pub unserved: Vec<Unserved>,
}

impl Report {
    /// An empty one, of the present version.
    pub fn new(host: impl Into<String>, generated_at: Moment) -> Self {
        Self {
            version: VERSION,
            generated_at,
            host: host.into(),
            endpoints: Vec::new(),
            files: Vec::new(),
            shared_keys: Vec::new(),
            unserved: Vec::new(),
        }
    }

    /// Reads one.
    ///
    /// # Errors
    /// It is none, or a newer program wrote it.
    pub fn read(json: &[u8]) -> Result<Self> {
        let report: Self = serde_json::from_slice(json).map_err(Error::NotAReport)?;
        if report.version > VERSION {
            return Err(Error::TooNew {
                host: report.host,
                found: report.version,
                known: VERSION,
            });
        }
        Ok(report)
    }

    /// Whether there was anything to look at.
    pub fn looked(&self) -> bool {
        !self.endpoints.is_empty() || !self.files.is_empty()
    }

    /// Service, host and port of endpoints that only their addresses tell apart.
    pub fn at_several_addresses(&self) -> HashSet<(&str, &str, u16)> {
        let mut addresses = HashMap::new();
        let mut several = HashSet::new();
        for endpoint in &self.endpoints {
            let place = endpoint.place();
            let address = endpoint.address.as_deref();
            if *addresses.entry(place).or_insert(address) != address {
                several.insert(place);
            }
        }
        several
    }

    /// The worst of everything in it.
    pub fn level(&self) -> Level {
        let endpoints = self.endpoints.iter().map(|endpoint| endpoint.status);
        let files = self.files.iter().map(|file| file.status);
        endpoints.chain(files).max().unwrap_or_default()
    }
}

/// How bad something is.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    /// As it should be.
    #[default]
    Ok,
    /// Will be a failure soon, or should be better.
    Warn,
    /// Clients fail, or will at once.
    Fail,
}

impl Level {
    /// The word for reports and options.
    pub fn word(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Warn => "warn",
            Self::Fail => "fail",
        }
    }
}

/// One thing that was found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finding {
    /// A stable word, like `expires_soon`, `name_mismatch` or `probe.connect`.
    pub kind: String,
    /// How bad it is.
    pub level: Level,
    /// For people: what, on what, why, and what to do.
    pub detail: String,
}

/// One server at one address.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Endpoint {
    /// What the user calls the service; what names its certificate if nothing was said.
    pub service: String,
    /// The name or address that was asked for.
    pub host: String,
    /// The address that answered, or the one that was tried last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub address: Option<String>,
    /// The port.
    pub port: u16,
    /// The server name that was sent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sni: Option<String>,
    /// `tls`, or the protocol that went over to TLS: `smtp`, `postgres`, `vnc`.
    pub protocol: String,
    /// The worst of the findings.
    #[serde(default)]
    pub status: Level,
    /// What was found; empty if all is well.
    #[serde(default)]
    pub findings: Vec<Finding>,
    /// What was served, in the order in which it came: the server's own certificate first. Empty if none came.
    #[serde(default)]
    pub chain: Vec<Certificate>,
    /// The root that the chain leads to, if one of the trusted ones.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trusted_by: Option<Anchor>,
    /// When the first ends of those that clients need: its own certificate, the root, and what is between.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub chain_not_after: Option<Moment>,
    /// Who answered, if it is a process of this host.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub served_by: Option<ServedBy>,
    /// How long it took.
    #[serde(default)]
    pub seconds: f64,
}

/// Facts of one certificate.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Certificate {
    /// The subject, as RFC 4514 writes it.
    pub subject: String,
    /// The issuer, written the same way.
    pub issuer: String,
    /// DNS names, addresses and others it is good for.
    #[serde(default)]
    pub names: Vec<String>,
    /// Valid from.
    pub not_before: Moment,
    /// Valid until.
    pub not_after: Moment,
    /// Hexadecimal.
    pub serial: String,
    /// SHA-256 of the whole, hexadecimal: what tells two certificates apart.
    pub fingerprint_sha256: String,
    /// Its public key.
    pub key: Key,
    /// How the issuer signed: `ecdsa-with-SHA256`.
    #[serde(default)]
    pub signature: String,
}

/// A public key.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Key {
    /// `rsa`, `ecdsa`, `ed25519`.
    pub algorithm: String,
    /// Its size.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bits: Option<u32>,
    /// The curve, where there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub curve: Option<String>,
    /// SHA-256 of the SubjectPublicKeyInfo, hexadecimal: equal where a key is shared.
    #[serde(default)]
    pub sha256: String,
}

/// A trusted root.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Anchor {
    /// Its subject.
    pub subject: String,
    /// Its fingerprint.
    pub fingerprint_sha256: String,
    /// Valid until.
    pub not_after: Moment,
}

/// Who answers at an endpoint.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ServedBy {
    /// The name of the program.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub process: Option<String>,
    /// Its number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pid: Option<i32>,
    /// The container that it lives in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub container: Option<String>,
}

/// A certificate in a file.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileEntry {
    /// What the user calls the service that uses it; empty if nothing was said.
    #[serde(default)]
    pub service: String,
    /// Where it is.
    pub path: String,
    /// The worst of the findings.
    #[serde(default)]
    pub status: Level,
    /// What was found; empty if all is well.
    #[serde(default)]
    pub findings: Vec<Finding>,
    /// The certificates of the file, in its order. Empty if it could not be read.
    #[serde(default)]
    pub chain: Vec<Certificate>,
    /// The root that the chain leads to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trusted_by: Option<Anchor>,
    /// The endpoints of this report that serve it, as `host:port`.
    #[serde(default)]
    pub served_at: Vec<String>,
}

/// A key that more than one service uses.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SharedKey {
    /// [`Key::sha256`].
    pub sha256: String,
    /// Who: `service at host:port`, or a path.
    pub users: Vec<String>,
}

/// A certificate that no endpoint of the report serves.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Unserved {
    /// Its file.
    pub path: String,
    /// Its subject.
    pub subject: String,
    /// Its fingerprint.
    pub fingerprint_sha256: String,
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]

    use super::*;

    #[test]
    fn a_report_with_the_least_is_read() {
        let report = Report::read(
            br#"{"version": 1, "generated_at": "2026-11-26T09:00:00Z", "host": "a", "later": 1}"#,
        )
        .unwrap();
        assert_eq!(report, Report::new("a", Moment(1_795_683_600)));
        assert_eq!(report.level(), Level::Ok);
    }

    #[test]
    fn a_newer_report_is_refused_by_name() {
        let error =
            Report::read(br#"{"version": 2, "generated_at": "2026-11-26T09:00:00Z", "host": "a"}"#)
                .unwrap_err();
        assert_eq!(error.kind(), "report.too_new");
        assert!(error.to_string().contains("'a' has version 2"), "{error}");
    }

    #[test]
    fn what_is_no_report_is_refused() {
        assert_eq!(Report::read(b"[]").unwrap_err().kind(), "report.invalid");
        assert_eq!(
            Report::read(b"{\"version\": 1}").unwrap_err().kind(),
            "report.invalid"
        );
    }

    #[test]
    fn the_level_is_the_worst_of_all() {
        let mut report = Report::new("a", Moment(0));
        report.endpoints.push(Endpoint {
            status: Level::Warn,
            ..Endpoint::default()
        });
        report.files.push(FileEntry {
            status: Level::Fail,
            ..FileEntry::default()
        });
        assert_eq!(report.level(), Level::Fail);
        assert!(Level::Ok < Level::Warn && Level::Warn < Level::Fail);
    }

    #[test]
    fn a_report_travels() {
        let mut report = Report::new("a", Moment(0));
        report.endpoints.push(Endpoint {
            chain: vec![Certificate::default()],
            findings: vec![Finding {
                kind: "expired".into(),
                level: Level::Fail,
                detail: "x".into(),
            }],
            ..Endpoint::default()
        });
        let json = serde_json::to_vec(&report).unwrap();
        assert_eq!(Report::read(&json).unwrap(), report);
    }
}
