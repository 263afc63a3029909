// SPDX-License-Identifier: Apache-2.0
//! The answer: what each authority, certificate and list is (in check mode: would be). Keys are never in it.

mod entries;

use std::collections::{BTreeMap, BTreeSet};

use ansible_module::{Diff, Outcome};
use pki::{Certificate, Timestamp};
use serde_json::{Map, Value, json};

use crate::apply::{Applied, Living};
use crate::failure::{Failed, Failure};
use crate::names::AuthorityName;
use crate::observe::{ObservedAuthority, ObservedTree};
use crate::plan::{Act, AuthorityPlan, Plan, Reason};
use crate::request::Request;

/// All that an answer is made of.
pub struct Report<'a> {
    /// What was asked.
    pub request: &'a Request,
    /// What was there.
    pub observed: &'a ObservedTree,
    /// What was decided.
    pub plan: Plan,
    /// What was done; none in check mode.
    pub applied: Option<Applied>,
    /// The clock.
    pub now: Timestamp,
}

/// The answer, or the failure that carries what was done all the same.
pub fn answer(mut report: Report<'_>) -> Result<Outcome, Failure> {
    let failed = report.take_failed();
    let failing: BTreeSet<&str> = failed.iter().map(|failed| failed.item.as_str()).collect();
    let (facts, diff) = report.facts(&failing);
    let changed = match &report.applied {
        Some(applied) => applied.changed,
        None => report.plan.changes(),
    };
    if !failed.is_empty() {
        return Err(Failure::Several {
            failed,
            facts: Box::new(facts),
            changed,
            warnings: report.warnings(),
        });
    }
    Ok(Outcome {
        changed,
        msg: Some(report.summary(changed)),
        facts,
        diff,
        warnings: report.warnings(),
        deprecations: Vec::new(),
    })
}

impl Report<'_> {
    /// Failures of deciding and of applying, in the order of the options.
    fn take_failed(&mut self) -> Vec<Failed> {
        let mut failed = std::mem::take(&mut self.plan.failed);
        for (option, results) in [
            ("revoke", take_failures(&mut self.plan.revocations)),
            ("sign", take_failures(&mut self.plan.signatures)),
        ] {
            failed.extend(results.into_iter().map(|(index, failure)| Failed {
                item: format!("{option}[{index}]"),
                failure,
            }));
        }
        if let Some(applied) = &mut self.applied {
            failed.append(&mut applied.failed);
        }
        failed
    }

    fn facts(&self, failing: &BTreeSet<&str>) -> (Map<String, Value>, Vec<Diff>) {
        let mut authorities = Map::new();
        let mut diffs = Vec::new();
        for plan in self
            .plan
            .authorities
            .iter()
            .filter(|plan| plan.listed || plan.changes())
        {
            if failing.contains(format!("authorities[{}]", plan.name).as_str()) {
                continue;
            }
            let facts = self.authority(plan);
            if plan.changes() {
                diffs.push(self.diff(plan, &facts));
            }
            authorities.insert(plan.name.to_string(), facts);
        }
        let facts = [
            ("authorities", Value::Object(authorities)),
            ("signed", self.signed()),
            ("revoked", self.revoked()),
            ("crls", self.lists()),
            ("failures", json!([])),
        ];
        (
            facts
                .into_iter()
                .map(|(key, value)| (key.to_owned(), value))
                .collect(),
            diffs,
        )
    }

    fn authority(&self, plan: &AuthorityPlan) -> Value {
        let name = &plan.name;
        let mut facts = match (&self.applied, self.observed.authorities.get(name)) {
            (Some(applied), _) => applied
                .authorities
                .get(name)
                .map(living_facts)
                .unwrap_or_default(),
            (None, found) => self.predicted(plan, found),
        };
        facts.insert("changed".to_owned(), plan.changes().into());
        facts.insert("action".to_owned(), plan.action().into());
        facts.insert("reasons".to_owned(), reasons(&plan.reasons));
        if !matches!(plan.act, Act::Remove) {
            facts.insert("paths".to_owned(), self.paths(name));
        }
        if let Some(at) = self.renew_at(name, &facts) {
            facts.insert("renew_at".to_owned(), at.into());
        }
        facts.insert("state".to_owned(), self.state(plan, &facts).into());
        let own: Vec<_> = self
            .plan
            .warnings
            .iter()
            .filter(|text| text.contains(&format!("'{name}'")))
            .collect();
        facts.insert("warnings".to_owned(), json!(own));
        Value::Object(facts)
    }

    /// Its service, or how far it is on the way there.
    fn state(&self, plan: &AuthorityPlan, facts: &Map<String, Value>) -> &'static str {
        match self.plan.standings.get(&plan.name) {
            Some(standing) => standing.service.word(),
            None if matches!(plan.act, Act::Request(_)) || facts.contains_key("csr") => "csr",
            None => "absent",
        }
    }

    /// In check mode: the certificate that stays, or the dates and subject of the one to be made.
    fn predicted(
        &self,
        plan: &AuthorityPlan,
        found: Option<&ObservedAuthority>,
    ) -> Map<String, Value> {
        let Some(standing) = self.plan.standings.get(&plan.name) else {
            let csr = found
                .and_then(|found| found.pending_request.as_ref())
                .map(|csr| csr.to_pem());
            return Map::from_iter(csr.map(|csr| ("csr".to_owned(), csr.into())));
        };
        let Some(certificate) = &standing.certificate else {
            return object(json!({
                "subject": standing.subject.to_string(),
                "not_before": standing.not_before.to_string(),
                "not_after": standing.not_after.to_string(),
            }));
        };
        let mut facts = certificate_facts(certificate, &standing.above);
        if let Some(found) = found
            && let Some(csr) = found
                .pending_request
                .as_ref()
                .or(found.current_request.as_ref())
        {
            facts.insert("csr".to_owned(), csr.to_pem().into());
        }
        facts
    }

    fn paths(&self, name: &AuthorityName) -> Value {
        let places = self.request.tree.authority(name);
        let generation =
            self.observed
                .authorities
                .get(name)
                .map_or(crate::tree::FIRST_GENERATION, |found| {
                    found
                        .next_generation
                        .saturating_sub(u64::from(found.pending_request.is_none()))
                });
        let request = match self
            .applied
            .as_ref()
            .and_then(|applied| applied.authorities.get(name))
        {
            Some(living) => living.request_generation(),
            None => generation.max(crate::tree::FIRST_GENERATION),
        };
        json!({
            "certificate": places.certificate(),
            "chain": places.chain(),
            "private_key": places.key(),
            "csr": places.request(request),
            "crl": places.crl(),
        })
    }

    fn renew_at(&self, name: &AuthorityName, facts: &Map<String, Value>) -> Option<String> {
        let wish = self.request.authority(name)?;
        let instant = |key: &str| facts.get(key)?.as_str()?.parse::<Timestamp>().ok();
        Some(
            wish.warn_before
                .renew_at(instant("not_before")?, instant("not_after")?)
                .to_string(),
        )
    }

    fn diff(&self, plan: &AuthorityPlan, after: &Value) -> Diff {
        let header = self
            .request
            .tree
            .authority(&plan.name)
            .certificate()
            .display()
            .to_string();
        let before = self.observed.authorities.get(&plan.name).and_then(|found| {
            let certificate = found.certificate.as_ref()?;
            let mut facts = certificate_facts(certificate, &[]);
            facts.insert("state".to_owned(), found.index.service.word().into());
            Some(comparable(&facts))
        });
        let after = match plan.act {
            Act::Remove => Value::Null,
            _ => after.as_object().map(comparable).unwrap_or_default(),
        };
        Diff {
            before_header: header.clone(),
            after_header: header,
            before: before.unwrap_or_default(),
            after,
        }
    }

    /// What was done, by kind: `2 authorities created; 100 certificates signed`.
    fn summary(&self, changed: bool) -> String {
        if !changed {
            return "everything is as wished".to_owned();
        }
        let mut actions: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
        for plan in self.plan.authorities.iter().filter(|plan| plan.changes()) {
            actions
                .entry(plan.action())
                .or_default()
                .push(plan.name.as_str());
        }
        let mut parts: Vec<String> = actions
            .iter()
            .map(|(action, names)| format!("{action} {}", names.join(", ")))
            .collect();
        let counted = [
            (
                "signed",
                self.plan
                    .signatures
                    .iter()
                    .flatten()
                    .filter(|plan| plan.changes())
                    .count(),
            ),
            (
                "revoked",
                self.plan
                    .revocations
                    .iter()
                    .flatten()
                    .filter(|plan| !plan.already)
                    .count(),
            ),
            (
                "revocation lists made",
                self.plan
                    .lists
                    .iter()
                    .filter(|plan| !plan.reasons.is_empty())
                    .count(),
            ),
        ];
        parts.extend(
            counted
                .iter()
                .filter(|(_, count)| *count > 0)
                .map(|(what, count)| format!("{what}: {count}")),
        );
        if parts.is_empty() {
            return "finished what an earlier run had begun".to_owned();
        }
        parts.join("; ")
    }

    fn warnings(&self) -> Vec<String> {
        let mut warnings = self.plan.warnings.clone();
        for (index, decided) in self.plan.signatures.iter().enumerate() {
            if let Ok(decided) = decided {
                warnings.extend(
                    decided
                        .warnings
                        .iter()
                        .map(|warning| format!("sign[{index}]: {warning}")),
                );
            }
        }
        for (index, decided) in self.plan.revocations.iter().enumerate() {
            let own = decided.iter().flat_map(|decided| &decided.warnings);
            warnings.extend(own.map(|warning| format!("revoke[{index}]: {warning}")));
        }
        warnings
    }
}

pub(crate) fn take_failures<T>(results: &mut [Result<T, Failure>]) -> Vec<(usize, Failure)> {
    let mut failures = Vec::new();
    for (index, result) in results.iter_mut().enumerate() {
        if result.is_err() {
            // The place stays an error, so that the entry keeps its index in the answer.
            let taken = std::mem::replace(result, Err(Failure::NoActiveAuthority));
            failures.extend(taken.err().map(|failure| (index, failure)));
        }
    }
    failures
}

fn living_facts(living: &Living) -> Map<String, Value> {
    let mut facts = match &living.certificate {
        Some(certificate) => certificate_facts(certificate, &living.above),
        None => Map::new(),
    };
    if let Some(request) = &living.request {
        facts.insert("csr".to_owned(), request.to_pem().into());
    }
    facts
}

pub(crate) fn certificate_facts(
    certificate: &Certificate,
    above: &[Certificate],
) -> Map<String, Value> {
    let facts = certificate.facts();
    let root = above.last().unwrap_or(certificate);
    let chain: String = std::iter::once(certificate)
        .chain(above)
        .map(Certificate::to_pem)
        .collect();
    object(json!({
        "certificate": certificate.to_pem(),
        "chain": chain,
        "root": root.is_self_issued().then(|| root.to_pem()),
        "subject": facts.subject.to_string(),
        "serial": facts.serial.to_string(),
        "not_before": facts.not_before.to_string(),
        "not_after": facts.not_after.to_string(),
        "fingerprint_sha256": certificate.fingerprint_sha256_text(),
    }))
}

/// What a person compares in a diff.
pub(crate) fn comparable(facts: &Map<String, Value>) -> Value {
    let keys = [
        "subject",
        "serial",
        "not_before",
        "not_after",
        "fingerprint_sha256",
        "state",
    ];
    let kept = keys
        .iter()
        .filter_map(|key| Some(((*key).to_owned(), facts.get(*key)?.clone())));
    Value::Object(kept.collect())
}

pub(crate) fn reasons(reasons: &[Reason]) -> Value {
    reasons
        .iter()
        .map(|reason| json!({"kind": reason.kind, "detail": reason.detail}))
        .collect()
}

pub(crate) fn object(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(map) => map,
        _ => Map::new(),
    }
}

impl Living {
    /// The generation whose request is reported: the one that is away, else the one in service.
    fn request_generation(&self) -> u64 {
        let away = match (&self.request, &self.certificate) {
            (Some(request), Some(certificate)) => request.public_key() != *certificate.public_key(),
            _ => false,
        };
        self.generation
            .filter(|_| !away)
            .unwrap_or(self.next_generation)
    }
}
