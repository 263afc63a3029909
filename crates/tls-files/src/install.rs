// SPDX-License-Identifier: Apache-2.0
//! Replacing a set of files, all or none.

use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError};

use zeroize::Zeroizing;

use crate::attributes::drift;
use crate::change::{Change, GATE, fresh_name};
use crate::destination::{Destination, Directories, find};
use crate::directory::Directory;
use crate::journal::{FILE_LIMIT, Journal};
use crate::lock::Cover;
use crate::observe::contents;
use crate::staging::Staging;
use crate::steps::{Steps, Unwatched};
use crate::{Error, ObservedAttributes, Result, Target, committer, recover};

/// A file and what it shall contain.
pub struct FileChange {
    /// Where and with which attributes.
    pub target: Target,
    /// Its new content.
    pub content: Zeroizing<Vec<u8>>,
}

impl std::fmt::Debug for FileChange {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { target, content } = self;
        f.debug_struct("FileChange")
            .field("target", target)
            .field("content", &format_args!("{} bytes", content.len()))
            .finish()
    }
}

/// What [`install`] did.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Installed {
    /// The files that were created or replaced, as the caller named them, in the order of the call.
    pub files: Vec<PathBuf>,
    /// The backups that were made.
    pub backups: Vec<PathBuf>,
    /// What was not done as asked, in words for the operator.
    pub warnings: Vec<String>,
}

/// Replaces a set of files, all or none, in the order given: the private key first.
///
/// Files that have the content and attributes already are not touched. A destination that is a symbolic link within
/// its directory stays a link, and the file that it leads to is replaced. Works under the locks of
/// [`DirectoryLocks`](crate::DirectoryLocks) where this process holds them, and takes those that are missing for as
/// long as it works. If a killed run left this set halfway, that is settled first.
///
/// `set` names the set in journals and messages; two sets of one directory need two names.
///
/// # Errors
/// Those of [`check_destination`](crate::check_destination) before anything is written; [`Error::Os`] for what the
/// operating system refuses (no space, read-only, immutable): then the old files are all in place and nothing is left
/// over. [`Error::StuckHalfway`] if they could not be put back.
pub fn install(set: &str, changes: Vec<FileChange>) -> Result<Installed> {
    install_observed(set, changes, &Unwatched)
}

/// As [`install`], with somebody who watches the steps.
pub fn install_observed(
    set: &str,
    changes: Vec<FileChange>,
    steps: &dyn Steps,
) -> Result<Installed> {
    let prepared = Prepared::new(
        set,
        changes.iter().map(|change| change.target.path.as_path()),
    )?;
    let mut directories = prepared.directories;
    let found = changes
        .iter()
        .map(|change| {
            find(&change.target, &mut directories).map(|destination| (change, destination))
        })
        .collect::<Result<Vec<_>>>()?;
    refuse_duplicates(set, &found)?;
    let wanted: Vec<_> = found
        .into_iter()
        .filter(|(change, destination)| !is_installed(change, destination))
        .collect();
    if wanted.is_empty() {
        return Ok(Installed::default());
    }
    // While other changes of this process go on, their temporaries must not be taken for leftovers.
    let _gate = GATE.read().unwrap_or_else(PoisonError::into_inner);
    if wanted.len() > 1 {
        committer::warm_up();
    }
    let mut installed = Installed {
        files: wanted
            .iter()
            .map(|(change, _)| change.target.path.clone())
            .collect(),
        ..Installed::default()
    };
    let mut staging = Staging::new(fresh_name(&wanted[0].0.target.path)?, steps);
    for (change, destination) in wanted {
        installed.warnings.extend(staging.add(change, destination)?);
    }
    staging.sync()?;
    if let [_] = staging.files() {
        staging.replace_single()?;
    } else {
        staging.keep_old()?;
        carry_out(set, &staging, &prepared.locks, &mut installed.warnings)?;
    }
    installed.backups = staging.done();
    Ok(installed)
}

fn carry_out(
    set: &str,
    staging: &Staging<'_>,
    locks: &Cover,
    warnings: &mut Vec<String>,
) -> Result<()> {
    let change = Change {
        journal: Journal::new(set, staging.entries()),
        directories: staging
            .files()
            .iter()
            .map(|file| Arc::clone(&file.directory))
            .collect(),
        locks,
        steps: staging.steps(),
    };
    let is_new = |index: usize| {
        staging
            .files()
            .get(index)
            .is_some_and(|file| file.is_in_place())
    };
    let result = change.carry_out(is_new, warnings);
    if matches!(result, Err(Error::StuckHalfway { .. })) {
        // The journal still needs the temporaries and the old files.
        staging.leave();
    }
    result
}

/// The directories of a set, open and locked, without anything that a killed run left of this set.
pub(crate) struct Prepared {
    pub(crate) directories: Directories,
    pub(crate) locks: Cover,
}

impl Prepared {
    pub(crate) fn new<'a>(
        set: &str,
        paths: impl ExactSizeIterator<Item = &'a Path>,
    ) -> Result<Self> {
        if paths.len() > FILE_LIMIT {
            return Err(Error::TooManyFiles {
                set: set.to_owned(),
                files: paths.len(),
                limit: FILE_LIMIT,
            });
        }
        let mut directories = Directories::default();
        let mut open: Vec<Arc<Directory>> = Vec::new();
        for path in paths {
            let directory = directories.of_file(path)?;
            if !open.iter().any(|seen| Arc::ptr_eq(seen, &directory)) {
                open.push(directory);
            }
        }
        let mut locks = Cover::of(open.iter().map(Arc::as_ref))?;
        for directory in &open {
            recover::settle_set(directory, set, &mut locks)?;
        }
        Ok(Self { directories, locks })
    }
}

fn refuse_duplicates(set: &str, found: &[(&FileChange, Destination)]) -> Result<()> {
    for (index, (change, destination)) in found.iter().enumerate() {
        let is_same = |(_, other): &(&FileChange, Destination)| {
            other.name == destination.name
                && other.directory.identity() == destination.directory.identity()
        };
        if found.iter().take(index).any(is_same) {
            return Err(Error::DuplicatePath {
                set: set.to_owned(),
                path: change.target.path.clone(),
            });
        }
    }
    Ok(())
}

/// Whether the file is there already, byte for byte and in every attribute asked for.
fn is_installed(change: &FileChange, destination: &Destination) -> bool {
    let same_size =
        |stat: &rustix::fs::Stat| usize::try_from(stat.st_size) == Ok(change.content.len());
    if !destination.existing.as_ref().is_some_and(same_size) {
        return false;
    }
    // What cannot be read is not the same; replacing it then says why it cannot.
    let Ok(file) = destination.directory.open_file(&destination.name) else {
        return false;
    };
    let Ok(stat) = rustix::fs::fstat(&file) else {
        return false;
    };
    contents(&file, &stat, &change.target.path).is_ok_and(|bytes| *bytes == *change.content)
        && drift(
            &change.target.attributes,
            &ObservedAttributes::new(&stat, &file),
        )
        .is_empty()
}
