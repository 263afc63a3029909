// SPDX-License-Identifier: Apache-2.0
//! Does what was decided for one set.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use tls_files::{Attributes, FileChange, Mode, Observed, Target};
use zeroize::Zeroizing;

use crate::decide::{Action, Decision};
use crate::failure::SetError;
use crate::request::{FileSet, Wish, holds_private_key};

/// What a retired file is called.
const RETIRED: &str = ".replaced";

/// What was done.
#[derive(Debug, Default)]
pub struct Applied {
    /// Files that were made, replaced, repaired, renamed or removed.
    pub files: Vec<PathBuf>,
    /// Copies of replaced files.
    pub backups: Vec<PathBuf>,
    /// What the operator should look at.
    pub warnings: Vec<String>,
}

/// Checks that what is decided can be done, without doing it. Files whose directory has yet to be made are checked
/// when they are written.
///
/// # Errors
/// Every file that cannot be written where it is wished.
pub fn check(set: &FileSet, decision: &Decision) -> Result<(), SetError> {
    let touched = set.files.iter().zip(&decision.actions);
    let errors = touched
        .filter(|(file, action)| {
            let is_written = matches!(action, Action::Write | Action::FixAttributes);
            is_written && file.target.path.parent().is_some_and(Path::is_dir)
        })
        .filter_map(|(file, _)| tls_files::check_destination(&file.target).err())
        .collect();
    SetError::unless_empty(errors).map_or(Ok(()), Err)
}

/// Replaces first, all files or none; then repairs attributes; what shall go, goes last.
///
/// # Errors
/// What the operating system refuses; the files that should be replaced are then all as they were.
pub fn apply(set: &FileSet, decision: &Decision) -> Result<Applied, SetError> {
    let mut applied = Applied::default();
    applied.write(set, decision)?;
    applied.retire(set, decision)?;
    let drifted: Vec<Target> = targets(set, decision, Action::FixAttributes)
        .cloned()
        .collect();
    applied.files.extend(tls_files::fix_attributes(&drifted)?);
    applied.remove(set, decision)?;
    Ok(applied)
}

fn targets<'a>(
    set: &'a FileSet,
    decision: &'a Decision,
    wanted: Action,
) -> impl Iterator<Item = &'a Target> {
    let each = set.files.iter().zip(&decision.actions);
    each.filter(move |(_, action)| **action == wanted)
        .map(|(file, _)| &file.target)
}

impl Applied {
    fn write(&mut self, set: &FileSet, decision: &Decision) -> Result<(), SetError> {
        let each = set.files.iter().zip(&decision.actions);
        let changes: Vec<FileChange> = each
            .filter(|(_, action)| **action == Action::Write)
            .filter_map(|(file, _)| match &file.wish {
                Wish::Present(content) => Some(FileChange {
                    target: file.target.clone(),
                    content: content.clone(),
                }),
                Wish::Absent | Wish::Retired => None,
            })
            .collect();
        self.install(&set.name, changes)
    }

    fn install(&mut self, name: &str, changes: Vec<FileChange>) -> Result<(), SetError> {
        if changes.is_empty() {
            return Ok(());
        }
        let installed = tls_files::install(name, changes)?;
        self.files.extend(installed.files);
        self.backups.extend(installed.backups);
        self.warnings.extend(installed.warnings);
        Ok(())
    }

    /// A copy under the other name, then the file itself goes: whoever is killed in between leaves both, and the next
    /// run goes on.
    fn retire(&mut self, set: &FileSet, decision: &Decision) -> Result<(), SetError> {
        let mut copies = Vec::new();
        for target in targets(set, decision, Action::Retire) {
            match tls_files::observe(&target.path) {
                Observed::Absent => {}
                Observed::Unreadable(error) => return Err(error.into()),
                Observed::Present(read) => copies.push(copy(target, read)),
            }
        }
        self.install(&set.name, copies)
    }

    fn remove(&mut self, set: &FileSet, decision: &Decision) -> Result<(), SetError> {
        let gone = targets(set, decision, Action::Remove);
        let paths: Vec<PathBuf> = gone
            .chain(targets(set, decision, Action::Retire))
            .map(|target| target.path.clone())
            .collect();
        if !paths.is_empty() {
            self.files.extend(tls_files::remove(&set.name, &paths)?);
        }
        Ok(())
    }
}

fn copy(target: &Target, read: tls_files::ObservedFile) -> FileChange {
    let attributes = Attributes {
        owner: Some(read.attributes.owner),
        group: Some(read.attributes.group),
        // A key that everybody could read is not kept so.
        mode: Some(Mode::new(read.attributes.mode & !0o007)),
        context: None,
    };
    let content: Zeroizing<Vec<u8>> = read.bytes;
    let mut path = OsString::from(&target.path);
    path.push(RETIRED);
    FileChange {
        target: Target {
            path: path.into(),
            attributes,
            secret: holds_private_key(&content),
            backup: false,
        },
        content,
    }
}
