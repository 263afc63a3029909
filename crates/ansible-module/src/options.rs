// SPDX-License-Identifier: Apache-2.0
//! The table of options: the single source of truth for what a module accepts.
//!
//! A table is a `static`, so every constructor here is `const`:
//!
//! ```
//! use ansible_module::{Element, Kind, OptionSpec};
//!
//! static KEY: [OptionSpec; 2] = [
//!     OptionSpec::new("size", Kind::Int).default("2048"),
//!     OptionSpec::new("passphrase", Kind::Str).secret(),
//! ];
//! static OPTIONS: [OptionSpec; 2] = [
//!     OptionSpec::new("dns", Kind::List(Element::Str)).aliases(&["subject_alt_name"]),
//!     OptionSpec::new("key", Kind::Dict).options(&KEY),
//! ];
//! assert!(ansible_module::table_defects(&OPTIONS).is_empty());
//! ```

use serde_json::{Map, Value};

/// What type of value an option takes, in Ansible's words.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Kind {
    /// A string; numbers and booleans are written out as Ansible does (`3` → `"3"`, `true` → `"True"`).
    Str,
    /// A string that names a file; a leading `~/` becomes the home directory of the user who runs the module.
    Path,
    /// `true`/`false`, and Ansible's words for them (`yes`, `on`, `1`, `t`, …) in any case.
    Bool,
    /// A whole number, also as a string or as a float without a fraction.
    Int,
    /// A number, also as a string.
    Float,
    /// A dictionary; also a string that holds a JSON object.
    Dict,
    /// Any value, passed on as it came (a file mode is one: `"0640"`, `416`, `"u=rw"`).
    Raw,
    /// A list; also one bare value or, for scalars, a comma list in one string.
    List(Element),
}

/// What type the elements of a [`Kind::List`] have.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Element {
    /// As [`Kind::Str`].
    Str,
    /// As [`Kind::Path`].
    Path,
    /// As [`Kind::Int`].
    Int,
    /// As [`Kind::Dict`].
    Dict,
    /// As [`Kind::Raw`].
    Raw,
}

impl Element {
    pub(crate) const fn kind(self) -> Kind {
        match self {
            Self::Str => Kind::Str,
            Self::Path => Kind::Path,
            Self::Int => Kind::Int,
            Self::Dict => Kind::Dict,
            Self::Raw => Kind::Raw,
        }
    }
}

impl Kind {
    /// The word that Ansible's `type:` uses.
    pub(crate) const fn word(self) -> &'static str {
        match self {
            Self::Str => "str",
            Self::Path => "path",
            Self::Bool => "bool",
            Self::Int => "int",
            Self::Float => "float",
            Self::Dict => "dict",
            Self::Raw => "raw",
            Self::List(_) => "list",
        }
    }
}

/// One option of a module, or of a dictionary inside an option.
#[derive(Clone, Copy, Debug)]
pub struct OptionSpec {
    pub(crate) name: &'static str,
    pub(crate) kind: Kind,
    pub(crate) required: bool,
    pub(crate) secret: bool,
    pub(crate) free: bool,
    pub(crate) default: Option<&'static str>,
    pub(crate) choices: &'static [&'static str],
    pub(crate) aliases: &'static [&'static str],
    pub(crate) options: &'static [Self],
}

impl OptionSpec {
    /// An optional option without default.
    pub const fn new(name: &'static str, kind: Kind) -> Self {
        Self {
            name,
            kind,
            required: false,
            secret: false,
            free: false,
            default: None,
            choices: &[],
            aliases: &[],
            options: &[],
        }
    }

    /// Must be given, and not as null.
    pub const fn required(mut self) -> Self {
        self.required = true;
        self
    }

    /// The value where none is given, as a JSON literal: `"30"`, `r#""present""#`, `"[]"`.
    pub const fn default(mut self, json: &'static str) -> Self {
        self.default = Some(json);
        self
    }

    /// The only values (for a list: of its elements) that are accepted.
    pub const fn choices(mut self, choices: &'static [&'static str]) -> Self {
        self.choices = choices;
        self
    }

    /// Nothing of the value may appear in any output; Ansible calls it `no_log`.
    pub const fn secret(mut self) -> Self {
        self.secret = true;
        self
    }

    /// Other names under which the option is accepted.
    pub const fn aliases(mut self, aliases: &'static [&'static str]) -> Self {
        self.aliases = aliases;
        self
    }

    /// The table of the dictionary (or of each dictionary in the list).
    pub const fn options(mut self, options: &'static [Self]) -> Self {
        self.options = options;
        self
    }

    /// The dictionary accepts keys that its table does not name, and keeps their order.
    pub const fn free(mut self) -> Self {
        self.free = true;
        self
    }

    /// The name of the option.
    pub const fn name(&self) -> &'static str {
        self.name
    }

    pub(crate) fn is_named(&self, key: &str) -> bool {
        self.name == key || self.aliases.contains(&key)
    }

    pub(crate) fn accepts_any_key(&self) -> bool {
        self.free || self.options.is_empty()
    }

    /// Whether this option, or one inside it, is secret.
    pub(crate) fn holds_secrets(&self) -> bool {
        self.secret || self.options.iter().any(Self::holds_secrets)
    }

    fn to_json(self) -> Value {
        let mut entry = Map::new();
        entry.insert("type".into(), self.kind.word().into());
        if let Kind::List(element) = self.kind {
            entry.insert("elements".into(), element.kind().word().into());
        }
        entry.insert("required".into(), self.required.into());
        if let Some(default) = self.default {
            entry.insert("default".into(), literal(default).unwrap_or(Value::Null));
        }
        if !self.choices.is_empty() {
            entry.insert("choices".into(), self.choices.into());
        }
        if !self.aliases.is_empty() {
            entry.insert("aliases".into(), self.aliases.into());
        }
        entry.insert("no_log".into(), self.secret.into());
        if self.free {
            entry.insert("free".into(), true.into());
        }
        if !self.options.is_empty() {
            entry.insert("options".into(), table_json(self.options).into());
        }
        Value::Object(entry)
    }
}

/// A default's literal as a value.
pub(crate) fn literal(json: &str) -> Option<Value> {
    serde_json::from_str(json).ok()
}

/// What was given, with the defaults of a table for what was not, also inside dictionaries. For options that are handed on
/// to the reader of another module; those of a task itself come so already.
pub fn with_defaults(mut given: Map<String, Value>, table: &[OptionSpec]) -> Map<String, Value> {
    given.retain(|_, value| !value.is_null());
    for spec in table {
        let known = given.remove(spec.name);
        let value = match known.or_else(|| literal(spec.default?)) {
            Some(Value::Object(inner)) if !spec.free => {
                Some(Value::Object(with_defaults(inner, spec.options)))
            }
            other => other,
        };
        given.extend(value.map(|value| (spec.name.to_owned(), value)));
    }
    given
}

/// The table in the JSON shape that `--spec` prints (see the crate's documentation).
pub(crate) fn table_json(table: &[OptionSpec]) -> Map<String, Value> {
    table
        .iter()
        .map(|spec| (spec.name.to_owned(), spec.to_json()))
        .collect()
}

/// What is wrong with a table itself, one sentence each; a module's tests assert that this is empty.
///
/// Finds default literals that are not JSON or not of the option's type, names that are declared twice,
/// options that are both required and defaulted, and tables or choices where the type can have none.
pub fn table_defects(table: &[OptionSpec]) -> Vec<String> {
    let mut defects = Vec::new();
    collect_defects(table, "", &mut defects);
    defects
}

fn collect_defects(table: &[OptionSpec], parent: &str, defects: &mut Vec<String>) {
    let mut seen = Vec::new();
    for spec in table {
        let path = format!("{parent}{}", spec.name);
        for name in std::iter::once(&spec.name).chain(spec.aliases) {
            if seen.contains(name) {
                defects.push(format!("{path}: the name '{name}' is declared twice"));
            }
            seen.push(*name);
        }
        own_defects(spec, &path, defects);
        collect_defects(spec.options, &format!("{path}."), defects);
    }
}

fn own_defects(spec: &OptionSpec, path: &str, defects: &mut Vec<String>) {
    let takes_dict = matches!(spec.kind, Kind::Dict | Kind::List(Element::Dict));
    if !takes_dict && (spec.free || !spec.options.is_empty()) {
        defects.push(format!("{path}: only a dictionary has options of its own"));
    }
    if takes_dict && !spec.choices.is_empty() {
        defects.push(format!("{path}: a dictionary cannot have choices"));
    }
    let Some(default) = spec.default else { return };
    if spec.required {
        defects.push(format!("{path}: required and with a default"));
    }
    match literal(default) {
        None => defects.push(format!("{path}: the default '{default}' is not JSON")),
        Some(value) => {
            let (after, faults) = crate::walk::check_default(spec, value.clone());
            if !faults.is_empty() || after.as_ref() != Some(&value) {
                defects.push(format!(
                    "{path}: the default '{default}' is not of the option's type"
                ));
            }
        }
    }
}
