// SPDX-License-Identifier: Apache-2.0
//! One change of a set: its journal, its pointers, and who executes it.

use std::ffi::OsString;
use std::path::Path;
use std::sync::{Arc, RwLock};

use rustix::io::Errno;

use crate::commit::{Commit, Outcome};
use crate::committer::{self, Answer, Missing};
use crate::directory::Directory;
use crate::journal::{Entry, Journal};
use crate::lock::Cover;
use crate::steps::{Step, Steps};
use crate::{Error, Result, names};

/// Changes run side by side (read); sweeping what killed changes left excludes them (write).
pub(crate) static GATE: RwLock<()> = RwLock::new(());

/// A change whose temporaries and kept old files are in place.
pub(crate) struct Change<'a> {
    pub(crate) journal: Journal,
    /// The directory of each entry.
    pub(crate) directories: Vec<Arc<Directory>>,
    pub(crate) locks: &'a Cover,
    pub(crate) steps: &'a dyn Steps,
}

impl Change<'_> {
    /// Makes the journal and has it executed; `is_new` says of an entry whether its new state is in place.
    ///
    /// Adds to `warnings` what did not end the change. On an error before the journal is written, the caller still
    /// owns the temporaries; afterwards nothing is left of them, or the journal names them.
    ///
    /// # Errors
    /// The cause, after the old files are back; [`Error::StuckHalfway`] if they are not.
    pub(crate) fn carry_out(
        &self,
        is_new: impl Fn(usize) -> bool,
        warnings: &mut Vec<String>,
    ) -> Result<()> {
        let Some(home) = self.directories.first() else {
            return Ok(());
        };
        let mut pointers = Pointers {
            of: self,
            home,
            made: Vec::new(),
        };
        pointers.make()?;
        self.journal.write(home)?;
        // From here on the journal needs them.
        pointers.made.clear();
        let path = home.join(&self.journal.name());
        self.steps.reached(Step::JournalWritten, &path);
        let handed_over = || self.steps.reached(Step::HandedOver, &path);
        let mut answer = committer::execute(&path, self.locks, handed_over);
        // A committer that died over untouched files is replaced. Over half of them we finish here: that is quicker
        // than starting another, and until it is done a kill would leave them so.
        while matches!(answer, Err(Missing::Lost)) && self.is_untouched(home) {
            answer = committer::execute(&path, self.locks, handed_over);
        }
        match answer {
            Ok(Answer::Finished { leftovers }) => {
                warn_of(leftovers.map(Error::from), warnings);
                Ok(())
            }
            Ok(Answer::Undone { cause }) => {
                Err(cause.map_or_else(|| interrupted(&path), Error::from))
            }
            Ok(Answer::NotDone) | Err(Missing::Lost) => self.execute_here(home, is_new, warnings),
            Err(Missing::NotStarted(reason)) => {
                warnings.push(format!(
                    "no committer for set '{}' ({reason}): had this run been killed between two renames, only the next run would have repaired it",
                    self.journal.set
                ));
                self.execute_here(home, is_new, warnings)
            }
        }
    }

    fn is_untouched(&self, home: &Directory) -> bool {
        Commit::open(home, &self.journal, self.steps)
            .and_then(|commit| commit.is_untouched())
            .unwrap_or(false)
    }

    /// Without a committer, or after its death.
    fn execute_here(
        &self,
        home: &Directory,
        is_new: impl Fn(usize) -> bool,
        warnings: &mut Vec<String>,
    ) -> Result<()> {
        let commit = Commit::open(home, &self.journal, self.steps)?;
        let undone = |cause: Option<Error>| {
            Err(cause.unwrap_or_else(|| interrupted(&home.join(&self.journal.name()))))
        };
        match commit.run()? {
            Outcome::Finished { leftovers } => {
                warn_of(leftovers, warnings);
                Ok(())
            }
            Outcome::Undone { cause } => undone(cause),
            // The committer removed the journal before it died, so it was at the end of one way or the other.
            Outcome::Gone => {
                let finished = (0..self.journal.entries.len()).all(is_new);
                warn_of(commit.sweep(!finished).err(), warnings);
                if finished { Ok(()) } else { undone(None) }
            }
        }
    }

    /// The directories other than the journal's, each once.
    fn others<'b>(&'b self, home: &'b Directory) -> impl Iterator<Item = &'b Directory> {
        self.directories
            .iter()
            .enumerate()
            .filter_map(move |(index, directory)| {
                let seen = self
                    .directories
                    .iter()
                    .take(index)
                    .any(|other| other.identity() == directory.identity());
                (directory.identity() != home.identity() && !seen).then_some(directory.as_ref())
            })
    }
}

/// The pointers to a journal that is not there yet; what was made is removed again if it never comes.
struct Pointers<'a> {
    of: &'a Change<'a>,
    home: &'a Directory,
    made: Vec<&'a Directory>,
}

impl Pointers<'_> {
    fn make(&mut self) -> Result<()> {
        let name = self.of.journal.name();
        for directory in self.of.others(self.home) {
            let path = directory.join(&name);
            match directory.symlink(&self.home.join(&name), &name) {
                Ok(()) => self.made.push(directory),
                Err(Errno::EXIST) => {
                    return Err(Error::Busy {
                        set: self.of.journal.set.clone(),
                        journal: path,
                    });
                }
                Err(errno) => {
                    return Err(Error::os("create the pointer to the journal", &path)(errno));
                }
            }
            // With it the names of the temporaries in that directory.
            directory.sync()?;
            self.of.steps.reached(Step::PointerMade, &path);
        }
        Ok(())
    }
}

impl Drop for Pointers<'_> {
    fn drop(&mut self) {
        for directory in &self.made {
            // One that stays leads nowhere and is swept by the next run.
            let _ = directory.unlink(&self.of.journal.name());
        }
    }
}

/// The error of a change that was undone by somebody who cannot tell us why any more.
fn interrupted(path: &Path) -> Error {
    Error::os::<std::io::Error>("finish the change in", path)(
        std::io::ErrorKind::Interrupted.into(),
    )
}

fn warn_of(leftovers: Option<Error>, warnings: &mut Vec<String>) {
    if let Some(error) = leftovers {
        let cause = std::error::Error::source(&error)
            .map(|cause| format!(": {cause}"))
            .unwrap_or_default();
        warnings.push(format!(
            "the files are in place, but something is left over: {error}{cause}"
        ));
    }
}

/// A set's journal entry for one file.
pub(crate) fn entry(
    directory: &Directory,
    file: &OsString,
    new: Option<OsString>,
    old: Option<OsString>,
) -> Entry {
    Entry {
        directory: directory.path().as_os_str().to_owned(),
        file: file.clone(),
        new,
        old,
        backup: None,
    }
}

/// A new random name for a change.
pub(crate) fn fresh_name(path: &Path) -> Result<names::Change> {
    names::Change::random().map_err(Error::os("draw a random name for", path))
}
