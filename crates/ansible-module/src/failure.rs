// SPDX-License-Identifier: Apache-2.0
//! What an error must say so that a playbook and a person can act on it.

use std::error::Error;

use serde_json::{Map, Value};

/// An error that can be answered to Ansible; the executables implement it for their libraries' errors.
pub trait Failure: Error {
    /// Stable, documented word for playbooks, in the form `area.what` (`input.invalid`, `key.passphrase`).
    fn kind(&self) -> &str;

    /// What the operator should do, if it is not in the message.
    fn hint(&self) -> Option<String> {
        None
    }

    /// Further keys of the answer; words of the protocol (`changed`, `msg`, …) among them are left out.
    fn facts(&self) -> Map<String, Value> {
        Map::new()
    }

    /// Whether something was changed before the failure.
    fn changed(&self) -> bool {
        false
    }

    /// What the operator should look at besides, as of a success.
    fn warnings(&self) -> Vec<String> {
        Vec::new()
    }
}

/// The messages of an error and of what caused it, outermost first.
///
/// A cause whose text the message above already contains is left out, so an error which prints its source
/// does not say everything twice.
pub fn chain(error: &dyn Error) -> Vec<String> {
    let mut messages = vec![error.to_string()];
    let mut cause = error.source();
    while let Some(error) = cause {
        let text = error.to_string();
        if messages.last().is_some_and(|above| !above.contains(&text)) {
            messages.push(text);
        }
        cause = error.source();
    }
    messages
}

/// The chain of an error as one line: `top: cause: cause`.
pub fn flatten(error: &dyn Error) -> String {
    chain(error).join(": ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, thiserror::Error)]
    #[error("{message}")]
    struct Step {
        message: &'static str,
        source: Option<Box<Self>>,
    }

    fn step(message: &'static str, source: Option<Step>) -> Step {
        Step {
            message,
            source: source.map(Box::new),
        }
    }

    #[test]
    fn a_chain_is_joined_from_the_top() {
        let error = step(
            "cannot install",
            Some(step("cannot rename", Some(step("disk full", None)))),
        );
        assert_eq!(flatten(&error), "cannot install: cannot rename: disk full");
        assert_eq!(
            chain(&error),
            ["cannot install", "cannot rename", "disk full"]
        );
    }

    #[test]
    fn a_cause_that_was_already_said_is_not_repeated() {
        let error = step(
            "cannot install: cannot rename",
            Some(step("cannot rename", Some(step("disk full", None)))),
        );
        assert_eq!(flatten(&error), "cannot install: cannot rename: disk full");
    }
}
