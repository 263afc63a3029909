// SPDX-License-Identifier: Apache-2.0
//! An authority whose certificate is signed outside: a request goes out, a chain comes in.

use pki::chain::verify_authority;
use pki::{Certificate, PublicKey};

use super::Context;
use super::authority::{Decided, public, repair};
use super::standing::kept_standing;
use crate::failure::Failure;
use crate::index::Service;
use crate::observe::{ObservedAuthority, ObservedKey, may_sign};
use crate::plan::{
    Act, AuthorityPlan, Change, Install, KeyAtHand, KeyPlan, Reason, RequestIssue, Standing,
};
use crate::request::AuthorityWish;
use crate::spec::{self, Room};

/// State csr: a key and a request, without disturbing a certificate in service.
pub(super) fn request(
    context: &Context<'_>,
    wish: &AuthorityWish,
    found: Option<&ObservedAuthority>,
) -> Result<Decided, Failure> {
    let mut plan = AuthorityPlan::keep(wish.name.clone(), true);
    let before = found.and_then(|found| found.certificate.as_ref());
    let standing = before.map(|certificate| {
        let parent = context.parents.get(&wish.name);
        let parent = parent.and_then(|name| context.standings.get_key_value(name));
        kept_standing(wish.name.clone(), found, certificate, parent)
    });
    let template = spec::subject_part(wish, before, Room::Unlimited);
    let rekey = context.request.regenerate_key.contains(&wish.name);
    let again = rekey || context.request.regenerate.contains(&wish.name);
    if again {
        plan.reasons
            .push(Reason::new("regenerate", "the task asks for a new request"));
    } else if let Some(found) = found
        && (answered(context, wish, found) || waiting(wish, found, &template))
    {
        return Ok((plan, standing));
    } else {
        plan.reasons.push(Reason::new(
            "request_missing",
            "no request of this subject and key is waiting for its certificate",
        ));
    }
    plan.act = Act::Request(Box::new(RequestIssue {
        key: request_key(wish, found, rekey),
        in_service: before.is_some(),
        template,
    }));
    Ok((plan, standing))
}

/// The request has its answer: a certificate as wished, for our key, not yet due.
fn answered(context: &Context<'_>, wish: &AuthorityWish, found: &ObservedAuthority) -> bool {
    let Some(certificate) = &found.certificate else {
        return false;
    };
    let facts = certificate.facts();
    found.current_request.is_some()
        && public(&found.key) == Some(certificate.public_key())
        && spec::drift(wish, certificate).is_empty()
        && wish.warn_before.renew_at(facts.not_before, facts.not_after) > context.now
}

/// A request as wished waits for its certificate.
fn waiting(
    wish: &AuthorityWish,
    found: &ObservedAuthority,
    template: &pki::RequestTemplate,
) -> bool {
    let Some(request) = &found.pending_request else {
        return false;
    };
    let asked = request.template().is_ok_and(|asked| {
        asked.subject == template.subject && asked.basic_constraints == template.basic_constraints
    });
    let key = found
        .pending_key
        .as_ref()
        .map_or_else(|| public(&found.key).cloned(), |key| key.public_key().ok());
    let algorithm = key.as_ref().and_then(PublicKey::algorithm);
    asked
        && key == Some(request.public_key())
        && wish.key.is_none_or(|wished| algorithm == Some(wished))
}

/// The key there is, unless it is lost, of another algorithm than wished, or a new one is asked for.
fn request_key(wish: &AuthorityWish, found: Option<&ObservedAuthority>, rekey: bool) -> KeyPlan {
    let has = found
        .and_then(|found| public(&found.key))
        .and_then(PublicKey::algorithm);
    let had = found.and_then(|found| found.certificate.as_ref()?.public_key().algorithm());
    let other = wish.key.is_some_and(|wished| has != Some(wished));
    let absent = found.is_none_or(|found| !matches!(found.key, ObservedKey::Open { .. }));
    if rekey || absent || other {
        return KeyPlan::New(wish.key.or(has).or(had).unwrap_or(spec::DEFAULT_KEY));
    }
    KeyPlan::Keep
}

/// State signed: everything is checked before anything is changed.
pub(super) fn install(
    context: &Context<'_>,
    wish: &AuthorityWish,
    found: Option<&ObservedAuthority>,
    uploaded: &[Certificate],
    warnings: &mut Vec<String>,
) -> Result<Decided, Failure> {
    let mut plan = AuthorityPlan::keep(wish.name.clone(), true);
    let (found, certificate, promote_key) = ours(wish, found, uploaded)?;
    if found.certificate.as_ref() == Some(certificate)
        && uploaded.iter().all(|each| is_installed(found, each))
    {
        let mut standing = kept_standing(wish.name.clone(), Some(found), certificate, None);
        repair(&mut plan, found, &mut standing);
        return Ok((plan, Some(standing)));
    }
    let pool = uploaded
        .iter()
        .chain(authorities_of_tree(context))
        .cloned()
        .collect();
    let verified =
        verify_authority(pool, certificate.public_key(), context.now, true).map_err(|source| {
            Failure::UploadChain {
                authority: wish.name.clone(),
                source: Box::new(source),
            }
        })?;
    if verified.certificate() != certificate {
        return Err(refusal(
            wish,
            "signed.ambiguous",
            "is one of several for the same key; upload only one".to_owned(),
        ));
    }
    if verified.root() == certificate {
        return Err(refusal(
            wish,
            "signed.self_signed",
            "is self-signed; upload what the authority outside has signed".to_owned(),
        ));
    }
    compare(wish, certificate, warnings);
    let standing = installed_standing(wish, found, certificate, verified.chain());
    plan.reasons.push(Reason::new(
        "uploaded",
        format!("certificate {} is uploaded", certificate.facts().serial),
    ));
    plan.act = Act::Install(Box::new(Install {
        certificate: certificate.clone(),
        above: verified.chain(),
        promote_key,
    }));
    repair(&mut plan, found, &mut standing.clone());
    Ok((plan, Some(standing)))
}

/// The uploaded certificate of our key, and whether that is the key of the pending request.
fn ours<'a>(
    wish: &AuthorityWish,
    found: Option<&'a ObservedAuthority>,
    uploaded: &'a [Certificate],
) -> Result<(&'a ObservedAuthority, &'a Certificate, bool), Failure> {
    let pending = found
        .and_then(|found| found.pending_key.as_ref())
        .and_then(|key| key.public_key().ok());
    let current = found.and_then(|found| public(&found.key)).cloned();
    let (Some(found), true) = (found, pending.is_some() || current.is_some()) else {
        return Err(refusal(
            wish,
            "signed.no_key",
            "has no key here; use state csr first and have its request signed".to_owned(),
        ));
    };
    for (key, promote) in [(&pending, true), (&current, false)] {
        let of_key = |each: &&Certificate| key.as_ref() == Some(each.public_key());
        let mut candidates: Vec<_> = uploaded.iter().filter(of_key).collect();
        candidates.sort_by_key(|each| {
            (
                each.is_self_issued(),
                std::cmp::Reverse(each.facts().not_after),
            )
        });
        if let Some(certificate) = candidates.first() {
            return Ok((found, certificate, promote));
        }
    }
    let subjects: Vec<String> = uploaded
        .iter()
        .map(|each| format!("'{}'", each.facts().subject))
        .collect();
    Err(refusal(
        wish,
        "signed.key_mismatch",
        format!(
            "is for another key than the request's; uploaded are {}",
            subjects.join(", ")
        ),
    ))
}

fn refusal(wish: &AuthorityWish, fault: &'static str, problem: String) -> Failure {
    Failure::Upload {
        authority: wish.name.clone(),
        fault,
        problem,
    }
}

fn is_installed(found: &ObservedAuthority, certificate: &Certificate) -> bool {
    found
        .chain
        .as_ref()
        .is_some_and(|chain| chain.contains(certificate))
}

/// Authorities of the tree may complete the uploaded chain.
fn authorities_of_tree<'a>(context: &'a Context<'_>) -> impl Iterator<Item = &'a Certificate> {
    let current = context
        .observed
        .authorities
        .values()
        .filter_map(|found| found.certificate.as_ref());
    current.filter(|certificate| may_sign(certificate))
}

/// An authority outside may sign something else than was asked for; that is worth a word.
fn compare(wish: &AuthorityWish, certificate: &Certificate, warnings: &mut Vec<String>) {
    for difference in spec::drift(wish, certificate) {
        warnings.push(format!(
            "the certificate uploaded for authority '{}' differs from what is wished: {difference}",
            wish.name
        ));
    }
}

fn installed_standing(
    wish: &AuthorityWish,
    found: &ObservedAuthority,
    certificate: &Certificate,
    above: Vec<Certificate>,
) -> Standing {
    let before = found.certificate.as_ref();
    let same = before.is_some_and(|before| {
        before.public_key() == certificate.public_key()
            && before.facts().subject_der == certificate.facts().subject_der
    });
    let mut standing = kept_standing(wish.name.clone(), Some(found), certificate, None);
    standing.above = above;
    standing.key = KeyAtHand::Yes;
    standing.change = if same {
        Change::Certificate
    } else {
        Change::Identity
    };
    standing.service = match found.index.service {
        Service::Active => Service::Active,
        _ => Service::Present,
    };
    standing
}
