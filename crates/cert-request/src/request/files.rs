// SPDX-License-Identifier: Apache-2.0
//! What is written where.

use std::fmt;

use pki::bundle::Part;
use tls_files::{Attributes, Mode, SelinuxContext, Target};
use zeroize::Zeroizing;

use super::{EntryName, Merged, Notes};
use crate::params::FileParams;

/// Passphrase and name of the entry in a PKCS#12 or JKS file.
pub struct Store {
    /// Encrypts the file.
    pub passphrase: Zeroizing<Vec<u8>>,
    /// Name of the entry.
    pub alias: String,
}

impl fmt::Debug for Store {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            passphrase: _,
            alias,
        } = self;
        f.debug_struct("Store")
            .field("alias", alias)
            .finish_non_exhaustive()
    }
}

/// What is in a file.
#[derive(Debug)]
pub enum Content {
    /// The key alone.
    PrivateKey,
    /// The certificate alone.
    Certificate,
    /// The certificates between the certificate and the root.
    Chain,
    /// The certificate and the chain.
    Fullchain,
    /// The chain and the root: what a client needs to trust.
    CaBundle,
    /// The root alone.
    Root,
    /// Key and certificates in one file, as HAProxy wants it.
    Combined(Vec<Part>),
    /// PKCS#12.
    Pkcs12(Store),
    /// Java key store.
    Jks(Store),
    /// The signing request.
    Csr,
}

impl Content {
    /// The word of the option.
    pub fn word(&self) -> &'static str {
        match self {
            Self::PrivateKey => "private_key",
            Self::Certificate => "certificate",
            Self::Chain => "chain",
            Self::Fullchain => "fullchain",
            Self::CaBundle => "ca_bundle",
            Self::Root => "root",
            Self::Combined(_) => "combined",
            Self::Pkcs12(_) => "pkcs12",
            Self::Jks(_) => "jks",
            Self::Csr => "csr",
        }
    }

    /// Whether the private key is in it.
    pub fn holds_key(&self) -> bool {
        match self {
            Self::PrivateKey | Self::Pkcs12(_) | Self::Jks(_) => true,
            Self::Combined(parts) => parts.contains(&Part::PrivateKey),
            _ => false,
        }
    }

    /// Whether the certificate itself is in it.
    pub fn holds_certificate(&self) -> bool {
        match self {
            Self::Certificate | Self::Fullchain | Self::Pkcs12(_) | Self::Jks(_) => true,
            Self::Combined(parts) => parts.contains(&Part::Certificate),
            _ => false,
        }
    }

    /// Whether certmonger, where it is the issuer, writes it.
    pub fn is_written_by_certmonger(&self) -> bool {
        matches!(self, Self::PrivateKey | Self::Certificate)
    }

    /// Whether certificates above the leaf are in it.
    pub fn holds_chain(&self) -> bool {
        match self {
            Self::Chain
            | Self::Fullchain
            | Self::CaBundle
            | Self::Root
            | Self::Pkcs12(_)
            | Self::Jks(_) => true,
            Self::Combined(parts) => parts.contains(&Part::Chain) || parts.contains(&Part::Root),
            Self::PrivateKey | Self::Certificate | Self::Csr => false,
        }
    }

    /// The order of the renames: key, certificate, chain, then what holds several.
    fn rank(&self) -> u8 {
        match self {
            Self::PrivateKey => 0,
            Self::Certificate => 1,
            Self::Chain | Self::CaBundle | Self::Root => 2,
            Self::Fullchain => 3,
            Self::Combined(_) | Self::Pkcs12(_) | Self::Jks(_) => 4,
            Self::Csr => 5,
        }
    }
}

/// One file.
#[derive(Debug)]
pub struct FileSpec {
    /// What is in it.
    pub content: Content,
    /// Path and attributes.
    pub target: Target,
}

/// What the files of an entry are needed for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// Only the request is made so far; key and certificate may have no place yet.
    Ask,
    /// Key and certificate are installed.
    Install,
    /// Only the paths matter.
    Remove,
}

/// The files of an entry, in the order of the renames.
pub(crate) fn files(
    merged: &Merged<'_>,
    name: Option<&EntryName>,
    purpose: Purpose,
    notes: &mut Notes,
) -> Vec<FileSpec> {
    let Some((given, path)) = merged
        .pick("files", |entry| entry.files.as_ref())
        .filter(|(given, _)| !given.is_empty())
    else {
        notes.fault(
            merged.at("files"),
            "required: name at least one file, with 'content' and 'path'",
        );
        return Vec::new();
    };
    let each = given.iter().enumerate();
    let mut files: Vec<FileSpec> = each
        .filter_map(|(index, file)| spec(&format!("{path}[{index}]"), file, name, purpose, notes))
        .collect();
    files.sort_by_key(|file| file.content.rank());
    if files.len() == given.len() && purpose == Purpose::Install {
        check_contents(&path, &files, notes);
    }
    files
}

/// Without key or certificate on disk the next run could not know what is in service, and a key without a
/// place would be lost.
fn check_contents(path: &str, files: &[FileSpec], notes: &mut Notes) {
    let holds = |of: fn(&Content) -> bool| files.iter().any(|file| of(&file.content));
    if !holds(Content::holds_key) {
        notes.fault(
            path,
            "no file holds the private key; add 'private_key', 'combined', 'pkcs12' or 'jks'",
        );
    }
    if !holds(Content::holds_certificate) {
        notes.fault(path, "no file holds the certificate; add 'certificate', 'fullchain', 'combined', 'pkcs12' or 'jks'");
    }
}

fn spec(
    path: &str,
    file: &FileParams,
    name: Option<&EntryName>,
    purpose: Purpose,
    notes: &mut Notes,
) -> Option<FileSpec> {
    let content = content(path, file, name, purpose, notes);
    let absolute = notes.absolute(&format!("{path}.path"), &file.path);
    let attributes = Attributes {
        owner: notes.account(&format!("{path}.owner"), file.owner.as_deref(), false),
        group: notes.account(&format!("{path}.group"), file.group.as_deref(), true),
        mode: file.mode.as_ref().and_then(|mode| {
            Mode::parse_from_value(mode)
                .map_err(|error| notes.fault(format!("{path}.mode"), error.to_string()))
                .ok()
        }),
        context: context(path, file, notes),
    };
    let content = content?;
    let secret = content.holds_key();
    let target = Target {
        path: absolute?,
        attributes,
        secret,
        backup: file.backup.unwrap_or(false),
    };
    Some(FileSpec { content, target })
}

fn context(path: &str, file: &FileParams, notes: &mut Notes) -> Option<SelinuxContext> {
    let whole = file.context.as_deref().and_then(|text| {
        SelinuxContext::parse(text)
            .map_err(|error| notes.fault(format!("{path}.context"), error.to_string()))
            .ok()
    });
    let Some(kind) = &file.setype else {
        return whole;
    };
    Some(SelinuxContext {
        kind: Some(kind.clone()),
        ..whole.unwrap_or_default()
    })
}

fn content(
    path: &str,
    file: &FileParams,
    name: Option<&EntryName>,
    purpose: Purpose,
    notes: &mut Notes,
) -> Option<Content> {
    if file.parts.is_some() && file.content != "combined" {
        notes.fault(
            format!("{path}.parts"),
            format!("only content 'combined' has parts, not '{}'", file.content),
        );
    }
    let is_store = matches!(file.content.as_str(), "pkcs12" | "jks");
    if !is_store && (file.passphrase.is_some() || file.alias.is_some()) {
        let message = "only content 'pkcs12' and 'jks' take a passphrase and an alias; the passphrase of a PEM key is key.passphrase";
        notes.fault(format!("{path}.passphrase"), message);
    }
    Some(match file.content.as_str() {
        "private_key" => Content::PrivateKey,
        "certificate" => Content::Certificate,
        "chain" => Content::Chain,
        "fullchain" => Content::Fullchain,
        "ca_bundle" => Content::CaBundle,
        "root" => Content::Root,
        "combined" => Content::Combined(parts(file)),
        "pkcs12" => Content::Pkcs12(store(path, file, name, purpose, notes)?),
        "jks" => Content::Jks(store(path, file, name, purpose, notes)?),
        _ => Content::Csr,
    })
}

/// Certificate, chain, key: the order that HAProxy documents.
fn parts(file: &FileParams) -> Vec<Part> {
    let Some(words) = file.parts.as_ref().filter(|words| !words.is_empty()) else {
        return vec![Part::Certificate, Part::Chain, Part::PrivateKey];
    };
    let part = |word: &String| match word.as_str() {
        "certificate" => Part::Certificate,
        "chain" => Part::Chain,
        "root" => Part::Root,
        _ => Part::PrivateKey,
    };
    words.iter().map(part).collect()
}

fn store(
    path: &str,
    file: &FileParams,
    name: Option<&EntryName>,
    purpose: Purpose,
    notes: &mut Notes,
) -> Option<Store> {
    let least = if file.content == "jks" { 6 } else { 1 };
    let passphrase = file
        .passphrase
        .as_ref()
        .map(|text| text.expose().as_bytes())
        .unwrap_or_default();
    if passphrase.len() < least && purpose != Purpose::Remove {
        let message = format!(
            "required for content '{}', with at least {least} characters",
            file.content
        );
        notes.fault(format!("{path}.passphrase"), message);
        return None;
    }
    let alias = file
        .alias
        .clone()
        .or_else(|| name.map(ToString::to_string))?;
    Some(Store {
        passphrase: Zeroizing::new(passphrase.to_vec()),
        alias,
    })
}
