// SPDX-License-Identifier: Apache-2.0
//! The tables of options and the structs that they fill. No thinking here.

use ansible_module::{Element, Kind, OptionSpec, Secret};
use serde::Deserialize;

/// Who we are.
pub const AUTH: &[OptionSpec] = &[
    OptionSpec::new("method", Kind::Str)
        .choices(&[
            "token",
            "approle",
            "cert",
            "jwt",
            "kubernetes",
            "userpass",
            "none",
        ])
        .default(r#""token""#),
    OptionSpec::new("mount", Kind::Str),
    OptionSpec::new("role", Kind::Str),
    OptionSpec::new("token", Kind::Str).secret(),
    OptionSpec::new("token_file", Kind::Path),
    OptionSpec::new("role_id", Kind::Str).secret(),
    OptionSpec::new("role_id_file", Kind::Path),
    OptionSpec::new("secret_id", Kind::Str).secret(),
    OptionSpec::new("secret_id_file", Kind::Path),
    OptionSpec::new("wrapped_secret_id", Kind::Str).secret(),
    OptionSpec::new("wrapped_secret_id_file", Kind::Path),
    OptionSpec::new("jwt", Kind::Str).secret(),
    OptionSpec::new("jwt_file", Kind::Path),
    OptionSpec::new("username", Kind::Str),
    OptionSpec::new("password", Kind::Str).secret(),
    OptionSpec::new("password_file", Kind::Path),
    OptionSpec::new("revoke_after", Kind::Bool).default("true"),
];

/// A connection.
pub const CONNECTION: &[OptionSpec] = &[
    OptionSpec::new("url", Kind::List(Element::Str)),
    OptionSpec::new("namespace", Kind::Str),
    OptionSpec::new("ca_path", Kind::Path),
    OptionSpec::new("ca_pem", Kind::Str),
    OptionSpec::new("client_cert", Kind::Path),
    OptionSpec::new("client_key", Kind::Path),
    OptionSpec::new("tls_server_name", Kind::Str),
    OptionSpec::new("validate_certs", Kind::Bool).default("true"),
    OptionSpec::new("auth", Kind::Dict).options(AUTH),
    OptionSpec::new("timeout", Kind::Str).default(r#""30s""#),
    OptionSpec::new("retry_window", Kind::Str).default(r#""45s""#),
    OptionSpec::new("wait_unsealed", Kind::Str).default(r#""0s""#),
    OptionSpec::new("pin_active", Kind::Bool).default("true"),
    OptionSpec::new("allow_plaintext", Kind::Bool).default("false"),
];

/// How many options a connection has.
pub const COUNT: usize = CONNECTION.len();

/// The options of a connection and those of the module in one table; `N` is [`COUNT`] and the number of the module's own.
///
/// # Panics
/// When it is compiled, if `N` is another number.
#[expect(
    clippy::panic,
    clippy::indexing_slicing,
    reason = "evaluated by the compiler: a wrong number does not build"
)]
pub const fn beside<const N: usize>(own: &[OptionSpec]) -> [OptionSpec; N] {
    if N != COUNT + own.len() {
        panic!("N is not the number of options");
    }
    let mut all = [OptionSpec::new("", Kind::Str); N];
    let mut at = 0;
    while at < N {
        all[at] = match at < COUNT {
            true => CONNECTION[at],
            false => own[at - COUNT],
        };
        at += 1;
    }
    all
}

/// What was given for a connection. Flatten it into the struct of the module's own options.
#[derive(Clone, Debug, Deserialize)]
#[expect(
    missing_docs,
    reason = "the options of the modules; their documentation describes them"
)]
pub struct ConnectionParams {
    pub url: Option<Vec<String>>,
    pub namespace: Option<String>,
    pub ca_path: Option<String>,
    pub ca_pem: Option<String>,
    pub client_cert: Option<String>,
    pub client_key: Option<String>,
    pub tls_server_name: Option<String>,
    pub validate_certs: bool,
    pub auth: Option<AuthParams>,
    pub timeout: String,
    pub retry_window: String,
    pub wait_unsealed: String,
    pub pin_active: bool,
    pub allow_plaintext: bool,
}

/// What was given for the login.
#[derive(Clone, Debug, Deserialize)]
#[expect(missing_docs, reason = "as above")]
pub struct AuthParams {
    pub method: String,
    pub mount: Option<String>,
    pub role: Option<String>,
    pub token: Option<Secret<String>>,
    pub token_file: Option<String>,
    pub role_id: Option<Secret<String>>,
    pub role_id_file: Option<String>,
    pub secret_id: Option<Secret<String>>,
    pub secret_id_file: Option<String>,
    pub wrapped_secret_id: Option<Secret<String>>,
    pub wrapped_secret_id_file: Option<String>,
    pub jwt: Option<Secret<String>>,
    pub jwt_file: Option<String>,
    pub username: Option<String>,
    pub password: Option<Secret<String>>,
    pub password_file: Option<String>,
    pub revoke_after: bool,
}

impl Default for AuthParams {
    fn default() -> Self {
        Self {
            method: "token".to_owned(),
            mount: None,
            role: None,
            token: None,
            token_file: None,
            role_id: None,
            role_id_file: None,
            secret_id: None,
            secret_id_file: None,
            wrapped_secret_id: None,
            wrapped_secret_id_file: None,
            jwt: None,
            jwt_file: None,
            username: None,
            password: None,
            password_file: None,
            revoke_after: true,
        }
    }
}
