// SPDX-License-Identifier: Apache-2.0
//! Why a task fails, in words and as data.

use std::path::PathBuf;

use ansible_module::{InputFaults, flatten};
use serde_json::{Map, Value};

/// Nothing could be judged.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// The options are wrong.
    #[error(transparent)]
    Input(#[from] InputFaults),
    /// Sockets or TLS of this host cannot be used.
    #[error(transparent)]
    Probe(#[from] tls_probe::Error),
    /// What is to be trusted cannot be read.
    #[error("the roots in '{}' cannot be used: {why}", path.display())]
    Trust {
        /// The file or directory.
        path: PathBuf,
        /// Why not.
        why: String,
    },
}

/// A report that cannot be written.
#[derive(Debug, thiserror::Error)]
#[error("cannot write the report '{}'", path.display())]
pub struct Unwritten {
    /// The file.
    pub path: PathBuf,
    /// Why not.
    pub source: tls_files::Error,
}

impl Failure {
    /// A stable word.
    pub fn word(&self) -> &'static str {
        match self {
            Self::Input(_) => "input.invalid",
            Self::Probe(error) => error.kind(),
            Self::Trust { .. } => "trust.unreadable",
        }
    }
}

/// Why the task failed.
#[derive(Debug, thiserror::Error)]
pub enum TaskFailure {
    /// Before anything was found.
    #[error(transparent)]
    Early(#[from] Failure),
    /// A report could not be written; the first, if there are several.
    #[error("cannot write the report '{}'", path.display())]
    Unwritten {
        /// The file.
        path: PathBuf,
        /// Why not.
        source: Box<tls_files::Error>,
        /// All that was found.
        facts: Box<Map<String, Value>>,
        /// Whether another report was written.
        changed: bool,
        /// What could not be found out.
        warnings: Vec<String>,
    },
    /// Something is wrong with what is served, and the task was told to fail then.
    #[error("{summary}")]
    Found {
        /// The problems in words.
        summary: String,
        /// Whether anything is worse than a warning.
        has_failed: bool,
        /// All that was found.
        facts: Box<Map<String, Value>>,
        /// Whether a report was written.
        changed: bool,
        /// What could not be found out.
        warnings: Vec<String>,
    },
}

impl From<InputFaults> for TaskFailure {
    fn from(faults: InputFaults) -> Self {
        Self::Early(faults.into())
    }
}

impl ansible_module::Failure for TaskFailure {
    fn kind(&self) -> &str {
        match self {
            Self::Early(failure) => failure.word(),
            Self::Unwritten { source, .. } => source.kind(),
            Self::Found {
                has_failed: true, ..
            } => "check.failed",
            Self::Found { .. } => "check.warned",
        }
    }

    fn hint(&self) -> Option<String> {
        match self {
            Self::Unwritten { source, .. } => source.hint().map(str::to_owned),
            Self::Early(_) => None,
            Self::Found { .. } => {
                Some("'problems' has each with what to do; fail_on: none only reports".to_owned())
            }
        }
    }

    fn facts(&self) -> Map<String, Value> {
        match self {
            Self::Early(Failure::Input(faults)) => ansible_module::Failure::facts(faults),
            Self::Early(_) => Map::new(),
            Self::Found { facts, .. } | Self::Unwritten { facts, .. } => facts.as_ref().clone(),
        }
    }

    fn changed(&self) -> bool {
        match self {
            Self::Found { changed, .. } | Self::Unwritten { changed, .. } => *changed,
            Self::Early(_) => false,
        }
    }

    fn warnings(&self) -> Vec<String> {
        match self {
            Self::Found { warnings, .. } | Self::Unwritten { warnings, .. } => warnings.clone(),
            Self::Early(_) => Vec::new(),
        }
    }
}

/// One line for people who called without Ansible.
pub fn told(failure: &TaskFailure) -> String {
    flatten(failure)
}
