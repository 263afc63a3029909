// SPDX-License-Identifier: Apache-2.0
//! Instants, lifetimes and when to renew.

use std::fmt;
use std::ops::{Add, Sub};
use std::str::FromStr;
use std::time::{SystemTime, UNIX_EPOCH};

use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use crate::{Error, Result};

/// An instant in whole seconds since 1970-01-01T00:00:00Z. Displays as RFC 3339 in UTC.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(pub i64);

/// 9999-12-31T23:59:59Z, "no well-defined expiration date" of RFC 5280 §4.1.2.5: the last that ASN.1 can say.
const LATEST: i64 = 253_402_300_799;
/// 0000-01-01T00:00:00Z, the first that ASN.1 can say.
const EARLIEST: i64 = -62_167_219_200;

impl Timestamp {
    /// The calendar date; instants which no four-digit year can say are clamped to the nearest that can.
    pub(crate) fn calendar(self) -> OffsetDateTime {
        OffsetDateTime::from_unix_timestamp(self.0.clamp(EARLIEST, LATEST))
            .unwrap_or(OffsetDateTime::UNIX_EPOCH)
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.calendar().format(&Rfc3339).map_err(|_| fmt::Error)?)
    }
}

/// RFC 3339 with any offset; fractions of a second are cut off.
impl FromStr for Timestamp {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        OffsetDateTime::parse(text, &Rfc3339)
            .map(|at| Self(at.unix_timestamp()))
            .map_err(|_| {
                Error::invalid(
                    "instant",
                    text,
                    "write it as RFC 3339, such as 2026-11-22T06:00:00Z",
                )
            })
    }
}

impl From<SystemTime> for Timestamp {
    fn from(at: SystemTime) -> Self {
        let seconds = |d: std::time::Duration| i64::try_from(d.as_secs()).unwrap_or(i64::MAX);
        match at.duration_since(UNIX_EPOCH) {
            Ok(after) => Self(seconds(after)),
            Err(before) => Self(seconds(before.duration()).saturating_neg()),
        }
    }
}

impl Add<Lifetime> for Timestamp {
    type Output = Self;
    fn add(self, lifetime: Lifetime) -> Self {
        Self(self.0.saturating_add_unsigned(lifetime.0))
    }
}

impl Sub<Lifetime> for Timestamp {
    type Output = Self;
    fn sub(self, lifetime: Lifetime) -> Self {
        Self(self.0.saturating_sub_unsigned(lifetime.0))
    }
}

/// A span of time in seconds. Written `30d`, `12h`, `90m`, `45s`, `2w`; a number alone is seconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Lifetime(pub u64);

const UNITS: [(char, u64); 5] = [
    ('w', 604_800),
    ('d', 86_400),
    ('h', 3_600),
    ('m', 60),
    ('s', 1),
];

impl FromStr for Lifetime {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let rule = "write a whole number and a unit: w, d, h, m or s, such as 30d";
        let trimmed = text.trim();
        let (digits, factor) = UNITS
            .iter()
            .find_map(|(letter, factor)| trimmed.strip_suffix(*letter).map(|rest| (rest, *factor)))
            .unwrap_or((trimmed, 1));
        if digits.is_empty() || !digits.bytes().all(|b| b.is_ascii_digit()) {
            return Err(Error::invalid("duration", text, rule));
        }
        digits
            .parse::<u64>()
            .ok()
            .and_then(|count| count.checked_mul(factor))
            .map(Self)
            .ok_or_else(|| Error::invalid("duration", text, "it is too long"))
    }
}

/// How far the clock of a host may be behind that of the signer: an hour, as a wrong time zone or a summer time
/// leaves it, and some minutes on top.
pub const CLOCK_TOLERANCE: Lifetime = Lifetime(3_900);

impl Timestamp {
    /// When a certificate begins that is made now for `ttl`: [`CLOCK_TOLERANCE`] ago, so that a host whose clock is
    /// behind accepts it. A short lifetime is not stretched by more than a quarter: its own end is what counts then,
    /// and a share of the lifetime would be due too early.
    #[must_use]
    pub fn begin_of(self, ttl: Lifetime) -> Self {
        self - Lifetime(CLOCK_TOLERANCE.0.min(ttl.0 / 4))
    }
}

/// The number, if `text` is nothing else. As the lifetime of a certificate that is seldom meant in seconds:
/// who writes `398` thinks of days.
pub fn without_unit(text: &str) -> Option<&str> {
    let trimmed = text.trim();
    let is_number = !trimmed.is_empty() && trimmed.bytes().all(|b| b.is_ascii_digit());
    is_number.then_some(trimmed)
}

/// The largest unit, but weeks, that divides the span: 7200 seconds are `2h`, fourteen days are `14d`.
impl fmt::Display for Lifetime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let unit = UNITS[1..]
            .iter()
            .find(|(_, factor)| self.0 != 0 && self.0.is_multiple_of(*factor));
        let (letter, factor) = unit.copied().unwrap_or(('s', 1));
        write!(f, "{}{letter}", self.0 / factor)
    }
}

/// How long before its end a certificate is renewed. Written `30d` or `33%`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum RenewBefore {
    /// A fixed span before the end.
    Lifetime(Lifetime),
    /// When this percentage of the whole lifetime remains, 1 to 99.
    Share(u8),
}

impl RenewBefore {
    /// The instant from which the certificate is due.
    ///
    /// A share counts from the end: `33%` is the last third. A fixed span is cut to two thirds of the
    /// certificate's own lifetime: with `30d` and a certificate for a week a fresh one would be due at
    /// once and every run would issue again.
    pub fn renew_at(&self, not_before: Timestamp, not_after: Timestamp) -> Timestamp {
        let whole = u128::from(
            not_after
                .0
                .saturating_sub(not_before.0)
                .max(0)
                .unsigned_abs(),
        );
        let before = match self {
            Self::Lifetime(span) => u128::from(span.0).min(whole * 2 / 3),
            Self::Share(percent) => whole * u128::from(*percent).min(100) / 100,
        };
        not_after - Lifetime(u64::try_from(before).unwrap_or(u64::MAX))
    }
}

impl FromStr for RenewBefore {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let Some(digits) = text.trim().strip_suffix('%') else {
            return text.parse().map(Self::Lifetime);
        };
        match digits.trim().parse() {
            Ok(percent @ 1..=99) => Ok(Self::Share(percent)),
            _ => Err(Error::invalid(
                "share of the lifetime",
                text,
                "give 1% to 99%",
            )),
        }
    }
}

impl fmt::Display for RenewBefore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Lifetime(span) => span.fmt(f),
            Self::Share(percent) => write!(f, "{percent}%"),
        }
    }
}

#[cfg(test)]
mod tests;
