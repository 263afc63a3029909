// SPDX-License-Identifier: Apache-2.0
//! What is on disk. Reads only; unreadable is never taken for absent.

mod files;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use pki::crl::RevocationList;
use pki::{Certificate, CertificateRequest, KeyUsage, PrivateKey, PublicKey};
use tls_files::{Drift, Target};

use self::files::{bundle, certificate, file_names, missing, os, read, read_request, refuse_link};

use crate::failure::Failure;
use crate::index::Index;
use crate::names::{AuthorityName, EntryName};
use crate::request::{AuthorityWish, Request, State};
use crate::tree::{AuthorityPlaces, Directory, FIRST_GENERATION, Tree};

/// Everything that a decision needs to know of the tree.
#[derive(Debug, Default)]
pub struct ObservedTree {
    /// The authorities that could be read.
    pub authorities: BTreeMap<AuthorityName, ObservedAuthority>,
    /// Those that could not.
    pub broken: BTreeMap<AuthorityName, Failure>,
    /// The kept certificates that `sign` names, or why one cannot be read.
    pub entries: BTreeMap<EntryName, Result<ObservedEntry, String>>,
    /// All kept certificates by file name; read only where something may be lost with its authority.
    pub kept: BTreeMap<String, Certificate>,
    /// Base directories that do not exist yet.
    pub missing_directories: Vec<Directory>,
}

/// One authority.
#[derive(Debug)]
pub struct ObservedAuthority {
    /// The certificate in service.
    pub certificate: Option<Certificate>,
    /// What `<CA>.crt` is.
    pub link: Link,
    /// Every readable generation.
    pub generations: BTreeMap<u64, Certificate>,
    /// The number of the next generation.
    pub next_generation: u64,
    /// The key in service.
    pub key: ObservedKey,
    /// The key of a request that is away, if it is not the one in service.
    pub pending_key: Option<PrivateKey>,
    /// The request that is away: that of the next generation.
    pub pending_request: Option<CertificateRequest>,
    /// The request of the generation in service.
    pub current_request: Option<CertificateRequest>,
    /// The chain file, its own certificate first.
    pub chain: Option<Vec<Certificate>>,
    /// Issued and revoked serials.
    pub index: Index,
    /// The revocation list, or what is wrong with it.
    pub crl: Option<Result<RevocationList, String>>,
    /// Its key signed by others, by signer.
    pub bridges: BTreeMap<AuthorityName, Certificate>,
    /// Files whose owner or mode differ.
    pub drift: Vec<(Target, Vec<Drift>)>,
    /// Key directories whose owner or mode differ.
    pub directory_drift: Vec<(PathBuf, Drift)>,
    /// Directories that do not exist yet.
    pub missing_directories: Vec<Directory>,
}

/// What `<CA>.crt` is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Link {
    /// Nothing.
    Absent,
    /// A link to this generation (which may be gone).
    Generation(u64),
    /// A file of its own.
    Regular,
}

/// A private key as far as we could get at it.
#[derive(Debug)]
pub enum ObservedKey {
    /// There is none.
    Absent,
    /// Encrypted, and the task does not describe the authority.
    Locked,
    /// Readable.
    Open {
        /// The key.
        private: PrivateKey,
        /// Its public half.
        public: PublicKey,
        /// Whether the file is encrypted.
        encrypted: bool,
    },
}

/// A kept certificate.
#[derive(Debug)]
pub struct ObservedEntry {
    /// The certificate.
    pub certificate: Certificate,
    /// What `-chain.crt` holds.
    pub chain: Vec<Certificate>,
    /// What `-ca_bundle.crt` holds.
    pub ca_bundle: Vec<Certificate>,
}

/// Looks at the whole tree.
pub fn observe(request: &Request) -> Result<ObservedTree, Failure> {
    let tree = &request.tree;
    let mut observed = ObservedTree {
        missing_directories: missing(tree.base_directories())?,
        ..ObservedTree::default()
    };
    for name in names(tree)? {
        match authority(tree, &name, request.authority(&name)) {
            Ok(Some(found)) => drop(observed.authorities.insert(name, found)),
            Ok(None) => {}
            Err(failure) => drop(observed.broken.insert(name, failure)),
        }
    }
    for name in request.sign.iter().filter_map(|wish| wish.name.as_ref()) {
        if let Some(entry) = entry(tree, name).transpose() {
            observed.entries.insert(name.clone(), entry);
        }
    }
    if something_may_be_lost(request, &observed) {
        observed.kept = kept(tree)?;
    }
    Ok(observed)
}

/// Where a killed run may have left a journal.
pub fn journal_directories(tree: &Tree) -> Result<Vec<PathBuf>, Failure> {
    let mut directories = vec![tree.certificates(), tree.root.join("certs").join("csr")];
    for name in names(tree)? {
        directories.extend(
            tree.authority(&name)
                .directories()
                .into_iter()
                .map(|each| each.path),
        );
    }
    directories.retain(|path| path.is_dir());
    Ok(directories)
}

fn something_may_be_lost(request: &Request, observed: &ObservedTree) -> bool {
    request.authorities.iter().any(|wish| {
        matches!(wish.state, State::Absent(_))
            || observed.authorities.get(&wish.name).is_some_and(|found| {
                found.certificate.is_some() && matches!(found.key, ObservedKey::Absent)
            })
    })
}

/// The authorities in the tree.
fn names(tree: &Tree) -> Result<BTreeSet<AuthorityName>, Failure> {
    let listed = file_names(&tree.roots())?;
    let directories = listed
        .into_iter()
        .filter(|name| tree.roots().join(name).is_dir());
    Ok(directories
        .filter_map(|name| AuthorityName::new(&name).ok())
        .collect())
}

fn authority(
    tree: &Tree,
    name: &AuthorityName,
    wish: Option<&AuthorityWish>,
) -> Result<Option<ObservedAuthority>, Failure> {
    let places = tree.authority(name);
    for directory in places.directories() {
        refuse_link(&directory.path)?;
    }
    let link = link(&places)?;
    let (generations, next_generation) = generations(&places, link)?;
    let certificate = current(&places, link, &generations)?;
    let key = key(&places, wish)?;
    let current_generation = match link {
        Link::Generation(number) => number,
        _ => next_generation.saturating_sub(1),
    };
    Ok(Some(ObservedAuthority {
        pending_key: pending_key(&places, next_generation, wish)?,
        pending_request: read_request(&places.request(next_generation))?,
        current_request: read_request(&places.request(current_generation))?,
        chain: bundle(&places.chain())?,
        index: index(&places)?,
        crl: crl(&places)?,
        bridges: bridges(&places, name)?,
        drift: drift(tree, &places, link)?,
        directory_drift: directory_drift(tree, &places)?,
        missing_directories: missing(places.directories())?,
        certificate,
        link,
        generations,
        next_generation,
        key,
    }))
}

fn link(places: &AuthorityPlaces) -> Result<Link, Failure> {
    let path = places.certificate();
    match fs::symlink_metadata(&path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Link::Absent),
        Err(source) => Err(os("look at", &path, source)),
        Ok(found) if !found.is_symlink() => Ok(Link::Regular),
        Ok(_) => linked_generation(places, &path),
    }
}

/// Absolute links, which old versions of the upstream role made, are followed only into the same directory.
fn linked_generation(places: &AuthorityPlaces, path: &Path) -> Result<Link, Failure> {
    let target = fs::read_link(path).map_err(|source| os("read the link", path, source))?;
    let here = match target.parent() {
        Some(parent) => parent.as_os_str().is_empty() || parent == places.certificates(),
        None => false,
    };
    let generation = target
        .file_name()
        .and_then(|file| file.to_str())
        .and_then(|file| places.generation_of(file));
    match generation {
        Some(number) if here => Ok(Link::Generation(number)),
        _ => Err(Failure::Damaged {
            path: path.to_owned(),
            problem: format!(
                "links to '{}', which is not a certificate of this authority",
                target.display()
            ),
        }),
    }
}

/// The generations that can be read, and the number of the next one. Only the one in service must be sound.
fn generations(
    places: &AuthorityPlaces,
    link: Link,
) -> Result<(BTreeMap<u64, Certificate>, u64), Failure> {
    let mut readable = BTreeMap::new();
    let mut highest = read(&places.serial())?.and_then(|file| {
        String::from_utf8_lossy(&file.bytes)
            .trim()
            .parse::<u64>()
            .ok()
    });
    for file in file_names(&places.certificates())? {
        let Some(number) = places.generation_of(&file) else {
            continue;
        };
        highest = highest.max(Some(number));
        match certificate(&places.generation(number)) {
            Ok(Some(found)) => drop(readable.insert(number, found)),
            Ok(None) => {}
            Err(failure) if link == Link::Generation(number) => return Err(failure),
            Err(_) => {}
        }
    }
    Ok((
        readable,
        highest.map_or(FIRST_GENERATION, |number| number.saturating_add(1)),
    ))
}

fn current(
    places: &AuthorityPlaces,
    link: Link,
    generations: &BTreeMap<u64, Certificate>,
) -> Result<Option<Certificate>, Failure> {
    match link {
        Link::Absent => Ok(None),
        Link::Generation(number) => Ok(generations.get(&number).cloned()),
        Link::Regular => certificate(&places.certificate()),
    }
}

fn key(places: &AuthorityPlaces, wish: Option<&AuthorityWish>) -> Result<ObservedKey, Failure> {
    let Some(file) = read(&places.key())? else {
        return Ok(ObservedKey::Absent);
    };
    let encrypted = is_encrypted(&file.bytes);
    let needless = wish.is_none_or(|wish| matches!(wish.state, State::Absent(_)));
    if encrypted && needless {
        return Ok(ObservedKey::Locked);
    }
    let private = open(&places.key(), &file.bytes, wish)?;
    let public = private.public_key().map_err(Failure::pki(format!(
        "use the private key '{}'",
        places.key().display()
    )))?;
    Ok(ObservedKey::Open {
        private,
        public,
        encrypted,
    })
}

/// PKCS#8 says it in the label, the traditional form in a header.
fn is_encrypted(pem: &[u8]) -> bool {
    pem.windows(9).any(|window| window == b"ENCRYPTED")
}

fn open(path: &Path, pem: &[u8], wish: Option<&AuthorityWish>) -> Result<PrivateKey, Failure> {
    let passphrase = wish.and_then(|wish| wish.passphrase.as_ref());
    PrivateKey::from_pem(pem, passphrase.map(|secret| secret.expose().as_bytes())).map_err(
        Failure::pki(format!("read the private key '{}'", path.display())),
    )
}

fn pending_key(
    places: &AuthorityPlaces,
    generation: u64,
    wish: Option<&AuthorityWish>,
) -> Result<Option<PrivateKey>, Failure> {
    let path = places.pending_key(generation);
    let file = if wish.is_some() { read(&path)? } else { None };
    file.map(|file| open(&path, &file.bytes, wish)).transpose()
}

fn index(places: &AuthorityPlaces) -> Result<Index, Failure> {
    let path = places.index();
    let Some(file) = read(&path)? else {
        return Ok(Index::default());
    };
    Index::parse(&file.bytes).map_err(|damage| Failure::Damaged {
        path,
        problem: format!("is not an index of ours: {damage}; restore it from a backup"),
    })
}

fn crl(places: &AuthorityPlaces) -> Result<Option<Result<RevocationList, String>>, Failure> {
    let file = read(&places.crl())?;
    Ok(file.map(|file| RevocationList::from_pem(&file.bytes).map_err(|error| error.to_string())))
}

fn bridges(
    places: &AuthorityPlaces,
    name: &AuthorityName,
) -> Result<BTreeMap<AuthorityName, Certificate>, Failure> {
    let mut found = BTreeMap::new();
    for file in file_names(&places.certificates())? {
        let signer = file
            .strip_prefix(name.as_str())
            .and_then(|rest| rest.strip_prefix("-cross-"))
            .and_then(|rest| rest.strip_suffix(".crt"))
            .and_then(|signer| AuthorityName::new(signer).ok());
        if let Some(signer) = signer
            && let Some(bridge) = certificate(&places.bridge(&signer))?
        {
            found.insert(signer, bridge);
        }
    }
    Ok(found)
}

/// The files whose attributes we keep: the key, the certificate in service, the list.
fn drift(
    tree: &Tree,
    places: &AuthorityPlaces,
    link: Link,
) -> Result<Vec<(Target, Vec<Drift>)>, Failure> {
    let certificate = match link {
        Link::Generation(number) => places.generation(number),
        _ => places.certificate(),
    };
    let targets = [
        tree.private(places.key()),
        tree.public(certificate),
        tree.public(places.crl()),
    ];
    let mut drifted = Vec::new();
    for target in targets {
        if let Some(file) = read(&target.path)? {
            let drift = tls_files::attribute_drift(&target, &file);
            if !drift.is_empty() {
                drifted.push((target, drift));
            }
        }
    }
    Ok(drifted)
}

/// Only the directory of keys is kept at its mode: others may be opened or closed as the site likes.
fn directory_drift(
    tree: &Tree,
    places: &AuthorityPlaces,
) -> Result<Vec<(PathBuf, Drift)>, Failure> {
    let path = places.private();
    let found = match fs::metadata(&path) {
        Ok(found) => found,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(source) => return Err(os("look at", &path, source)),
    };
    let ownership = &tree.ownership;
    let mode = found.mode() & 0o7777;
    let wished = ownership.key_directory_mode.resolve(mode);
    let mut drifts = Vec::new();
    if mode != wished {
        drifts.push(("mode", format!("{mode:04o}"), format!("{wished:04o}")));
    }
    let accounts = [
        ("owner", found.uid(), ownership.owner),
        ("group", found.gid(), ownership.group),
    ];
    for (what, has, wished) in accounts {
        if let Some(wished) = wished.filter(|wished| *wished != has) {
            drifts.push((what, has.to_string(), wished.to_string()));
        }
    }
    let drift = |(what, before, after)| {
        (
            path.clone(),
            Drift {
                what,
                before,
                after,
            },
        )
    };
    Ok(drifts.into_iter().map(drift).collect())
}

fn entry(tree: &Tree, name: &EntryName) -> Result<Option<ObservedEntry>, String> {
    let places = tree.entry(name);
    let read = || {
        let Some(certificate) = certificate(&places.certificate)? else {
            return Ok(None);
        };
        Ok::<_, Failure>(Some(ObservedEntry {
            certificate,
            chain: bundle(&places.chain)?.unwrap_or_default(),
            ca_bundle: bundle(&places.ca_bundle)?.unwrap_or_default(),
        }))
    };
    read().map_err(|failure| ansible_module::flatten(&failure))
}

fn kept(tree: &Tree) -> Result<BTreeMap<String, Certificate>, Failure> {
    let directory = tree.certificates();
    let mut found = BTreeMap::new();
    for file in file_names(&directory)? {
        let is_leaf = file
            .strip_suffix(".crt")
            .is_some_and(|stem| !stem.ends_with("-chain") && !stem.ends_with("-ca_bundle"));
        if is_leaf && let Ok(Some(certificate)) = certificate(&directory.join(&file)) {
            found.insert(file, certificate);
        }
    }
    Ok(found)
}

/// Whether the certificate may sign certificates (an absent key usage allows all, RFC 5280 §4.2.1.3).
pub fn may_sign(certificate: &Certificate) -> bool {
    let facts = certificate.facts();
    facts.is_ca()
        && (facts.key_usage.is_empty() || facts.key_usage.contains(&KeyUsage::KeyCertSign))
}
