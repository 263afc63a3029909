// SPDX-License-Identifier: Apache-2.0
//! Another key for an account, so that no moment leaves an account without its key.
//!
//! The new key is in a file beside the old one before the server hears of it. Then the server is told, then the new key
//! takes the place of the old one, then the file beside goes. Whoever opens the account looks for such a file first: if
//! the server knows its key, only the last steps are missing, and they are done. If it does not, the old key counts, and
//! the next change of keys takes the file's. It is never removed before: a run that is cut off, or whose answer is lost,
//! cannot know which of the two the server has.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use acme::{Account, AccountFacts, Server};
use pki::{Curve, KeyAlgorithm, PrivateKey};

use super::{Change, Missing, Opened, account, read, write};
use crate::failure::CertificateError;
use crate::request::AccountWish;

/// The file of the key that the account is about to get.
pub fn path(key: &Path) -> PathBuf {
    let mut name = key.as_os_str().to_owned();
    name.push(".next");
    PathBuf::from(name)
}

/// Finishes a change of keys that was cut off after the server had done it.
///
/// # Errors
/// A file that cannot be read, or a server that cannot be asked: whose key counts is not guessed.
pub(super) fn adopt(
    server: &Arc<Server>,
    wish: &AccountWish,
) -> Result<Option<(Account, AccountFacts)>, CertificateError> {
    let beside = path(&wish.key);
    let Some(next) = read(&beside)? else {
        return Ok(None);
    };
    match Account::find(Arc::clone(server), next.clone()) {
        Ok(found) => {
            take_over(wish, &next)?;
            Ok(Some(found))
        }
        Err(acme::Error::AccountGone { .. }) => Ok(None),
        Err(other) => Err(other.into()),
    }
}

/// Gives the account another key, ECDSA P-256.
///
/// # Errors
/// Those of [`account`] and [`Account::change_key`]. Whatever happens, the account can be opened again.
pub fn rollover(server: &Arc<Server>, wish: &AccountWish) -> Result<Opened, CertificateError> {
    let mut opened = account(server, wish, Missing::Refuse)?;
    if opened.changes.contains(&Change::RolledOver) {
        return Ok(opened);
    }
    // Before a key is made that nobody will ask for.
    if server.directory().key_change.is_none() {
        return Err(CertificateError::from(acme::Error::Unsupported {
            server: web::shown(server.url()),
            what: "another key for an account",
        }));
    }
    let beside = path(&wish.key);
    let key = match read(&beside)? {
        Some(key) => key,
        None => {
            let made = PrivateKey::generate(KeyAlgorithm::Ecdsa(Curve::P256))?;
            write(&beside, &made)?;
            made
        }
    };
    opened.account = opened.account.change_key(key.clone())?;
    take_over(wish, &key)?;
    opened.changes.push(Change::RolledOver);
    Ok(opened)
}

/// First the new key in its place, then the file beside goes: killed in between, both are the same.
fn take_over(wish: &AccountWish, key: &PrivateKey) -> Result<(), CertificateError> {
    write(&wish.key, key)?;
    tls_files::remove("acme-account", &[path(&wish.key)])?;
    Ok(())
}
