// SPDX-License-Identifier: Apache-2.0
//! The issuer `certmonger`: what it shall be told, and what it cannot do.

use std::path::PathBuf;
use std::time::Duration;

use certmonger::Address;
use pki::Lifetime;
use zeroize::Zeroizing;

use super::{DesiredState, Merged, Notes};
use crate::params::{CertmongerParams, FileParams};

/// certmonger's own names of authorities, by the words that people use.
const NICKNAMES: &[(&str, &str)] = &[
    ("ipa", "IPA"),
    ("local", "local"),
    ("self-sign", "SelfSign"),
    ("selfsign", "SelfSign"),
    ("self_sign", "SelfSign"),
];

/// What certmonger shall do. What is `None` was not given: a new request goes without, an existing one keeps its own.
#[derive(Clone)]
pub struct CertmongerSpec {
    /// The authority, by certmonger's name.
    pub ca: String,
    /// Profile at the authority; empty clears.
    pub profile: Option<String>,
    /// Issuer at the authority; empty clears.
    pub issuer: Option<String>,
    /// File for the root.
    pub ca_file: Option<PathBuf>,
    /// Wait until the certificate is there.
    pub wait: bool,
    /// How long.
    pub wait_timeout: Duration,
    /// certmonger renews by itself.
    pub auto_renew: Option<bool>,
    /// Command before saving; empty clears.
    pub pre_save: Option<String>,
    /// Command after saving; empty clears.
    pub post_save: Option<String>,
    /// Id of a new request.
    pub nickname: String,
    /// Another socket than the system bus.
    pub address: Option<Address>,
    /// For SCEP.
    pub challenge_password: Option<Zeroizing<String>>,
    /// File of the same.
    pub challenge_password_file: Option<PathBuf>,
    /// File of the key's PIN.
    pub key_pin_file: Option<PathBuf>,
    /// Kerberos principals, perhaps without realm.
    pub principal: Vec<String>,
    /// The file of the certificate.
    pub certificate: SavedFile,
    /// The file of the key.
    pub key: SavedFile,
    /// Which options were given.
    pub given: Given,
}

/// A file that certmonger writes, and what it gives it at each save.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SavedFile {
    /// Where.
    pub path: PathBuf,
    /// `user` or `user:group`. certmonger knows only names, and ignores numbers without a word.
    pub owner: Option<String>,
    /// Octal mode.
    pub mode: Option<i64>,
}

/// An existing request is compared only with what was said.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Given {
    /// `common_name` or `subject`.
    pub subject: bool,
    /// `key_usage`.
    pub key_usage: bool,
    /// `extended_key_usage`.
    pub extended_key_usage: bool,
    /// `key.algorithm`.
    pub algorithm: bool,
    /// `key.size` or `key.curve`.
    pub size: bool,
    /// `principal`.
    pub principal: bool,
}

impl std::fmt::Debug for CertmongerSpec {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("CertmongerSpec")
            .field("ca", &self.ca)
            .field("nickname", &self.nickname)
            .finish_non_exhaustive()
    }
}

/// Reads the options of the issuer, and of the entry what certmonger must know or cannot do.
pub(super) fn certmonger_spec(
    path: &str,
    given: &CertmongerParams,
    merged: &Merged<'_>,
    state: DesiredState,
    notes: &mut Notes,
) -> Option<CertmongerSpec> {
    if state == DesiredState::Present {
        refuse_unsupported(merged, notes);
    }
    check_texts(path, given, notes);
    if given.challenge_password.is_some() && given.challenge_password_file.is_some() {
        notes.fault(
            format!("{path}.challenge_password_file"),
            "contradicts 'challenge_password'; give one of them",
        );
    }
    let wait_timeout =
        notes.parsed::<Lifetime>(&format!("{path}.wait_timeout"), &given.wait_timeout);
    let mut file = |option: &str, text: &Option<String>| {
        let text = text.as_deref()?;
        notes.absolute(&format!("{path}.{option}"), text)
    };
    let ca_file = file("ca_file", &given.ca_file);
    let challenge_password_file = file("challenge_password_file", &given.challenge_password_file);
    let key_pin_file = file("key_pin_file", &given.key_pin_file);
    let address = given.address.as_deref().and_then(|text| {
        let parsed: Result<Address, _> = text.parse();
        parsed
            .map_err(|error| notes.fault(format!("{path}.address"), error.to_string()))
            .ok()
    });
    let nickname = given
        .nickname
        .clone()
        .unwrap_or_else(|| merged.entry.name.clone());
    Some(CertmongerSpec {
        ca: ca(&given.ca),
        profile: given.profile.clone(),
        issuer: given.issuer.clone(),
        ca_file,
        wait: given.wait,
        wait_timeout: Duration::from_secs(wait_timeout.map_or(0, |wait| wait.0)),
        auto_renew: given.auto_renew,
        pre_save: given.pre_save.clone(),
        post_save: given.post_save.clone(),
        nickname,
        address,
        challenge_password: given
            .challenge_password
            .as_ref()
            .map(|text| Zeroizing::new(text.expose().clone())),
        challenge_password_file,
        key_pin_file,
        principal: principals(merged, notes),
        certificate: saved(merged, "certificate", state, notes).unwrap_or_default(),
        key: saved(merged, "private_key", state, notes).unwrap_or_default(),
        given: what_is_given(merged),
    })
}

/// Other names are taken literally: everybody can add authorities to certmonger.
fn ca(text: &str) -> String {
    let known = NICKNAMES
        .iter()
        .find(|(word, _)| word.eq_ignore_ascii_case(text.trim()));
    known.map_or_else(
        || text.trim().to_owned(),
        |(_, nickname)| (*nickname).to_owned(),
    )
}

fn what_is_given(merged: &Merged<'_>) -> Given {
    Given {
        subject: merged
            .pick("common_name", |entry| entry.common_name.as_ref())
            .is_some()
            || merged
                .pick("subject", |entry| entry.subject.as_ref())
                .is_some(),
        key_usage: merged
            .pick("key_usage", |entry| entry.key_usage.as_ref())
            .is_some(),
        extended_key_usage: merged
            .pick("extended_key_usage", |entry| {
                entry.extended_key_usage.as_ref()
            })
            .is_some(),
        algorithm: merged
            .key("algorithm", |key| key.algorithm.as_ref())
            .is_some(),
        size: merged.key("size", |key| key.size.as_ref()).is_some()
            || merged.key("curve", |key| key.curve.as_ref()).is_some(),
        principal: merged
            .pick("principal", |entry| entry.principal.as_ref())
            .is_some(),
    }
}

/// Options of the entry that certmonger's requests have no place for.
fn refuse_unsupported(merged: &Merged<'_>, notes: &mut Notes) {
    let mut refuse = |found: Option<String>, message: &str| {
        if let Some(path) = found {
            notes.fault(path, message);
        }
    };
    let uri = merged.pick("uri", |entry| {
        entry.uri.as_ref().filter(|uri| !uri.is_empty())
    });
    refuse(
        uri.map(|(_, path)| path),
        "certmonger cannot ask for URIs; remove it",
    );
    let other = merged.pick("other_name", |entry| {
        entry.other_name.as_ref().filter(|names| !names.is_empty())
    });
    refuse(
        other.map(|(_, path)| path),
        "certmonger asks for no other names than Kerberos principals; use 'principal'",
    );
    let staple = merged.pick("must_staple", |entry| {
        entry.must_staple.as_ref().filter(|staple| **staple)
    });
    refuse(
        staple.map(|(_, path)| path),
        "certmonger cannot ask for it; remove it",
    );
    let passphrase = merged.key("passphrase", |key| key.passphrase.as_ref());
    refuse(
        passphrase.map(|(_, path)| path),
        "certmonger keeps it in a file; give that as 'key_pin_file' of the issuer",
    );
    let format = merged.key("format", |key| key.format.as_ref());
    refuse(
        format.map(|(_, path)| path),
        "certmonger chooses the form of the key; remove it",
    );
    let algorithm = merged.key("algorithm", |key| key.algorithm.as_deref());
    let is_other = algorithm.filter(|(word, _)| word.starts_with("ed"));
    refuse(
        is_other.map(|(_, path)| path),
        "certmonger makes RSA and ECDSA keys only; choose rsa or ecdsa",
    );
}

/// A NUL ends a text on the bus, and the bus would end the connection.
fn check_texts(path: &str, given: &CertmongerParams, notes: &mut Notes) {
    for (option, text) in [
        ("ca", Some(&given.ca)),
        ("profile", given.profile.as_ref()),
        ("issuer", given.issuer.as_ref()),
        ("pre_save", given.pre_save.as_ref()),
        ("post_save", given.post_save.as_ref()),
        ("nickname", given.nickname.as_ref()),
        (
            "challenge_password",
            given.challenge_password.as_ref().map(|text| text.expose()),
        ),
    ] {
        if text.is_some_and(|text| text.contains('\0')) {
            notes.fault(
                format!("{path}.{option}"),
                "holds a NUL character; remove it",
            );
        }
    }
    if given.ca.trim().is_empty() {
        notes.fault(
            format!("{path}.ca"),
            "is empty; name a CA, such as ipa or local",
        );
    }
    if given.nickname.as_ref().is_some_and(String::is_empty) {
        notes.fault(
            format!("{path}.nickname"),
            "is empty; leave it out to use the certificate's name",
        );
    }
}

fn principals(merged: &Merged<'_>, notes: &mut Notes) -> Vec<String> {
    let Some((texts, path)) = merged.pick("principal", |entry| entry.principal.as_ref()) else {
        return Vec::new();
    };
    for (index, text) in texts.iter().enumerate() {
        let is_odd = text.is_empty()
            || text.starts_with(['/', '@'])
            || text.ends_with(['/', '@'])
            || text.contains(|c: char| c.is_whitespace() || c.is_control());
        if is_odd {
            notes.fault(
                format!("{path}[{index}]"),
                format!(
                    "'{text}' is not a Kerberos principal; write SERVICE/host.example.org@REALM"
                ),
            );
        }
    }
    texts.clone()
}

/// The one file of a content. The others are made of what certmonger wrote.
fn saved(
    merged: &Merged<'_>,
    content: &str,
    state: DesiredState,
    notes: &mut Notes,
) -> Option<SavedFile> {
    if state == DesiredState::Absent {
        return None;
    }
    let (files, path) = merged.pick("files", |entry| entry.files.as_ref())?;
    if let Some(index) = files.iter().position(|file| file.content == "csr") {
        let message = "certmonger keeps the request itself; see it with 'getcert list -v'";
        notes.fault(format!("{path}[{index}].content"), message);
    }
    let found: Vec<&FileParams> = files
        .iter()
        .filter(|file| file.content == content)
        .collect();
    let [file] = found.as_slice() else {
        let message = match found.len() {
            0 => format!(
                "certmonger writes key and certificate itself; add a file with content '{content}'"
            ),
            _ => format!("certmonger writes one file with content '{content}'; name one"),
        };
        notes.fault(path, message);
        return None;
    };
    let mode = file
        .mode
        .as_ref()
        .and_then(|mode| tls_files::Mode::parse_from_value(mode).ok());
    // A symbolic mode depends on the mode that the file has; certmonger is told of none, and keeps what is there.
    let exact = mode.map(|mode| (mode.resolve(0), mode.resolve(0o7777)));
    Some(SavedFile {
        path: PathBuf::from(&file.path).components().collect(),
        owner: owner(file),
        mode: exact
            .filter(|(a, b)| a == b)
            .map(|(bits, _)| i64::from(bits)),
    })
}

fn owner(file: &FileParams) -> Option<String> {
    let is_number = |name: &str| name.bytes().all(|byte| byte.is_ascii_digit());
    let owner = file.owner.as_deref().filter(|name| !is_number(name))?;
    match file.group.as_deref() {
        None => Some(owner.to_owned()),
        Some(group) if is_number(group) => None,
        Some(group) => Some(format!("{owner}:{group}")),
    }
}
