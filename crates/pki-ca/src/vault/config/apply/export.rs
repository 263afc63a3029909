// SPDX-License-Identifier: Apache-2.0
//! The end of a mount: its issuers and revocation lists are written to files, then it goes.

use std::fs::DirBuilder;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

use tls_files::{Attributes, FileChange, Mode, Target};
use vault::Vault;
use vault::pki::Mount;
use zeroize::Zeroizing;

use super::super::error::Error;

/// Writes what the mount can still show, all or nothing, and only then removes the mount.
pub(super) fn disable(
    vault: &Vault,
    mount: &str,
    export: &Path,
    exported: &mut Vec<PathBuf>,
) -> Result<(), Error> {
    let files = contents(vault, mount)?;
    make(export)?;
    let changes = files
        .into_iter()
        .map(|(name, content)| change(export.join(name), content))
        .collect();
    let installed = tls_files::install("vault-export", changes);
    *exported = installed
        .map_err(|source| Error::File {
            what: "write the export to",
            path: export.to_owned(),
            source,
        })?
        .files;
    vault
        .disable(mount)
        .map(drop)
        .map_err(Error::server("remove the mount"))
}

/// Each issuer with its list. The identifier makes the names of two mounts, or of a mount made anew, differ.
fn contents(vault: &Vault, mount: &str) -> Result<Vec<(String, Vec<u8>)>, Error> {
    let api = Mount::new(vault, mount);
    let mut files = Vec::new();
    let entries = api
        .issuers()
        .map_err(Error::server("list the issuers of the mount"))?;
    if entries.is_empty() {
        // No issuer at all, or a server before 1.11, which has one without a list.
        let certificate = api.ca_pem().map_err(Error::server("read the authority"))?;
        files.extend(certificate.map(|pem| ("ca.crt".to_owned(), pem.into_bytes())));
        let list = api
            .crl_pem(None)
            .map_err(Error::server("read the revocation list"))?;
        files.extend(list.map(|pem| ("ca.crl".to_owned(), pem.into_bytes())));
        files.retain(|(_, content)| !content.is_empty());
    }
    for entry in entries {
        let name = match &entry.name {
            Some(name) => format!("{name}-{}", entry.id),
            None => entry.id.clone(),
        };
        let what = format!("read issuer {name}");
        if let Some(issuer) = api.issuer(&entry.id).map_err(Error::server(what))? {
            files.push((format!("{name}.crt"), issuer.certificate.into_bytes()));
        }
        let what = format!("read the revocation list of issuer {name}");
        // Only an issuer whose key is here has one.
        let list = match entry.key_id {
            Some(_) => api.crl_pem(Some(&entry.id)).map_err(Error::server(what))?,
            None => None,
        };
        if let Some(list) = list.filter(|list| !list.is_empty()) {
            files.push((format!("{name}.crl"), list.into_bytes()));
        }
    }
    Ok(files)
}

fn make(directory: &Path) -> Result<(), Error> {
    let made = DirBuilder::new()
        .recursive(true)
        .mode(0o755)
        .create(directory);
    made.map_err(|source| Error::Directory {
        path: directory.to_owned(),
        source,
    })
}

/// Nothing in it is secret.
fn change(path: PathBuf, content: Vec<u8>) -> FileChange {
    FileChange {
        target: Target {
            path,
            attributes: Attributes {
                mode: Some(Mode::new(0o644)),
                ..Attributes::default()
            },
            secret: false,
            // Of another mount, or of one before.
            backup: true,
        },
        content: Zeroizing::new(content),
    }
}
