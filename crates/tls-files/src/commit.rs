// SPDX-License-Identifier: Apache-2.0
//! Executing a journal: forward to the new files, or back to the old ones.
//!
//! Everything here can be cut at any point and done again: what is left to do is read from which names exist.

use std::ffi::OsStr;
use std::path::Path;
use std::sync::Arc;

use crate::directory::Directory;
use crate::journal::{Entry, Journal};
use crate::steps::{Step, Steps};
use crate::{Error, Result};

/// How a change ended.
#[derive(Debug)]
pub(crate) enum Outcome {
    /// The new files are in place; something may be left over that could not be removed.
    Finished { leftovers: Option<Error> },
    /// The old files are back, because of this if it happened just now.
    Undone { cause: Option<Error> },
    /// There was no journal (any more): somebody else ended the change.
    Gone,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Waiting,
    Done,
    PutBack,
}

/// A journal and the open directories of its entries.
pub(crate) struct Commit<'a> {
    home: &'a Directory,
    journal: &'a Journal,
    /// One for each entry; `None` if the directory does not exist any more.
    directories: Vec<Option<Arc<Directory>>>,
    steps: &'a dyn Steps,
}

impl<'a> Commit<'a> {
    /// Opens the directories of a journal that lies in `home`.
    pub(crate) fn open(
        home: &'a Directory,
        journal: &'a Journal,
        steps: &'a dyn Steps,
    ) -> Result<Self> {
        let mut directories: Vec<Option<Arc<Directory>>> = Vec::new();
        for entry in &journal.entries {
            let path = Path::new(&entry.directory);
            let open = directories
                .iter()
                .flatten()
                .find(|open| open.path() == path)
                .map(Arc::clone);
            directories.push(match open {
                Some(open) => Some(open),
                None => match Directory::open_canonical(path) {
                    Ok(directory) => Some(Arc::new(directory)),
                    Err(Error::DirectoryMissing { .. }) => None,
                    Err(error) => return Err(error),
                },
            });
        }
        Ok(Self {
            home,
            journal,
            directories,
            steps,
        })
    }

    /// The directories that still exist, each once.
    pub(crate) fn directories(&self) -> Vec<&Arc<Directory>> {
        let mut each: Vec<&Arc<Directory>> = Vec::new();
        for directory in self.directories.iter().flatten() {
            if !each
                .iter()
                .any(|seen| seen.identity() == directory.identity())
            {
                each.push(directory);
            }
        }
        each
    }

    /// Goes forward if every file can still be brought to its new state, else back.
    ///
    /// # Errors
    /// [`Error::StuckHalfway`] if it can go neither way; the journal then stays.
    pub(crate) fn run(&self) -> Result<Outcome> {
        if !self.home.contains(&self.journal.name())? {
            return Ok(Outcome::Gone);
        }
        self.reached(Step::CommitBegun, self.home.path());
        let states = self.states()?;
        if states.contains(&State::PutBack) {
            // Without any temporary or old file left, the change had ended and only the journal came back after a
            // loss of power.
            return if self.has_evidence()? {
                self.undo(None)
            } else {
                Ok(self.finish())
            };
        }
        match self.forward(&states) {
            Ok(()) => Ok(self.finish()),
            Err(cause) => self.undo(Some(cause)),
        }
    }

    /// Whether the journal is there and no file has been renamed.
    pub(crate) fn is_untouched(&self) -> Result<bool> {
        if !self.home.contains(&self.journal.name())? {
            return Ok(false);
        }
        Ok(self.states()?.iter().all(|state| *state == State::Waiting))
    }

    fn states(&self) -> Result<Vec<State>> {
        self.each()
            .map(|(entry, directory)| state(entry, directory))
            .collect()
    }

    fn each(&self) -> impl DoubleEndedIterator<Item = (&Entry, Option<&Directory>)> {
        self.journal
            .entries
            .iter()
            .zip(self.directories.iter().map(Option::as_deref))
    }

    fn has_evidence(&self) -> Result<bool> {
        for (entry, directory) in self.each() {
            for name in [&entry.new, &entry.old].into_iter().flatten() {
                if exists(directory, name)? {
                    return Ok(true);
                }
            }
        }
        Ok(false)
    }

    fn forward(&self, states: &[State]) -> Result<()> {
        for ((entry, directory), state) in self.each().zip(states) {
            let (Some(directory), State::Waiting) = (directory, state) else {
                continue;
            };
            let renamed = match (&entry.new, &entry.old) {
                (Some(new), _) => directory
                    .rename(new, &entry.file)
                    .map_err(Error::os("replace", &entry.path())),
                (None, Some(old)) => directory
                    .rename(&entry.file, old)
                    .map_err(Error::os("remove", &entry.path())),
                (None, None) => Ok(()),
            };
            renamed?;
            self.reached(Step::Renamed, &entry.path());
        }
        self.sync()?;
        self.reached(Step::DirectoriesSynced, self.home.path());
        Ok(())
    }

    fn sync(&self) -> Result<()> {
        self.directories()
            .into_iter()
            .try_for_each(|directory| directory.sync())
    }

    fn undo(&self, cause: Option<Error>) -> Result<Outcome> {
        let mut stuck = None;
        for (entry, directory) in self.each().rev() {
            let Some(directory) = directory else { continue };
            match put_back(entry, directory) {
                Ok(true) => self.reached(Step::PutBack, &entry.path()),
                Ok(false) => {}
                Err(source) => stuck = stuck.or_else(|| Some((entry.path(), source))),
            }
        }
        if let Some((path, source)) = stuck {
            let (set, journal) = (
                self.journal.set.clone(),
                self.home.join(&self.journal.name()),
            );
            return Err(Error::StuckHalfway {
                set,
                path,
                journal,
                source,
            });
        }
        // The old names are back in memory; if even this cannot be made durable, the journal shall stay.
        self.sync()?;
        self.remove_journal()?;
        let cleaned = self.sweep(true);
        Ok(Outcome::Undone {
            cause: cause.or_else(|| cleaned.err()),
        })
    }

    fn finish(&self) -> Outcome {
        // While the journal cannot be removed, the old files must stay: together they say that all is done.
        let ended = self.remove_journal().and_then(|()| self.sweep(false));
        Outcome::Finished {
            leftovers: ended.err(),
        }
    }

    fn remove_journal(&self) -> Result<()> {
        let name = self.journal.name();
        self.home
            .unlink(&name)
            .map_err(Error::os("remove the journal", &self.home.join(&name)))?;
        // One file system keeps the order of its names; between two only a sync does.
        if self
            .directories()
            .iter()
            .any(|directory| directory.device() != self.home.device())
        {
            self.home.sync()?;
        }
        self.reached(Step::JournalRemoved, self.home.path());
        Ok(())
    }

    /// Removes what the change put beside the files; the backups only if they are of files that did not change.
    pub(crate) fn sweep(&self, with_backups: bool) -> Result<()> {
        let mut result = Ok(());
        let mut remove = |directory: &Directory, name: &OsStr| {
            let removed = directory
                .unlink(name)
                .map_err(Error::os("remove", &directory.join(name)));
            if result.is_ok() {
                result = removed;
            }
        };
        for (entry, directory) in self.each() {
            let Some(directory) = directory else { continue };
            let backup = entry.backup.as_ref().filter(|_| with_backups);
            [&entry.new, &entry.old]
                .into_iter()
                .flatten()
                .chain(backup)
                .for_each(|name| remove(directory, name));
        }
        for directory in self.directories() {
            if directory.identity() != self.home.identity()
                && is_pointer(directory, &self.journal.name())
            {
                remove(directory, &self.journal.name());
            }
        }
        result?;
        self.reached(Step::LeftoversRemoved, self.home.path());
        Ok(())
    }

    fn reached(&self, step: Step, path: &Path) {
        self.steps.reached(step, path);
    }
}

/// Whether the name is a symbolic link, as pointers to journals are.
pub(crate) fn is_pointer(directory: &Directory, name: &OsStr) -> bool {
    let kind = |stat: rustix::fs::Stat| rustix::fs::FileType::from_raw_mode(stat.st_mode);
    matches!(directory.stat(name), Ok(Some(stat)) if kind(stat) == rustix::fs::FileType::Symlink)
}

fn exists(directory: Option<&Directory>, name: &OsStr) -> Result<bool> {
    directory.map_or(Ok(false), |directory| directory.contains(name))
}

/// The table at [`Entry`].
fn state(entry: &Entry, directory: Option<&Directory>) -> Result<State> {
    let exists = |name: &OsStr| exists(directory, name);
    let state = match (&entry.new, &entry.old) {
        (Some(new), _) if exists(new)? => State::Waiting,
        (Some(_), Some(old)) if exists(old)? => State::Done,
        (Some(_), None) if exists(&entry.file)? => State::Done,
        (Some(_), _) => State::PutBack,
        (None, Some(old)) if !exists(old)? && exists(&entry.file)? => State::Waiting,
        (None, _) => State::Done,
    };
    Ok(state)
}

/// Brings a file that is done back to its old state; says whether there was something to do.
fn put_back(entry: &Entry, directory: &Directory) -> std::io::Result<bool> {
    let exists = |name: &OsStr| {
        directory
            .contains(name)
            .map_err(|error| std::io::Error::other(error.to_string()))
    };
    match (&entry.new, &entry.old) {
        (Some(new), _) if exists(new)? => Ok(false),
        (Some(_), Some(old)) if exists(old)? => {
            Ok(directory.rename(old, &entry.file).map(|()| true)?)
        }
        (Some(_), None) if exists(&entry.file)? => {
            Ok(directory.unlink(&entry.file).map(|()| true)?)
        }
        (None, Some(old)) if exists(old)? && !exists(&entry.file)? => {
            Ok(directory.rename(old, &entry.file).map(|()| true)?)
        }
        _ => Ok(false),
    }
}
