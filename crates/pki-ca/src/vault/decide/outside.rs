// SPDX-License-Identifier: Apache-2.0
//! An authority that is signed outside: a request goes out, a chain comes in. What is in service stays there.

use super::super::failure::VaultFailure;
use super::super::observe::{ObservedIssuer, ObservedKey};
use super::super::plan::{AuthorityPlan, Step};
use super::super::request::Wish;
use super::super::subject;
use super::upload::{self, Against};
use super::{Context, body, drift, made, settings, state_of};
use crate::failure::{Difference, Failure};
use crate::plan::Reason;

/// State csr: a key in the server and its request.
pub(super) fn request(
    context: &Context<'_>,
    wish: &Wish,
    found: Option<&ObservedIssuer>,
) -> Result<AuthorityPlan, Failure> {
    if let Some(issuer) = found {
        return answered(context, wish, issuer);
    }
    let mut plan = AuthorityPlan::keep(wish.name().clone(), "csr");
    let key = context.mount.key(&wish.key_name);
    match key {
        Some(key) => made::check_kind(wish, key)?,
        None => {
            let mut body = subject::fields(wish.base.names.subject());
            body.insert("exclude_cn_from_sans".to_owned(), true.into());
            body.extend(body::key_body(wish));
            plan.add(
                Step::Key(body),
                Reason::new("request_missing", "there is no key of this name yet"),
            );
        }
    }
    plan.shows_request = true;
    plan.writes_request = wish.csr_path.is_some() && !is_written(context, wish, key);
    if plan.writes_request {
        plan.reasons.push(Reason::new(
            "file",
            "the file does not hold a request of this subject and key",
        ));
        if plan.steps.is_empty() {
            plan.action = "repaired";
        }
    }
    Ok(plan)
}

/// The request has its answer: the issuer of this name.
fn answered(
    context: &Context<'_>,
    wish: &Wish,
    issuer: &ObservedIssuer,
) -> Result<AuthorityPlan, Failure> {
    if issuer.key_id.is_none() {
        return Err(VaultFailure::Keyless {
            authority: wish.name().clone(),
            mount: context.request.mount.clone(),
        }
        .into());
    }
    drift::check(wish, issuer, None)?;
    Ok(AuthorityPlan::keep(wish.name().clone(), state_of(issuer)))
}

/// The file holds a request for this key and subject; two requests of one key differ in their signature.
fn is_written(context: &Context<'_>, wish: &Wish, key: Option<&ObservedKey>) -> bool {
    let Some(request) = context.observed.requests.get(wish.name()) else {
        return false;
    };
    let same_key = key.is_some_and(|key| key.is(&request.public_key()));
    let same_subject = request
        .template()
        .is_ok_and(|asked| subject::same(&asked.subject, wish.base.names.subject()));
    same_key && same_subject && request.verify_signature().is_ok()
}

/// State signed: everything is checked before anything is sent.
pub(super) fn install(
    context: &Context<'_>,
    wish: &Wish,
    found: Option<&ObservedIssuer>,
    warnings: &mut Vec<String>,
) -> Result<AuthorityPlan, Failure> {
    if let Some(issuer) = found {
        return installed(context, wish, issuer);
    }
    let mut plan = AuthorityPlan::keep(wish.name().clone(), "present");
    let Some(key) = context.mount.key(&wish.key_name) else {
        return Err(upload::refusal(
            wish,
            "signed.no_key",
            format!(
                "has no key '{}' in mount '{}'; use state csr first and have its request signed",
                wish.key_name, context.request.mount
            ),
        ));
    };
    let against = Against {
        wish,
        key,
        mount: context.mount,
        domains: &context.observed.domains,
        now: context.now,
    };
    let import = upload::check(&against, warnings)?;
    let same = |issuer: &&ObservedIssuer| issuer.certificate == import.certificate;
    match context.mount.issuers.iter().find(same) {
        Some(left) if left.name.is_empty() => {
            plan.add(
                Step::Name(left.id.clone()),
                Reason::new(
                    "unnamed",
                    "an earlier run was cut before the issuer got its name",
                ),
            );
            plan.state = state_of(left);
        }
        Some(other) => {
            return Err(VaultFailure::Drift {
                authority: wish.name().clone(),
                differences: vec![Difference {
                    what: "name",
                    existing: other.name.clone(),
                    wished: wish.name().to_string(),
                }],
            }
            .into());
        }
        None => {
            let serial = import.certificate.facts().serial.to_string();
            plan.add(
                Step::Import(Box::new(import)),
                Reason::new("uploaded", format!("certificate {serial} is uploaded")),
            );
        }
    }
    if context.mount.default_issuer().is_none() {
        // The server makes the first issuer with a key its default by itself.
        plan.state = "active";
    }
    settings::of_new(context, wish, true, &mut plan)?;
    Ok(plan)
}

/// The same again changes nothing; another certificate under the same name is none of this issuer.
fn installed(
    context: &Context<'_>,
    wish: &Wish,
    issuer: &ObservedIssuer,
) -> Result<AuthorityPlan, Failure> {
    let mut plan = AuthorityPlan::keep(wish.name().clone(), state_of(issuer));
    if !wish.uploaded().contains(&issuer.certificate) {
        let uploaded = wish.uploaded().first();
        return Err(VaultFailure::Drift {
            authority: wish.name().clone(),
            differences: vec![Difference {
                what: "signed",
                existing: issuer.certificate.facts().serial.to_string(),
                wished: uploaded.map_or_else(String::new, |each| each.facts().serial.to_string()),
            }],
        }
        .into());
    }
    let issuing = issuer.is_issuing();
    settings::compare(context, wish, issuer, issuing, &mut plan)?;
    Ok(plan)
}
