// SPDX-License-Identifier: Apache-2.0
//! The temporaries and kept old files of one change, before and while it is carried out.

use std::cell::Cell;
use std::ffi::OsString;
use std::os::fd::OwnedFd;
use std::path::PathBuf;
use std::sync::Arc;

use rustix::fs::Stat;

use crate::change::entry;
use crate::destination::Destination;
use crate::directory::Directory;
use crate::journal::Entry;
use crate::names::Change;
use crate::steps::{Step, Steps};
use crate::temporary::{self, Finish};
use crate::{Error, FileChange, Result, names};

/// Files that are ready to be renamed. Dropped before [`Staging::done`], it removes them again.
pub(crate) struct Staging<'a> {
    name: Change,
    files: Vec<Staged>,
    steps: &'a dyn Steps,
    armed: Cell<bool>,
}

/// One file that is ready to be renamed.
pub(crate) struct Staged {
    pub(crate) directory: Arc<Directory>,
    file: OsString,
    new: OsString,
    /// Open until it is on the disk.
    open: Option<OwnedFd>,
    /// Of the temporary, with its content.
    stat: Stat,
    replaces: bool,
    old: Option<OsString>,
    backup: Option<OsString>,
}

impl Staged {
    fn path(&self) -> PathBuf {
        self.directory.join(&self.file)
    }

    /// Whether the destination is the file that we wrote.
    pub(crate) fn is_in_place(&self) -> bool {
        matches!(self.directory.stat(&self.file), Ok(Some(stat)) if stat.st_ino == self.stat.st_ino)
    }
}

impl<'a> Staging<'a> {
    pub(crate) fn new(name: Change, steps: &'a dyn Steps) -> Self {
        Self {
            name,
            files: Vec::new(),
            steps,
            armed: Cell::new(true),
        }
    }

    pub(crate) fn files(&self) -> &[Staged] {
        &self.files
    }

    pub(crate) fn steps(&self) -> &'a dyn Steps {
        self.steps
    }

    /// Writes a temporary, and a backup of the old file if that is asked; returns warnings.
    pub(crate) fn add(
        &mut self,
        change: &FileChange,
        destination: Destination,
    ) -> Result<Vec<String>> {
        let mut finish = Finish::of(&change.target, &destination);
        let Destination {
            directory,
            name: file,
            existing,
            ..
        } = destination;
        let path = directory.join(&file);
        let new = self.name.new_name(&file);
        let open = temporary::create(&directory, &new, &mut finish, &path)?;
        let stat = rustix::fs::fstat(&open).map_err(Error::os("read the attributes of", &path))?;
        let replaces = existing.is_some();
        self.files.push(Staged {
            directory,
            file,
            new,
            open: None,
            stat,
            replaces,
            old: None,
            backup: None,
        });
        self.steps.reached(Step::TemporaryCreated, &path);
        temporary::write(&open, &change.content, &path)?;
        self.steps.reached(Step::TemporaryWritten, &path);
        let Some(staged) = self.files.last_mut() else {
            return Ok(finish.warnings);
        };
        staged.stat =
            rustix::fs::fstat(&open).map_err(Error::os("read the attributes of", &path))?;
        staged.open = Some(open);
        if change.target.backup && replaces {
            // The file system's clock, as it stamped what was just written.
            let name = names::backup(&staged.file, std::process::id(), staged.stat.st_mtime);
            temporary::keep(&staged.directory, &staged.file, &name)?;
            staged.backup = Some(name);
        }
        Ok(finish.warnings)
    }

    /// Puts the temporaries on the disk, side by side: the file system's journal then commits them together.
    pub(crate) fn sync(&mut self) -> Result<()> {
        let sync = |staged: &mut Staged| match staged.open.take() {
            Some(open) => {
                rustix::fs::fsync(&open).map_err(Error::os("put on the disk", &staged.path()))
            }
            None => Ok(()),
        };
        if self.files.len() > 1 {
            std::thread::scope(|scope| {
                let spawn =
                    |staged| std::thread::Builder::new().spawn_scoped(scope, move || sync(staged));
                let threads: Vec<_> = self.files.iter_mut().map(spawn).collect();
                threads
                    .into_iter()
                    .flatten()
                    .try_for_each(|thread| thread.join().unwrap_or_else(|_| Err(thread_panicked())))
            })?;
        }
        // Those for which there was no thread.
        self.files.iter_mut().try_for_each(sync)?;
        if let Some(first) = self.files.first() {
            self.steps
                .reached(Step::TemporariesSynced, first.directory.path());
        }
        Ok(())
    }

    /// A single file needs no journal: one rename is atomic.
    pub(crate) fn replace_single(&self) -> Result<()> {
        for staged in &self.files {
            staged
                .directory
                .rename(&staged.new, &staged.file)
                .map_err(Error::os("replace", &staged.path()))?;
            self.steps.reached(Step::Renamed, &staged.path());
            // It is in place now: whatever the sync says, there is nothing to take back.
            self.armed.set(false);
            staged.directory.sync()?;
            self.steps
                .reached(Step::DirectoriesSynced, staged.directory.path());
        }
        Ok(())
    }

    /// Gives each old file a second name, from which it can be put back.
    pub(crate) fn keep_old(&mut self) -> Result<()> {
        for staged in self.files.iter_mut().filter(|staged| staged.replaces) {
            let old = self.name.old_name(&staged.file);
            temporary::keep(&staged.directory, &staged.file, &old)?;
            staged.old = Some(old);
            self.steps
                .reached(Step::OldKept, &staged.directory.join(&staged.file));
        }
        Ok(())
    }

    pub(crate) fn entries(&self) -> Vec<Entry> {
        let entry = |staged: &Staged| Entry {
            backup: staged.backup.clone(),
            ..entry(
                &staged.directory,
                &staged.file,
                Some(staged.new.clone()),
                staged.old.clone(),
            )
        };
        self.files.iter().map(entry).collect()
    }

    /// The files are somebody else's now.
    pub(crate) fn leave(&self) {
        self.armed.set(false);
    }

    /// The change is carried out; returns the backups.
    pub(crate) fn done(self) -> Vec<PathBuf> {
        self.armed.set(false);
        self.files
            .iter()
            .filter_map(|staged| Some(staged.directory.join(staged.backup.as_ref()?)))
            .collect()
    }
}

/// It cannot happen: what the threads do has no panics. But then it must not pass for a success either.
fn thread_panicked() -> Error {
    let source = std::io::Error::other("a thread ended unexpectedly");
    Error::os("put on the disk", "the temporary files".as_ref())(source)
}

impl Drop for Staging<'_> {
    fn drop(&mut self) {
        if !self.armed.get() {
            return;
        }
        for staged in &self.files {
            // What cannot be removed now is swept by the next run.
            for name in [
                Some(&staged.new),
                staged.old.as_ref(),
                staged.backup.as_ref(),
            ]
            .into_iter()
            .flatten()
            {
                let _ = staged.directory.unlink(name);
            }
        }
    }
}
