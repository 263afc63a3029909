// SPDX-License-Identifier: Apache-2.0
//! Whether the token may do what the plan needs, asked before anything is done: check mode tells the same.

use std::collections::BTreeSet;

use ::vault::Vault;
use serde_json::Value;

use super::failure::VaultFailure;
use super::plan::{Plan, Signing, Step};
use super::request::Request;
use crate::failure::Failure;

/// A path and the capabilities of which one is enough.
type Need = (String, &'static [&'static str]);

/// The engine does not tell new objects from others, so the server asks for `update` whatever is written.
const WRITE: &[&str] = &["update"];
const PATCH: &[&str] = &["patch"];
const DELETE: &[&str] = &["delete"];
const READ: &[&str] = &["read"];
const UNKNOWN: &str = "the token may not ask sys/capabilities-self, so nobody knows beforehand whether it may do what is planned";

/// Refuses a plan that would stop half way. A warning where the token may not even ask, as one without the policy
/// `default`: it may do it all the same.
pub(crate) fn check(
    vault: &Vault,
    request: &Request,
    plan: &Plan,
) -> Result<Option<String>, Failure> {
    let needs = needs(request, plan);
    if needs.is_empty() {
        return Ok(None);
    }
    let paths: Vec<&str> = needs.iter().map(|(path, _)| path.as_str()).collect();
    let what = "ask what the token may do";
    let granted = match vault.capabilities(&paths) {
        Ok(granted) => granted,
        Err(::vault::Error::PermissionDenied { .. }) => return Ok(Some(UNKNOWN.to_owned())),
        Err(error) => return Err(VaultFailure::server(what)(error)),
    };
    let lacking = |(path, wanted): &Need| {
        let has: Vec<&str> = match granted.get(path) {
            Some(Value::Array(words)) => words.iter().filter_map(Value::as_str).collect(),
            _ => return None,
        };
        let enough = has.contains(&"root") || wanted.iter().any(|word| has.contains(word));
        (!enough).then(|| format!("{} {path}", wanted.join(" or ")))
    };
    let lacking: Vec<String> = needs.iter().filter_map(lacking).collect();
    if lacking.is_empty() {
        return Ok(None);
    }
    Err(VaultFailure::Capabilities { paths: lacking }.into())
}

fn needs(request: &Request, plan: &Plan) -> BTreeSet<Need> {
    let own = |rest: &str| format!("{}/{rest}", request.mount);
    let mut needs = BTreeSet::new();
    for decided in &plan.authorities {
        let issuer = own(&format!("issuer/{}", decided.name));
        for step in &decided.steps {
            needs.extend(of_step(request, step, &issuer));
        }
        if decided.shows_request {
            needs.insert((own("issuers/generate/intermediate/existing"), WRITE));
        }
    }
    if plan
        .revocations
        .iter()
        .flatten()
        .any(|each| each.since.is_none())
    {
        needs.insert((own("revoke"), WRITE));
    }
    if plan.lists.iter().any(|list| !list.reasons.is_empty()) {
        needs.insert((own("crl/rotate"), READ));
    }
    needs
}

fn of_step(request: &Request, step: &Step, issuer: &str) -> Vec<Need> {
    let own = |rest: &str| format!("{}/{rest}", request.mount);
    match step {
        Step::Root(_) => vec![(own("root/generate/internal"), WRITE)],
        Step::RootOfKey(_) => vec![(own("root/generate/existing"), WRITE)],
        Step::Key(_) => vec![(own("intermediate/generate/internal"), WRITE)],
        Step::Sign(signing) => {
            let mut needs = signature(request, signing);
            needs.extend(taking_in(issuer));
            needs
        }
        Step::Bridge(signing) => {
            let mut needs = signature(request, signing);
            needs.retain(|(path, _)| !path.ends_with("/intermediate/generate/internal"));
            needs.push((own("issuers/generate/intermediate/existing"), WRITE));
            needs.extend(taking_in(&own(&format!("issuer/{}", signing.issuer))));
            needs
        }
        Step::Import(import) => {
            let mut needs = vec![(own("intermediate/set-signed"), WRITE)];
            if import.root.is_some() {
                needs.push((format!("{issuer}/sign-verbatim"), WRITE));
            }
            needs.extend(taking_in(issuer));
            needs
        }
        Step::Name(id) => vec![(own(&format!("issuer/{id}")), PATCH)],
        Step::Settings(_) => vec![(issuer.to_owned(), PATCH)],
        Step::Activate => vec![
            (own("config/issuers"), WRITE),
            (format!("{issuer}/sign-verbatim"), WRITE),
            (own("sign-verbatim"), WRITE),
        ],
        Step::Revoke { elsewhere } => {
            let mut needs = vec![(format!("{issuer}/revoke"), WRITE)];
            needs.extend(
                elsewhere
                    .iter()
                    .map(|path| (format!("{path}/revoke"), WRITE)),
            );
            needs
        }
        Step::Remove { key_id } => {
            let key = key_id.iter();
            let key = key.map(|id| (own(&format!("key/{id}")), DELETE));
            std::iter::once((issuer.to_owned(), DELETE))
                .chain(key)
                .collect()
        }
        Step::RemoveKey(id) => vec![(own(&format!("key/{id}")), DELETE)],
    }
}

/// What is taken in gets its name, or is removed again. Both are asked by its identifier, which nobody knows before: its
/// name stands for it.
fn taking_in(issuer: &str) -> [Need; 2] {
    [(issuer.to_owned(), PATCH), (issuer.to_owned(), DELETE)]
}

fn signature(request: &Request, signing: &Signing) -> Vec<Need> {
    let own = |rest: &str| format!("{}/{rest}", request.mount);
    let key = if signing.subject.contains_key("key_ref") {
        own("issuers/generate/intermediate/existing")
    } else {
        own("intermediate/generate/internal")
    };
    let sign = format!(
        "{}/issuer/{}/sign-intermediate",
        signing.parent_mount, signing.parent
    );
    vec![
        (key, WRITE),
        (sign, WRITE),
        (own("intermediate/set-signed"), WRITE),
    ]
}
