// SPDX-License-Identifier: Apache-2.0
//! Settings of an issuer that may change: what it may be used for, its chain, leaves that would outlive it.

use super::super::observe::{ISSUING, ObservedIssuer};
use super::super::plan::{AuthorityPlan, Settings, Step};
use super::super::request::Wish;
use super::{Context, bridge_of};
use crate::failure::Failure;
use crate::plan::Reason;

/// What differs of an issuer that is there; `issuing` says whether it shall sign.
pub(super) fn compare(
    context: &Context<'_>,
    wish: &Wish,
    issuer: &ObservedIssuer,
    issuing: bool,
    plan: &mut AuthorityPlan,
) -> Result<(), Failure> {
    let mut settings = Settings::default();
    let mut reasons = Vec::new();
    if issuer.is_issuing() != issuing {
        settings.usage = Some(usage(issuer, issuing));
        let word = if issuing {
            "signs again"
        } else {
            "signs no more certificates"
        };
        reasons.push(Reason::new("service", word));
    }
    if let Some(wished) = &wish.leaf_not_after
        && *wished != issuer.leaf_not_after
    {
        reasons.push(Reason::new(
            "leaf_not_after_behavior",
            format!("is '{}', wished is '{wished}'", issuer.leaf_not_after),
        ));
        settings.leaf_not_after = Some(wished.clone());
    }
    if let Some(chain) = chain(context, wish)?
        && ids(context, &chain) != issuer.manual_chain
    {
        reasons.push(Reason::new(
            "chain",
            "is served with another chain than wished",
        ));
        settings.chain = Some(chain);
    }
    if let Some(first) = join(reasons) {
        plan.add(Step::Settings(settings), first);
    }
    Ok(())
}

/// The settings of an issuer that is to be made: only what is not the server's default.
pub(super) fn of_new(
    context: &Context<'_>,
    wish: &Wish,
    is_intermediate: bool,
    plan: &mut AuthorityPlan,
) -> Result<(), Failure> {
    // A lifetime that would end after an intermediate's is cut, as it would be by hand; a root's leaves are refused.
    let default = is_intermediate.then(|| "truncate".to_owned());
    let settings = Settings {
        usage: None,
        leaf_not_after: wish.leaf_not_after.clone().or(default),
        chain: chain(context, wish)?.filter(|chain| !chain.is_empty()),
    };
    if settings != Settings::default() {
        plan.add(
            Step::Settings(settings),
            Reason::new("settings", "the new issuer gets its settings"),
        );
    }
    Ok(())
}

fn join(reasons: Vec<Reason>) -> Option<Reason> {
    let mut reasons = reasons.into_iter();
    let mut first = reasons.next()?;
    for more in reasons {
        first.detail = format!("{}; {} {}", first.detail, more.kind, more.detail);
    }
    Some(first)
}

fn usage(issuer: &ObservedIssuer, issuing: bool) -> Vec<String> {
    let mut usage = issuer.usage.clone();
    usage.retain(|word| word != ISSUING);
    if issuing {
        usage.push(ISSUING.to_owned());
        usage.sort();
    }
    usage
}

/// The wished chain with the issuer itself first; empty to leave it to the server.
fn chain(context: &Context<'_>, wish: &Wish) -> Result<Option<Vec<String>>, Failure> {
    let Some(wished) = &wish.chain_issuers else {
        return Ok(None);
    };
    let own = wish.name().as_str();
    let mut chain = wished.clone();
    if !chain.is_empty() && chain.first().is_none_or(|first| first != own) {
        chain.insert(0, own.to_owned());
    }
    for name in chain.iter().filter(|name| *name != own) {
        if context.mount.referred(name).is_none() && !will_be(context, name) {
            return Err(context.missing(name));
        }
    }
    Ok(Some(chain))
}

/// Whether another authority of the task makes it.
fn will_be(context: &Context<'_>, name: &str) -> bool {
    let mut others = context.request.authorities.iter();
    others.any(|other| other.name().as_str() == name || bridge_of(other).as_deref() == Some(name))
}

/// As the server stores it; what is not there yet stays a name, which no identifier equals.
fn ids(context: &Context<'_>, chain: &[String]) -> Vec<String> {
    let id = |name: &String| match context.mount.referred(name) {
        Some(issuer) => issuer.id.clone(),
        None => name.clone(),
    };
    chain.iter().map(id).collect()
}
