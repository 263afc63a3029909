// SPDX-License-Identifier: Apache-2.0
//! Test only: runs a module as Ansible does, and independent witnesses.
//!
//! - [`ModuleRun`] runs an executable on arguments and gives back its one [`Answer`];
//! - [`Sandbox`] is a private tree whose [`Listing`]s say whether anything moved;
//! - [`cases`] runs one folder per case: check, real, again;
//! - `servers` (a feature) starts Pebble, a proxy that injects faults, and stand-ins;
//! - [`witness`] asks the `openssl` command line what it thinks of what we made.
//!
//! A failed expectation panics and prints everything that is needed to understand it: the arguments, the tree
//! with modes, both streams.
//!
//! ```no_run
//! use serde_json::json;
//! use testbed::{ModuleRun, Sandbox};
//!
//! let sandbox = Sandbox::new();
//! let answer = ModuleRun::new("/path/of/cert_request") // env!("CARGO_BIN_EXE_cert_request")
//!     .args(json!({"certificates": []}))
//!     .check(true)
//!     .sandbox(&sandbox)
//!     .run();
//! answer.expect(&json!({"failed": true, "error": {"kind": "input.invalid"}}));
//! ```
#![expect(clippy::panic, reason = "the whole library is assertions for tests")]
// The bans keep side effects of the product in one place; this crate is not in the product.
#![allow(
    clippy::disallowed_methods,
    reason = "tests start programs and write files"
)]

pub mod cases;
mod expectation;
mod module;
mod sandbox;
#[cfg(feature = "servers")]
pub mod servers;
pub mod witness;

pub use expectation::{mismatches, wildcard};
pub use module::{Answer, ModuleRun};
pub use sandbox::{Entry, Listing, Sandbox};

/// What could not be done for a test, with the reason.
#[track_caller]
pub(crate) fn must<T, E: std::fmt::Display>(result: Result<T, E>, what: &str) -> T {
    match result {
        Ok(value) => value,
        Err(error) => panic!("{what}: {error}"),
    }
}
