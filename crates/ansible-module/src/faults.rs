// SPDX-License-Identifier: Apache-2.0
//! Faults of the input: all of them in one answer, each with its path.

use serde_json::{Map, Value, json};

use crate::failure::Failure;

/// How many faults the message spells out; `faults` in the answer has all of them.
const SPELLED_OUT: usize = 10;

/// One fault: where, and what.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Fault {
    /// `certificates[3].dns[0]`; empty for the input as a whole.
    pub path: String,
    /// What is wrong there, and what would be right.
    pub message: String,
}

impl std::fmt::Display for Fault {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.path.as_str() {
            "" => out.write_str(&self.message),
            path => write!(out, "{path}: {}", self.message),
        }
    }
}

/// Collects the faults of an input while it is turned into a request.
#[derive(Clone, Debug, Default)]
pub struct Faults(Vec<Fault>);

impl Faults {
    /// No faults yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a fault at `path` (`certificates[3].dns[0]`).
    pub fn push(&mut self, path: impl Into<String>, message: impl Into<String>) {
        self.0.push(Fault {
            path: path.into(),
            message: message.into(),
        });
    }

    /// Adds all faults of another collector.
    pub fn append(&mut self, other: Self) {
        self.0.extend(other.0);
    }

    /// Whether nothing is wrong so far.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// How many faults there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// The faults in the order in which they were found.
    pub fn iter(&self) -> std::slice::Iter<'_, Fault> {
        self.0.iter()
    }

    /// `ok` if there is no fault, else all of them as one error.
    pub fn into_result<T>(self, ok: T) -> Result<T, InputFaults> {
        if self.0.is_empty() {
            Ok(ok)
        } else {
            Err(InputFaults(self.0))
        }
    }
}

impl From<InputFaults> for Faults {
    fn from(faults: InputFaults) -> Self {
        Self(faults.0)
    }
}

impl Faults {
    /// Adds the faults of a later look at what is left of the input. Those inside an entry that is faulty already
    /// (`certificates[3]`) are left out: they may only follow from what was dropped there.
    pub(crate) fn append_from_elsewhere(&mut self, later: Self) {
        let entry = |path: &str| {
            path.split_once(']')
                .map_or(path, |(entry, _)| entry)
                .to_owned()
        };
        let faulty: std::collections::HashSet<String> =
            self.0.iter().map(|fault| entry(&fault.path)).collect();
        let new = later.0.into_iter();
        self.0
            .extend(new.filter(|fault| !faulty.contains(&entry(&fault.path))));
    }
}

/// The input is faulty: the operator should correct each path that `faults` names.
///
/// `kind` is `input.invalid`; the fact `faults` is `[{path, message}]`.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct InputFaults(Vec<Fault>);

impl InputFaults {
    /// A single fault; `path` is empty for the input as a whole.
    pub fn one(path: impl Into<String>, message: impl Into<String>) -> Self {
        Self(vec![Fault {
            path: path.into(),
            message: message.into(),
        }])
    }

    /// The faults, never empty.
    pub fn faults(&self) -> &[Fault] {
        &self.0
    }
}

impl std::fmt::Display for InputFaults {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if self.0.len() > 1 {
            write!(out, "{} faults in the options: ", self.0.len())?;
        }
        for (index, fault) in self.0.iter().take(SPELLED_OUT).enumerate() {
            let separator = if index == 0 { "" } else { "; " };
            write!(out, "{separator}{fault}")?;
        }
        match self.0.len().checked_sub(SPELLED_OUT) {
            None | Some(0) => Ok(()),
            Some(more) => write!(out, "; and {more} more, see 'faults'"),
        }
    }
}

impl std::error::Error for InputFaults {}

impl Failure for InputFaults {
    fn kind(&self) -> &str {
        "input.invalid"
    }

    fn facts(&self) -> Map<String, Value> {
        let faults = self
            .0
            .iter()
            .map(|f| json!({"path": f.path, "message": f.message}));
        Map::from_iter([("faults".to_owned(), faults.collect())])
    }
}

/// What to say of a text in which a template of Ansible was left unrendered, as happens to variables that are
/// marked unsafe or come from a file. For options that take any text and so would take this too.
pub fn unrendered(text: &str) -> Option<String> {
    let opened = ["{{", "{%"]
        .iter()
        .filter_map(|mark| text.find(mark))
        .min()?;
    let is_closed = ["}}", "%}"]
        .iter()
        .any(|mark| text[opened..].contains(mark));
    is_closed.then(|| {
        format!("'{text}' is a template that was not rendered; look where the variable comes from")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_fault_gives_the_value() {
        assert_eq!(Faults::new().into_result(3), Ok(3));
    }

    #[test]
    fn a_later_look_adds_the_faults_of_other_entries_only() {
        let mut faults = Faults::new();
        faults.push("certificates[0].dsn", "unknown option");
        let mut later = Faults::new();
        later.push("certificates[0].dns", "no name");
        later.push("certificates[1].dns[0]", "'foo bar' is not a DNS name");
        later.push("certificates[10].name", "twice");
        later.push("parallel", "is 0");
        faults.append_from_elsewhere(later);
        let paths: Vec<_> = faults.iter().map(|fault| fault.path.as_str()).collect();
        assert_eq!(
            paths,
            [
                "certificates[0].dsn",
                "certificates[1].dns[0]",
                "certificates[10].name",
                "parallel"
            ]
        );
    }

    #[test]
    fn one_fault_is_the_message() {
        let mut faults = Faults::new();
        faults.push("certificates[3].dns[0]", "'foo bar' is not a DNS name");
        let error = faults.into_result(()).map_err(|e| e.to_string());
        assert_eq!(
            error,
            Err("certificates[3].dns[0]: 'foo bar' is not a DNS name".into())
        );
    }

    #[test]
    fn many_faults_are_counted_and_the_first_ten_spelled_out() {
        let mut faults = Faults::new();
        (0..12).for_each(|i| faults.push(format!("a[{i}]"), "is wrong"));
        let Err(error) = faults.into_result(()) else {
            unreachable!("twelve faults")
        };
        let text = error.to_string();
        assert!(
            text.starts_with("12 faults in the options: a[0]: is wrong; a[1]: is wrong;"),
            "{text}"
        );
        assert!(
            text.ends_with("a[9]: is wrong; and 2 more, see 'faults'"),
            "{text}"
        );
        assert_eq!(error.facts()["faults"].as_array().map(Vec::len), Some(12));
        assert_eq!(
            error.facts()["faults"][0],
            json!({"path": "a[0]", "message": "is wrong"})
        );
    }
}
