// SPDX-License-Identifier: Apache-2.0
//! Requests that wait for an outside signature: `STATE_DIR/pending/NAME/{key.pem,request.pem}`.
//!
//! The key of a pending request never lies beside the certificate in service: until the answer is
//! there, the old set stays as it is.

use std::fs::DirBuilder;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

use pki::{CertificateRequest, PrivateKey};
use tls_files::{Attributes, FileChange, Mode, Observed, Target};
use zeroize::Zeroizing;

use crate::failure::EntryError;
use crate::layout::key_pem;
use crate::request::{EntryName, KeyWish};

/// A request that waits.
pub struct Pending {
    /// Its key.
    pub key: PrivateKey,
    /// The request.
    pub request: CertificateRequest,
}

/// The directory of one entry's pending request.
pub struct PendingDir {
    path: PathBuf,
}

impl PendingDir {
    /// Of the entry `name`.
    pub fn new(state_dir: &Path, name: &EntryName) -> Self {
        Self {
            path: state_dir.join("pending").join(name.as_str()),
        }
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Reads the pending request.
    ///
    /// # Errors
    /// [`EntryError::PendingUnreadable`]: half a request is not taken for none, its key may be in use outside.
    pub fn observe(&self, wish: &KeyWish) -> Result<Option<Pending>, EntryError> {
        let (key, request) = (self.read("key.pem")?, self.read("request.pem")?);
        let (Some(key), Some(request)) = (key, request) else {
            return Ok(None);
        };
        let passphrase = wish
            .passphrase
            .as_ref()
            .map(|passphrase| passphrase.as_slice());
        let key =
            PrivateKey::from_pem(&key, passphrase).map_err(|error| self.unreadable(&error))?;
        let request =
            CertificateRequest::from_pem(&request).map_err(|error| self.unreadable(&error))?;
        let public_key = key.public_key().map_err(|error| self.unreadable(&error))?;
        if public_key != request.public_key() {
            return Err(EntryError::PendingUnreadable {
                path: self.path.clone(),
                why: String::from("key and request do not belong together"),
            });
        }
        Ok(Some(Pending { key, request }))
    }

    fn read(&self, file: &str) -> Result<Option<Zeroizing<Vec<u8>>>, EntryError> {
        match tls_files::observe(&self.path.join(file)) {
            Observed::Absent => Ok(None),
            Observed::Present(found) => Ok(Some(found.bytes)),
            // Nothing is wrong with a request that another user may read; it must not be removed.
            Observed::Unreadable(error) if error.kind() == "files.permission_denied" => {
                Err(EntryError::from(error))
            }
            Observed::Unreadable(error) => Err(self.unreadable(&error)),
        }
    }

    fn unreadable(&self, error: &dyn std::error::Error) -> EntryError {
        EntryError::PendingUnreadable {
            path: self.path.clone(),
            why: ansible_module::flatten(error),
        }
    }

    /// Keeps key and request; the directory belongs to us alone.
    ///
    /// # Errors
    /// That the directory or the files cannot be written.
    pub fn save(&self, pending: &Pending, wish: &KeyWish) -> Result<(), EntryError> {
        create_private(&self.path)?;
        let change = |file: &str, content: Zeroizing<Vec<u8>>| FileChange {
            target: Target {
                path: self.path.join(file),
                attributes: Attributes {
                    mode: Some(Mode::new(0o600)),
                    ..Attributes::default()
                },
                secret: true,
                backup: false,
            },
            content,
        };
        let request = Zeroizing::new(pending.request.to_pem().into_bytes());
        let changes = vec![
            change("key.pem", key_pem(&pending.key, wish)?),
            change("request.pem", request),
        ];
        tls_files::install("pending", changes)?;
        Ok(())
    }

    /// Forgets the request; returns whether there was one.
    ///
    /// # Errors
    /// That the files cannot be removed.
    pub fn discard(&self) -> Result<bool, EntryError> {
        if !self.path.is_dir() {
            return Ok(false);
        }
        let files = [self.path.join("request.pem"), self.path.join("key.pem")];
        let removed = tls_files::remove("pending", &files)?;
        // Other files in it are not ours; then it stays.
        drop(std::fs::remove_dir(&self.path));
        Ok(!removed.is_empty())
    }
}

/// Creates a directory and those above it, for root or the user alone.
///
/// # Errors
/// What the system says.
pub fn create_private(path: &Path) -> Result<(), EntryError> {
    DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(path)
        .map_err(|source| EntryError::StateDir {
            path: path.to_path_buf(),
            source,
        })
}
