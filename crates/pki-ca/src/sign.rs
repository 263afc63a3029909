// SPDX-License-Identifier: Apache-2.0
//! Requests to be signed: who signs, what the certificate says, whether the kept one is still right.

use pki::{
    BasicConstraints, Certificate, CertificateTemplate, ExtendedKeyUsage, KeyAlgorithm, KeyUsage,
    RequestTemplate, Timestamp,
};

use crate::decide::Context;
use crate::failure::Failure;
use crate::index::Service;
use crate::names::AuthorityName;
use crate::observe::ObservedEntry;
use crate::permits;
use crate::plan::{Change, Plan, Reason, SignAct, SignPlan, Standing};
use crate::request::{Profile, SignWish};
use crate::spec;

/// Decides on every entry of `sign`.
pub(crate) fn decide(context: &Context<'_>, plan: &Plan) -> Vec<Result<SignPlan, Failure>> {
    context
        .request
        .sign
        .iter()
        .map(|wish| decide_one(context, plan, wish))
        .collect()
}

fn decide_one(context: &Context<'_>, plan: &Plan, wish: &SignWish) -> Result<SignPlan, Failure> {
    let (name, standing) = signer(context, wish)?;
    let template = template(context.now, wish, &name, standing)?;
    let mut decided = SignPlan {
        warnings: cut_warning(context.now, wish, &name, &template),
        ignored_extensions: ignored_extensions(wish, &template.request),
        act: SignAct::Keep,
        reasons: Vec::new(),
        authority: name.clone(),
    };
    match kept(context, wish)? {
        None => {
            let detail = if wish.name.is_some() {
                "no certificate is kept under this name"
            } else {
                "nothing is kept"
            };
            decided.reasons.push(Reason::new("missing", detail));
        }
        Some(entry) => {
            let revoked = is_revoked(context, plan, &name, &entry.certificate);
            decided.reasons = reasons(context.now, wish, entry, &template, standing);
            if let Some(since) = revoked {
                decided.reasons.push(Reason::new(
                    "revoked",
                    format!("it is revoked since {since}"),
                ));
            }
            if decided.reasons.is_empty() {
                decided.reasons = chain_reasons(entry, standing);
                if !decided.reasons.is_empty() {
                    decided.act = SignAct::Repair;
                }
                return Ok(decided);
            }
        }
    }
    // Only who really signs must be able to: a kept certificate outlives the service of its authority.
    context.check_signer(&name, standing)?;
    check_permitted(standing, &template.request)?;
    decided.act = SignAct::Issue(Box::new(template));
    Ok(decided)
}

/// The named authority, else the active one.
fn signer<'a>(
    context: &'a Context<'_>,
    wish: &SignWish,
) -> Result<(AuthorityName, &'a Standing), Failure> {
    if let Some(name) = &wish.authority {
        return Ok((name.clone(), context.standing(name, name)?));
    }
    let mut active = context
        .standings
        .iter()
        .filter(|(_, standing)| standing.service == Service::Active);
    let (name, standing) = active.next().ok_or(Failure::NoActiveAuthority)?;
    Ok((name.clone(), standing))
}

/// The kept certificate of this name; one that cannot be read is not taken for absent.
fn kept<'a>(
    context: &'a Context<'_>,
    wish: &SignWish,
) -> Result<Option<&'a ObservedEntry>, Failure> {
    let Some(name) = &wish.name else {
        return Ok(None);
    };
    match context.observed.entries.get(name) {
        None => Ok(None),
        Some(Ok(entry)) => Ok(Some(entry)),
        Some(Err(problem)) => Err(Failure::Damaged {
            path: context.request.tree.entry(name).certificate,
            problem: format!("cannot be used: {problem}; restore or remove it"),
        }),
    }
}

fn template(
    now: Timestamp,
    wish: &SignWish,
    name: &AuthorityName,
    standing: &Standing,
) -> Result<CertificateTemplate, Failure> {
    let request = RequestTemplate {
        subject: wish.asked.subject.clone(),
        names: wish.asked.names.clone(),
        key_usage: wish.key_usage.clone().unwrap_or_else(|| key_usage(wish)),
        extended_key_usage: wish
            .extended_key_usage
            .clone()
            .unwrap_or_else(|| extended_key_usage(wish)),
        must_staple: false,
        basic_constraints: basic_constraints(wish.profile),
    };
    if matches!(wish.profile, Profile::Authority { .. }) {
        spec::check_room(name, standing, &request)?;
    }
    Ok(CertificateTemplate {
        request,
        not_before: spec::begin(now, wish.ttl, Some(standing)),
        not_after: spec::end(now, wish.ttl, Some(standing)),
        name_constraints: None,
        policies: Vec::new(),
        crl_urls: Vec::new(),
        issuer_urls: Vec::new(),
        ocsp_urls: Vec::new(),
        serial: None,
    })
}

/// An RSA key also enciphers the secret of a TLS 1.2 handshake without forward secrecy; other keys cannot.
fn key_usage(wish: &SignWish) -> Vec<KeyUsage> {
    let rsa = matches!(
        wish.csr.public_key().algorithm(),
        Some(KeyAlgorithm::Rsa { .. })
    );
    match wish.profile {
        Profile::Server | Profile::Peer if rsa => {
            vec![KeyUsage::DigitalSignature, KeyUsage::KeyEncipherment]
        }
        Profile::Server | Profile::Peer | Profile::Client => vec![KeyUsage::DigitalSignature],
        Profile::Authority { .. } => vec![KeyUsage::KeyCertSign, KeyUsage::CrlSign],
        Profile::Request => {
            let granted =
                |usage: &&KeyUsage| !matches!(usage, KeyUsage::KeyCertSign | KeyUsage::CrlSign);
            wish.asked
                .key_usage
                .iter()
                .filter(granted)
                .copied()
                .collect()
        }
    }
}

fn extended_key_usage(wish: &SignWish) -> Vec<ExtendedKeyUsage> {
    match wish.profile {
        Profile::Server => vec![ExtendedKeyUsage::ServerAuth],
        Profile::Client => vec![ExtendedKeyUsage::ClientAuth],
        Profile::Peer => vec![ExtendedKeyUsage::ServerAuth, ExtendedKeyUsage::ClientAuth],
        Profile::Authority { .. } => Vec::new(),
        Profile::Request => wish.asked.extended_key_usage.clone(),
    }
}

/// Leaves have none, as upstream makes them: absent means "not an authority" (RFC 5280 §4.2.1.9).
fn basic_constraints(profile: Profile) -> Option<BasicConstraints> {
    match profile {
        Profile::Authority { path_length } => Some(BasicConstraints {
            ca: true,
            path_length: Some(path_length),
        }),
        _ => None,
    }
}

fn cut_warning(
    now: Timestamp,
    wish: &SignWish,
    authority: &AuthorityName,
    template: &CertificateTemplate,
) -> Vec<String> {
    if now + wish.ttl <= template.not_after {
        return Vec::new();
    }
    vec![format!(
        "the lifetime is cut to {}, the end of authority '{authority}'",
        template.not_after
    )]
}

/// What the request asks for and does not get.
fn ignored_extensions(wish: &SignWish, granted: &RequestTemplate) -> Vec<String> {
    let asked = &wish.asked;
    let mut ignored = Vec::new();
    if asked
        .key_usage
        .iter()
        .any(|usage| !granted.key_usage.contains(usage))
    {
        ignored.push("keyUsage".to_owned());
    }
    if asked
        .extended_key_usage
        .iter()
        .any(|usage| !granted.extended_key_usage.contains(usage))
    {
        ignored.push("extendedKeyUsage".to_owned());
    }
    let wants_more = asked.basic_constraints.is_some_and(|wanted| wanted.ca)
        && asked.basic_constraints != granted.basic_constraints;
    if wants_more {
        ignored.push("basicConstraints".to_owned());
    }
    if asked.must_staple && !granted.must_staple {
        ignored.push("tlsfeature".to_owned());
    }
    ignored.extend(
        wish.csr
            .ignored_extensions()
            .iter()
            .map(ToString::to_string),
    );
    ignored
}

/// All reasons for which a kept certificate is not what is asked for.
fn reasons(
    now: Timestamp,
    wish: &SignWish,
    entry: &ObservedEntry,
    template: &CertificateTemplate,
    standing: &Standing,
) -> Vec<Reason> {
    let facts = entry.certificate.facts();
    let mut reasons = Vec::new();
    let mut differs = |kind, has: String, wished: String| {
        if has != wished {
            reasons.push(Reason::new(kind, format!("was {has}, wished is {wished}")));
        }
    };
    differs(
        "subject",
        format!("'{}'", facts.subject),
        format!("'{}'", template.request.subject),
    );
    differs(
        "key_usage",
        texts(&facts.key_usage),
        texts(&template.request.key_usage),
    );
    differs(
        "extended_key_usage",
        texts(&facts.extended_key_usage),
        texts(&template.request.extended_key_usage),
    );
    let authority = |constraints: Option<BasicConstraints>| {
        let ca = constraints.filter(|constraints| constraints.ca);
        ca.map_or_else(
            || "no authority".to_owned(),
            |ca| format!("authority {:?}", ca.path_length),
        )
    };
    differs(
        "basic_constraints",
        authority(facts.basic_constraints),
        authority(template.request.basic_constraints),
    );
    if !facts.names.same_set(&template.request.names) || !facts.unrecognized_names.is_empty() {
        reasons.push(Reason::new(
            "names",
            format!(
                "were {}, wished are {}",
                facts.names, template.request.names
            ),
        ));
    }
    if *entry.certificate.public_key() != wish.csr.public_key() {
        reasons.push(Reason::new("key", "the request has another key"));
    }
    if !issued_by(&entry.certificate, standing) {
        reasons.push(Reason::new(
            "issuer",
            format!("was signed by '{}', or by another key of it", facts.issuer),
        ));
    }
    if facts.not_before > now {
        reasons.push(Reason::new(
            "not_yet_valid",
            format!("begins at {}, the clock says {now}", facts.not_before),
        ));
    }
    let renew_at = wish
        .renew_before
        .renew_at(facts.not_before, facts.not_after);
    // At the end of its authority a fresh one would last no longer.
    if renew_at <= now && template.not_after > facts.not_after {
        reasons.push(Reason::new(
            "expiry",
            format!("ends at {}, due since {renew_at}", facts.not_after),
        ));
    }
    reasons
}

fn texts<T: ToString>(items: &[T]) -> String {
    let mut texts: Vec<String> = items.iter().map(ToString::to_string).collect();
    texts.sort();
    if texts.is_empty() {
        "none".to_owned()
    } else {
        texts.join(", ")
    }
}

/// Signed by the key that the authority has after this task; its certificate may be a newer one.
fn issued_by(certificate: &Certificate, standing: &Standing) -> bool {
    if standing.change == Change::Identity {
        return false;
    }
    standing
        .certificate
        .iter()
        .chain(&standing.generations)
        .any(|authority| {
            standing.public_key.as_ref() == Some(authority.public_key())
                && certificate.signed_by(authority)
        })
}

fn is_revoked(
    context: &Context<'_>,
    plan: &Plan,
    authority: &AuthorityName,
    certificate: &Certificate,
) -> Option<Timestamp> {
    let serial = &certificate.facts().serial;
    let found = context.observed.authorities.get(authority);
    let known = found
        .and_then(|found| found.index.revocation(serial))
        .map(|revocation| revocation.at);
    let planned =
        plan.revocations.iter().flatten().find(|planned| {
            &planned.authority == authority && &planned.revocation.serial == serial
        });
    known.or_else(|| planned.map(|planned| planned.revocation.at))
}

/// The files around a certificate that is still right.
fn chain_reasons(entry: &ObservedEntry, standing: &Standing) -> Vec<Reason> {
    let Some(authority) = &standing.certificate else {
        return vec![Reason::new(
            "chain",
            "its authority gets another certificate",
        )];
    };
    let bundle: Vec<_> = std::iter::once(authority)
        .chain(&standing.above)
        .cloned()
        .collect();
    let mut reasons = Vec::new();
    if standing.change >= Change::Certificate || entry.chain != chain(&entry.certificate, &bundle) {
        reasons.push(Reason::new(
            "chain",
            "the chain file is not the certificate with its issuers",
        ));
    }
    if standing.change >= Change::Certificate || entry.ca_bundle != bundle {
        reasons.push(Reason::new(
            "ca_bundle",
            "the bundle is not its authority with all above it",
        ));
    }
    reasons
}

/// The leaf and its issuers without the root.
pub(crate) fn chain(leaf: &Certificate, bundle: &[Certificate]) -> Vec<Certificate> {
    let issuers = bundle.iter().filter(|each| !each.is_self_issued());
    std::iter::once(leaf).chain(issuers).cloned().collect()
}

/// Every authority up the chain has a say in the names.
fn check_permitted(standing: &Standing, request: &RequestTemplate) -> Result<(), Failure> {
    for (authority, constraints) in &standing.constraints {
        let names = permits::not_permitted(&request.names, constraints);
        if !names.is_empty() {
            return Err(Failure::NameNotPermitted {
                authority: authority.clone(),
                names,
            });
        }
    }
    Ok(())
}
