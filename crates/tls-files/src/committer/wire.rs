// SPDX-License-Identifier: Apache-2.0
//! What the committer answers, as JSON.

use std::io;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::Error;
use crate::commit::Outcome;

/// How a job ended.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Answer {
    /// The new files are in place.
    Finished { leftovers: Option<Fault> },
    /// The old files are back.
    Undone { cause: Option<Fault> },
    /// Neither: whoever holds the locks should execute the journal himself.
    NotDone,
}

/// A refusal of the operating system.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Fault {
    operation: String,
    path: PathBuf,
    errno: i32,
}

impl Answer {
    pub(super) fn new(result: crate::Result<Outcome>) -> Self {
        match result {
            Ok(Outcome::Finished { leftovers }) => Self::Finished {
                leftovers: leftovers.map(Fault::new),
            },
            Ok(Outcome::Undone { cause }) => Self::Undone {
                cause: cause.map(Fault::new),
            },
            Ok(Outcome::Gone) | Err(_) => Self::NotDone,
        }
    }
}

impl Fault {
    fn new(error: Error) -> Self {
        match error {
            Error::Os {
                operation,
                path,
                source,
            } => Self {
                operation: operation.into_owned(),
                path,
                errno: source.raw_os_error().unwrap_or(EIO),
            },
            // The commit itself has no other error that leaves an outcome.
            _ => Self {
                operation: "finish the change in".to_owned(),
                path: Path::new("/").to_path_buf(),
                errno: EIO,
            },
        }
    }
}

impl From<Fault> for Error {
    fn from(fault: Fault) -> Self {
        let Fault {
            operation,
            path,
            errno,
        } = fault;
        Self::Os {
            operation: operation.into(),
            path,
            source: io::Error::from_raw_os_error(errno),
        }
    }
}

/// What is said when the operating system gave no number.
const EIO: i32 = rustix::io::Errno::IO.raw_os_error();

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn the_answers_have_this_form() {
        let full = Error::os::<io::Error>("replace", Path::new("/c/a.pem"))(
            io::Error::from_raw_os_error(28),
        );
        let answer = Answer::new(Ok(Outcome::Undone { cause: Some(full) }));
        let json = r#"{"undone":{"cause":{"operation":"replace","path":"/c/a.pem","errno":28}}}"#;
        assert_eq!(serde_json::to_string(&answer).unwrap(), json);
        assert_eq!(serde_json::from_str::<Answer>(json).unwrap(), answer);
        let Answer::Undone { cause: Some(fault) } = answer else {
            unreachable!()
        };
        let error = Error::from(fault);
        assert_eq!(
            (error.to_string().as_str(), error.kind()),
            ("cannot replace '/c/a.pem'", "files.no_space")
        );
        assert_eq!(
            serde_json::to_string(&Answer::new(Ok(Outcome::Gone))).unwrap(),
            r#""not_done""#
        );
        assert_eq!(
            serde_json::to_string(&Answer::new(Ok(Outcome::Finished { leftovers: None }))).unwrap(),
            r#"{"finished":{"leftovers":null}}"#
        );
    }
}
