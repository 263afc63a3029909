// SPDX-License-Identifier: Apache-2.0
//! A failure as an answer to Ansible.

use ansible_module::flatten;
use serde_json::{Map, Value, json};

use super::Failure;

/// A container that failed, ready for the answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failed {
    /// Its name; the certificate's where the whole task failed.
    pub name: String,
    /// The stable word.
    pub kind: String,
    /// The message with its causes.
    pub msg: String,
    /// What to do.
    pub hint: Option<String>,
}

impl Failed {
    /// From the failure of a container.
    pub fn new(name: &str, failure: &Failure) -> Self {
        Self {
            name: name.to_owned(),
            kind: failure.word().to_owned(),
            msg: flatten(failure),
            hint: failure.advice(),
        }
    }

    /// As in the result `failures`.
    pub fn to_json(&self) -> Value {
        json!({"name": self.name, "kind": self.kind, "msg": self.msg, "hint": self.hint})
    }
}

/// Why the task failed.
#[derive(Debug, thiserror::Error)]
pub enum TaskFailure {
    /// Before anything was looked at or touched.
    #[error(transparent)]
    Early(#[from] Failure),
    /// Some containers failed, or must not be touched.
    #[error("{}", summary(failed))]
    Some {
        /// Which, and why.
        failed: Vec<Failed>,
        /// The result that would have been given without them.
        facts: Box<Map<String, Value>>,
        /// Whether others were acted on.
        changed: bool,
        /// What the operator should look at besides.
        warnings: Vec<String>,
    },
}

impl From<ansible_module::InputFaults> for TaskFailure {
    fn from(faults: ansible_module::InputFaults) -> Self {
        Self::Early(faults.into())
    }
}

/// Messages that are spelled out; `failures` has all.
const SPELLED_OUT: usize = 3;

fn summary(failed: &[Failed]) -> String {
    let messages: Vec<&str> = failed
        .iter()
        .take(SPELLED_OUT)
        .map(|each| each.msg.as_str())
        .collect();
    let more = failed.len().saturating_sub(SPELLED_OUT);
    let rest = if more == 0 {
        String::new()
    } else {
        format!("; and {more} more, see 'failures'")
    };
    format!("{}{rest}", messages.join("; "))
}

impl ansible_module::Failure for TaskFailure {
    fn kind(&self) -> &str {
        match self {
            Self::Early(failure) => failure.word(),
            Self::Some { failed, .. } => match failed.first() {
                Some(first) if failed.iter().all(|other| other.kind == first.kind) => &first.kind,
                _ => "containers.failed",
            },
        }
    }

    fn hint(&self) -> Option<String> {
        match self {
            Self::Early(failure) => failure.advice(),
            Self::Some { failed, .. } => failed.iter().find_map(|each| each.hint.clone()),
        }
    }

    fn facts(&self) -> Map<String, Value> {
        match self {
            Self::Early(Failure::Input(faults)) => ansible_module::Failure::facts(faults),
            Self::Early(_) => Map::new(),
            Self::Some { facts, .. } => facts.as_ref().clone(),
        }
    }

    fn changed(&self) -> bool {
        matches!(self, Self::Some { changed: true, .. })
    }

    fn warnings(&self) -> Vec<String> {
        match self {
            Self::Some { warnings, .. } => warnings.clone(),
            Self::Early(_) => Vec::new(),
        }
    }
}
