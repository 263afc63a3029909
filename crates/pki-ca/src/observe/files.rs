// SPDX-License-Identifier: Apache-2.0
//! Reading single files and directories of the tree: absent is `None`, unreadable is a failure.

use std::fs;
use std::io;
use std::path::Path;

use pki::chain::parse_bundle;
use pki::{Certificate, CertificateRequest};
use tls_files::ObservedFile;

use crate::failure::Failure;
use crate::tree::Directory;

pub(super) fn certificate(path: &Path) -> Result<Option<Certificate>, Failure> {
    let Some(file) = read(path)? else {
        return Ok(None);
    };
    Certificate::from_pem(&file.bytes)
        .map(Some)
        .map_err(Failure::pki(format!(
            "read the certificate '{}'",
            path.display()
        )))
}

pub(super) fn bundle(path: &Path) -> Result<Option<Vec<Certificate>>, Failure> {
    // A chain that links to a missing certificate is as good as none: it is derived.
    if !path.exists() {
        return Ok(None);
    }
    let Some(file) = read(path)? else {
        return Ok(None);
    };
    // So is a damaged one, which compares unequal to every sound chain and is written again.
    Ok(Some(parse_bundle(&file.bytes).unwrap_or_default()))
}

pub(crate) fn read_request(path: &Path) -> Result<Option<CertificateRequest>, Failure> {
    let Some(file) = read(path)? else {
        return Ok(None);
    };
    CertificateRequest::from_pem(&file.bytes)
        .map(Some)
        .map_err(Failure::pki(format!(
            "read the request '{}'",
            path.display()
        )))
}

pub(super) fn read(path: &Path) -> Result<Option<ObservedFile>, Failure> {
    match tls_files::observe(path) {
        tls_files::Observed::Absent => Ok(None),
        tls_files::Observed::Present(file) => Ok(Some(file)),
        tls_files::Observed::Unreadable(source) => Err(Failure::unreadable(path, source)),
    }
}

pub(super) fn file_names(directory: &Path) -> Result<Vec<String>, Failure> {
    let listed = match fs::read_dir(directory) {
        Ok(listed) => listed,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(source) => return Err(os("list", directory, source)),
    };
    let mut names = Vec::new();
    for item in listed {
        let item = item.map_err(|source| os("list", directory, source))?;
        names.extend(item.file_name().into_string());
    }
    names.sort();
    Ok(names)
}

pub(super) fn os(what: &'static str, path: &Path, source: io::Error) -> Failure {
    Failure::Os {
        what,
        path: path.to_owned(),
        source,
    }
}

/// A directory of the tree that is a link could lead us out of it.
pub(super) fn refuse_link(path: &Path) -> Result<(), Failure> {
    match fs::symlink_metadata(path) {
        Ok(found) if found.is_dir() => Ok(()),
        Ok(found) if found.is_symlink() => Err(Failure::Damaged {
            path: path.to_owned(),
            problem: "is a symbolic link; the directories of the tree must be real ones".to_owned(),
        }),
        Ok(_) => Err(Failure::Damaged {
            path: path.to_owned(),
            problem: "is not a directory".to_owned(),
        }),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(source) => Err(os("look at", path, source)),
    }
}

pub(super) fn missing(directories: Vec<Directory>) -> Result<Vec<Directory>, Failure> {
    let mut missing = Vec::new();
    for directory in directories {
        match fs::metadata(&directory.path) {
            Ok(found) if found.is_dir() => {}
            Ok(_) => {
                return Err(Failure::Damaged {
                    path: directory.path,
                    problem: "is not a directory".to_owned(),
                });
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => missing.push(directory),
            Err(source) => return Err(os("look at", &directory.path, source)),
        }
    }
    Ok(missing)
}
