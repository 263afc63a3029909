// SPDX-License-Identifier: Apache-2.0
//! Facts as text, for a diff that a person reads.
//!
//! Ansible's callbacks (`CallbackBase._get_diff`) split `before` and `after` into lines and show a unified
//! diff. They take a string as it is, turn a dictionary into JSON (one line of punctuation more for each
//! fact), and fail on a list. So everything is handed over as a string of sorted `key: value` lines: each fact
//! is one line of the diff, the order never makes a difference, and the last line has its newline, without
//! which Ansible prints "No newline at end of file".

use serde_json::Value;

/// The text of one side of a diff; null is nothing at all.
pub(crate) fn facts_text(facts: &Value) -> String {
    let mut text = String::new();
    match facts {
        Value::Null => {}
        Value::String(it) => text.push_str(it),
        Value::Object(_) | Value::Array(_) => lines(facts, 0, &mut text),
        scalar => text.push_str(&scalar.to_string()),
    }
    if !text.is_empty() && !text.ends_with('\n') {
        text.push('\n');
    }
    text
}

fn lines(value: &Value, depth: usize, text: &mut String) {
    let indent = "  ".repeat(depth);
    match value {
        Value::Object(map) => {
            let mut entries: Vec<_> = map.iter().filter(|(_, value)| !value.is_null()).collect();
            entries.sort_by_key(|(key, _)| *key);
            for (key, value) in entries {
                entry(&format!("{indent}{}:", inline(key)), value, depth, text);
            }
        }
        Value::Array(items) => {
            for item in items {
                entry(&format!("{indent}-"), item, depth, text);
            }
        }
        _ => {}
    }
}

fn entry(label: &str, value: &Value, depth: usize, text: &mut String) {
    text.push_str(label);
    match value {
        Value::Object(map) if map.is_empty() => text.push_str(" {}\n"),
        Value::Array(items) if items.is_empty() => text.push_str(" []\n"),
        Value::Object(_) | Value::Array(_) => {
            text.push('\n');
            lines(value, depth + 1, text);
        }
        Value::String(it) => text.push_str(&format!(" {}\n", inline(it))),
        scalar => text.push_str(&format!(" {scalar}\n")),
    }
}

/// A string on one line: as it is, or quoted where it would break the line.
fn inline(text: &str) -> String {
    if text.chars().any(char::is_control) {
        Value::from(text).to_string()
    } else {
        text.to_owned()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn facts_are_sorted_lines() {
        let facts = json!({"serial": "0A", "names": ["b", "a"], "key": {"size": 2048, "none": null}, "empty": []});
        assert_eq!(
            facts_text(&facts),
            "empty: []\nkey:\n  size: 2048\nnames:\n  - b\n  - a\nserial: 0A\n"
        );
    }

    #[test]
    fn strings_stay_and_end_with_a_newline() {
        assert_eq!(facts_text(&json!("a\nb")), "a\nb\n");
        assert_eq!(facts_text(&json!("a\n")), "a\n");
        assert_eq!(facts_text(&json!("")), "");
        assert_eq!(facts_text(&json!(null)), "");
        assert_eq!(facts_text(&json!(true)), "true\n");
    }

    #[test]
    fn a_line_break_inside_a_fact_is_quoted() {
        assert_eq!(facts_text(&json!({"a": "x\ny"})), "a: \"x\\ny\"\n");
        assert_eq!(
            facts_text(&json!([[1, {"b": {}}]])),
            "-\n  - 1\n  -\n    b: {}\n"
        );
    }
}
