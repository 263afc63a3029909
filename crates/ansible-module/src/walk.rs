// SPDX-License-Identifier: Apache-2.0
//! The walk of the input over the table of options.
//!
//! One pass in the order of the input: every value is brought to its type, every fault is collected with its
//! path, and every string inside a secret option is remembered before anything else looks at it.

use std::path::Path;

use serde_json::{Map, Value};
use zeroize::Zeroizing;

use crate::coerce;
use crate::faults::Faults;
use crate::key_material;
use crate::options::{Kind, OptionSpec, literal};

/// What stands in the echoed options where a secret was, the text that Ansible itself uses.
pub(crate) const NO_LOG_MARKER: &str = "VALUE_SPECIFIED_IN_NO_LOG_PARAMETER";

/// Ansible before 2.16 leaves a nested `omit` in place as a string with this start.
const OMIT: &str = "__omit_place_holder__";

/// The options after the walk.
pub(crate) struct Walked {
    /// Names of the table (not aliases), values of the right type, defaults filled in; faulty ones left out.
    pub(crate) options: Map<String, Value>,
    pub(crate) faults: Faults,
    pub(crate) secrets: Vec<Zeroizing<String>>,
    /// A faulty item was left out of a list, so that the places in `options` are no longer those of the input.
    pub(crate) shifted: bool,
}

/// Walks `input` over `table`; `home` is what a leading `~` in a path stands for.
pub(crate) fn walk(input: Map<String, Value>, table: &[OptionSpec], home: Option<&Path>) -> Walked {
    let mut walk = Walk {
        home,
        faults: Faults::new(),
        secrets: Vec::new(),
        shifted: false,
    };
    input
        .values()
        .for_each(|value| key_material::remember(value, &mut walk.secrets));
    let options = walk.dictionary("", input, table, false);
    Walked {
        options,
        faults: walk.faults,
        secrets: walk.secrets,
        shifted: walk.shifted,
    }
}

/// A default as the walk would take it, for the check of the table itself.
pub(crate) fn check_default(spec: &OptionSpec, value: Value) -> (Option<Value>, Faults) {
    let mut walk = Walk {
        home: None,
        faults: Faults::new(),
        secrets: Vec::new(),
        shifted: false,
    };
    let value = walk.value(spec.name, value, spec);
    (value, walk.faults)
}

/// The options for `invocation`: as they were understood, with secrets replaced.
pub(crate) fn echo(options: &Map<String, Value>, table: &[OptionSpec]) -> Map<String, Value> {
    options
        .iter()
        .map(
            |(key, value)| match table.iter().find(|spec| spec.name == key) {
                Some(spec) if spec.secret => (key.clone(), NO_LOG_MARKER.into()),
                Some(spec) => (key.clone(), echo_value(value, spec.options)),
                None => (key.clone(), value.clone()),
            },
        )
        .collect()
}

fn echo_value(value: &Value, table: &[OptionSpec]) -> Value {
    match value {
        Value::Object(map) => Value::Object(echo(map, table)),
        Value::Array(items) => items.iter().map(|item| echo_value(item, table)).collect(),
        scalar => scalar.clone(),
    }
}

struct Walk<'home> {
    home: Option<&'home Path>,
    faults: Faults,
    secrets: Vec<Zeroizing<String>>,
    shifted: bool,
}

impl Walk<'_> {
    fn dictionary(
        &mut self,
        path: &str,
        input: Map<String, Value>,
        table: &[OptionSpec],
        free: bool,
    ) -> Map<String, Value> {
        let mut options = Map::new();
        // A faulty option is not missing: one fault is enough.
        let mut seen = Vec::with_capacity(table.len());
        for (key, value) in input {
            let Some(spec) = table.iter().find(|spec| spec.is_named(&key)) else {
                if free {
                    options.insert(key, value);
                } else {
                    self.faults.push(join(path, &key), unknown(&key, table));
                }
                continue;
            };
            if is_absent(&value) {
                continue;
            }
            seen.push(spec.name);
            let path = join(path, &key);
            if let Some(value) = self.value(&path, value, spec) {
                self.put(&mut options, &path, spec, value);
            }
        }
        for spec in table.iter().filter(|spec| !seen.contains(&spec.name)) {
            self.absent(&mut options, path, spec);
        }
        options
    }

    /// Stores a value; the same option under two of its names is a fault only if the values differ, because
    /// Ansible's own validation adds the name to the alias that was given.
    fn put(
        &mut self,
        options: &mut Map<String, Value>,
        path: &str,
        spec: &OptionSpec,
        value: Value,
    ) {
        match options.get(spec.name) {
            Some(other) if *other != value => self.faults.push(
                path,
                format!(
                    "'{}' is given under two of its names, with different values",
                    spec.name
                ),
            ),
            Some(_) => {}
            None => drop(options.insert(spec.name.to_owned(), value)),
        }
    }

    fn absent(&mut self, options: &mut Map<String, Value>, path: &str, spec: &OptionSpec) {
        if spec.required {
            self.faults.push(join(path, spec.name), "is required");
        }
        let Some(default) = spec.default else { return };
        match literal(default) {
            // Through the walk once more: the options inside a default have defaults too.
            Some(value) => {
                if let Some(value) = self.value(&join(path, spec.name), value, spec) {
                    options.insert(spec.name.to_owned(), value);
                }
            }
            None => self.faults.push(
                join(path, spec.name),
                "the module's own default is not JSON",
            ),
        }
    }

    fn value(&mut self, path: &str, value: Value, spec: &OptionSpec) -> Option<Value> {
        if spec.secret {
            remember(&value, &mut self.secrets);
        }
        let value = match spec.kind {
            Kind::List(element) => self.list(path, value, spec, element.kind())?,
            kind => self.one(path, value, spec, kind)?,
        };
        if spec.secret {
            // Once more after conversion: the parts of a comma list, the strings of a JSON string.
            remember(&value, &mut self.secrets);
        }
        Some(value)
    }

    fn list(&mut self, path: &str, value: Value, spec: &OptionSpec, kind: Kind) -> Option<Value> {
        match coerce::list(value, kind != Kind::Dict) {
            Ok(items) => {
                let mut taken = Vec::with_capacity(items.len());
                for (index, item) in items.into_iter().enumerate() {
                    match self.one(&format!("{path}[{index}]"), item, spec, kind) {
                        Some(item) => taken.push(item),
                        None => self.shifted = true,
                    }
                }
                Some(Value::Array(taken))
            }
            Err(value) => self.wrong_structure(path, value, spec, "a list"),
        }
    }

    fn one(&mut self, path: &str, value: Value, spec: &OptionSpec, kind: Kind) -> Option<Value> {
        if kind == Kind::Dict {
            return match coerce::dictionary(value) {
                Ok(map) => {
                    let free = spec.accepts_any_key();
                    Some(Value::Object(self.dictionary(
                        path,
                        map,
                        spec.options,
                        free,
                    )))
                }
                Err(value) => self.wrong_structure(path, value, spec, "a dictionary"),
            };
        }
        let said = said(&value, spec.secret);
        match scalar(value, kind, spec.choices, self.home) {
            Some(value) => self.chosen(path, value, spec),
            None => {
                self.faults
                    .push(path, format!("expected {}, got {said}", wanted(kind)));
                None
            }
        }
    }

    fn chosen(&mut self, path: &str, value: Value, spec: &OptionSpec) -> Option<Value> {
        if spec.choices.is_empty() {
            return Some(value);
        }
        let text = coerce::string(value.clone()).unwrap_or_default();
        if spec.choices.contains(&text.as_str()) {
            return Some(value);
        }
        let said = said(&value, spec.secret);
        self.faults.push(
            path,
            format!("{said} is not one of: {}", spec.choices.join(", ")),
        );
        None
    }

    /// A list or dictionary was wanted. The value is never said: it may be the secret that belongs inside.
    fn wrong_structure(
        &mut self,
        path: &str,
        value: Value,
        spec: &OptionSpec,
        wanted: &str,
    ) -> Option<Value> {
        remember_inside(&value, spec, &mut self.secrets);
        self.faults.push(
            path,
            format!("expected {wanted}, got {}", coerce::noun(&value)),
        );
        None
    }
}

fn scalar(value: Value, kind: Kind, choices: &[&str], home: Option<&Path>) -> Option<Value> {
    match kind {
        _ if value.is_null() => None,
        Kind::Str => match value {
            Value::Bool(it) if !choices.is_empty() => Some(choice_for(it, choices)),
            other => coerce::string(other).map(Value::String),
        },
        Kind::Path => coerce::path(value, home)
            .filter(|path| !path.contains('\0'))
            .map(Value::String),
        Kind::Bool => coerce::boolean(&value).map(Value::Bool),
        Kind::Int => coerce::integer(&value).map(Value::from),
        Kind::Float => coerce::float(&value).map(Value::Number),
        Kind::Raw | Kind::Dict | Kind::List(_) => Some(value),
    }
}

/// YAML turns the bare word `no` into a boolean; if exactly one choice is such a word, it was meant.
fn choice_for(it: bool, choices: &[&str]) -> Value {
    let mut meant = choices
        .iter()
        .filter(|c| coerce::boolean(&Value::from(**c)) == Some(it));
    match (meant.next(), meant.next()) {
        (Some(choice), None) => (*choice).into(),
        _ => if it { "True" } else { "False" }.into(),
    }
}

const fn wanted(kind: Kind) -> &'static str {
    match kind {
        Kind::Str => "a string",
        Kind::Path => "a path",
        Kind::Bool => "a boolean",
        Kind::Int => "a whole number",
        Kind::Float => "a number",
        Kind::Dict => "a dictionary",
        Kind::Raw => "a value",
        Kind::List(_) => "a list",
    }
}

/// A value in a message: what it is, and for short non-secret scalars what it says.
fn said(value: &Value, secret: bool) -> String {
    const SHORT: usize = 80;
    match value {
        _ if secret => coerce::noun(value).to_owned(),
        Value::String(text) if text.chars().count() <= SHORT => {
            format!("'{}'", text.escape_debug())
        }
        Value::Number(_) | Value::Bool(_) => format!("'{value}'"),
        other => coerce::noun(other).to_owned(),
    }
}

fn is_absent(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::String(text) => text.starts_with(OMIT),
        _ => false,
    }
}

/// `a` + `b` → `a.b`; the path of a key.
fn join(path: &str, key: &str) -> String {
    match path {
        "" => key.to_owned(),
        _ => format!("{path}.{key}"),
    }
}

fn unknown(key: &str, table: &[OptionSpec]) -> String {
    let names = || {
        table
            .iter()
            .flat_map(|spec| std::iter::once(&spec.name).chain(spec.aliases))
    };
    // A third of the letters may be wrong: enough for a slip, too little for another word.
    let reach = (key.chars().count() / 3).max(1);
    let nearest = names()
        .map(|name| (strsim::damerau_levenshtein(&key.to_lowercase(), name), name))
        .filter(|(distance, _)| *distance <= reach)
        .min_by_key(|(distance, _)| *distance);
    match nearest {
        Some((_, name)) => format!("unknown option, did you mean '{name}'?"),
        None => {
            let known: Vec<_> = table.iter().map(|spec| spec.name).collect();
            format!("unknown option; known are: {}", known.join(", "))
        }
    }
}

/// Remembers the secrets in a value of the wrong structure: a dictionary where a list of them was wanted says which
/// of its values they are; anything else may be one as a whole.
fn remember_inside(value: &Value, spec: &OptionSpec, secrets: &mut Vec<Zeroizing<String>>) {
    if spec.secret {
        return remember(value, secrets);
    }
    if !spec.holds_secrets() {
        return;
    }
    match value {
        Value::Object(map) => {
            for (key, inside) in map {
                if let Some(option) = spec.options.iter().find(|option| option.is_named(key)) {
                    remember_inside(inside, option, secrets);
                }
            }
        }
        Value::Array(items) => items
            .iter()
            .for_each(|item| remember_inside(item, spec, secrets)),
        other => remember(other, secrets),
    }
}

/// Remembers every string (and number, as text) inside a secret value.
fn remember(value: &Value, secrets: &mut Vec<Zeroizing<String>>) {
    match value {
        Value::String(text) if !text.is_empty() => secrets.push(text.clone().into()),
        Value::Number(number) => secrets.push(number.to_string().into()),
        Value::Array(items) => items.iter().for_each(|item| remember(item, secrets)),
        Value::Object(map) => map.values().for_each(|item| remember(item, secrets)),
        Value::String(_) | Value::Null | Value::Bool(_) => {}
    }
}

#[cfg(test)]
mod tests;
