// SPDX-License-Identifier: Apache-2.0
//! Why certmonger could not be asked, or what it answered instead.

use std::time::Duration;

use crate::wire::WireError;

/// The failures of this crate; each says which of the parties between us and certmonger is the cause.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The operator should correct the address.
    #[error("'{address}' is not the address of a Unix socket: {why}")]
    Address {
        /// What was given.
        address: String,
        /// What is wrong with it.
        why: &'static str,
    },
    /// The bus does not let us in.
    #[error("'{address}' refuses us: {said}")]
    Authentication {
        /// Where.
        address: String,
        /// What it said.
        said: String,
    },
    /// certmonger refuses what was asked.
    #[error("certmonger refuses to {what}: {said}")]
    Daemon {
        /// What was asked.
        what: &'static str,
        /// The name of the D-Bus error.
        name: String,
        /// Its text.
        said: String,
    },
    /// The policy of the bus forbids the call.
    #[error("the bus does not let us {what}: {said}")]
    Denied {
        /// What was asked.
        what: &'static str,
        /// What it said.
        said: String,
    },
    /// There is no socket, or nobody listens.
    #[error("cannot reach '{address}'")]
    NoBus {
        /// Where.
        address: String,
        /// What the system says.
        #[source]
        source: std::io::Error,
    },
    /// The bus is there and certmonger is not.
    #[error("certmonger is not running: {said}")]
    NotRunning {
        /// What the bus said.
        said: String,
    },
    /// No answer in time.
    #[error("no answer from '{from}' within {} s while we wanted to {what}", within.as_secs())]
    Timeout {
        /// Who did not answer.
        from: String,
        /// What was asked.
        what: &'static str,
        /// How long we waited.
        within: Duration,
    },
    /// The connection ended, or certmonger left the bus.
    #[error("certmonger went away while we wanted to {what}")]
    WentAway {
        /// What was asked.
        what: &'static str,
    },
    /// What came in is not D-Bus, or not what certmonger says.
    #[error("'{from}' does not speak as it should")]
    Wire {
        /// Who.
        from: String,
        /// What is wrong.
        #[source]
        source: WireError,
    },
}

impl Error {
    /// A stable word for playbooks.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Address { .. } => "certmonger.address",
            Self::Authentication { .. } | Self::Denied { .. } => "certmonger.denied",
            Self::Daemon { name, .. } if name.ends_with(".duplicate") => "certmonger.duplicate",
            Self::Daemon { .. } => "certmonger.refused_request",
            Self::NoBus { .. } => "certmonger.no_bus",
            Self::NotRunning { .. } => "certmonger.not_running",
            Self::Timeout { .. } => "certmonger.no_answer",
            Self::WentAway { .. } => "certmonger.went_away",
            Self::Wire { .. } => "certmonger.protocol",
        }
    }

    /// What to do, where the message does not say it.
    #[must_use]
    pub fn hint(&self) -> Option<&'static str> {
        match self {
            Self::Authentication { .. } | Self::Denied { .. } => {
                Some("only root may ask certmonger; set 'become: true'")
            }
            Self::NoBus { .. } => Some(
                "start the D-Bus system bus, or run 'certmonger -L -P SOCKET' and give that socket as 'address'",
            ),
            Self::NotRunning { .. } => Some("start it: 'systemctl start certmonger'"),
            Self::WentAway { .. } => Some(
                "see the journal of certmonger; its requests are on disk and go on when it is started again",
            ),
            _ => None,
        }
    }
}
