// SPDX-License-Identifier: Apache-2.0
//! An authority that the server makes: a root, an intermediate below another issuer, or a key signed once more.

use pki::{Certificate, Curve, KeyAlgorithm, Lifetime, Timestamp};
use serde_json::{Map, Value, json};

use super::super::failure::VaultFailure;
use super::super::observe::{ObservedIssuer, ObservedKey};
use super::super::plan::{AuthorityPlan, Predicted, Signing, Step};
use super::super::request::Wish;
use super::super::subject;
use super::{Context, drift, existing, settings, state_of};
use crate::failure::{Difference, Failure};
use crate::plan::Reason;
use crate::request::{AuthorityKind, State};

/// Who signs: an issuer that is there, or one that this task makes.
#[derive(Debug)]
pub(super) enum Signer {
    /// There.
    Found(Box<ObservedIssuer>),
    /// To be made.
    Made(String, Predicted, Option<u8>),
}

impl Signer {
    pub(super) fn certificate(&self) -> Option<&Certificate> {
        match self {
            Self::Found(issuer) => Some(&issuer.certificate),
            Self::Made(..) => None,
        }
    }

    pub(super) fn label(&self) -> &str {
        match self {
            Self::Found(issuer) => issuer.label(),
            Self::Made(name, ..) => name,
        }
    }

    fn not_after(&self) -> Timestamp {
        match self {
            Self::Found(issuer) => issuer.certificate.facts().not_after,
            Self::Made(_, predicted, _) => predicted.not_after,
        }
    }

    /// How many authorities may follow below it.
    fn path_length(&self) -> Option<u8> {
        match self {
            Self::Found(issuer) => {
                let constraints = issuer.certificate.facts().basic_constraints;
                constraints.and_then(|constraints| constraints.path_length)
            }
            Self::Made(.., length) => *length,
        }
    }
}

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
    if wish.base.state == State::CrossSigned {
        return Err(context.missing(wish.name().as_str()));
    }
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
    let signer = signer(context, wish)?;
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
        subject_der: None,
    })
}

/// The key of `issuer` signed by `signer`: the same subject, no more rights, no longer life.
pub(super) fn bridge(
    context: &Context<'_>,
    wish: &Wish,
    issuer: &ObservedIssuer,
    name: &str,
    signer: &Signer,
) -> Result<Signing, Failure> {
    let facts = issuer.certificate.facts();
    let foreign = subject::without_field(&facts.subject);
    if !foreign.is_empty() {
        return Err(VaultFailure::Subject {
            authority: wish.name().clone(),
            attributes: foreign,
        }
        .into());
    }
    let own = facts.basic_constraints.and_then(|each| each.path_length);
    let room = room_below(signer)?;
    let length = match (own, room) {
        (Some(own), Some(room)) => Some(own.min(room)),
        (own, room) => own.or(room),
    };
    let mut request = subject::fields(&facts.subject);
    request.insert("exclude_cn_from_sans".to_owned(), true.into());
    let mut body = request.clone();
    let not_after = facts.not_after.min(signer.not_after());
    body.insert("not_after".to_owned(), not_after.to_string().into());
    body.insert("max_path_length".to_owned(), length_value(length));
    body.insert(
        "not_before_duration".to_owned(),
        backdate(context, not_after),
    );
    let permitted = facts.name_constraints.as_ref();
    if let Some(permitted) = permitted.filter(|each| !each.permitted_dns.is_empty()) {
        let domains = json!(permitted.permitted_dns);
        body.insert("permitted_dns_domains".to_owned(), domains);
    }
    // Its key, which an issuer that can sign has.
    request.insert("key_ref".to_owned(), json!(issuer.key_id));
    Ok(Signing {
        issuer: name.to_owned(),
        subject: request,
        body,
        parent: signer.label().to_owned(),
        parent_mount: wish.parent_mount.clone(),
        subject_der: Some(facts.subject_der.clone()),
    })
}

/// The wished signer, if it can sign.
pub(super) fn signer(context: &Context<'_>, wish: &Wish) -> Result<Signer, Failure> {
    let Some(parent) = &wish.base.parent else {
        return Err(Failure::NoIssuer {
            authority: wish.name().clone(),
        });
    };
    let own_mount = wish.parent_mount == context.request.mount;
    if own_mount && context.failed.contains(parent) {
        return Err(Failure::Dependency {
            authority: wish.name().clone(),
            on: parent.clone(),
        });
    }
    let mount = context.observed.mount(&wish.parent_mount);
    if let Some(found) = mount.referred(parent.as_str()) {
        check_signer(context, wish, found)?;
        return Ok(Signer::Found(Box::new(found.clone())));
    }
    match context.made.get(parent).filter(|_| own_mount) {
        Some(predicted) => {
            let length = context.request.authority(parent).and_then(|parent| {
                let is_root = parent.base.kind == AuthorityKind::Root;
                parent.base.path_length.or((!is_root).then_some(0))
            });
            Ok(Signer::Made(parent.to_string(), predicted.clone(), length))
        }
        None => Err(VaultFailure::Missing {
            authority: parent.to_string(),
            mount: wish.parent_mount.clone(),
        }
        .into()),
    }
}

fn check_signer(context: &Context<'_>, wish: &Wish, found: &ObservedIssuer) -> Result<(), Failure> {
    let name = wish
        .base
        .parent
        .clone()
        .unwrap_or_else(|| wish.name().clone());
    let facts = found.certificate.facts();
    if found.revoked || !found.is_issuing() {
        let state = if found.revoked { "revoked" } else { "retired" };
        return Err(Failure::AuthorityOutOfService {
            authority: name,
            state,
        });
    }
    if found.key_id.is_none() {
        return Err(VaultFailure::Keyless {
            authority: name,
            mount: wish.parent_mount.clone(),
        }
        .into());
    }
    if facts.not_after <= context.now {
        return Err(Failure::AuthorityExpired {
            authority: name,
            not_after: facts.not_after,
        });
    }
    Ok(())
}

/// How many authorities may follow below one that `signer` signs; an error if it may sign none.
fn room_below(signer: &Signer) -> Result<Option<u8>, Failure> {
    let Some(allowed) = signer.path_length() else {
        return Ok(None);
    };
    match (
        allowed.checked_sub(1),
        crate::names::AuthorityName::new(signer.label()),
    ) {
        (Some(room), _) => Ok(Some(room)),
        (None, Ok(authority)) => Err(Failure::PathLength {
            authority,
            allowed,
            wished: "0".to_owned(),
        }),
        // The server takes only names that are names here.
        (None, Err(_)) => Ok(Some(0)),
    }
}

/// An intermediate signs no authorities unless it is told how many.
fn path_length(wish: &Wish, signer: &Signer) -> Result<Option<u8>, Failure> {
    let wished = wish.base.path_length.unwrap_or(0);
    match room_below(signer)? {
        Some(room) if wished > room => Err(Failure::PathLength {
            authority: wish
                .base
                .parent
                .clone()
                .unwrap_or_else(|| wish.name().clone()),
            allowed: room.saturating_add(1),
            wished: wished.to_string(),
        }),
        _ => Ok(Some(wished)),
    }
}

/// A key of another kind than wished.
fn check_kind(wish: &Wish, key: &ObservedKey) -> Result<(), Failure> {
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

/// `key_type` and `key_bits`.
pub(super) fn kind_of(algorithm: KeyAlgorithm) -> (&'static str, u32) {
    match algorithm {
        KeyAlgorithm::Rsa { bits } => ("rsa", bits),
        KeyAlgorithm::Ecdsa(curve) => ("ec", curve_bits(curve)),
        KeyAlgorithm::Ed25519 => ("ed25519", 0),
        // Refused with the options.
        KeyAlgorithm::Ed448 => ("ed448", 0),
    }
}

fn curve_bits(curve: Curve) -> u32 {
    match curve {
        Curve::P256 => 256,
        Curve::P384 => 384,
        Curve::P521 => 521,
    }
}

/// A new key.
pub(super) fn key_body(wish: &Wish) -> Map<String, Value> {
    let (kind, bits) = kind_of(wish.algorithm());
    let mut body = Map::new();
    body.insert("key_name".to_owned(), wish.key_name.as_str().into());
    body.insert("key_type".to_owned(), kind.into());
    if bits > 0 {
        body.insert("key_bits".to_owned(), bits.into());
    }
    body
}

/// What a certificate says, but for its end.
fn certificate_body(
    context: &Context<'_>,
    wish: &Wish,
    path_length: Option<u8>,
) -> Map<String, Value> {
    let mut body = subject::fields(wish.base.names.subject());
    // Else the common name would be a DNS name too, which constraints above may forbid.
    body.insert("exclude_cn_from_sans".to_owned(), true.into());
    body.insert("max_path_length".to_owned(), length_value(path_length));
    let end = context.now + wish.base.ttl;
    body.insert("not_before_duration".to_owned(), backdate(context, end));
    if let Some(constraints) = &wish.base.name_constraints {
        let domains = json!(constraints.permitted_dns);
        body.insert("permitted_dns_domains".to_owned(), domains);
    }
    if let Some(usages) = &wish.base.key_usage {
        let words: Vec<String> = usages
            .iter()
            .map(|usage| usage.to_string().replace([' '], ""))
            .collect();
        body.insert("key_usage".to_owned(), server_usages(&words));
    }
    body
}

/// The server's words for usages: `CertSign`, `CRLSign`, `DigitalSignature`.
fn server_usages(words: &[String]) -> Value {
    let each = words.iter().map(|word| match word.as_str() {
        "CertificateSign" => "CertSign",
        "NonRepudiation" => "ContentCommitment",
        other => other,
    });
    each.collect::<Vec<_>>().join(",").into()
}

fn length_value(length: Option<u8>) -> Value {
    length.map_or_else(|| json!(-1), |length| json!(length))
}

/// For hosts whose clock is behind.
fn backdate(context: &Context<'_>, end: Timestamp) -> Value {
    let span = end.0.saturating_sub(context.now.0);
    let ttl = Lifetime(u64::try_from(span).unwrap_or(0));
    let begin = context.now.begin_of(ttl);
    format!("{}s", context.now.0.saturating_sub(begin.0)).into()
}
