// SPDX-License-Identifier: Apache-2.0
//! What is answered: certificates and chains, which are public, and records; never a key.

use std::collections::BTreeMap;
use std::path::PathBuf;

use acme::Account;
use ansible_module::{Diff, FailedItem, Outcome};
use pki::{Certificate, Timestamp};
use serde_json::{Map, Value, json};

use crate::account::{Change, Opened};
use crate::decide::Reason;
use crate::failure::TaskError;
use crate::observe::content;
use crate::request::{Content, Phase};
use crate::steps::Taken;

/// What happened to one certificate.
#[derive(Debug)]
pub struct CertificateOutcome {
    /// Its name.
    pub name: String,
    /// `valid`, `due` (in check mode), `pending`, `issued`, `repaired`, `revoked`, `released` or `failed`.
    pub status: &'static str,
    /// What becomes of it where it is due.
    pub foreseen: &'static str,
    /// Whether anything was changed, here or at the server.
    pub changed: bool,
    /// Why it was ordered.
    pub reasons: Vec<Reason>,
    /// The certificate that is in service now, with what vouches for it.
    pub chain: Vec<Certificate>,
    /// The one before, where it is another.
    pub previous: Option<Certificate>,
    /// When it is due.
    pub renew_at: Option<Timestamp>,
    /// Files that were written.
    pub files: Vec<PathBuf>,
    /// Why an earlier order was not gone on with.
    pub restarted: Vec<String>,
    /// What the operator should look at.
    pub warnings: Vec<String>,
    /// Names whose authorizations were given up.
    pub released: Vec<String>,
    /// Names that the server does not accept, with its words.
    pub failed_identifiers: Vec<Value>,
    /// The type of the server's problem (RFC 8555 §6.7).
    pub problem: Option<String>,
    /// Before which the server is not to be asked.
    pub retry_at: Option<Timestamp>,
    /// Why it failed.
    pub failed: Option<FailedItem>,
}

impl CertificateOutcome {
    /// Nothing yet.
    pub fn new(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            status: "valid",
            foreseen: "ordered",
            changed: false,
            reasons: Vec::new(),
            chain: Vec::new(),
            previous: None,
            renew_at: None,
            files: Vec::new(),
            restarted: Vec::new(),
            warnings: Vec::new(),
            released: Vec::new(),
            failed_identifiers: Vec::new(),
            problem: None,
            retry_at: None,
            failed: None,
        }
    }

    fn to_json(&self) -> Value {
        let leaf = self.chain.first();
        let facts = leaf.map(Certificate::facts);
        let text = |of: Content| {
            let text = content(of, &self.chain);
            (!text.is_empty()).then_some(text)
        };
        let files: Vec<_> = self
            .files
            .iter()
            .map(|path| path.display().to_string())
            .collect();
        json!({
            "status": self.status,
            "changed": self.changed,
            "reasons": self.reasons.iter().map(Reason::to_json).collect::<Vec<_>>(),
            "serial": facts.map(|facts| facts.serial.to_string()),
            "fingerprint_sha256": leaf.map(Certificate::fingerprint_sha256_text),
            "previous_fingerprint_sha256": self.previous.as_ref().map(Certificate::fingerprint_sha256_text),
            "issuer": facts.map(|facts| facts.issuer.to_string()),
            "not_before": facts.map(|facts| facts.not_before.to_string()),
            "not_after": facts.map(|facts| facts.not_after.to_string()),
            "renew_at": self.renew_at.map(|at| at.to_string()),
            "certificate": text(Content::Certificate),
            "chain": text(Content::Chain),
            "fullchain": text(Content::Fullchain),
            "changed_files": files,
            "restarted": (!self.restarted.is_empty()).then_some(&self.restarted),
            "released": (!self.released.is_empty()).then_some(&self.released),
            "failed_identifiers": (!self.failed_identifiers.is_empty()).then_some(&self.failed_identifiers),
            "problem": self.problem,
            "retry_at": self.retry_at.map(|at| at.to_string()),
            "warnings": self.warnings,
            "error": self.failed.as_ref().map_or(Value::Null, FailedItem::to_json),
        })
    }

    fn diff(&self) -> Diff {
        let side = |certificate: Option<&Certificate>| {
            certificate.map_or_else(
                || json!({"state": "absent"}),
                |certificate| {
                    let facts = certificate.facts();
                    json!({
                        "serial": facts.serial.to_string(),
                        "issuer": facts.issuer.to_string(),
                        "not_after": facts.not_after.to_string(),
                    })
                },
            )
        };
        let after = match self.status {
            "revoked" => json!({"state": "revoked"}),
            "released" => json!({"released": self.released}),
            "due" | "pending" => {
                json!({"state": self.foreseen, "reasons": self.reasons.iter().map(Reason::to_json).collect::<Vec<_>>()})
            }
            _ => side(self.chain.first()),
        };
        let before = match self.status {
            "issued" => self.previous.as_ref(),
            _ => self.chain.first(),
        };
        Diff {
            before_header: self.name.clone(),
            after_header: self.name.clone(),
            before: side(before),
            after,
        }
    }
}

/// What the whole task found besides.
#[derive(Debug, Default)]
pub struct Surroundings {
    /// The records that are to be published, as they are answered.
    pub records: Vec<Value>,
    /// What waiting and publishing took.
    pub taken: Taken,
    /// How many requests the server got.
    pub requests: usize,
    /// The account.
    pub account: Option<String>,
    /// What was changed of it.
    pub account_changes: Vec<Change>,
    /// Whether something was changed besides the certificates.
    pub changed: bool,
}

impl Surroundings {
    /// Notes the account that was opened.
    pub fn opened(&mut self, opened: Opened) -> Account {
        self.changed |= !opened.changes.is_empty();
        self.account = Some(opened.account.url().to_owned());
        self.account_changes = opened.changes;
        opened.account
    }
}

/// The answer of a task with certificates.
///
/// # Errors
/// [`TaskError::Certificates`] when one failed; it carries the same facts.
pub fn answer(
    phase: Phase,
    outcomes: &[CertificateOutcome],
    around: Surroundings,
) -> Result<Outcome, TaskError> {
    let failed: Vec<FailedItem> = outcomes
        .iter()
        .filter_map(|one| one.failed.clone())
        .collect();
    let changed = around.changed || outcomes.iter().any(|one| one.changed);
    let warnings = warnings(outcomes, &around.taken);
    let facts = facts(phase, outcomes, around, &failed);
    if !failed.is_empty() {
        return Err(TaskError::Certificates {
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
            .filter(|one| one.changed)
            .map(CertificateOutcome::diff)
            .collect(),
        warnings,
        deprecations: Vec::new(),
    })
}

/// The facts that tasks with records answer, too.
pub fn record_facts(phase: Phase, around: Surroundings) -> Map<String, Value> {
    facts(phase, &[], around, &[])
}

fn facts(
    phase: Phase,
    outcomes: &[CertificateOutcome],
    around: Surroundings,
    failed: &[FailedItem],
) -> Map<String, Value> {
    let by_name = outcomes.iter().map(|one| (one.name.clone(), one.to_json()));
    let named = |status: &str| -> Vec<&str> {
        let each = outcomes.iter().filter(|one| one.status == status);
        each.map(|one| one.name.as_str()).collect()
    };
    let is_new = |one: &&CertificateOutcome| matches!(one.status, "issued" | "repaired");
    let updated: Vec<&str> = outcomes
        .iter()
        .filter(is_new)
        .map(|one| one.name.as_str())
        .collect();
    let failures = failed
        .iter()
        .map(|item| (item.name.clone(), item.to_json()));
    let waited = around.taken.waited;
    let changes = around.account_changes.iter().map(|change| change.word());
    let changes: Vec<_> = changes.collect();
    Map::from_iter([
        (String::from("phase"), json!(phase.word())),
        (
            String::from("certificates"),
            Value::Object(by_name.collect()),
        ),
        (String::from("updated"), json!(updated)),
        (String::from("pending"), json!(named("pending"))),
        (String::from("failures"), Value::Object(failures.collect())),
        (String::from("txt_records"), json!(around.records)),
        (String::from("account_uri"), json!(around.account)),
        (String::from("account_changes"), json!(changes)),
        (String::from("requests"), json!(around.requests)),
        (String::from("updates"), json!(around.taken.published)),
        (
            String::from("timings"),
            json!({
                "visible_ms": u64::try_from(waited.visible.as_millis()).unwrap_or(u64::MAX),
                "held_ms": u64::try_from(waited.held.as_millis()).unwrap_or(u64::MAX),
            }),
        ),
    ])
}

fn warnings(outcomes: &[CertificateOutcome], taken: &Taken) -> Vec<String> {
    let of_certificates = outcomes.iter().flat_map(|one| {
        let told = one.warnings.iter();
        told.map(|warning| format!("'{}': {warning}", one.name))
    });
    of_certificates
        .chain(taken.warnings.iter().cloned())
        .collect()
}

/// One sentence for people: `3 certificates: 1 issued, 2 valid`.
fn message(outcomes: &[CertificateOutcome]) -> String {
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for one in outcomes {
        *counts.entry(one.status).or_default() += 1;
    }
    let parts: Vec<String> = counts
        .iter()
        .map(|(status, count)| format!("{count} {status}"))
        .collect();
    match outcomes.len() {
        0 => String::from("no certificates"),
        1 => format!("1 certificate: {}", parts.join(", ")),
        several => format!("{several} certificates: {}", parts.join(", ")),
    }
}
