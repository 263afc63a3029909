// SPDX-License-Identifier: Apache-2.0
//! The answer to `sign`, `revoke` and `crl`, entry by entry.

use pki::{Certificate, Timestamp};
use serde_json::{Map, Value, json};

use super::{Report, object, reasons};
use crate::apply::Signed;
use crate::names::AuthorityName;
use crate::plan::{SignAct, SignPlan};
use crate::request::SignWish;
use crate::sign::chain;

impl Report<'_> {
    pub(super) fn signed(&self) -> Value {
        let wishes = self.request.sign.iter();
        let each = wishes.zip(&self.plan.signatures).enumerate().map(|(index, (wish, decided))| {
            let Ok(decided) = decided else {
                return json!({"index": index, "name": wish.name.as_ref().map(ToString::to_string), "failed": true});
            };
            let done = match &self.applied {
                Some(applied) => applied.signed.get(index).and_then(Option::as_ref),
                None => None,
            };
            self.signed_entry(wish, decided, done)
        });
        each.collect()
    }

    fn signed_entry(&self, wish: &SignWish, decided: &SignPlan, done: Option<&Signed>) -> Value {
        let mut facts = match (done, &decided.act) {
            (Some(done), _) => signed_facts(&done.certificate, &done.bundle),
            (None, SignAct::Issue(template)) => {
                object(json!({"not_after": template.not_after.to_string()}))
            }
            (None, _) => self.kept_facts(wish, decided),
        };
        facts.extend(object(json!({
            "name": wish.name.as_ref().map(ToString::to_string),
            "authority": decided.authority.as_str(),
            "changed": decided.changes(),
            "failed": self.applied.is_some() && done.is_none(),
            "reasons": reasons(&decided.reasons),
            "ignored_extensions": decided.ignored_extensions,
            "warnings": decided.warnings,
        })));
        Value::Object(facts)
    }

    fn kept_facts(&self, wish: &SignWish, decided: &SignPlan) -> Map<String, Value> {
        let entry = wish
            .name
            .as_ref()
            .and_then(|name| self.observed.entries.get(name)?.as_ref().ok());
        let standing = self.plan.standings.get(&decided.authority);
        match (entry, standing) {
            (Some(entry), Some(standing)) => {
                let bundle: Vec<_> = standing
                    .certificate
                    .iter()
                    .chain(&standing.above)
                    .cloned()
                    .collect();
                signed_facts(&entry.certificate, &bundle)
            }
            _ => Map::new(),
        }
    }

    pub(super) fn revoked(&self) -> Value {
        let each = self.plan.revocations.iter().flatten().map(|planned| {
            json!({
                "authority": planned.authority.as_str(),
                "serial": planned.revocation.serial.to_string(),
                "at": planned.revocation.at.to_string(),
                "reason": planned.revocation.reason.map_or("unspecified", |reason| reason.name()),
                "changed": !planned.already,
            })
        });
        each.collect()
    }

    pub(super) fn lists(&self) -> Value {
        let each = self.plan.lists.iter().filter_map(|list| {
            let path = self.request.tree.authority(&list.authority).crl();
            let now = match &self.applied {
                Some(applied) => {
                    let made = applied.lists.get(&list.authority)?;
                    (made.number, made.next_update, made.changed)
                }
                None => self.predicted_list(list.reasons.is_empty(), &list.authority),
            };
            let facts = json!({
                "path": path,
                "number": now.0,
                "next_update": now.1.map(|at| at.to_string()),
                "changed": now.2,
                "reasons": reasons(&list.reasons),
            });
            Some((list.authority.to_string(), facts))
        });
        Value::Object(each.collect())
    }

    fn predicted_list(
        &self,
        kept: bool,
        name: &AuthorityName,
    ) -> (Option<u64>, Option<Timestamp>, bool) {
        let found = self.observed.authorities.get(name);
        let list = found.and_then(|found| found.crl.as_ref()?.as_ref().ok());
        match list {
            Some(list) if kept => (list.number(), list.next_update(), false),
            _ => (None, Some(self.now + self.request.crl.next_update), true),
        }
    }
}

fn signed_facts(certificate: &Certificate, bundle: &[Certificate]) -> Map<String, Value> {
    let facts = certificate.facts();
    let fullchain = chain(certificate, bundle);
    let above = fullchain.get(1..).unwrap_or_default();
    object(json!({
        "certificate": certificate.to_pem(),
        "chain": above.iter().map(Certificate::to_pem).collect::<String>(),
        "fullchain": fullchain.iter().map(Certificate::to_pem).collect::<String>(),
        "ca_bundle": bundle.iter().map(Certificate::to_pem).collect::<String>(),
        "serial": facts.serial.to_string(),
        "not_before": facts.not_before.to_string(),
        "not_after": facts.not_after.to_string(),
        "fingerprint_sha256": certificate.fingerprint_sha256_text(),
    }))
}
