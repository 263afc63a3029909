// SPDX-License-Identifier: Apache-2.0
//! What the server keeps and a task can describe: its name, its place in the API, and how it is written.

use std::fmt;

use super::field::Field;
use super::fields;

/// One thing on the server.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Object {
    /// The mount itself.
    Mount,
    /// `config/cluster`.
    Cluster,
    /// `config/urls`.
    Urls,
    /// `config/crl`.
    Crl,
    /// `config/auto-tidy`.
    AutoTidy,
    /// `config/acme`.
    Acme,
    /// A role.
    Role(String),
    /// An access policy.
    Policy(String),
    /// The method AppRole, mounted here.
    AppRoleMethod(String),
    /// A role of AppRole.
    AppRole {
        /// Where the method is mounted.
        method: String,
        /// The role.
        name: String,
    },
}

/// When an object is written: addresses go into the certificates of authorities, so they come before these; roles name
/// issuers, so they come after.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// Before the authorities.
    Before,
    /// After them.
    After,
}

impl Object {
    /// Its phase.
    pub fn phase(&self) -> Phase {
        match self {
            Self::Mount | Self::Cluster | Self::Urls | Self::Crl | Self::AutoTidy => Phase::Before,
            Self::Acme
            | Self::Role(_)
            | Self::Policy(_)
            | Self::AppRoleMethod(_)
            | Self::AppRole { .. } => Phase::After,
        }
    }

    /// Its group in the result, and its name in the group if there can be several.
    pub fn place(&self) -> (&'static str, Option<&str>) {
        match self {
            Self::Mount => ("mount", None),
            Self::Cluster => ("cluster", None),
            Self::Urls => ("urls", None),
            Self::Crl => ("crl", None),
            Self::AutoTidy => ("auto_tidy", None),
            Self::Acme => ("acme", None),
            Self::Role(name) => ("roles", Some(name)),
            Self::Policy(name) => ("policies", Some(name)),
            Self::AppRoleMethod(path) => ("auth", Some(path)),
            Self::AppRole { name, .. } => ("approles", Some(name)),
        }
    }

    /// Its path in the API, below this mount.
    pub fn path(&self, mount: &str) -> String {
        match self {
            Self::Mount => format!("sys/mounts/{mount}"),
            Self::Cluster => format!("{mount}/config/cluster"),
            Self::Urls => format!("{mount}/config/urls"),
            Self::Crl => format!("{mount}/config/crl"),
            Self::AutoTidy => format!("{mount}/config/auto-tidy"),
            Self::Acme => format!("{mount}/config/acme"),
            Self::Role(name) => format!("{mount}/roles/{name}"),
            Self::Policy(name) => format!("sys/policies/acl/{name}"),
            Self::AppRoleMethod(path) => format!("sys/auth/{path}"),
            Self::AppRole { method, name } => format!("auth/{method}/role/{name}"),
        }
    }

    /// The path at which it is looked for.
    pub fn read_path(&self, mount: &str) -> String {
        match self {
            Self::AppRoleMethod(_) => "sys/auth".to_owned(),
            _ => self.path(mount),
        }
    }

    /// Whether it is below the mount, and goes with it.
    pub fn is_in_mount(&self) -> bool {
        matches!(
            self,
            Self::Cluster | Self::Urls | Self::Crl | Self::AutoTidy | Self::Acme | Self::Role(_)
        )
    }

    /// What can be wished of it.
    pub fn fields(&self) -> &'static [Field] {
        match self {
            Self::Mount => &fields::MOUNT,
            Self::Cluster => &fields::CLUSTER,
            Self::Urls => &fields::URLS,
            Self::Crl => &fields::CRL,
            Self::AutoTidy => &fields::AUTO_TIDY,
            Self::Acme => &fields::ACME,
            Self::Role(_) => &fields::ROLE,
            Self::Policy(_) => &fields::POLICY,
            Self::AppRoleMethod(_) => &[],
            Self::AppRole { .. } => &fields::APPROLE,
        }
    }

    /// Whether the server answers every field that it knows, so that one which is missing is unknown to it.
    pub fn answers_all_fields(&self) -> bool {
        !matches!(self, Self::Mount | Self::Policy(_) | Self::AppRoleMethod(_))
    }

    /// Whether what is not sent is reset. Measured on OpenBao 2.7: everything else merges.
    pub fn resets_on_write(&self) -> bool {
        matches!(self, Self::Role(_))
    }
}

impl fmt::Display for Object {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.place() {
            (group, None) => f.write_str(group),
            (group, Some(name)) => write!(f, "{group}[{name}]"),
        }
    }
}
