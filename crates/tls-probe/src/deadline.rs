// SPDX-License-Identifier: Apache-2.0
//! The time that a peer has for everything together.

use std::time::{Duration, Instant};

/// One span of time for a whole exchange, however many reads it takes: a peer that drips bytes gains nothing.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Deadline {
    started: Instant,
    patience: Duration,
}

impl Deadline {
    /// Starts now.
    pub(crate) fn after(patience: Duration) -> Self {
        Self {
            started: Instant::now(),
            patience,
        }
    }

    /// What is left; `None` when nothing is.
    pub(crate) fn left(&self) -> Option<Duration> {
        let left = self.patience.checked_sub(self.started.elapsed())?;
        // The system's timeouts count microseconds, and zero means for ever.
        (left >= Duration::from_millis(1)).then_some(left)
    }

    /// The whole span.
    pub(crate) fn patience(&self) -> Duration {
        self.patience
    }
}
