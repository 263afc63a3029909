// SPDX-License-Identifier: Apache-2.0
//! Until when something may take.

use std::time::{Duration, Instant};

/// What stands for limits that no clock can show.
const LONGEST_LIMIT: Duration = Duration::from_secs(86_400);

/// The instant at which a limit is over; one that no clock can show is that of a day.
pub(crate) fn deadline(limit: Duration) -> Instant {
    let now = Instant::now();
    now.checked_add(limit).unwrap_or(now + LONGEST_LIMIT)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_limit_that_no_clock_can_show_is_that_of_a_day() {
        let begin = Instant::now();
        assert!(deadline(Duration::MAX) >= begin + LONGEST_LIMIT);
        let usual = Duration::from_secs(5);
        assert!(deadline(usual) >= begin + usual && deadline(usual) < begin + LONGEST_LIMIT);
    }
}
