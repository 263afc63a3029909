// SPDX-License-Identifier: Apache-2.0
//! The settings of the issuer `vault`, checked against what is wished of it.

use std::fmt;
use std::path::PathBuf;

use ansible_module::Faults;
use pki::{ExtendedKeyUsage, KeyUsage, RequestTemplate};
use vault_options::{Connection, Environment};

use super::naming::list;
use super::{Merged, Notes};
use crate::params::VaultParams;

/// Whether a certificate that is not needed any more is revoked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RevokeOld {
    /// It stays valid.
    Never,
    /// When its successor is installed, or before its files are removed.
    AfterInstall,
}

/// A role of a mount, and the server with everything that is needed to ask it.
pub struct VaultSpec {
    /// The server, and who we are there.
    pub connection: Connection,
    /// Where the PKI is mounted.
    pub mount: String,
    /// The role that signs.
    pub role: String,
    /// The issuer that shall sign, where that is not left to the role.
    pub issuer: Option<String>,
    /// A file with the roots in one of which a path must end.
    pub root: Option<PathBuf>,
    /// Whether the user names a lifetime; else the role decides.
    pub names_ttl: bool,
    /// Whether the certificate before is revoked.
    pub revoke_old: RevokeOld,
    /// The usages that the user names; else the role decides.
    pub key_usage: Vec<KeyUsage>,
    /// The same for extended key usages.
    pub extended_key_usage: Vec<ExtendedKeyUsage>,
    /// The same for entries with the same connection: they share its login.
    pub group: [u8; 32],
}

impl VaultSpec {
    /// The issuer by which certificates in service are judged.
    pub fn issuer_or_default(&self) -> &str {
        self.issuer.as_deref().unwrap_or("default")
    }

    /// What is asked to sign.
    pub fn sign_path(&self) -> String {
        let Self { mount, role, .. } = self;
        match &self.issuer {
            Some(issuer) => format!("{mount}/issuer/{issuer}/sign/{role}"),
            None => format!("{mount}/sign/{role}"),
        }
    }
}

/// As messages name it.
impl fmt::Display for VaultSpec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the role '{}' of '{}'", self.role, self.mount)
    }
}

impl fmt::Debug for VaultSpec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("VaultSpec")
            .field("mount", &self.mount)
            .field("role", &self.role)
            .field("issuer", &self.issuer)
            .finish_non_exhaustive()
    }
}

/// Reads the options at `path`.
pub(crate) fn vault_spec(
    path: &str,
    given: &VaultParams,
    merged: &Merged<'_>,
    notes: &mut Notes,
) -> Option<VaultSpec> {
    let connection = connection(path, given, notes);
    let mount = name(
        &format!("{path}.mount"),
        given.mount.trim_matches('/'),
        true,
        notes,
    );
    let role = name(&format!("{path}.role"), &given.role, false, notes);
    let issuer = given.issuer.as_deref();
    let issuer = issuer.map(|text| name(&format!("{path}.issuer"), text, false, notes));
    let root = given.root.as_deref();
    let root = root.map(|text| notes.absolute(&format!("{path}.root"), text));
    // Their faults are told where the template is made.
    let silent = &mut Notes::default();
    let key_usage = merged.pick("key_usage", |entry| entry.key_usage.as_ref());
    let extended = merged.pick("extended_key_usage", |entry| {
        entry.extended_key_usage.as_ref()
    });
    Some(VaultSpec {
        connection: connection?,
        mount: mount?,
        role: role?,
        issuer: issuer.map_or(Some(None), |issuer| issuer.map(Some))?,
        root: root.map_or(Some(None), |root| root.map(Some))?,
        names_ttl: merged.pick("ttl", |entry| entry.ttl.as_deref()).is_some(),
        revoke_old: if given.revoke_old == "after_install" {
            RevokeOld::AfterInstall
        } else {
            RevokeOld::Never
        },
        key_usage: list(key_usage, silent),
        extended_key_usage: list(extended, silent),
        group: given.group,
    })
}

fn connection(path: &str, given: &VaultParams, notes: &mut Notes) -> Option<Connection> {
    let mut faults = Faults::new();
    let environment = Environment::of_process();
    let connection = given.connection.understood(path, &environment, &mut faults);
    for fault in faults.iter() {
        notes.fault(fault.path.clone(), fault.message.clone());
    }
    connection
}

/// A part of a path of the API; a mount may have several.
fn name(path: &str, text: &str, may_be_deep: bool, notes: &mut Notes) -> Option<String> {
    let is_odd = |c: char| c.is_whitespace() || c.is_control() || "?#%\\".contains(c);
    let is_part = |part: &str| !part.is_empty() && part != "." && part != "..";
    let is_good = text.split('/').all(is_part)
        && !text.contains(is_odd)
        && (may_be_deep || !text.contains('/'));
    if !is_good {
        notes.fault(path, format!("'{text}' is not a name of the server's API"));
    }
    is_good.then(|| text.to_owned())
}

/// What the PKI of a Vault never puts into a certificate: told before it is asked.
pub(crate) fn check_wish(merged: &Merged<'_>, template: &RequestTemplate, notes: &mut Notes) {
    if template.must_staple {
        notes.fault(
            merged.at("must_staple"),
            "the PKI of a Vault knows no such extension; leave it out",
        );
    }
}
