// SPDX-License-Identifier: Apache-2.0
//! What Ansible sent: the table of options and the structs that it fills. No thinking here.

use ansible_module::{Element, Kind, OptionSpec, Secret};
use serde::Deserialize;
use serde_json::Value;

use crate::request::provider::{self, ProviderParams};

const FILE: &[OptionSpec] = &[
    OptionSpec::new("content", Kind::Str).required().choices(&[
        "certificate",
        "chain",
        "fullchain",
    ]),
    OptionSpec::new("path", Kind::Path).required(),
    OptionSpec::new("owner", Kind::Str),
    OptionSpec::new("group", Kind::Str),
    OptionSpec::new("mode", Kind::Raw),
];

const CERTIFICATE: &[OptionSpec] = &[
    OptionSpec::new("name", Kind::Str).required(),
    OptionSpec::new("csr", Kind::Path),
    OptionSpec::new("csr_content", Kind::Str),
    OptionSpec::new("current", Kind::Path),
    OptionSpec::new("certificate", Kind::Str),
    OptionSpec::new("private_key", Kind::Path),
    OptionSpec::new("reason", Kind::Str).choices(&[
        "unspecified",
        "keyCompromise",
        "cACompromise",
        "affiliationChanged",
        "superseded",
        "cessationOfOperation",
        "certificateHold",
        "privilegeWithdrawn",
        "aACompromise",
    ]),
    OptionSpec::new("profile", Kind::Str),
    OptionSpec::new("preferred_chain", Kind::Str),
    OptionSpec::new("files", Kind::List(Element::Dict))
        .options(FILE)
        .default("[]"),
];

/// Credentials from the server's operator.
pub const EAB: &[OptionSpec] = &[
    OptionSpec::new("kid", Kind::Str).required(),
    OptionSpec::new("hmac_key", Kind::Str).required().secret(),
    OptionSpec::new("algorithm", Kind::Str)
        .choices(&["HS256", "HS384", "HS512"])
        .default(r#""HS256""#),
];

const RECORD: &[OptionSpec] = &[
    OptionSpec::new("target", Kind::Str).required(),
    OptionSpec::new("value", Kind::Str).required(),
    OptionSpec::new("zone", Kind::Str),
    OptionSpec::new("ttl", Kind::Int),
    OptionSpec::new("name", Kind::Str),
    OptionSpec::new("certificate", Kind::Str),
    OptionSpec::new("identifier", Kind::Str),
];

/// Where records may be written.
pub const TARGET: &[OptionSpec] = &[OptionSpec::new("zone", Kind::Str)];

/// Who is asked whether records are there.
pub const PROPAGATION: &[OptionSpec] = &[
    OptionSpec::new("resolvers", Kind::List(Element::Str)).default("[]"),
    OptionSpec::new("nameservers", Kind::List(Element::Str)).default("[]"),
    OptionSpec::new("timeout", Kind::Str).default(r#""2m""#),
    OptionSpec::new("hold", Kind::Bool).default("true"),
];

const RENEW: &[OptionSpec] = &[
    OptionSpec::new("ari", Kind::Bool).default("true"),
    OptionSpec::new("before", Kind::Str),
    OptionSpec::new("force", Kind::Bool).default("false"),
];

/// How much the server is forgiven.
pub const RETRY: &[OptionSpec] = &[
    OptionSpec::new("max_wait", Kind::Str).default(r#""60s""#),
    OptionSpec::new("nonces", Kind::Int).default("12"),
    OptionSpec::new("http_timeout", Kind::Str).default(r#""30s""#),
    OptionSpec::new("deadline", Kind::Str).default(r#""15m""#),
];

/// The one table of options of `acme_dns_challenge`.
pub const OPTIONS: &[OptionSpec] = &[
    OptionSpec::new("phase", Kind::Str)
        .choices(&[
            "all",
            "request",
            "publish",
            "wait",
            "complete",
            "cleanup",
            "revoke",
            "deactivate_authz",
            "rollover",
            "deactivate_account",
        ])
        .default(r#""all""#),
    OptionSpec::new("directory", Kind::Str),
    OptionSpec::new("ca_file", Kind::Path),
    OptionSpec::new("account_key", Kind::Path),
    OptionSpec::new("account_create", Kind::Bool).default("true"),
    OptionSpec::new("account_uri", Kind::Str),
    OptionSpec::new("account_import", Kind::Path),
    OptionSpec::new("contact", Kind::List(Element::Str)).default("[]"),
    OptionSpec::new("terms_agreed", Kind::Bool).default("false"),
    OptionSpec::new("eab", Kind::Dict).options(EAB),
    OptionSpec::new("certificates", Kind::List(Element::Dict))
        .options(CERTIFICATE)
        .default("[]"),
    OptionSpec::new("challenge", Kind::Str)
        .choices(&["dns-01", "dns-account-01", "dns-persist-01"])
        .default(r#""dns-01""#),
    OptionSpec::new("target", Kind::Dict).options(TARGET),
    OptionSpec::new("provider", Kind::Dict).options(provider::OPTIONS),
    OptionSpec::new("records", Kind::List(Element::Dict))
        .options(RECORD)
        .default("[]"),
    OptionSpec::new("propagation", Kind::Dict)
        .options(PROPAGATION)
        .default("{}"),
    OptionSpec::new("renew", Kind::Dict)
        .options(RENEW)
        .default("{}"),
    OptionSpec::new("retry", Kind::Dict)
        .options(RETRY)
        .default("{}"),
    OptionSpec::new("state_dir", Kind::Path).default(r#""/var/lib/tls-everywhere/acme""#),
    OptionSpec::new("parallel", Kind::Int),
];

/// All options of one task.
#[derive(Debug, Deserialize)]
#[expect(
    missing_docs,
    reason = "the options of the module; its documentation describes them"
)]
pub struct Params {
    pub phase: String,
    pub directory: Option<String>,
    pub ca_file: Option<String>,
    pub account_key: Option<String>,
    pub account_create: bool,
    pub account_uri: Option<String>,
    pub account_import: Option<String>,
    pub contact: Vec<String>,
    pub terms_agreed: bool,
    pub eab: Option<EabParams>,
    pub certificates: Vec<CertificateParams>,
    pub challenge: String,
    pub target: Option<TargetParams>,
    pub provider: Option<ProviderParams>,
    pub records: Vec<RecordParams>,
    pub propagation: PropagationParams,
    pub renew: RenewParams,
    pub retry: RetryParams,
    pub state_dir: String,
    pub parallel: Option<i64>,
}

/// Credentials from the server's operator.
#[derive(Debug, Deserialize)]
#[expect(missing_docs, reason = "as above")]
pub struct EabParams {
    pub kid: String,
    pub hmac_key: Secret<String>,
    pub algorithm: String,
}

/// One certificate.
#[derive(Debug, Deserialize)]
#[expect(missing_docs, reason = "as above")]
pub struct CertificateParams {
    pub name: String,
    pub csr: Option<String>,
    pub csr_content: Option<String>,
    pub current: Option<String>,
    pub certificate: Option<String>,
    pub private_key: Option<String>,
    pub reason: Option<String>,
    pub profile: Option<String>,
    pub preferred_chain: Option<String>,
    pub files: Vec<FileParams>,
}

/// One file of a certificate.
#[derive(Debug, Deserialize)]
#[expect(missing_docs, reason = "as above")]
pub struct FileParams {
    pub content: String,
    pub path: String,
    pub owner: Option<String>,
    pub group: Option<String>,
    pub mode: Option<Value>,
}

/// Where records may be written.
#[derive(Debug, Deserialize)]
#[expect(missing_docs, reason = "as above")]
pub struct TargetParams {
    pub zone: Option<String>,
}

/// A record of another task.
#[derive(Debug, Deserialize)]
#[expect(missing_docs, reason = "as above")]
pub struct RecordParams {
    pub target: String,
    pub value: String,
    pub zone: Option<String>,
    pub ttl: Option<i64>,
}

/// Who is asked whether records are there.
#[derive(Debug, Deserialize)]
#[expect(missing_docs, reason = "as above")]
pub struct PropagationParams {
    pub resolvers: Vec<String>,
    pub nameservers: Vec<String>,
    pub timeout: String,
    pub hold: bool,
}

/// When a certificate is renewed.
#[derive(Debug, Deserialize)]
#[expect(missing_docs, reason = "as above")]
pub struct RenewParams {
    pub ari: bool,
    pub before: Option<String>,
    pub force: bool,
}

/// How much the server is forgiven.
#[derive(Debug, Deserialize)]
#[expect(missing_docs, reason = "as above")]
pub struct RetryParams {
    pub max_wait: String,
    pub nonces: i64,
    pub http_timeout: String,
    pub deadline: String,
}
