// SPDX-License-Identifier: Apache-2.0
//! What certmonger is told of a wish, in its own words. Pure.

use std::path::Path;

use certmonger::{Field, Fields};
use pki::{Curve, KeyAlgorithm, KeyUsage, Subject};

use super::Kept;
use crate::request::Entry;

/// All that a new request is told.
pub(super) fn whole_wish(entry: &Entry, kept: &Kept) -> Fields {
    let spec = &kept.spec;
    let mut fields = Fields::default();
    fields.text("nickname", &spec.nickname);
    fields.text("cert-storage", "FILE");
    fields.text("cert-file", text(&spec.certificate.path));
    fields.text("key-storage", "FILE");
    fields.text("key-file", text(&spec.key.path));
    fields.append(key(entry));
    fields.set("ca", Field::Path(kept.authority.path.clone()));
    fields.set("autorenew", Field::Bool(spec.auto_renew.unwrap_or(true)));
    fields.set("monitoring", Field::Bool(true));
    let optional = [
        ("template-profile", spec.profile.as_deref()),
        ("template-issuer", spec.issuer.as_deref()),
        ("cert-presave-command", spec.pre_save.as_deref()),
        ("cert-postsave-command", spec.post_save.as_deref()),
        ("cert-owner", spec.certificate.owner.as_deref()),
        ("key-owner", spec.key.owner.as_deref()),
        (
            "template-challenge-password",
            spec.challenge_password.as_ref().map(|text| text.as_str()),
        ),
    ];
    for (name, value) in optional {
        if let Some(value) = value.filter(|value| !value.is_empty()) {
            fields.text(name, value);
        }
    }
    for (name, mode) in [
        ("cert-perms", spec.certificate.mode),
        ("key-perms", spec.key.mode),
    ] {
        if let Some(mode) = mode {
            fields.set(name, Field::Int(mode));
        }
    }
    for (name, path) in [
        ("key-pin-file", spec.key_pin_file.as_deref()),
        (
            "template-challenge-password-file",
            spec.challenge_password_file.as_deref(),
        ),
    ] {
        if let Some(path) = path {
            fields.text(name, text(path));
        }
    }
    if let Some(path) = &spec.ca_file {
        fields.texts("root-cert-files", vec![text(path)]);
    }
    template(entry, kept, &mut fields);
    fields
}

/// The names, usages and subject of a new request; empty ones are left out.
fn template(entry: &Entry, kept: &Kept, fields: &mut Fields) {
    let wish = &entry.template;
    let lists = [
        ("template-hostname", strings(&wish.names.dns)),
        ("template-ip-address", strings(&wish.names.ip)),
        ("template-email", strings(&wish.names.email)),
        ("template-principal", kept.principal.clone()),
        ("template-eku", eku(entry)),
    ];
    for (name, values) in lists {
        if !values.is_empty() {
            fields.texts(name, values);
        }
    }
    for (name, value) in [
        ("template-subject", subject_text(&wish.subject)),
        ("template-ku", key_usage_bits(&wish.key_usage)),
    ] {
        if !value.is_empty() {
            fields.text(name, value);
        }
    }
}

/// Algorithm and size of the next key.
pub(super) fn key(entry: &Entry) -> Fields {
    let (kind, bits) = match entry.key.algorithm {
        KeyAlgorithm::Ecdsa(Curve::P256) => ("EC", 256),
        KeyAlgorithm::Ecdsa(Curve::P384) => ("EC", 384),
        KeyAlgorithm::Ecdsa(Curve::P521) => ("EC", 521),
        KeyAlgorithm::Rsa { bits } => ("RSA", i64::from(bits)),
        // Refused when the options were read.
        KeyAlgorithm::Ed25519 | KeyAlgorithm::Ed448 => ("RSA", 2048),
    };
    let mut fields = Fields::default();
    fields.text("key-type", kind);
    fields.set("key-size", Field::Int(bits));
    fields
}

pub(super) fn strings<T: ToString>(values: &[T]) -> Vec<String> {
    values.iter().map(ToString::to_string).collect()
}

pub(super) fn text(path: &Path) -> String {
    path.display().to_string()
}

pub(super) fn eku(entry: &Entry) -> Vec<String> {
    let usages = entry.template.extended_key_usage.iter();
    usages
        .map(|usage| usage.oid().as_str().to_owned())
        .collect()
}

/// digitalSignature and keyEncipherment are "101": one character for each bit, up to the last that is set.
pub(super) fn key_usage_bits(usages: &[KeyUsage]) -> String {
    let bits: Vec<u8> = usages.iter().map(|usage| usage.bit()).collect();
    let last = bits.iter().max().map_or(0, |last| last + 1);
    (0..last)
        .map(|bit| if bits.contains(&bit) { '1' } else { '0' })
        .collect()
}

/// `CN=a,O=b\, c`, as RFC 4514 writes values, in the order of the options.
pub(super) fn subject_text(subject: &Subject) -> String {
    let attributes = subject.attributes().iter();
    let parts: Vec<String> = attributes
        .map(|(attribute, value)| format!("{attribute}={}", escaped(value)))
        .collect();
    parts.join(",")
}

fn escaped(value: &str) -> String {
    let mut text = String::with_capacity(value.len());
    let last = value.chars().count().saturating_sub(1);
    for (index, c) in value.chars().enumerate() {
        let is_edge = (index == 0 && (c == ' ' || c == '#')) || (index == last && c == ' ');
        if is_edge || matches!(c, ',' | '+' | '"' | '\\' | '<' | '>' | ';' | '=') {
            text.push('\\');
        }
        text.push(c);
    }
    text
}

#[cfg(test)]
mod tests {
    use pki::KeyUsage;

    use super::{escaped, key_usage_bits};

    #[test]
    fn usages_are_bits_up_to_the_last_one() {
        let both = [KeyUsage::KeyEncipherment, KeyUsage::DigitalSignature];
        assert_eq!(key_usage_bits(&both), "101");
        assert_eq!(key_usage_bits(&[]), "");
    }

    #[test]
    fn values_are_written_as_rfc_4514_wants_them() {
        assert_eq!(escaped("Ex, ample"), "Ex\\, ample");
        assert_eq!(escaped(" a=b "), "\\ a\\=b\\ ");
    }
}
