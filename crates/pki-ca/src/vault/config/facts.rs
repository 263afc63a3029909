// SPDX-License-Identifier: Apache-2.0
//! What the answer tells of the configuration: each object with what was (in check mode: would be) done. No secret is in it.

use ansible_module::Diff;
use serde_json::{Map, Value, json};

use super::apply::Applied;
use super::object::Object;
use super::plan::{Act, ConfigPlan, ObjectPlan, SecretIdPlan};

/// The result `vault_config`; `applied` is none in check mode.
pub fn facts(plan: &ConfigPlan, applied: Option<&Applied>) -> Value {
    let mut facts = Map::new();
    for each in plan
        .objects
        .iter()
        .filter(|each| !is_failed(&item(each), applied))
    {
        let told = object(each, applied);
        match each.object().place() {
            (group, None) => drop(facts.insert(group.to_owned(), told)),
            (group, Some(name)) => insert(&mut facts, group, name, told),
        }
    }
    for each in &plan.secret_ids {
        let name = &each.wish.name;
        if !is_failed(&format!("vault_config.secret_ids[{name}]"), applied) {
            insert(&mut facts, "secret_ids", name, secret(each, applied));
        }
    }
    if let Some((_, due)) = &plan.tidy
        && !is_failed("vault_config.tidy", applied)
    {
        let action = if *due { "started" } else { "none" };
        let told = json!({"changed": due, "action": action});
        facts.insert("tidy".to_owned(), told);
    }
    if let Some(disable) = &plan.disable {
        let action = if disable.due { "removed" } else { "none" };
        let told = json!({
            "changed": disable.due,
            "action": action,
            "exported": applied.map(|applied| &applied.exported),
        });
        facts.insert("disable".to_owned(), told);
    }
    Value::Object(facts)
}

/// One diff for each object that changes.
pub fn diffs(plan: &ConfigPlan) -> Vec<Diff> {
    let writing = plan.objects.iter().filter(|each| each.writes());
    writing
        .map(|each| {
            let header = each.object().path(&plan.mount);
            Diff {
                before_header: header.clone(),
                after_header: header,
                before: side(each, each.act != Act::Create, |change| &change.before),
                after: side(each, each.act != Act::Remove, |change| &change.after),
            }
        })
        .collect()
}

/// `created roles[web]; updated crl`.
pub fn summary(plan: &ConfigPlan) -> Vec<String> {
    let mut parts = Vec::new();
    for act in [Act::Create, Act::Update, Act::Remove] {
        let which = plan.objects.iter().filter(|each| each.act == act);
        let names: Vec<String> = which.map(|each| each.object().to_string()).collect();
        if !names.is_empty() {
            parts.push(format!("{} {}", act.word(), names.join(", ")));
        }
    }
    let issued = plan.secret_ids.iter().filter(|each| each.reason.is_some());
    match issued.count() {
        0 => {}
        count => parts.push(format!("secrets issued: {count}")),
    }
    if matches!(plan.tidy, Some((_, true))) {
        parts.push("started a tidy".to_owned());
    }
    if plan.disable.as_ref().is_some_and(|disable| disable.due) {
        parts.push(format!("removed the mount '{}'", plan.mount));
    }
    parts
}

fn item(plan: &ObjectPlan) -> String {
    format!("vault_config.{}", plan.object())
}

fn is_failed(item: &str, applied: Option<&Applied>) -> bool {
    applied.is_some_and(|applied| applied.failed.iter().any(|failed| failed.item == item))
}

fn insert(facts: &mut Map<String, Value>, group: &str, name: &str, told: Value) {
    let group = facts
        .entry(group)
        .or_insert_with(|| Value::Object(Map::new()));
    if let Value::Object(group) = group {
        group.insert(name.to_owned(), told);
    }
}

fn object(plan: &ObjectPlan, applied: Option<&Applied>) -> Value {
    let changes: Map<String, Value> = plan
        .changes
        .iter()
        .map(|change| {
            let told = json!({"before": change.before, "after": change.after});
            (change.field.to_owned(), told)
        })
        .collect();
    let mut told = json!({
        "changed": plan.writes(),
        "action": plan.act.word(),
        "fields": changes,
    });
    if let Object::AppRole { name, .. } = plan.object()
        && binds_secrets(plan)
    {
        let made = applied.and_then(|applied| applied.role_ids.get(name));
        told["role_id"] = json!(made.or(plan.role_id.as_ref()));
    }
    told
}

/// Where no secret is needed to log in, the identifier of the role alone is enough, so it is one.
fn binds_secrets(plan: &ObjectPlan) -> bool {
    let field = "bind_secret_id";
    let mut changes = plan.changes.iter();
    let changed = changes.find_map(|change| (change.field == field).then_some(&change.after));
    let value = changed.or_else(|| plan.whole.get(field));
    value != Some(&Value::Bool(false))
}

fn secret(plan: &SecretIdPlan, applied: Option<&Applied>) -> Value {
    let action = if plan.reason.is_some() {
        "issued"
    } else {
        "none"
    };
    json!({
        "changed": plan.reason.is_some(),
        "action": action,
        "reason": plan.reason,
        "path": plan.wish.path,
        "accessor": applied.and_then(|applied| applied.accessors.get(&plan.wish.name)),
    })
}

fn side(plan: &ObjectPlan, exists: bool, value: impl Fn(&super::plan::Change) -> &Value) -> Value {
    if !exists {
        return Value::Null;
    }
    if plan.act == Act::Remove {
        return Value::Object(plan.whole.clone());
    }
    let changes = plan.changes.iter();
    changes
        .map(|change| (change.field.to_owned(), value(change).clone()))
        .collect::<Map<String, Value>>()
        .into()
}
