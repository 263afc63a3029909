// SPDX-License-Identifier: Apache-2.0
//! An authority that the server makes: a root, an intermediate below another issuer, or a key signed once more.

use super::super::failure::VaultFailure;
use super::super::observe::{ObservedIssuer, ObservedKey};
use super::super::plan::{AuthorityPlan, Predicted, Signing, Step};
use super::super::request::Wish;
use super::super::subject;
use super::body::{certificate_body, key_body, kind_of};
use super::signer::{self, Signer, path_length};
use super::{Context, bridge, drift, existing, settings, state_of};
use crate::failure::{Difference, Failure};
use crate::plan::Reason;
use crate::request::{AuthorityKind, State};

/// A new issuer.
pub(super) fn make(
    context: &Context<'_>,
    wish: &Wish,
    warnings: &mut Vec<String>,
) -> Result<AuthorityPlan, Failure> {
    let mut plan = AuthorityPlan::keep(wish.name().clone(), "present");
    if wish.base.kind == AuthorityKind::Root {
        root(context, wish, &mut plan)?;
    } else {
        intermediate(context, wish, &mut plan, warnings)?;
    }
    let is_first = context
        .mount
        .issuers
        .iter()
        .all(|issuer| issuer.key_id.is_none());
    if wish.base.state == State::Active {
        existing::activate(context, wish, &mut plan);
    } else if is_first && context.mount.default_issuer().is_none() {
        // The server makes the first issuer with a key its default by itself.
        plan.state = if context.made.is_empty() {
            "active"
        } else {
            "present"
        };
    }
    bridge::add_new(context, wish, &mut plan)?;
    Ok(plan)
}

fn root(context: &Context<'_>, wish: &Wish, plan: &mut AuthorityPlan) -> Result<(), Failure> {
    let ttl = wish.base.ttl;
    if let Some(allowed) = context.mount.max_ttl.filter(|allowed| ttl.0 > *allowed) {
        return Err(VaultFailure::Ttl {
            authority: wish.name().clone(),
            mount: context.request.mount.clone(),
            wished: ttl.0,
            allowed,
        }
        .into());
    }
    let mut body = certificate_body(context, wish, wish.base.path_length);
    body.insert("issuer_name".to_owned(), wish.name().as_str().into());
    body.insert("ttl".to_owned(), format!("{}s", ttl.0).into());
    let step = match context.mount.key(&wish.key_name) {
        Some(key) => {
            check_kind(wish, key)?;
            body.insert("key_ref".to_owned(), key.id.as_str().into());
            Step::RootOfKey(body)
        }
        None => {
            body.extend(key_body(wish));
            Step::Root(body)
        }
    };
    plan.add(step, Reason::new("missing", "there is no such issuer yet"));
    plan.predicted = Some(Predicted {
        subject: wish.base.names.subject().clone(),
        not_after: context.now + ttl,
    });
    settings::of_new(context, wish, false, plan)
}

fn intermediate(
    context: &Context<'_>,
    wish: &Wish,
    plan: &mut AuthorityPlan,
    warnings: &mut Vec<String>,
) -> Result<(), Failure> {
    if wish.base.parent.is_none() || wish.base.state == State::CrossSigned {
        return Err(Failure::NoIssuer {
            authority: wish.name().clone(),
        });
    }
    let signer = signer::find(context, wish)?;
    let key = context.mount.key(&wish.key_name);
    if let Some(key) = key {
        check_kind(wish, key)?;
    }
    if let Some(left) = nameless(context, wish, key, &signer) {
        plan.add(
            Step::Name(left.id.clone()),
            Reason::new(
                "unnamed",
                "an earlier run was cut before the issuer got its name",
            ),
        );
        plan.state = state_of(left);
        return settings::of_new(context, wish, true, plan);
    }
    let signing = signing(context, wish, &signer, plan, warnings)?;
    plan.add(
        Step::Sign(Box::new(signing)),
        Reason::new("missing", "there is no such issuer yet"),
    );
    settings::of_new(context, wish, true, plan)
}

/// What an earlier run has taken in, but not named any more.
fn nameless<'a>(
    context: &'a Context<'_>,
    wish: &Wish,
    key: Option<&ObservedKey>,
    signer: &Signer,
) -> Option<&'a ObservedIssuer> {
    let key = key?;
    let signer = signer.certificate()?;
    let mut issuers = context.mount.issuers.iter();
    issuers.find(|issuer| {
        issuer.name.is_empty()
            && issuer.key_id.as_ref() == Some(&key.id)
            && issuer.certificate.signed_by(signer)
            && drift::of_certificate(wish, &issuer.certificate).is_empty()
    })
}

fn signing(
    context: &Context<'_>,
    wish: &Wish,
    signer: &Signer,
    plan: &mut AuthorityPlan,
    warnings: &mut Vec<String>,
) -> Result<Signing, Failure> {
    let length = path_length(wish, signer)?;
    let end = context.now + wish.base.ttl;
    let not_after = end.min(signer.not_after());
    if not_after < end {
        warnings.push(format!(
            "authority '{}' will end with '{}' at {not_after}, before its ttl",
            wish.name(),
            signer.label()
        ));
    }
    let mut body = certificate_body(context, wish, length);
    body.insert("not_after".to_owned(), not_after.to_string().into());
    plan.predicted = Some(Predicted {
        subject: wish.base.names.subject().clone(),
        not_after,
    });
    let mut request = subject::fields(wish.base.names.subject());
    request.insert("exclude_cn_from_sans".to_owned(), true.into());
    match context.mount.key(&wish.key_name) {
        Some(key) => drop(request.insert("key_ref".to_owned(), key.id.as_str().into())),
        None => request.extend(key_body(wish)),
    }
    Ok(Signing {
        issuer: wish.name().to_string(),
        subject: request,
        body,
        parent: signer.label().to_owned(),
        parent_mount: wish.parent_mount.clone(),
    })
}

/// A key of another kind than wished.
pub(super) fn check_kind(wish: &Wish, key: &ObservedKey) -> Result<(), Failure> {
    let Some(wished) = wish.base.key else {
        return Ok(());
    };
    let (kind, _) = kind_of(wished);
    match &key.kind {
        Some(has) if has != kind => Err(VaultFailure::Drift {
            authority: wish.name().clone(),
            differences: vec![Difference {
                what: "key",
                existing: format!("{has} (key '{}')", wish.key_name),
                wished: wished.to_string(),
            }],
        }
        .into()),
        _ => Ok(()),
    }
}
