// SPDX-License-Identifier: Apache-2.0
//! One value to one type, as lenient as Ansible and not more.
//!
//! Source: ansible-core `lib/ansible/module_utils/common/validation.py` (`check_type_*`) and
//! `lib/ansible/module_utils/parsing/convert_bool.py`.

use std::path::Path;

use serde_json::{Map, Number, Value};

/// What a value is, for messages.
pub(crate) const fn noun(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "a string",
        Value::Array(_) => "a list",
        Value::Object(_) => "a dictionary",
    }
}

pub(crate) fn boolean(value: &Value) -> Option<bool> {
    match value {
        Value::Bool(it) => Some(*it),
        Value::Number(number) => match number.as_f64() {
            Some(1.0) => Some(true),
            Some(0.0) => Some(false),
            _ => None,
        },
        Value::String(text) => match text.trim().to_lowercase().as_str() {
            "y" | "yes" | "on" | "1" | "true" | "t" | "1.0" => Some(true),
            "n" | "no" | "off" | "0" | "false" | "f" | "0.0" => Some(false),
            _ => None,
        },
        _ => None,
    }
}

pub(crate) fn integer(value: &Value) -> Option<i64> {
    match value {
        Value::Number(number) => number.as_i64().or_else(|| number.as_f64().and_then(whole)),
        Value::String(text) => {
            let text = text.trim();
            text.parse()
                .ok()
                .or_else(|| text.parse().ok().and_then(whole))
        }
        _ => None,
    }
}

/// A float as an integer if it is one exactly: beyond 2^53 a float no longer says which integer was meant.
fn whole(float: f64) -> Option<i64> {
    const EXACT: f64 = 9_007_199_254_740_992.0;
    // The range was just checked, so the conversion is exact.
    (float.fract() == 0.0 && float.abs() <= EXACT).then_some(float as i64)
}

pub(crate) fn float(value: &Value) -> Option<Number> {
    match value {
        Value::Number(number) => Some(number.clone()),
        Value::String(text) => Number::from_f64(text.trim().parse().ok()?),
        _ => None,
    }
}

pub(crate) fn string(value: Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text),
        Value::Number(number) => Some(number.to_string()),
        // Python's spelling: what Ansible makes of a bare YAML `yes` in a string option.
        Value::Bool(true) => Some("True".to_owned()),
        Value::Bool(false) => Some("False".to_owned()),
        _ => None,
    }
}

/// A path with a leading `~/` replaced by the home directory.
pub(crate) fn path(value: Value, home: Option<&Path>) -> Option<String> {
    let Value::String(text) = value else {
        return None;
    };
    let Some(home) = home.and_then(Path::to_str) else {
        return Some(text);
    };
    match text.strip_prefix('~') {
        Some("") => Some(home.to_owned()),
        Some(rest) if rest.starts_with('/') => {
            Some(format!("{}{rest}", home.trim_end_matches('/')))
        }
        _ => Some(text),
    }
}

/// A dictionary, or a string that holds one as JSON.
pub(crate) fn dictionary(value: Value) -> Result<Map<String, Value>, Value> {
    match value {
        Value::Object(map) => Ok(map),
        Value::String(text) if text.trim_start().starts_with('{') => {
            serde_json::from_str(&text).map_err(|_| Value::String(text))
        }
        other => Err(other),
    }
}

/// A list; a string that holds one as JSON; or, for elements that are scalars, one scalar or a comma list.
pub(crate) fn list(value: Value, scalars: bool) -> Result<Vec<Value>, Value> {
    match value {
        Value::Array(items) => Ok(items),
        Value::String(text) if text.trim_start().starts_with('[') => {
            match serde_json::from_str(&text) {
                Ok(items) => Ok(items),
                Err(_) if scalars => Ok(comma_list(&text)),
                Err(_) => Err(Value::String(text)),
            }
        }
        Value::String(text) if scalars => Ok(comma_list(&text)),
        Value::Number(_) if scalars => Ok(vec![value]),
        other => Err(other),
    }
}

fn comma_list(text: &str) -> Vec<Value> {
    if text.trim().is_empty() {
        return Vec::new();
    }
    text.split(',').map(|part| part.trim().into()).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn booleans_are_ansibles_words_in_any_case() {
        for word in [
            json!("yes"),
            json!("True"),
            json!(" on "),
            json!(1),
            json!(1.0),
            json!("t"),
            json!(true),
        ] {
            assert_eq!(boolean(&word), Some(true), "{word}");
        }
        for word in [
            json!("no"),
            json!("FALSE"),
            json!("off"),
            json!(0),
            json!("0"),
            json!(false),
        ] {
            assert_eq!(boolean(&word), Some(false), "{word}");
        }
        for word in [json!("maybe"), json!(2), json!([]), json!({}), json!("")] {
            assert_eq!(boolean(&word), None, "{word}");
        }
    }

    #[test]
    fn integers_come_as_strings_and_whole_floats_too() {
        for (given, wanted) in [
            (json!(3), Some(3)),
            (json!(" 3 "), Some(3)),
            (json!("3.0"), Some(3)),
            (json!(3.0), Some(3)),
            (json!(-7), Some(-7)),
            (json!(3.5), None),
            (json!("3.5"), None),
            (json!("three"), None),
            (json!(""), None),
            (json!(true), None),
            (json!(1e300), None),
            (json!("NaN"), None),
            (json!(u64::MAX), None),
        ] {
            assert_eq!(integer(&given), wanted, "{given}");
        }
    }

    #[test]
    fn floats_are_numbers_or_text_that_is_finite() {
        assert_eq!(float(&json!("0.5")).and_then(|n| n.as_f64()), Some(0.5));
        assert_eq!(float(&json!(3)).and_then(|n| n.as_i64()), Some(3));
        assert_eq!(float(&json!("inf")), None);
        assert_eq!(float(&json!(true)), None);
    }

    #[test]
    fn strings_take_scalars_but_no_structures() {
        assert_eq!(string(json!(3)).as_deref(), Some("3"));
        assert_eq!(string(json!(true)).as_deref(), Some("True"));
        assert_eq!(string(json!([])), None);
        assert_eq!(string(json!({})), None);
    }

    #[test]
    fn a_tilde_is_the_home_directory_only_at_the_start() {
        let home = Some(Path::new("/root/"));
        assert_eq!(path(json!("~/a"), home).as_deref(), Some("/root/a"));
        assert_eq!(path(json!("~"), home).as_deref(), Some("/root/"));
        assert_eq!(path(json!("~other/a"), home).as_deref(), Some("~other/a"));
        assert_eq!(path(json!("/a/~/b"), home).as_deref(), Some("/a/~/b"));
        assert_eq!(path(json!("~/a"), None).as_deref(), Some("~/a"));
        assert_eq!(path(json!(3), home), None);
    }

    #[test]
    fn lists_are_lists_comma_lists_or_json() {
        assert_eq!(
            list(json!("a, b,c"), true),
            Ok(vec![json!("a"), json!("b"), json!("c")])
        );
        assert_eq!(list(json!(""), true), Ok(vec![]));
        assert_eq!(list(json!(7), true), Ok(vec![json!(7)]));
        assert_eq!(list(json!("[\"a,b\"]"), true), Ok(vec![json!("a,b")]));
        assert_eq!(
            list(json!("[{\"a\": 1}]"), false),
            Ok(vec![json!({"a": 1})])
        );
        assert_eq!(list(json!("a,b"), false), Err(json!("a,b")));
        assert_eq!(list(json!({"a": 1}), false), Err(json!({"a": 1})));
    }

    #[test]
    fn dictionaries_are_dictionaries_or_json() {
        assert_eq!(
            dictionary(json!("{\"a\": 1}")).map(Value::Object),
            Ok(json!({"a": 1}))
        );
        assert_eq!(dictionary(json!("{a}")), Err(json!("{a}")));
        assert_eq!(dictionary(json!("a=1")), Err(json!("a=1")));
    }
}
