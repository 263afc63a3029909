// SPDX-License-Identifier: Apache-2.0
//! Values of fields: what an option means, how it is sent, and whether the server has it already.

use std::collections::BTreeSet;
use std::net::IpAddr;

use serde_json::Value;

use super::field::{Field, Sort};
use super::span;

/// What is sent for the option `given`, which the table of options has let pass; the error says which rule it breaks.
pub fn parse(field: Field, given: &Value) -> Result<Value, String> {
    match field.sort {
        Sort::Bool | Sort::Text | Sort::Choice(_) => Ok(given.clone()),
        Sort::Count | Sort::Bits => match given.as_u64() {
            Some(_) => Ok(given.clone()),
            None => Err(format!("'{given}' is not a whole number from 0 on")),
        },
        Sort::Seconds => span::seconds(&as_text(given)).map(Value::from),
        Sort::SpanText => span::seconds(&as_text(given)).map(|span| span::text(span).into()),
        Sort::Set => Ok(list(given).into()),
        Sort::Url => url(&as_text(given)).map(Value::from),
        Sort::Urls => each(given, url),
        Sort::Networks => each(given, network),
        Sort::Words(prefix, words) => each(given, |text| word(text, prefix, words)),
    }
}

/// Whether the server's value means what is wished.
pub fn same(field: Field, wished: &Value, found: &Value) -> bool {
    match field.sort {
        Sort::Bool => wished.as_bool() == Some(found.as_bool().unwrap_or(false)),
        Sort::Count => number(wished) == number(found),
        Sort::Bits => same_bits(number(wished), number(found)),
        Sort::Text | Sort::Url | Sort::Choice(_) => {
            as_text(wished).trim_end() == as_text(found).trim_end()
        }
        Sort::Seconds | Sort::SpanText => span::seconds_of(wished) == span::seconds_of(found),
        Sort::Set | Sort::Urls => set(wished, str::to_owned) == set(found, str::to_owned),
        Sort::Networks => set(wished, bare) == set(found, bare),
        Sort::Words(prefix, _) => {
            set(wished, |text| plain(text, prefix)) == set(found, |text| plain(text, prefix))
        }
    }
}

/// What is missing is 0.
fn number(value: &Value) -> u64 {
    value.as_u64().unwrap_or(0)
}

/// The bits that the server fills in for 0: of RSA, of ECDSA and SHA-2, of ML-DSA.
fn same_bits(wished: u64, found: u64) -> bool {
    wished == found || (wished == 0 && [2_048, 256, 44].contains(&found))
}

/// A text as it is, nothing as the empty one, all else as JSON.
fn as_text(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

/// The texts of a list, each once, in their order; servers of old answer one text with commas.
pub fn list(value: &Value) -> Vec<String> {
    let texts: Vec<String> = match value {
        Value::Array(items) => items.iter().map(as_text).collect(),
        Value::String(text) => text.split(',').map(|part| part.trim().to_owned()).collect(),
        _ => Vec::new(),
    };
    let mut seen = BTreeSet::new();
    texts
        .into_iter()
        .filter(|text| !text.is_empty() && seen.insert(text.clone()))
        .collect()
}

fn set(value: &Value, normal: impl Fn(&str) -> String) -> BTreeSet<String> {
    list(value).iter().map(|text| normal(text)).collect()
}

fn each(given: &Value, parse: impl Fn(&str) -> Result<String, String>) -> Result<Value, String> {
    let parsed: Result<Vec<String>, String> = list(given).iter().map(|text| parse(text)).collect();
    parsed.map(Value::from)
}

/// An absolute URL; the server fills in `{{…}}` where that is switched on.
fn url(text: &str) -> Result<String, String> {
    let is_absolute = ["http://", "https://", "ldap://", "{{"]
        .iter()
        .any(|start| {
            text.strip_prefix(start)
                .is_some_and(|rest| !rest.is_empty())
        });
    if is_absolute && !text.contains(char::is_whitespace) {
        Ok(text.to_owned())
    } else {
        Err(format!("'{text}' is not a URL; write http://host/path"))
    }
}

/// A network with its length; an address alone is a network of itself.
fn network(text: &str) -> Result<String, String> {
    let (address, length) = text.split_once('/').unwrap_or((text, ""));
    let refused = || format!("'{text}' is not a network; write 10.0.0.0/8 or fd00::/8");
    let address: IpAddr = address.parse().map_err(|_| refused())?;
    let whole: u8 = if address.is_ipv4() { 32 } else { 128 };
    let length: u8 = match length {
        "" if !text.contains('/') => whole,
        digits => digits.parse().map_err(|_| refused())?,
    };
    if length > whole {
        return Err(refused());
    }
    Ok(format!("{address}/{length}"))
}

/// A network as it is compared: that of one address without its length.
fn bare(text: &str) -> String {
    let whole = |address: &str| address.parse::<IpAddr>().map(|found| found.is_ipv4());
    match text.split_once('/') {
        Some((address, "32")) if whole(address) == Ok(true) => address.to_owned(),
        Some((address, "128")) if whole(address) == Ok(false) => address.to_owned(),
        _ => text.to_owned(),
    }
}

fn word(text: &str, prefix: &str, words: &[&str]) -> Result<String, String> {
    let wanted = plain(text, prefix);
    let known = words.iter().find(|known| plain(known, prefix) == wanted);
    known.map(|known| (*known).to_owned()).ok_or_else(|| {
        format!(
            "the server would ignore '{text}'; it knows {}",
            words.join(", ")
        )
    })
}

fn plain(text: &str, prefix: &str) -> String {
    let lower = text.to_ascii_lowercase();
    let prefix = prefix.to_ascii_lowercase();
    lower.strip_prefix(&prefix).unwrap_or(&lower).to_owned()
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;
    use serde_json::json;

    const USAGES: Sort = Sort::Words("KeyUsage", &["DigitalSignature", "CertSign"]);

    fn field(sort: Sort) -> Field {
        Field::new("it", sort)
    }

    #[test]
    fn the_same_value_in_other_words_is_no_change() {
        for (sort, wished, found) in [
            (Sort::Seconds, json!("30d"), json!(2_592_000)),
            (Sort::SpanText, json!("96h"), json!("345600s")),
            (Sort::SpanText, json!("4d"), json!("96h0m0s")),
            (Sort::Set, json!(["a", "b"]), json!(["b", "a"])),
            (Sort::Set, json!([]), Value::Null),
            (
                Sort::Networks,
                json!(["127.0.0.1/32"]),
                json!(["127.0.0.1"]),
            ),
            (Sort::Networks, json!(["::1"]), json!(["::1"])),
            (
                USAGES,
                json!(["digitalSignature"]),
                json!(["KeyUsageDigitalSignature"]),
            ),
            (Sort::Text, json!("path {}\n"), json!("path {}")),
            (Sort::Bool, json!(false), Value::Null),
            (Sort::Count, json!(0), Value::Null),
            (Sort::Bits, json!(0), json!(2_048)),
        ] {
            let sent = parse(field(sort), &wished).unwrap();
            assert!(same(field(sort), &sent, &found), "{sort:?} {sent} {found}");
        }
    }

    #[test]
    fn another_value_is_a_change() {
        for (sort, wished, found) in [
            (Sort::Seconds, json!("30d"), json!(60)),
            (Sort::SpanText, json!("4d"), json!("soon")),
            (Sort::Set, json!(["a"]), json!(["a", "b"])),
            (
                Sort::Networks,
                json!(["10.0.0.0/8"]),
                json!(["10.0.0.0/16"]),
            ),
            (Sort::Text, json!("a"), json!("A")),
            (Sort::Bool, json!(true), Value::Null),
            (Sort::Bits, json!(0), json!(4_096)),
            (USAGES, json!([]), json!(["CertSign"])),
        ] {
            let sent = parse(field(sort), &wished).unwrap();
            assert!(!same(field(sort), &sent, &found), "{sort:?} {sent} {found}");
        }
    }

    #[test]
    fn what_the_server_would_refuse_or_ignore_is_a_fault() {
        for (sort, given) in [
            (Sort::Seconds, json!("1x")),
            (Sort::Count, json!(-1)),
            (Sort::Urls, json!(["example.org/ca"])),
            (Sort::Urls, json!(["http://"])),
            (Sort::Url, json!("")),
            (Sort::Networks, json!(["10.0.0.0/33"])),
            (Sort::Networks, json!(["10.0.0.0/"])),
            (Sort::Networks, json!(["host"])),
            (USAGES, json!(["nonsense"])),
        ] {
            assert!(parse(field(sort), &given).is_err(), "{sort:?} {given}");
        }
    }

    #[test]
    fn what_is_sent_is_what_the_server_understands() {
        for (sort, given, sent) in [
            (Sort::Seconds, json!("1w"), json!(604_800)),
            (Sort::SpanText, json!("1w"), json!("168h")),
            (Sort::Networks, json!(["10.1.2.3"]), json!(["10.1.2.3/32"])),
            (
                USAGES,
                json!(["digitalsignature"]),
                json!(["DigitalSignature"]),
            ),
            (Sort::Set, json!(["b", "a", "b"]), json!(["b", "a"])),
        ] {
            assert_eq!(parse(field(sort), &given), Ok(sent));
        }
    }
}
