// SPDX-License-Identifier: Apache-2.0
//! By a section of its own in a zone file, as a hidden primary has it.
//!
//! The rest of the file stays byte for byte as it is, but for the serial. Each record of the section has the time at
//! which it was written; those of other runs stay until they are old, so that runs at once do not erase each other.
//! Readers see the old file or the new one, whatever happens in between.

mod section;
mod serial;

use std::path::{Path, PathBuf};
use std::time::Duration;

use tls_files::{
    Attributes, DirectoryLocks, FileChange, Observed, Target, install, observe, recover,
};
use zeroize::Zeroizing;

use self::section::{Entry, Section};
use crate::clock::Clock;
use crate::message::Text;
use crate::publish::{Published, Publisher, TextRecord};
use crate::{Error, Name, Result, program};

/// How long a run waits for another that writes.
const LOCK_WAIT: Duration = Duration::from_secs(60);

/// A zone file and what belongs to it.
#[derive(Clone, Debug)]
pub struct ZoneFile {
    /// Where.
    pub path: PathBuf,
    /// The zone; records of another one are refused.
    pub zone: Name,
    /// For how long records of other runs stay.
    pub keep: Duration,
    /// A program that judges the new file before it takes the old one's place; it gets it on its standard input:
    /// `["named-checkzone", "-q", "acme.example", "/dev/stdin"]`.
    pub check: Option<Vec<String>>,
    /// A program that tells the server: `["rndc", "reload", "acme.example"]`.
    pub reload: Option<Vec<String>>,
    /// How long each program has.
    pub within: Duration,
    /// What time it is.
    pub clock: Clock,
}

impl ZoneFile {
    /// Writes the file if `change` changes its section.
    fn rewrite(&self, change: impl FnOnce(&mut Section, u64)) -> Result<Published> {
        let directory = self
            .path
            .parent()
            .map_or_else(|| "/".into(), Path::to_path_buf);
        let _lock = DirectoryLocks::acquire([directory.clone()], LOCK_WAIT)?;
        // What a killed run left beside the file.
        recover([directory])?;
        let text = self.read()?;
        let mut section = Section::read(&text).map_err(|why| self.wrong(why))?;
        let now = self.clock.unix();
        let before = section.entries.clone();
        section.forget_before(now.saturating_sub(self.keep.as_secs()));
        change(&mut section, now);
        section.entries.sort();
        let mut done = Published::default();
        if section.entries != before {
            let new = serial::raised(&section.write(), now).map_err(|why| self.wrong(why))?;
            if let Some(check) = &self.check {
                program::run(check, new.as_bytes(), self.within)?;
            }
            done.warnings = self.replace(&new)?;
            done.steps = 1;
        }
        // Also if the file is as it should be: the run that wrote it may not have come so far.
        if let Some(reload) = &self.reload {
            program::run(reload, b"", self.within)?;
        }
        Ok(done)
    }

    fn read(&self) -> Result<String> {
        match observe(&self.path) {
            Observed::Present(file) => String::from_utf8(file.bytes.to_vec())
                .map_err(|_| self.wrong("it is not UTF-8".into())),
            Observed::Absent => Err(self.wrong(
                "it does not exist; write one with SOA and NS records, and let the server load it"
                    .into(),
            )),
            Observed::Unreadable(error) => Err(error.into()),
        }
    }

    /// Owner, group and mode stay.
    fn replace(&self, text: &str) -> Result<Vec<String>> {
        let target = Target {
            path: self.path.clone(),
            attributes: Attributes::default(),
            secret: false,
            backup: false,
        };
        let change = FileChange {
            target,
            content: Zeroizing::new(text.as_bytes().to_vec()),
        };
        let warnings = install("zone", vec![change])?.warnings;
        match self.read()? == text {
            true => Ok(warnings),
            false => Err(self.wrong("something else wrote it at the same time".into())),
        }
    }

    fn entries(&self, records: &[TextRecord], since: u64) -> Result<Vec<Entry>> {
        let entry = |record: &TextRecord| {
            if !record.owner.is_within(&self.zone) {
                let (owner, zone) = (&record.owner, &self.zone);
                return Err(self.wrong(format!("'{owner}' is not in its zone '{zone}'")));
            }
            Ok(Entry {
                owner: record.owner.clone(),
                text: Text::from_value(record.value.as_bytes()).to_string(),
                ttl: record.ttl,
                since,
            })
        };
        records.iter().map(entry).collect()
    }

    fn wrong(&self, why: String) -> Error {
        Error::ZoneFile {
            path: self.path.clone(),
            why,
        }
    }
}

impl Publisher for ZoneFile {
    fn name(&self) -> &'static str {
        "zone_file"
    }

    fn publish(&self, records: &[TextRecord]) -> Result<Published> {
        let entries = self.entries(records, self.clock.unix())?;
        // One that is young stays as it is, so that doing it again changes nothing.
        let half = self.keep.as_secs() / 2;
        self.rewrite(|section, now| section.add(entries, now.saturating_sub(half)))
    }

    fn withdraw(&self, records: &[TextRecord]) -> Result<Published> {
        let entries = self.entries(records, 0)?;
        self.rewrite(|section, _| section.remove(&entries))
    }
}
