// SPDX-License-Identifier: Apache-2.0
//! The answer of backend `vault`, in the words of that of files. What is on the server has no paths.

use std::collections::BTreeMap;

use ansible_module::{Diff, Outcome};
use pki::{Certificate, Timestamp};
use serde_json::{Map, Value, json};

use super::apply::Applied;
use super::decide::state_of;
use super::observe::{Observed, ObservedIssuer, ObservedMount};
use super::plan::{AuthorityPlan, ListPlan, Plan};
use super::request::Request;
use crate::failure::{Failed, Failure};
use crate::names::AuthorityName;
use crate::outcome::{comparable, object, reasons, take_failures};

/// All that an answer is made of.
pub(crate) struct Report<'a> {
    /// What was asked.
    pub request: &'a Request,
    /// What was there.
    pub observed: &'a Observed,
    /// What was decided.
    pub plan: Plan,
    /// What was done; none in check mode.
    pub applied: Option<Applied>,
    /// Facts of the mount's configuration.
    pub config: Map<String, Value>,
    /// Differences of the mount's configuration.
    pub config_diff: Vec<Diff>,
    /// What was done to the configuration, or would be.
    pub config_summary: Vec<String>,
    /// What of the configuration could not be done.
    pub config_failed: Vec<Failed>,
    /// Whether the configuration changed, or would.
    pub config_changed: bool,
    /// What the operator should look at besides.
    pub warnings: Vec<String>,
}

/// The answer, or the failure that carries what was done all the same.
pub(crate) fn answer(mut report: Report<'_>) -> Result<Outcome, Failure> {
    let failed = report.take_failed();
    let (facts, mut diff) = report.facts(&failed);
    diff.splice(0..0, std::mem::take(&mut report.config_diff));
    let changed = report.config_changed
        || match &report.applied {
            Some(applied) => applied.changed,
            None => report.plan.changes(),
        };
    let warnings = report.all_warnings();
    if !failed.is_empty() {
        return Err(Failure::Several {
            failed,
            facts: Box::new(facts),
            changed,
            warnings,
        });
    }
    Ok(Outcome {
        changed,
        msg: Some(report.summary(changed)),
        facts,
        diff,
        warnings,
        deprecations: Vec::new(),
    })
}

impl<'a> Report<'a> {
    /// What check mode answers.
    pub(crate) fn new(request: &'a Request, observed: &'a Observed, plan: Plan) -> Self {
        Self {
            request,
            observed,
            plan,
            applied: None,
            config: Map::new(),
            config_diff: Vec::new(),
            config_summary: Vec::new(),
            config_failed: Vec::new(),
            config_changed: false,
            warnings: request.connection.warnings(),
        }
    }

    fn take_failed(&mut self) -> Vec<Failed> {
        let mut failed = std::mem::take(&mut self.config_failed);
        failed.append(&mut self.plan.failed);
        let revocations = take_failures(&mut self.plan.revocations);
        failed.extend(revocations.into_iter().map(|(index, failure)| Failed {
            item: format!("revoke[{index}]"),
            failure,
        }));
        if let Some(applied) = &mut self.applied {
            failed.append(&mut applied.failed);
        }
        failed
    }

    fn all_warnings(&self) -> Vec<String> {
        let mut warnings = self.observed.server.warnings();
        warnings.extend(self.warnings.iter().cloned());
        warnings.extend(self.plan.warnings.iter().cloned());
        if let Some(applied) = &self.applied {
            warnings.extend(applied.warnings.iter().cloned());
        }
        for (index, decided) in self.plan.revocations.iter().enumerate() {
            let own = decided.iter().flat_map(|decided| &decided.warnings);
            warnings.extend(own.map(|warning| format!("revoke[{index}]: {warning}")));
        }
        warnings
    }

    fn facts(&self, failed: &[Failed]) -> (Map<String, Value>, Vec<Diff>) {
        let mut authorities = Map::new();
        let mut diffs = Vec::new();
        for plan in &self.plan.authorities {
            let item = format!("authorities[{}]", plan.name);
            if failed.iter().any(|failed| failed.item == item) {
                continue;
            }
            let facts = self.authority(plan);
            if plan.changes() {
                diffs.push(self.diff(plan, &facts));
            }
            authorities.insert(plan.name.to_string(), Value::Object(facts));
        }
        let mut facts = object(json!({
            "authorities": authorities,
            "signed": [],
            "revoked": self.revoked(),
            "crls": self.lists(),
            "failures": [],
            "server": self.observed.server.facts(),
        }));
        // A mount that could not be looked at has no list of issuers: an empty one would say that there are none.
        let seen = self.observed.mounts.get(&self.request.mount);
        if let Some(seen) = seen.filter(|_| self.request.inspect) {
            facts.insert("issuers".to_owned(), self.issuers(seen));
        }
        facts.extend(self.config.clone());
        (facts, diffs)
    }

    fn authority(&self, plan: &AuthorityPlan) -> Map<String, Value> {
        let before = self.before(&plan.name);
        let now = match &self.applied {
            Some(applied) => applied.issuers.get(&plan.name),
            None => before,
        };
        let removed = plan.state == "absent";
        let mut facts = match (now.filter(|_| !removed), &plan.predicted) {
            (Some(issuer), _) => issuer_facts(issuer),
            (None, Some(predicted)) if self.applied.is_none() => object(json!({
                "subject": predicted.subject.to_string(),
                "not_after": predicted.not_after.to_string(),
            })),
            _ => Map::new(),
        };
        let state = match (&self.applied, now) {
            (Some(_), Some(issuer)) if !removed => state_of(issuer),
            _ => plan.state,
        };
        let default_before = self.mount_default();
        facts.extend(object(json!({
            "changed": plan.changes(),
            "action": plan.action,
            "reasons": reasons(&plan.reasons),
            "state": state,
            "default_before": default_before,
            "server_version": self.observed.server.version,
            "warnings": self.own_warnings(&plan.name),
        })));
        if let Some(csr) = self.csr(&plan.name) {
            facts.insert("csr".to_owned(), csr.into());
        }
        if let Some(at) = self.renew_at(&plan.name, &facts) {
            facts.insert("renew_at".to_owned(), at.into());
        }
        facts
    }

    /// The request that is out: that of the file, else the one that the server has just made.
    fn csr(&self, name: &AuthorityName) -> Option<String> {
        let plan = self
            .plan
            .authorities
            .iter()
            .find(|plan| plan.name == *name)?;
        let written = self.observed.requests.get(name);
        if !plan.shows_request {
            return None;
        }
        let made = self
            .applied
            .as_ref()
            .and_then(|applied| applied.requests.get(name));
        let kept = written.filter(|_| !plan.writes_request);
        kept.or(made).map(pki::CertificateRequest::to_pem)
    }

    fn renew_at(&self, name: &AuthorityName, facts: &Map<String, Value>) -> Option<String> {
        let wish = self.request.authority(name)?;
        let instant = |key: &str| facts.get(key)?.as_str()?.parse::<Timestamp>().ok();
        let at = wish
            .base
            .warn_before
            .renew_at(instant("not_before")?, instant("not_after")?);
        Some(at.to_string())
    }

    fn before(&self, name: &AuthorityName) -> Option<&ObservedIssuer> {
        let mount = self.observed.mounts.get(&self.request.mount)?;
        mount.named(name.as_str())
    }

    fn mount_default(&self) -> Option<&str> {
        let mount = self.observed.mounts.get(&self.request.mount)?;
        mount.default_issuer().map(ObservedIssuer::label)
    }

    fn own_warnings(&self, name: &AuthorityName) -> Vec<String> {
        let quoted = format!("'{name}'");
        let mut warnings = self.plan.warnings.clone();
        if let Some(applied) = &self.applied {
            warnings.extend(applied.warnings.iter().cloned());
        }
        warnings.retain(|text| text.contains(&quoted));
        warnings
    }

    fn diff(&self, plan: &AuthorityPlan, after: &Map<String, Value>) -> Diff {
        let header = format!("{}/issuer/{}", self.request.mount, plan.name);
        let before = self.before(&plan.name).map(|issuer| {
            let mut facts = issuer_facts(issuer);
            facts.insert("state".to_owned(), state_of(issuer).into());
            comparable(&facts)
        });
        Diff {
            before_header: header.clone(),
            after_header: header,
            before: before.unwrap_or_default(),
            after: comparable(after),
        }
    }

    fn revoked(&self) -> Value {
        let each = self.plan.revocations.iter().enumerate();
        each.filter_map(|(index, decided)| {
            let decided = decided.as_ref().ok()?;
            let done = self
                .applied
                .as_ref()
                .map(|applied| applied.revoked.get(index));
            let at = match done {
                Some(done) => done.copied().flatten(),
                None => decided.since,
            };
            Some(json!({
                "authority": decided.authority.as_str(),
                "serial": decided.serial.replace(':', "").to_uppercase(),
                "at": at.map(|at| at.to_string()),
                "reason": "unspecified",
                "changed": decided.since.is_none(),
            }))
        })
        .collect()
    }

    fn lists(&self) -> Value {
        let facts = |list: &ListPlan| {
            let facts = json!({
                "number": list.number,
                "next_update": list.next_update.map(|at| at.to_string()),
                "changed": !list.reasons.is_empty(),
                "reasons": reasons(&list.reasons),
            });
            (list.authority.to_string(), facts)
        };
        Value::Object(self.plan.lists.iter().map(facts).collect())
    }

    /// All issuers of the mount, named or not.
    fn issuers(&self, before: &ObservedMount) -> Value {
        let after = self
            .applied
            .as_ref()
            .and_then(|applied| applied.mount.as_ref());
        let facts = |issuer: &ObservedIssuer| {
            let mut facts = issuer_facts(issuer);
            facts.insert("name".to_owned(), issuer.name.as_str().into());
            facts.insert("state".to_owned(), state_of(issuer).into());
            Value::Object(facts)
        };
        let mount = after.unwrap_or(before);
        mount.issuers.iter().map(facts).collect()
    }

    fn summary(&self, changed: bool) -> String {
        if !changed {
            return "everything is as wished".to_owned();
        }
        let mut actions: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
        for plan in self.plan.authorities.iter().filter(|plan| plan.changes()) {
            let named = actions.entry(plan.action).or_default();
            named.push(plan.name.as_str());
        }
        let mut parts: Vec<String> = actions
            .iter()
            .map(|(action, names)| format!("{action} {}", names.join(", ")))
            .collect();
        let revoked = self.plan.revocations.iter().flatten();
        let revoked = revoked.filter(|decided| decided.since.is_none()).count();
        let lists = self.plan.lists.iter();
        let lists = lists.filter(|list| !list.reasons.is_empty()).count();
        for (what, count) in [("revoked", revoked), ("revocation lists made", lists)] {
            if count > 0 {
                parts.push(format!("{what}: {count}"));
            }
        }
        parts.extend(self.config_summary.iter().cloned());
        if parts.is_empty() {
            return "finished what an earlier run had begun".to_owned();
        }
        parts.join("; ")
    }
}

/// What is known of an issuer; its key is not.
fn issuer_facts(issuer: &ObservedIssuer) -> Map<String, Value> {
    let mut facts = crate::outcome::certificate_facts(&issuer.certificate, &issuer.above);
    let root = facts.get("root").cloned().unwrap_or_default();
    let usage = issuer.usage.join(",");
    facts.extend(object(json!({
        "issuer_id": issuer.id,
        "key_id": issuer.key_id,
        "root_ca": root,
        "is_default": issuer.is_default,
        "is_root": is_root(&issuer.certificate),
        "usage": usage,
        "leaf_not_after_behavior": issuer.leaf_not_after,
        "chain_issuers": issuer.manual_chain,
    })));
    facts
}

fn is_root(certificate: &Certificate) -> bool {
    certificate.is_self_issued() && certificate.signed_by(certificate)
}
