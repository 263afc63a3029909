// SPDX-License-Identifier: Apache-2.0
//! What the server would refuse only when it is too late, or would do differently from what was meant.

use serde_json::Value;

use super::super::error::Error;
use super::super::object::Object;
use super::super::observe::Observed;
use super::super::plan::{Change, ConfigPlan, ObjectPlan};
use super::super::value;
use super::super::wish::{ConfigWish, ObjectWish};
use super::super::{fields, span};
use super::{implied, number};

/// With another type of key, bits that nobody named are those of the old type, which the server refuses; they become the
/// new type's own.
pub(super) fn add_companions(
    wish: &ObjectWish,
    found: &serde_json::Map<String, Value>,
    changes: &mut Vec<Change>,
) {
    let another_key = changes.iter().any(|change| change.field == "key_type");
    if !matches!(wish.object, Object::Role(_)) || !another_key {
        return;
    }
    let field = "key_bits";
    if wish.field(field).is_none() && number(found.get(field)) != 0 {
        changes.push(implied(field, found.get(field), 0));
    }
}

/// Refuses a plan that would leave a contradiction between what is wished and what stays.
pub(super) fn check(
    wish: &ConfigWish,
    plan: &ObjectPlan,
    observed: &Observed,
) -> Result<(), Error> {
    let why = match plan.object() {
        Object::Mount => lease_ttls(plan),
        Object::Urls => templates(plan),
        Object::AutoTidy => operations(plan),
        Object::Acme => acme(wish, plan, observed),
        Object::Role(_) => ttls(plan),
        _ => None,
    };
    why.map_or(Ok(()), |(field, why)| {
        Err(Error::Contradiction {
            option: plan.wish.option.clone(),
            field,
            why,
        })
    })
}

/// A field as it will be.
fn after<'a>(plan: &'a ObjectPlan, field: &str) -> Option<&'a Value> {
    let mut changes = plan.changes.iter();
    let changed = changes.find_map(|change| (change.field == field).then_some(&change.after));
    changed.or_else(|| plan.whole.get(field))
}

fn is_on(plan: &ObjectPlan, field: &str) -> bool {
    after(plan, field) == Some(&Value::Bool(true))
}

type Why = Option<(&'static str, String)>;

fn lease_ttls(plan: &ObjectPlan) -> Why {
    let default = number(after(plan, "default_lease_ttl"));
    let longest = number(after(plan, "max_lease_ttl"));
    let field = match plan.wish.field("max_lease_ttl") {
        Some(_) => "max_lease_ttl",
        None => "default_lease_ttl",
    };
    (longest > 0 && default > longest && plan.writes()).then(|| {
        let why = format!(
            "the mount would have default_lease_ttl {} and max_lease_ttl {}; the first must not be longer",
            span::text(default),
            span::text(longest)
        );
        (field, why)
    })
}

fn ttls(plan: &ObjectPlan) -> Why {
    let (ttl, longest) = (number(after(plan, "ttl")), number(after(plan, "max_ttl")));
    let field = match plan.wish.field("ttl") {
        Some(_) => "ttl",
        None => "max_ttl",
    };
    (longest > 0 && ttl > longest && plan.writes()).then(|| {
        let why = format!(
            "the role would have ttl {} and max_ttl {}; the first must not be longer",
            span::text(ttl),
            span::text(longest)
        );
        (field, why)
    })
}

fn templates(plan: &ObjectPlan) -> Why {
    if is_on(plan, "enable_templating") {
        return None;
    }
    let lists = fields::URLS.iter().map(|field| field.name);
    let templated = lists
        .filter_map(|name| Some((name, after(plan, name)?)))
        .find(|(_, urls)| value::list(urls).iter().any(|url| url.contains("{{")));
    templated.map(|(name, _)| {
        let why = "has a URL with '{{', which needs enable_templating: true".to_owned();
        (name, why)
    })
}

fn operations(plan: &ObjectPlan) -> Why {
    let mut operations = fields::TIDY.iter().map(|field| field.name);
    let is_any = operations.any(|name| name.starts_with("tidy_") && is_on(plan, name));
    (is_on(plan, "enabled") && !is_any).then(|| {
        let why = "there is nothing to tidy; switch on tidy_cert_store or another of tidy_*";
        ("enabled", why.to_owned())
    })
}

/// The addresses in the answers of ACME come from the cluster's path. Where ACME is on already, there is one.
fn acme(wish: &ConfigWish, plan: &ObjectPlan, observed: &Observed) -> Why {
    let turns_on = plan.wish.field("enabled") == Some(&Value::Bool(true));
    if turns_on && !has_cluster_path(wish, observed) {
        let why =
            "ACME needs vault_config.cluster.path, the address under which clients reach the mount";
        return Some(("enabled", why.to_owned()));
    }
    policy_role(plan)
}

/// Whether there is such a path, or will be.
pub(super) fn has_cluster_path(wish: &ConfigWish, observed: &Observed) -> bool {
    let wished = wish.object(&Object::Cluster);
    let found = observed.present(&Object::Cluster);
    let path = wished
        .and_then(|cluster| cluster.field("path"))
        .or_else(|| found.and_then(|found| found.get("path")));
    path.and_then(Value::as_str)
        .is_some_and(|path| !path.is_empty())
}

/// The role of the default directory must be one that may be used.
fn policy_role(plan: &ObjectPlan) -> Why {
    let policy = after(plan, "default_directory_policy").and_then(Value::as_str);
    let role = policy.and_then(|policy| policy.strip_prefix("role:"))?;
    let allowed = value::list(after(plan, "allowed_roles").unwrap_or(&Value::Null));
    let is_allowed = allowed.is_empty() || allowed.iter().any(|each| each == role || each == "*");
    (!is_allowed).then(|| {
        let why = format!("'role:{role}' is not among allowed_roles");
        ("default_directory_policy", why)
    })
}

impl ConfigPlan {
    /// The plan of an object.
    pub fn object(&self, object: &Object) -> Option<&ObjectPlan> {
        self.objects.iter().find(|plan| plan.object() == object)
    }
}
