// SPDX-License-Identifier: Apache-2.0
//! The wishes `authorities`.

use std::collections::HashMap;

use ansible_module::{Faults, Secret};
use pki::crl::RevocationReason;
use pki::{
    Certificate, IpSubnet, KeyAlgorithm, KeyUsage, Lifetime, NameConstraints, Oid, RenewBefore,
    Subject, chain,
};
use serde_json::{Map, Value};

use super::{parsed_list, path_length, renew_before, signing, ttl};
use crate::names::AuthorityName;
use crate::params;

const ROOT_TTL: &str = "3650d";
const INTERMEDIATE_TTL: &str = "1825d";

/// Bits of an RSA key of which no size is given: the strength that a ten-year root should have.
pub const DEFAULT_RSA_BITS: u32 = 4096;

/// A wished authority. Fields that are `None` were not given: they take a default when a certificate is
/// made, and are not compared with one that exists.
#[derive(Debug)]
pub struct AuthorityWish {
    /// Its name.
    pub name: AuthorityName,
    /// Root or intermediate.
    pub kind: AuthorityKind,
    /// Who signs it; for state cross_signed who signs its key as well.
    pub parent: Option<AuthorityName>,
    /// What shall become of it.
    pub state: State,
    /// Its subject.
    pub names: Names,
    /// Its key.
    pub key: Option<KeyAlgorithm>,
    /// Encrypts its key on disk.
    pub passphrase: Option<Secret<String>>,
    /// Lifetime of a new certificate.
    pub ttl: Lifetime,
    /// When to begin to warn.
    pub warn_before: RenewBefore,
    /// pathLenConstraint.
    pub path_length: Option<u8>,
    /// nameConstraints.
    pub name_constraints: Option<NameConstraints>,
    /// keyUsage.
    pub key_usage: Option<Vec<KeyUsage>>,
    /// CRL distribution points.
    pub crl_urls: Vec<String>,
    /// caIssuers.
    pub issuer_urls: Vec<String>,
    /// certificatePolicies.
    pub policies: Vec<Oid>,
}

/// Whether an authority signs itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AuthorityKind {
    /// Signs itself.
    Root,
    /// Signed by its parent, or outside.
    Intermediate,
}

/// The subject of an authority.
#[derive(Debug)]
pub enum Names {
    /// Not given: the name as common name, not compared.
    Default(Subject),
    /// Given.
    Given(Subject),
}

impl Names {
    /// The subject of a new certificate.
    pub fn subject(&self) -> &Subject {
        let (Self::Default(subject) | Self::Given(subject)) = self;
        subject
    }

    /// The subject that an existing certificate must have.
    pub fn given(&self) -> Option<&Subject> {
        match self {
            Self::Given(subject) => Some(subject),
            Self::Default(_) => None,
        }
    }
}

/// What shall become of an authority.
#[derive(Debug, PartialEq, Eq)]
pub enum State {
    /// Exists and may sign.
    Present,
    /// Has a key and a request for a certificate signed outside.
    Csr,
    /// Has this certificate (first) and those above it, signed outside.
    Signed(Vec<Certificate>),
    /// Exists, and its parent has signed its key too.
    CrossSigned,
    /// Exists, and signs what names no authority.
    Active,
    /// Signs no more certificates, only its revocation list.
    Retired,
    /// Is on its parent's revocation list.
    Revoked(Option<RevocationReason>),
    /// Is gone.
    Absent(WhenInUse),
}

/// What to do when certificates below are still valid.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WhenInUse {
    /// Refuse.
    Refuse,
    /// Remove all the same (`force: true`).
    Remove,
}

/// Checks `authorities`.
pub(crate) fn authorities(
    wishes: Vec<params::Authority>,
    faults: &mut Faults,
) -> Vec<AuthorityWish> {
    check_duplicates(&wishes, faults);
    let each = wishes.into_iter().enumerate();
    let checked: Vec<_> = each
        .filter_map(|(index, wish)| authority(&format!("authorities[{index}]"), wish, faults))
        .collect();
    check_circles(&checked, faults);
    check_one_active(&checked, faults);
    checked
}

fn authority(at: &str, wish: params::Authority, faults: &mut Faults) -> Option<AuthorityWish> {
    let name = name(&format!("{at}.name"), &wish.name, faults);
    let kind = match wish.kind.as_str() {
        "intermediate" => AuthorityKind::Intermediate,
        _ => AuthorityKind::Root,
    };
    let parent = wish
        .parent
        .as_deref()
        .map(|parent| self::name(&format!("{at}.parent"), parent, faults));
    let state = state(at, &wish, faults);
    check_parent(at, kind, parent.is_some(), state.as_ref(), faults);
    let default_ttl = match kind {
        AuthorityKind::Root => ROOT_TTL,
        AuthorityKind::Intermediate => INTERMEDIATE_TTL,
    };
    let names = names(at, &wish, faults);
    let key = wish
        .key
        .as_ref()
        .and_then(|key| algorithm(&format!("{at}.key"), key, faults));
    let key_usage = key_usage(at, wish.key_usage.as_deref(), faults);
    let passphrase = passphrase(at, wish.key, faults);
    let ttl = ttl(
        &format!("{at}.ttl"),
        wish.ttl.as_deref(),
        default_ttl,
        faults,
    );
    let warn_before = renew_before(&format!("{at}.warn_before"), &wish.warn_before, faults);
    let path_length = path_length(&format!("{at}.path_length"), wish.path_length, faults);
    let name_constraints = wish
        .name_constraints
        .map(|wish| constraints(&format!("{at}.name_constraints"), &wish, faults));
    let crl_urls = urls(&format!("{at}.crl_urls"), wish.crl_urls, faults);
    let issuer_urls = urls(&format!("{at}.issuer_urls"), wish.issuer_urls, faults);
    let policies = wish
        .policies
        .map(|oids| parsed_list(&format!("{at}.policies"), &oids, faults))
        .unwrap_or_default();
    // Only now may anything be missing: every fault of the entry has been noted.
    Some(AuthorityWish {
        name: name?,
        kind,
        parent: parent.flatten(),
        state: state?,
        names: names?,
        key,
        passphrase,
        ttl,
        warn_before,
        path_length,
        name_constraints,
        key_usage,
        crl_urls,
        issuer_urls,
        policies,
    })
}

fn name(path: &str, text: &str, faults: &mut Faults) -> Option<AuthorityName> {
    match AuthorityName::new(text) {
        Ok(name) => Some(name),
        Err(fault) => {
            faults.push(path, fault);
            None
        }
    }
}

fn state(at: &str, wish: &params::Authority, faults: &mut Faults) -> Option<State> {
    if wish.signed.is_some() && wish.state != "signed" {
        faults.push(
            format!("{at}.signed"),
            format!("is only for state signed, not {}", wish.state),
        );
    }
    Some(match wish.state.as_str() {
        "csr" => State::Csr,
        "signed" => State::Signed(uploaded(
            &format!("{at}.signed"),
            wish.signed.as_deref(),
            faults,
        )?),
        "cross_signed" => State::CrossSigned,
        "active" => State::Active,
        "retired" => State::Retired,
        "revoked" => State::Revoked(signing::reason(
            &format!("{at}.reason"),
            &wish.reason,
            faults,
        )),
        "absent" if wish.force => State::Absent(WhenInUse::Remove),
        "absent" => State::Absent(WhenInUse::Refuse),
        _ => State::Present,
    })
}

fn uploaded(path: &str, pem: Option<&str>, faults: &mut Faults) -> Option<Vec<Certificate>> {
    let Some(pem) = pem else {
        faults.push(
            path,
            "is needed for state signed: the certificate and those above it, PEM",
        );
        return None;
    };
    bundle(path, pem, faults)
}

/// The certificates of a text: PEM, or base64 of PEM, as charms and secret stores hand it around.
pub(crate) fn bundle(path: &str, text: &str, faults: &mut Faults) -> Option<Vec<Certificate>> {
    match chain::parse_bundle(&unwrapped(text)) {
        Ok(certificates) => Some(certificates),
        Err(error) => {
            faults.push(path, error.to_string());
            None
        }
    }
}

fn unwrapped(text: &str) -> Vec<u8> {
    const BEGIN: &[u8] = b"-----BEGIN ";
    let holds_pem = |bytes: &[u8]| bytes.windows(BEGIN.len()).any(|window| window == BEGIN);
    let packed: Vec<u8> = text
        .bytes()
        .filter(|byte| !byte.is_ascii_whitespace())
        .collect();
    match data_encoding::BASE64.decode(&packed) {
        Ok(inner) if holds_pem(&inner) => inner,
        _ => text.as_bytes().to_vec(),
    }
}

fn check_parent(
    at: &str,
    kind: AuthorityKind,
    has_parent: bool,
    state: Option<&State>,
    faults: &mut Faults,
) {
    let path = format!("{at}.parent");
    match (kind, state) {
        (_, Some(State::CrossSigned)) if !has_parent => {
            faults.push(
                path,
                "is needed for state cross_signed: the authority that signs the key",
            );
        }
        (AuthorityKind::Root, Some(state)) if has_parent && *state != State::CrossSigned => {
            faults.push(
                path,
                "a root signs itself; leave parent out or give type: intermediate",
            );
        }
        (AuthorityKind::Root, Some(State::Csr | State::Signed(_))) => {
            faults.push(
                format!("{at}.type"),
                "a root signs itself; give type: intermediate",
            );
        }
        (AuthorityKind::Intermediate, Some(State::Csr | State::Signed(_))) if has_parent => {
            faults.push(path, "is signed outside in this state; leave parent out");
        }
        _ => {}
    }
}

fn names(at: &str, wish: &params::Authority, faults: &mut Faults) -> Option<Names> {
    let given = wish.subject.is_some() || wish.common_name.is_some();
    let mut pairs = attributes(&format!("{at}.subject"), wish.subject.as_ref(), faults);
    let has_common_name = pairs.iter().any(|(name, _)| is_common_name(name));
    match &wish.common_name {
        Some(_) if has_common_name => {
            faults.push(
                format!("{at}.common_name"),
                "is in subject too; give it once",
            );
        }
        Some(common_name) => pairs.push(("common_name".to_owned(), common_name.clone())),
        // A name with a fault has been noted; it would only be noted again as a subject.
        None if AuthorityName::new(&wish.name).is_err() => return None,
        None if !has_common_name => pairs.push(("common_name".to_owned(), wish.name.clone())),
        None => {}
    }
    if let Some(fault) = pairs
        .iter()
        .find_map(|(_, value)| ansible_module::unrendered(value))
    {
        faults.push(format!("{at}.subject"), fault);
        return None;
    }
    let borrowed = pairs
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_str()));
    match Subject::from_pairs(borrowed) {
        Ok(subject) if given => Some(Names::Given(subject)),
        Ok(subject) => Some(Names::Default(subject)),
        Err(error) => {
            faults.push(format!("{at}.subject"), error.to_string());
            None
        }
    }
}

fn is_common_name(attribute: &str) -> bool {
    ["common_name", "commonName", "CN", "cn", "2.5.4.3"].contains(&attribute)
}

/// The attributes in order; a list repeats its attribute.
fn attributes(
    at: &str,
    subject: Option<&Map<String, Value>>,
    faults: &mut Faults,
) -> Vec<(String, String)> {
    let mut pairs = Vec::new();
    for (name, value) in subject.into_iter().flatten() {
        match value {
            Value::String(text) => pairs.push((name.clone(), text.clone())),
            Value::Number(number) => pairs.push((name.clone(), number.to_string())),
            Value::Array(items) if items.iter().all(Value::is_string) => pairs.extend(
                items
                    .iter()
                    .filter_map(Value::as_str)
                    .map(|text| (name.clone(), text.to_owned())),
            ),
            Value::Null => {}
            Value::Bool(_) => faults.push(
                format!("{at}.{name}"),
                "is a boolean, as YAML takes NO, yes and on; quote it, as in \"NO\"",
            ),
            _ => faults.push(format!("{at}.{name}"), "give a string or a list of strings"),
        }
    }
    pairs
}

fn algorithm(at: &str, key: &params::Key, faults: &mut Faults) -> Option<KeyAlgorithm> {
    let size = match key.size.map(u32::try_from) {
        Some(Err(_)) => {
            faults.push(format!("{at}.size"), "is not a number of bits");
            return None;
        }
        Some(Ok(bits)) => Some(bits),
        None => None,
    };
    let algorithm = key.algorithm.as_deref().unwrap_or("rsa");
    if key.algorithm.is_none() && size.is_none() && key.curve.is_none() {
        return None;
    }
    let size = size.or_else(|| (algorithm == "rsa").then_some(DEFAULT_RSA_BITS));
    match KeyAlgorithm::from_options(algorithm, size, key.curve.as_deref()) {
        Ok(algorithm) => Some(algorithm),
        Err(error) => {
            faults.push(at, error.to_string());
            None
        }
    }
}

fn passphrase(at: &str, key: Option<params::Key>, faults: &mut Faults) -> Option<Secret<String>> {
    let passphrase = key?.passphrase?;
    // OpenSSL reads no shorter one from a PEM file by hand, so the key would be lost to its tools.
    if passphrase.expose().chars().count() < 4 {
        faults.push(
            format!("{at}.key.passphrase"),
            "must have at least 4 characters",
        );
    }
    Some(passphrase)
}

fn key_usage(at: &str, usages: Option<&[String]>, faults: &mut Faults) -> Option<Vec<KeyUsage>> {
    let path = format!("{at}.key_usage");
    let before = faults.len();
    let usages: Vec<KeyUsage> = parsed_list(&path, usages?, faults);
    if faults.len() == before && !usages.contains(&KeyUsage::KeyCertSign) {
        faults.push(
            path,
            "must contain keyCertSign, or the authority could sign nothing",
        );
    }
    Some(usages)
}

fn urls(path: &str, urls: Option<Vec<String>>, faults: &mut Faults) -> Vec<String> {
    let urls = urls.unwrap_or_default();
    for (index, url) in urls.iter().enumerate() {
        let scheme = ["http://", "https://", "ldap://", "file://"];
        let plain = url.bytes().all(|byte| byte.is_ascii_graphic());
        if !plain || !scheme.iter().any(|scheme| url.starts_with(scheme)) {
            faults.push(
                format!("{path}[{index}]"),
                format!("'{}' is not a URL", url.escape_debug()),
            );
        }
    }
    urls
}

fn constraints(at: &str, wish: &params::NameConstraints, faults: &mut Faults) -> NameConstraints {
    let mut networks = |option: &str, list: &Option<Vec<String>>| -> Vec<IpSubnet> {
        list.as_deref()
            .map(|list| parsed_list(&format!("{at}.{option}"), list, faults))
            .unwrap_or_default()
    };
    let permitted_ip = networks("permitted_ip", &wish.permitted_ip);
    let excluded_ip = networks("excluded_ip", &wish.excluded_ip);
    let mut names = |option: &str, list: &Option<Vec<String>>| -> Vec<String> {
        let names = list.clone().unwrap_or_default();
        check_base_names(&format!("{at}.{option}"), &names, faults);
        names
    };
    let constraints = NameConstraints {
        permitted_dns: names("permitted_dns", &wish.permitted_dns),
        permitted_ip,
        permitted_email: names("permitted_email", &wish.permitted_email),
        excluded_dns: names("excluded_dns", &wish.excluded_dns),
        excluded_ip,
        excluded_email: names("excluded_email", &wish.excluded_email),
        ..NameConstraints::default()
    };
    if constraints.is_empty() {
        faults.push(
            at,
            "is empty, which RFC 5280 forbids; name a subtree or leave it out",
        );
    }
    constraints
}

/// Domains and mailboxes of constraints: printable ASCII without blanks, wildcards or empty labels.
fn check_base_names(path: &str, names: &[String], faults: &mut Faults) {
    for (index, name) in names.iter().enumerate() {
        let bare = name.strip_prefix('.').unwrap_or(name);
        let sound = !bare.is_empty()
            && bare
                .bytes()
                .all(|byte| byte.is_ascii_graphic() && !b"*/,;\\\"".contains(&byte))
            && bare.split('.').all(|label| !label.is_empty());
        if !sound {
            faults.push(
                format!("{path}[{index}]"),
                format!(
                    "'{}' is not a domain such as example.org (A-labels for other scripts, no wildcard)",
                    name.escape_debug()
                ),
            );
        }
    }
}

fn check_duplicates(wishes: &[params::Authority], faults: &mut Faults) {
    let mut first_use = HashMap::new();
    for (index, wish) in wishes.iter().enumerate() {
        if let Some(first) = first_use.insert(wish.name.as_str(), index) {
            faults.push(
                format!("authorities[{index}].name"),
                format!("'{}' is also the name of authorities[{first}]", wish.name),
            );
        }
    }
}

/// Nobody may be above itself.
fn check_circles(wishes: &[AuthorityWish], faults: &mut Faults) {
    for (index, wish) in wishes.iter().enumerate() {
        let mut above = wish.parent.as_ref();
        for _ in 0..wishes.len() {
            if above == Some(&wish.name) {
                faults.push(
                    format!("authorities[{index}].parent"),
                    format!("'{}' would be above itself", wish.name),
                );
                break;
            }
            above = wishes
                .iter()
                .find(|candidate| Some(&candidate.name) == above)
                .and_then(|found| found.parent.as_ref());
        }
    }
}

fn check_one_active(wishes: &[AuthorityWish], faults: &mut Faults) {
    let mut active = wishes
        .iter()
        .enumerate()
        .filter(|(_, wish)| wish.state == State::Active);
    let Some((_, first)) = active.next() else {
        return;
    };
    for (index, wish) in active {
        faults.push(
            format!("authorities[{index}].state"),
            format!("'{}' and '{}' cannot both be active", first.name, wish.name),
        );
    }
}
