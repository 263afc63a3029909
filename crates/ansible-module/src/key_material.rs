// SPDX-License-Identifier: Apache-2.0
//! Private keys that stand where none belongs.
//!
//! A key that was pasted into the option for the certificate, or its text into the option for its path, is a
//! secret all the same: the option is not secret, its value would be echoed and quoted in messages.

use serde_json::Value;
use zeroize::Zeroizing;

const BEGIN: &str = "-----BEGIN ";
const END: &str = "-----END ";
const DASHES: &str = "-----";
/// How the label of every private key in PEM ends (RFC 7468 sections 10 and 11, PKCS#1, SEC1, OpenSSH).
const LABEL: &str = "PRIVATE KEY";

/// Remembers every PEM private key in any string of `value`, whatever the option.
pub(crate) fn remember(value: &Value, secrets: &mut Vec<Zeroizing<String>>) {
    match value {
        Value::String(text) => secrets.extend(keys(text).map(|key| key.to_owned().into())),
        Value::Array(items) => items.iter().for_each(|item| remember(item, secrets)),
        Value::Object(map) => map.values().for_each(|item| remember(item, secrets)),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

/// The blocks of private keys in `text`; one that does not end reaches to the next block or the end of the text.
fn keys(text: &str) -> impl Iterator<Item = &str> {
    text.match_indices(BEGIN).filter_map(move |(from, _)| {
        let block = text.get(from..)?;
        let after = block.get(BEGIN.len()..)?;
        let label = after.get(..after.find(DASHES)?)?;
        label
            .ends_with(LABEL)
            .then(|| block.get(..length(block)).unwrap_or(block))
    })
}

fn length(block: &str) -> usize {
    let inside = block.get(BEGIN.len()..).unwrap_or_default();
    let next = inside
        .find(BEGIN)
        .map_or(block.len(), |at| at + BEGIN.len());
    let Some(end) = block.find(END).filter(|end| *end < next) else {
        return next;
    };
    let after = end + END.len();
    let rest = block.get(after..).unwrap_or_default();
    rest.find(DASHES)
        .map_or(next, |at| after + at + DASHES.len())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn found(text: &str) -> Vec<&str> {
        keys(text).collect()
    }

    #[test]
    fn keys_are_found_among_other_blocks() {
        let key = "-----BEGIN EC PRIVATE KEY-----\nMHcC\n-----END EC PRIVATE KEY-----";
        let certificate = "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----";
        assert_eq!(
            found(&format!("{certificate}\n{key}\n{certificate}")),
            [key]
        );
        assert_eq!(found(&format!("{key}{key}")), [key, key]);
        assert!(found(certificate).is_empty());
    }

    #[test]
    fn a_key_without_end_reaches_to_what_follows() {
        assert_eq!(
            found("-----BEGIN PRIVATE KEY-----\nMIGH"),
            ["-----BEGIN PRIVATE KEY-----\nMIGH"]
        );
        assert_eq!(
            found(
                "-----BEGIN PRIVATE KEY-----\nMIGH\n-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----"
            ),
            ["-----BEGIN PRIVATE KEY-----\nMIGH\n"]
        );
    }

    #[test]
    fn every_depth_is_looked_at() {
        let mut secrets = Vec::new();
        let key = "-----BEGIN PRIVATE KEY-----\nMIGH\n-----END PRIVATE KEY-----";
        remember(&json!({"a": [{"b": key}, 1, null], "c": "x"}), &mut secrets);
        assert_eq!(
            secrets.iter().map(|it| it.as_str()).collect::<Vec<_>>(),
            [key]
        );
    }
}
