// SPDX-License-Identifier: Apache-2.0
//! What is on the host: files, key, certificate, pending request. Unreadable is never taken for absent.

use std::path::Path;

use acme::RenewalInfo;
use issuers::Above;
use pki::{Certificate, CertificateRequest, PrivateKey};
use tls_files::{Drift, Observed, ObservedFile};

use crate::failure::EntryError;
use crate::issuance::Loaded;
use crate::layout::{self, Held, Wanted};
use crate::request::{Content, Entry, FileSpec, OnUnreadable};
use crate::state::{Pending, PendingDir};

/// What is at the path of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Presence {
    /// Nothing.
    Absent,
    /// A file; what its content lacks, if anything.
    Present {
        /// How it differs from what it should hold.
        difference: Option<String>,
    },
    /// Something that is not what it should be; only seen with `on_unreadable: replace`.
    Unreadable(String),
}

/// One file of the entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileFacts {
    /// What is there.
    pub presence: Presence,
    /// Attributes that differ.
    pub drift: Vec<Drift>,
    /// The mode of a key that everybody may reach, where the wish leaves the mode as it is.
    pub open_mode: Option<u32>,
}

/// Everything that is known of one entry before anything is decided.
#[derive(Default)]
pub struct Observation {
    /// As many as the entry has files, in the same order.
    pub files: Vec<FileFacts>,
    /// The key in service.
    pub key: Option<PrivateKey>,
    /// The certificate in service.
    pub certificate: Option<Certificate>,
    /// Whether key and certificate belong together; true when one of them is missing.
    pub is_pair: bool,
    /// What should stand above the certificate.
    pub above: Above,
    /// A file holds certificates above, but nobody knows them any more.
    pub is_chain_lost: bool,
    /// The request file, when there is one.
    pub request: Option<CertificateRequest>,
    /// The request that waits for an outside signature, or for an ACME server.
    pub pending: Option<Pending>,
    /// When the ACME server would like the certificate to be renewed, if it says so.
    pub suggestion: Option<RenewalInfo>,
}

/// A file as read.
enum Found {
    Absent,
    Unreadable(String),
    Read(ObservedFile),
}

/// Looks at everything that belongs to an entry; changes nothing.
///
/// # Errors
/// What cannot be read or could not be written.
pub fn observe(
    entry: &Entry,
    issuer: &Loaded,
    state_dir: &Path,
) -> Result<Observation, EntryError> {
    let mut found = entry
        .files
        .iter()
        .map(|file| look(entry, file))
        .collect::<Result<Vec<_>, _>>()?;
    let pair = pair(entry, &mut found)?;
    let is_pair = pair.belongs_together();
    let (key_file, key) = pair.key.unzip();
    let mut observation = Observation {
        key,
        certificate: pair.certificate,
        is_pair,
        ..Observation::default()
    };
    observe_above(entry, issuer, &found, &mut observation);
    observation.files = facts(entry, &found, &observation, key_file)?;
    observation.request = request(entry, &found);
    if issuer.external().is_some() || issuer.acme().is_some() {
        observation.pending = PendingDir::new(state_dir, &entry.name).observe(&entry.key)?;
    }
    Ok(observation)
}

fn look(entry: &Entry, file: &FileSpec) -> Result<Found, EntryError> {
    match tls_files::observe(&file.target.path) {
        Observed::Absent => Ok(Found::Absent),
        Observed::Present(read) => Ok(Found::Read(read)),
        Observed::Unreadable(error) => {
            // A directory, say, is no file that could be replaced; then this is the better message.
            tls_files::check_destination(&file.target)?;
            unreadable(entry, file, ansible_module::flatten(&error))
        }
    }
}

fn unreadable(entry: &Entry, file: &FileSpec, why: String) -> Result<Found, EntryError> {
    match entry.on_unreadable {
        OnUnreadable::Replace => Ok(Found::Unreadable(why)),
        OnUnreadable::Fail => Err(EntryError::Unreadable {
            content: file.content.word(),
            path: file.target.path.clone(),
            why,
        }),
    }
}

/// Parses a file that was read; one that is not what it should be becomes unreadable.
fn held(entry: &Entry, index: usize, found: &mut [Found]) -> Result<Option<Held>, EntryError> {
    let (Some(file), Some(Found::Read(read))) = (entry.files.get(index), found.get(index)) else {
        return Ok(None);
    };
    match layout::read(&file.content, &read.bytes, &entry.key) {
        Ok(held) => Ok(Some(held)),
        Err(why) => {
            found[index] = unreadable(entry, file, why)?;
            Ok(None)
        }
    }
}

fn belong_together(key: Option<&PrivateKey>, certificate: Option<&Certificate>) -> bool {
    let (Some(key), Some(certificate)) = (key, certificate) else {
        return true;
    };
    key.public_key()
        .is_ok_and(|public_key| public_key == *certificate.public_key())
}

/// Key and certificate in service, and the file from which the key was read.
#[derive(Default, Clone)]
struct Pair {
    key: Option<(usize, PrivateKey)>,
    certificate: Option<Certificate>,
}

impl Pair {
    fn belongs_together(&self) -> bool {
        belong_together(
            self.key.as_ref().map(|(_, key)| key),
            self.certificate.as_ref(),
        )
    }
}

/// The first file that holds a key and the first that holds a certificate are asked first; only if these
/// two do not belong together are the others looked at, for a combined file may hold the pair that does.
fn pair(entry: &Entry, found: &mut [Found]) -> Result<Pair, EntryError> {
    let mut first = Pair::default();
    for index in 0..entry.files.len() {
        let content = &entry.files[index].content;
        let wants_key = content.holds_key() && first.key.is_none();
        let wants_certificate = content.holds_certificate() && first.certificate.is_none();
        if !(wants_key || wants_certificate) {
            continue;
        }
        let Some(held) = held(entry, index, found)? else {
            continue;
        };
        if wants_key {
            first.key = held.key.map(|key| (index, key));
        }
        if wants_certificate {
            first.certificate = held.certificates.into_iter().next();
        }
    }
    if first.belongs_together() {
        return Ok(first);
    }
    Ok(any_pair(entry, found)?.unwrap_or(first))
}

fn any_pair(entry: &Entry, found: &mut [Found]) -> Result<Option<Pair>, EntryError> {
    let (mut keys, mut certificates) = (Vec::new(), Vec::new());
    for index in 0..entry.files.len() {
        let Some(held) = held(entry, index, found)? else {
            continue;
        };
        keys.extend(held.key.map(|key| (index, key)));
        if entry.files[index].content.holds_certificate() {
            certificates.extend(held.certificates.into_iter().next());
        }
    }
    let pairs = certificates.into_iter().flat_map(|certificate| {
        keys.iter().map(move |key| Pair {
            key: Some(key.clone()),
            certificate: Some(certificate.clone()),
        })
    });
    Ok(pairs.into_iter().find(Pair::belongs_together))
}

/// What stands above: the issuer knows, or it came with the certificate and is in the files.
fn observe_above(entry: &Entry, issuer: &Loaded, found: &[Found], observation: &mut Observation) {
    if let (Some(kept), Some(certificate)) = (issuer.kept(), &observation.certificate) {
        observation.above = kept.issuer.above_of(certificate);
        return;
    }
    if let Some(above) = issuer.issuer().above() {
        observation.above = above.clone();
        return;
    }
    let Some(certificate) = &observation.certificate else {
        return;
    };
    let mut pool = Vec::new();
    let (mut wanted, mut sources) = (0, 0);
    for (file, found) in entry
        .files
        .iter()
        .zip(found)
        .filter(|(file, _)| file.content.holds_chain())
    {
        wanted += 1;
        if let Found::Read(read) = found
            && let Ok(held) = layout::read(&file.content, &read.bytes, &entry.key)
        {
            sources += 1;
            pool.extend(held.certificates);
        }
    }
    if let Some(signed) = issuer.external().and_then(issuers::External::signed)
        && signed.leaf_for(certificate.public_key()) == Some(certificate)
    {
        sources += 1;
        pool.extend(signed.certificates().iter().cloned());
    }
    if let Some(kept) = issuer.acme().and_then(issuers::Acme::kept)
        && kept.leaf() == Some(certificate)
    {
        sources += 1;
        pool.extend(kept.chain.iter().cloned());
    }
    observation.above = Above::over(certificate, pool.clone());
    // What the files do not say is what the server sends with a new certificate.
    let has_all = sources > 0 && (observation.above.root.is_some() || !layout::wants_root(entry));
    if let Some(issuing) = issuer.vault().and_then(issuers::Vault::issuing)
        && !has_all
        && certificate.signed_by(&issuing.certificate)
    {
        sources += 1;
        pool.push(issuing.certificate.clone());
        pool.extend(issuing.above.iter().cloned());
        observation.above = Above::over(certificate, pool);
    }
    observation.is_chain_lost = wanted > 0 && sources == 0;
}

fn facts(
    entry: &Entry,
    found: &[Found],
    observation: &Observation,
    key_file: Option<usize>,
) -> Result<Vec<FileFacts>, EntryError> {
    let key_text = key_file.and_then(|index| match found.get(index) {
        Some(Found::Read(read)) => layout::key_text(&read.bytes),
        _ => None,
    });
    let mut facts = Vec::with_capacity(found.len());
    for (file, found) in entry.files.iter().zip(found) {
        let (drift, open_mode) = match found {
            Found::Read(read) => (
                tls_files::attribute_drift(&file.target, read),
                open_mode(file, read),
            ),
            _ => (Vec::new(), None),
        };
        let presence = presence(entry, file, found, observation, key_text)?;
        facts.push(FileFacts {
            presence,
            drift,
            open_mode,
        });
    }
    Ok(facts)
}

fn open_mode(file: &FileSpec, read: &ObservedFile) -> Option<u32> {
    let is_open = file.content.holds_key()
        && file.target.attributes.mode.is_none()
        && read.attributes.mode & 0o007 != 0;
    is_open.then_some(read.attributes.mode)
}

fn presence(
    entry: &Entry,
    file: &FileSpec,
    found: &Found,
    observation: &Observation,
    key_text: Option<&[u8]>,
) -> Result<Presence, EntryError> {
    let read = match found {
        Found::Absent => return Ok(Presence::Absent),
        Found::Unreadable(why) => return Ok(Presence::Unreadable(why.clone())),
        Found::Read(read) => read,
    };
    let (Some(leaf), Some(key)) = (&observation.certificate, &observation.key) else {
        return Ok(Presence::Present { difference: None });
    };
    let wanted = Wanted {
        leaf,
        above: &observation.above,
        key,
        key_text,
        wish: &entry.key,
    };
    match layout::difference(file, &read.bytes, &wanted) {
        Ok(difference) => Ok(Presence::Present { difference }),
        Err(why) => match unreadable(entry, file, why)? {
            Found::Unreadable(why) => Ok(Presence::Unreadable(why)),
            Found::Absent | Found::Read(_) => Ok(Presence::Present { difference: None }),
        },
    }
}

fn request(entry: &Entry, found: &[Found]) -> Option<CertificateRequest> {
    entry
        .files
        .iter()
        .zip(found)
        .find_map(|(file, found)| match (&file.content, found) {
            (Content::Csr, Found::Read(read)) => CertificateRequest::from_pem(&read.bytes).ok(),
            _ => None,
        })
}
