// SPDX-License-Identifier: Apache-2.0
//! What can go wrong, as data.

use std::path::PathBuf;

use ansible_module::{FailedItem, Failure, InputFaults, flatten};
use serde_json::{Map, Value};

/// What stands in the way of one certificate, or of all of them.
#[derive(Debug, thiserror::Error)]
pub enum CertificateError {
    /// The certificate authority.
    #[error(transparent)]
    Acme(#[from] acme::Error),
    /// The DNS.
    #[error(transparent)]
    Dns(#[from] dns::Error),
    /// Files.
    #[error(transparent)]
    Files(#[from] tls_files::Error),
    /// A key or request.
    #[error(transparent)]
    Pki(#[from] pki::Error),
    /// A request for what ACME does not have.
    #[error("the request is for what an ACME server does not certify: {0}")]
    Names(String),
    /// A file of the user's.
    #[error("cannot read {what} '{}': {reason}", path.display())]
    Unreadable {
        /// What it should be.
        what: &'static str,
        /// Where.
        path: PathBuf,
        /// Why not.
        reason: String,
    },
    /// There is no account, and none shall be made.
    #[error("there is no account key '{}'", .0.display())]
    NoAccount(PathBuf),
    /// A certificate shall be revoked by a key that is not its own.
    #[error("the key '{}' is not that of the certificate", .0.display())]
    OtherKey(PathBuf),
    /// Another certificate of the task stopped what they do together.
    #[error("{0}")]
    Together(String),
}

impl CertificateError {
    /// The stable word for it.
    pub fn kind(&self) -> &str {
        match self {
            Self::Acme(error) => error.kind(),
            Self::Dns(error) => error.kind(),
            Self::Files(error) => error.kind(),
            Self::Pki(error) => error.kind(),
            Self::Names(_) => "request.names",
            Self::Unreadable { .. } => "input.file",
            Self::NoAccount(_) => "acme.no_account_key",
            Self::OtherKey(_) => "input.key",
            Self::Together(_) => "acme.together",
        }
    }

    /// What to do, where the message does not say it.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Dns(error) => error.hint(),
            Self::Files(error) | Self::Acme(acme::Error::StateWrite(error)) => {
                error.hint().map(str::to_owned)
            }
            Self::NoAccount(_) => Some(String::from(
                "restore it, or set account_create: a new account has other rate limits, and must be allowed where CAA or dns-persist-01 name the old one",
            )),
            Self::OtherKey(_) => Some(String::from(
                "give the certificate's own key, or leave it out: then the account asks",
            )),
            Self::Acme(acme::Error::AccountGone { .. }) => Some(String::from(
                "give the key of an account that is there, or remove the key file and set account_create",
            )),
            Self::Acme(acme::Error::Listen { .. }) => Some(String::from(
                "stop it, or choose another port with http.port and have what is in front pass requests there",
            )),
            _ => None,
        }
    }

    /// Ready for the answer.
    pub fn of(&self, name: &str) -> FailedItem {
        FailedItem {
            name: name.to_owned(),
            kind: self.kind().to_owned(),
            msg: flatten(self),
            hint: self.hint(),
        }
    }
}

/// Why the task failed.
#[derive(Debug, thiserror::Error)]
pub enum TaskError {
    /// The options are faulty.
    #[error(transparent)]
    Input(#[from] InputFaults),
    /// Nothing could be done for any certificate.
    #[error(transparent)]
    All(#[from] CertificateError),
    /// Some certificates failed; the others are as wished.
    #[error("{}", ansible_module::summary("certificate", failed, *total))]
    Certificates {
        /// The failed ones.
        failed: Vec<FailedItem>,
        /// How many there are in the task.
        total: usize,
        /// The result that would have been given without them.
        facts: Box<Map<String, Value>>,
        /// Whether something was changed.
        changed: bool,
        /// What the operator should look at besides.
        warnings: Vec<String>,
    },
}

impl From<tls_files::Error> for TaskError {
    fn from(error: tls_files::Error) -> Self {
        Self::All(error.into())
    }
}

impl From<dns::Error> for TaskError {
    fn from(error: dns::Error) -> Self {
        Self::All(error.into())
    }
}

impl Failure for TaskError {
    fn kind(&self) -> &str {
        match self {
            Self::Input(faults) => faults.kind(),
            Self::All(error) => error.kind(),
            Self::Certificates { failed, .. } => {
                ansible_module::shared_kind(failed, "certificates.failed")
            }
        }
    }

    fn hint(&self) -> Option<String> {
        match self {
            Self::Input(faults) => faults.hint(),
            Self::All(error) => error.hint(),
            Self::Certificates { failed, .. } => failed.iter().find_map(|item| item.hint.clone()),
        }
    }

    fn facts(&self) -> Map<String, Value> {
        match self {
            Self::Input(faults) => faults.facts(),
            Self::All(_) => Map::new(),
            Self::Certificates { facts, .. } => facts.as_ref().clone(),
        }
    }

    fn changed(&self) -> bool {
        matches!(self, Self::Certificates { changed: true, .. })
    }

    fn warnings(&self) -> Vec<String> {
        match self {
            Self::Certificates { warnings, .. } => warnings.clone(),
            Self::Input(_) | Self::All(_) => Vec::new(),
        }
    }
}
