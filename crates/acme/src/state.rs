// SPDX-License-Identifier: Apache-2.0
//! What is kept of an unfinished certificate, so that a crash between any two steps loses nothing.
//!
//! One file for each certificate, mode 0600, replaced as a whole and synced before each step that the server would not
//! forget: before an order, after it (its URL), before finalize (whose answer may be lost), and after (the URL of the
//! certificate). Keys never enter it. Who works with the files of a directory holds its lock
//! (`tls_files::DirectoryLocks`), or two runs order twice. A file goes when the certificate is installed ([`State::forget`]).

mod resume;

use std::path::{Path, PathBuf};

use pki::Timestamp;
use serde::{Deserialize, Serialize};
use tls_files::{Attributes, FileChange, Mode, Observed, Target};
use zeroize::Zeroizing;

pub use resume::{Resume, Seen, Why, Wish, resume};

use crate::{Error, Identifier, Proof, Result};

/// The version of the file's form.
const VERSION: u32 = 1;

/// The state of one certificate.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
pub struct State {
    version: u32,
    /// The directory of the server.
    pub directory: String,
    /// The URL of the account.
    pub account: String,
    /// The thumbprint of its key.
    pub key_thumbprint: String,
    /// What the certificate is for, sorted.
    pub identifiers: Vec<Identifier>,
    /// The profile that was asked for.
    pub profile: Option<String>,
    /// The order; none if it was about to be made.
    pub order: Option<String>,
    /// When the server forgets the order.
    #[serde(
        default,
        deserialize_with = "crate::wire::instant",
        serialize_with = "crate::wire::write_instant"
    )]
    pub expires: Option<Timestamp>,
    /// What is to be shown, or was.
    pub proofs: Vec<Wanted>,
    /// What may still be shown although nothing needs it any more: of earlier orders, or of names that are proved.
    #[serde(default)]
    pub stale: Vec<Wanted>,
    /// Whether something of it could not be taken back when the order was done with.
    #[serde(default)]
    pub left_over: bool,
    /// SHA-256 of the public key that the request was handed in for, in hexadecimal; none before that.
    pub public_key_sha256: Option<String>,
    /// The request that was handed in, in PEM.
    pub request: Option<String>,
    /// Where the certificate is.
    pub certificate: Option<String>,
    /// The last failure.
    pub last_error: Option<LastError>,
    /// Before which the server is not to be asked.
    #[serde(
        default,
        deserialize_with = "crate::wire::instant",
        serialize_with = "crate::wire::write_instant"
    )]
    pub retry_at: Option<Timestamp>,
}

/// A proof that must be seen before the order goes on.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
pub struct Wanted {
    /// The name that it proves, as it was ordered.
    pub identifier: Identifier,
    /// Where it is proved.
    pub authorization: String,
    /// The challenge that is answered then.
    pub challenge: String,
    /// What is to be shown.
    pub proof: Proof,
    /// Whether it may be shown: `true` from just before it is, or whatever the publisher wants to find again, such as the
    /// zone and the server that took a record.
    #[serde(default)]
    pub published: Option<serde_json::Value>,
}

impl Wanted {
    /// Whether it is to be shown for longer than the order lasts.
    pub fn stays(&self) -> bool {
        matches!(self.proof, Proof::Txt { stays: true, .. })
    }
}

/// A failure.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
pub struct LastError {
    /// Its stable name.
    pub kind: String,
    /// Its words.
    pub message: String,
}

impl State {
    /// Nothing done yet.
    pub fn begin(directory: &str, account: &str, wish: &Wish<'_>) -> Self {
        let mut identifiers = wish.identifiers.to_vec();
        identifiers.sort();
        Self {
            version: VERSION,
            directory: directory.to_owned(),
            account: account.to_owned(),
            key_thumbprint: wish.key_thumbprint.to_owned(),
            identifiers,
            profile: wish.profile.map(str::to_owned),
            order: None,
            expires: None,
            proofs: Vec::new(),
            stale: Vec::new(),
            left_over: false,
            public_key_sha256: None,
            request: None,
            certificate: None,
            last_error: None,
            retry_at: None,
        }
    }

    /// Reads it; `None` if there is none.
    ///
    /// # Errors
    /// [`Error::State`] for a file that cannot be read or is of another version. It is never taken for none: an order
    /// may stand in it whose certificate nobody has yet.
    pub fn load(path: &Path) -> Result<Option<Self>> {
        let refused = |reason: String| Error::State {
            path: path.to_owned(),
            reason,
        };
        let file = match tls_files::observe(path) {
            Observed::Absent => return Ok(None),
            Observed::Present(file) => file,
            Observed::Unreadable(error) => return Err(refused(error.to_string())),
        };
        let read: Result<Self, _> = serde_json::from_slice(&file.bytes);
        let state = read.map_err(|error| refused(error.to_string()))?;
        match state.version {
            VERSION => Ok(Some(state)),
            other => Err(refused(format!("it is of version {other}, not {VERSION}"))),
        }
    }

    /// Replaces the file; on disk when this returns.
    ///
    /// # Errors
    /// [`Error::StateWrite`]: then what was about to be done must not be done.
    pub fn save(&self, path: &Path) -> Result<()> {
        let mut content = serde_json::to_vec_pretty(self).map_err(|error| Error::State {
            path: path.to_owned(),
            reason: error.to_string(),
        })?;
        content.push(b'\n');
        let target = Target {
            path: path.to_owned(),
            attributes: Attributes {
                mode: Some(Mode::parse("0600").map_err(Error::StateWrite)?),
                ..Attributes::default()
            },
            secret: true,
            backup: false,
        };
        let change = FileChange {
            target,
            content: Zeroizing::new(content),
        };
        tls_files::install(&set_name(path), vec![change]).map_err(Error::StateWrite)?;
        Ok(())
    }

    /// Removes the file, when the certificate is where it belongs. That there is none is fine.
    pub fn forget(path: &Path) -> Result<()> {
        let paths: [PathBuf; 1] = [path.to_owned()];
        tls_files::remove(&set_name(path), &paths).map_err(Error::StateWrite)?;
        Ok(())
    }

    /// Forgets the order, when the certificate is where it belongs. What could not be taken back stays noted: the next
    /// order does it.
    ///
    /// # Errors
    /// That the file cannot be removed or replaced.
    pub fn finish(path: &Path) -> Result<()> {
        let state = Self::load(path).ok().flatten();
        match state.map(|state| (state.shown(), state)) {
            Some((shown, state)) if state.left_over => Self {
                order: None,
                expires: None,
                proofs: Vec::new(),
                stale: shown,
                public_key_sha256: None,
                request: None,
                certificate: None,
                last_error: None,
                retry_at: None,
                ..state
            }
            .save(path),
            _ => Self::forget(path),
        }
    }

    /// Proofs that may be shown and do not stay.
    pub fn shown(&self) -> Vec<Wanted> {
        let all = self.proofs.iter().chain(&self.stale);
        all.filter(|wanted| wanted.published.is_some() && !wanted.stays())
            .cloned()
            .collect()
    }

    /// Nothing is shown any more.
    pub(crate) fn all_withdrawn(&mut self) {
        self.stale.clear();
        self.left_over = false;
        for wanted in self.proofs.iter_mut().filter(|wanted| !wanted.stays()) {
            wanted.published = None;
        }
    }

    /// Remembers a failure, and when the server may be asked again.
    pub(crate) fn remember(&mut self, error: &Error) {
        self.last_error = Some(LastError {
            kind: error.kind().to_owned(),
            message: error.to_string(),
        });
        self.retry_at = error.retry_at();
    }
}

/// Two files of one directory need two names in `tls-files`.
fn set_name(path: &Path) -> String {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    format!("acme-state-{name}")
}

#[cfg(test)]
mod tests;
