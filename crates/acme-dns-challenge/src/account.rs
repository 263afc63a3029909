// SPDX-License-Identifier: Apache-2.0
//! The certificate authority, and the account that asks it.

use std::path::Path;
use std::sync::Arc;
use std::time::SystemTime;

use acme::{Account, Registration, RunningClock, Server};
use ansible_module::flatten;
use pki::{Curve, KeyAlgorithm, KeyFormat, PrivateKey};
use tls_files::{Attributes, FileChange, Mode, Observed, Target};
use web::{Client, Settings, Trust};

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
        Some(path) => Trust::Also(text(path, "the authorities of the server")?),
        None => Trust::System,
    };
    let settings = Settings {
        timeout: request.http_timeout,
        trust,
        resolver: Arc::new(Dns::new(request).resolver()),
        ..Settings::default()
    };
    let web = Client::new(&settings).map_err(acme::Error::from)?;
    let clock = Arc::new(RunningClock::set(now));
    let server = Server::open(web, &authority.directory, clock, request.patience)?;
    Ok(Arc::new(server))
}

/// The account, and whether its key was made.
///
/// # Errors
/// A key that is missing and shall not be made, an account that is gone or is not the pinned one.
pub fn account(
    server: &Arc<Server>,
    wish: &AccountWish,
) -> Result<(Account, bool), CertificateError> {
    let (key, made) = key(wish)?;
    let account = if wish.create {
        let registration = Registration {
            contacts: wish.contacts.clone(),
            terms_agreed: wish.terms_agreed,
            external: wish.external.clone(),
        };
        let (account, facts) = Account::create(Arc::clone(server), key, &registration)?;
        // A server may keep none at all; then there is nothing to compare.
        if !wish.contacts.is_empty() && !facts.contact.is_empty() && facts.contact != wish.contacts
        {
            account.set_contacts(&wish.contacts)?;
        }
        account
    } else {
        Account::find(Arc::clone(server), key)?.0
    };
    if let Some(uri) = &wish.uri {
        account.check_pin(uri)?;
    }
    Ok((account, made))
}

fn key(wish: &AccountWish) -> Result<(PrivateKey, bool), CertificateError> {
    let unreadable = |reason: String| CertificateError::Unreadable {
        what: "the account key",
        path: wish.key.clone(),
        reason,
    };
    match tls_files::observe(&wish.key) {
        Observed::Present(file) => PrivateKey::from_pem(&file.bytes, None)
            .map(|key| (key, false))
            .map_err(|error| unreadable(flatten(&error))),
        Observed::Unreadable(error) => Err(unreadable(flatten(&error))),
        Observed::Absent if wish.create && wish.uri.is_none() => {
            make(&wish.key).map(|key| (key, true))
        }
        Observed::Absent => Err(CertificateError::NoAccount(wish.key.clone())),
    }
}

/// A new key, on disk before the server hears of it.
fn make(path: &Path) -> Result<PrivateKey, CertificateError> {
    let key = PrivateKey::generate(KeyAlgorithm::Ecdsa(Curve::P256))?;
    let content = key.to_pem(KeyFormat::Pkcs8, None)?;
    let target = Target {
        path: path.to_owned(),
        attributes: Attributes {
            mode: Some(Mode::parse("0600")?),
            ..Attributes::default()
        },
        secret: true,
        backup: false,
    };
    tls_files::install("acme-account", vec![FileChange { target, content }])?;
    Ok(key)
}

fn text(path: &Path, what: &'static str) -> Result<Vec<u8>, CertificateError> {
    let unreadable = |reason: String| CertificateError::Unreadable {
        what,
        path: path.to_owned(),
        reason,
    };
    match tls_files::observe(path) {
        Observed::Present(file) => Ok(file.bytes.to_vec()),
        Observed::Absent => Err(unreadable(String::from("it does not exist"))),
        Observed::Unreadable(error) => Err(unreadable(flatten(&error))),
    }
}
