// SPDX-License-Identifier: Apache-2.0
//! The options of `vault_config`. What is not said of an object is left as it is, so hardly any has a default.

use ansible_module::{Element, Kind, OptionSpec};
use serde::Deserialize;
use serde_json::{Map, Value};

use super::field::options;
use super::fields;

const MOUNT: [OptionSpec; 8] = options(
    [OptionSpec::new("create", Kind::Bool).default("true")],
    &fields::MOUNT,
);
const URLS: [OptionSpec; 5] = options([], &fields::URLS);
const CLUSTER: [OptionSpec; 2] = options([], &fields::CLUSTER);
const CRL: [OptionSpec; 9] = options([], &fields::CRL);
const AUTO_TIDY: [OptionSpec; 17] = options([], &fields::AUTO_TIDY);
const ACME: [OptionSpec; 7] = options([], &fields::ACME);

const STATE: OptionSpec = OptionSpec::new("state", Kind::Str)
    .choices(&["present", "absent"])
    .default(r#""present""#);

const ROLE: [OptionSpec; 54] = options(
    [OptionSpec::new("name", Kind::Str).required(), STATE],
    &fields::ROLE,
);

const SECRET_ID: &[OptionSpec] = &[
    OptionSpec::new("name", Kind::Str).required(),
    OptionSpec::new("path", Kind::Path).required(),
    OptionSpec::new("issue", Kind::Str)
        .choices(&["missing", "spent", "always"])
        .default(r#""missing""#),
    OptionSpec::new("wrap_ttl", Kind::Str).default(r#""10m""#),
    OptionSpec::new("owner", Kind::Str),
    OptionSpec::new("group", Kind::Str),
    OptionSpec::new("cidr_list", Kind::List(Element::Str)),
    OptionSpec::new("token_bound_cidrs", Kind::List(Element::Str)),
    OptionSpec::new("num_uses", Kind::Int),
    OptionSpec::new("ttl", Kind::Str),
    OptionSpec::new("metadata", Kind::Dict).free(),
];

const APPROLE: [OptionSpec; 17] = options(
    [
        OptionSpec::new("name", Kind::Str),
        OptionSpec::new("mount", Kind::Str).default(r#""approle""#),
        OptionSpec::new("secret_ids", Kind::List(Element::Dict))
            .options(SECRET_ID)
            .default("[]"),
    ],
    &fields::APPROLE,
);

const ACCESS: &[OptionSpec] = &[
    OptionSpec::new("name", Kind::Str).required(),
    STATE,
    OptionSpec::new("policy", Kind::Str),
    OptionSpec::new("sign", Kind::List(Element::Str)),
    OptionSpec::new("approle", Kind::Dict).options(&APPROLE),
];

const TIDY: [OptionSpec; 15] = options(
    [
        OptionSpec::new("every", Kind::Str),
        OptionSpec::new("wait", Kind::Str).default(r#""60s""#),
    ],
    &fields::TIDY,
);

const DISABLE: &[OptionSpec] = &[
    OptionSpec::new("confirm", Kind::Str).required(),
    OptionSpec::new("export", Kind::Path).required(),
];

/// `vault_config`.
pub const VAULT_CONFIG: &[OptionSpec] = &[
    OptionSpec::new("mount", Kind::Dict).options(&MOUNT),
    OptionSpec::new("cluster", Kind::Dict).options(&CLUSTER),
    OptionSpec::new("urls", Kind::Dict).options(&URLS),
    OptionSpec::new("crl", Kind::Dict).options(&CRL),
    OptionSpec::new("auto_tidy", Kind::Dict).options(&AUTO_TIDY),
    OptionSpec::new("roles", Kind::List(Element::Dict))
        .options(&ROLE)
        .default("[]"),
    OptionSpec::new("acme", Kind::Dict).options(&ACME),
    OptionSpec::new("access", Kind::List(Element::Dict))
        .options(ACCESS)
        .default("[]"),
    OptionSpec::new("tidy", Kind::Dict).options(&TIDY),
    OptionSpec::new("disable", Kind::Dict).options(DISABLE),
];

/// The fields of an object, as given.
pub type Given = Map<String, Value>;

/// `vault_config`.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct VaultConfig {
    /// The mount itself.
    pub mount: Option<Mount>,
    /// Where the cluster is reached.
    pub cluster: Option<Given>,
    /// Addresses in certificates.
    pub urls: Option<Given>,
    /// Revocation lists.
    pub crl: Option<Given>,
    /// What the server removes by itself.
    pub auto_tidy: Option<Given>,
    /// Roles.
    pub roles: Vec<Role>,
    /// The server's own ACME.
    pub acme: Option<Given>,
    /// Who may have certificates signed.
    pub access: Vec<Access>,
    /// What is removed now.
    pub tidy: Option<Tidy>,
    /// The end of the mount.
    pub disable: Option<Disable>,
}

impl VaultConfig {
    /// Whether nothing but the end of the mount is asked for.
    pub fn stands_alone(&self) -> bool {
        let objects = [
            &self.cluster,
            &self.urls,
            &self.crl,
            &self.auto_tidy,
            &self.acme,
        ];
        objects.iter().all(|given| given.is_none())
            && self.mount.is_none()
            && self.tidy.is_none()
            && self.roles.is_empty()
            && self.access.is_empty()
    }
}

/// `vault_config.mount`.
#[derive(Debug, Deserialize)]
pub struct Mount {
    /// Whether it is mounted where nothing is.
    pub create: bool,
    /// Its fields.
    #[serde(flatten)]
    pub fields: Given,
}

/// `vault_config.roles[]`.
#[derive(Debug, Deserialize)]
pub struct Role {
    /// Its name.
    pub name: String,
    /// `present` or `absent`.
    pub state: String,
    /// Its fields.
    #[serde(flatten)]
    pub fields: Given,
}

/// `vault_config.access[]`.
#[derive(Debug, Deserialize)]
pub struct Access {
    /// The name of the policy, and of the role of AppRole if that has none of its own.
    pub name: String,
    /// `present` or `absent`.
    pub state: String,
    /// The policy, in the server's words.
    #[serde(default)]
    pub policy: Option<String>,
    /// Or the roles by which may be signed: the policy is made of them.
    #[serde(default)]
    pub sign: Option<Vec<String>>,
    /// How a host logs in.
    #[serde(default)]
    pub approle: Option<AppRole>,
}

/// `vault_config.access[].approle`.
#[derive(Debug, Deserialize)]
pub struct AppRole {
    /// Its name.
    #[serde(default)]
    pub name: Option<String>,
    /// Where the method is mounted.
    pub mount: String,
    /// Secrets to be issued.
    pub secret_ids: Vec<SecretId>,
    /// Its fields.
    #[serde(flatten)]
    pub fields: Given,
}

/// `vault_config.access[].approle.secret_ids[]`.
#[derive(Debug, Deserialize)]
pub struct SecretId {
    /// For whom.
    pub name: String,
    /// The file on the host of this task that receives the wrapping token.
    pub path: String,
    /// `missing`, `spent` or `always`.
    pub issue: String,
    /// How long it can be unwrapped.
    pub wrap_ttl: String,
    /// Owner of the file.
    #[serde(default)]
    pub owner: Option<String>,
    /// Group of the file.
    #[serde(default)]
    pub group: Option<String>,
    /// From where one may log in with it.
    #[serde(default)]
    pub cidr_list: Option<Vec<String>>,
    /// From where the token is good.
    #[serde(default)]
    pub token_bound_cidrs: Option<Vec<String>>,
    /// How often one may log in with it.
    #[serde(default)]
    pub num_uses: Option<i64>,
    /// How long.
    #[serde(default)]
    pub ttl: Option<String>,
    /// What the audit log shows with it.
    #[serde(default)]
    pub metadata: Option<Given>,
}

/// `vault_config.tidy`.
#[derive(Debug, Deserialize)]
pub struct Tidy {
    /// Not again within this span.
    #[serde(default)]
    pub every: Option<String>,
    /// How long its end is waited for.
    pub wait: String,
    /// What it does.
    #[serde(flatten)]
    pub fields: Given,
}

/// `vault_config.disable`.
#[derive(Debug, Deserialize)]
pub struct Disable {
    /// The mount, to say that it is meant.
    pub confirm: String,
    /// The directory that receives its issuers and lists before.
    pub export: String,
}
