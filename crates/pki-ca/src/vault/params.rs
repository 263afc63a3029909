// SPDX-License-Identifier: Apache-2.0
//! The options of backend `vault`: the place, and what an authority there has besides.

use ansible_module::{Element, Kind, OptionSpec};
use serde::Deserialize;

/// `backend.vault`.
pub const BACKEND: &[OptionSpec] = &vault_options::beside::<{ vault_options::COUNT + 1 }>(OWN);

const OWN: &[OptionSpec] = &[OptionSpec::new("mount", Kind::Str).default(r#""pki""#)];

/// `authorities[].validate`.
pub const VALIDATE: &[OptionSpec] = &[
    OptionSpec::new("min_remaining", Kind::Str).default(r#""30d""#),
    OptionSpec::new("max_depth", Kind::Int),
    OptionSpec::new("allow_unrelated", Kind::Bool).default("false"),
    OptionSpec::new("required_eku", Kind::List(Element::Str)).default(r#"["server", "client"]"#),
    OptionSpec::new("require_root", Kind::Bool).default("true"),
];

/// `backend.vault`.
#[derive(Debug, Deserialize)]
pub struct Backend {
    /// The mount of the PKI engine.
    pub mount: String,
    /// The server, and who we are there.
    #[serde(flatten)]
    pub connection: vault_options::ConnectionParams,
}

/// What an authority in a Vault has besides the options of all authorities.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct InVault {
    /// The name of its key; default its own.
    pub key_name: Option<String>,
    /// The mount of its parent; default its own.
    pub parent_mount: Option<String>,
    /// The issuers above it, in the order in which they are served.
    pub chain_issuers: Option<Vec<String>>,
    /// What becomes of a leaf that would outlive it.
    pub leaf_not_after_behavior: Option<String>,
    /// Where its request is written on the target.
    pub csr_path: Option<String>,
    /// State `signed`: the root at which the chain must end, PEM or base64 of it.
    pub root_ca: Option<String>,
    /// State `signed`: what an upload must fulfil.
    pub validate: Option<Validate>,
    /// State `absent`: the name of the mount, to say that it is meant.
    pub confirm: Option<String>,
}

/// `authorities[].validate`.
#[derive(Debug, Deserialize)]
pub struct Validate {
    /// How long it must still be valid.
    pub min_remaining: String,
    /// How many certificates the chain may have.
    #[serde(default)]
    pub max_depth: Option<i64>,
    /// Whether certificates that are not of the chain may be uploaded with it.
    pub allow_unrelated: bool,
    /// The purposes that leaves below must be able to have.
    pub required_eku: Vec<String>,
    /// Whether the chain must end in a root.
    pub require_root: bool,
}
