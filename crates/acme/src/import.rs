// SPDX-License-Identifier: Apache-2.0
//! Accounts that other programs made: acme.sh, certbot, lego.
//!
//! Their files are only read. The path may be the directory of one account or its key file; where a directory holds
//! several accounts, they are named and the user chooses.

use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};

use pki::PrivateKey;
use serde::Deserialize;
use serde_json::Value;
use tls_files::Observed;
use zeroize::Zeroizing;

use crate::{Error, Result};

/// More files are not looked at for accounts.
const ENTRY_LIMIT: usize = 1_000;

/// Whose account it was.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// acme.sh: `account.key`, `account.json` and `ca.conf` below `ca/SERVER/directory`.
    AcmeSh,
    /// certbot: `private_key.json` and `regr.json` below `accounts/SERVER/directory`.
    Certbot,
    /// A key in PEM, alone.
    Key,
    /// lego: `account.json` and `keys/EMAIL.key` below `accounts/SERVER/EMAIL`.
    Lego,
}

/// An account of another program.
#[derive(Clone)]
pub struct Imported {
    /// Whose it was.
    pub origin: Origin,
    /// Its key.
    pub key: PrivateKey,
    /// Its URL, where the program has kept it.
    pub account: Option<String>,
    /// Its contacts, where the program has kept them.
    pub contacts: Vec<String>,
}

/// Shows no key.
impl fmt::Debug for Imported {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Imported")
            .field("origin", &self.origin)
            .field("account", &self.account)
            .finish_non_exhaustive()
    }
}

/// Reads an account.
///
/// # Errors
/// [`Error::AccountUnreadable`]: nothing that looks like one, several, or one whose files are damaged or encrypted.
pub fn import(path: &Path) -> Result<Imported> {
    if path.is_dir() {
        let found = accounts_below(path)?;
        return match found.as_slice() {
            [] => Err(refused(
                path,
                "there is no account of acme.sh, certbot or lego in it",
            )),
            [only] => read(only),
            several => {
                let names: Vec<_> = several
                    .iter()
                    .filter_map(|(_, directory)| directory.to_str())
                    .collect();
                Err(refused(
                    path,
                    format!("it holds several: {}", names.join(", ")),
                ))
            }
        };
    }
    let directory = path.parent().unwrap_or(path);
    match path.file_name().and_then(|name| name.to_str()) {
        Some("account.key") => read(&(Origin::AcmeSh, directory.to_owned())),
        Some("private_key.json" | "regr.json") => read(&(Origin::Certbot, directory.to_owned())),
        Some("account.json") if directory.join("keys").is_dir() => {
            read(&(Origin::Lego, directory.to_owned()))
        }
        Some("account.json") => read(&(Origin::AcmeSh, directory.to_owned())),
        _ => Ok(Imported {
            origin: Origin::Key,
            key: pem_key(path)?,
            account: None,
            contacts: Vec::new(),
        }),
    }
}

fn read((origin, directory): &(Origin, PathBuf)) -> Result<Imported> {
    match origin {
        Origin::AcmeSh | Origin::Key => acme_sh(directory),
        Origin::Certbot => certbot(directory),
        Origin::Lego => lego(directory),
    }
}

/// All directories that hold an account, each once.
fn accounts_below(top: &Path) -> Result<Vec<(Origin, PathBuf)>> {
    let (mut found, mut open, mut seen) = (Vec::new(), vec![top.to_owned()], 0);
    while let Some(directory) = open.pop() {
        let has = |name: &str| directory.join(name).is_file();
        let origin = match () {
            () if has("private_key.json") => Some(Origin::Certbot),
            () if has("account.json") && directory.join("keys").is_dir() => Some(Origin::Lego),
            () if has("account.key") => Some(Origin::AcmeSh),
            () => None,
        };
        if let Some(origin) = origin {
            found.push((origin, directory));
            continue;
        }
        let entries = fs::read_dir(&directory);
        let entries = entries.map_err(|error| refused(&directory, error.to_string()))?;
        for entry in entries.flatten() {
            seen += 1;
            if seen > ENTRY_LIMIT {
                return Err(refused(
                    top,
                    "it holds too many files; name the account's own directory",
                ));
            }
            // A link may lead in circles, and certbot's lead to accounts that stand elsewhere in the tree.
            if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
                open.push(entry.path());
            }
        }
    }
    found.sort_by(|a, b| a.1.cmp(&b.1));
    Ok(found)
}

fn acme_sh(directory: &Path) -> Result<Imported> {
    let key = pem_key(&directory.join("account.key"))?;
    let facts: Option<Registration> = optional_json(&directory.join("account.json"))?;
    let configuration = optional(&directory.join("ca.conf"))?.unwrap_or_default();
    let configuration = String::from_utf8_lossy(&configuration);
    Ok(Imported {
        origin: Origin::AcmeSh,
        key,
        account: setting(&configuration, "ACCOUNT_URL"),
        contacts: facts.map(|facts| facts.contact).unwrap_or_default(),
    })
}

/// A line `NAME='value'` of a shell file, which is not run.
fn setting(text: &str, name: &str) -> Option<String> {
    let value = text
        .lines()
        .filter_map(|line| line.trim().split_once('='))
        .rfind(|(known, _)| *known == name)?
        .1;
    let value = value.trim_matches(['\'', '"']);
    (!value.is_empty()).then(|| value.to_owned())
}

#[derive(Deserialize)]
struct Registration {
    #[serde(default)]
    contact: Vec<String>,
}

/// What certbot and lego keep of an account.
#[derive(Deserialize)]
struct Resource {
    body: Option<Registration>,
    uri: Option<String>,
}

impl Resource {
    fn imported(self, origin: Origin, key: PrivateKey) -> Imported {
        Imported {
            origin,
            key,
            account: self.uri.filter(|uri| !uri.is_empty()),
            contacts: self.body.map(|body| body.contact).unwrap_or_default(),
        }
    }
}

fn certbot(directory: &Path) -> Result<Imported> {
    let path = directory.join("private_key.json");
    let members: Value = required_json(&path)?;
    let key = PrivateKey::from_jwk(|name| members.get(name).and_then(Value::as_str))
        .map_err(|error| refused(&path, error.to_string()))?;
    let resource: Resource = required_json(&directory.join("regr.json"))?;
    Ok(resource.imported(Origin::Certbot, key))
}

#[derive(Deserialize)]
struct LegoAccount {
    #[serde(default)]
    email: String,
    registration: Option<Resource>,
}

fn lego(directory: &Path) -> Result<Imported> {
    let account: LegoAccount = required_json(&directory.join("account.json"))?;
    let keys = directory.join("keys");
    let named = keys.join(format!("{}.key", account.email));
    let path = match account.email.contains('/') || !named.is_file() {
        true => only_key(&keys)?,
        false => named,
    };
    let key = pem_key(&path)?;
    let resource = account.registration.unwrap_or(Resource {
        body: None,
        uri: None,
    });
    Ok(resource.imported(Origin::Lego, key))
}

fn only_key(directory: &Path) -> Result<PathBuf> {
    let entries = fs::read_dir(directory);
    let entries = entries.map_err(|error| refused(directory, error.to_string()))?;
    let is_key = |path: &PathBuf| path.extension().is_some_and(|ending| ending == "key");
    let found: Vec<_> = entries
        .flatten()
        .map(|entry| entry.path())
        .filter(is_key)
        .collect();
    match found.as_slice() {
        [only] => Ok(only.clone()),
        _ => Err(refused(directory, format!("it holds {} keys", found.len()))),
    }
}

fn pem_key(path: &Path) -> Result<PrivateKey> {
    let bytes = optional(path)?.ok_or_else(|| refused(path, "there is no such file"))?;
    PrivateKey::from_pem(&bytes, None).map_err(|error| refused(path, error.to_string()))
}

fn required_json<T: for<'de> Deserialize<'de>>(path: &Path) -> Result<T> {
    optional_json(path)?.ok_or_else(|| refused(path, "there is no such file"))
}

fn optional_json<T: for<'de> Deserialize<'de>>(path: &Path) -> Result<Option<T>> {
    let Some(bytes) = optional(path)? else {
        return Ok(None);
    };
    // Without serde's words, which repeat values: one of them may be a key.
    let read = serde_json::from_slice(&bytes);
    read.map(Some).map_err(|error| {
        let place = format!("line {} column {}", error.line(), error.column());
        refused(
            path,
            format!("it is not the JSON that was expected, {place}"),
        )
    })
}

fn optional(path: &Path) -> Result<Option<Zeroizing<Vec<u8>>>> {
    match tls_files::observe(path) {
        Observed::Absent => Ok(None),
        Observed::Present(file) => Ok(Some(file.bytes)),
        Observed::Unreadable(error) => Err(refused(path, error.to_string())),
    }
}

fn refused(path: &Path, reason: impl Into<String>) -> Error {
    Error::AccountUnreadable {
        path: path.to_owned(),
        reason: reason.into(),
    }
}
