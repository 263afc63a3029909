// SPDX-License-Identifier: Apache-2.0
//! Time, as the caller has it.

use std::time::{Duration, Instant, SystemTime};

use pki::Timestamp;

/// What time it is, and waiting. Servers name instants, so the protocol needs both.
pub trait Clock: Send + Sync {
    /// Now.
    fn now(&self) -> Timestamp;
    /// Returns after this span.
    fn wait(&self, span: Duration);
    /// How long this clock runs, with the parts of a second that [`Self::now`] lacks.
    fn running(&self) -> Duration;
}

/// A clock that was set once, at `main`, and runs with the machine's monotonic time.
#[derive(Clone, Copy, Debug)]
pub struct RunningClock {
    set: SystemTime,
    at: Instant,
}

impl RunningClock {
    /// Sets it.
    pub fn set(now: SystemTime) -> Self {
        Self {
            set: now,
            at: Instant::now(),
        }
    }
}

impl Clock for RunningClock {
    fn now(&self) -> Timestamp {
        let elapsed = self.at.elapsed();
        self.set.checked_add(elapsed).unwrap_or(self.set).into()
    }

    fn wait(&self, span: Duration) {
        // A server asked for the pause, and nothing else is to be done in it.
        std::thread::sleep(span);
    }

    fn running(&self) -> Duration {
        self.at.elapsed()
    }
}

/// The instant that is so much later; parts of a second are cut off.
pub(crate) fn after(instant: Timestamp, span: Duration) -> Timestamp {
    let seconds = i64::try_from(span.as_secs()).unwrap_or(i64::MAX);
    Timestamp(instant.0.saturating_add(seconds))
}
