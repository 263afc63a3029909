// SPDX-License-Identifier: Apache-2.0
//! Writing sets at services that only replace whole ones.
//!
//! Between a look at a set and its replacement somebody else may have written it, whose records are lost then, and soon
//! after ours may be lost in the same way. So whoever wrote looks again, and not at once: by then all must have written
//! that had looked before. How long that may take nobody tells; our own look and write are the measure.

use std::time::Duration;

use crate::exchange::random_id;

/// How often sets are written before somebody else is said to be in the way.
const MOST: u32 = 12;
/// Others may be so many times slower than we are.
const SLOWER: u32 = 3;
const SHORTEST: Duration = Duration::from_millis(50);
const LONGEST: Duration = Duration::from_secs(2);

/// The rounds of one publication.
#[derive(Debug, Default)]
pub(crate) struct Rounds {
    written: u32,
    longest: Duration,
}

impl Rounds {
    /// Something was written, this long after it was looked at.
    pub(crate) fn wrote(&mut self, after: Duration) {
        self.longest = self.longest.max(after);
    }

    /// Waits until it is of use to look again; no more after many rounds.
    pub(crate) fn settle(&mut self) -> bool {
        self.written += 1;
        if self.written > MOST {
            return false;
        }
        std::thread::sleep(self.pause(random_id().unwrap_or_default()));
        true
    }

    /// Longer from round to round and by chance, so that those who meet once do not meet again.
    fn pause(&self, chance: u16) -> Duration {
        let pause = (self.longest * SLOWER).clamp(SHORTEST, LONGEST);
        let share = f64::from(chance) / f64::from(u16::MAX);
        let more = pause.mul_f64(share * f64::from(self.written - 1).min(4.0));
        (pause + more).min(LONGEST * 2)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_look_comes_soon_and_later_ones_by_chance() {
        let mut rounds = Rounds {
            written: 1,
            ..Rounds::default()
        };
        assert_eq!(rounds.pause(u16::MAX), SHORTEST);
        rounds.wrote(Duration::from_millis(100));
        rounds.wrote(Duration::from_millis(10));
        assert_eq!(rounds.pause(0), Duration::from_millis(300));
        rounds.written = 3;
        assert_eq!(rounds.pause(0), Duration::from_millis(300));
        assert_eq!(rounds.pause(u16::MAX), Duration::from_millis(900));
        rounds.wrote(Duration::from_secs(60));
        assert_eq!(rounds.pause(u16::MAX), LONGEST * 2);
        rounds.written = MOST;
        assert!(!rounds.settle());
    }
}
