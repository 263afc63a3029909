// SPDX-License-Identifier: Apache-2.0
#![expect(clippy::unwrap_used, reason = "tests")]

use std::time::Duration;

use proptest::prelude::*;

use super::*;

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

#[test]
fn instants_are_rfc_3339_in_utc() {
    assert_eq!(Timestamp(0).to_string(), "1970-01-01T00:00:00Z");
    assert_eq!(
        at("2026-11-22T07:30:00.75+01:30"),
        at("2026-11-22T06:00:00Z")
    );
    assert_eq!(at("2049-12-31T23:59:59Z").0, 2_524_607_999);
    assert_eq!(Timestamp(i64::MAX).to_string(), "9999-12-31T23:59:59Z");
    assert_eq!(
        "tomorrow".parse::<Timestamp>().unwrap_err().to_string(),
        "'tomorrow' is not a valid instant: write it as RFC 3339, such as 2026-11-22T06:00:00Z"
    );
}

#[test]
fn a_certificate_begins_an_hour_ago_and_a_short_one_a_quarter_of_its_life_ago() {
    let now = at("2026-11-22T06:00:00Z");
    for (ttl, begin) in [
        ("3650d", "2026-11-22T04:55:00Z"),
        ("5h", "2026-11-22T04:55:00Z"),
        ("4h", "2026-11-22T05:00:00Z"),
        ("20m", "2026-11-22T05:55:00Z"),
        ("0s", "2026-11-22T06:00:00Z"),
    ] {
        assert_eq!(now.begin_of(ttl.parse().unwrap()), at(begin), "{ttl}");
    }
}

#[test]
fn system_time_counts_before_and_after_1970() {
    assert_eq!(
        Timestamp::from(UNIX_EPOCH + Duration::from_millis(1_900)),
        Timestamp(1)
    );
    assert_eq!(
        Timestamp::from(UNIX_EPOCH - Duration::from_secs(5)),
        Timestamp(-5)
    );
}

#[test]
fn sums_do_not_overflow() {
    assert_eq!(
        Timestamp(i64::MAX) + Lifetime(u64::MAX),
        Timestamp(i64::MAX)
    );
    assert_eq!(Timestamp(0) - Lifetime(u64::MAX), Timestamp(i64::MIN));
    assert_eq!(Timestamp(100) + Lifetime(20) - Lifetime(50), Timestamp(70));
}

#[test]
fn lifetimes_are_a_number_and_a_unit() {
    for (text, seconds) in [
        ("30d", 2_592_000),
        ("12h", 43_200),
        ("90m", 5_400),
        ("45s", 45),
        ("2w", 1_209_600),
        ("0", 0),
        (" 7 ", 7),
    ] {
        assert_eq!(
            text.parse::<Lifetime>().unwrap(),
            Lifetime(seconds),
            "{text}"
        );
    }
    for text in [
        "",
        "d",
        "-1d",
        "1.5d",
        "30x",
        "30dd",
        "1 d",
        "+3d",
        "99999999999999999999d",
        "18446744073709551615w",
    ] {
        assert!(text.parse::<Lifetime>().is_err(), "{text}");
    }
}

#[test]
fn lifetimes_display_in_the_largest_unit_that_divides_them() {
    for (seconds, text) in [
        (2_592_000, "30d"),
        (7_200, "2h"),
        (5_400, "90m"),
        (61, "61s"),
        (0, "0s"),
        (1_209_600, "14d"),
    ] {
        assert_eq!(Lifetime(seconds).to_string(), text);
    }
}

#[test]
fn a_share_counts_from_the_end() {
    let third: RenewBefore = "33%".parse().unwrap();
    assert_eq!(third, RenewBefore::Share(33));
    // 100 days: due when 33 remain.
    assert_eq!(
        third.renew_at(at("2026-01-01T00:00:00Z"), at("2026-04-11T00:00:00Z")),
        at("2026-03-09T00:00:00Z")
    );
    for text in ["0%", "100%", "%", "-3%", "33.3%", "256%"] {
        assert!(text.parse::<RenewBefore>().is_err(), "{text}");
    }
}

#[test]
fn a_fixed_span_is_cut_to_two_thirds_so_that_a_fresh_certificate_is_not_due() {
    let month: RenewBefore = "30d".parse().unwrap();
    let (begin, year, week) = (
        at("2026-01-01T00:00:00Z"),
        at("2027-01-01T00:00:00Z"),
        at("2026-01-07T00:00:00Z"),
    );
    assert_eq!(month.renew_at(begin, year), at("2026-12-02T00:00:00Z"));
    assert_eq!(month.renew_at(begin, week), at("2026-01-03T00:00:00Z"));
    assert_eq!(month.renew_at(week, begin), begin); // a lifetime that ends before it begins
}

proptest! {
    #[test]
    fn instants_round_trip(seconds in EARLIEST..=LATEST) {
        prop_assert_eq!(at(&Timestamp(seconds).to_string()), Timestamp(seconds));
    }

    #[test]
    fn lifetimes_round_trip(seconds in any::<u64>()) {
        prop_assert_eq!(Lifetime(seconds).to_string().parse::<Lifetime>().unwrap(), Lifetime(seconds));
    }

    #[test]
    fn renewal_falls_within_the_lifetime(
        begin in 0i64..4_000_000_000, length in 3i64..4_000_000_000, span in any::<u64>(), percent in 1u8..100,
    ) {
        let end = Timestamp(begin + length);
        for before in [RenewBefore::Lifetime(Lifetime(span)), RenewBefore::Share(percent)] {
            let due = before.renew_at(Timestamp(begin), end);
            prop_assert!(due > Timestamp(begin) && due <= end, "{due}");
            prop_assert_eq!(before.to_string().parse::<RenewBefore>().unwrap(), before);
        }
    }
}
