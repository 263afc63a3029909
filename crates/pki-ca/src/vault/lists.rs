// SPDX-License-Identifier: Apache-2.0
//! Revocation lists: the server makes them, the task looks whether they are fresh.

use pki::crl::RevocationList;

use super::decide::Context;
use super::observe::ObservedIssuer;
use super::plan::ListPlan;
use crate::failure::Failed;
use crate::names::AuthorityName;
use crate::plan::Reason;
use crate::request::Selection;

/// Decides on the lists that the task asks for.
pub(crate) fn decide(context: &Context<'_>, failed: &mut Vec<Failed>) -> Vec<ListPlan> {
    let names: Vec<AuthorityName> = match &context.request.crl.authorities {
        None => Vec::new(),
        Some(Selection::Names(names)) => names.iter().cloned().collect(),
        Some(Selection::All) => context
            .mount
            .issuers
            .iter()
            .filter(|issuer| issuer.key_id.is_some())
            .filter_map(|issuer| AuthorityName::new(&issuer.name).ok())
            .collect(),
    };
    let mut lists = Vec::new();
    for name in names {
        match context.issuer(&name) {
            Ok(issuer) => lists.push(one(context, name, issuer)),
            Err(failure) => failed.push(Failed {
                item: format!("crl[{name}]"),
                failure,
            }),
        }
    }
    lists
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
