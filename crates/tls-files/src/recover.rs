// SPDX-License-Identifier: Apache-2.0
//! Finishing or undoing what a killed run left.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::PathBuf;
use std::sync::PoisonError;

use rustix::fs::{FileType, RawDir};

use crate::change::GATE;
use crate::commit::{Commit, Outcome, is_pointer};
use crate::directory::Directory;
use crate::journal::{Found, Journal};
use crate::lock::Cover;
use crate::steps::Unwatched;
use crate::{Error, Result, names};

/// What was done with the journal of a killed run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RecoveryAction {
    /// The new files are in place.
    Finished,
    /// The old files are back.
    Undone,
}

/// A set that a killed run had left halfway.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recovered {
    /// The name of the set.
    pub set: String,
    /// What was done.
    pub action: RecoveryAction,
    /// The files of the set that the journal names.
    pub files: Vec<PathBuf>,
}

/// Finishes or undoes what killed runs left in these directories, and removes their temporaries.
///
/// Looks once at each directory; those that do not exist are skipped. Works under the locks of
/// [`DirectoryLocks`](crate::DirectoryLocks) where this process holds them, else takes them. A set is finished if each
/// of its files can still be brought to its new state, else its old files are put back; of a set that lies in several
/// directories, one is enough to find it.
///
/// # Errors
/// [`Error::JournalUntrusted`] and [`Error::JournalDamaged`] for a journal that is not acted upon;
/// [`Error::StuckHalfway`]; [`Error::DirectoryLocked`].
pub fn recover(directories: impl IntoIterator<Item = PathBuf>) -> Result<Vec<Recovered>> {
    let mut open: Vec<Directory> = Vec::new();
    for path in directories {
        match Directory::open(&path) {
            Ok(directory)
                if open
                    .iter()
                    .any(|seen| seen.identity() == directory.identity()) => {}
            Ok(directory) => open.push(directory),
            Err(Error::DirectoryMissing { .. }) => {}
            Err(error) => return Err(error),
        }
    }
    let mut locks = Cover::of(&open)?;
    let _gate = GATE.write().unwrap_or_else(PoisonError::into_inner);
    let mut recovered = Vec::new();
    for directory in &open {
        let leftovers = list(directory)?;
        for name in leftovers.iter().filter(|name| names::is_journal(name)) {
            recovered.extend(settle(directory, name, &mut locks)?);
        }
        // Every journal that could name them is settled: those of other directories have a pointer here.
        for name in leftovers.iter().filter(|name| names::is_leftover(name)) {
            // Where nothing can be removed, nothing can be written either; that is said when it is tried.
            let _ = directory.unlink(name);
        }
    }
    Ok(recovered)
}

/// Settles what a killed run left of one set, as far as this directory knows it.
pub(crate) fn settle_set(directory: &Directory, set: &str, locks: &mut Cover) -> Result<()> {
    let name = names::journal(set);
    if directory.contains(&name)? {
        let _gate = GATE.write().unwrap_or_else(PoisonError::into_inner);
        settle(directory, &name, locks)?;
    }
    Ok(())
}

/// The names in a directory that may be ours.
fn list(directory: &Directory) -> Result<Vec<OsString>> {
    let path = directory.path();
    let mut buffer = Vec::with_capacity(32 * 1024);
    let mut found = Vec::new();
    let mut entries = RawDir::new(directory, buffer.spare_capacity_mut());
    while let Some(entry) = entries.next() {
        let entry = entry.map_err(Error::os("list the directory", path))?;
        let name = OsStr::from_bytes(entry.file_name().to_bytes());
        let is_ours = names::is_journal(name) || names::is_leftover(name);
        if is_ours && entry.file_type() != FileType::Directory {
            found.push(OsString::from_vec(name.as_bytes().to_vec()));
        }
    }
    Ok(found)
}

/// Settles the journal, or the journal that a pointer leads to, under this name.
fn settle(directory: &Directory, name: &OsStr, locks: &mut Cover) -> Result<Option<Recovered>> {
    if !is_pointer(directory, name) {
        return settle_journal(directory, name, locks);
    }
    let pointer = directory.join(name);
    let untrusted = |reason: &str| Error::JournalUntrusted {
        journal: pointer.clone(),
        reason: reason.to_owned(),
    };
    if !is_our_link(directory, name)? {
        return Err(untrusted("it is a symbolic link of another user"));
    }
    let target = directory.read_link(name)?;
    if !target.is_absolute() || target.file_name() != Some(name) {
        return Err(untrusted(
            "it is a symbolic link that does not lead to a journal",
        ));
    }
    let home = match target.parent().map(Directory::open_canonical) {
        Some(Ok(home)) => Some(home),
        Some(Err(Error::DirectoryMissing { .. })) | None => None,
        Some(Err(error)) => return Err(error),
    };
    let recovered = match &home {
        Some(home) if home.contains(name)? && !is_pointer(home, name) => {
            locks.extend([home])?;
            settle_journal(home, name, locks)?
        }
        _ => None,
    };
    // The change may never have come to its journal, or the run was killed after its removal.
    directory
        .unlink(name)
        .map_err(Error::os("remove", &pointer))?;
    Ok(recovered)
}

fn settle_journal(home: &Directory, name: &OsStr, locks: &mut Cover) -> Result<Option<Recovered>> {
    let path = home.join(name);
    let journal = match Journal::read(home, name)? {
        Found::Complete(journal) => journal,
        Found::Absent => return Ok(None),
        Found::Incomplete => {
            home.unlink(name).map_err(Error::os("remove", &path))?;
            return Ok(None);
        }
    };
    let commit = Commit::open(home, &journal, &Unwatched)?;
    for directory in commit.directories() {
        check_mutual(home, directory, name)?;
    }
    locks.extend(commit.directories().into_iter().map(AsRef::as_ref))?;
    let action = match commit.run()? {
        Outcome::Finished { .. } => RecoveryAction::Finished,
        Outcome::Undone { cause: None } => RecoveryAction::Undone,
        Outcome::Undone { cause: Some(error) } => return Err(error),
        Outcome::Gone => return Ok(None),
    };
    let files = journal
        .entries
        .iter()
        .map(crate::journal::Entry::path)
        .collect();
    Ok(Some(Recovered {
        set: journal.set,
        action,
        files,
    }))
}

/// A journal may act in another directory only if that directory points back to it, by a link of ours: so nobody who
/// can write into one directory makes us rename anything in another.
fn check_mutual(home: &Directory, directory: &Directory, name: &OsStr) -> Result<()> {
    if directory.identity() == home.identity() {
        return Ok(());
    }
    let journal = home.join(name);
    let points_back = is_pointer(directory, name)
        && is_our_link(directory, name)?
        && directory.read_link(name)? == journal;
    if points_back {
        return Ok(());
    }
    let reason = format!(
        "it names files in '{}', which does not point back to it",
        directory.path().display()
    );
    Err(Error::JournalUntrusted { journal, reason })
}

fn is_our_link(directory: &Directory, name: &OsStr) -> Result<bool> {
    let ours = [0, rustix::process::geteuid().as_raw()];
    Ok(directory
        .stat(name)?
        .is_some_and(|stat| ours.contains(&stat.st_uid)))
}
