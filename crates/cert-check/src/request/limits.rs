// SPDX-License-Identifier: Apache-2.0
//! When the end of a certificate is near.

use ansible_module::Faults;
use pki::{Lifetime, RenewBefore, Timestamp};

const DAY: u64 = 86_400;

/// When the end of a certificate is near, and when too near. Where nothing is said, it is what fits a certificate of any
/// lifetime: 30 days or a third of it, and 7 days or a tenth of it, whichever is less.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Limits {
    warn: Option<RenewBefore>,
    fail: Option<RenewBefore>,
}

impl Limits {
    /// Reads `30d` or `20%`; `at` is the path of the dictionary, with its dot. What is not said is as in `above`.
    pub(super) fn read(
        at: &str,
        warn: Option<String>,
        fail: Option<String>,
        above: &Self,
        faults: &mut Faults,
    ) -> Self {
        let mut one = |name: &str, text: Option<String>| {
            let text = text?;
            let parsed: Result<RenewBefore, pki::Error> = match pki::without_unit(&text) {
                // OpenDev's variables and everybody's habit: a number of days.
                Some(days) => format!("{days}d").parse(),
                None => text.parse(),
            };
            parsed
                .map_err(|error| faults.push(format!("{at}{name}"), error.to_string()))
                .ok()
        };
        let limits = Self {
            warn: one("warn", warn).or(above.warn),
            fail: one("fail", fail).or(above.fail),
        };
        if let (Some(RenewBefore::Lifetime(warn)), Some(RenewBefore::Lifetime(fail))) =
            (limits.warn, limits.fail)
            && fail > warn
        {
            faults.push(
                format!("{at}fail"),
                format!("{fail} before the end is earlier than the warning, {warn} before it"),
            );
        }
        limits
    }

    /// From when the end is near.
    pub fn warn_at(&self, from: Timestamp, until: Timestamp) -> Timestamp {
        due(self.warn, (30 * DAY, 3), from, until)
    }

    /// From when it is too near. What nobody has said is not before the warning that somebody has asked for.
    pub fn fail_at(&self, from: Timestamp, until: Timestamp) -> Timestamp {
        let at = due(self.fail, (7 * DAY, 10), from, until);
        match self.fail {
            Some(_) => at,
            None => at.max(self.warn_at(from, until)),
        }
    }
}

fn due(
    limit: Option<RenewBefore>,
    (span, share): (u64, u64),
    from: Timestamp,
    until: Timestamp,
) -> Timestamp {
    let whole = until.0.saturating_sub(from.0).max(0).unsigned_abs();
    let before = match limit {
        None => span.min(whole / share),
        Some(RenewBefore::Lifetime(span)) => span.0,
        Some(RenewBefore::Share(percent)) => whole / 100 * u64::from(percent),
    };
    until - Lifetime(before)
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    const DAYS: i64 = DAY as i64;

    fn limits(warn: Option<&str>, fail: Option<&str>) -> (Limits, Faults) {
        let mut faults = Faults::new();
        let own = |text: Option<&str>| text.map(str::to_owned);
        let limits = Limits::read("", own(warn), own(fail), &Limits::default(), &mut faults);
        (limits, faults)
    }

    #[test]
    fn what_is_near_depends_on_the_lifetime_where_nothing_is_said() {
        let (limits, _) = limits(None, None);
        let near = |days: i64| {
            let until = Timestamp(days * DAYS);
            let before = |at: Timestamp| until.0 - at.0;
            (
                before(limits.warn_at(Timestamp(0), until)),
                before(limits.fail_at(Timestamp(0), until)),
            )
        };
        assert_eq!(near(398), (30 * DAYS, 7 * DAYS));
        assert_eq!(near(90), (30 * DAYS, 7 * DAYS));
        assert_eq!(near(6), (2 * DAYS, 6 * DAYS / 10));
    }

    #[test]
    fn what_is_said_counts() {
        let (limits, faults) = limits(Some("60d"), Some("20%"));
        assert!(faults.is_empty());
        let until = Timestamp(100 * DAYS);
        assert_eq!(limits.warn_at(Timestamp(0), until).0, 40 * DAYS);
        assert_eq!(limits.fail_at(Timestamp(0), until).0, 80 * DAYS);
    }

    #[test]
    fn a_warning_later_than_usual_has_no_failure_before_it() {
        let (limits, faults) = limits(Some("3d"), None);
        assert!(faults.is_empty());
        let until = Timestamp(398 * DAYS);
        assert_eq!(limits.fail_at(Timestamp(0), until).0, 395 * DAYS);
    }

    #[test]
    fn a_number_alone_is_days() {
        let (limits, faults) = limits(Some("14"), None);
        assert!(faults.is_empty());
        assert_eq!(limits.warn, Some("14d".parse().unwrap()));
    }

    #[test]
    fn limits_that_are_none_or_the_wrong_way_round_are_faults() {
        let (_, faults) = limits(Some("soon"), Some("0%"));
        assert_eq!(faults.len(), 2);
        let (_, faults) = limits(Some("7d"), Some("30d"));
        assert_eq!(faults.iter().next().unwrap().path, "fail");
    }
}
