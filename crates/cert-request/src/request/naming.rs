// SPDX-License-Identifier: Apache-2.0
//! Under which names: alternative names and subject.

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

use pki::{OtherName, Subject, SubjectAltNames};
use serde_json::Value;

use super::{Merged, Notes};

/// ub-common-name of RFC 5280 appendix A.1.
const LONGEST_COMMON_NAME: usize = 64;

/// Parses each of a list; what is named twice counts once.
pub(crate) fn list<T>(found: Option<(&Vec<String>, String)>, notes: &mut Notes) -> Vec<T>
where
    T: FromStr + PartialEq,
    T::Err: fmt::Display,
{
    let Some((texts, path)) = found else {
        return Vec::new();
    };
    let mut values: Vec<T> = Vec::with_capacity(texts.len());
    for (index, text) in texts.iter().enumerate() {
        let value = notes.parsed::<T>(&format!("{path}[{index}]"), text);
        values.extend(
            value
                .filter(|value| !values.contains(value))
                .into_iter()
                .collect::<Vec<_>>(),
        );
    }
    values
}

/// `IpAddr` with a message that names the value.
#[derive(PartialEq)]
struct Address(IpAddr);

impl FromStr for Address {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let plain = text.trim().trim_start_matches('[').trim_end_matches(']');
        plain
            .parse()
            .map(Self)
            .map_err(|_| format!("'{text}' is not an IP address; write one address without mask"))
    }
}

/// The alternative names; a common name alone is one too.
pub(crate) fn names(merged: &Merged<'_>, notes: &mut Notes) -> SubjectAltNames {
    if let Some((principals, path)) = merged.pick("principal", |entry| entry.principal.as_ref())
        && !principals.is_empty()
        && !merged.is_kept_by_certmonger()
    {
        notes.fault(
            path,
            "only the issuer certmonger can put a Kerberos principal into a certificate; remove it",
        );
    }
    let addresses: Vec<Address> = list(merged.pick("ip", |entry| entry.ip.as_ref()), notes);
    let mut names = SubjectAltNames {
        dns: list(merged.pick("dns", |entry| entry.dns.as_ref()), notes),
        ip: addresses.into_iter().map(|address| address.0).collect(),
        email: list(merged.pick("email", |entry| entry.email.as_ref()), notes),
        uri: list(merged.pick("uri", |entry| entry.uri.as_ref()), notes),
        other: other_names(merged, notes),
    };
    if names.is_empty()
        && let Some((common_name, _)) =
            merged.pick("common_name", |entry| entry.common_name.as_deref())
    {
        // Clients look at the alternative names only (RFC 9110 §4.3.4).
        match common_name.parse::<IpAddr>() {
            Ok(address) => names.ip.push(address),
            Err(_) => names.dns.extend(common_name.parse().ok()),
        }
    }
    names
}

fn other_names(merged: &Merged<'_>, notes: &mut Notes) -> Vec<OtherName> {
    let Some((given, path)) = merged.pick("other_name", |entry| entry.other_name.as_ref()) else {
        return Vec::new();
    };
    let each = given.iter().enumerate();
    each.filter_map(|(index, name)| {
        let type_id = notes.parsed(&format!("{path}[{index}].type_id"), &name.type_id)?;
        Some(OtherName {
            type_id,
            value_utf8: name.value.clone(),
        })
    })
    .collect()
}

/// The attributes of `subject` (those of the defaults first, an own value in the place of theirs), then
/// the common name: as given, else the first DNS name that is short enough.
pub(crate) fn subject(merged: &Merged<'_>, names: &SubjectAltNames, notes: &mut Notes) -> Subject {
    let mut attributes: Vec<(&str, &Value, String)> = Vec::new();
    for (source, path) in [
        (merged.defaults, String::from("defaults.subject")),
        (merged.entry, merged.at("subject")),
    ] {
        for (attribute, value) in source.subject.iter().flatten() {
            let at = format!("{path}.{attribute}");
            match attributes.iter_mut().find(|(known, ..)| known == attribute) {
                Some(known) => (known.1, known.2) = (value, at),
                None => attributes.push((attribute, value, at)),
            }
        }
    }
    let mut pairs: Vec<(&str, String)> = Vec::new();
    for (attribute, value, at) in &attributes {
        let found = pairs.len();
        texts(value).map_or_else(
            || notes.fault(at, not_text(value)),
            |texts| pairs.extend(texts.into_iter().map(|text| (*attribute, text))),
        );
        for (attribute, text) in &pairs[found..] {
            if let Some(fault) = ansible_module::unrendered(text) {
                notes.fault(at, fault);
            } else if let Err(error) = Subject::from_pairs([(*attribute, text.as_str())]) {
                notes.fault(at, error.to_string());
            }
        }
    }
    let of = |pairs: &[(&str, String)]| {
        Subject::from_pairs(
            pairs
                .iter()
                .map(|(attribute, text)| (*attribute, text.as_str())),
        )
        .unwrap_or_default()
    };
    let given = of(&pairs);
    let common_name = common_name(merged, &given, names, notes);
    pairs.extend(common_name.map(|text| ("common_name", text)));
    of(&pairs)
}

fn not_text(value: &Value) -> &'static str {
    match value {
        Value::Bool(_) => "is a boolean, as YAML takes NO, yes and on; quote it, as in \"NO\"",
        _ => "give a string or a list of strings",
    }
}

fn texts(value: &Value) -> Option<Vec<String>> {
    match value {
        Value::String(text) => Some(vec![text.clone()]),
        Value::Number(number) => Some(vec![number.to_string()]),
        Value::Null => Some(Vec::new()),
        Value::Array(values) => values
            .iter()
            .map(texts)
            .collect::<Option<Vec<_>>>()
            .map(|each| each.concat()),
        Value::Bool(_) | Value::Object(_) => None,
    }
}

fn common_name(
    merged: &Merged<'_>,
    subject: &Subject,
    names: &SubjectAltNames,
    notes: &mut Notes,
) -> Option<String> {
    let Some((given, path)) = merged.pick("common_name", |entry| entry.common_name.as_deref())
    else {
        let fits = |name: &&pki::DnsName| name.as_str().len() <= LONGEST_COMMON_NAME;
        let first = names.dns.iter().find(fits).map(ToString::to_string);
        return first.filter(|_| subject.common_name().is_none());
    };
    if let Some(fault) = ansible_module::unrendered(given) {
        notes.fault(path, fault);
        return None;
    }
    match subject.common_name() {
        Some(other) if other == given => return None,
        Some(other) => notes.fault(
            path,
            format!("'{given}' contradicts the common name '{other}' of 'subject'"),
        ),
        None => {
            if let Err(error) = Subject::from_pairs([("common_name", given)]) {
                notes.fault(path, error.to_string());
            }
        }
    }
    Some(given.to_owned())
}
