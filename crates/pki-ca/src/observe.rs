// SPDX-License-Identifier: Apache-2.0
//! What is on disk. Reads only; unreadable is never taken for absent.

mod authority;
mod drift;
pub(crate) mod files;

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use pki::crl::RevocationList;
use pki::{Certificate, CertificateRequest, KeyUsage, PrivateKey, PublicKey};
use tls_files::{Drift, Target};

use self::authority::authority;
use self::files::{bundle, certificate, file_names, missing};
use crate::failure::Failure;
use crate::index::Index;
use crate::names::{AuthorityName, EntryName};
use crate::request::{Request, State};
use crate::tree::{Directory, Tree};

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
