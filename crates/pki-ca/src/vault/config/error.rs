// SPDX-License-Identifier: Apache-2.0
//! What can go wrong with the configuration of a mount. Messages of the client and of files stay theirs.

use std::path::PathBuf;

use serde_json::{Map, Value, json};

use super::object::Object;

/// A failure of one object, or of the whole configuration.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The wish and what is there cannot both be; the operator should correct the option.
    #[error("{field}: {why}")]
    Contradiction {
        /// Of which object.
        option: String,
        /// Its field.
        field: &'static str,
        /// Why not, and what would do.
        why: String,
    },
    /// A directory could not be made.
    #[error("cannot make the directory '{}'", path.display())]
    Directory {
        /// Which.
        path: PathBuf,
        /// Why not.
        #[source]
        source: std::io::Error,
    },
    /// The server does not know a field; the operator should leave it out, or upgrade the server.
    #[error("the server knows no {} in {object}", .fields.join(", "))]
    FieldUnknown {
        /// Of what.
        object: Object,
        /// Which.
        fields: Vec<&'static str>,
    },
    /// A file could not be read or written.
    #[error("cannot {what} '{}'", path.display())]
    File {
        /// What was tried.
        what: &'static str,
        /// Which file.
        path: PathBuf,
        /// Why not.
        #[source]
        source: tls_files::Error,
    },
    /// What has to be there first failed; the operator should look at that.
    #[error("{object} was left alone, because {before} failed")]
    Held {
        /// Which.
        object: String,
        /// Before which.
        before: String,
    },
    /// There is no mount, and it may not be made.
    #[error("there is no mount '{mount}'; give vault_config.mount to make it")]
    MountMissing {
        /// Its path.
        mount: String,
    },
    /// Another mount has the path already; the operator should choose another path.
    #[error(
        "'{mount}' lies below '{above}', which is a mount: the server has no mounts in mounts; nothing was changed"
    )]
    MountBelow {
        /// The wished path.
        mount: String,
        /// What is mounted.
        above: String,
    },
    /// Something else is mounted there; the operator should choose another path.
    #[error("'{mount}' is a mount of kind '{kind}', not of PKI; nothing was changed")]
    MountForeign {
        /// Its path.
        mount: String,
        /// What it is.
        kind: String,
    },
    /// The server said yes and did something else; the operator should compare by hand.
    #[error(
        "the server has written {object} and still answers another value of {}", .fields.join(", ")
    )]
    NotTaken {
        /// Of what.
        object: Object,
        /// Which.
        fields: Vec<&'static str>,
    },
    /// The token may not do what is planned; nothing was changed.
    #[error("the token may not do what is planned, so nothing was changed; its policy lacks: {}", .missing.join(" "))]
    Permissions {
        /// The lines that its policy lacks.
        missing: Vec<String>,
    },
    /// The token may not look; told with all that it may not.
    #[error("the token may not read {object}; its policy lacks: {line}")]
    Unseen {
        /// What.
        object: Object,
        /// The line that its policy lacks.
        line: String,
    },
    /// The server was asked in vain.
    #[error("cannot {what}")]
    Server {
        /// What was tried.
        what: String,
        /// Why not.
        #[source]
        source: Box<vault::Error>,
    },
    /// A tidy failed on the server.
    #[error("the tidy of '{mount}' {problem}")]
    Tidy {
        /// The mount.
        mount: String,
        /// What became of it.
        problem: String,
    },
}

impl Error {
    /// A failure of the server while `what` was tried.
    pub fn server(what: impl Into<String>) -> impl FnOnce(vault::Error) -> Self {
        move |source| Self::Server {
            what: what.into(),
            source: Box::new(source),
        }
    }

    /// Whether it would be the same for every object: nobody can be asked, or nobody knows us.
    pub fn is_of_all(&self) -> bool {
        let Self::Server { source, .. } = self else {
            return false;
        };
        source.is_outage()
            || matches!(
                **source,
                vault::Error::LoginRefused { .. }
                    | vault::Error::NamespaceUnknown { .. }
                    | vault::Error::RedirectRefused { .. }
                    | vault::Error::TokenInvalid { .. }
                    | vault::Error::WrappedSecretForeign { .. }
                    | vault::Error::WrappedSecretUsed { .. }
            )
    }

    /// Stable, for playbooks.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Contradiction { .. } => "vault_config.contradiction",
            Self::Directory { .. } => "files.os",
            Self::FieldUnknown { .. } => "vault_config.field_unknown",
            Self::File { source, .. } => source.kind(),
            Self::Held { .. } => "vault_config.held",
            Self::MountMissing { .. } => "vault_config.mount_missing",
            Self::MountBelow { .. } => "vault_config.mount_below",
            Self::MountForeign { .. } => "vault_config.mount_foreign",
            Self::NotTaken { .. } => "vault_config.not_taken",
            Self::Permissions { .. } => "vault_config.permissions",
            Self::Server { source, .. } => source.kind(),
            Self::Tidy { .. } => "vault_config.tidy",
            Self::Unseen { .. } => "vault_config.permissions",
        }
    }

    /// Facts of its kind.
    pub fn details(&self) -> Map<String, Value> {
        let (name, value) = match self {
            Self::FieldUnknown { fields, .. } | Self::NotTaken { fields, .. } => {
                ("fields", json!(fields))
            }
            Self::Contradiction { option, field, .. } => {
                ("option", json!(format!("{option}.{field}")))
            }
            Self::Permissions { missing } => ("missing", json!(missing)),
            _ => return Map::new(),
        };
        Map::from_iter([(name.to_owned(), value)])
    }

    /// What the operator should do, if it is not in the message.
    pub fn hint(&self) -> Option<String> {
        let text = match self {
            Self::FieldUnknown { .. } => "leave the option out, or upgrade the server",
            Self::MountBelow { .. } | Self::MountForeign { .. } => {
                "choose another mount in backend.vault.mount"
            }
            Self::NotTaken { .. } => "another client may be writing it; compare the object by hand",
            Self::Permissions { .. } => {
                "add the lines to a policy of the token, or use another token"
            }
            _ => return None,
        };
        Some(text.to_owned())
    }
}

/// A failure with the object that has it.
#[derive(Debug)]
pub struct Failed {
    /// `vault_config.roles[web]`.
    pub item: String,
    /// Why.
    pub error: Error,
}

impl Failed {
    /// What failed that the object needs.
    pub fn before<'a>(failed: &'a [Self], object: &Object) -> Option<&'a Self> {
        failed.iter().find(|failed| match object {
            Object::AppRole { .. } => failed.item.starts_with("vault_config.auth["),
            Object::Acme if failed.item == "vault_config.cluster" => true,
            Object::Acme if failed.item.starts_with("vault_config.roles[") => true,
            _ => object.is_in_mount() && failed.item == "vault_config.mount",
        })
    }

    /// Why another is left alone.
    pub fn holds(&self, item: &str) -> Error {
        Error::Held {
            object: item.to_owned(),
            before: self.item.clone(),
        }
    }
}
