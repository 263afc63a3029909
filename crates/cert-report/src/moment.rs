// SPDX-License-Identifier: Apache-2.0
//! An instant, as it travels in a report: RFC 3339, in UTC, to the second.

use std::fmt;
use std::time::{SystemTime, UNIX_EPOCH};

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use time::OffsetDateTime;
use time::format_description::well_known::{Rfc2822, Rfc3339};

/// Seconds of one day.
const DAY: i64 = 86_400;
/// 9999-12-31T23:59:59Z, which certificates without an end have (RFC 5280 §4.1.2.5).
const LAST: i64 = 253_402_300_799;

/// Seconds since 1970, UTC; between the years 1970 and 9999 after [`Moment::calendar`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Moment(pub i64);

impl Moment {
    /// Whole days from `now` until this instant, rounded down: 0 is less than a day, -1 has just passed.
    pub fn days_after(self, now: Self) -> i64 {
        self.0.saturating_sub(now.0).div_euclid(DAY)
    }

    /// `2026-11-26`.
    pub fn date(self) -> String {
        self.to_string().chars().take(10).collect()
    }

    /// `Thu, 26 Nov 2026 09:00:00 +0000`, as mails have it.
    pub fn mail_date(self) -> String {
        self.calendar().format(&Rfc2822).unwrap_or_default()
    }

    /// Kept within the years that can be written; certificates may say others.
    fn calendar(self) -> OffsetDateTime {
        OffsetDateTime::from_unix_timestamp(self.0.clamp(0, LAST))
            .unwrap_or(OffsetDateTime::UNIX_EPOCH)
    }
}

impl From<SystemTime> for Moment {
    fn from(at: SystemTime) -> Self {
        let seconds = at.duration_since(UNIX_EPOCH).map_or(0, |d| d.as_secs());
        Self(i64::try_from(seconds).unwrap_or(LAST))
    }
}

impl fmt::Display for Moment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.calendar().format(&Rfc3339).map_err(|_| fmt::Error)?)
    }
}

impl Serialize for Moment {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Moment {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        OffsetDateTime::parse(&text, &Rfc3339)
            .map(|at| Self(at.unix_timestamp()))
            .map_err(|_| {
                de::Error::custom(format!("'{text}' is no instant like 2026-11-26T09:00:00Z"))
            })
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]

    use super::*;

    #[test]
    fn an_instant_travels_as_text_and_comes_back() {
        let at: Moment = serde_json::from_str("\"2026-11-26T10:02:03+01:00\"").unwrap();
        assert_eq!(
            serde_json::to_string(&at).unwrap(),
            "\"2026-11-26T09:02:03Z\""
        );
        assert_eq!(at.date(), "2026-11-26");
    }

    #[test]
    fn days_are_whole_and_rounded_down() {
        let now = Moment(10 * DAY);
        assert_eq!(Moment(11 * DAY - 1).days_after(now), 0);
        assert_eq!(Moment(11 * DAY).days_after(now), 1);
        assert_eq!(Moment(10 * DAY - 1).days_after(now), -1);
    }

    #[test]
    fn years_that_cannot_be_written_are_the_nearest_that_can() {
        assert_eq!(Moment(i64::MIN).to_string(), "1970-01-01T00:00:00Z");
        assert_eq!(Moment(i64::MAX).to_string(), "9999-12-31T23:59:59Z");
        assert_eq!(Moment(i64::MAX).days_after(Moment(-1)), i64::MAX / DAY);
    }

    #[test]
    fn what_is_no_instant_is_named() {
        let error = serde_json::from_str::<Moment>("\"tomorrow\"")
            .unwrap_err()
            .to_string();
        assert!(error.contains("'tomorrow' is no instant"), "{error}");
    }
}
