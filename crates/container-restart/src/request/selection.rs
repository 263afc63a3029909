// SPDX-License-Identifier: Apache-2.0
//! Which containers: named, selected by labels, or found.

use std::collections::BTreeMap;

use ansible_module::{Faults, unrendered};
use serde_json::{Map, Value};

use super::{ActionOptions, ActionWish, action};

/// Which containers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Selection {
    /// These, by their exact names or whole identities.
    Named(Vec<ContainerWish>),
    /// Those with all of these labels; an empty value is any value.
    Labelled(BTreeMap<String, String>),
    /// Those that use the certificate.
    Found,
}

/// A container that the task names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ContainerWish {
    /// Its exact name or whole identity.
    pub name: String,
    /// What to do to this one, where it differs from the task's.
    pub action: Option<ActionWish>,
}

const KEYS: [&str; 5] = ["name", "action", "signal", "command", "command_user"];

pub(super) fn selection(
    containers: Vec<Value>,
    labels: Option<Map<String, Value>>,
    faults: &mut Faults,
) -> Selection {
    let labels = labels.filter(|labels| !labels.is_empty());
    if containers.is_empty() {
        return match labels {
            None => Selection::Found,
            Some(labels) => Selection::Labelled(texts(labels, faults)),
        };
    }
    if labels.is_some() {
        faults.push("labels", "give names in 'containers' or 'labels', not both");
    }
    let mut wishes: Vec<ContainerWish> = Vec::new();
    for (index, value) in containers.into_iter().enumerate() {
        let at = format!("containers[{index}]");
        let Some(wish) = wish(&at, value, faults) else {
            continue;
        };
        match wishes.iter().find(|other| other.name == wish.name) {
            // One service of a deployment may be named for several reasons.
            Some(other) if *other == wish => {}
            Some(_) => faults.push(
                at,
                format!("'{}' is named twice, with different options", wish.name),
            ),
            None => wishes.push(wish),
        }
    }
    Selection::Named(wishes)
}

fn texts(labels: Map<String, Value>, faults: &mut Faults) -> BTreeMap<String, String> {
    let mut found = BTreeMap::new();
    for (key, value) in labels {
        match value {
            Value::String(text) => drop(found.insert(key, text)),
            Value::Null => drop(found.insert(key, String::new())),
            Value::Number(number) => drop(found.insert(key, number.to_string())),
            Value::Bool(it) => drop(found.insert(key, it.to_string())),
            _ => faults.push(format!("labels.{key}"), "expected a string"),
        }
    }
    found
}

fn wish(at: &str, value: Value, faults: &mut Faults) -> Option<ContainerWish> {
    match value {
        Value::String(text) => {
            let name = name(at, &text, faults)?;
            Some(ContainerWish { name, action: None })
        }
        Value::Object(map) => dictionary(at, &map, faults),
        _ => {
            faults.push(at, "expected a name or a dictionary");
            None
        }
    }
}

fn dictionary(at: &str, map: &Map<String, Value>, faults: &mut Faults) -> Option<ContainerWish> {
    for key in map.keys().filter(|key| !KEYS.contains(&key.as_str())) {
        faults.push(
            format!("{at}.{key}"),
            format!("unknown option; known are: {}", KEYS.join(", ")),
        );
    }
    let mut text = |key: &str| match map.get(key) {
        None | Some(Value::Null) => None,
        Some(Value::String(text)) => Some(text.clone()),
        Some(_) => {
            faults.push(format!("{at}.{key}"), "expected a string");
            None
        }
    };
    let (own, word, signal, user) = (
        text("name"),
        text("action"),
        text("signal"),
        text("command_user"),
    );
    let command = match map.get("command") {
        None | Some(Value::Null) => None,
        Some(Value::Array(items)) if items.iter().all(Value::is_string) => Some(
            items
                .iter()
                .filter_map(|item| item.as_str().map(str::to_owned))
                .collect(),
        ),
        Some(_) => {
            faults.push(format!("{at}.command"), "expected a list of strings");
            None
        }
    };
    let word = word.or_else(|| command.as_ref().map(|_: &Vec<String>| String::from("exec")));
    let word = word.or_else(|| signal.as_ref().map(|_| String::from("signal")));
    let action = word.map(|word| {
        if !["auto", "none", "signal", "exec", "reload", "restart"].contains(&word.as_str()) {
            faults.push(
                format!("{at}.action"),
                format!("'{word}' is not one of: auto, none, signal, exec, reload, restart"),
            );
        }
        let options = ActionOptions {
            signal: signal.as_deref(),
            command,
            user,
        };
        action(&format!("{at}."), &word, options, faults)
    });
    let Some(own) = own else {
        faults.push(format!("{at}.name"), "is required");
        return None;
    };
    let name = name(&format!("{at}.name"), &own, faults)?;
    Some(ContainerWish { name, action })
}

fn name(at: &str, text: &str, faults: &mut Faults) -> Option<String> {
    // Docker's rule, which is also Podman's: [a-zA-Z0-9][a-zA-Z0-9_.-]*
    let allowed = |letter: char| letter.is_ascii_alphanumeric() || "_.-".contains(letter);
    let why = if let Some(why) = unrendered(text) {
        why
    } else if text.starts_with(|first: char| first.is_ascii_alphanumeric())
        && text.chars().all(allowed)
    {
        return Some(text.to_owned());
    } else {
        format!(
            "'{}' is no name of a container; names are exact, not patterns",
            text.escape_debug()
        )
    };
    faults.push(at, why);
    None
}
