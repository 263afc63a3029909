// SPDX-License-Identifier: Apache-2.0
//! What is answered: facts about certificates, never key material.

use std::collections::BTreeMap;
use std::path::PathBuf;

use ansible_module::{Diff, FailedItem, Outcome};
use pki::{Certificate, Timestamp};
use serde_json::{Map, Value, json};
use tls_files::{Recovered, RecoveryAction};

use crate::decide::Reason;
use crate::failure::TaskError;
use crate::request::{Entry, FileSpec};

/// What happened to one entry.
pub struct EntryOutcome<'a> {
    /// What was wished.
    pub entry: &'a Entry,
    /// The word of the action.
    pub action: &'static str,
    /// Whether the machine changed, or would.
    pub changed: bool,
    /// Whether key or certificate in service changed, or would.
    pub is_renewed: bool,
    /// Whether it waits for an issuer outside.
    pub is_pending: bool,
    /// Why.
    pub reasons: Vec<Reason>,
    /// In service before.
    pub before: Option<Certificate>,
    /// In service now; `None` also for one that would be issued.
    pub after: Option<Certificate>,
    /// When the one in service is due.
    pub renew_at: Option<Timestamp>,
    /// Files that changed.
    pub changed_files: Vec<PathBuf>,
    /// Copies of replaced files.
    pub backups: Vec<PathBuf>,
    /// The request for an issuer outside.
    pub csr: Option<String>,
    /// Before which the issuer is not asked again.
    pub retry_at: Option<Timestamp>,
    /// The names that the issuer does not accept, and why.
    pub failed_identifiers: Vec<Value>,
    /// What the operator should look at.
    pub warnings: Vec<String>,
    /// Why it failed.
    pub failed: Option<FailedItem>,
}

fn path(file: &FileSpec) -> Value {
    json!({"content": file.content.word(), "path": file.target.path.display().to_string()})
}

fn first_path(entry: &Entry, of: impl Fn(&FileSpec) -> bool) -> Option<String> {
    entry
        .files
        .iter()
        .find(|file| of(file))
        .map(|file| file.target.path.display().to_string())
}

fn paths(paths: &[PathBuf]) -> Vec<String> {
    paths
        .iter()
        .map(|path| path.display().to_string())
        .collect()
}

impl EntryOutcome<'_> {
    /// An entry of which nothing is known yet.
    pub fn new(entry: &Entry) -> EntryOutcome<'_> {
        EntryOutcome {
            entry,
            action: "keep",
            changed: false,
            is_renewed: false,
            is_pending: false,
            reasons: Vec::new(),
            before: None,
            after: None,
            renew_at: None,
            changed_files: Vec::new(),
            backups: Vec::new(),
            csr: None,
            retry_at: None,
            failed_identifiers: Vec::new(),
            warnings: Vec::new(),
            failed: None,
        }
    }

    fn previous_fingerprint(&self) -> Option<String> {
        let before = self
            .before
            .as_ref()
            .filter(|before| Some(*before) != self.after.as_ref())?;
        self.is_renewed.then(|| before.fingerprint_sha256_text())
    }

    /// As in the result `certificates`.
    pub fn to_json(&self) -> Value {
        let facts = self.after.as_ref().map(Certificate::facts);
        let text = |value: Option<String>| value.map_or(Value::Null, Value::String);
        json!({
            "changed": self.changed,
            "action": self.action,
            "reasons": self.reasons.iter().map(Reason::to_json).collect::<Vec<_>>(),
            "serial": text(facts.map(|facts| facts.serial.to_string())),
            "fingerprint_sha256": text(self.after.as_ref().map(Certificate::fingerprint_sha256_text)),
            "previous_fingerprint_sha256": text(self.previous_fingerprint()),
            "not_before": text(facts.map(|facts| facts.not_before.to_string())),
            "not_after": text(facts.map(|facts| facts.not_after.to_string())),
            "renew_at": text(self.renew_at.map(|at| at.to_string())),
            "issuer": text(facts.map(|facts| facts.issuer.to_string())),
            "files": self.entry.files.iter().map(path).collect::<Vec<_>>(),
            "changed_files": paths(&self.changed_files),
            "backup_files": if self.backups.is_empty() { Value::Null } else { json!(paths(&self.backups)) },
            "containers": self.entry.containers,
            "csr": text(self.csr.clone()),
            "retry_at": text(self.retry_at.map(|at| at.to_string())),
            "failed_identifiers": self.failed_identifiers,
            "warnings": self.warnings,
            "error": self.failed.as_ref().map_or(Value::Null, FailedItem::to_json),
        })
    }

    /// One element of the result `restart`.
    pub fn restart(&self) -> Value {
        json!({
            "name": self.entry.name.as_str(),
            "certificate": first_path(self.entry, |file| file.content.holds_certificate()),
            "private_key": first_path(self.entry, |file| file.content.holds_key()),
            "replaces": self.previous_fingerprint().into_iter().collect::<Vec<_>>(),
            "containers": self.entry.containers,
        })
    }

    /// Facts before and after.
    pub fn diff(&self) -> Option<Diff> {
        if !self.changed {
            return None;
        }
        let name = self.entry.name.to_string();
        let before = self.before.as_ref().map_or(Value::Null, facts);
        let after = match (&self.after, self.is_renewed) {
            (Some(certificate), _) => facts(certificate),
            (None, true) => wished(self.entry),
            (None, false) => Value::Null,
        };
        let files = |value: Value, state: &str| match value {
            Value::Object(mut object) => {
                object.insert(String::from("state"), Value::from(state));
                Value::Object(object)
            }
            other => other,
        };
        let reasons: Vec<&str> = self
            .reasons
            .iter()
            .map(|reason| reason.detail.as_str())
            .collect();
        Some(Diff {
            before_header: name.clone(),
            after_header: name,
            before: files(before, &reasons.join("; ")),
            after: files(after, self.action),
        })
    }
}

fn facts(certificate: &Certificate) -> Value {
    let facts = certificate.facts();
    let key = certificate
        .public_key()
        .algorithm()
        .map(|algorithm| algorithm.to_string());
    json!({
        "serial": facts.serial.to_string(),
        "subject": facts.subject.to_string(),
        "names": facts.names.to_string(),
        "issuer": facts.issuer.to_string(),
        "not_before": facts.not_before.to_string(),
        "not_after": facts.not_after.to_string(),
        "key": key,
    })
}

/// What a certificate that does not exist yet will say.
fn wished(entry: &Entry) -> Value {
    json!({
        "subject": entry.template.subject.to_string(),
        "names": entry.template.names.to_string(),
        "key": entry.key.algorithm.to_string(),
        "ttl": entry.ttl.to_string(),
    })
}

/// The keys of the answer that all entries together give.
pub fn facts_of(outcomes: &[EntryOutcome<'_>]) -> Map<String, Value> {
    let names = |of: fn(&EntryOutcome<'_>) -> bool| -> Value {
        outcomes
            .iter()
            .filter(|outcome| of(outcome))
            .map(|outcome| Value::from(outcome.entry.name.as_str()))
            .collect()
    };
    let certificates: Map<String, Value> = outcomes
        .iter()
        .map(|outcome| (outcome.entry.name.to_string(), outcome.to_json()))
        .collect();
    let restart: Vec<Value> = outcomes
        .iter()
        .filter(|outcome| outcome.is_renewed || outcome.action == "rewrite")
        .map(EntryOutcome::restart)
        .collect();
    let failures: Map<String, Value> = outcomes
        .iter()
        .filter_map(|outcome| outcome.failed.as_ref())
        .map(|failed| (failed.name.clone(), failed.to_json()))
        .collect();
    Map::from_iter([
        (String::from("certificates"), Value::Object(certificates)),
        (String::from("renewed"), names(|outcome| outcome.is_renewed)),
        (String::from("pending"), names(|outcome| outcome.is_pending)),
        (String::from("restart"), Value::Array(restart)),
        (String::from("failures"), Value::Object(failures)),
    ])
}

/// The answer to an empty list.
pub fn nothing_to_do() -> Outcome {
    Outcome {
        msg: Some(String::from("no certificates are named")),
        facts: facts_of(&[]),
        warnings: vec![String::from("'certificates' is empty; nothing was done")],
        ..Outcome::default()
    }
}

/// The answer of the task; `warnings` are those of no single entry.
///
/// # Errors
/// [`TaskError::Entries`] when an entry failed; it carries the same facts.
pub fn answer(
    outcomes: &[EntryOutcome<'_>],
    recovered: &[Recovered],
    mut warnings: Vec<String>,
) -> Result<Outcome, TaskError> {
    let mut facts = facts_of(outcomes);
    for outcome in outcomes {
        warnings.extend(
            outcome
                .warnings
                .iter()
                .map(|warning| format!("'{}': {warning}", outcome.entry.name)),
        );
    }
    if !recovered.is_empty() {
        warnings.extend(recovered.iter().map(recovery_warning));
        facts.insert(
            String::from("recovered"),
            recovered.iter().map(recovery_json).collect(),
        );
    }
    let changed = !recovered.is_empty() || outcomes.iter().any(|outcome| outcome.changed);
    let failed: Vec<FailedItem> = outcomes
        .iter()
        .filter_map(|outcome| outcome.failed.clone())
        .collect();
    if !failed.is_empty() {
        return Err(TaskError::Entries {
            failed,
            total: outcomes.len(),
            facts: Box::new(facts),
            changed,
            warnings,
        });
    }
    let diff = outcomes.iter().filter_map(EntryOutcome::diff).collect();
    Ok(Outcome {
        changed,
        msg: Some(message(outcomes)),
        facts,
        diff,
        warnings,
        deprecations: Vec::new(),
    })
}

fn recovery_words(recovered: &Recovered) -> &'static str {
    match recovered.action {
        RecoveryAction::Finished => "finished",
        RecoveryAction::Undone => "undone",
    }
}

fn recovery_warning(recovered: &Recovered) -> String {
    format!(
        "an earlier run was killed while it replaced the files of '{}'; that was {}",
        recovered.set,
        recovery_words(recovered)
    )
}

fn recovery_json(recovered: &Recovered) -> Value {
    let files: Vec<String> = recovered
        .files
        .iter()
        .map(|path| path.display().to_string())
        .collect();
    json!({"set": recovered.set, "action": recovery_words(recovered), "files": files})
}

/// One sentence for people: `3 certificates: 1 issued, 2 kept`.
fn message(outcomes: &[EntryOutcome<'_>]) -> String {
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for outcome in outcomes {
        *counts.entry(outcome.action).or_default() += 1;
    }
    let done = |action: &str| match action {
        "fix_attributes" => "repaired",
        "issue" => "issued",
        "keep" => "kept",
        "remove" => "removed",
        "request" => "requested",
        "rewrite" => "rewritten",
        "track" => "tracked",
        _ => "waiting",
    };
    let parts: Vec<String> = counts
        .iter()
        .map(|(action, count)| format!("{count} {}", done(action)))
        .collect();
    let plural = if outcomes.len() == 1 { "" } else { "s" };
    format!(
        "{} certificate{plural}: {}",
        outcomes.len(),
        parts.join(", ")
    )
}
