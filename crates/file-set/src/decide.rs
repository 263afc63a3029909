// SPDX-License-Identifier: Apache-2.0
//! What is to be done and why: a pure function of what is wished and what is there.

use serde_json::{Value, json};
use tls_files::Drift;

use crate::observe::{FileFacts, Observation};
use crate::request::{FileSet, FileWish, Wish};

/// What is to be done with one file. Ordered: that of a set is the greatest of its files.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Action {
    /// Nothing.
    Keep,
    /// Owner, group, mode or context.
    FixAttributes,
    /// It goes away.
    Remove,
    /// It gets the ending `.replaced`.
    Retire,
    /// It is made or replaced.
    Write,
}

impl Action {
    /// The word of the result.
    pub fn word(self) -> &'static str {
        match self {
            Self::Keep => "keep",
            Self::FixAttributes => "fix_attributes",
            Self::Remove => "remove",
            Self::Retire => "retire",
            Self::Write => "write",
        }
    }
}

/// Why a file is touched.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reason {
    /// The file.
    pub path: String,
    /// `missing`, `content`, `attributes` or `surplus`.
    pub kind: &'static str,
    /// For people.
    pub detail: String,
}

impl Reason {
    /// As in the result.
    pub fn to_json(&self) -> Value {
        json!({"path": self.path, "kind": self.kind, "detail": self.detail})
    }
}

/// The decision about a set, with all its reasons.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Decision {
    /// As many as the set has files, in the same order.
    pub actions: Vec<Action>,
    /// Why.
    pub reasons: Vec<Reason>,
}

impl Decision {
    /// The greatest of the actions.
    pub fn action(&self) -> Action {
        self.actions.iter().copied().max().unwrap_or(Action::Keep)
    }
}

/// Decides about a set.
pub fn decide(set: &FileSet, seen: &Observation) -> Decision {
    let mut decision = Decision::default();
    for (file, facts) in set.files.iter().zip(&seen.files) {
        let (action, found) = of_file(file, facts);
        let path = file.target.path.display().to_string();
        decision.actions.push(action);
        decision
            .reasons
            .extend(found.into_iter().map(|(kind, detail)| Reason {
                path: path.clone(),
                kind,
                detail,
            }));
    }
    decision
}

type Why = Vec<(&'static str, String)>;

fn of_file(file: &FileWish, facts: &FileFacts) -> (Action, Why) {
    let why = |kind, detail: &str| vec![(kind, detail.to_owned())];
    match (&file.wish, facts) {
        (Wish::Absent | Wish::Retired, FileFacts::Absent) => (Action::Keep, Vec::new()),
        (Wish::Absent, FileFacts::Present { .. }) => {
            (Action::Remove, why("surplus", "shall not exist"))
        }
        (Wish::Retired, FileFacts::Present { .. }) => {
            (Action::Retire, why("surplus", "is out of service"))
        }
        (Wish::Present(_), FileFacts::Absent) => (Action::Write, why("missing", "does not exist")),
        (
            Wish::Present(_),
            FileFacts::Present {
                has_content, drift, ..
            },
        ) => of_present(*has_content, drift),
    }
}

fn of_present(has_content: bool, drift: &[Drift]) -> (Action, Why) {
    let mut why: Why = drift
        .iter()
        .map(|each| {
            let detail = format!("{} {} -> {}", each.what, each.before, each.after);
            ("attributes", detail)
        })
        .collect();
    if !has_content {
        why.insert(0, ("content", String::from("has other content")));
        return (Action::Write, why);
    }
    let action = if why.is_empty() {
        Action::Keep
    } else {
        Action::FixAttributes
    };
    (action, why)
}

#[cfg(test)]
mod tests;
