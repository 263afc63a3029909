// SPDX-License-Identifier: Apache-2.0
//! Spans of time as people, Ansible and the server write them. The server refuses weeks, and answers some spans as
//! numbers and some as the text that it was given; so all become seconds before they are compared.

use serde_json::Value;

const UNITS: [(&str, u64); 5] = [
    ("w", 604_800),
    ("d", 86_400),
    ("h", 3_600),
    ("m", 60),
    ("s", 1),
];

/// The seconds of `30d`, `72h`, `1h30m0s`, or `90`; the error is the rule that is broken.
pub fn seconds(text: &str) -> Result<u64, String> {
    let rule = || {
        format!(
            "'{text}' is not a duration; write a number and w, d, h, m or s, such as 30d or 72h"
        )
    };
    let mut rest = text.trim();
    if rest.is_empty() {
        return Err(rule());
    }
    let mut total: u64 = 0;
    while !rest.is_empty() {
        let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
        let (number, behind) = rest.split_at(digits);
        let number: u64 = number.parse().map_err(|_| rule())?;
        let (factor, behind) = unit(behind, total == 0).ok_or_else(rule)?;
        let part = number.checked_mul(factor).ok_or_else(rule)?;
        total = total.checked_add(part).ok_or_else(rule)?;
        rest = behind;
    }
    // The server counts nanoseconds in 64 bits; what is longer it takes for something else.
    if total > i64::MAX.unsigned_abs() / 1_000_000_000 {
        return Err(format!("'{text}' is longer than the server can count"));
    }
    Ok(total)
}

/// A number alone is seconds, but only where nothing stands before it.
fn unit(behind: &str, is_first: bool) -> Option<(u64, &str)> {
    if behind.is_empty() {
        return is_first.then_some((1, behind));
    }
    UNITS
        .iter()
        .find_map(|(word, factor)| Some((*factor, behind.strip_prefix(word)?)))
}

/// The seconds of what the server answers: a number, or a text; nothing is zero.
pub fn seconds_of(found: &Value) -> Option<u64> {
    match found {
        Value::Null => Some(0),
        Value::Number(number) => number.as_u64(),
        Value::String(text) if text.is_empty() => Some(0),
        Value::String(text) => seconds(text).ok(),
        _ => None,
    }
}

/// As the server understands it: whole hours, whole minutes, or seconds.
pub fn text(seconds: u64) -> String {
    match seconds {
        0 => "0s".to_owned(),
        _ if seconds.is_multiple_of(3_600) => format!("{}h", seconds / 3_600),
        _ if seconds.is_multiple_of(60) => format!("{}m", seconds / 60),
        _ => format!("{seconds}s"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn spans_are_seconds() {
        for (text, wanted) in [
            ("90", 90),
            ("30d", 2_592_000),
            ("72h", 259_200),
            ("1w", 604_800),
            ("1h30m0s", 5_400),
            ("0s", 0),
            (" 5m ", 300),
        ] {
            assert_eq!(seconds(text), Ok(wanted), "{text}");
        }
    }

    #[test]
    fn what_is_no_span_is_refused() {
        for bad in [
            "",
            "d",
            "1x",
            "-3h",
            "1.5h",
            "1h30",
            "h1",
            "99999999999w",
            "300000d",
        ] {
            assert!(seconds(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn an_answer_is_a_number_a_text_or_nothing() {
        assert_eq!(seconds_of(&json!(60)), Some(60));
        assert_eq!(seconds_of(&json!("96h")), Some(345_600));
        assert_eq!(seconds_of(&json!("345600")), Some(345_600));
        assert_eq!(seconds_of(&json!("")), Some(0));
        assert_eq!(seconds_of(&Value::Null), Some(0));
        assert_eq!(seconds_of(&json!("soon")), None);
        assert_eq!(seconds_of(&json!([1])), None);
    }

    #[test]
    fn a_span_is_written_without_days_and_weeks() {
        assert_eq!(text(604_800), "168h");
        assert_eq!(text(5_400), "90m");
        assert_eq!(text(61), "61s");
        assert_eq!(text(0), "0s");
    }
}
