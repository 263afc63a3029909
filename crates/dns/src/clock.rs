// SPDX-License-Identifier: Apache-2.0
//! The time of day, which entered once and goes on by itself.

use std::time::{Duration, Instant, SystemTime};

/// A clock that was set when the program began.
#[derive(Clone, Copy, Debug)]
pub struct Clock {
    unix: u64,
    set: Instant,
}

impl Clock {
    /// Shows `now` now.
    pub fn starting_at(now: SystemTime) -> Self {
        let since = now.duration_since(SystemTime::UNIX_EPOCH);
        Self {
            unix: since.unwrap_or(Duration::ZERO).as_secs(),
            set: Instant::now(),
        }
    }

    /// Seconds since 1970.
    pub fn unix(&self) -> u64 {
        self.unix.saturating_add(self.set.elapsed().as_secs())
    }
}
