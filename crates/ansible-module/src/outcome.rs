// SPDX-License-Identifier: Apache-2.0
//! What a module answers when it worked.

use serde_json::{Map, Value};

/// The answer of a module that worked.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Outcome {
    /// Whether something on the machine or at the issuer changed (in check mode: would change).
    pub changed: bool,
    /// One sentence for people.
    pub msg: Option<String>,
    /// The module's own keys; members that are null are left out of the answer at every depth.
    pub facts: Map<String, Value>,
    /// What changed, as facts; only answered where Ansible asked for a diff.
    pub diff: Vec<Diff>,
    /// What the operator should look at although the task worked.
    pub warnings: Vec<String>,
    /// What the operator should stop using.
    pub deprecations: Vec<Deprecation>,
}

/// One difference for `--diff`: facts, never key material.
///
/// `before` and `after` are null (nothing there), a string (taken as it is) or any structure, which is
/// printed as sorted `key: value` lines.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Diff {
    /// What the left side shows, for instance a path.
    pub before_header: String,
    /// What the right side shows, for instance a path.
    pub after_header: String,
    /// The facts as they were.
    pub before: Value,
    /// The facts as they are (in check mode: would be).
    pub after: Value,
}

/// A use that will stop working, in Ansible's shape.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Deprecation {
    /// What is deprecated and what to use instead.
    pub msg: String,
    /// The version of the collection that drops it.
    pub version: Option<String>,
    /// The day after which it is dropped, `YYYY-MM-DD`.
    pub date: Option<String>,
    /// The collection that drops it, `namespace.name`.
    pub collection_name: Option<String>,
}

impl Deprecation {
    pub(crate) fn to_json(&self) -> Value {
        let mut entry = Map::from_iter([("msg".to_owned(), self.msg.as_str().into())]);
        let rest = [
            ("version", &self.version),
            ("date", &self.date),
            ("collection_name", &self.collection_name),
        ];
        for (key, value) in rest {
            if let Some(value) = value {
                entry.insert(key.to_owned(), value.as_str().into());
            }
        }
        Value::Object(entry)
    }
}
