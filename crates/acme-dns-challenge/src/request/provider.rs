// SPDX-License-Identifier: Apache-2.0
//! How records are published.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::{Duration, SystemTime};

use ansible_module::Faults;
use dns::publish::{Hook, Publisher, Rfc2136, ZoneFile};
use dns::tsig::{Algorithm, Key};
use dns::update::Updater;
use dns::{Clock, Name};
use tls_files::Observed;
use zeroize::Zeroizing;

use super::{absolute, name, span};
use crate::failure::CertificateError;
use crate::params::{HookParams, ProviderParams, Rfc2136Params, ZoneFileParams};

/// A secret, or where it is.
pub enum Secret {
    /// Given.
    Given(Zeroizing<String>),
    /// In a file, read when the task runs.
    File(PathBuf),
}

/// Shows no secret.
impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Given(_) => f.write_str("Given(elided)"),
            Self::File(path) => write!(f, "File({})", path.display()),
        }
    }
}

/// A way to publish.
#[derive(Debug)]
pub enum Provider {
    /// Dynamic updates.
    Rfc2136 {
        /// The primary server.
        server: SocketAddr,
        /// The zone to name in updates.
        zone: Option<Name>,
        /// Who signs.
        key: Option<(String, Algorithm, Secret)>,
        /// For how long records may be kept.
        ttl: u32,
        /// How long one message may take.
        within: Duration,
    },
    /// A zone file.
    ZoneFile {
        /// The publisher but for its clock.
        path: PathBuf,
        /// Its zone.
        zone: Name,
        /// Judges the new file.
        check: Option<Vec<String>>,
        /// Tells the server.
        reload: Option<Vec<String>>,
        /// For how long records of other runs stay.
        keep: Duration,
        /// For how long records may be kept.
        ttl: u32,
        /// How long each program may take.
        within: Duration,
    },
    /// A program.
    Hook {
        /// The program and its arguments.
        command: Vec<String>,
        /// For how long records may be kept.
        ttl: u32,
        /// How long it may take.
        within: Duration,
    },
}

impl Provider {
    /// For how long records may be kept.
    pub fn ttl(&self) -> u32 {
        match self {
            Self::Rfc2136 { ttl, .. } | Self::ZoneFile { ttl, .. } | Self::Hook { ttl, .. } => *ttl,
        }
    }

    /// Ready to publish.
    ///
    /// # Errors
    /// What is wrong with its secret.
    pub fn open(&self, now: SystemTime) -> Result<Box<dyn Publisher + Sync>, CertificateError> {
        let clock = Clock::starting_at(now);
        Ok(match self {
            Self::Rfc2136 {
                server,
                zone,
                key,
                within,
                ..
            } => {
                let key = key.as_ref().map(|(name, algorithm, secret)| {
                    Ok::<_, CertificateError>(Key::new(name, *algorithm, &secret.read()?)?)
                });
                let updater = Updater {
                    server: *server,
                    key: key.transpose()?,
                    within: *within,
                    clock,
                };
                let zone = zone.clone();
                Box::new(Rfc2136 { updater, zone })
            }
            Self::ZoneFile {
                path,
                zone,
                check,
                reload,
                keep,
                within,
                ..
            } => Box::new(ZoneFile {
                path: path.clone(),
                zone: zone.clone(),
                keep: *keep,
                check: check.clone(),
                reload: reload.clone(),
                within: *within,
                clock,
            }),
            Self::Hook {
                command, within, ..
            } => Box::new(Hook {
                command: command.clone(),
                within: *within,
            }),
        })
    }
}

impl Secret {
    fn read(&self) -> Result<Zeroizing<String>, CertificateError> {
        let path = match self {
            Self::Given(text) => return Ok(text.clone()),
            Self::File(path) => path,
        };
        let unreadable = |reason: String| CertificateError::Unreadable {
            what: "the secret of the provider",
            path: path.clone(),
            reason,
        };
        match tls_files::observe(path) {
            Observed::Present(file) => String::from_utf8(file.bytes.to_vec())
                .map(Zeroizing::new)
                .map_err(|_| unreadable(String::from("it is not text"))),
            Observed::Absent => Err(unreadable(String::from("it does not exist"))),
            Observed::Unreadable(error) => Err(unreadable(error.to_string())),
        }
    }
}

pub(super) fn provider(given: &ProviderParams, faults: &mut Faults) -> Option<Provider> {
    match (&given.rfc2136, &given.zone_file, &given.hook) {
        (Some(given), None, None) => rfc2136(given, faults),
        (None, Some(given), None) => zone_file(given, faults),
        (None, None, Some(given)) => hook(given, faults),
        _ => {
            faults.push("provider", "give exactly one of rfc2136, zone_file, hook");
            None
        }
    }
}

fn rfc2136(given: &Rfc2136Params, faults: &mut Faults) -> Option<Provider> {
    let at = "provider.rfc2136";
    let server = dns::resolver::server_address(&given.server)
        .map_err(|error| faults.push(format!("{at}.server"), error.to_string()))
        .ok();
    let zone = given.zone.as_deref();
    let zone = zone.and_then(|zone| name(&format!("{at}.zone"), zone, faults));
    let algorithm = given
        .algorithm
        .parse::<Algorithm>()
        .map_err(|error| faults.push(format!("{at}.algorithm"), error.to_string()))
        .ok();
    let key = match (&given.key_name, &given.secret, &given.secret_file) {
        (None, None, None) => None,
        (Some(name), Some(text), None) => {
            let text = Zeroizing::new(text.expose().clone());
            Some((name.clone(), algorithm?, Secret::Given(text)))
        }
        (Some(name), None, Some(path)) => {
            let path = absolute(&format!("{at}.secret_file"), path, faults)?;
            Some((name.clone(), algorithm?, Secret::File(path)))
        }
        _ => {
            let rule = "a key has a 'key_name' and exactly one of 'secret' and 'secret_file'";
            faults.push(at, rule);
            None
        }
    };
    Some(Provider::Rfc2136 {
        server: server?,
        zone,
        key,
        ttl: ttl(at, given.ttl, faults),
        within: span(&format!("{at}.timeout"), &given.timeout, faults),
    })
}

fn zone_file(given: &ZoneFileParams, faults: &mut Faults) -> Option<Provider> {
    let at = "provider.zone_file";
    let path = absolute(&format!("{at}.path"), &given.path, faults);
    let zone = name(&format!("{at}.zone"), &given.zone, faults);
    for (option, command) in [("check", &given.check), ("reload", &given.reload)] {
        if let Some(command) = command {
            check_command(&format!("{at}.{option}"), command, faults);
        }
    }
    Some(Provider::ZoneFile {
        path: path?,
        zone: zone?,
        check: given.check.clone(),
        reload: given.reload.clone(),
        keep: span(&format!("{at}.keep"), &given.keep, faults),
        ttl: ttl(at, given.ttl, faults),
        within: span(&format!("{at}.timeout"), &given.timeout, faults),
    })
}

fn hook(given: &HookParams, faults: &mut Faults) -> Option<Provider> {
    let at = "provider.hook";
    check_command(&format!("{at}.command"), &given.command, faults);
    Some(Provider::Hook {
        command: given.command.clone(),
        ttl: ttl(at, given.ttl, faults),
        within: span(&format!("{at}.timeout"), &given.timeout, faults),
    })
}

fn check_command(at: &str, command: &[String], faults: &mut Faults) {
    if command.first().is_none_or(String::is_empty) {
        faults.push(
            at,
            "name a program, then its arguments, each an element of the list",
        );
    }
}

/// RFC 2181 §8 allows 31 bits; a record for a minute's work needs no more than a day.
fn ttl(at: &str, given: i64, faults: &mut Faults) -> u32 {
    match u32::try_from(given) {
        Ok(ttl) if ttl <= 86_400 => ttl,
        _ => {
            faults.push(format!("{at}.ttl"), "give 0 to 86400 seconds");
            0
        }
    }
}
