// SPDX-License-Identifier: Apache-2.0
//! One container in the result.

use serde_json::{Value, json};

use super::Report;
use crate::apply::Done;
use crate::decide::{Act, Decision, Entry};
use crate::observe::{Candidate, Evidence, FileSeen, PlaceSeen, Seen, Serving};
use crate::request::Manager;

/// As in the result `containers`.
pub(super) fn to_json(
    report: &Report<'_>,
    candidate: &Candidate,
    entry: &Entry,
    done: Option<&Done>,
) -> Value {
    let container = &candidate.container;
    let evidence = candidate.evidence.as_ref();
    let engine = report
        .host
        .engines
        .0
        .get(candidate.engine)
        .map(|engine| engine.label().to_string());
    let unit = evidence
        .and_then(|evidence| evidence.unit.as_ref())
        .map(|unit| unit.name.clone());
    let replica = evidence.and_then(|evidence| evidence.replica.known());
    let manager = match (replica, &unit) {
        (Some(_), _) if report.request.manager != Manager::Engine => "pacemaker",
        (_, Some(_)) => "systemd",
        _ => "engine",
    };
    let act = match &entry.decision {
        Decision::Act(act) => Some(act),
        _ => None,
    };
    let after = done.and_then(|done| done.container.as_ref());
    let started = after
        .unwrap_or(container)
        .started_at
        .map(|at| at.to_string());
    json!({
        "name": container.name,
        "id": after.unwrap_or(container).short_id(),
        "engine": engine,
        "state": after.unwrap_or(container).state.word(),
        "selected_by": candidate.selected.word(),
        "manager": manager,
        "bundle": replica.map(|replica| replica.bundle.clone()),
        "unit": unit,
        "evidence": evidence.map(|evidence| gathered(evidence, done)),
        "decision": entry.decision.word(),
        "action": act.map(action),
        "why": entry.why,
        "actions": done.map(|done| done.actions.clone()),
        "restarted": done.map(|done| done.restarted),
        "dependents": done.map(|done| done.dependents.clone()).filter(|names| !names.is_empty()),
        "started_at": started,
        "proven": done.map(|done| done.proven),
        "ms": done.map(|done| u64::try_from(done.took.as_millis()).unwrap_or(u64::MAX)),
    })
}

/// The first thing that is done, in one word.
fn action(act: &Act) -> &'static str {
    match act.steps.first() {
        Some(step) => step.word(),
        None => "none",
    }
}

fn gathered(evidence: &Evidence, done: Option<&Done>) -> Value {
    let places = evidence.places.iter().chain(&evidence.key_places);
    let copies = evidence.copies.iter().map(|seen| {
        json!({
            "source": seen.copy.source, "destination": seen.copy.destination, "fresh": seen.is_fresh,
        })
    });
    let listeners = evidence.serving.iter().map(|before| listener(before, done));
    let some = |values: Vec<Value>| {
        if values.is_empty() {
            Value::Null
        } else {
            Value::Array(values)
        }
    };
    json!({
        "mounts": some(places.map(place).collect()),
        "copies": some(copies.collect()),
        "strategy": evidence.strategy.map(containers::kolla::Strategy::word),
        "listeners": some(listeners.collect()),
    })
}

fn place(seen: &PlaceSeen) -> Value {
    let why = match &seen.file {
        FileSeen::Unreadable(why) => Some(why),
        _ => None,
    };
    json!({
        "source": seen.place.source,
        "path": seen.place.path,
        "kind": seen.place.what.word(),
        "content": seen.file.word(),
        "why": why,
    })
}

fn listener(before: &Serving, done: Option<&Done>) -> Value {
    let found = done.and_then(|done| done.after.iter().find(|each| each.at == before.at));
    let after = found
        .and_then(Serving::fingerprint)
        .map(|fingerprint| fingerprint.0.clone());
    let nothing = match &before.seen {
        Seen::Nothing(why) => Some(why),
        Seen::Certificate(..) => None,
    };
    json!({
        "at": before.at.to_string(),
        "program": before.program,
        "before": before.fingerprint().map(|fingerprint| fingerprint.0.clone()),
        "verdict": before.verdict().map(crate::observe::Verdict::word),
        "after": after,
        "by": found.unwrap_or(before).pid,
        "why": nothing,
    })
}
