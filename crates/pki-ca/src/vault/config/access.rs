// SPDX-License-Identifier: Apache-2.0
//! Who may have certificates signed: policies, roles of AppRole, and the secrets of hosts.

use std::collections::BTreeSet;
use std::fmt::Write;
use std::path::PathBuf;

use ansible_module::Faults;
use serde_json::{Value, json};
use tls_files::accounts;

use super::field::{Field, Sort};
use super::fields::{APPROLE, POLICY};
use super::object::Object;
use super::params::{Access, AppRole, Given, SecretId};
use super::secret_id::{Issue, SecretIdWish};
use super::wish::{ConfigWish, Fields, ObjectWish, absolute, fields, name, seconds};

/// The fields of a secret that the server is told.
const SECRET_ID: [Field; 4] = [
    Field::new("cidr_list", Sort::Networks),
    Field::new("token_bound_cidrs", Sort::Networks),
    Field::new("num_uses", Sort::Count),
    Field::new("ttl", Sort::Seconds),
];

/// The longest that a secret may wait to be unwrapped: whoever finds it in a backup later has nothing.
const LONGEST_WRAP: u64 = 7 * 86_400;

/// Adds what `vault_config.access` asks for: all policies, then the method, then its roles.
pub fn wishes(given: Vec<Access>, wish: &mut ConfigWish, faults: &mut Faults) {
    let mut seen = BTreeSet::new();
    let mut methods = BTreeSet::new();
    let mut behind = Vec::new();
    for (index, access) in given.into_iter().enumerate() {
        let option = format!("vault_config.access[{index}]");
        name(&format!("{option}.name"), &access.name, faults);
        if !seen.insert(access.name.clone()) {
            let twice = format!("'{}' is there twice", access.name);
            faults.push(format!("{option}.name"), twice);
        }
        let present = access.state != "absent";
        let policy = policy(&access, &wish.mount, &option, faults);
        let has_policy = policy.is_some();
        wish.objects.extend(policy);
        let Some(approle) = access.approle else {
            continue;
        };
        let option = format!("{option}.approle");
        let mount = approle.mount.trim_matches('/').to_owned();
        if present && methods.insert(mount.clone()) {
            let method = Object::AppRoleMethod(mount);
            let method = ObjectWish::new(method, option.clone(), Vec::new());
            wish.objects.push(method);
        }
        let role = Role {
            name: approle.name.clone().unwrap_or_else(|| access.name.clone()),
            policy: has_policy.then_some(access.name),
            option,
            present,
        };
        behind.push(role.wish(&approle, faults));
        role.secret_ids(approle, &mut wish.secret_ids, faults);
    }
    wish.objects.extend(behind);
    distinct_paths(&wish.secret_ids, faults);
}

fn policy(access: &Access, mount: &str, option: &str, faults: &mut Faults) -> Option<ObjectWish> {
    if access.policy.is_some() && access.sign.is_some() {
        let fault = "give either policy or sign, of which a policy is made";
        faults.push(format!("{option}.sign"), fault);
    }
    let present = access.state != "absent";
    let roles = access.sign.as_deref().unwrap_or_default();
    for role in roles {
        name(&format!("{option}.sign"), role, faults);
    }
    let text = match &access.policy {
        Some(text) => text.clone(),
        None if access.sign.is_some() => sign_policy(mount, roles),
        None if present => return None,
        None => String::new(),
    };
    if present && text.trim().is_empty() {
        faults.push(format!("{option}.policy"), "is empty");
    }
    let object = Object::Policy(access.name.clone());
    let wish = ObjectWish::new(object, option, vec![(POLICY[0], text.into())]);
    Some(ObjectWish { present, ..wish })
}

/// What a host needs: to have requests signed by these roles, at the default issuer or at one that it names. What it
/// reads besides (authorities, lists) is public.
fn sign_policy(mount: &str, roles: &[String]) -> String {
    let mut text = String::new();
    for role in roles {
        for path in [
            format!("{mount}/sign/{role}"),
            format!("{mount}/issuer/+/sign/{role}"),
        ] {
            // Writing into a string cannot fail.
            let _ = writeln!(
                text,
                "path \"{path}\" {{\n  capabilities = [\"create\", \"update\"]\n}}"
            );
        }
    }
    text
}

/// One role of AppRole.
struct Role {
    name: String,
    policy: Option<String>,
    option: String,
    present: bool,
}

impl Role {
    fn wish(&self, given: &AppRole, faults: &mut Faults) -> ObjectWish {
        name(&format!("{}.name", self.option), &self.name, faults);
        let method = given.mount.trim_matches('/').to_owned();
        if method.is_empty() {
            faults.push(format!("{}.mount", self.option), "is empty");
        }
        let object = Object::AppRole {
            method,
            name: self.name.clone(),
        };
        let fields = fields(&APPROLE, &given.fields, &self.option, faults);
        let wish = ObjectWish::new(object, self.option.clone(), fields);
        let when_made = self.when_made(&wish);
        ObjectWish {
            present: self.present,
            when_made,
            ..wish
        }
    }

    /// A token for one run: a batch token leaves no lease behind, and is over after a minute.
    fn when_made(&self, wish: &ObjectWish) -> Fields {
        let limited = ["token_num_uses", "token_period"]
            .iter()
            .any(|name| wish.field(name).and_then(Value::as_u64).unwrap_or(0) > 0);
        let token_type = if limited { "service" } else { "batch" };
        let policies = self.policy.as_ref().map(|name| json!([name]));
        let defaults = [
            ("token_type", Some(json!(token_type))),
            ("token_ttl", Some(json!(60))),
            ("token_policies", policies),
        ];
        let unsaid = defaults.into_iter().filter_map(|(name, value)| {
            let field = APPROLE.iter().find(|field| field.name == name)?;
            let value = value.filter(|_| wish.field(name).is_none())?;
            Some((*field, value))
        });
        unsaid.collect()
    }

    fn secret_ids(&self, given: AppRole, wishes: &mut Vec<SecretIdWish>, faults: &mut Faults) {
        let unbound = given.fields.get("bind_secret_id") == Some(&Value::Bool(false));
        if !given.secret_ids.is_empty() && (unbound || !self.present) {
            let why = if unbound {
                "bind_secret_id is false"
            } else {
                "the role shall be absent"
            };
            let fault = format!("{why}, so the server issues no secret");
            faults.push(format!("{}.secret_ids", self.option), fault);
        }
        let method = given.mount.trim_matches('/').to_owned();
        for (index, secret) in given.secret_ids.into_iter().enumerate() {
            let option = format!("{}.secret_ids[{index}]", self.option);
            wishes.push(self.secret_id(&method, secret, option, faults));
        }
    }

    fn secret_id(
        &self,
        method: &str,
        given: SecretId,
        option: String,
        faults: &mut Faults,
    ) -> SecretIdWish {
        let at = |name: &str| format!("{option}.{name}");
        let path = PathBuf::from(&given.path);
        absolute(&at("path"), &path, faults);
        let wrap_ttl = seconds(&at("wrap_ttl"), &given.wrap_ttl, faults);
        if !(1..=LONGEST_WRAP).contains(&wrap_ttl) {
            faults.push(at("wrap_ttl"), "give 1s to 7d");
        }
        let mut account = |name, text: Option<&String>, resolve: Resolve| {
            let resolved = resolve(text?);
            resolved
                .map_err(|error| faults.push(at(name), error.to_string()))
                .ok()
        };
        let owner = account("owner", given.owner.as_ref(), accounts::uid);
        let group = account("group", given.group.as_ref(), accounts::gid);
        let told = fields(&SECRET_ID, &secret_fields(&given), &option, faults);
        let mut body: Given = told
            .into_iter()
            .map(|(field, value)| (field.name.to_owned(), value))
            .collect();
        let mut metadata = given.metadata.unwrap_or_default();
        metadata
            .entry("name")
            .or_insert_with(|| given.name.clone().into());
        // The server takes metadata as a text that holds JSON, of texts only.
        let texts: Given = metadata
            .into_iter()
            .map(|(key, value)| (key, text_of(value).into()))
            .collect();
        body.insert(
            "metadata".to_owned(),
            Value::Object(texts).to_string().into(),
        );
        SecretIdWish {
            name: given.name,
            role: format!("auth/{method}/role/{}", self.name),
            option,
            path,
            owner,
            group,
            issue: Issue::new(&given.issue),
            wrap_ttl,
            body,
        }
    }
}

type Resolve = fn(&str) -> Result<u32, tls_files::Error>;

fn secret_fields(given: &SecretId) -> Given {
    let all = [
        ("cidr_list", json!(given.cidr_list)),
        ("token_bound_cidrs", json!(given.token_bound_cidrs)),
        ("num_uses", json!(given.num_uses)),
        ("ttl", json!(given.ttl)),
    ];
    all.into_iter()
        .map(|(name, value)| (name.to_owned(), value))
        .collect()
}

fn text_of(value: Value) -> String {
    match value {
        Value::String(text) => text,
        other => other.to_string(),
    }
}

/// Two secrets in one file would be one, and the other would be lost.
fn distinct_paths(wishes: &[SecretIdWish], faults: &mut Faults) {
    let (mut paths, mut names) = (BTreeSet::new(), BTreeSet::new());
    for wish in wishes {
        if !paths.insert(&wish.path) {
            let twice = format!("'{}' is there twice", wish.path.display());
            faults.push(format!("{}.path", wish.option), twice);
        }
        if !names.insert(&wish.name) {
            let twice = format!("'{}' is there twice", wish.name);
            faults.push(format!("{}.name", wish.option), twice);
        }
    }
}
