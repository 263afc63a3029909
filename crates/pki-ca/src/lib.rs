// SPDX-License-Identifier: Apache-2.0
#![cfg_attr(not(test), warn(clippy::disallowed_methods))]
//! Certificate authorities in a directory tree: observe, decide, apply.
//!
//! The walk of one task is [`task`]; each step has its file: `params` → `request` → `observe` →
//! `decide` → `apply` → `outcome`. Check mode stops before `apply`. `tree` says which file is where,
//! `certmonger` is the other way to be called: as a helper of that daemon.
//! `index` what an authority remembers, `plan` what a decision consists of.

pub mod apply;
pub mod certmonger;
pub mod crl;
pub mod decide;
pub mod failure;
pub mod index;
pub mod links;
pub mod names;
pub mod observe;
pub mod outcome;
pub mod params;
pub mod permits;
pub mod plan;
pub mod request;
pub mod revoke;
pub mod sign;
pub mod spec;
pub mod task;
pub mod tree;
pub mod vault;

use std::ffi::OsString;
use std::process::ExitCode;

pub use task::PkiCa;

/// The executable on the arguments behind its name: the committer of its own changes, a helper of certmonger, or the module.
pub fn main(arguments: Vec<OsString>) -> ExitCode {
    match arguments.first().and_then(|word| word.to_str()) {
        Some("--commit") => tls_files::committer_main(),
        Some("--certmonger") => certmonger::main(arguments.into_iter().nth(1)),
        _ => ansible_module::main_on::<PkiCa>(arguments),
    }
}
