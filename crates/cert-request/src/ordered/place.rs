// SPDX-License-Identifier: Apache-2.0
//! Where one certificate's order is kept, what the server said of its renewal, and what was ordered last.

use std::path::{Path, PathBuf};

use acme::state::State;
use acme_dns_challenge::failure::CertificateError;
use issuers::Kept;
use pki::{Certificate, chain};
use serde::{Deserialize, Serialize};
use tls_files::{Attributes, FileChange, Mode, Observed, Target};
use zeroize::Zeroizing;

use crate::failure::EntryError;
use crate::request::Entry;

/// The files of one certificate in a directory of all.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    directory: PathBuf,
    name: String,
}

#[derive(Deserialize, Serialize)]
struct Wire {
    directory: String,
    profile: Option<String>,
    chain: String,
}

impl Place {
    /// Of an entry; `state_dir` is that of the module.
    pub fn new(state_dir: &Path, entry: &Entry) -> Self {
        let own = entry.order_dir.clone();
        Self {
            directory: own.unwrap_or_else(|| state_dir.join("acme")),
            name: entry.name.to_string(),
        }
    }

    /// Where all of them are.
    pub fn directory(&self) -> &Path {
        &self.directory
    }

    /// The unfinished order, as crate `acme` keeps it.
    pub fn state(&self) -> PathBuf {
        self.file("json")
    }

    /// What the server said of the renewal.
    pub fn renewal(&self) -> PathBuf {
        self.file("ari")
    }

    fn issued(&self) -> PathBuf {
        self.file("issued")
    }

    fn file(&self, ending: &str) -> PathBuf {
        self.directory.join(format!("{}.{ending}", self.name))
    }

    /// All that there may be.
    pub fn all(&self) -> [PathBuf; 3] {
        [self.state(), self.renewal(), self.issued()]
    }

    /// What was ordered last. One that cannot be read says nothing: then the certificate is ordered again.
    pub fn kept(&self) -> Option<Kept> {
        let Observed::Present(file) = tls_files::observe(&self.issued()) else {
            return None;
        };
        let wire: Wire = serde_json::from_slice(&file.bytes).ok()?;
        Some(Kept {
            directory: wire.directory,
            profile: wire.profile,
            chain: chain::parse_bundle(wire.chain.as_bytes()).ok()?,
        })
    }

    /// Notes what was ordered, before it is installed: a run that is killed in between must not take it for another's.
    ///
    /// # Errors
    /// That the file cannot be written.
    pub fn keep(&self, ordered: &Kept) -> Result<(), EntryError> {
        let wire = Wire {
            directory: ordered.directory.clone(),
            profile: ordered.profile.clone(),
            chain: ordered.chain.iter().map(Certificate::to_pem).collect(),
        };
        // Texts only: it cannot fail.
        let content = Zeroizing::new(serde_json::to_vec(&wire).unwrap_or_default());
        let target = Target {
            path: self.issued(),
            attributes: Attributes {
                mode: Some(Mode::new(0o600)),
                ..Attributes::default()
            },
            secret: false,
            backup: false,
        };
        let set = format!("acme-issued-{}", self.name);
        tls_files::install(&set, vec![FileChange { target, content }])?;
        Ok(())
    }

    /// It is installed: what could resume it is of no use, and neither is what was said of the old one. Records that could
    /// not be taken back stay noted.
    ///
    /// # Errors
    /// That a file cannot be removed.
    pub fn forget_order(&self) -> Result<(), EntryError> {
        for result in [State::finish(&self.state()), State::forget(&self.renewal())] {
            result.map_err(CertificateError::from)?;
        }
        Ok(())
    }

    /// Removes all that there is; whether that was something.
    ///
    /// # Errors
    /// That a file cannot be removed.
    pub fn discard(&self) -> Result<bool, EntryError> {
        let there: Vec<PathBuf> = self
            .all()
            .into_iter()
            .filter(|path| path.exists())
            .collect();
        if there.is_empty() {
            return Ok(false);
        }
        tls_files::remove(&format!("acme-order-{}", self.name), &there)?;
        Ok(true)
    }
}
