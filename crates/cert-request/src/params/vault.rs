// SPDX-License-Identifier: Apache-2.0
//! The options of the issuer `vault`. Those of the connection are its crate's, table and reader.

use ansible_module::{Kind, OptionSpec};
use serde::Deserialize;
use serde_json::{Map, Value};
use vault_options::ConnectionParams;

const OWN: &[OptionSpec] = &[
    OptionSpec::new("mount", Kind::Str).default(r#""pki""#),
    OptionSpec::new("role", Kind::Str).required(),
    OptionSpec::new("issuer", Kind::Str),
    OptionSpec::new("root", Kind::Path),
    OptionSpec::new("revoke_old", Kind::Str)
        .choices(&["never", "after_install"])
        .default(r#""never""#),
];

/// The options of `issuer.vault`.
pub const VAULT: &[OptionSpec] = &vault_options::beside::<{ vault_options::COUNT + 5 }>(OWN);

/// A Vault or OpenBao.
#[derive(Debug, Deserialize)]
#[serde(try_from = "Map<String, Value>")]
pub struct VaultParams {
    /// The server, and who we are.
    pub connection: ConnectionParams,
    /// Where the PKI is mounted.
    pub mount: String,
    /// The role that signs.
    pub role: String,
    /// The issuer that signs.
    pub issuer: Option<String>,
    /// Path of the roots that a path must end in.
    pub root: Option<String>,
    /// `never` or `after_install`.
    pub revoke_old: String,
    /// SHA-256 of the connection's options.
    pub group: [u8; 32],
}

#[derive(Deserialize)]
struct Own {
    mount: String,
    role: String,
    issuer: Option<String>,
    root: Option<String>,
    revoke_old: String,
}

impl TryFrom<Map<String, Value>> for VaultParams {
    type Error = serde_json::Error;

    fn try_from(mut given: Map<String, Value>) -> Result<Self, Self::Error> {
        let own = OWN.iter().map(|option| option.name());
        let own = own.filter_map(|name| given.remove_entry(name)).collect();
        let own = Own::deserialize(Value::Object(own))?;
        let group = pki::jws::sha256(Value::Object(given.clone()).to_string().as_bytes());
        Ok(Self {
            connection: ConnectionParams::deserialize(Value::Object(given))?,
            mount: own.mount,
            role: own.role,
            issuer: own.issuer,
            root: own.root,
            revoke_old: own.revoke_old,
            group,
        })
    }
}
