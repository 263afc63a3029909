// SPDX-License-Identifier: Apache-2.0
//! What Ansible sent: the table of options and the structs that it fills. No thinking here.

use ansible_module::{Element, Kind, OptionSpec, Secret};
use serde::Deserialize;
use serde_json::{Map, Value};

/// The choices of `authorities[].state`.
pub const STATES: &[&str] = &[
    "present",
    "csr",
    "signed",
    "cross_signed",
    "active",
    "retired",
    "revoked",
    "absent",
];

/// The reasons of RFC 5280 §5.3.1 that a revocation may give.
pub const REASONS: &[&str] = &[
    "unspecified",
    "keyCompromise",
    "cACompromise",
    "affiliationChanged",
    "superseded",
    "cessationOfOperation",
    "privilegeWithdrawn",
];

const FILES: &[OptionSpec] = &[
    OptionSpec::new("directory", Kind::Path).required(),
    OptionSpec::new("owner", Kind::Str),
    OptionSpec::new("group", Kind::Str),
    OptionSpec::new("key_mode", Kind::Raw).default(r#""0600""#),
    OptionSpec::new("key_directory_mode", Kind::Raw).default(r#""0700""#),
    OptionSpec::new("certificate_mode", Kind::Raw).default(r#""0644""#),
    OptionSpec::new("directory_mode", Kind::Raw).default(r#""0755""#),
];

const BACKEND: &[OptionSpec] = &[
    OptionSpec::new("files", Kind::Dict).options(FILES),
    OptionSpec::new("vault", Kind::Dict).options(crate::vault::params::BACKEND),
];

const KEY: &[OptionSpec] = &[
    OptionSpec::new("algorithm", Kind::Str).choices(&["rsa", "ecdsa", "ed25519", "ed448"]),
    OptionSpec::new("size", Kind::Int),
    OptionSpec::new("curve", Kind::Str),
    OptionSpec::new("passphrase", Kind::Str).secret(),
];

const NAME_CONSTRAINTS: &[OptionSpec] = &[
    OptionSpec::new("permitted_dns", Kind::List(Element::Str)),
    OptionSpec::new("permitted_ip", Kind::List(Element::Str)),
    OptionSpec::new("permitted_email", Kind::List(Element::Str)),
    OptionSpec::new("excluded_dns", Kind::List(Element::Str)),
    OptionSpec::new("excluded_ip", Kind::List(Element::Str)),
    OptionSpec::new("excluded_email", Kind::List(Element::Str)),
];

const AUTHORITY: &[OptionSpec] = &[
    OptionSpec::new("name", Kind::Str).required(),
    OptionSpec::new("type", Kind::Str)
        .choices(&["root", "intermediate"])
        .default(r#""root""#),
    OptionSpec::new("parent", Kind::Str),
    OptionSpec::new("state", Kind::Str)
        .choices(STATES)
        .default(r#""present""#),
    OptionSpec::new("common_name", Kind::Str),
    OptionSpec::new("subject", Kind::Dict).free(),
    OptionSpec::new("key", Kind::Dict).options(KEY),
    OptionSpec::new("ttl", Kind::Str),
    OptionSpec::new("warn_before", Kind::Str).default(r#""30d""#),
    OptionSpec::new("path_length", Kind::Int),
    OptionSpec::new("name_constraints", Kind::Dict).options(NAME_CONSTRAINTS),
    OptionSpec::new("key_usage", Kind::List(Element::Str)),
    OptionSpec::new("crl_urls", Kind::List(Element::Str)),
    OptionSpec::new("issuer_urls", Kind::List(Element::Str)),
    OptionSpec::new("policies", Kind::List(Element::Str)),
    OptionSpec::new("signed", Kind::Str),
    OptionSpec::new("reason", Kind::Str)
        .choices(REASONS)
        .default(r#""unspecified""#),
    OptionSpec::new("force", Kind::Bool).default("false"),
    OptionSpec::new("key_name", Kind::Str),
    OptionSpec::new("parent_mount", Kind::Str),
    OptionSpec::new("chain_issuers", Kind::List(Element::Str)),
    OptionSpec::new("leaf_not_after_behavior", Kind::Str).choices(&["err", "truncate", "permit"]),
    OptionSpec::new("csr_path", Kind::Path),
    OptionSpec::new("root_ca", Kind::Str),
    OptionSpec::new("validate", Kind::Dict).options(crate::vault::params::VALIDATE),
    OptionSpec::new("confirm", Kind::Str),
];

const SIGN: &[OptionSpec] = &[
    OptionSpec::new("name", Kind::Str),
    OptionSpec::new("authority", Kind::Str),
    OptionSpec::new("csr", Kind::Str).required(),
    OptionSpec::new("profile", Kind::Str)
        .choices(&["server", "client", "peer", "ca", "request"])
        .default(r#""server""#),
    OptionSpec::new("key_usage", Kind::List(Element::Str)),
    OptionSpec::new("extended_key_usage", Kind::List(Element::Str)),
    OptionSpec::new("ttl", Kind::Str),
    OptionSpec::new("renew_before", Kind::Str).default(r#""30d""#),
    OptionSpec::new("path_length", Kind::Int),
];

const REVOKE: &[OptionSpec] = &[
    OptionSpec::new("authority", Kind::Str).required(),
    OptionSpec::new("serial", Kind::Str),
    OptionSpec::new("certificate", Kind::Str),
    OptionSpec::new("reason", Kind::Str)
        .choices(REASONS)
        .default(r#""unspecified""#),
    OptionSpec::new("at", Kind::Str),
];

const CRL: &[OptionSpec] = &[
    OptionSpec::new("authorities", Kind::Raw).default(r#""all""#),
    OptionSpec::new("next_update", Kind::Str).default(r#""30d""#),
    OptionSpec::new("renew_before", Kind::Str).default(r#""33%""#),
];

/// The one table of options of `pki_ca`.
pub const OPTIONS: &[OptionSpec] = &[
    OptionSpec::new("backend", Kind::Dict)
        .options(BACKEND)
        .required(),
    OptionSpec::new("authorities", Kind::List(Element::Dict))
        .options(AUTHORITY)
        .default("[]"),
    OptionSpec::new("regenerate", Kind::Raw),
    OptionSpec::new("regenerate_key", Kind::Raw),
    OptionSpec::new("sign", Kind::List(Element::Dict))
        .options(SIGN)
        .default("[]"),
    OptionSpec::new("revoke", Kind::List(Element::Dict))
        .options(REVOKE)
        .default("[]"),
    OptionSpec::new("crl", Kind::Dict).options(CRL),
    OptionSpec::new("vault_config", Kind::Dict).options(crate::vault::config::params::VAULT_CONFIG),
    OptionSpec::new("inspect", Kind::Bool).default("false"),
    OptionSpec::new("lock_timeout", Kind::Str).default(r#""60s""#),
    OptionSpec::new("parallel", Kind::Int),
];

/// All options of one task.
#[derive(Debug, Deserialize)]
pub struct Params {
    /// Where the authorities live; exactly one of its keys.
    pub backend: Backend,
    /// The wished authorities.
    #[serde(default)]
    pub authorities: Vec<Authority>,
    /// Authorities whose certificate is made anew: a name, a list of names, or true for all.
    #[serde(default)]
    pub regenerate: Option<Value>,
    /// Authorities whose key and certificate are made anew; same forms.
    #[serde(default)]
    pub regenerate_key: Option<Value>,
    /// Requests to be signed.
    #[serde(default)]
    pub sign: Vec<Sign>,
    /// Certificates to be revoked.
    #[serde(default)]
    pub revoke: Vec<Revoke>,
    /// Revocation lists to be kept fresh.
    #[serde(default)]
    pub crl: Option<Crl>,
    /// How the mount is configured; only for backend vault.
    #[serde(default)]
    pub vault_config: Option<crate::vault::config::params::VaultConfig>,
    /// Report the server and all issuers of the mount; only for backend vault.
    #[serde(default)]
    pub inspect: bool,
    /// How long to wait for another run on the same tree.
    pub lock_timeout: String,
    /// How many signatures at once; default the number of cores.
    #[serde(default)]
    pub parallel: Option<i64>,
}

/// `backend`.
#[derive(Debug, Deserialize)]
pub struct Backend {
    /// A directory tree on this host.
    #[serde(default)]
    pub files: Option<Files>,
    /// A mount of the PKI engine of a Vault or OpenBao.
    #[serde(default)]
    pub vault: Option<crate::vault::params::Backend>,
}

/// `backend.files`.
#[derive(Debug, Deserialize)]
pub struct Files {
    /// The root of the tree.
    pub directory: String,
    /// Owner of what is written; default as created.
    #[serde(default)]
    pub owner: Option<String>,
    /// Group of what is written; default as created.
    #[serde(default)]
    pub group: Option<String>,
    /// Mode of private keys.
    pub key_mode: Value,
    /// Mode of the directories that hold private keys.
    pub key_directory_mode: Value,
    /// Mode of certificates and revocation lists.
    pub certificate_mode: Value,
    /// Mode of all other directories.
    pub directory_mode: Value,
}

/// `authorities[]`.
#[derive(Debug, Deserialize)]
pub struct Authority {
    /// Names its files, results and messages.
    pub name: String,
    /// `root` or `intermediate`.
    #[serde(rename = "type")]
    pub kind: String,
    /// The authority that signs it.
    #[serde(default)]
    pub parent: Option<String>,
    /// One of [`STATES`].
    pub state: String,
    /// Appended to the subject; default the name.
    #[serde(default)]
    pub common_name: Option<String>,
    /// Ordered attributes of the subject.
    #[serde(default)]
    pub subject: Option<Map<String, Value>>,
    /// Its key.
    #[serde(default)]
    pub key: Option<Key>,
    /// Lifetime of its certificate.
    #[serde(default)]
    pub ttl: Option<String>,
    /// When to begin to warn of its expiry.
    pub warn_before: String,
    /// How many authorities may follow below.
    #[serde(default)]
    pub path_length: Option<i64>,
    /// The names that it may certify.
    #[serde(default)]
    pub name_constraints: Option<NameConstraints>,
    /// Usages of its key.
    #[serde(default)]
    pub key_usage: Option<Vec<String>>,
    /// CRL distribution points in its certificate.
    #[serde(default)]
    pub crl_urls: Option<Vec<String>>,
    /// caIssuers URLs in its certificate.
    #[serde(default)]
    pub issuer_urls: Option<Vec<String>>,
    /// Certificate policies (object identifiers).
    #[serde(default)]
    pub policies: Option<Vec<String>>,
    /// State `signed`: certificate and chain, PEM.
    #[serde(default)]
    pub signed: Option<String>,
    /// State `revoked`: why.
    pub reason: String,
    /// State `absent`: even while certificates below are valid.
    pub force: bool,
    /// What only an authority in a Vault has.
    #[serde(flatten)]
    pub in_vault: crate::vault::params::InVault,
}

/// `authorities[].key`.
#[derive(Debug, Deserialize)]
pub struct Key {
    /// `rsa`, `ecdsa`, `ed25519` or `ed448`.
    #[serde(default)]
    pub algorithm: Option<String>,
    /// RSA: bits.
    #[serde(default)]
    pub size: Option<i64>,
    /// ECDSA: the curve.
    #[serde(default)]
    pub curve: Option<String>,
    /// Encrypts the key on disk.
    #[serde(default)]
    pub passphrase: Option<Secret<String>>,
}

/// `authorities[].name_constraints`.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct NameConstraints {
    /// Domains below which names may be certified.
    pub permitted_dns: Option<Vec<String>>,
    /// Networks (CIDR) whose addresses may be certified.
    pub permitted_ip: Option<Vec<String>>,
    /// Mailboxes, hosts or `.domains`.
    pub permitted_email: Option<Vec<String>>,
    /// Domains below which no name may be certified.
    pub excluded_dns: Option<Vec<String>>,
    /// Networks (CIDR) of which no address may be certified.
    pub excluded_ip: Option<Vec<String>>,
    /// Mailboxes, hosts or `.domains`.
    pub excluded_email: Option<Vec<String>>,
}

/// `sign[]`.
#[derive(Debug, Deserialize)]
pub struct Sign {
    /// Keeps the certificate under this name, so that a second run returns it unchanged.
    #[serde(default)]
    pub name: Option<String>,
    /// Default: the active authority.
    #[serde(default)]
    pub authority: Option<String>,
    /// The request, PEM.
    pub csr: String,
    /// Decides usages and basic constraints.
    pub profile: String,
    /// In place of those of the profile.
    #[serde(default)]
    pub key_usage: Option<Vec<String>>,
    /// In place of those of the profile.
    #[serde(default)]
    pub extended_key_usage: Option<Vec<String>>,
    /// Lifetime of the certificate.
    #[serde(default)]
    pub ttl: Option<String>,
    /// With `name`: when a kept certificate is replaced.
    pub renew_before: String,
    /// Profile `ca`: how many authorities may follow below.
    #[serde(default)]
    pub path_length: Option<i64>,
}

/// `revoke[]`.
#[derive(Debug, Deserialize)]
pub struct Revoke {
    /// Whose certificate it is.
    pub authority: String,
    /// Hexadecimal, with or without colons.
    #[serde(default)]
    pub serial: Option<String>,
    /// Or the certificate itself, PEM.
    #[serde(default)]
    pub certificate: Option<String>,
    /// Why; one of [`REASONS`].
    pub reason: String,
    /// Since when (RFC 3339); default now.
    #[serde(default)]
    pub at: Option<String>,
}

/// `crl`.
#[derive(Debug, Deserialize)]
pub struct Crl {
    /// `all`, a name or a list of names.
    pub authorities: Value,
    /// How long a list is good for.
    pub next_update: String,
    /// When a list is replaced although nothing was revoked.
    pub renew_before: String,
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_table_is_sound() {
        let defects = ansible_module::table_defects(super::OPTIONS);
        assert!(defects.is_empty(), "{defects:?}");
    }
}
