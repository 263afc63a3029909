// SPDX-License-Identifier: Apache-2.0
//! Two paths that are one file, because a directory is reached by a symbolic link. Equal paths are a fault
//! of the options already; this needs a look at the host.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use crate::failure::EntryError;
use crate::request::{Entry, EntryName};

/// The entries that would write a file which belongs to another file of the task, with what each is told.
pub fn collisions(entries: &[Entry]) -> BTreeMap<EntryName, EntryError> {
    let mut directories: BTreeMap<&Path, PathBuf> = BTreeMap::new();
    let mut owners: BTreeMap<PathBuf, (&EntryName, &Path)> = BTreeMap::new();
    let mut collisions = BTreeMap::new();
    for entry in entries {
        for file in &entry.files {
            let path = file.target.path.as_path();
            let (Some(parent), Some(name)) = (path.parent(), path.file_name()) else {
                continue;
            };
            let real = directories.entry(parent).or_insert_with(|| {
                parent
                    .canonicalize()
                    .unwrap_or_else(|_| parent.to_path_buf())
            });
            let Some((other, first)) = owners.get(&real.join(name)) else {
                owners.insert(real.join(name), (&entry.name, path));
                continue;
            };
            collisions
                .entry(entry.name.clone())
                .or_insert_with(|| EntryError::SameFile {
                    path: path.to_path_buf(),
                    first: first.to_path_buf(),
                    other: other.to_string(),
                });
        }
    }
    collisions
}
