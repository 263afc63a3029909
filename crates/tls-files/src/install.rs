// SPDX-License-Identifier: Apache-2.0
//! Replacing a set of files.

use std::path::PathBuf;
use std::process::ExitCode;

use zeroize::Zeroizing;

use crate::{Result, Target};

/// A file and what it shall contain.
pub struct FileChange {
    /// Where and with which attributes.
    pub target: Target,
    /// Its new content.
    pub content: Zeroizing<Vec<u8>>,
}

/// What [`install`] did.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Installed {
    /// The files that were created or replaced, in the order of the call.
    pub files: Vec<PathBuf>,
    /// The backups that were made.
    pub backups: Vec<PathBuf>,
    /// What was not done as asked, in words for the operator.
    pub warnings: Vec<String>,
}

/// Replaces a set of files, all or none.
pub fn install(set: &str, changes: Vec<FileChange>) -> Result<Installed> {
    let _ = (set, changes);
    Ok(Installed::default())
}

/// The main function of the committer.
pub fn committer_main() -> ExitCode {
    ExitCode::SUCCESS
}
