// SPDX-License-Identifier: Apache-2.0
//! How a request that certmonger tracks differs from the wish. Pure.
//!
//! Lists are compared as sets. What the options do not say is not compared: a request that getcert,
//! linux-system-roles or puppet-certmonger made keeps what it has.

use std::net::IpAddr;

use certmonger::{Field, Fields, Tracked};
use pki::CertificateRequest;

use super::Kept;
use super::wish::{eku, key_usage_bits, strings, subject_text, text};
use crate::decide::{Reason, ReasonKind};
use crate::request::{Entry, SavedFile};

/// What a difference leads to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Effect {
    /// certmonger is told; the certificate stays.
    Modify,
    /// certmonger is told, and asks the authority.
    Issue,
}

/// One difference.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    /// What it leads to.
    pub effect: Effect,
    /// For people.
    pub reason: Reason,
    /// What certmonger must be told.
    pub fields: Fields,
}

/// Everything in which a request differs from the wish.
pub fn differences(entry: &Entry, kept: &Kept, request: &Tracked) -> Vec<Difference> {
    let mut found = Vec::new();
    authority(kept, request, &mut found);
    names(entry, kept, request, &mut found);
    subject(entry, kept, request, &mut found);
    usages(entry, kept, request, &mut found);
    flags(kept, request, &mut found);
    commands(kept, request, &mut found);
    saved(
        "cert-owner",
        "cert-perms",
        &kept.spec.certificate,
        (request.cert_owner.as_deref(), request.cert_mode),
        &mut found,
    );
    saved(
        "key-owner",
        "key-perms",
        &kept.spec.key,
        (request.key_owner.as_deref(), request.key_mode),
        &mut found,
    );
    paths(kept, request, &mut found);
    found
}

fn push(
    found: &mut Vec<Difference>,
    effect: Effect,
    kind: ReasonKind,
    detail: String,
    set: impl FnOnce(&mut Fields),
) {
    let mut fields = Fields::default();
    set(&mut fields);
    found.push(Difference {
        effect,
        reason: Reason::new(kind, detail),
        fields,
    });
}

fn or_none(text: &str) -> &str {
    if text.is_empty() { "none" } else { text }
}

/// A text that was given and differs; an empty one clears.
fn one_text(
    found: &mut Vec<Difference>,
    (effect, kind): (Effect, ReasonKind),
    (what, field): (&str, &'static str),
    wanted: Option<&str>,
    has: Option<&str>,
) {
    let (Some(wanted), has) = (wanted, has.unwrap_or_default()) else {
        return;
    };
    if wanted != has {
        let detail = format!(
            "certmonger has the {what} '{}', '{}' is wished",
            or_none(has),
            or_none(wanted)
        );
        push(found, effect, kind, detail, |fields| {
            fields.text(field, wanted)
        });
    }
}

fn authority(kept: &Kept, request: &Tracked, found: &mut Vec<Difference>) {
    if request.ca.as_deref() != Some(kept.authority.id()) {
        let detail = format!("certmonger asks another CA than '{}'", kept.spec.ca);
        let path = kept.authority.path.clone();
        push(found, Effect::Issue, ReasonKind::Issuer, detail, |fields| {
            fields.set("ca", Field::Path(path));
        });
    }
    let as_issuer = (Effect::Issue, ReasonKind::Issuer);
    let (profile, issuer) = (kept.spec.profile.as_deref(), kept.spec.issuer.as_deref());
    one_text(
        found,
        as_issuer,
        ("profile", "template-profile"),
        profile,
        request.profile.as_deref(),
    );
    one_text(
        found,
        as_issuer,
        ("issuer", "template-issuer"),
        issuer,
        request.issuer.as_deref(),
    );
}

/// Lists that are compared as sets; `same` says when two texts are one name.
fn names(entry: &Entry, kept: &Kept, request: &Tracked, found: &mut Vec<Difference>) {
    let wish = &entry.template.names;
    let mut compare = |what: &str,
                       field,
                       wanted: Vec<String>,
                       has: &[String],
                       is_same: fn(&str, &str) -> bool| {
        let in_both = |one: &[String], other: &[String]| {
            one.iter().all(|a| other.iter().any(|b| is_same(a, b)))
        };
        if !in_both(&wanted, has) || !in_both(has, &wanted) {
            let detail = format!(
                "certmonger asks for the {what} {}, wished {}",
                or_none(&has.join(", ")),
                or_none(&wanted.join(", "))
            );
            push(found, Effect::Issue, ReasonKind::Names, detail, |fields| {
                fields.texts(field, wanted)
            });
        }
    };
    let same_case = |a: &str, b: &str| a.eq_ignore_ascii_case(b);
    let same_text = |a: &str, b: &str| a == b;
    compare(
        "DNS names",
        "template-hostname",
        strings(&wish.dns),
        &request.dns,
        same_case,
    );
    compare(
        "addresses",
        "template-ip-address",
        strings(&wish.ip),
        &request.ip,
        same_address,
    );
    compare(
        "mail addresses",
        "template-email",
        strings(&wish.email),
        &request.email,
        same_text,
    );
    if kept.spec.given.principal {
        let principal = kept.principal.clone();
        compare(
            "principals",
            "template-principal",
            principal,
            &request.principal,
            same_text,
        );
    }
}

fn same_address(a: &str, b: &str) -> bool {
    match (a.parse::<IpAddr>(), b.parse::<IpAddr>()) {
        (Ok(a), Ok(b)) => a == b,
        _ => a == b,
    }
}

fn subject(entry: &Entry, kept: &Kept, request: &Tracked, found: &mut Vec<Difference>) {
    let wish = &entry.template.subject;
    if !kept.spec.given.subject || wish.is_empty() {
        return;
    }
    let (wanted, has) = (
        subject_text(wish),
        request.subject.as_deref().unwrap_or_default(),
    );
    // Others write the same name in another way; what was asked with it says whether it is the same.
    let asked = || {
        let csr = CertificateRequest::from_pem(request.csr.as_deref()?.as_bytes()).ok()?;
        csr.template().ok().map(|template| template.subject)
    };
    if wanted == has
        || loosely(&wanted) == loosely(has) && asked().is_some_and(|asked| asked == *wish)
    {
        return;
    }
    let detail = format!(
        "certmonger asks for '{}', '{wanted}' is wished",
        or_none(has)
    );
    push(
        found,
        Effect::Issue,
        ReasonKind::Subject,
        detail,
        |fields| {
            fields.text("template-subject", wanted);
        },
    );
}

/// The letters of a name, without what people write differently.
fn loosely(text: &str) -> String {
    let letters = text.chars().filter(|c| !matches!(c, ' ' | '"' | '\\'));
    letters.map(|c| c.to_ascii_lowercase()).collect()
}

fn usages(entry: &Entry, kept: &Kept, request: &Tracked, found: &mut Vec<Difference>) {
    if kept.spec.given.key_usage {
        let wanted = key_usage_bits(&entry.template.key_usage);
        let has = request
            .key_usage
            .as_deref()
            .unwrap_or_default()
            .trim_end_matches('0')
            .to_owned();
        if wanted != has {
            let detail = format!(
                "certmonger asks for the key usage bits {}, wished {}",
                or_none(&has),
                or_none(&wanted)
            );
            push(found, Effect::Issue, ReasonKind::Usages, detail, |fields| {
                fields.text("template-ku", wanted)
            });
        }
    }
    if kept.spec.given.extended_key_usage {
        let (wanted, has) = (eku(entry), &request.extended_key_usage);
        let is_same = wanted.iter().all(|oid| has.contains(oid))
            && has.iter().all(|oid| wanted.contains(oid));
        if !is_same {
            let detail = format!(
                "certmonger asks for the extended key usages {}, wished {}",
                or_none(&has.join(", ")),
                or_none(&wanted.join(", "))
            );
            push(found, Effect::Issue, ReasonKind::Usages, detail, |fields| {
                fields.texts("template-eku", wanted)
            });
        }
    }
}

fn flags(kept: &Kept, request: &Tracked, found: &mut Vec<Difference>) {
    if let Some(wanted) = kept.spec.auto_renew
        && wanted != request.auto_renew
    {
        let detail = format!("auto_renew is {}, {wanted} is wished", request.auto_renew);
        push(
            found,
            Effect::Modify,
            ReasonKind::Tracking,
            detail,
            |fields| {
                fields.set("autorenew", Field::Bool(wanted));
            },
        );
    }
}

fn commands(kept: &Kept, request: &Tracked, found: &mut Vec<Difference>) {
    let as_tracking = (Effect::Modify, ReasonKind::Tracking);
    let (pre, post) = (
        kept.spec.pre_save.as_deref(),
        kept.spec.post_save.as_deref(),
    );
    one_text(
        found,
        as_tracking,
        ("command pre_save", "cert-presave-command"),
        pre,
        request.pre_save.as_deref(),
    );
    one_text(
        found,
        as_tracking,
        ("command post_save", "cert-postsave-command"),
        post,
        request.post_save.as_deref(),
    );
}

fn saved(
    owner_field: &'static str,
    mode_field: &'static str,
    wish: &SavedFile,
    (owner, mode): (Option<&str>, i64),
    found: &mut Vec<Difference>,
) {
    let path = wish.path.display();
    if let Some(wanted) = wish.owner.as_deref()
        && Some(wanted) != owner
    {
        let detail = format!(
            "certmonger gives '{path}' the owner '{}', '{wanted}' is wished",
            owner.unwrap_or("none")
        );
        push(
            found,
            Effect::Modify,
            ReasonKind::Tracking,
            detail,
            |fields| fields.text(owner_field, wanted),
        );
    }
    if let Some(wanted) = wish.mode
        && wanted != mode
    {
        let detail =
            format!("certmonger gives '{path}' the mode {mode:04o}, {wanted:04o} is wished");
        push(
            found,
            Effect::Modify,
            ReasonKind::Tracking,
            detail,
            |fields| {
                fields.set(mode_field, Field::Int(wanted));
            },
        );
    }
}

fn paths(kept: &Kept, request: &Tracked, found: &mut Vec<Difference>) {
    let spec = &kept.spec;
    let as_tracking = (Effect::Modify, ReasonKind::Tracking);
    if let Some(path) = &spec.ca_file
        && request.ca_files != [text(path)]
    {
        let has = request.ca_files.join(", ");
        let detail = format!(
            "certmonger writes the root to {}, '{}' is wished",
            or_none(&has),
            path.display()
        );
        let wanted = vec![text(path)];
        push(
            found,
            Effect::Modify,
            ReasonKind::Tracking,
            detail,
            |fields| {
                fields.texts("root-cert-files", wanted);
            },
        );
    }
    let pin = spec.key_pin_file.as_deref().map(text);
    one_text(
        found,
        as_tracking,
        ("key_pin_file", "key-pin-file"),
        pin.as_deref(),
        request.key_pin_file.as_deref(),
    );
    let challenge = spec.challenge_password_file.as_deref().map(text);
    let (option, field) = (
        "challenge_password_file",
        "template-challenge-password-file",
    );
    let has = request.challenge_password_file.as_deref();
    one_text(
        found,
        as_tracking,
        (option, field),
        challenge.as_deref(),
        has,
    );
}

#[cfg(test)]
mod tests {
    use super::{loosely, same_address};

    #[test]
    fn one_name_has_several_spellings() {
        assert!(same_address("2001:db8::1", "2001:0DB8:0:0::1"));
        assert!(!same_address("192.0.2.1", "192.0.2.2"));
        assert_eq!(loosely("CN=a, O=\"B c\""), "cn=a,o=bc");
    }
}
