// SPDX-License-Identifier: Apache-2.0
//! The options of the issuer `acme`. Those that `acme_dns_challenge` has as well are its own, table and reader.

use acme_dns_challenge::params as shared;
use acme_dns_challenge::request::provider;
use ansible_module::{Element, Kind, OptionSpec};
use serde::Deserialize;
use serde_json::{Map, Value};

const HTTP: &[OptionSpec] = &[
    OptionSpec::new("address", Kind::List(Element::Str)).default(r#"["127.0.0.1"]"#),
    OptionSpec::new("port", Kind::Int).default("8888"),
    OptionSpec::new("public_port", Kind::Int).default("80"),
    OptionSpec::new("self_check", Kind::Str)
        .choices(&["auto", "true", "false"])
        .default(r#""auto""#),
    OptionSpec::new("timeout", Kind::Str).default(r#""60s""#),
];

/// The options of `issuer.acme`.
pub const ACME: &[OptionSpec] = &[
    OptionSpec::new("directory", Kind::Str).required(),
    OptionSpec::new("ca_file", Kind::Path),
    OptionSpec::new("account_key", Kind::Path).required(),
    OptionSpec::new("account_create", Kind::Bool).default("true"),
    OptionSpec::new("account_import", Kind::Path),
    OptionSpec::new("account_uri", Kind::Str),
    OptionSpec::new("contact", Kind::List(Element::Str)).default("[]"),
    OptionSpec::new("terms_agreed", Kind::Bool).default("false"),
    OptionSpec::new("eab", Kind::Dict).options(shared::EAB),
    OptionSpec::new("profile", Kind::Str),
    OptionSpec::new("preferred_chain", Kind::Str),
    OptionSpec::new("challenge", Kind::Str).choices(&[
        "http-01",
        "dns-01",
        "dns-account-01",
        "dns-persist-01",
    ]),
    OptionSpec::new("http", Kind::Dict).options(HTTP),
    OptionSpec::new("target", Kind::Dict).options(shared::TARGET),
    OptionSpec::new("provider", Kind::Dict).options(provider::OPTIONS),
    OptionSpec::new("propagation", Kind::Dict).options(shared::PROPAGATION),
    OptionSpec::new("retry", Kind::Dict).options(shared::RETRY),
    OptionSpec::new("state_dir", Kind::Path),
];

/// An ACME server.
#[derive(Debug, Deserialize)]
#[serde(try_from = "Map<String, Value>")]
pub struct AcmeParams {
    /// What `acme_dns_challenge` has as well.
    pub shared: shared::Params,
    /// The profile of the server.
    pub profile: Option<String>,
    /// The root that the chain shall lead to.
    pub preferred_chain: Option<String>,
    /// How names are proved.
    pub challenge: Option<String>,
    /// The responder.
    pub http: Option<HttpParams>,
    /// Where the provider is told: it was given.
    pub has_provider: bool,
    /// Where unfinished orders are kept.
    pub state_dir: Option<String>,
    /// The same for entries with the same settings.
    pub group: [u8; 32],
}

/// The responder for http-01.
#[derive(Debug, Deserialize)]
pub struct HttpParams {
    /// Where it listens.
    pub address: Vec<String>,
    /// Its port.
    pub port: i64,
    /// The port at which the authority looks.
    pub public_port: i64,
    /// Whether it is looked at before the authority looks.
    pub self_check: String,
    /// For how long.
    pub timeout: String,
}

#[derive(Deserialize)]
struct Own {
    profile: Option<String>,
    preferred_chain: Option<String>,
    challenge: Option<String>,
    http: Option<HttpParams>,
    state_dir: Option<String>,
}

impl TryFrom<Map<String, Value>> for AcmeParams {
    type Error = serde_json::Error;

    fn try_from(mut given: Map<String, Value>) -> Result<Self, Self::Error> {
        let mut own = Map::new();
        for option in ["profile", "preferred_chain"] {
            own.extend(given.remove_entry(option));
        }
        let group = pki::jws::sha256(Value::Object(given.clone()).to_string().as_bytes());
        for option in ["challenge", "http"] {
            own.extend(given.remove_entry(option));
        }
        let state_dir = given.get("state_dir").cloned().unwrap_or_default();
        own.insert(String::from("state_dir"), state_dir);
        let has_provider = given.get("provider").is_some_and(|given| !given.is_null());
        let own = Own::deserialize(Value::Object(own))?;
        Ok(Self {
            shared: shared(given)?,
            profile: own.profile,
            preferred_chain: own.preferred_chain,
            challenge: own.challenge,
            http: own.http,
            has_provider,
            state_dir: own.state_dir,
            group,
        })
    }
}

/// What is left, with what the other module would have where nothing is said. Only what it says of the server is wanted.
fn shared(mut given: Map<String, Value>) -> Result<shared::Params, serde_json::Error> {
    given.insert(String::from("phase"), Value::from("request"));
    let given = ansible_module::with_defaults(given, shared::OPTIONS);
    shared::Params::deserialize(Value::Object(given))
}
