// SPDX-License-Identifier: Apache-2.0
//! From a wish and the certificate before it to what a new certificate of an authority says. An option that
//! is left out keeps what the certificate before had, and takes the default where there was none.

use pki::{
    BasicConstraints, Certificate, CertificateTemplate, KeyAlgorithm, KeyUsage, Lifetime,
    RequestTemplate, SubjectAltNames, Timestamp,
};

use crate::failure::{Difference, Failure};
use crate::names::AuthorityName;
use crate::plan::Standing;
use crate::request::{AuthorityKind, AuthorityWish, DEFAULT_RSA_BITS};

/// The key of a new authority when none is wished: what every TLS stack of a cloud can verify, at the
/// strength that a ten-year root should have.
pub const DEFAULT_KEY: KeyAlgorithm = KeyAlgorithm::Rsa {
    bits: DEFAULT_RSA_BITS,
};

/// What the certificate says about its subject.
pub fn subject_part(
    wish: &AuthorityWish,
    before: Option<&Certificate>,
    room: Room,
) -> RequestTemplate {
    let facts = before.map(Certificate::facts);
    let subject = match (wish.names.given(), facts) {
        (None, Some(facts)) => facts.subject.clone(),
        _ => wish.names.subject().clone(),
    };
    let inherited = facts
        .map(|facts| facts.key_usage.clone())
        .filter(|usages| !usages.is_empty());
    let key_usage = wish
        .key_usage
        .clone()
        .or(inherited)
        .unwrap_or_else(|| vec![KeyUsage::KeyCertSign, KeyUsage::CrlSign]);
    RequestTemplate {
        subject,
        names: SubjectAltNames::default(),
        key_usage,
        extended_key_usage: Vec::new(),
        must_staple: false,
        basic_constraints: Some(BasicConstraints {
            ca: true,
            path_length: path_length(wish, before, room),
        }),
    }
}

/// How many authorities the signer lets follow below the new one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Room {
    /// As many as it likes.
    Unlimited,
    /// At most so many.
    AtMost(u8),
}

impl Room {
    /// The room below `parent`, or why there is none.
    pub fn below(parent: &AuthorityName, standing: &Standing) -> Result<Self, Failure> {
        match standing.path_length {
            None => Ok(Self::Unlimited),
            Some(allowed) => {
                allowed
                    .checked_sub(1)
                    .map(Self::AtMost)
                    .ok_or_else(|| Failure::PathLength {
                        authority: parent.clone(),
                        allowed,
                        wished: "0".to_owned(),
                    })
            }
        }
    }
}

/// An intermediate signs no authorities unless it is told how many.
fn path_length(wish: &AuthorityWish, before: Option<&Certificate>, room: Room) -> Option<u8> {
    if let Some(length) = wish.path_length {
        return Some(length);
    }
    let inherited = match before.and_then(|certificate| certificate.facts().basic_constraints) {
        Some(constraints) => constraints.path_length,
        None if wish.kind == AuthorityKind::Root => None,
        None => Some(0),
    };
    match (inherited, room) {
        (None, Room::AtMost(most)) => Some(most),
        (inherited, _) => inherited,
    }
}

/// Refuses a path length that the signer does not allow.
pub fn check_room(
    parent: &AuthorityName,
    standing: &Standing,
    template: &RequestTemplate,
) -> Result<(), Failure> {
    let wished = template
        .basic_constraints
        .and_then(|constraints| constraints.path_length);
    match (Room::below(parent, standing)?, wished) {
        (Room::Unlimited, _) => Ok(()),
        (Room::AtMost(most), Some(wished)) if wished <= most => Ok(()),
        (Room::AtMost(most), wished) => Err(Failure::PathLength {
            authority: parent.clone(),
            allowed: most.saturating_add(1),
            wished: wished.map_or_else(|| "any number".to_owned(), |wished| wished.to_string()),
        }),
    }
}

/// The whole certificate. `end` is the last instant that the signer has.
pub fn template(
    wish: &AuthorityWish,
    before: Option<&Certificate>,
    now: Timestamp,
    signer: Option<(&AuthorityName, &Standing)>,
) -> Result<CertificateTemplate, Failure> {
    let room = match signer {
        Some((name, standing)) => Room::below(name, standing)?,
        None => Room::Unlimited,
    };
    let request = subject_part(wish, before, room);
    if let Some((name, standing)) = signer {
        check_room(name, standing, &request)?;
    }
    let facts = before.map(Certificate::facts);
    let inherit = |wished: &[String], had: Option<&Vec<String>>| match had {
        Some(had) if wished.is_empty() => had.clone(),
        _ => wished.to_vec(),
    };
    Ok(CertificateTemplate {
        name_constraints: wish
            .name_constraints
            .clone()
            .or_else(|| facts.and_then(|facts| facts.name_constraints.clone())),
        policies: match facts {
            Some(facts) if wish.policies.is_empty() => facts.policies.clone(),
            _ => wish.policies.clone(),
        },
        crl_urls: inherit(&wish.crl_urls, facts.map(|facts| &facts.crl_urls)),
        issuer_urls: inherit(&wish.issuer_urls, facts.map(|facts| &facts.issuer_urls)),
        ocsp_urls: facts
            .map(|facts| facts.ocsp_urls.clone())
            .unwrap_or_default(),
        serial: None,
        not_before: begin(now, wish.ttl, signer.map(|(_, standing)| standing)),
        not_after: end(now, wish.ttl, signer.map(|(_, standing)| standing)),
        request,
    })
}

/// The same certificate again for an authority that the task does not describe: it follows its parent.
pub fn again(certificate: &Certificate, now: Timestamp, signer: &Standing) -> CertificateTemplate {
    let facts = certificate.facts();
    let lifetime = facts.not_after.0.saturating_sub(facts.not_before.0);
    let lifetime = Lifetime(u64::try_from(lifetime).unwrap_or(0));
    // The whole span counts from the begin: else it would grow by the tolerance each time.
    let begin = begin(now, lifetime, Some(signer));
    CertificateTemplate {
        request: RequestTemplate {
            subject: facts.subject.clone(),
            names: facts.names.clone(),
            key_usage: facts.key_usage.clone(),
            extended_key_usage: facts.extended_key_usage.clone(),
            must_staple: facts.must_staple,
            basic_constraints: facts.basic_constraints,
        },
        not_before: begin,
        not_after: end(begin, lifetime, Some(signer)),
        name_constraints: facts.name_constraints.clone(),
        policies: facts.policies.clone(),
        crl_urls: facts.crl_urls.clone(),
        issuer_urls: facts.issuer_urls.clone(),
        ocsp_urls: facts.ocsp_urls.clone(),
        serial: None,
    }
}

/// Some time ago, for hosts whose clock is behind, but not before the signer itself begins.
pub fn begin(now: Timestamp, ttl: Lifetime, signer: Option<&Standing>) -> Timestamp {
    let wished = now.begin_of(ttl);
    signer.map_or(wished, |signer| wished.max(signer.not_before))
}

/// The wished end, or the signer's if that is earlier: nothing outlives what it hangs on.
pub fn end(now: Timestamp, ttl: Lifetime, signer: Option<&Standing>) -> Timestamp {
    let wished = now + ttl;
    signer.map_or(wished, |signer| wished.min(signer.not_after))
}

/// Where the certificate in service differs from the wish. Only what was given is compared.
pub fn drift(wish: &AuthorityWish, certificate: &Certificate) -> Vec<Difference> {
    let facts = certificate.facts();
    let mut differences = Vec::new();
    let mut note = |what, existing: String, wished: String| {
        differences.push(Difference {
            what,
            existing,
            wished,
        });
    };
    if let Some(subject) = wish
        .names
        .given()
        .filter(|subject| **subject != facts.subject)
    {
        note("subject", facts.subject.to_string(), subject.to_string());
    }
    let algorithm = certificate.public_key().algorithm();
    if let Some(key) = wish.key.filter(|key| algorithm != Some(*key)) {
        note(
            "key",
            algorithm.map_or_else(|| "unknown".to_owned(), |has| has.to_string()),
            key.to_string(),
        );
    }
    let length = facts
        .basic_constraints
        .and_then(|constraints| constraints.path_length);
    if let Some(wished) = wish.path_length.filter(|wished| length != Some(*wished)) {
        note(
            "path_length",
            length.map_or_else(|| "none".to_owned(), |has| has.to_string()),
            wished.to_string(),
        );
    }
    if let Some(wished) = &wish.name_constraints
        && facts.name_constraints.as_ref() != Some(wished)
    {
        note(
            "name_constraints",
            constraints_text(facts.name_constraints.as_ref()),
            constraints_text(Some(wished)),
        );
    }
    if let Some(wished) = &wish.key_usage
        && sorted(wished) != sorted(&facts.key_usage)
    {
        note(
            "key_usage",
            usages_text(&facts.key_usage),
            usages_text(wished),
        );
    }
    let is_root = certificate.is_self_issued() && certificate.signed_by(certificate);
    match (is_root, wish.kind) {
        (true, AuthorityKind::Intermediate) => {
            note("type", "root".to_owned(), "intermediate".to_owned())
        }
        (false, AuthorityKind::Root) => note("type", "intermediate".to_owned(), "root".to_owned()),
        _ => {}
    }
    differences
}

fn sorted(usages: &[KeyUsage]) -> Vec<KeyUsage> {
    let mut usages = usages.to_vec();
    usages.sort();
    usages.dedup();
    usages
}

fn usages_text(usages: &[KeyUsage]) -> String {
    let each: Vec<String> = sorted(usages).iter().map(ToString::to_string).collect();
    each.join(", ")
}

/// The subtrees as `permitted_dns: a, b; excluded_ip: 10.0.0.0/8`.
pub fn constraints_text(constraints: Option<&pki::NameConstraints>) -> String {
    let Some(constraints) = constraints else {
        return "none".to_owned();
    };
    let networks =
        |list: &[pki::IpSubnet]| list.iter().map(ToString::to_string).collect::<Vec<_>>();
    let forms = [
        ("permitted_dns", constraints.permitted_dns.clone()),
        ("permitted_ip", networks(&constraints.permitted_ip)),
        ("permitted_email", constraints.permitted_email.clone()),
        ("permitted_uri", constraints.permitted_uri.clone()),
        ("excluded_dns", constraints.excluded_dns.clone()),
        ("excluded_ip", networks(&constraints.excluded_ip)),
        ("excluded_email", constraints.excluded_email.clone()),
        ("excluded_uri", constraints.excluded_uri.clone()),
        ("unsupported", constraints.unsupported.clone()),
    ];
    let given = forms.iter().filter(|(_, list)| !list.is_empty());
    let each: Vec<String> = given
        .map(|(form, list)| format!("{form}: {}", list.join(", ")))
        .collect();
    each.join("; ")
}
