// SPDX-License-Identifier: Apache-2.0
#![cfg_attr(not(test), warn(clippy::disallowed_methods))]
//! The options of a connection to Vault or OpenBao, the same in each module that has one.
//!
//! A module puts them beside its own, in one dictionary:
//!
//! ```
//! use ansible_module::{Faults, Kind, OptionSpec};
//! use vault_options::{ConnectionParams, Environment};
//!
//! const OWN: &[OptionSpec] = &[OptionSpec::new("mount", Kind::Str).default(r#""pki""#)];
//! const VAULT: &[OptionSpec] = &vault_options::beside::<{ vault_options::COUNT + 1 }>(OWN);
//!
//! #[derive(serde::Deserialize)]
//! struct VaultParams {
//!     mount: String,
//!     #[serde(flatten)]
//!     connection: ConnectionParams,
//! }
//!
//! fn understood(given: &VaultParams, faults: &mut Faults) -> Option<vault_options::Connection> {
//!     given.connection.understood("backend.vault", &Environment::of_process(), faults)
//! }
//! ```
//!
//! What is not given comes from the environment of the process, as for the servers' own programs: `BAO_ADDR`, `BAO_TOKEN`,
//! `BAO_CACERT`, `BAO_CAPATH`, `BAO_CLIENT_CERT`, `BAO_CLIENT_KEY`, `BAO_NAMESPACE`, `BAO_TLS_SERVER_NAME`, then the same
//! with `VAULT_`. `BAO_SKIP_VERIFY` is refused unless `validate_certs` is false: nothing is left unverified silently.

mod auth;
mod connection;
mod environment;
mod params;
mod place;

pub use connection::Connection;
pub use environment::Environment;
pub use params::{AUTH, AuthParams, CONNECTION, COUNT, ConnectionParams, beside};
