// SPDX-License-Identifier: Apache-2.0
//! Writing files of the tree as sets, each all or none.

use std::path::PathBuf;

use pki::{Certificate, KeyAlgorithm, KeyFormat, PrivateKey};
use tls_files::{FileChange, Target};
use zeroize::Zeroizing;

use super::Work;
use crate::failure::Failure;
use crate::names::AuthorityName;

impl Work<'_> {
    /// Writes one set.
    pub(super) fn install(&mut self, set: &str, changes: Vec<FileChange>) -> Result<(), Failure> {
        let installed = tls_files::install(set, changes).map_err(|source| Failure::Files {
            what: format!("write the files of {set}"),
            source,
        })?;
        if !installed.files.is_empty() {
            self.changed = true;
            ansible_module::note_change();
        }
        Ok(())
    }

    /// A file that all may read.
    pub(super) fn public(&self, path: PathBuf, content: impl Into<Vec<u8>>) -> FileChange {
        change(self.request.tree.public(path), content)
    }

    /// The private key of an authority, encrypted if it has a passphrase. A key that is replaced is kept
    /// beside: it may be all that an operator has left of a mistake.
    pub(super) fn private(
        &self,
        name: &AuthorityName,
        path: PathBuf,
        key: &PrivateKey,
    ) -> Result<FileChange, Failure> {
        let wish = self.request.authority(name);
        let passphrase = wish.and_then(|wish| wish.passphrase.as_ref());
        let pem = key
            .to_pem(
                format(key)?,
                passphrase.map(|secret| secret.expose().as_bytes()),
            )
            .map_err(Failure::pki(format!(
                "write the private key of authority '{name}'"
            )))?;
        Ok(FileChange {
            target: Target {
                backup: true,
                ..self.request.tree.private(path)
            },
            content: pem,
        })
    }

    /// The index of an authority.
    pub(super) fn index(&self, name: &AuthorityName) -> FileChange {
        let index = self
            .living
            .get(name)
            .map(|living| living.index.to_bytes())
            .unwrap_or_default();
        self.public(self.request.tree.authority(name).index(), index)
    }

    /// Writes the index of an authority.
    pub(super) fn save_index(&mut self, name: &AuthorityName) -> Result<(), Failure> {
        let change = self.index(name);
        self.install(&format!("index of {name}"), vec![change])
    }
}

fn change(target: Target, content: impl Into<Vec<u8>>) -> FileChange {
    FileChange {
        target,
        content: Zeroizing::new(content.into()),
    }
}

/// PKCS#1 for RSA, as upstream writes it; other keys have their modern form.
fn format(key: &PrivateKey) -> Result<KeyFormat, Failure> {
    match key
        .algorithm()
        .map_err(Failure::pki("use the private key"))?
    {
        KeyAlgorithm::Rsa { .. } => Ok(KeyFormat::Traditional),
        _ => Ok(KeyFormat::Pkcs8),
    }
}

/// Certificates one after the other.
pub(super) fn pem(certificates: &[Certificate]) -> String {
    certificates.iter().map(Certificate::to_pem).collect()
}
