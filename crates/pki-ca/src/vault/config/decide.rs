// SPDX-License-Identifier: Apache-2.0
//! What has to be done, from what is wished and what was found; a pure function.

mod rules;
#[cfg(test)]
mod tests;

use pki::Timestamp;
use serde_json::{Map, Value, json};

use super::error::{Error, Failed};
use super::field::Field;
use super::fields::MOUNT;
use super::object::Object;
use super::observe::{Found, FoundSecret, LastTidy, Observed};
use super::plan::{Act, Change, ConfigPlan, DisablePlan, ObjectPlan, SecretIdPlan};
use super::secret_id::{Issue, SecretIdWish};
use super::value;
use super::wish::{ConfigWish, ObjectWish, TidyWish, with_acme_headers};

/// Decides all; what cannot be done is among `failed`, and the rest is planned all the same.
pub fn decide(wish: &ConfigWish, mut observed: Observed, now: Timestamp) -> ConfigPlan {
    let mut plan = ConfigPlan::of(wish);
    if let Some(export) = &wish.disable {
        match observed.objects.remove(&Object::Mount) {
            Some(Found::Unreadable(error)) => plan.fail("vault_config.disable", error),
            found => {
                plan.disable = Some(DisablePlan {
                    export: export.clone(),
                    due: matches!(found, Some(Found::Present(_))),
                });
            }
        }
        return plan;
    }
    for each in &wish.objects {
        let item = format!("vault_config.{}", each.object);
        // What cannot be seen stops the task; until then all that cannot be seen is collected.
        if let Some(held) = Failed::before(&plan.failed, &each.object)
            && !matches!(held.error, Error::Unseen { .. })
        {
            let held = held.holds(&item);
            plan.fail(item, held);
            continue;
        }
        let each = completed(wish, each, &observed);
        match object(wish, &each, &observed) {
            Ok(planned) => plan.objects.push(planned),
            Err(Decided::Fault(error)) => plan.fail(item, error),
            Err(Decided::Unreadable) => {
                if let Some(Found::Unreadable(error)) = observed.objects.remove(&each.object) {
                    plan.fail(item, error);
                }
            }
        }
    }
    let found = observed.secret_ids.drain(..);
    for (each, found) in wish.secret_ids.iter().zip(found) {
        plan.secret(each, found);
    }
    plan.tidy = wish
        .tidy
        .as_ref()
        .map(|tidy| (tidy.clone(), is_due(tidy, &observed.tidy, now)));
    plan
}

/// Why an object has no plan.
enum Decided {
    /// What was found is an error already.
    Unreadable,
    /// Wish and finding contradict each other.
    Fault(Error),
}

impl From<Error> for Decided {
    fn from(error: Error) -> Self {
        Self::Fault(error)
    }
}

impl ConfigPlan {
    fn fail(&mut self, item: impl Into<String>, error: Error) {
        self.failed.push(Failed {
            item: item.into(),
            error,
        });
    }

    fn secret(&mut self, wish: &SecretIdWish, found: FoundSecret) {
        let reason = match (found, wish.issue) {
            (FoundSecret::Unreadable(error), _) => {
                return self.fail(format!("vault_config.secret_ids[{}]", wish.name), error);
            }
            (FoundSecret::Absent, _) => Some("missing"),
            (_, Issue::Always) => Some("asked_for"),
            (FoundSecret::Spent, _) => Some("spent"),
            (FoundSecret::Good, _) => None,
        };
        self.secret_ids.push(SecretIdPlan {
            wish: wish.clone(),
            reason,
        });
    }
}

/// A mount whose ACME is switched on answers its headers too, besides those that it answers already.
fn completed(wish: &ConfigWish, each: &ObjectWish, observed: &Observed) -> ObjectWish {
    let mut each = each.clone();
    let for_acme = wish.needs_acme_headers() && rules::has_cluster_path(wish, observed);
    if each.object == Object::Mount && for_acme {
        let name = "allowed_response_headers";
        let found = observed.present(&Object::Mount);
        let present = each
            .field(name)
            .or_else(|| found.and_then(|found| found.get(name)));
        let headers = with_acme_headers(present.unwrap_or(&Value::Null));
        each.fields.retain(|(field, _)| field.name != name);
        let field = MOUNT.iter().find(|field| field.name == name);
        each.fields.extend(field.map(|field| (*field, headers)));
    }
    each
}

fn object(
    wish: &ConfigWish,
    each: &ObjectWish,
    observed: &Observed,
) -> Result<ObjectPlan, Decided> {
    let found = match observed.objects.get(&each.object) {
        Some(Found::Unreadable(_)) => return Err(Decided::Unreadable),
        Some(Found::Present(found)) => Some(found),
        Some(Found::Absent) | None => None,
    };
    if !each.present {
        return Ok(removed(each, found));
    }
    let Some(found) = found else {
        return created(wish, each, observed);
    };
    let unknown = unknown_fields(each, found);
    if !unknown.is_empty() {
        return Err(Decided::Fault(Error::FieldUnknown {
            object: each.object.clone(),
            fields: unknown,
        }));
    }
    let mut changes = differences(each, found);
    rules::add_companions(each, found, &mut changes);
    let plan = ObjectPlan {
        wish: each.clone(),
        act: if changes.is_empty() {
            Act::Keep
        } else {
            Act::Update
        },
        changes,
        whole: found.clone(),
        role_id: observed.role_ids.get(&each.object).cloned(),
    };
    rules::check(wish, &plan, observed)?;
    Ok(plan)
}

fn removed(each: &ObjectWish, found: Option<&Map<String, Value>>) -> ObjectPlan {
    let act = if found.is_some() {
        Act::Remove
    } else {
        Act::Keep
    };
    ObjectPlan {
        wish: each.clone(),
        act,
        changes: Vec::new(),
        whole: found.cloned().unwrap_or_default(),
        role_id: None,
    }
}

fn created(
    wish: &ConfigWish,
    each: &ObjectWish,
    observed: &Observed,
) -> Result<ObjectPlan, Decided> {
    let mount_is_absent = matches!(observed.objects.get(&Object::Mount), Some(Found::Absent));
    let may_mount = wish
        .object(&Object::Mount)
        .is_some_and(|mount| mount.create);
    let needs_mount = each.object.is_in_mount() || each.object == Object::Mount;
    if needs_mount && mount_is_absent && !may_mount {
        return Err(Decided::Fault(Error::MountMissing {
            mount: wish.mount.clone(),
        }));
    }
    let fields = each.fields.iter().chain(&each.when_made);
    let changes = fields
        .map(|(field, value)| Change {
            field: field.name,
            before: Value::Null,
            after: value.clone(),
        })
        .collect();
    let plan = ObjectPlan {
        wish: each.clone(),
        act: Act::Create,
        changes,
        whole: Map::new(),
        role_id: None,
    };
    rules::check(wish, &plan, observed)?;
    Ok(plan)
}

/// Wished fields that the server does not have; it would say yes, and ignore them.
fn unknown_fields(each: &ObjectWish, found: &Map<String, Value>) -> Vec<&'static str> {
    if !each.object.answers_all_fields() {
        return Vec::new();
    }
    let wished = each.fields.iter().map(|(field, _)| field.name);
    wished.filter(|name| !found.contains_key(*name)).collect()
}

/// The wished fields whose value the server does not have.
pub fn differences(each: &ObjectWish, found: &Map<String, Value>) -> Vec<Change> {
    let found = |field: &Field| found.get(field.name).unwrap_or(&Value::Null);
    let wished = each.fields.iter();
    wished
        .filter(|(field, value)| !value::same(*field, value, found(field)))
        .map(|(field, value)| Change {
            field: field.name,
            before: found(field).clone(),
            after: value.clone(),
        })
        .collect()
}

/// Whether a tidy is started: always, or when none has finished for a while.
fn is_due(tidy: &TidyWish, last: &LastTidy, now: Timestamp) -> bool {
    let Some(every) = tidy.every else {
        return true;
    };
    if last.state == "Running" {
        return false;
    }
    let finished = last.finished.as_deref().map(whole_seconds);
    let Some(Ok(finished)) = finished.map(|text| text.parse::<Timestamp>()) else {
        return true;
    };
    now >= finished + pki::Lifetime(every)
}

/// The server tells nanoseconds, which are no part of our times.
fn whole_seconds(text: &str) -> String {
    match (text.split_once('.'), text.ends_with('Z')) {
        (Some((seconds, _)), true) => format!("{seconds}Z"),
        _ => text.to_owned(),
    }
}

/// A number that is missing is zero.
fn number(value: Option<&Value>) -> u64 {
    value.and_then(super::span::seconds_of).unwrap_or(0)
}

/// A change that the wish implies.
fn implied(field: &'static str, before: Option<&Value>, after: u64) -> Change {
    Change {
        field,
        before: before.cloned().unwrap_or_default(),
        after: json!(after),
    }
}
