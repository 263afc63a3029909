// SPDX-License-Identifier: Apache-2.0
//! Time, as the caller has it.

use std::time::{Duration, Instant};

use pki::Timestamp;

/// What time it is, and waiting. Servers name instants, so the protocol needs both.
pub trait Clock: Send + Sync {
    /// Now.
    fn now(&self) -> Timestamp;
    /// Returns after this span.
    fn wait(&self, span: Duration);
}

/// A clock that was set once, at `main`, and runs with the machine's monotonic time.
#[derive(Clone, Copy, Debug)]
pub struct RunningClock {
    set: Timestamp,
    at: Instant,
}

impl RunningClock {
    /// Sets it.
    pub fn set(now: Timestamp) -> Self {
        Self {
            set: now,
            at: Instant::now(),
        }
    }
}

impl Clock for RunningClock {
    /// May be a second behind, since what it was set to has no parts of one.
    fn now(&self) -> Timestamp {
        after(self.set, self.at.elapsed())
    }

    fn wait(&self, span: Duration) {
        // A server asked for the pause, and nothing else is to be done in it.
        std::thread::sleep(span);
    }
}

/// The instant that is so much later; parts of a second are cut off.
pub(crate) fn after(instant: Timestamp, span: Duration) -> Timestamp {
    let seconds = i64::try_from(span.as_secs()).unwrap_or(i64::MAX);
    Timestamp(instant.0.saturating_add(seconds))
}
