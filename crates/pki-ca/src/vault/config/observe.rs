// SPDX-License-Identifier: Apache-2.0
//! What the server and the files of secrets hold, as far as the wish is about it. Nothing is changed.

use std::collections::HashMap;
use std::path::Path;

use serde_json::{Map, Value, json};
use tls_files::Observed as ObservedFile;
use vault::{MountInfo, Repeat, Vault};

use super::error::Error;
use super::object::Object;
use super::permissions::line;
use super::secret_id::{Issue, SecretIdWish};
use super::wish::ConfigWish;

/// What was found of one object.
#[derive(Debug)]
pub enum Found {
    /// It is not there.
    Absent,
    /// Its fields.
    Present(Map<String, Value>),
    /// It cannot be said.
    Unreadable(Error),
}

/// The file of a secret.
#[derive(Debug)]
pub enum FoundSecret {
    /// It is not there.
    Absent,
    /// It holds a token that can be exchanged, or nobody asked.
    Good,
    /// What it holds cannot be exchanged any more.
    Spent,
    /// It cannot be said.
    Unreadable(Error),
}

/// The last tidy.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct LastTidy {
    /// `Inactive`, `Running`, `Finished`, `Error`, …
    pub state: String,
    /// When it finished (RFC 3339).
    pub finished: Option<String>,
    /// Why it failed.
    pub error: Option<String>,
}

/// All that was found.
#[derive(Debug, Default)]
pub struct Observed {
    /// The objects of the wish, and what they depend on.
    pub objects: HashMap<Object, Found>,
    /// The files of secrets, in the order of the wishes.
    pub secret_ids: Vec<FoundSecret>,
    /// The last tidy of the mount.
    pub tidy: LastTidy,
    /// The names by which roles of AppRole are logged in to.
    pub role_ids: HashMap<Object, String>,
    /// What shall go: the issuers of the mount.
    pub issuers: Vec<String>,
}

impl Observed {
    /// The fields of an object that is there.
    pub fn present(&self, object: &Object) -> Option<&Map<String, Value>> {
        match self.objects.get(object)? {
            Found::Present(fields) => Some(fields),
            Found::Absent | Found::Unreadable(_) => None,
        }
    }
}

/// Looks at all that the wish is about.
///
/// # Errors
/// What would be the same for every object, such as a sealed server; what is wrong with one is found of that one.
pub fn observe(vault: &Vault, wish: &ConfigWish) -> Result<Observed, Error> {
    let mut observed = Observed::default();
    let mut wanted: Vec<Object> = wish
        .objects
        .iter()
        .map(|each| each.object.clone())
        .collect();
    if wish.disable.is_some() {
        wanted.push(Object::Mount);
    }
    if wish.needs_acme_headers() && !wanted.contains(&Object::Cluster) {
        wanted.push(Object::Cluster);
    }
    for object in wanted {
        let gone = object.is_in_mount()
            && matches!(observed.objects.get(&Object::Mount), Some(Found::Absent));
        let found = if gone {
            Found::Absent
        } else {
            match read(vault, &wish.mount, &object) {
                Err(error) if error.is_of_all() => return Err(error),
                found => found.unwrap_or_else(Found::Unreadable),
            }
        };
        if let (Object::AppRole { .. }, Found::Present(_)) = (&object, &found) {
            observe_role_id(vault, &wish.mount, &object, &mut observed);
        }
        observed.objects.insert(object, found);
    }
    observed.secret_ids = wish
        .secret_ids
        .iter()
        .map(|each| secret(vault, each))
        .collect();
    let every = wish.tidy.as_ref().and_then(|tidy| tidy.every);
    let has_mount = !matches!(observed.objects.get(&Object::Mount), Some(Found::Absent));
    if every.is_some() && has_mount {
        // One that cannot be read is as one that never was: the tidy is due.
        observed.tidy = last_tidy(vault, &wish.mount).unwrap_or_default();
    }
    Ok(observed)
}

/// One object.
pub fn read(vault: &Vault, mount: &str, object: &Object) -> Result<Found, Error> {
    match found(vault, mount, object) {
        Err(Error::Server { source, .. })
            if matches!(*source, vault::Error::PermissionDenied { .. }) =>
        {
            Err(Error::Unseen {
                object: object.clone(),
                line: line(&object.read_path(mount), &["read"]),
            })
        }
        found => found,
    }
}

fn found(vault: &Vault, mount: &str, object: &Object) -> Result<Found, Error> {
    match object {
        Object::Mount => read_mount(vault, mount),
        Object::AppRoleMethod(path) => read_method(vault, path),
        _ => fields(vault, &object.path(mount), object),
    }
}

fn fields(vault: &Vault, path: &str, object: &Object) -> Result<Found, Error> {
    match vault.read(path) {
        Ok(Some(answer)) => Ok(Found::Present(answer.data)),
        Ok(None) => Ok(Found::Absent),
        // The method is not there yet, so no role of its is.
        Err(vault::Error::NoMount { .. }) if !object.is_in_mount() => Ok(Found::Absent),
        Err(error) => Err(Error::server(format!("read {object}"))(error)),
    }
}

/// The mount as it is tuned; spans of time that nobody set are the server's.
fn read_mount(vault: &Vault, mount: &str) -> Result<Found, Error> {
    let failed = Error::server("read the mount");
    let info = match vault.mount(mount) {
        // Vault before 1.10 has the list of all only.
        Ok(None) | Err(vault::Error::Refused { status: 405, .. }) => listed_mount(vault, mount)?,
        found => found.map_err(failed)?,
    };
    let Some(info) = info else {
        return Ok(Found::Absent);
    };
    if info.kind != "pki" {
        return Err(Error::MountForeign {
            mount: mount.to_owned(),
            kind: info.kind,
        });
    }
    if let Some(above) = vault.mount_above(mount, &info) {
        return Err(Error::MountBelow {
            mount: mount.to_owned(),
            above: above.to_owned(),
        });
    }
    let path = format!("sys/mounts/{mount}/tune");
    let tuned = match vault.read(&path) {
        Err(vault::Error::PermissionDenied { .. }) => {
            return Err(Error::Unseen {
                object: Object::Mount,
                line: line(&path, &["read"]),
            });
        }
        tuned => tuned.map_err(Error::server("read how the mount is tuned"))?,
    };
    let mut fields = tuned.map(|answer| answer.data).unwrap_or_default();
    fields
        .entry("description")
        .or_insert_with(|| info.description.into());
    Ok(Found::Present(fields))
}

/// The mount in the list of all; who may not read that is told by the path of the mount alone.
fn listed_mount(vault: &Vault, mount: &str) -> Result<Option<MountInfo>, Error> {
    let all = match vault.read("sys/mounts") {
        Ok(all) => all,
        Err(vault::Error::PermissionDenied { .. }) => None,
        Err(error) => return Err(Error::server("list the mounts")(error)),
    };
    let found = all.and_then(|answer| answer.data.get(&format!("{mount}/")).cloned());
    Ok(found.and_then(|info| serde_json::from_value(info).ok()))
}

/// Whether the method is mounted. Its own path needs `sudo`, so what needs less is asked first.
fn read_method(vault: &Vault, path: &str) -> Result<Found, Error> {
    match vault.listed(&format!("auth/{path}/role")) {
        Ok(Some(_)) => return Ok(Found::Present(Map::new())),
        Err(vault::Error::NoMount { .. }) => return Ok(Found::Absent),
        // No roles, or no method, or no right to see the difference here.
        Ok(None) | Err(vault::Error::PermissionDenied { .. }) => {}
        Err(error) => return Err(Error::server(format!("look for auth/{path}"))(error)),
    }
    match vault.read(&format!("sys/auth/{path}")) {
        Ok(Some(_)) => Ok(Found::Present(Map::new())),
        Err(vault::Error::Refused { status: 400, .. }) => Ok(Found::Absent),
        // Servers before 1.10 have the list of all only.
        Ok(None) | Err(_) => listed_method(vault, path),
    }
}

fn listed_method(vault: &Vault, path: &str) -> Result<Found, Error> {
    let all = vault
        .read("sys/auth")
        .map_err(Error::server("list the methods of login"))?;
    let is_there = all.is_some_and(|answer| answer.data.contains_key(&format!("{path}/")));
    Ok(match is_there {
        true => Found::Present(Map::new()),
        false => Found::Absent,
    })
}

fn observe_role_id(vault: &Vault, mount: &str, object: &Object, observed: &mut Observed) {
    let path = format!("{}/role-id", object.path(mount));
    // Not needed for anything here: who may not read it is told nothing.
    if let Ok(Some(answer)) = vault.read(&path)
        && let Ok(id) = answer.text("role_id")
    {
        observed.role_ids.insert(object.clone(), id.to_owned());
    }
}

fn secret(vault: &Vault, wish: &SecretIdWish) -> FoundSecret {
    let content = match tls_files::observe(&wish.path) {
        ObservedFile::Absent => return FoundSecret::Absent,
        ObservedFile::Unreadable(source) => {
            return FoundSecret::Unreadable(unreadable(&wish.path, source));
        }
        ObservedFile::Present(file) => file.bytes,
    };
    if wish.issue != Issue::Spent {
        return FoundSecret::Good;
    }
    let Ok(token) = std::str::from_utf8(&content) else {
        return FoundSecret::Spent;
    };
    // Looking one up is asked for in the body, so the token is in no log of requests.
    let body = json!({"token": token.trim()});
    match vault.write("sys/wrapping/lookup", &body, Repeat::Safe) {
        Ok(answer) => match answer.text("creation_path") {
            Ok(path) if path == format!("{}/secret-id", wish.role) => FoundSecret::Good,
            _ => FoundSecret::Spent,
        },
        Err(vault::Error::Refused { status: 400, .. }) => FoundSecret::Spent,
        Err(error) => FoundSecret::Unreadable(Error::server("look up a wrapping token")(error)),
    }
}

fn unreadable(path: &Path, source: tls_files::Error) -> Error {
    Error::File {
        what: "read",
        path: path.to_owned(),
        source,
    }
}

/// What became of the last tidy.
pub fn last_tidy(vault: &Vault, mount: &str) -> Result<LastTidy, Error> {
    let answer = vault
        .read(&format!("{mount}/tidy-status"))
        .map_err(Error::server("read the state of the tidy"))?;
    let Some(answer) = answer else {
        return Ok(LastTidy::default());
    };
    let text = |member| answer.optional_text(member).map(str::to_owned);
    Ok(LastTidy {
        state: text("state").unwrap_or_default(),
        finished: text("time_finished"),
        error: text("error"),
    })
}
