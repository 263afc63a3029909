// SPDX-License-Identifier: Apache-2.0
//! What can go wrong, as data.

use std::sync::Arc;

use ansible_module::{FailedItem, Failure, InputFaults, flatten};
use serde_json::{Map, Value};

use crate::request::FileSet;

/// What stands in the way of one set: everything that is known, so that one run shows it all.
#[derive(Debug, thiserror::Error)]
#[error("{}", joined(errors))]
pub struct SetError {
    // Shared, because one directory may spoil several sets.
    errors: Vec<Arc<tls_files::Error>>,
}

fn joined(errors: &[Arc<tls_files::Error>]) -> String {
    let each: Vec<String> = errors.iter().map(|error| flatten(error.as_ref())).collect();
    each.join("; ")
}

impl SetError {
    /// An error where there are errors.
    pub fn unless_empty(errors: Vec<tls_files::Error>) -> Option<Self> {
        let errors: Vec<_> = errors.into_iter().map(Arc::new).collect();
        (!errors.is_empty()).then_some(Self { errors })
    }

    /// The directories of the files that have none.
    pub fn directories_missing(set: &FileSet) -> Self {
        let missing = set.files.iter().filter_map(|file| {
            let directory = file.target.path.parent()?;
            (!directory.is_dir()).then(|| tls_files::Error::DirectoryMissing {
                path: file.target.path.clone(),
                directory: directory.to_path_buf(),
            })
        });
        let mut errors: Vec<_> = missing.map(Arc::new).collect();
        errors.dedup_by_key(|error| error.to_string());
        Self { errors }
    }

    /// The same for another set.
    pub fn share(&self) -> Self {
        Self {
            errors: self.errors.clone(),
        }
    }

    /// The word that all errors share, else `files.failed`.
    pub fn kind(&self) -> &'static str {
        let mut kinds = self.errors.iter().map(|error| error.kind());
        match kinds.next() {
            Some(first) if kinds.all(|other| other == first) => first,
            _ => "files.failed",
        }
    }

    /// What to do, where the message does not say it.
    pub fn hint(&self) -> Option<&'static str> {
        self.errors.iter().find_map(|error| error.hint())
    }

    /// Ready for the answer.
    pub fn of(&self, set: &str) -> FailedItem {
        FailedItem {
            name: set.to_owned(),
            kind: self.kind().to_owned(),
            msg: flatten(self),
            hint: self.hint().map(str::to_owned),
        }
    }
}

impl From<tls_files::Error> for SetError {
    fn from(error: tls_files::Error) -> Self {
        Self {
            errors: vec![Arc::new(error)],
        }
    }
}

/// Why the task failed.
#[derive(Debug, thiserror::Error)]
pub enum TaskError {
    /// The options are faulty.
    #[error(transparent)]
    Input(#[from] InputFaults),
    /// Locks, or directories that were asked for.
    #[error(transparent)]
    Files(#[from] SetError),
    /// Some sets failed; the others are as wished.
    #[error("{}", ansible_module::summary("set", failed, *total))]
    Sets {
        /// The failed ones.
        failed: Vec<FailedItem>,
        /// How many there are in the task.
        total: usize,
        /// The result that would have been given without them.
        facts: Box<Map<String, Value>>,
        /// Whether others were changed.
        changed: bool,
        /// What the operator should look at besides.
        warnings: Vec<String>,
    },
}

impl From<tls_files::Error> for TaskError {
    fn from(error: tls_files::Error) -> Self {
        Self::Files(SetError::from(error))
    }
}

impl Failure for TaskError {
    fn kind(&self) -> &str {
        match self {
            Self::Input(faults) => faults.kind(),
            Self::Files(error) => error.kind(),
            Self::Sets { failed, .. } => ansible_module::shared_kind(failed, "sets.failed"),
        }
    }

    fn hint(&self) -> Option<String> {
        match self {
            Self::Input(faults) => faults.hint(),
            Self::Files(error) => error.hint().map(str::to_owned),
            Self::Sets { failed, .. } => failed.iter().find_map(|item| item.hint.clone()),
        }
    }

    fn facts(&self) -> Map<String, Value> {
        match self {
            Self::Input(faults) => faults.facts(),
            Self::Files(_) => Map::new(),
            Self::Sets { facts, .. } => facts.as_ref().clone(),
        }
    }

    fn changed(&self) -> bool {
        matches!(self, Self::Sets { changed: true, .. })
    }

    fn warnings(&self) -> Vec<String> {
        match self {
            Self::Sets { warnings, .. } => warnings.clone(),
            Self::Input(_) | Self::Files(_) => Vec::new(),
        }
    }
}
