// SPDX-License-Identifier: Apache-2.0
//! How much a server is forgiven.

use std::time::Duration;

/// How often and how long a server is asked again.
///
/// # Defaults
/// A minute for what a server asks us to wait, 12 refused nonces, 4 failures of the server with pauses from one second
/// on, ten minutes for an order, no limit for everything together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Patience {
    /// The longest `Retry-After` that is waited for within a run.
    pub max_wait: Duration,
    /// How many nonces in a row may be refused.
    pub nonces: u32,
    /// How many times in a row the server may fail (5xx, or not be reached).
    pub failures: u32,
    /// The pause before the first repetition after a failure; it doubles.
    pub pause: Duration,
    /// How long an order may take to become ready, and then to become a certificate, each.
    pub deadline: Duration,
    /// How long everything at this server may take from [`crate::Server::open`] on. What is on its way then may still
    /// take as long as one request may; nothing more is sent.
    pub whole: Option<Duration>,
}

impl Default for Patience {
    fn default() -> Self {
        Self {
            max_wait: Duration::from_secs(60),
            nonces: 12,
            failures: 4,
            pause: Duration::from_secs(1),
            deadline: Duration::from_secs(600),
            whole: None,
        }
    }
}
