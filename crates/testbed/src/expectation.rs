// SPDX-License-Identifier: Apache-2.0
//! Expectations that name what matters and leave the rest open.

use serde_json::Value;

/// The wildcard in an expected string.
const ANYTHING: &str = "[..]";

/// Where `found` does not fit `expected`, one line each; empty if it fits.
///
/// - an object fits if each expected member fits; members that are not expected do not matter;
/// - an expected `null` says that the member must not be there;
/// - a list fits if it is as long and each element fits;
/// - `[..]` inside an expected string stands for any text, alone it fits any value;
/// - everything else must be equal.
pub fn mismatches(expected: &Value, found: &Value) -> Vec<String> {
    let mut lines = Vec::new();
    compare("$", expected, Some(found), &mut lines);
    lines
}

fn compare(path: &str, expected: &Value, found: Option<&Value>, lines: &mut Vec<String>) {
    match (expected, found) {
        (Value::Null, None) => {}
        (Value::Null, Some(found)) => {
            lines.push(format!("{path}: expected nothing, found {found}"))
        }
        (expected, None) => lines.push(format!("{path}: expected {expected}, found nothing")),
        (Value::String(pattern), Some(_)) if pattern == ANYTHING => {}
        (Value::String(pattern), Some(Value::String(text))) if wildcard(pattern, text) => {}
        (Value::Object(wanted), Some(Value::Object(found))) => {
            for (key, value) in wanted {
                compare(&format!("{path}.{key}"), value, found.get(key), lines);
            }
        }
        (Value::Array(wanted), Some(Value::Array(found))) if wanted.len() == found.len() => {
            for (index, (wanted, found)) in wanted.iter().zip(found).enumerate() {
                compare(&format!("{path}[{index}]"), wanted, Some(found), lines);
            }
        }
        (expected, Some(found)) if expected == found => {}
        (expected, Some(found)) => {
            lines.push(format!("{path}: expected {expected}, found {found}"))
        }
    }
}

/// Whether `text` is `pattern` with any text in the places of `[..]`.
pub fn wildcard(pattern: &str, text: &str) -> bool {
    let Some((start, rest)) = pattern.split_once(ANYTHING) else {
        return pattern == text;
    };
    let Some(mut text) = text.strip_prefix(start) else {
        return false;
    };
    let mut pieces = rest.split(ANYTHING).peekable();
    while let Some(piece) = pieces.next() {
        if pieces.peek().is_none() {
            return text.ends_with(piece);
        }
        // The first place is as good as any: what comes between is free.
        match text.find(piece) {
            Some(at) => text = text.get(at + piece.len()..).unwrap_or_default(),
            None => return false,
        }
    }
    true
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn wildcards_stand_for_any_text() {
        for (pattern, text) in [
            ("a", "a"),
            ("a[..]", "abc"),
            ("[..]c", "abc"),
            ("a[..]b[..]c", "a1b2c"),
            ("[..]", ""),
        ] {
            assert!(wildcard(pattern, text), "{pattern} {text}");
        }
        for (pattern, text) in [
            ("a", "ab"),
            ("a[..]b", "a"),
            ("a[..]a", "a"),
            ("a[..]b[..]c", "acb"),
            ("b[..]", "ab"),
        ] {
            assert!(!wildcard(pattern, text), "{pattern} {text}");
        }
    }

    #[test]
    fn a_subset_fits() {
        let found = json!({"changed": true, "list": [{"a": 1, "b": 2}], "msg": "issued 'x' at 12"});
        let fits = json!({"changed": true, "list": [{"a": 1}], "msg": "issued '[..]' at [..]", "failed": null});
        assert_eq!(mismatches(&fits, &found), Vec::<String>::new());
        assert_eq!(
            mismatches(&json!({"list": "[..]"}), &found),
            Vec::<String>::new()
        );
    }

    #[test]
    fn each_difference_has_its_place() {
        let found = json!({"changed": true, "list": [{"a": 1}], "failed": true});
        let expected = json!({"changed": false, "list": [{"a": 2}], "failed": null, "msg": "x"});
        assert_eq!(
            mismatches(&expected, &found),
            [
                "$.changed: expected false, found true",
                "$.list[0].a: expected 2, found 1",
                "$.failed: expected nothing, found true",
                "$.msg: expected \"x\", found nothing",
            ]
        );
        assert_eq!(
            mismatches(&json!({"list": []}), &found),
            ["$.list: expected [], found [{\"a\":1}]"]
        );
    }
}
