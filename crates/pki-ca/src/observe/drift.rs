// SPDX-License-Identifier: Apache-2.0
//! Owners and modes in the tree that are not as wished.

use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::PathBuf;

use tls_files::{Drift, Target};

use super::Link;
use super::files::{os, read};
use crate::failure::Failure;
use crate::tree::{AuthorityPlaces, Tree};

/// The files whose attributes we keep: the key, the certificate in service, the list.
pub(super) fn drift(
    tree: &Tree,
    places: &AuthorityPlaces,
    link: Link,
) -> Result<Vec<(Target, Vec<Drift>)>, Failure> {
    let certificate = match link {
        Link::Generation(number) => places.generation(number),
        _ => places.certificate(),
    };
    let targets = [
        tree.private(places.key()),
        tree.public(certificate),
        tree.public(places.crl()),
    ];
    let mut drifted = Vec::new();
    for target in targets {
        if let Some(file) = read(&target.path)? {
            let drift = tls_files::attribute_drift(&target, &file);
            if !drift.is_empty() {
                drifted.push((target, drift));
            }
        }
    }
    Ok(drifted)
}

/// Only the directory of keys is kept at its mode: others may be opened or closed as the site likes.
pub(super) fn directory_drift(
    tree: &Tree,
    places: &AuthorityPlaces,
) -> Result<Vec<(PathBuf, Drift)>, Failure> {
    let path = places.private();
    let found = match fs::metadata(&path) {
        Ok(found) => found,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(source) => return Err(os("look at", &path, source)),
    };
    let ownership = &tree.ownership;
    let mode = found.mode() & 0o7777;
    let wished = ownership.key_directory_mode.resolve(mode);
    let mut drifts = Vec::new();
    if mode != wished {
        drifts.push(("mode", format!("{mode:04o}"), format!("{wished:04o}")));
    }
    let accounts = [
        ("owner", found.uid(), ownership.owner),
        ("group", found.gid(), ownership.group),
    ];
    for (what, has, wished) in accounts {
        if let Some(wished) = wished.filter(|wished| *wished != has) {
            drifts.push((what, has.to_string(), wished.to_string()));
        }
    }
    let drift = |(what, before, after)| {
        (
            path.clone(),
            Drift {
                what,
                before,
                after,
            },
        )
    };
    Ok(drifts.into_iter().map(drift).collect())
}
