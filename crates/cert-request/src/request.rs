// SPDX-License-Identifier: Apache-2.0
//! `Params` → [`Request`]: after this nothing is missing, contradictory or unparsed. All faults of the
//! input are collected, each with the path of its option.

mod acme;
mod certmonger;
mod entry;
mod files;
mod issuer;
mod merged;
mod naming;
mod vault;

use std::collections::BTreeMap;
use std::fmt::Display;
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use ansible_module::{Faults, InputFaults};
use pki::Lifetime;

pub use acme::{AcmeSpec, HttpSpec};
pub use certmonger::{CertmongerSpec, Given, SavedFile};
pub use entry::{Entry, EntryName, KeyWish, OnUnreadable, Renew, RenewOn};
pub use files::{Content, FileSpec, Store};
pub use issuer::{IssuerSpec, PrivateCaSpec, ProvidedSpec, Source};
pub use vault::{RevokeOld, VaultSpec};

use crate::params::Params;
use merged::Merged;

/// More workers than this only cost memory.
const MOST_WORKERS: usize = 256;

/// Whether the certificates shall exist.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DesiredState {
    /// They shall be there and valid.
    Present,
    /// Their files shall be gone.
    Absent,
}

/// What one task asks for.
#[derive(Debug)]
pub struct Request {
    /// The wished certificates, in the order given.
    pub entries: Vec<Entry>,
    /// Shall they exist?
    pub state: DesiredState,
    /// Workers at once.
    pub parallel: usize,
    /// Where requests wait for an outside signature.
    pub state_dir: PathBuf,
    /// How long to wait for another run.
    pub lock_timeout: Duration,
}

impl Request {
    /// Checks all options.
    ///
    /// # Errors
    /// All faults of the input at once.
    pub fn try_from_params(params: &Params) -> Result<Self, InputFaults> {
        let mut notes = Notes::default();
        let state = if params.state == "absent" {
            DesiredState::Absent
        } else {
            DesiredState::Present
        };
        let each = params.certificates.iter().enumerate();
        let mut entries: Vec<Entry> = each
            .filter_map(|(index, entry)| {
                let merged = Merged {
                    index,
                    entry,
                    defaults: &params.defaults,
                };
                entry::entry(&merged, state, &mut notes)
            })
            .collect();
        check_names(params, &mut notes);
        check_paths(params, &mut notes);
        let lock_timeout = notes.parsed::<Lifetime>("lock_timeout", &params.lock_timeout);
        let state_dir = notes.absolute("state_dir", &params.state_dir);
        let mut parallel = parallel(params.parallel, &mut notes);
        let is_signed = |entry: &Entry| matches!(entry.issuer, IssuerSpec::Vault(_));
        if params.parallel.is_none() && entries.iter().any(is_signed) {
            // They wait for the server, not for a core.
            parallel = parallel.max(acme::USUAL_WORKERS);
        }
        for entry in &mut entries {
            if let IssuerSpec::Acme(spec) = &mut entry.issuer {
                spec.shared.parallel = match params.parallel {
                    Some(_) => parallel,
                    None => acme::USUAL_WORKERS,
                };
            }
        }
        notes.faults.into_result(Self {
            entries,
            state,
            parallel,
            state_dir: state_dir.unwrap_or_default(),
            lock_timeout: Duration::from_secs(lock_timeout.map_or(0, |wait| wait.0)),
        })
    }
}

/// The faults found so far; one that `defaults` brings into several entries is noted once.
#[derive(Default)]
pub(crate) struct Notes {
    faults: Faults,
    accounts: BTreeMap<(bool, String), Result<u32, String>>,
}

impl Notes {
    pub(crate) fn fault(&mut self, path: impl Into<String>, message: impl Into<String>) {
        let (path, message) = (path.into(), message.into());
        let known = self
            .faults
            .iter()
            .any(|fault| fault.path == path && fault.message == message);
        if !known {
            self.faults.push(path, message);
        }
    }

    /// Parses `text`; a fault is noted at `path`.
    pub(crate) fn parsed<T>(&mut self, path: &str, text: &str) -> Option<T>
    where
        T: FromStr,
        T::Err: Display,
    {
        text.parse()
            .map_err(|error: T::Err| self.fault(path, error.to_string()))
            .ok()
    }

    /// An absolute path without `..`.
    pub(crate) fn absolute(&mut self, path: &str, text: &str) -> Option<PathBuf> {
        let value = PathBuf::from(text);
        if !value.is_absolute() {
            self.fault(
                path,
                format!("'{text}' is not an absolute path; begin it with '/'"),
            );
            return None;
        }
        if value
            .components()
            .any(|part| part == std::path::Component::ParentDir)
        {
            self.fault(
                path,
                format!("'{text}' contains '..'; write the path without it"),
            );
            return None;
        }
        Some(value.components().collect())
    }

    /// A user (`is_group` false) or group; each name is looked up once per task.
    pub(crate) fn account(
        &mut self,
        path: &str,
        name: Option<&str>,
        is_group: bool,
    ) -> Option<u32> {
        let name = name?;
        let known = self
            .accounts
            .entry((is_group, name.to_owned()))
            .or_insert_with(|| {
                let resolve = if is_group {
                    tls_files::accounts::gid
                } else {
                    tls_files::accounts::uid
                };
                resolve(name).map_err(|error| error.to_string())
            });
        match known.clone() {
            Ok(number) => Some(number),
            Err(message) => {
                self.fault(path, message);
                None
            }
        }
    }
}

fn parallel(wished: Option<i64>, notes: &mut Notes) -> usize {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    match wished.map(usize::try_from) {
        None => cores,
        Some(Ok(count)) if (1..=MOST_WORKERS).contains(&count) => count,
        Some(_) => {
            notes.fault("parallel", format!("give 1 to {MOST_WORKERS}"));
            cores
        }
    }
}

fn check_names(params: &Params, notes: &mut Notes) {
    let mut seen = BTreeMap::new();
    for (index, entry) in params.certificates.iter().enumerate() {
        if let Some(first) = seen.insert(entry.name.as_str(), index) {
            let message = format!(
                "'{}' is already the name of certificates[{first}]; give each certificate its own name",
                entry.name
            );
            notes.fault(format!("certificates[{index}].name"), message);
        }
    }
}

/// Each path belongs to one file of one certificate.
fn check_paths(params: &Params, notes: &mut Notes) {
    let mut seen: BTreeMap<PathBuf, String> = BTreeMap::new();
    for (index, entry) in params.certificates.iter().enumerate() {
        let merged = Merged {
            index,
            entry,
            defaults: &params.defaults,
        };
        let Some((files, at)) = merged.pick("files", |entry| entry.files.as_ref()) else {
            continue;
        };
        for (position, file) in files.iter().enumerate() {
            let owner = format!("{} of '{}'", file.content, entry.name);
            let path: PathBuf = PathBuf::from(&file.path).components().collect();
            if let Some(first) = seen.insert(path, owner.clone()) {
                let message = format!(
                    "'{}' is written twice: as {first} and as {owner}; give each its own path",
                    file.path
                );
                notes.fault(format!("{at}[{position}].path"), message);
            }
        }
    }
}
