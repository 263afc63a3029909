// SPDX-License-Identifier: Apache-2.0
//! The daemons of a task, usually one; each is read once, for all certificates.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use certmonger::{Authority, Daemon, Place, Start, Tracked};

use super::KeptError;
use crate::failure::EntryError;
use crate::request::{CertmongerSpec, Entry, IssuerSpec};

/// certmonger answers at once unless it is reading tokens or the machine stands still.
const ANSWER_WITHIN: Duration = Duration::from_secs(30);

/// What was read of one daemon, and the connection to it.
pub(super) struct Book {
    daemon: Mutex<Daemon>,
    /// Everything that it tracks.
    pub(super) requests: Vec<Tracked>,
    authorities: BTreeMap<String, Option<Authority>>,
    known: String,
}

impl Book {
    fn open(place: &Place, start: Start, authorities: &[&str]) -> Result<Self, KeptError> {
        let mut daemon = Daemon::connect(place, start, ANSWER_WITHIN)?;
        let requests = daemon.requests()?;
        let mut found = BTreeMap::new();
        for nickname in authorities {
            found.insert((*nickname).to_owned(), daemon.authority(nickname)?);
        }
        let known = if found.values().any(Option::is_none) {
            let all = daemon.authorities()?;
            let names: Vec<&str> = all.iter().map(|ca| ca.nickname.as_str()).collect();
            names.join(", ")
        } else {
            String::new()
        };
        Ok(Self {
            daemon: Mutex::new(daemon),
            requests,
            authorities: found,
            known,
        })
    }

    /// One of the authorities that were asked for.
    pub(super) fn authority(&self, nickname: &str) -> Result<&Authority, KeptError> {
        let found = self.authorities.get(nickname).and_then(Option::as_ref);
        found.ok_or_else(|| KeptError::UnknownCa {
            ca: nickname.to_owned(),
            known: self.known.clone(),
        })
    }

    /// The connection.
    pub(super) fn daemon(&self) -> MutexGuard<'_, Daemon> {
        self.daemon.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// All daemons that the entries name.
#[derive(Default)]
pub struct Daemons {
    environment: Option<Result<Place, EntryError>>,
    books: BTreeMap<Place, Result<Book, EntryError>>,
}

impl Daemons {
    /// Connects and reads. Where there is no certmonger, only its entries fail.
    ///
    /// `private` and `bus` are the variables `CERTMONGER_PVT_ADDRESS` and `DBUS_SYSTEM_BUS_ADDRESS`.
    pub fn open(entries: &[Entry], start: Start, private: Option<&str>, bus: Option<&str>) -> Self {
        let specs: Vec<&CertmongerSpec> = entries
            .iter()
            .filter_map(|entry| match &entry.issuer {
                IssuerSpec::Certmonger(spec) => Some(spec.as_ref()),
                _ => None,
            })
            .collect();
        let mut daemons = Self {
            environment: Some(Place::from_environment(private, bus).map_err(from)),
            books: BTreeMap::new(),
        };
        let mut wanted: BTreeMap<Place, Vec<&str>> = BTreeMap::new();
        for spec in specs {
            if let Ok(place) = daemons.place(spec) {
                let authorities = wanted.entry(place).or_default();
                if !authorities.contains(&spec.ca.as_str()) {
                    authorities.push(&spec.ca);
                }
            }
        }
        for (place, authorities) in wanted {
            let book = Book::open(&place, start, &authorities).map_err(EntryError::from);
            daemons.books.insert(place, book);
        }
        daemons
    }

    /// Where the daemon of an entry is.
    pub(super) fn place(&self, spec: &CertmongerSpec) -> Result<Place, KeptError> {
        match (&spec.address, &self.environment) {
            (Some(address), _) => Ok(Place::Private(address.clone())),
            (None, Some(Ok(place))) => Ok(place.clone()),
            (None, Some(Err(error))) => Err(KeptError::Told(Box::new(error.share()))),
            (None, None) => Ok(Place::from_environment(None, None)?),
        }
    }

    /// What was read of the daemon of an entry.
    pub(super) fn book(&self, spec: &CertmongerSpec) -> Result<&Book, KeptError> {
        self.at(&self.place(spec)?)
    }

    /// What was read of a daemon.
    pub(super) fn at(&self, place: &Place) -> Result<&Book, KeptError> {
        match self.books.get(place) {
            Some(Ok(book)) => Ok(book),
            Some(Err(error)) => Err(KeptError::Told(Box::new(error.share()))),
            None => Err(KeptError::Daemon(certmonger::Error::NotRunning {
                said: String::from("it was not asked"),
            })),
        }
    }

    /// Stops tracking whatever writes one of these files; returns whether there was anything.
    ///
    /// # Errors
    /// That the daemon cannot be asked.
    pub fn stop_tracking(
        &self,
        spec: &CertmongerSpec,
        is_ours: impl Fn(&Tracked) -> bool,
        is_rehearsal: bool,
    ) -> Result<bool, KeptError> {
        let book = self.book(spec)?;
        let mut found = false;
        for request in book.requests.iter().filter(|request| is_ours(request)) {
            found = true;
            if !is_rehearsal {
                book.daemon().remove(&request.path)?;
            }
        }
        Ok(found)
    }
}

fn from(error: certmonger::Error) -> EntryError {
    EntryError::from(KeptError::from(error))
}
