// SPDX-License-Identifier: Apache-2.0
//! Revocation lists: which are due.

use std::collections::BTreeSet;

use pki::Serial;
use pki::crl::RevocationList;

use crate::decide::Context;
use crate::failure::Failed;
use crate::names::AuthorityName;
use crate::plan::{Change, KeyAtHand, ListPlan, Plan, Reason, Standing};
use crate::request::Selection;

/// Decides on the lists of all authorities that will exist.
pub(crate) fn decide(context: &Context<'_>, plan: &mut Plan) -> Vec<ListPlan> {
    let mut lists = Vec::new();
    for (name, standing) in &context.standings {
        let revoked = newly_revoked(plan, name);
        if !is_wanted(context, name, &revoked) {
            continue;
        }
        let reasons = reasons(context, name, standing, &revoked);
        if reasons.is_empty() || standing.key == KeyAtHand::Yes {
            lists.push(ListPlan {
                authority: name.clone(),
                reasons,
            });
        } else {
            no_key(context, plan, name, standing);
        }
    }
    unknown_names(context, plan);
    lists
}

/// A key that is kept elsewhere fails the task only where the list is asked for by name.
fn no_key(context: &Context<'_>, plan: &mut Plan, name: &AuthorityName, standing: &Standing) {
    let Err(failure) = context.check_key(name, standing) else {
        return;
    };
    let by_name = match &context.request.crl.authorities {
        Some(Selection::Names(names)) => names.contains(name),
        _ => false,
    };
    if by_name {
        plan.failed.push(Failed {
            item: format!("crl[{name}]"),
            failure,
        });
    } else {
        plan.warnings
            .push(format!("the revocation list of '{name}' is due: {failure}"));
    }
}

fn unknown_names(context: &Context<'_>, plan: &mut Plan) {
    let Some(Selection::Names(names)) = &context.request.crl.authorities else {
        return;
    };
    for name in names {
        if let Err(failure) = context.standing(name, name) {
            plan.failed.push(Failed {
                item: format!("crl[{name}]"),
                failure,
            });
        }
    }
}

/// What this task revokes under `name`.
fn newly_revoked(plan: &Plan, name: &AuthorityName) -> BTreeSet<Serial> {
    let entries = plan.revocations.iter().flatten();
    let leaves = entries
        .filter(|revocation| &revocation.authority == name && !revocation.already)
        .map(|revocation| revocation.revocation.serial.clone());
    let authorities = plan
        .authorities
        .iter()
        .filter_map(|decided| decided.revoke.as_ref());
    let below = authorities.filter(|revoke| &revoke.parent == name);
    leaves
        .chain(below.flat_map(|revoke| revoke.serials.clone()))
        .collect()
}

/// Asked for, or there already, or something is revoked.
fn is_wanted(context: &Context<'_>, name: &AuthorityName, revoked: &BTreeSet<Serial>) -> bool {
    let asked = context
        .request
        .crl
        .authorities
        .as_ref()
        .is_some_and(|selection| selection.contains(name));
    let found = context.observed.authorities.get(name);
    asked
        || !revoked.is_empty()
        || found.is_some_and(|found| found.crl.is_some() || !found.index.revoked.is_empty())
}

fn reasons(
    context: &Context<'_>,
    name: &AuthorityName,
    standing: &Standing,
    revoked: &BTreeSet<Serial>,
) -> Vec<Reason> {
    let found = context.observed.authorities.get(name);
    let mut reasons = Vec::new();
    if !revoked.is_empty() {
        reasons.push(Reason::new(
            "revoked",
            format!("{} more revoked", revoked.len()),
        ));
    }
    match found.and_then(|found| found.crl.as_ref()) {
        None => reasons.push(Reason::new("missing", "there is no list yet")),
        Some(Err(problem)) => reasons.push(Reason::new("unreadable", problem.clone())),
        Some(Ok(list)) => reasons.extend(list_reasons(context, standing, list)),
    }
    if let Some(found) = found
        && let Some(Ok(list)) = &found.crl
    {
        let listed: BTreeSet<_> = list.revocations().iter().map(|each| &each.serial).collect();
        let noted: BTreeSet<_> = found
            .index
            .revoked
            .iter()
            .map(|each| &each.serial)
            .collect();
        if listed != noted {
            reasons.push(Reason::new("entries", "the list and the index differ"));
        }
    }
    reasons
}

fn list_reasons(context: &Context<'_>, standing: &Standing, list: &RevocationList) -> Vec<Reason> {
    let mut reasons = Vec::new();
    let signed = standing
        .certificate
        .as_ref()
        .map(|certificate| list.is_signed_by(certificate));
    if standing.change == Change::Identity || signed == Some(false) {
        reasons.push(Reason::new(
            "issuer",
            "the authority has another key or name than the list",
        ));
    }
    let Some(next) = list.next_update() else {
        reasons.push(Reason::new("expiry", "the list says no next update"));
        return reasons;
    };
    let due = context
        .request
        .crl
        .renew_before
        .renew_at(list.this_update(), next);
    if due <= context.now {
        reasons.push(Reason::new(
            "expiry",
            format!("next update is {next}, due since {due}"),
        ));
    }
    reasons
}
