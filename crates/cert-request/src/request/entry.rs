// SPDX-License-Identifier: Apache-2.0
//! One wished certificate.

use std::collections::BTreeSet;
use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

use pki::{
    ExtendedKeyUsage, KeyAlgorithm, KeyFormat, KeyUsage, Lifetime, RenewBefore, RequestTemplate,
    Subject, SubjectAltNames, Timestamp,
};
use zeroize::Zeroizing;

use super::acme::check_names;
use super::files::{FileSpec, Purpose, files};
use super::issuer::{IssuerSpec, issuer};
use super::naming::{list, names, subject};
use super::vault::check_wish;
use super::{DesiredState, Merged, Notes};

/// The lifetime where none is given: what public authorities gave at most until 2026.
const DEFAULT_TTL: Lifetime = Lifetime(398 * 86_400);
/// Renewal where nothing is said: this long before the end, or in the last third of a short life.
const DEFAULT_BEFORE: RenewBefore = RenewBefore::Lifetime(Lifetime(30 * 86_400));
const LAST_THIRD: RenewBefore = RenewBefore::Share(33);

/// The name of an entry: also a directory name below the state directory.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct EntryName(String);

impl EntryName {
    /// As text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for EntryName {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let odd = |c: char| c == '/' || c.is_control();
        if text.is_empty() || text.len() > 200 || text.starts_with('.') || text.contains(odd) {
            return Err(format!(
                "'{text}' cannot be a name; use 1 to 200 bytes without '/' and control characters, not beginning with '.'"
            ));
        }
        Ok(Self(text.to_owned()))
    }
}

impl fmt::Display for EntryName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The wished key.
#[derive(Debug)]
pub struct KeyWish {
    /// Algorithm and size.
    pub algorithm: KeyAlgorithm,
    /// Keep the key at renewal.
    pub reuse: bool,
    /// Form on disk; `None`: PKCS#8 for a new file, any form for one that is there.
    pub format: Option<KeyFormat>,
    /// Encrypts the key on disk.
    pub passphrase: Option<Zeroizing<Vec<u8>>>,
}

/// A class of reasons that `renew.on` switches.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum RenewOn {
    /// The end is near.
    Expiry,
    /// Issuer or its key changed.
    Issuer,
    /// Algorithm or size of the key changed.
    Key,
    /// Names, subject or usages changed.
    Names,
    /// The issuer revoked it.
    Revoked,
}

impl RenewOn {
    const ALL: [Self; 5] = [
        Self::Expiry,
        Self::Issuer,
        Self::Key,
        Self::Names,
        Self::Revoked,
    ];

    /// The word of the option.
    pub fn word(self) -> &'static str {
        match self {
            Self::Expiry => "expiry",
            Self::Issuer => "issuer",
            Self::Key => "key",
            Self::Names => "names",
            Self::Revoked => "revoked",
        }
    }
}

/// When to renew.
#[derive(Debug)]
pub struct Renew {
    before: Option<RenewBefore>,
    /// Which reasons count.
    pub on: BTreeSet<RenewOn>,
    /// Renew now.
    pub force: bool,
}

impl Renew {
    /// Whether the user says how long before the end.
    pub fn is_given(&self) -> bool {
        self.before.is_some()
    }

    /// The instant from which a certificate is due.
    pub fn renew_at(&self, not_before: Timestamp, not_after: Timestamp) -> Timestamp {
        let at = |before: RenewBefore| before.renew_at(not_before, not_after);
        self.before
            .map_or_else(|| at(DEFAULT_BEFORE).max(at(LAST_THIRD)), at)
    }
}

/// What happens to a file that is there and cannot be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OnUnreadable {
    /// The certificate fails and the file stays.
    Fail,
    /// It is replaced.
    Replace,
}

/// One wished certificate with its files.
#[derive(Debug)]
pub struct Entry {
    /// Unique in the task.
    pub name: EntryName,
    /// Subject, names, usages.
    pub template: RequestTemplate,
    /// The key.
    pub key: KeyWish,
    /// The lifetime that is asked for.
    pub ttl: Lifetime,
    /// When to renew.
    pub renew: Renew,
    /// Who signs.
    pub issuer: IssuerSpec,
    /// What is written where, in the order of the renames.
    pub files: Vec<FileSpec>,
    /// Whether an ACME server is, or was, the issuer.
    pub is_ordered: bool,
    /// Where its orders are kept, if not below the module's own `state_dir`.
    pub order_dir: Option<PathBuf>,
    /// Passed through.
    pub containers: Vec<String>,
    /// What to do with a file that cannot be read.
    pub on_unreadable: OnUnreadable,
}

/// Checks one entry; `None` when something that all else needs is missing (then there is a fault).
pub(crate) fn entry(merged: &Merged<'_>, state: DesiredState, notes: &mut Notes) -> Option<Entry> {
    let name = notes.parsed::<EntryName>(&merged.at("name"), &merged.entry.name);
    let names = names(merged, notes);
    let subject = subject(merged, &names, notes);
    let key = key(merged, notes);
    let issuer = match state {
        DesiredState::Present => issuer(merged, state, notes),
        // These have something that must go with the files.
        DesiredState::Absent if merged.is_kept_by_certmonger() || merged.is_revoked_at_end() => {
            issuer(merged, state, notes)
        }
        DesiredState::Absent => Some(IssuerSpec::SelfSigned),
    };
    let ttl = ttl(merged, notes);
    let mut renew = renew(merged, ttl, notes);
    let mut key = key;
    if let Some(IssuerSpec::Certmonger(spec)) = &issuer {
        follow_certmonger(merged, spec, &mut renew, key.as_mut());
        if let (DesiredState::Present, Some(key)) = (state, key.as_mut()) {
            key.passphrase = pin(merged, spec, notes);
        }
    }
    let template = template(merged, names, subject, key.as_ref(), notes);
    if let (DesiredState::Present, Some(issuer)) = (state, &issuer) {
        check_anything_named(merged, issuer, &template, notes);
        match issuer {
            IssuerSpec::Acme(spec) => check_names(merged, spec, &template, notes),
            IssuerSpec::Vault(_) => check_wish(merged, &template, notes),
            _ => {}
        }
    }
    let purpose = match (state, &issuer) {
        (DesiredState::Absent, _) => Purpose::Remove,
        (DesiredState::Present, Some(IssuerSpec::External { signed: None, .. })) => Purpose::Ask,
        (DesiredState::Present, _) => Purpose::Install,
    };
    let files = files(merged, name.as_ref(), purpose, notes);
    let acme = merged.acme();
    let order_dir = acme.as_ref().and_then(|(acme, path)| {
        notes.absolute(&format!("{path}.state_dir"), acme.state_dir.as_deref()?)
    });
    Some(Entry {
        name: name?,
        template,
        key: key?,
        ttl,
        renew,
        issuer: issuer?,
        files,
        is_ordered: acme.is_some(),
        order_dir,
        containers: merged
            .pick("containers", |entry| entry.containers.as_ref())
            .map_or_else(Vec::new, |(c, _)| c.clone()),
        on_unreadable: match merged.pick("on_unreadable", |entry| entry.on_unreadable.as_deref()) {
            Some(("replace", _)) => OnUnreadable::Replace,
            _ => OnUnreadable::Fail,
        },
    })
}

fn key(merged: &Merged<'_>, notes: &mut Notes) -> Option<KeyWish> {
    let algorithm = merged.key("algorithm", |key| key.algorithm.as_deref());
    let (algorithm, path) = algorithm.unwrap_or_else(|| ("rsa", merged.at("key")));
    // A size of the defaults does not hold for an algorithm that the entry chose against them.
    let size = merged
        .key("size", |key| key.size.as_ref())
        .filter(|(_, at)| applies(algorithm, "rsa", at));
    let curve = merged
        .key("curve", |key| key.curve.as_deref())
        .filter(|(_, at)| applies(algorithm, "ecdsa", at));
    let bits = match size
        .as_ref()
        .map(|(bits, path)| (u32::try_from(**bits), bits, path))
    {
        Some((Err(_), bits, path)) => {
            notes.fault(
                path,
                format!("'{bits}' is not a number of bits; give 2048 to 8192"),
            );
            return None;
        }
        Some((Ok(bits), ..)) => Some(bits),
        None => None,
    };
    let algorithm = KeyAlgorithm::from_options(algorithm, bits, curve.map(|(curve, _)| curve))
        .map_err(|error| notes.fault(size.map_or(path, |(_, path)| path), error.to_string()))
        .ok()?;
    let format = merged.key("format", |key| key.format.as_deref());
    let format = format.map(|(word, path)| match word {
        "traditional" => (KeyFormat::Traditional, path),
        _ => (KeyFormat::Pkcs8, path),
    });
    if let Some((KeyFormat::Traditional, path)) = &format
        && matches!(algorithm, KeyAlgorithm::Ed25519 | KeyAlgorithm::Ed448)
    {
        notes.fault(
            path,
            format!("an {algorithm} key has no traditional form; use pkcs8"),
        );
    }
    let passphrase = merged.key("passphrase", |key| key.passphrase.as_ref());
    if let Some((text, path)) = &passphrase
        && text.expose().len() < 4
    {
        notes.fault(
            path,
            "the passphrase is too short; OpenSSL wants 4 characters at least",
        );
    }
    Some(KeyWish {
        algorithm,
        reuse: merged
            .key("reuse", |key| key.reuse.as_ref())
            .is_some_and(|(reuse, _)| *reuse),
        format: format.map(|(format, _)| format),
        passphrase: passphrase.map(|(text, _)| Zeroizing::new(text.expose().as_bytes().to_vec())),
    })
}

/// certmonger renews by itself, in time and with the same key; so do we unless something else is said.
fn follow_certmonger(
    merged: &Merged<'_>,
    spec: &super::CertmongerSpec,
    renew: &mut Renew,
    key: Option<&mut KeyWish>,
) {
    if renew.before.is_none() && spec.auto_renew != Some(false) {
        renew.before = Some(RenewBefore::Lifetime(Lifetime(0)));
    }
    if let Some(key) = key
        && merged.key("reuse", |key| key.reuse.as_ref()).is_none()
    {
        key.reuse = true;
    }
}

/// What is in the file of the PIN, as certmonger reads it: without the end of its line.
fn pin(
    merged: &Merged<'_>,
    spec: &super::CertmongerSpec,
    notes: &mut Notes,
) -> Option<Zeroizing<Vec<u8>>> {
    let path = spec.key_pin_file.as_deref()?;
    let why = match tls_files::observe(path) {
        tls_files::Observed::Present(file) => {
            return Some(Zeroizing::new(file.bytes.trim_ascii_end().to_vec()));
        }
        tls_files::Observed::Absent => String::from("it does not exist"),
        tls_files::Observed::Unreadable(error) => ansible_module::flatten(&error),
    };
    notes.fault(
        format!("{}.certmonger.key_pin_file", merged.issuer()?.1),
        format!("'{}' cannot be read: {why}", path.display()),
    );
    None
}

fn applies(algorithm: &str, belongs_to: &str, path: &str) -> bool {
    algorithm == belongs_to || !path.starts_with("defaults.")
}

fn ttl(merged: &Merged<'_>, notes: &mut Notes) -> Lifetime {
    let Some((text, path)) = merged.pick("ttl", |entry| entry.ttl.as_deref()) else {
        return DEFAULT_TTL;
    };
    if let Some(count) = pki::without_unit(text) {
        notes.fault(
            path,
            format!("'{count}' has no unit; write {count}d for days or {count}s for seconds"),
        );
        return DEFAULT_TTL;
    }
    let ttl = notes.parsed::<Lifetime>(&path, text);
    if ttl == Some(Lifetime(0)) {
        notes.fault(path, "must be longer than zero");
    }
    ttl.unwrap_or(DEFAULT_TTL)
}

fn renew(merged: &Merged<'_>, ttl: Lifetime, notes: &mut Notes) -> Renew {
    let before = merged
        .renew("before", |renew| renew.before.as_deref())
        .and_then(|(text, path)| {
            let before = notes.parsed::<RenewBefore>(&path, text)?;
            if let RenewBefore::Lifetime(span) = before
                && span >= ttl
                && path.starts_with("certificates")
            {
                notes.fault(
                    path,
                    format!("'{text}' is not shorter than the ttl of {ttl}; every run would renew"),
                );
            }
            Some(before)
        });
    let on = merged.renew("on", |renew| renew.on.as_ref()).map_or_else(
        || RenewOn::ALL.into_iter().collect(),
        |(words, _)| {
            RenewOn::ALL
                .into_iter()
                .filter(|on| words.iter().any(|word| word == on.word()))
                .collect()
        },
    );
    Renew {
        before,
        on,
        force: merged
            .renew("force", |renew| renew.force.as_ref())
            .is_some_and(|(force, _)| *force),
    }
}

/// Usages where none are given: what a TLS server and client needs. An RSA key also transports the
/// key of TLS 1.2 sessions, others cannot.
fn template(
    merged: &Merged<'_>,
    names: SubjectAltNames,
    subject: Subject,
    key: Option<&KeyWish>,
    notes: &mut Notes,
) -> RequestTemplate {
    let mut key_usage: Vec<KeyUsage> = list(
        merged.pick("key_usage", |entry| entry.key_usage.as_ref()),
        notes,
    );
    if merged
        .pick("key_usage", |entry| entry.key_usage.as_ref())
        .is_none()
    {
        key_usage.push(KeyUsage::DigitalSignature);
        let is_rsa = key.is_some_and(|key| matches!(key.algorithm, KeyAlgorithm::Rsa { .. }));
        key_usage.extend(is_rsa.then_some(KeyUsage::KeyEncipherment));
    }
    let purposes = merged.pick("extended_key_usage", |entry| {
        entry.extended_key_usage.as_ref()
    });
    let extended_key_usage = if purposes.is_some() {
        list(purposes, notes)
    } else {
        vec![ExtendedKeyUsage::ServerAuth, ExtendedKeyUsage::ClientAuth]
    };
    RequestTemplate {
        subject,
        names,
        key_usage,
        extended_key_usage,
        must_staple: merged
            .pick("must_staple", |entry| entry.must_staple.as_ref())
            .is_some_and(|(staple, _)| *staple),
        basic_constraints: None,
    }
}

fn check_anything_named(
    merged: &Merged<'_>,
    issuer: &IssuerSpec,
    template: &RequestTemplate,
    notes: &mut Notes,
) {
    let is_nameless = template.names.is_empty() && template.subject.is_empty();
    // A name that is faulty has its own message.
    let is_given = [
        merged.pick("dns", |entry| entry.dns.as_ref()),
        merged.pick("ip", |entry| entry.ip.as_ref()),
        merged.pick("email", |entry| entry.email.as_ref()),
        merged.pick("uri", |entry| entry.uri.as_ref()),
    ]
    .iter()
    .flatten()
    .any(|(texts, _)| !texts.is_empty())
        || merged
            .pick("common_name", |entry| entry.common_name.as_ref())
            .is_some();
    if is_nameless && !is_given && !matches!(issuer, IssuerSpec::Provided(_)) {
        let path = format!("certificates[{}]", merged.index);
        notes.fault(
            path,
            "has no name; give 'dns', 'ip', 'email', 'uri' or 'common_name'",
        );
    }
}
