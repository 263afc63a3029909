// SPDX-License-Identifier: Apache-2.0
//! Certificates that certmonger keeps. The walk is that of all others; only who makes key and certificate differs:
//! what certmonger tracks is read once per task, the decision compares request and files, `apply` talks to the daemon
//! for all certificates at once and waits for all, and then the files are looked at again.

mod batch;
mod daemons;
mod differences;
mod error;
mod orders;
mod realm;
mod wait;
mod wish;

use std::path::{Path, PathBuf};

use certmonger::{Authority, Place, Tracked};

pub use batch::{End, Item, Settled, carry_out};
pub use daemons::Daemons;
pub use differences::{Difference, Effect, differences};
pub use error::KeptError;

use crate::request::CertmongerSpec;

/// A certificate of certmonger: what certmonger knows of it and of its authority.
#[derive(Debug)]
pub struct Kept {
    /// Judges the certificate.
    pub issuer: issuers::Certmonger,
    /// The authority.
    pub authority: Authority,
    /// The request that certmonger tracks for this file, whoever made it.
    pub request: Option<Tracked>,
    /// The principals, with their realm.
    pub principal: Vec<String>,
    /// What is wished.
    pub spec: CertmongerSpec,
    /// The file for the root is wished and not there, and the root is known.
    pub is_ca_file_missing: bool,
    place: Place,
}

impl Kept {
    /// From what was read of the daemon.
    ///
    /// # Errors
    /// That the daemon, the authority or the realm is not there, or the nickname is another's.
    pub fn load(spec: &CertmongerSpec, daemons: &Daemons) -> Result<Self, KeptError> {
        let book = daemons.book(spec)?;
        let authority = book.authority(&spec.ca)?.clone();
        let request = find(&book.requests, spec)?.cloned();
        let kept = request.as_ref().and_then(|request| request.cert.as_deref());
        let is_missing = |path: &Path| path.symlink_metadata().is_err();
        Ok(Self {
            issuer: issuers::Certmonger::new(&spec.ca, &authority.roots, &authority.others, kept),
            is_ca_file_missing: spec.ca_file.as_deref().is_some_and(is_missing)
                && !authority.roots.is_empty(),
            principal: realm::complete(&spec.principal)?,
            place: daemons.place(spec)?,
            authority,
            request,
            spec: spec.clone(),
        })
    }

    /// Is the key of the request where it is wished? certmonger cannot change that: the request is made anew.
    pub fn has_key_at_its_place(&self, request: &Tracked) -> bool {
        let path = request.key_file.as_deref();
        path.is_some_and(|path| same_file(path, &self.spec.key.path))
    }

    /// The same with another judge.
    pub fn judged_by(&self, issuer: issuers::Certmonger) -> Self {
        Self {
            issuer,
            authority: self.authority.clone(),
            request: self.request.clone(),
            principal: self.principal.clone(),
            spec: self.spec.clone(),
            is_ca_file_missing: self.is_ca_file_missing,
            place: self.place.clone(),
        }
    }
}

/// The request for our file. One with our nickname and another file is somebody else's.
fn find<'a>(
    requests: &'a [Tracked],
    spec: &CertmongerSpec,
) -> Result<Option<&'a Tracked>, KeptError> {
    let is_ours = |request: &&Tracked| {
        let file = request.cert_file.as_deref();
        file.is_some_and(|file| same_file(file, &spec.certificate.path))
    };
    if let Some(request) = requests.iter().find(is_ours) {
        return Ok(Some(request));
    }
    match requests
        .iter()
        .find(|request| request.nickname == spec.nickname)
    {
        Some(other) => Err(KeptError::NicknameTaken {
            nickname: spec.nickname.clone(),
            file: other.cert_file.clone().unwrap_or_default(),
        }),
        None => Ok(None),
    }
}

/// Whether two paths are one file, also when a directory is reached by a link.
pub fn same_file(a: &Path, b: &Path) -> bool {
    let real = |path: &Path| -> Option<PathBuf> {
        let parent = path.parent()?.canonicalize().ok()?;
        Some(parent.join(path.file_name()?))
    };
    a == b || (a.file_name() == b.file_name() && real(a).is_some_and(|a| Some(a) == real(b)))
}

#[cfg(test)]
mod tests;
