// SPDX-License-Identifier: Apache-2.0
//! `Params` → [`Request`]: after this nothing is missing, contradictory or unparsed. All faults of the
//! input are collected, each with the path of its option.

pub(crate) mod authority;
pub(crate) mod signing;

use std::collections::BTreeSet;
use std::fmt::Display;
use std::path::{Component, PathBuf};
use std::str::FromStr;
use std::time::Duration;

use ansible_module::{Faults, InputFaults};
use pki::{Lifetime, RenewBefore};
use serde_json::Value;
use tls_files::{Mode, accounts};

pub use authority::{AuthorityKind, AuthorityWish, DEFAULT_RSA_BITS, Names, State, WhenInUse};
pub use signing::{CrlWish, Profile, RevocationSubject, RevokeWish, SignWish};

use crate::names::AuthorityName;
use crate::params::{Files, Params};
use crate::tree::{Ownership, Tree};

/// What one task asks for.
#[derive(Debug)]
pub struct Request {
    /// Where.
    pub tree: Tree,
    /// The wished authorities, in the order given.
    pub authorities: Vec<AuthorityWish>,
    /// Whose certificate is made anew.
    pub regenerate: Selection,
    /// Whose key and certificate are made anew.
    pub regenerate_key: Selection,
    /// Requests to be signed.
    pub sign: Vec<SignWish>,
    /// Certificates to be revoked.
    pub revoke: Vec<RevokeWish>,
    /// Which lists to keep fresh, and how.
    pub crl: CrlWish,
    /// How long to wait for another run.
    pub lock_timeout: Duration,
    /// How many signatures at once.
    pub parallel: usize,
}

/// Some or all authorities.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Selection {
    /// Every authority of the task (of the tree, for CRLs).
    All,
    /// These.
    Names(BTreeSet<AuthorityName>),
}

impl Selection {
    /// Whether `name` is selected.
    pub fn contains(&self, name: &AuthorityName) -> bool {
        match self {
            Self::All => true,
            Self::Names(names) => names.contains(name),
        }
    }
}

impl Request {
    /// Checks all options.
    pub fn try_from_params(params: Params) -> Result<Self, InputFaults> {
        let mut faults = Faults::new();
        crate::vault::options::refuse_at_files(&params, &mut faults);
        let tree = tree(params.backend.files, &mut faults);
        let authorities = authority::authorities(params.authorities, &mut faults);
        let sign = signing::signatures(params.sign, &mut faults);
        let revoke = signing::revocations(params.revoke, &mut faults);
        let crl = signing::lists(params.crl, &mut faults);
        let regenerate = selection("regenerate", params.regenerate, &mut faults);
        let regenerate_key = selection("regenerate_key", params.regenerate_key, &mut faults);
        for (option, chosen) in [
            ("regenerate", &regenerate),
            ("regenerate_key", &regenerate_key),
        ] {
            check_selection(option, chosen, &authorities, &mut faults);
        }
        let lock_timeout = parsed::<Lifetime>("lock_timeout", &params.lock_timeout, &mut faults);
        let parallel = parallel(params.parallel, &mut faults);
        faults.into_result(Self {
            tree,
            authorities,
            regenerate,
            regenerate_key,
            sign,
            revoke,
            crl,
            lock_timeout: Duration::from_secs(lock_timeout.map_or(60, |wait| wait.0)),
            parallel,
        })
    }

    /// The wish for `name`.
    pub fn authority(&self, name: &AuthorityName) -> Option<&AuthorityWish> {
        self.authorities.iter().find(|wish| &wish.name == name)
    }
}

/// Where a fault is noted, what is returned does not matter any more.
fn tree(files: Option<Files>, faults: &mut Faults) -> Tree {
    let Some(files) = files else {
        faults.push("backend", "choose one backend: files or vault");
        let (key_mode, mode) = (Mode::new(0o600), Mode::new(0o755));
        let ownership = Ownership {
            owner: None,
            group: None,
            key_mode,
            key_directory_mode: mode.clone(),
            certificate_mode: mode.clone(),
            directory_mode: mode,
        };
        return Tree {
            root: PathBuf::new(),
            ownership,
        };
    };
    let at = |option: &str| format!("backend.files.{option}");
    let root = PathBuf::from(&files.directory);
    if !root.is_absolute() {
        faults.push(
            at("directory"),
            format!("'{}' is not an absolute path", files.directory),
        );
    }
    if root.is_absolute() && root.parent().is_none() {
        faults.push(
            at("directory"),
            "'/' is the root of the file system; give the tree a directory of its own",
        );
    }
    if root.components().any(|part| part == Component::ParentDir) {
        faults.push(
            at("directory"),
            format!("'{}' contains '..'", files.directory),
        );
    }
    let ownership = Ownership {
        owner: account(&at("owner"), files.owner.as_deref(), accounts::uid, faults),
        group: account(&at("group"), files.group.as_deref(), accounts::gid, faults),
        key_mode: mode(&at("key_mode"), &files.key_mode, faults),
        key_directory_mode: mode(&at("key_directory_mode"), &files.key_directory_mode, faults),
        certificate_mode: mode(&at("certificate_mode"), &files.certificate_mode, faults),
        directory_mode: mode(&at("directory_mode"), &files.directory_mode, faults),
    };
    Tree { root, ownership }
}

fn account(
    path: &str,
    name: Option<&str>,
    resolve: impl Fn(&str) -> Result<u32, tls_files::Error>,
    faults: &mut Faults,
) -> Option<u32> {
    match resolve(name?) {
        Ok(number) => Some(number),
        Err(error) => {
            faults.push(path, error.to_string());
            None
        }
    }
}

fn mode(path: &str, value: &Value, faults: &mut Faults) -> Mode {
    Mode::parse_from_value(value).unwrap_or_else(|error| {
        faults.push(path, error.to_string());
        Mode::new(0o600)
    })
}

pub(crate) fn parallel(wished: Option<i64>, faults: &mut Faults) -> usize {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    match wished.map(usize::try_from) {
        None => cores,
        Some(Ok(count @ 1..=256)) => count,
        Some(_) => {
            faults.push("parallel", "give 1 to 256");
            cores
        }
    }
}

/// A name, a list of names, or true; nothing, false and the empty string select none, as OpenStack-Ansible
/// passes them.
fn selection(path: &str, value: Option<Value>, faults: &mut Faults) -> Selection {
    let texts = match value {
        None | Some(Value::Null | Value::Bool(false)) => Vec::new(),
        Some(Value::Bool(true)) => return Selection::All,
        Some(Value::String(text)) => match text.to_ascii_lowercase().as_str() {
            "true" | "yes" | "all" => return Selection::All,
            "" | "false" | "no" => Vec::new(),
            _ => vec![text],
        },
        Some(Value::Array(items)) => items
            .into_iter()
            .map(|item| {
                item.as_str()
                    .map_or_else(|| item.to_string(), str::to_owned)
            })
            .collect(),
        Some(other) => {
            faults.push(
                path,
                format!("'{other}' is neither a name, a list of names nor true"),
            );
            Vec::new()
        }
    };
    let mut names = BTreeSet::new();
    for text in texts {
        match AuthorityName::new(&text) {
            Ok(name) => drop(names.insert(name)),
            Err(fault) => faults.push(path, fault),
        }
    }
    Selection::Names(names)
}

/// Only what the task describes can be made anew: the wish says what the new certificate holds.
fn check_selection(
    path: &str,
    chosen: &Selection,
    authorities: &[AuthorityWish],
    faults: &mut Faults,
) {
    let Selection::Names(names) = chosen else {
        return;
    };
    for name in names {
        if !authorities.iter().any(|wish| &wish.name == name) {
            faults.push(
                path,
                format!("'{name}' is not among the authorities of this task"),
            );
        }
    }
}

/// Parses `text`; a fault is noted at `path`.
pub(crate) fn parsed<T>(path: &str, text: &str, faults: &mut Faults) -> Option<T>
where
    T: FromStr,
    T::Err: Display,
{
    match text.parse() {
        Ok(value) => Some(value),
        Err(error) => {
            faults.push(path, error.to_string());
            None
        }
    }
}

/// Parses each of a list; faults are noted at `path[index]`.
fn parsed_list<T>(path: &str, texts: &[String], faults: &mut Faults) -> Vec<T>
where
    T: FromStr,
    T::Err: Display,
{
    let each = texts.iter().enumerate();
    each.filter_map(|(index, text)| parsed(&format!("{path}[{index}]"), text, faults))
        .collect()
}

/// A lifetime above zero.
fn ttl(path: &str, text: Option<&str>, default: &str, faults: &mut Faults) -> Lifetime {
    if let Some(count) = text.and_then(pki::without_unit) {
        faults.push(
            path,
            format!("'{count}' has no unit; write {count}d for days or {count}s for seconds"),
        );
        return Lifetime(1);
    }
    let lifetime = parsed::<Lifetime>(path, text.unwrap_or(default), faults);
    if lifetime == Some(Lifetime(0)) {
        faults.push(path, "must be longer than zero");
    }
    lifetime.unwrap_or(Lifetime(1))
}

fn renew_before(path: &str, text: &str, faults: &mut Faults) -> RenewBefore {
    parsed(path, text, faults).unwrap_or(RenewBefore::Share(33))
}

fn path_length(path: &str, value: Option<i64>, faults: &mut Faults) -> Option<u8> {
    let value = value?;
    let length = u8::try_from(value).ok();
    if length.is_none() {
        faults.push(
            path,
            format!("'{value}' is not a path length; give 0 to 255 or leave it out"),
        );
    }
    length
}
