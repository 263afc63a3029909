// SPDX-License-Identifier: Apache-2.0
//! What is in files.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use pki::{Certificate, PrivateKey, chain};
use tls_files::{Observed, observe};
use zeroize::Zeroizing;

use crate::request::{FileWish, Request};

/// The certificates of a file in its order, at least one; or why there are none.
pub type Contents = Result<Vec<Certificate>, String>;

/// What is known of the key of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum KeySeen {
    /// None was named, and the file of the certificate holds none.
    NotGiven,
    /// It is encrypted: nothing can be said of it.
    Encrypted,
    /// It belongs to the certificate.
    Matches,
    /// It belongs to another.
    Differs,
    /// It cannot be read, for this reason.
    Unreadable(String),
}

/// Each file once, and the key of each wish.
pub(super) fn read(request: &Request) -> (BTreeMap<PathBuf, Contents>, Vec<KeySeen>) {
    let wished = request.files.iter().map(|wish| &wish.path);
    let served = request
        .endpoints
        .iter()
        .filter_map(|each| each.certificate.as_ref());
    let mut found = BTreeMap::new();
    for path in wished.chain(served) {
        if !found.contains_key(path) {
            found.insert(path.clone(), contents(path));
        }
    }
    let keys = request.files.iter();
    let keys = keys.map(|wish| key(wish, found.get(&wish.path))).collect();
    (found, keys)
}

/// The bytes of a regular file.
pub(super) fn bytes_of(path: &Path) -> Result<Zeroizing<Vec<u8>>, String> {
    match observe(path) {
        Observed::Present(file) => Ok(file.bytes),
        Observed::Absent => Err("there is no such file".to_owned()),
        Observed::Unreadable(error) => Err(ansible_module::flatten(&error)),
    }
}

fn contents(path: &Path) -> Contents {
    let bytes = bytes_of(path)?;
    chain::parse_bundle(&bytes).map_err(|error| error.to_string())
}

fn key(wish: &FileWish, contents: Option<&Contents>) -> KeySeen {
    let bytes = match bytes_of(wish.private_key.as_ref().unwrap_or(&wish.path)) {
        Ok(bytes) => bytes,
        // Then the file of the certificate is unreadable, which is told of it.
        Err(_) if wish.private_key.is_none() => return KeySeen::NotGiven,
        Err(why) => return KeySeen::Unreadable(why),
    };
    match PrivateKey::from_pem(&bytes, None) {
        Ok(key) => match contents.and_then(|each| each.as_ref().ok()?.first()) {
            Some(leaf) if key.matches(leaf.public_key()) => KeySeen::Matches,
            Some(_) => KeySeen::Differs,
            None => KeySeen::NotGiven,
        },
        Err(pki::Error::KeyEncrypted) => KeySeen::Encrypted,
        Err(pki::Error::WrongBlock { .. }) if wish.private_key.is_none() => KeySeen::NotGiven,
        Err(_) if wish.private_key.is_none() && contents.is_some_and(Result::is_err) => {
            KeySeen::NotGiven
        }
        Err(error) => KeySeen::Unreadable(error.to_string()),
    }
}
