// SPDX-License-Identifier: Apache-2.0
//! The instants that engines print.

use std::time::SystemTime;

use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

/// An instant in nanoseconds since 1970-01-01T00:00:00Z.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Instant(pub i128);

impl Instant {
    /// RFC 3339, as both engines write it. Year 1 is their word for never.
    pub fn parse(text: &str) -> Option<Self> {
        let at = OffsetDateTime::parse(text, &Rfc3339).ok()?;
        (at.year() > 1).then(|| Self(at.unix_timestamp_nanos()))
    }

    /// The later of content and attributes of a file: a modification time alone is copied along by `cp -p` and rsync.
    pub fn of_change(metadata: &impl ChangeTimes) -> Self {
        metadata.modified_at().max(metadata.changed_at())
    }
}

impl From<SystemTime> for Instant {
    fn from(at: SystemTime) -> Self {
        let nanos = |d: std::time::Duration| i128::try_from(d.as_nanos()).unwrap_or(i128::MAX);
        Self(match at.duration_since(SystemTime::UNIX_EPOCH) {
            Ok(after) => nanos(after),
            Err(before) => -nanos(before.duration()),
        })
    }
}

impl std::fmt::Display for Instant {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // A file may have any time; what no calendar has is shown as the year 1970.
        let at =
            OffsetDateTime::from_unix_timestamp_nanos(self.0).unwrap_or(OffsetDateTime::UNIX_EPOCH);
        let at = if at.year() < 0 {
            OffsetDateTime::UNIX_EPOCH
        } else {
            at
        };
        out.write_str(&at.format(&Rfc3339).map_err(|_| std::fmt::Error)?)
    }
}

/// When a file changed.
pub trait ChangeTimes {
    /// Its content.
    fn modified_at(&self) -> Instant;
    /// Its content or attributes.
    fn changed_at(&self) -> Instant;
}

impl<T: std::os::unix::fs::MetadataExt> ChangeTimes for T {
    fn modified_at(&self) -> Instant {
        Instant(i128::from(self.mtime()) * 1_000_000_000 + i128::from(self.mtime_nsec()))
    }

    fn changed_at(&self) -> Instant {
        Instant(i128::from(self.ctime()) * 1_000_000_000 + i128::from(self.ctime_nsec()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_engines_instants_are_read() {
        let docker = Instant::parse("2026-11-25T18:00:00.123456789Z");
        assert_eq!(docker, Some(Instant(1_795_629_600_123_456_789)));
        assert_eq!(
            Instant::parse("2026-11-25T20:00:00.123456789+02:00"),
            docker
        );
        assert_eq!(Instant::parse("0001-01-01T00:00:00Z"), None);
        assert_eq!(Instant::parse("yesterday"), None);
        assert_eq!(Instant(i128::MAX).to_string(), "1970-01-01T00:00:00Z");
        assert_eq!(
            Instant(i128::from(i64::MIN)).to_string(),
            "1677-09-21T00:12:43.145224192Z"
        );
    }
}
