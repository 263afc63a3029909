// SPDX-License-Identifier: Apache-2.0
//! The ACME servers of a task: each is asked for its directory once, whoever needs it first, and shared by all
//! certificates with the same settings.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Instant, SystemTime};

use acme::{RenewalInfo, Server};
use acme_dns_challenge::account::{self, Missing, Opened};
use acme_dns_challenge::failure::CertificateError;
use acme_dns_challenge::task::authority;
use pki::{Certificate, Timestamp};

use super::Place;
use crate::failure::EntryError;
use crate::request::AcmeSpec;

/// What is known of a server.
#[derive(Default)]
struct Known {
    server: Option<Result<Arc<Server>, EntryError>>,
    is_silent: bool,
}

/// The servers by their group.
pub struct Servers {
    begun: SystemTime,
    since: Instant,
    known: Mutex<BTreeMap<[u8; 32], Known>>,
}

impl Servers {
    /// None asked yet.
    pub fn new(begun: SystemTime) -> Self {
        Self {
            begun,
            since: Instant::now(),
            known: Mutex::default(),
        }
    }

    /// The present: orders take their time.
    pub fn now(&self) -> SystemTime {
        self.begun + self.since.elapsed()
    }

    /// The server; its directory is read once.
    ///
    /// # Errors
    /// Why it could not be read, the same for all.
    pub fn server(&self, spec: &AcmeSpec) -> Result<Arc<Server>, EntryError> {
        // Held while it is asked: the others would only ask the same.
        let mut all = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let known = all.entry(spec.group).or_default();
        let server = known.server.get_or_insert_with(|| {
            account::server(&spec.shared, &spec.authority, self.now()).map_err(EntryError::from)
        });
        match server {
            Ok(server) => Ok(Arc::clone(server)),
            Err(error) => Err(error.share()),
        }
    }

    /// The account, and what was changed on the way to it.
    ///
    /// # Errors
    /// That there is none, or not the one that was pinned.
    pub fn account(&self, spec: &AcmeSpec) -> Result<Opened, EntryError> {
        let server = self.server(spec)?;
        let wish = spec.authority.account.as_ref();
        // The table of options requires its key, so there is one.
        let wish = wish.ok_or_else(|| CertificateError::NoAccount(PathBuf::new()))?;
        Ok(account::account(&server, wish, Missing::Make)?)
    }

    /// When the server would like a certificate to be renewed, asked no more often than it wants; and a warning if it
    /// could not be asked, which does no harm: the lifetime tells. It is not asked for the next ones then.
    pub fn suggestion(
        &self,
        spec: &AcmeSpec,
        place: &Place,
        certificate: &Certificate,
        may_write: bool,
    ) -> (Option<RenewalInfo>, Option<String>) {
        let path = place.renewal();
        let before = authority::load(&path);
        if before
            .as_ref()
            .is_some_and(|info| info.holds_at(Timestamp::from(self.now())))
            || self.is_silent(spec)
        {
            return (before, None);
        }
        let asked = self.server(spec).and_then(|server| {
            server
                .renewal_info(certificate)
                .map_err(|error| EntryError::from(CertificateError::from(error)))
        });
        match asked {
            Ok(info) => {
                if may_write {
                    authority::save(&path, &info);
                }
                (Some(info), None)
            }
            Err(error) if error.kind() == "acme.unsupported" => (None, None),
            Err(error) => {
                self.note_silence(spec);
                let warning = ansible_module::flatten(&error);
                let warning = format!("the server was not asked when to renew: {warning}");
                (before, Some(warning))
            }
        }
    }

    fn is_silent(&self, spec: &AcmeSpec) -> bool {
        let all = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        all.get(&spec.group).is_some_and(|known| known.is_silent)
    }

    fn note_silence(&self, spec: &AcmeSpec) {
        let mut all = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        all.entry(spec.group).or_default().is_silent = true;
    }
}
