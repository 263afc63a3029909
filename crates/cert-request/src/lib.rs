// SPDX-License-Identifier: Apache-2.0
#![cfg_attr(not(test), warn(clippy::disallowed_methods))]
//! The certificates of a host: observe, decide, apply.
//!
//! The walk of one task is [`task`]; each step has its file: `params` → `request` → `observe` →
//! `decide` → `apply` → `outcome`. Check mode stops before `apply`. [`certmonger`] is the other way to be called: as a helper
//! of that daemon.

pub mod apply;
pub mod certmonger;
pub mod collisions;
pub mod decide;
pub mod failure;
pub mod issuance;
pub mod kept;
pub mod layout;
pub mod observe;
pub mod ordered;
pub mod outcome;
pub mod params;
pub mod request;
pub mod signed;
pub mod state;
pub mod task;

use std::ffi::OsString;
use std::process::ExitCode;

pub use task::CertRequest;

/// The executable on the arguments behind its name: the committer of its own changes, a helper of certmonger, or the module.
pub fn main(arguments: Vec<OsString>) -> ExitCode {
    match arguments.first().and_then(|word| word.to_str()) {
        Some("--commit") => tls_files::committer_main(),
        Some("--certmonger") => certmonger::main(arguments.into_iter().nth(1)),
        _ => ansible_module::main_on::<CertRequest>(arguments),
    }
}
