// SPDX-License-Identifier: Apache-2.0
//! The certificate authority, and the account that asks it.

pub mod next_key;

use std::path::Path;
use std::sync::Arc;
use std::time::SystemTime;

use acme::{Account, AccountFacts, Registration, RunningClock, Server};
use ansible_module::flatten;
use pki::{Curve, KeyAlgorithm, KeyFormat, PrivateKey};
use tls_files::{Attributes, FileChange, Observed, Target};
use web::{Client, Settings, Trust};
use zeroize::Zeroizing;

use crate::failure::CertificateError;
use crate::records::Dns;
use crate::request::{AccountWish, Authority, Request};

/// Reads the directory of the server.
///
/// # Errors
/// Whatever keeps it from being read.
pub fn server(
    request: &Request,
    authority: &Authority,
    now: SystemTime,
) -> Result<Arc<Server>, CertificateError> {
    let trust = match &authority.ca_file {
        Some(path) => Trust::Also(text(path, "the authorities of the server")?.to_vec()),
        None => Trust::System,
    };
    let settings = Settings {
        timeout: request.http_timeout,
        trust,
        resolver: Arc::new(Dns::new(request).resolver()),
        ..Settings::default()
    };
    let web = Client::new(&settings).map_err(|error| match (error, &authority.ca_file) {
        // The client has seen bytes only.
        (
            web::Error::Setting {
                what: "CA file",
                reason,
            },
            Some(path),
        ) => CertificateError::Unreadable {
            what: "the authorities of the server",
            path: path.clone(),
            reason,
        },
        (error, _) => acme::Error::from(error).into(),
    })?;
    let clock = Arc::new(RunningClock::set(now));
    let server = Server::open(web, &authority.directory, clock, request.patience)?;
    Ok(Arc::new(server))
}

/// An account that may be used, and what was changed on the way to it.
#[derive(Debug)]
pub struct Opened {
    /// The account.
    pub account: Account,
    /// What was changed.
    pub changes: Vec<Change>,
}

/// What was changed of an account, or of the file of its key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    /// Its contacts are others.
    Contact,
    /// It was given up.
    Deactivated,
    /// The key of another program's account was taken over.
    Imported,
    /// A key was made.
    KeyMade,
    /// It has another key.
    RolledOver,
}

impl Change {
    /// As it is answered.
    pub fn word(self) -> &'static str {
        match self {
            Self::Contact => "contact",
            Self::Deactivated => "deactivated",
            Self::Imported => "imported",
            Self::KeyMade => "key_made",
            Self::RolledOver => "rolled_over",
        }
    }
}

/// Who may make an account.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Missing {
    /// It is made, if the user allows it.
    Make,
    /// There must be one: what is to be done needs what it has done.
    Refuse,
}

/// Opens the account: the one of the key file, of a change of keys that was cut off, of another program, or a new one.
///
/// # Errors
/// A key that is missing and shall not be made, an account that is gone or is not the pinned one.
pub fn account(
    server: &Arc<Server>,
    wish: &AccountWish,
    missing: Missing,
) -> Result<Opened, CertificateError> {
    let mut changes = Vec::new();
    let (account, facts) = match next_key::adopt(server, wish)? {
        Some(adopted) => {
            changes.push(Change::RolledOver);
            adopted
        }
        None => of_key_file(server, wish, missing, &mut changes)?,
    };
    if let Some(uri) = &wish.uri {
        account.check_pin(uri)?;
    }
    // A server may keep none at all; then there is nothing to compare.
    if !wish.contacts.is_empty() && !facts.contact.is_empty() && facts.contact != wish.contacts {
        account.set_contacts(&wish.contacts)?;
        changes.push(Change::Contact);
    }
    Ok(Opened { account, changes })
}

fn of_key_file(
    server: &Arc<Server>,
    wish: &AccountWish,
    missing: Missing,
    changes: &mut Vec<Change>,
) -> Result<(Account, AccountFacts), CertificateError> {
    // A pinned account is there, or lost; another one is not what the user wants.
    let may_make = wish.create && wish.uri.is_none() && missing == Missing::Make;
    let key = match (read(&wish.key)?, &wish.import) {
        (Some(key), _) => key,
        (None, Some(path)) => {
            let taken = import(server, wish, path)?;
            changes.push(Change::Imported);
            return Ok(taken);
        }
        (None, None) if may_make => {
            changes.push(Change::KeyMade);
            let key = PrivateKey::generate(KeyAlgorithm::Ecdsa(Curve::P256))?;
            write(&wish.key, &key)?;
            key
        }
        (None, None) => return Err(CertificateError::NoAccount(wish.key.clone())),
    };
    if !may_make {
        return Ok(Account::find(Arc::clone(server), key)?);
    }
    let registration = Registration {
        contacts: wish.contacts.clone(),
        terms_agreed: wish.terms_agreed,
        external: wish.external.clone(),
    };
    Ok(Account::create(Arc::clone(server), key, &registration)?)
}

/// Takes over an account of another program, whose files stay as they are. The key is written when the server has said
/// that it has the account: a key of another server is no account here.
fn import(
    server: &Arc<Server>,
    wish: &AccountWish,
    path: &Path,
) -> Result<(Account, AccountFacts), CertificateError> {
    let imported = acme::import::import(path)?;
    let (account, facts) = Account::find(Arc::clone(server), imported.key.clone())?;
    for uri in imported.account.iter().chain(&wish.uri) {
        account.check_pin(uri)?;
    }
    write(&wish.key, &imported.key)?;
    Ok((account, facts))
}

/// A key of an account, if its file is there.
fn read(path: &Path) -> Result<Option<PrivateKey>, CertificateError> {
    let unreadable = |reason: String| CertificateError::Unreadable {
        what: "the account key",
        path: path.to_owned(),
        reason,
    };
    match tls_files::observe(path) {
        Observed::Present(file) => PrivateKey::from_pem(&file.bytes, None)
            .map(Some)
            .map_err(|error| unreadable(flatten(&error))),
        Observed::Unreadable(error) => Err(unreadable(flatten(&error))),
        Observed::Absent => Ok(None),
    }
}

/// On disk when this returns.
fn write(path: &Path, key: &PrivateKey) -> Result<(), CertificateError> {
    let content = key.to_pem(KeyFormat::Pkcs8, None)?;
    let target = Target {
        path: path.to_owned(),
        // A new one is for its owner alone, and one that is replaced for whom the user allowed.
        attributes: Attributes::default(),
        secret: true,
        backup: false,
    };
    tls_files::install("acme-account", vec![FileChange { target, content }])?;
    Ok(())
}

/// A file of the user's that must be there.
///
/// # Errors
/// It is not, or cannot be read.
pub fn text(path: &Path, what: &'static str) -> Result<Zeroizing<Vec<u8>>, CertificateError> {
    let unreadable = |reason: String| CertificateError::Unreadable {
        what,
        path: path.to_owned(),
        reason,
    };
    match tls_files::observe(path) {
        Observed::Present(file) => Ok(file.bytes),
        Observed::Absent => Err(unreadable(String::from("it does not exist"))),
        Observed::Unreadable(error) => Err(unreadable(flatten(&error))),
    }
}
