// SPDX-License-Identifier: Apache-2.0
//! The named steps of a change, for those who want to watch it (the tests, which kill it at each of them).

use std::path::Path;

/// A step that has just been done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Step {
    /// A temporary exists, empty, with its final attributes.
    TemporaryCreated,
    /// A temporary has its content.
    TemporaryWritten,
    /// All temporaries are on the disk.
    TemporariesSynced,
    /// An old file has its second name.
    OldKept,
    /// A directory other than the journal's points to the journal.
    PointerMade,
    /// The journal is on the disk.
    JournalWritten,
    /// The committer has the job.
    HandedOver,
    /// Whoever executes the journal has begun.
    CommitBegun,
    /// One file is in its new state.
    Renamed,
    /// The renames are on the disk.
    DirectoriesSynced,
    /// The journal is gone: the change is done.
    JournalRemoved,
    /// Nothing is left over.
    LeftoversRemoved,
    /// One file is back in its old state.
    PutBack,
}

impl Step {
    /// All steps, in their order.
    pub const ALL: [Self; 13] = [
        Self::TemporaryCreated,
        Self::TemporaryWritten,
        Self::TemporariesSynced,
        Self::OldKept,
        Self::PointerMade,
        Self::JournalWritten,
        Self::HandedOver,
        Self::CommitBegun,
        Self::Renamed,
        Self::DirectoriesSynced,
        Self::JournalRemoved,
        Self::LeftoversRemoved,
        Self::PutBack,
    ];
}

/// Somebody who watches a change.
pub trait Steps: Sync {
    /// Called after each step, with the file, directory or journal that it concerned.
    fn reached(&self, step: Step, path: &Path);
}

/// Nobody watches.
pub(crate) struct Unwatched;

impl Steps for Unwatched {
    fn reached(&self, _: Step, _: &Path) {}
}
