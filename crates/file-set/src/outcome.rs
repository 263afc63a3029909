// SPDX-License-Identifier: Apache-2.0
//! What is answered. Contents only where they were asked for by `read`.

use std::collections::BTreeMap;
use std::path::PathBuf;

use ansible_module::{Diff, FailedItem, Outcome};
use serde_json::{Map, Value, json};
use tls_files::{Recovered, RecoveryAction};

use crate::apply::Applied;
use crate::decide::{Action, Decision, Reason};
use crate::failure::TaskError;

/// What happened to one set.
#[derive(Debug)]
pub struct SetOutcome {
    /// Its name.
    pub name: String,
    /// What was decided.
    pub decision: Decision,
    /// What was done.
    pub applied: Applied,
    /// Why it failed.
    pub failed: Option<FailedItem>,
}

impl SetOutcome {
    fn action(&self) -> &'static str {
        match self.failed {
            Some(_) => "failed",
            None => self.decision.action().word(),
        }
    }

    fn changed(&self) -> bool {
        self.failed.is_none() && self.decision.action() != Action::Keep
    }

    fn to_json(&self) -> Value {
        let backups = texts(&self.applied.backups);
        json!({
            "changed": self.changed(),
            "action": self.action(),
            "reasons": self.decision.reasons.iter().map(Reason::to_json).collect::<Vec<_>>(),
            "changed_files": texts(&self.applied.files),
            "backup_files": if backups.is_empty() { Value::Null } else { json!(backups) },
            "warnings": self.applied.warnings,
            "error": self.failed.as_ref().map_or(Value::Null, FailedItem::to_json),
        })
    }

    /// One difference a file: what was wrong with it, never what is in it.
    fn diff(&self) -> Vec<Diff> {
        let mut by_path: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
        for reason in &self.decision.reasons {
            by_path
                .entry(&reason.path)
                .or_default()
                .push(&reason.detail);
        }
        let each = by_path.into_iter();
        each.map(|(path, details)| Diff {
            before_header: path.to_owned(),
            after_header: path.to_owned(),
            before: json!({"state": details.join("; ")}),
            after: json!({"state": "as wished"}),
        })
        .collect()
    }
}

fn texts(paths: &[PathBuf]) -> Vec<String> {
    let mut texts: Vec<String> = paths
        .iter()
        .map(|path| path.display().to_string())
        .collect();
    texts.sort();
    texts
}

/// What the whole task found and did besides the sets.
#[derive(Debug, Default)]
pub struct Surroundings {
    /// Directories that were made, or would be.
    pub made_directories: Vec<PathBuf>,
    /// What a killed run had left.
    pub recovered: Vec<Recovered>,
    /// Contents, problems and existence, as asked for.
    pub read: Map<String, Value>,
}

/// The answer of the task.
///
/// # Errors
/// [`TaskError::Sets`] when a set failed; it carries the same facts.
pub fn answer(outcomes: &[SetOutcome], around: Surroundings) -> Result<Outcome, TaskError> {
    let warnings = warnings(outcomes, &around);
    let changed = !around.made_directories.is_empty()
        || !around.recovered.is_empty()
        || outcomes.iter().any(SetOutcome::changed);
    let failed: Vec<FailedItem> = outcomes
        .iter()
        .filter_map(|outcome| outcome.failed.clone())
        .collect();
    let facts = facts(outcomes, around, &failed);
    if !failed.is_empty() {
        return Err(TaskError::Sets {
            failed,
            total: outcomes.len(),
            facts: Box::new(facts),
            changed,
            warnings,
        });
    }
    Ok(Outcome {
        changed,
        msg: Some(message(outcomes)),
        facts,
        diff: outcomes
            .iter()
            .filter(|outcome| outcome.changed())
            .flat_map(SetOutcome::diff)
            .collect(),
        warnings,
        deprecations: Vec::new(),
    })
}

fn facts(
    outcomes: &[SetOutcome],
    around: Surroundings,
    failed: &[FailedItem],
) -> Map<String, Value> {
    let mut facts = around.read;
    let by_name = outcomes
        .iter()
        .map(|outcome| (outcome.name.clone(), outcome.to_json()));
    facts.insert(String::from("sets"), Value::Object(by_name.collect()));
    let failures = failed
        .iter()
        .map(|item| (item.name.clone(), item.to_json()));
    facts.insert(String::from("failures"), Value::Object(failures.collect()));
    let made = json!(texts(&around.made_directories));
    facts.insert(String::from("made_directories"), made);
    if !around.recovered.is_empty() {
        let recovered = around.recovered.iter().map(recovery_json).collect();
        facts.insert(String::from("recovered"), recovered);
    }
    facts
}

fn warnings(outcomes: &[SetOutcome], around: &Surroundings) -> Vec<String> {
    let of_sets = outcomes.iter().flat_map(|outcome| {
        let told = outcome.applied.warnings.iter();
        told.map(|warning| format!("'{}': {warning}", outcome.name))
    });
    let of_recovery = around.recovered.iter().map(|recovered| {
        format!(
            "an earlier run was killed while it replaced the files of '{}'; that was {}",
            recovered.set,
            recovery_word(recovered)
        )
    });
    of_sets.chain(of_recovery).collect()
}

fn recovery_word(recovered: &Recovered) -> &'static str {
    match recovered.action {
        RecoveryAction::Finished => "finished",
        RecoveryAction::Undone => "undone",
    }
}

fn recovery_json(recovered: &Recovered) -> Value {
    json!({"set": recovered.set, "action": recovery_word(recovered), "files": texts(&recovered.files)})
}

/// One sentence for people: `3 sets: 1 written, 2 kept`.
fn message(outcomes: &[SetOutcome]) -> String {
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for outcome in outcomes {
        *counts.entry(outcome.action()).or_default() += 1;
    }
    let done = |action: &str| match action {
        "fix_attributes" => "repaired",
        "keep" => "kept",
        "remove" => "removed",
        "retire" => "retired",
        _ => "written",
    };
    let parts: Vec<String> = counts
        .iter()
        .map(|(action, count)| format!("{count} {}", done(action)))
        .collect();
    match outcomes.len() {
        0 => String::from("no sets are named"),
        1 => format!("1 set: {}", parts.join(", ")),
        several => format!("{several} sets: {}", parts.join(", ")),
    }
}
