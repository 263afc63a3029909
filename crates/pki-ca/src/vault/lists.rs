// SPDX-License-Identifier: Apache-2.0
//! Revocation lists: the server makes them, the task looks whether they are fresh.

use pki::KeyUsage;
use pki::crl::RevocationList;

use super::decide::Context;
use super::failure::VaultFailure;
use super::observe::ObservedIssuer;
use super::plan::ListPlan;
use crate::failure::{Failed, Failure};
use crate::names::AuthorityName;
use crate::plan::Reason;
use crate::request::Selection;

/// The usage that lets an issuer sign lists.
const CRL_SIGNING: &str = "crl-signing";

/// Decides on the lists that the task asks for.
pub(crate) fn decide(context: &Context<'_>, failed: &mut Vec<Failed>) -> Vec<ListPlan> {
    let names: Vec<AuthorityName> = match &context.request.crl.authorities {
        None => Vec::new(),
        Some(Selection::Names(names)) => names.iter().cloned().collect(),
        Some(Selection::All) => context
            .mount
            .issuers
            .iter()
            .filter(|issuer| has_lists(context, issuer))
            .filter_map(|issuer| AuthorityName::new(&issuer.name).ok())
            .collect(),
    };
    let mut lists = Vec::new();
    for name in names {
        match wanted(context, name.clone()) {
            Ok(list) => lists.push(list),
            Err(failure) => failed.push(Failed {
                item: format!("crl[{name}]"),
                failure,
            }),
        }
    }
    lists
}

/// The list of an issuer that the task names. One that is due and that the server would never make is an error, not a
/// change in every run.
fn wanted(context: &Context<'_>, name: AuthorityName) -> Result<ListPlan, Failure> {
    let issuer = context.issuer(&name)?;
    let list = one(context, name, issuer);
    if list.reasons.is_empty() || has_lists(context, issuer) {
        return Ok(list);
    }
    let (authority, mount) = (list.authority, context.request.mount.clone());
    Err(match issuer.key_id {
        None => VaultFailure::Keyless { authority, mount },
        Some(_) => VaultFailure::NoLists { authority, mount },
    }
    .into())
}

/// Whether the server makes lists for it: by the issuer itself, or by another with its key and its subject.
fn has_lists(context: &Context<'_>, issuer: &ObservedIssuer) -> bool {
    let name = &issuer.certificate.facts().subject_der;
    let mut issuers = context.mount.issuers.iter();
    issuer.key_id.is_some()
        && issuers.any(|other| {
            other.key_id == issuer.key_id
                && other.certificate.facts().subject_der == *name
                && signs_lists(other)
        })
}

/// The server takes the usage from issuers whose certificate does not allow it; older ones find out when they sign.
fn signs_lists(issuer: &ObservedIssuer) -> bool {
    let usages = &issuer.certificate.facts().key_usage;
    let is_allowed = usages.is_empty() || usages.contains(&KeyUsage::CrlSign);
    is_allowed && issuer.usage.iter().any(|usage| usage == CRL_SIGNING)
}

fn one(context: &Context<'_>, authority: AuthorityName, issuer: &ObservedIssuer) -> ListPlan {
    let list = context.observed.lists.get(&issuer.id);
    let mut plan = ListPlan {
        authority,
        id: issuer.id.clone(),
        reasons: Vec::new(),
        number: list.and_then(RevocationList::number),
        next_update: list.and_then(RevocationList::next_update),
    };
    let Some(list) = list else {
        plan.reasons
            .push(Reason::new("missing", "there is no list yet"));
        return plan;
    };
    if !list.is_signed_by(&issuer.certificate) {
        let detail = "the list is not signed by the key of the issuer";
        plan.reasons.push(Reason::new("issuer", detail));
    }
    let Some(next) = list.next_update() else {
        return plan;
    };
    let due = context
        .request
        .crl
        .renew_before
        .renew_at(list.this_update(), next);
    if due <= context.now {
        let detail = format!("next update is {next}, due since {due}");
        plan.reasons.push(Reason::new("expiry", detail));
    }
    plan
}
