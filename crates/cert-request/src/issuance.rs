// SPDX-License-Identifier: Apache-2.0
//! The issuers of a task, each read once and shared by its certificates and threads.

use std::path::Path;
use std::sync::Arc;

use issuers::{
    Acme, AuthorityKey, CaFiles, Error, External, Issuer, Material, PrivateCa, Provided,
    ProvidedFiles, SelfSigned, Signed, Vault,
};
use pki::{Certificate, PrivateKey, Timestamp};
use tls_files::Observed;
use zeroize::Zeroizing;

use crate::failure::EntryError;
use crate::kept::{Daemons, Kept};
use crate::ordered::Place;
use crate::request::{Entry, IssuerSpec, PrivateCaSpec, ProvidedSpec, Source};

/// An issuer with its material.
#[derive(Debug)]
pub enum Loaded {
    /// An ACME server.
    Acme(Box<Acme>),
    /// certmonger, which keeps the key itself.
    Certmonger(Box<Kept>),
    /// Somebody outside.
    External(External),
    /// An authority on this host.
    PrivateCa(Arc<PrivateCa>),
    /// The user's own set.
    Provided(Box<Provided>),
    /// The subject.
    SelfSigned(Box<SelfSigned>),
    /// A Vault or OpenBao.
    Vault(Box<Vault>),
}

impl Loaded {
    /// What all issuers do.
    pub fn issuer(&self) -> &dyn Issuer {
        match self {
            Self::Acme(issuer) => issuer.as_ref(),
            Self::Certmonger(kept) => &kept.issuer,
            Self::External(issuer) => issuer,
            Self::PrivateCa(issuer) => issuer.as_ref(),
            Self::Provided(issuer) => issuer.as_ref(),
            Self::SelfSigned(issuer) => issuer.as_ref(),
            Self::Vault(issuer) => issuer.as_ref(),
        }
    }

    /// Whether issuing changes nothing but our memory, so that check mode may try it. Not so with an issuer that keeps
    /// account of what it issues.
    pub fn issues_without_effect(&self) -> bool {
        match self {
            Self::Acme(_) | Self::Certmonger(_) | Self::Vault(_) => false,
            Self::External(_) | Self::PrivateCa(_) | Self::Provided(_) | Self::SelfSigned(_) => {
                true
            }
        }
    }

    /// The ACME server, if it is one.
    pub fn acme(&self) -> Option<&Acme> {
        match self {
            Self::Acme(issuer) => Some(issuer),
            _ => None,
        }
    }

    /// What certmonger keeps, if it is the issuer.
    pub fn kept(&self) -> Option<&Kept> {
        match self {
            Self::Certmonger(kept) => Some(kept),
            _ => None,
        }
    }

    /// The role of a Vault, if it is one.
    pub fn vault(&self) -> Option<&Vault> {
        match self {
            Self::Vault(issuer) => Some(issuer),
            _ => None,
        }
    }

    /// The issuer outside, if it is one.
    pub fn external(&self) -> Option<&External> {
        match self {
            Self::External(issuer) => Some(issuer),
            _ => None,
        }
    }
}

/// An entry with its issuer.
pub struct Job<'a> {
    /// What is wished.
    pub entry: &'a Entry,
    /// Who signs, or why it cannot be used.
    pub issuer: Result<Loaded, EntryError>,
}

type Shared = Vec<(PrivateCaSpec, Result<Arc<PrivateCa>, EntryError>)>;

/// Reads what the entries name; equal authorities once. The keys of authorities are not read yet.
pub fn jobs<'a>(
    entries: &'a [Entry],
    daemons: &Daemons,
    state_dir: &Path,
    now: Timestamp,
) -> Vec<Job<'a>> {
    let mut authorities = Shared::new();
    entries
        .iter()
        .map(|entry| Job {
            entry,
            issuer: load(entry, daemons, (state_dir, now), &mut authorities),
        })
        .collect()
}

fn load(
    entry: &Entry,
    daemons: &Daemons,
    (state_dir, now): (&Path, Timestamp),
    authorities: &mut Shared,
) -> Result<Loaded, EntryError> {
    match &entry.issuer {
        IssuerSpec::Acme(spec) => {
            let kept = Place::new(state_dir, entry).kept();
            let issuer = Acme::new(&spec.authority.directory, spec.profile.as_deref(), kept);
            Ok(Loaded::Acme(Box::new(issuer)))
        }
        IssuerSpec::Certmonger(spec) => {
            Ok(Loaded::Certmonger(Box::new(Kept::load(spec, daemons)?)))
        }
        IssuerSpec::SelfSigned => Ok(Loaded::SelfSigned(Box::default())),
        IssuerSpec::PrivateCa(spec) => {
            if !authorities.iter().any(|(known, _)| known == spec) {
                let loaded = private_ca(spec).map(Arc::new).map_err(EntryError::from);
                authorities.push((spec.clone(), loaded));
            }
            match authorities.iter().find(|(known, _)| known == spec) {
                Some((_, Err(error))) => Err(error.share()),
                Some((_, Ok(authority))) => Ok(Loaded::PrivateCa(Arc::clone(authority))),
                None => Ok(Loaded::PrivateCa(Arc::new(private_ca(spec)?))),
            }
        }
        IssuerSpec::External { signed, trust } => Ok(Loaded::External(external(
            signed.as_ref(),
            trust.as_deref(),
        )?)),
        IssuerSpec::Vault(spec) => Ok(Loaded::Vault(Box::new(vault(spec.root.as_deref())?))),
        IssuerSpec::Provided(spec) => Ok(Loaded::Provided(Box::new(provided(spec, entry, now)?))),
    }
}

type Bytes = Zeroizing<Vec<u8>>;

fn read(what: &str, path: &Path) -> Result<(String, Bytes), Error> {
    let what = format!("the {what} '{}'", path.display());
    match tls_files::observe(path) {
        Observed::Present(file) => Ok((what, file.bytes)),
        Observed::Absent => Err(Error::Source {
            what,
            why: String::from("the file does not exist"),
        }),
        Observed::Unreadable(error) => Err(Error::Source {
            what,
            why: ansible_module::flatten(&error),
        }),
    }
}

fn material((what, bytes): &(String, Bytes)) -> Material<'_> {
    Material {
        what: what.clone(),
        bytes,
    }
}

fn private_ca(spec: &PrivateCaSpec) -> Result<PrivateCa, Error> {
    let optional =
        |what: &str, path: &Option<_>| path.as_deref().map(|path| read(what, path)).transpose();
    let certificate = read("CA certificate", &spec.certificate)?;
    let chain = optional("CA chain", &spec.chain)?;
    let root = optional("root certificate", &spec.root)?;
    let crl = optional("revocation list", &spec.crl)?;
    let files = CaFiles {
        certificate: material(&certificate),
        chain: chain.as_ref().map(material),
        root: root.as_ref().map(material),
        crl: crl.as_ref().map(material),
    };
    PrivateCa::new(&files, authority_key(spec))
}

fn authority_key(spec: &PrivateCaSpec) -> AuthorityKey {
    let (path, passphrase) = (spec.private_key.clone(), spec.passphrase.clone());
    Box::new(move || {
        let (what, pem) = read("CA key", &path)?;
        let passphrase = passphrase.as_ref().map(|passphrase| passphrase.as_slice());
        PrivateKey::from_pem(&pem, passphrase).map_err(|source| Error::Material {
            what,
            source: Box::new(source),
        })
    })
}

fn from_source(what: &str, source: &Source) -> Result<(String, Bytes), Error> {
    match source {
        Source::Path(path) => read(what, path),
        Source::Inline(bytes) => Ok((format!("the {what} in the options"), bytes.clone())),
    }
}

fn external(signed: Option<&Source>, trust: Option<&Path>) -> Result<External, Error> {
    // A path may be named before the answer lies there.
    let signed = signed.filter(|source| !matches!(source, Source::Path(path) if !path.exists()));
    let signed = signed
        .map(|source| from_source("signed certificate", source))
        .transpose()?;
    let signed = signed
        .as_ref()
        .map(|signed| Signed::new(&material(signed)))
        .transpose()?;
    let trust = trust.map(|path| read("trusted root", path)).transpose()?;
    External::new(signed, trust.as_ref().map(material).as_ref())
}

/// A role of a Vault of which nothing is known yet.
///
/// # Errors
/// That the file of its roots cannot be read.
pub fn vault(root: Option<&Path>) -> Result<Vault, Error> {
    Ok(Vault::new(Arc::new(given_roots(root)?)))
}

/// The roots in a file; none without one.
///
/// # Errors
/// That it cannot be read.
pub fn given_roots(path: Option<&Path>) -> Result<Vec<Certificate>, Error> {
    let Some(path) = path else {
        return Ok(Vec::new());
    };
    let (what, bytes) = read("trusted root", path)?;
    pki::chain::parse_bundle(&bytes).map_err(|source| Error::Bundle {
        what,
        source: Box::new(source),
    })
}

fn provided(spec: &ProvidedSpec, entry: &Entry, now: Timestamp) -> Result<Provided, Error> {
    let certificate = from_source("provided certificate", &spec.certificate)?;
    let private_key = from_source("provided private key", &spec.private_key)?;
    let chain = spec
        .chain
        .as_ref()
        .map(|source| from_source("provided chain", source))
        .transpose()?;
    let files = ProvidedFiles {
        private_key: material(&private_key),
        passphrase: spec
            .passphrase
            .as_ref()
            .map(|passphrase| passphrase.as_slice()),
        certificate: material(&certificate),
        chain: chain.as_ref().map(material),
    };
    Provided::new(&files, &entry.template.names, now)
}
