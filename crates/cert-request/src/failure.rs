// SPDX-License-Identifier: Apache-2.0
//! What can go wrong, for one certificate and for the task.

use std::path::PathBuf;

use acme_dns_challenge::failure::CertificateError;
use ansible_module::{FailedItem, Failure, InputFaults, flatten};
use pki::Timestamp;
use serde_json::{Map, Value};

use crate::kept::KeptError;
use crate::signed::SignError;

/// Why one certificate could not be brought into the wished state.
#[derive(Debug, thiserror::Error)]
pub enum EntryError {
    /// An ACME server did not do it, or its proofs could not be shown.
    #[error(transparent)]
    Acme(Box<CertificateError>),
    /// certmonger, or its authority, did not do it.
    #[error(transparent)]
    Certmonger(Box<KeptError>),
    /// The content of a file needs a root, and none is known.
    #[error("content '{content}' of '{}' needs the root certificate, which is not known; give it to the issuer or leave the file out", path.display())]
    RootUnknown {
        /// Word of the content.
        content: &'static str,
        /// The file.
        path: PathBuf,
    },
    /// The set that came back is not acceptable.
    #[error("the certificate from '{issuer}' is refused and nothing was changed")]
    Chain {
        /// Word of the issuer.
        issuer: &'static str,
        /// Why.
        #[source]
        source: Box<pki::chain::Error>,
    },
    /// A file cannot be written, or its directory not used.
    #[error(transparent)]
    Files(Box<tls_files::Error>),
    /// The issuer cannot do it.
    #[error(transparent)]
    Issuer(Box<issuers::Error>),
    /// Key or request cannot be made.
    #[error("cannot make {what}")]
    Make {
        /// The thing.
        what: &'static str,
        /// Why not.
        #[source]
        source: Box<pki::Error>,
    },
    /// What failed is shared by several entries, or was told before; the message was made once.
    #[error("{msg}")]
    Shared {
        /// The message.
        msg: String,
        /// The kind.
        kind: String,
        /// The hint.
        hint: Option<String>,
        /// Whether nobody else needs to ask a server now.
        is_outage: bool,
    },
    /// Two paths lead to one file.
    #[error("'{}' is the same file as '{}' of '{other}'; give each its own path", path.display(), first.display())]
    SameFile {
        /// The path that was named later.
        path: PathBuf,
        /// The path that was named first.
        first: PathBuf,
        /// The certificate to which that belongs.
        other: String,
    },
    /// The directory of pending requests cannot be made.
    #[error("cannot create the directory '{}'; name another with 'state_dir'", path.display())]
    StateDir {
        /// The directory.
        path: PathBuf,
        /// Why not.
        #[source]
        source: std::io::Error,
    },
    /// A PKCS#12 or Java key store cannot be made.
    #[error("cannot make the {content} file '{}'", path.display())]
    Store {
        /// Word of the content.
        content: &'static str,
        /// The file.
        path: PathBuf,
        /// Why not.
        #[source]
        source: Box<pki::bundle::Error>,
    },
    /// A file is there, and is not what it should be.
    #[error("'{}' (content {content}) cannot be read: {why}", path.display())]
    Unreadable {
        /// Word of the content.
        content: &'static str,
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        why: String,
    },
    /// A Vault did not sign it, or not as was asked for.
    #[error(transparent)]
    Vault(Box<SignError>),
    /// Key or request of a pending request is not what it should be.
    #[error("the pending request in '{}' cannot be read: {why}; remove that directory to begin a new request", path.display())]
    PendingUnreadable {
        /// Its directory.
        path: PathBuf,
        /// What is wrong with it.
        why: String,
    },
}

impl From<CertificateError> for EntryError {
    fn from(error: CertificateError) -> Self {
        Self::Acme(Box::new(error))
    }
}

impl From<KeptError> for EntryError {
    fn from(error: KeptError) -> Self {
        Self::Certmonger(Box::new(error))
    }
}

impl From<SignError> for EntryError {
    fn from(error: SignError) -> Self {
        Self::Vault(Box::new(error))
    }
}

impl From<issuers::Error> for EntryError {
    fn from(error: issuers::Error) -> Self {
        Self::Issuer(Box::new(error))
    }
}

impl From<tls_files::Error> for EntryError {
    fn from(error: tls_files::Error) -> Self {
        Self::Files(Box::new(error))
    }
}

impl From<EntryError> for TaskError {
    fn from(error: EntryError) -> Self {
        Self::Early(Box::new(error))
    }
}

impl From<tls_files::Error> for TaskError {
    fn from(error: tls_files::Error) -> Self {
        Self::Files(Box::new(error))
    }
}

impl EntryError {
    /// The stable word for playbooks.
    pub fn kind(&self) -> &str {
        match self {
            Self::Acme(error) => error.kind(),
            Self::Certmonger(error) => error.kind(),
            Self::RootUnknown { .. } => "issuer.root_unknown",
            Self::Chain { source, .. } => issuers::chain_kind(source),
            Self::Files(error) => error.kind(),
            Self::Issuer(error) => error.kind(),
            Self::Make { source, .. } => source.kind(),
            Self::Shared { kind, .. } => kind,
            Self::SameFile { .. } => "files.same_file",
            Self::StateDir { .. } => "external.state_dir",
            Self::Store { .. } => "files.store",
            Self::Unreadable { .. } => "files.unreadable",
            Self::Vault(error) => error.kind(),
            Self::PendingUnreadable { .. } => "external.pending_unreadable",
        }
    }

    /// What to do, where the message does not say it.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Acme(error) => error.hint(),
            Self::Certmonger(error) => error.hint(),
            Self::Files(error) => error.hint().map(str::to_owned),
            Self::Shared { hint, .. } => hint.clone(),
            Self::Vault(error) => error.hint(),
            Self::Unreadable { .. } => Some(String::from(
                "put the file right, remove it, or set on_unreadable: replace",
            )),
            _ => None,
        }
    }

    /// Ready for the answer.
    pub fn of(&self, entry: &str) -> FailedItem {
        FailedItem {
            name: entry.to_owned(),
            kind: self.kind().to_owned(),
            msg: flatten(self),
            hint: self.hint(),
        }
    }

    /// When the issuer may be asked again, if it said so.
    pub fn retry_at(&self) -> Option<Timestamp> {
        match self {
            Self::Acme(error) => match error.as_ref() {
                CertificateError::Acme(error) => error.retry_at(),
                _ => None,
            },
            _ => None,
        }
    }

    /// The same for another entry: errors of shared things are made once and told to each.
    pub fn share(&self) -> Self {
        Self::Shared {
            msg: flatten(self),
            kind: self.kind().to_owned(),
            hint: self.hint(),
            is_outage: self.is_outage(),
        }
    }

    /// Whether a server that needs a person, or cannot be asked at all, is the reason.
    pub fn is_outage(&self) -> bool {
        match self {
            Self::Shared { is_outage, .. } => *is_outage,
            Self::Vault(error) => error.is_outage(),
            _ => false,
        }
    }
}

/// Why the task failed.
#[derive(Debug, thiserror::Error)]
pub enum TaskError {
    /// The options are faulty.
    #[error(transparent)]
    Input(#[from] InputFaults),
    /// Locks, or journals of a killed run.
    #[error(transparent)]
    Files(Box<tls_files::Error>),
    /// Nothing could be begun.
    #[error(transparent)]
    Early(Box<EntryError>),
    /// Some certificates failed; the others are as wished.
    #[error("{}", ansible_module::summary("certificate", failed, *total))]
    Entries {
        /// The failed ones.
        failed: Vec<FailedItem>,
        /// How many there are in the task.
        total: usize,
        /// The result that would have been given without them.
        facts: Box<Map<String, Value>>,
        /// Whether others were changed.
        changed: bool,
        /// What the operator should look at besides.
        warnings: Vec<String>,
    },
}

impl Failure for TaskError {
    fn kind(&self) -> &str {
        match self {
            Self::Input(faults) => faults.kind(),
            Self::Files(error) => error.kind(),
            Self::Early(error) => error.kind(),
            Self::Entries { failed, .. } => {
                ansible_module::shared_kind(failed, "certificates.failed")
            }
        }
    }

    fn hint(&self) -> Option<String> {
        match self {
            Self::Input(faults) => faults.hint(),
            Self::Files(error) => error.hint().map(str::to_owned),
            Self::Early(error) => error.hint(),
            Self::Entries { failed, .. } => failed.iter().find_map(|entry| entry.hint.clone()),
        }
    }

    fn facts(&self) -> Map<String, Value> {
        match self {
            Self::Input(faults) => faults.facts(),
            Self::Files(_) | Self::Early(_) => Map::new(),
            Self::Entries { facts, .. } => facts.as_ref().clone(),
        }
    }

    fn changed(&self) -> bool {
        matches!(self, Self::Entries { changed: true, .. })
    }

    fn warnings(&self) -> Vec<String> {
        match self {
            Self::Entries { warnings, .. } => warnings.clone(),
            Self::Input(_) | Self::Files(_) | Self::Early(_) => Vec::new(),
        }
    }
}
