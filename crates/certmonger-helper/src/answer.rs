// SPDX-License-Identifier: Apache-2.0
//! What certmonger reads: standard output and the status.

use std::time::Duration;

/// What certmonger understands by a status.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Status {
    /// What was asked for is on standard output.
    Done = 0,
    /// The CA will never issue this.
    Rejected = 2,
    /// Another time it may work; certmonger tries again, after a week where there is no certificate yet.
    Unreachable = 3,
    /// The helper is not set up; somebody must mend that.
    Unconfigured = 4,
    /// As `Unreachable`, after as many seconds as standard output says.
    Wait = 5,
    /// This operation is not known here.
    Unsupported = 6,
}

/// What goes to standard output, and the status.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// The status.
    pub status: Status,
    /// The text; for a failure its reason, in one line.
    pub text: String,
    /// What goes to standard error, which certmonger's journal keeps, where standard output has no place for it.
    pub told: Option<String>,
}

impl Answer {
    /// This status with this text.
    pub fn new(status: Status, text: impl Into<String>) -> Self {
        Self {
            status,
            text: text.into(),
            told: None,
        }
    }

    /// What was asked for.
    pub fn done(text: impl Into<String>) -> Self {
        Self::new(Status::Done, text)
    }

    /// Somebody must mend this.
    pub fn unconfigured(text: impl Into<String>) -> Self {
        Self::new(Status::Unconfigured, text)
    }

    /// Not known here.
    pub fn unsupported() -> Self {
        Self::new(Status::Unsupported, "")
    }

    /// Ask again after this time, in seconds, with this cookie. certmonger has no place for the reason.
    pub fn wait(after: Duration, cookie: &str, why: impl Into<String>) -> Self {
        Self {
            told: Some(why.into()),
            ..Self::new(
                Status::Wait,
                format!("{}\n{cookie}", after.as_secs().max(1)),
            )
        }
    }
}
