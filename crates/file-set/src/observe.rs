// SPDX-License-Identifier: Apache-2.0
//! What is on the host. Unreadable is never taken for absent.

use std::path::{Path, PathBuf};

use tls_files::{Drift, Observed, ObservedAttributes, ObservedFile};

use crate::directories;
use crate::failure::SetError;
use crate::request::{FileSet, FileWish, Wish};

/// One file of a set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FileFacts {
    /// Nothing is there.
    Absent,
    /// A file is there.
    Present {
        /// Whether it has the wished content; true where none is wished.
        has_content: bool,
        /// Attributes that differ from the wished ones.
        drift: Vec<Drift>,
        /// The attributes that it has.
        attributes: ObservedAttributes,
    },
}

/// What is known of a set before anything is decided.
#[derive(Debug, Default)]
pub struct Observation {
    /// As many as the set has files, in the same order.
    pub files: Vec<FileFacts>,
    /// Directories that must be made before its files can be written, parents first.
    pub missing_directories: Vec<PathBuf>,
}

/// Looks at everything that belongs to a set; changes nothing.
///
/// # Errors
/// Every file that cannot be read.
pub fn observe(set: &FileSet) -> Result<Observation, SetError> {
    let (mut observation, mut errors) = (Observation::default(), Vec::new());
    for file in &set.files {
        match look(file) {
            Ok(facts) => observation.files.push(facts),
            Err(error) => errors.push(error),
        }
        match missing_directories(file) {
            Ok(missing) => observation.missing_directories.extend(missing),
            Err(error) => errors.push(error),
        }
    }
    observation.missing_directories.sort();
    observation.missing_directories.dedup();
    SetError::unless_empty(errors).map_or(Ok(observation), Err)
}

fn look(file: &FileWish) -> tls_files::Result<FileFacts> {
    match tls_files::observe(&file.target.path) {
        Observed::Absent => Ok(FileFacts::Absent),
        Observed::Present(read) => Ok(facts(file, &read)),
        Observed::Unreadable(error) => {
            // A directory, say, is no file that could be replaced; then this is the better message.
            tls_files::check_destination(&file.target)?;
            Err(error)
        }
    }
}

fn facts(file: &FileWish, read: &ObservedFile) -> FileFacts {
    let has_content = match &file.wish {
        Wish::Present(content) => *read.bytes == **content,
        Wish::Absent | Wish::Retired => true,
    };
    FileFacts::Present {
        has_content,
        drift: tls_files::attribute_drift(&file.target, read),
        attributes: read.attributes.clone(),
    }
}

fn missing_directories(file: &FileWish) -> tls_files::Result<Vec<PathBuf>> {
    match (&file.wish, file.target.path.parent()) {
        (Wish::Present(_), Some(directory)) => {
            directories::missing(directory).map_err(|error| match error {
                tls_files::Error::NotADirectory { directory, .. } => {
                    tls_files::Error::NotADirectory {
                        path: file.target.path.clone(),
                        directory,
                    }
                }
                other => other,
            })
        }
        _ => Ok(Vec::new()),
    }
}

/// Whether there is anything, a link to nothing included.
pub fn exists(path: &Path) -> bool {
    path.symlink_metadata().is_ok()
}
