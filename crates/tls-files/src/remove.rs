// SPDX-License-Identifier: Apache-2.0
//! Removing a set of files, all or none.

use std::ffi::OsString;
use std::path::PathBuf;
use std::sync::{Arc, PoisonError};

use rustix::fs::FileType;

use crate::change::{Change, GATE, entry, fresh_name};
use crate::destination::Directories;
use crate::directory::Directory;
use crate::install::Prepared;
use crate::journal::Journal;
use crate::steps::{Steps, Unwatched};
use crate::{Error, Result, committer};

/// Removes a set of files, all or none; returns those that existed.
///
/// The order of the call is that of [`install`](crate::install()), key first; the removal goes backwards, so that the
/// key goes last: at no moment is there a certificate whose key is gone, and a service that restarts in between finds
/// the old pair or an incomplete set, never two halves that do not match. Through the same journal and committer as an
/// install: a kill does not leave half of it.
///
/// A symbolic link goes together with the file that it leads to in the same directory; what is outside the directory
/// stays, only the link goes. Files and directories that do not exist are skipped.
///
/// # Errors
/// [`Error::IsDirectory`]; [`Error::Os`] with the old files back in place; [`Error::StuckHalfway`].
pub fn remove(set: &str, paths: &[PathBuf]) -> Result<Vec<PathBuf>> {
    remove_observed(set, paths, &Unwatched)
}

/// As [`remove`], with somebody who watches the steps.
pub fn remove_observed(set: &str, paths: &[PathBuf], steps: &dyn Steps) -> Result<Vec<PathBuf>> {
    let existing: Vec<&PathBuf> = paths
        .iter()
        .filter(|path| path.symlink_metadata().is_ok())
        .collect();
    let mut prepared = Prepared::new(set, existing.iter().map(|path| path.as_path()))?;
    let (mut removed, mut names) = (Vec::new(), Vec::new());
    for path in existing {
        let found = names_of(path, &mut prepared.directories)?;
        if !found.is_empty() {
            removed.push(path.clone());
        }
        names.extend(found);
    }
    let _gate = GATE.read().unwrap_or_else(PoisonError::into_inner);
    names.reverse();
    match names.as_slice() {
        [] => {}
        [(directory, name)] => {
            directory
                .unlink(name)
                .map_err(Error::os("remove", &directory.join(name)))?;
            directory.sync()?;
        }
        _ => remove_set(set, &names, &prepared, steps)?,
    }
    Ok(removed)
}

fn remove_set(
    set: &str,
    names: &[(Arc<Directory>, OsString)],
    prepared: &Prepared,
    steps: &dyn Steps,
) -> Result<()> {
    committer::warm_up();
    let mut entries = Vec::new();
    for (directory, name) in names {
        let change = fresh_name(&directory.join(name))?;
        entries.push(entry(directory, name, None, Some(change.old_name(name))));
    }
    let change = Change {
        journal: Journal::new(set, entries),
        directories: names
            .iter()
            .map(|(directory, _)| Arc::clone(directory))
            .collect(),
        locks: &prepared.locks,
        steps,
    };
    let is_gone = |index: usize| {
        names
            .get(index)
            .is_some_and(|(directory, name)| matches!(directory.contains(name), Ok(false)))
    };
    // Its warnings say that somebody could have had to repair this; nobody has to any more.
    change.carry_out(is_gone, &mut Vec::new())
}

/// The names to remove for a path: links within the directory, then the file.
fn names_of(
    path: &std::path::Path,
    directories: &mut Directories,
) -> Result<Vec<(Arc<Directory>, OsString)>> {
    let directory = directories.of_file(path)?;
    let mut name = path.file_name().map(OsString::from);
    let mut names: Vec<(Arc<Directory>, OsString)> = Vec::new();
    while let Some(current) = name.take() {
        let Some(stat) = directory.stat(&current)? else {
            break;
        };
        if names.iter().any(|(_, seen)| *seen == current) {
            break;
        }
        match FileType::from_raw_mode(stat.st_mode) {
            FileType::Directory if names.is_empty() => {
                return Err(Error::IsDirectory {
                    path: path.to_path_buf(),
                });
            }
            FileType::Directory => break,
            FileType::Symlink => {
                let full = directory.path().join(directory.read_link(&current)?);
                let inside = full.parent().and_then(|parent| parent.canonicalize().ok());
                if inside.as_deref() == Some(directory.path()) {
                    name = full.file_name().map(OsString::from);
                }
            }
            _ => {}
        }
        names.push((Arc::clone(&directory), current));
    }
    Ok(names)
}
