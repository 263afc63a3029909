// SPDX-License-Identifier: Apache-2.0
//! What Ansible sent: the table of options and the structs that it fills. No thinking here.
//!
//! An option of an entry has no default in the table, because `defaults` is merged under each
//! entry and must see what was not given; the values that hold without both are in `request.rs`.

mod acme;
mod vault;

use ansible_module::{Element, Kind, OptionSpec, Secret};
use serde::Deserialize;
use serde_json::{Map, Value};

pub use acme::{ACME, AcmeParams, HttpParams};
pub use vault::{VAULT, VaultParams};

/// The contents that a file may have.
pub const CONTENTS: &[&str] = &[
    "private_key",
    "certificate",
    "chain",
    "fullchain",
    "ca_bundle",
    "root",
    "combined",
    "pkcs12",
    "jks",
    "csr",
];

/// What `renew.on` may hold.
pub const RENEW_ON: &[&str] = &["expiry", "names", "key", "issuer", "revoked"];

const KEY: &[OptionSpec] = &[
    OptionSpec::new("algorithm", Kind::Str).choices(&["rsa", "ecdsa", "ed25519", "ed448"]),
    OptionSpec::new("size", Kind::Int),
    OptionSpec::new("curve", Kind::Str),
    OptionSpec::new("reuse", Kind::Bool),
    OptionSpec::new("passphrase", Kind::Str).secret(),
    OptionSpec::new("format", Kind::Str).choices(&["pkcs8", "traditional"]),
];

const RENEW: &[OptionSpec] = &[
    OptionSpec::new("before", Kind::Str),
    OptionSpec::new("on", Kind::List(Element::Str)).choices(RENEW_ON),
    OptionSpec::new("force", Kind::Bool),
];

const PRIVATE_CA: &[OptionSpec] = &[
    OptionSpec::new("certificate", Kind::Path).required(),
    OptionSpec::new("private_key", Kind::Path).required(),
    OptionSpec::new("passphrase", Kind::Str).secret(),
    OptionSpec::new("chain", Kind::Path),
    OptionSpec::new("root", Kind::Path),
    OptionSpec::new("crl", Kind::Path),
];

const EXTERNAL: &[OptionSpec] = &[
    OptionSpec::new("signed", Kind::Str),
    OptionSpec::new("signed_path", Kind::Path),
    OptionSpec::new("trust", Kind::Path),
];

const PROVIDED: &[OptionSpec] = &[
    OptionSpec::new("certificate", Kind::Path),
    OptionSpec::new("private_key", Kind::Path),
    OptionSpec::new("chain", Kind::Path),
    OptionSpec::new("certificate_content", Kind::Str),
    OptionSpec::new("private_key_content", Kind::Str).secret(),
    OptionSpec::new("chain_content", Kind::Str),
    OptionSpec::new("passphrase", Kind::Str).secret(),
];

const CERTMONGER: &[OptionSpec] = &[
    OptionSpec::new("ca", Kind::Str).required(),
    OptionSpec::new("profile", Kind::Str),
    OptionSpec::new("issuer", Kind::Str),
    OptionSpec::new("ca_file", Kind::Path),
    OptionSpec::new("wait", Kind::Bool).default("true"),
    OptionSpec::new("wait_timeout", Kind::Str).default(r#""5m""#),
    OptionSpec::new("auto_renew", Kind::Bool),
    OptionSpec::new("pre_save", Kind::Str),
    OptionSpec::new("post_save", Kind::Str),
    OptionSpec::new("nickname", Kind::Str),
    OptionSpec::new("address", Kind::Str),
    OptionSpec::new("challenge_password", Kind::Str).secret(),
    OptionSpec::new("challenge_password_file", Kind::Path),
    OptionSpec::new("key_pin_file", Kind::Path),
];

const ISSUER: &[OptionSpec] = &[
    OptionSpec::new("self_signed", Kind::Dict).options(&[]),
    OptionSpec::new("private_ca", Kind::Dict).options(PRIVATE_CA),
    OptionSpec::new("external", Kind::Dict).options(EXTERNAL),
    OptionSpec::new("provided", Kind::Dict).options(PROVIDED),
    OptionSpec::new("certmonger", Kind::Dict).options(CERTMONGER),
    OptionSpec::new("acme", Kind::Dict).options(ACME),
    OptionSpec::new("vault", Kind::Dict).options(VAULT),
];

const FILE: &[OptionSpec] = &[
    OptionSpec::new("content", Kind::Str)
        .required()
        .choices(CONTENTS),
    OptionSpec::new("path", Kind::Path).required(),
    OptionSpec::new("owner", Kind::Str),
    OptionSpec::new("group", Kind::Str),
    OptionSpec::new("mode", Kind::Raw),
    OptionSpec::new("context", Kind::Str).aliases(&["secontext"]),
    OptionSpec::new("setype", Kind::Str),
    OptionSpec::new("backup", Kind::Bool),
    OptionSpec::new("parts", Kind::List(Element::Str)).choices(&[
        "certificate",
        "chain",
        "root",
        "private_key",
    ]),
    OptionSpec::new("passphrase", Kind::Str).secret(),
    OptionSpec::new("alias", Kind::Str),
];

const OTHER_NAME: &[OptionSpec] = &[
    OptionSpec::new("type_id", Kind::Str).required(),
    OptionSpec::new("value", Kind::Str).required(),
];

/// The options of an entry without `name`: those of `defaults`.
macro_rules! entry_options {
    ($($first:expr),*) => {
        &[
            $($first,)*
            OptionSpec::new("common_name", Kind::Str),
            OptionSpec::new("subject", Kind::Dict).free(),
            OptionSpec::new("dns", Kind::List(Element::Str)),
            OptionSpec::new("ip", Kind::List(Element::Str)),
            OptionSpec::new("email", Kind::List(Element::Str)),
            OptionSpec::new("uri", Kind::List(Element::Str)),
            OptionSpec::new("principal", Kind::List(Element::Str)),
            OptionSpec::new("other_name", Kind::List(Element::Dict)).options(OTHER_NAME),
            OptionSpec::new("key", Kind::Dict).options(KEY),
            OptionSpec::new("key_usage", Kind::List(Element::Str)),
            OptionSpec::new("extended_key_usage", Kind::List(Element::Str)),
            OptionSpec::new("must_staple", Kind::Bool),
            OptionSpec::new("ttl", Kind::Str),
            OptionSpec::new("renew", Kind::Dict).options(RENEW),
            OptionSpec::new("issuer", Kind::Dict).options(ISSUER),
            OptionSpec::new("files", Kind::List(Element::Dict)).options(FILE),
            OptionSpec::new("containers", Kind::List(Element::Str)),
            OptionSpec::new("on_unreadable", Kind::Str).choices(&["fail", "replace"]),
        ]
    };
}

const DEFAULTS: &[OptionSpec] = entry_options!();
const ENTRY: &[OptionSpec] = entry_options!(OptionSpec::new("name", Kind::Str).required());

/// The one table of options of `cert_request`.
pub const OPTIONS: &[OptionSpec] = &[
    OptionSpec::new("certificates", Kind::List(Element::Dict))
        .options(ENTRY)
        .required(),
    OptionSpec::new("defaults", Kind::Dict).options(DEFAULTS),
    OptionSpec::new("state", Kind::Str)
        .choices(&["present", "absent"])
        .default(r#""present""#),
    OptionSpec::new("parallel", Kind::Int),
    OptionSpec::new("state_dir", Kind::Path).default(r#""/var/lib/tls.everywhere""#),
    OptionSpec::new("lock_timeout", Kind::Str).default(r#""60s""#),
];

/// All options of one task.
#[derive(Debug, Deserialize)]
pub struct Params {
    /// The wished certificates.
    pub certificates: Vec<EntryParams>,
    /// What holds for an entry that does not say otherwise.
    #[serde(default)]
    pub defaults: EntryParams,
    /// `present` or `absent`.
    pub state: String,
    /// Workers at once; not given: the cores of the host.
    pub parallel: Option<i64>,
    /// Where requests wait for an outside signature.
    pub state_dir: String,
    /// How long to wait for another run on the same directories.
    pub lock_timeout: String,
}

/// One certificate, or the defaults of all.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct EntryParams {
    /// Unique in the task.
    pub name: String,
    /// CN of the subject.
    pub common_name: Option<String>,
    /// Ordered attributes of the subject.
    pub subject: Option<Map<String, Value>>,
    /// Alternative names: DNS.
    pub dns: Option<Vec<String>>,
    /// Alternative names: addresses.
    pub ip: Option<Vec<String>>,
    /// Alternative names: mail addresses.
    pub email: Option<Vec<String>>,
    /// Alternative names: URIs.
    pub uri: Option<Vec<String>>,
    /// Kerberos principals.
    pub principal: Option<Vec<String>>,
    /// Alternative names of other types.
    pub other_name: Option<Vec<OtherNameParams>>,
    /// The key.
    pub key: Option<KeyParams>,
    /// Key usages.
    pub key_usage: Option<Vec<String>>,
    /// Extended key usages.
    pub extended_key_usage: Option<Vec<String>>,
    /// TLS feature status_request (RFC 7633).
    pub must_staple: Option<bool>,
    /// Lifetime.
    pub ttl: Option<String>,
    /// When to renew.
    pub renew: Option<RenewParams>,
    /// Exactly one issuer.
    pub issuer: Option<IssuerParams>,
    /// What is written where.
    pub files: Option<Vec<FileParams>>,
    /// Containers that use the certificate; passed through.
    pub containers: Option<Vec<String>>,
    /// What to do with a file that is there and cannot be read.
    pub on_unreadable: Option<String>,
}

/// An alternative name of another type.
#[derive(Debug, Deserialize)]
pub struct OtherNameParams {
    /// Dotted object identifier.
    pub type_id: String,
    /// UTF-8 value.
    pub value: String,
}

/// The key.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct KeyParams {
    /// rsa, ecdsa, ed25519 or ed448.
    pub algorithm: Option<String>,
    /// Bits of an RSA key.
    pub size: Option<i64>,
    /// Curve of an ECDSA key.
    pub curve: Option<String>,
    /// Keep the key at renewal.
    pub reuse: Option<bool>,
    /// Encrypts the key on disk.
    pub passphrase: Option<Secret<String>>,
    /// Form of the key on disk.
    pub format: Option<String>,
}

/// When to renew.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct RenewParams {
    /// Lifetime or percentage that remains.
    pub before: Option<String>,
    /// Which reasons count.
    pub on: Option<Vec<String>>,
    /// Renew now.
    pub force: Option<bool>,
}

/// Exactly one is given.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct IssuerParams {
    /// The subject signs for itself.
    pub self_signed: Option<Map<String, Value>>,
    /// An authority on this host.
    pub private_ca: Option<PrivateCaParams>,
    /// Somebody outside.
    pub external: Option<ExternalParams>,
    /// The user's own.
    pub provided: Option<ProvidedParams>,
    /// certmonger on this host.
    pub certmonger: Option<CertmongerParams>,
    /// An ACME server.
    pub acme: Option<AcmeParams>,
    /// A Vault or OpenBao.
    pub vault: Option<VaultParams>,
}

/// certmonger on this host.
#[derive(Debug, Deserialize)]
pub struct CertmongerParams {
    /// The authority, by certmonger's name or a word for it.
    pub ca: String,
    /// Profile at the authority.
    pub profile: Option<String>,
    /// Issuer at the authority.
    pub issuer: Option<String>,
    /// Path into which certmonger writes the root.
    pub ca_file: Option<String>,
    /// Wait until the certificate is there.
    pub wait: bool,
    /// How long.
    pub wait_timeout: String,
    /// certmonger renews by itself.
    pub auto_renew: Option<bool>,
    /// Command before the files are written.
    pub pre_save: Option<String>,
    /// Command after the files were written.
    pub post_save: Option<String>,
    /// Id of the request.
    pub nickname: Option<String>,
    /// Address of certmonger's own socket.
    pub address: Option<String>,
    /// For SCEP.
    pub challenge_password: Option<Secret<String>>,
    /// Path of the same.
    pub challenge_password_file: Option<String>,
    /// Path of the key's PIN.
    pub key_pin_file: Option<String>,
}

/// An authority on this host.
#[derive(Debug, Deserialize)]
pub struct PrivateCaParams {
    /// Path.
    pub certificate: String,
    /// Path.
    pub private_key: String,
    /// Of the key.
    pub passphrase: Option<Secret<String>>,
    /// Path.
    pub chain: Option<String>,
    /// Path.
    pub root: Option<String>,
    /// Path.
    pub crl: Option<String>,
}

/// Somebody outside.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct ExternalParams {
    /// PEM text that came back.
    pub signed: Option<String>,
    /// Path of the same.
    pub signed_path: Option<String>,
    /// Path of the roots that the path must end in.
    pub trust: Option<String>,
}

/// The user's own.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct ProvidedParams {
    /// Path.
    pub certificate: Option<String>,
    /// Path.
    pub private_key: Option<String>,
    /// Path.
    pub chain: Option<String>,
    /// PEM text.
    pub certificate_content: Option<String>,
    /// PEM text.
    pub private_key_content: Option<Secret<String>>,
    /// PEM text.
    pub chain_content: Option<String>,
    /// Of the key.
    pub passphrase: Option<Secret<String>>,
}

/// One file.
#[derive(Debug, Deserialize)]
pub struct FileParams {
    /// What is in it.
    pub content: String,
    /// Where it is.
    pub path: String,
    /// Name or number.
    pub owner: Option<String>,
    /// Name or number.
    pub group: Option<String>,
    /// Octal text, number or symbolic.
    pub mode: Option<Value>,
    /// The whole SELinux context.
    pub context: Option<String>,
    /// Only its type.
    pub setype: Option<String>,
    /// Keep a copy of what is replaced.
    pub backup: Option<bool>,
    /// Order of a combined file.
    pub parts: Option<Vec<String>>,
    /// Of a PKCS#12 or JKS file.
    pub passphrase: Option<Secret<String>>,
    /// Name of the entry in a PKCS#12 or JKS file.
    pub alias: Option<String>,
}
