// SPDX-License-Identifier: Apache-2.0
//! The shape of an answer: one JSON object, without nulls, without secrets.

use serde_json::{Map, Value, json};

use crate::control::Control;
use crate::facts_text::facts_text;
use crate::failure::{Failure, chain};
use crate::outcome::{Diff, Outcome};
use crate::scrub::Scrubber;

/// The words of the protocol; facts of a module cannot take their places.
const WORDS: [&str; 9] = [
    "changed",
    "failed",
    "msg",
    "error",
    "diff",
    "warnings",
    "deprecations",
    "invocation",
    "exception",
];

/// Keys inside the words above, which are not scrubbed either: they are ours and say nothing.
const INNER_WORDS: [&str; 14] = [
    "kind",
    "caused_by",
    "hint",
    "module_args",
    "before",
    "after",
    "before_header",
    "after_header",
    "version",
    "date",
    "collection_name",
    "faults",
    "path",
    "message",
];

/// An answer that is ready to be printed.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Answer {
    /// The line, without its newline.
    pub(crate) line: String,
    pub(crate) failed: bool,
}

/// What an answer needs to know of the run besides the result.
#[derive(Default)]
pub(crate) struct Context {
    pub(crate) control: Control,
    /// The options with secrets replaced.
    pub(crate) module_args: Map<String, Value>,
    pub(crate) option_names: Vec<&'static str>,
    pub(crate) scrubber: Scrubber,
}

impl Context {
    pub(crate) fn success(&self, outcome: Outcome) -> Answer {
        let mut answer = Map::new();
        answer.insert("changed".to_owned(), outcome.changed.into());
        if let Some(msg) = outcome.msg {
            answer.insert("msg".to_owned(), msg.into());
        }
        add_facts(&mut answer, outcome.facts);
        if self.control.diff && !self.control.no_log && !outcome.diff.is_empty() {
            answer.insert(
                "diff".to_owned(),
                outcome.diff.iter().map(diff_json).collect(),
            );
        }
        if !outcome.warnings.is_empty() {
            answer.insert("warnings".to_owned(), outcome.warnings.into());
        }
        if !outcome.deprecations.is_empty() {
            let entries = outcome.deprecations.iter().map(|d| d.to_json());
            answer.insert("deprecations".to_owned(), entries.collect());
        }
        self.finish(answer, false)
    }

    pub(crate) fn failure(&self, failure: &impl Failure, changed: bool) -> Answer {
        let said = chain(failure);
        let mut error =
            json!({"kind": failure.kind(), "caused_by": said.get(1..).unwrap_or_default()});
        if let Some(hint) = failure.hint() {
            error["hint"] = hint.into();
        }
        let mut answer = Map::from_iter([
            ("failed".to_owned(), true.into()),
            ("changed".to_owned(), (changed || failure.changed()).into()),
            ("msg".to_owned(), said.join(": ").into()),
            ("error".to_owned(), error),
        ]);
        add_facts(&mut answer, failure.facts());
        let warnings = failure.warnings();
        if !warnings.is_empty() {
            answer.insert("warnings".to_owned(), warnings.into());
        }
        self.finish(answer, true)
    }

    fn finish(&self, mut answer: Map<String, Value>, failed: bool) -> Answer {
        if !self.control.no_log {
            let invocation = json!({"module_args": Value::Object(self.module_args.clone())});
            answer.insert("invocation".to_owned(), invocation);
        }
        let mut answer = Value::Object(answer);
        prune(&mut answer);
        let keep = |key: &str| {
            WORDS.contains(&key) || INNER_WORDS.contains(&key) || self.option_names.contains(&key)
        };
        self.scrubber.value(&mut answer, &keep);
        Answer {
            line: answer.to_string(),
            failed,
        }
    }
}

fn add_facts(answer: &mut Map<String, Value>, facts: Map<String, Value>) {
    answer.extend(
        facts
            .into_iter()
            .filter(|(key, _)| !WORDS.contains(&key.as_str())),
    );
}

fn diff_json(diff: &Diff) -> Value {
    json!({
        "before_header": diff.before_header,
        "after_header": diff.after_header,
        "before": facts_text(&diff.before),
        "after": facts_text(&diff.after),
    })
}

/// Takes null members out of objects: what is absent has no key.
fn prune(value: &mut Value) {
    match value {
        Value::Object(map) => {
            map.retain(|_, value| !value.is_null());
            map.values_mut().for_each(prune);
        }
        Value::Array(items) => items.iter_mut().for_each(prune),
        _ => {}
    }
}

#[cfg(test)]
mod tests;
