// SPDX-License-Identifier: Apache-2.0
#![cfg_attr(not(test), warn(clippy::disallowed_methods))]
//! The certificates of a host: observe, decide, apply.
//!
//! The walk of one task is [`task`]; each step has its file: `params` → `request` → `observe` →
//! `decide` → `apply` → `outcome`. Check mode stops before `apply`.

pub mod apply;
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

/// The executable on the arguments behind its name: the committer of its own changes, or the module.
pub fn main(arguments: Vec<OsString>) -> ExitCode {
    if arguments.first().is_some_and(|first| first == "--commit") {
        return tls_files::committer_main();
    }
    ansible_module::main_on::<CertRequest>(arguments)
}
