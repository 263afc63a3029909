// SPDX-License-Identifier: Apache-2.0
//! A section of its own in a zone file.

use std::path::PathBuf;
use std::time::{Duration, SystemTime};

use ansible_module::{Element, Kind, OptionSpec};
use dns::publish::{Publisher, ZoneFile};
use dns::{Clock, Name};
use serde::Deserialize;

use super::place::{LONGEST_TTL, Place};
use super::{Given, Provider, Way};
use crate::failure::CertificateError;

pub(super) const OPTIONS: &[OptionSpec] = &[
    OptionSpec::new("path", Kind::Path).required(),
    OptionSpec::new("zone", Kind::Str).required(),
    OptionSpec::new("check", Kind::List(Element::Str)),
    OptionSpec::new("reload", Kind::List(Element::Str)),
    OptionSpec::new("keep", Kind::Str).default(r#""60m""#),
    OptionSpec::new("ttl", Kind::Int).default("1"),
    OptionSpec::new("timeout", Kind::Str).default(r#""60s""#),
];

/// The options of a zone file.
#[derive(Debug, Deserialize)]
pub struct Params {
    pub path: String,
    pub zone: String,
    pub check: Option<Vec<String>>,
    pub reload: Option<Vec<String>>,
    pub keep: String,
    pub ttl: i64,
    pub timeout: String,
}

/// The publisher but for its clock.
#[derive(Debug)]
struct Section {
    path: PathBuf,
    zone: Name,
    /// Judges the new file.
    check: Option<Vec<String>>,
    /// Tells the server.
    reload: Option<Vec<String>>,
    /// For how long records of other runs stay.
    keep: Duration,
    /// How long each program may take.
    within: Duration,
}

impl Given for Params {
    const NAME: &'static str = "zone_file";

    fn provider(&self, at: &mut Place<'_>) -> Option<Provider> {
        let path = at.absolute("path", &self.path);
        let zone = at.name("zone", &self.zone);
        for (option, command) in [("check", &self.check), ("reload", &self.reload)] {
            if let Some(command) = command {
                at.command(option, command);
            }
        }
        let keep = at.span("keep", &self.keep);
        let ttl = at.ttl(self.ttl, 0..=LONGEST_TTL);
        let within = at.span("timeout", &self.timeout);
        let way = Section {
            path: path?,
            zone: zone?,
            check: self.check.clone(),
            reload: self.reload.clone(),
            keep,
            within,
        };
        Some(Provider::new(ttl, way))
    }
}

impl Way for Section {
    fn open(&self, now: SystemTime) -> Result<Box<dyn Publisher + Sync>, CertificateError> {
        Ok(Box::new(ZoneFile {
            path: self.path.clone(),
            zone: self.zone.clone(),
            keep: self.keep,
            check: self.check.clone(),
            reload: self.reload.clone(),
            within: self.within,
            clock: Clock::starting_at(now),
        }))
    }
}
