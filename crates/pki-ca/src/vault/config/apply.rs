// SPDX-License-Identifier: Apache-2.0
//! Writes what was decided, object by object, and reads each again. One that fails spoils no other, but those that need it.

mod export;
mod secret;
mod tidy;

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};
use vault::{Repeat, Vault};

use super::decide::differences;
use super::error::{Error, Failed};
use super::fields::ROLE_READ_ONLY;
use super::object::{Object, Phase};
use super::observe::{Found, read};
use super::plan::{Act, ConfigPlan, ObjectPlan};
use super::span;

/// What was done.
#[derive(Debug, Default)]
pub struct Applied {
    /// Whether anything was written.
    pub changed: bool,
    /// What could not be done.
    pub failed: Vec<Failed>,
    /// What the operator should look at.
    pub warnings: Vec<String>,
    /// The accessors of secrets that were issued, by name: they revoke, and tell nothing.
    pub accessors: BTreeMap<String, String>,
    /// The names by which roles of AppRole that were made are logged in to.
    pub role_ids: BTreeMap<String, String>,
    /// The files that hold what the mount held.
    pub exported: Vec<std::path::PathBuf>,
}

/// What comes before the authorities. If something failed, addresses may be missing: no authority should be made.
pub fn before(vault: &Vault, plan: &ConfigPlan, applied: &mut Applied) {
    objects(vault, plan, Phase::Before, applied);
}

/// What comes after them.
pub fn after(vault: &Vault, plan: &ConfigPlan, applied: &mut Applied) {
    objects(vault, plan, Phase::After, applied);
    for each in plan.secret_ids.iter().filter(|each| each.reason.is_some()) {
        let item = format!("vault_config.secret_ids[{}]", each.wish.name);
        let role = format!("vault_config.approles[{}]", each.wish.role_name());
        let result = match applied.failed(|failed| failed.item == role) {
            Some(held) => Err(held.holds(&item)),
            None => secret::issue(vault, &each.wish, applied),
        };
        applied.note(&item, result);
    }
    if let Some((wish, true)) = &plan.tidy {
        let item = "vault_config.tidy";
        let result = match applied.failed(|_| false) {
            Some(held) => Err(held.holds(item)),
            None => tidy::run(vault, &plan.mount, wish),
        };
        applied.note(item, result);
    }
    if let Some(disable) = plan.disable.as_ref().filter(|disable| disable.due) {
        let result = export::disable(vault, &plan.mount, &disable.export, &mut applied.exported);
        applied.changed |= !applied.exported.is_empty();
        applied.note("vault_config.disable", result);
    }
}

fn objects(vault: &Vault, plan: &ConfigPlan, phase: Phase, applied: &mut Applied) {
    for each in plan.written(phase) {
        let item = format!("vault_config.{}", each.object());
        let result = match applied.blocker(each) {
            Some(held) => Err(held.holds(&item)),
            None => write(vault, &plan.mount, each).map(|warnings| {
                let told = warnings.iter().filter(|text| is_worth_a_word(text));
                let told = told.map(|text| format!("{item}: {text}"));
                applied.warnings.extend(told);
            }),
        };
        if let (Ok(()), Object::AppRole { name, .. }) = (&result, each.object())
            && each.act != Act::Remove
        {
            applied.learn_role_id(vault, name, &each.object().path(&plan.mount));
        }
        applied.note(&item, result);
    }
}

impl Applied {
    fn note(&mut self, item: &str, result: Result<(), Error>) {
        match result {
            Ok(()) => self.changed = true,
            Err(error) => {
                // The server has done it, though not as it was told.
                self.changed |= matches!(error, Error::NotTaken { .. });
                self.failed.push(Failed {
                    item: item.to_owned(),
                    error,
                });
            }
        }
    }

    /// What failed that this one needs.
    fn blocker(&self, plan: &ObjectPlan) -> Option<&Failed> {
        let needed = || Failed::before(&self.failed, plan.object());
        self.failed(|_| false).or_else(needed)
    }

    /// The failure that stands in the way of what `needs` says, or of everything.
    fn failed(&self, needs: impl Fn(&Failed) -> bool) -> Option<&Failed> {
        let mut failed = self.failed.iter();
        failed.find(|failed| failed.error.is_of_all() || needs(failed))
    }

    /// Who may not read it is not told it.
    fn learn_role_id(&mut self, vault: &Vault, name: &str, path: &str) {
        if let Ok(Some(answer)) = vault.read(&format!("{path}/role-id"))
            && let Ok(id) = answer.text("role_id")
        {
            self.role_ids.insert(name.to_owned(), id.to_owned());
        }
    }
}

/// That there is no authority yet is no news: it comes after.
fn is_worth_a_word(warning: &str) -> bool {
    !warning.contains("no default issuing certificate")
}

/// Writes one object, and looks whether the server has taken it; what it remarks.
fn write(vault: &Vault, mount: &str, plan: &ObjectPlan) -> Result<Vec<String>, Error> {
    let object = plan.object();
    let path = object.path(mount);
    let failed = || Error::server(format!("write {object}"));
    let body = Value::Object(plan.body());
    let written = match (object, &plan.act) {
        (_, Act::Keep) => return Ok(Vec::new()),
        (_, Act::Remove) => {
            let removed = vault.delete(&path);
            return removed
                .map(|answer| answer.warnings)
                .map_err(Error::server(format!("remove {object}")));
        }
        (Object::Mount, Act::Create) => enable(vault, mount, plan.body()),
        (Object::Mount, Act::Update) => vault.tune(mount, &Value::Object(spans(plan.body()))),
        (Object::AppRoleMethod(_), _) => {
            vault.write(&path, &json!({"type": "approle"}), Repeat::Safe)
        }
        (Object::Role(_), Act::Update) => change_role(vault, &path, plan),
        _ => vault.write(&path, &body, Repeat::Safe),
    };
    let warnings = match written {
        Ok(answer) => answer.warnings,
        // The answer to the first try was lost, and the second one found what that had made.
        Err(error) if is_in_use(&error) && is_there(vault, mount, object) => Vec::new(),
        Err(error) => return Err(failed()(error)),
    };
    prove(vault, mount, plan)?;
    Ok(warnings)
}

/// What servers say to whoever mounts something for the second time, or below or above something else.
fn is_in_use(error: &vault::Error) -> bool {
    matches!(error, vault::Error::Refused { reason, .. } if reason.contains("already in use"))
}

fn is_there(vault: &Vault, mount: &str, object: &Object) -> bool {
    matches!(read(vault, mount, object), Ok(Found::Present(_)))
}

fn enable(
    vault: &Vault,
    mount: &str,
    mut body: Map<String, Value>,
) -> vault::Result<vault::Answer> {
    let description = body.remove("description");
    let description = description.as_ref().and_then(Value::as_str).unwrap_or("");
    vault.enable(mount, "pki", description, &Value::Object(spans(body)))
}

/// Spans of a mount are texts in its API.
fn spans(mut body: Map<String, Value>) -> Map<String, Value> {
    for field in ["default_lease_ttl", "max_lease_ttl"] {
        if let Some(seconds) = body.get(field).and_then(Value::as_u64) {
            body.insert(field.to_owned(), span::text(seconds).into());
        }
    }
    body
}

/// A role is patched, which keeps what others wrote meanwhile. Vault before 1.11 knows no patch, and some tokens may not:
/// there all that the role has is read again and written with the changes.
fn change_role(vault: &Vault, path: &str, plan: &ObjectPlan) -> vault::Result<vault::Answer> {
    let changes = plan.body();
    match vault.patch(path, &Value::Object(changes.clone())) {
        Err(
            vault::Error::Refused {
                status: 404 | 405 | 415,
                ..
            }
            | vault::Error::PermissionDenied { .. },
        ) => {}
        answered => return answered,
    }
    let found = vault.read(path)?.map(|answer| answer.data);
    let mut whole = found.unwrap_or_else(|| plan.whole.clone());
    whole.retain(|field, _| !ROLE_READ_ONLY.contains(&field.as_str()));
    whole.extend(changes);
    vault.write(path, &Value::Object(whole), Repeat::Safe)
}

/// The server says yes to what it ignores, so what counts is what it answers then.
fn prove(vault: &Vault, mount: &str, plan: &ObjectPlan) -> Result<(), Error> {
    let object = plan.object();
    let fields = match read(vault, mount, object)? {
        Found::Present(fields) => fields,
        Found::Absent => Map::new(),
        Found::Unreadable(error) => return Err(error),
    };
    let wrong = differences(&plan.wish, &fields);
    if wrong.is_empty() {
        return Ok(());
    }
    Err(Error::NotTaken {
        object: object.clone(),
        fields: wrong.iter().map(|change| change.field).collect(),
    })
}
