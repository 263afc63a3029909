// SPDX-License-Identifier: Apache-2.0
#![cfg_attr(not(test), warn(clippy::disallowed_methods))]
//! Certificates of an ACME server for requests (CSRs) of any host, with the names proved by TXT records.
//!
//! All certificates of a task go through each step together: one account, one publication of all records, one wait until
//! every authoritative server shows them. A task may do all of it, or one phase. The walk is [`task`]; each step has its
//! file: `params` → `request` → `observe` → `decide` → `steps` → `outcome`. Check mode stops before `steps`.

pub mod account;
pub mod certmonger;
pub mod decide;
pub mod failure;
pub mod observe;
pub mod outcome;
pub mod params;
pub mod records;
pub mod request;
pub mod steps;
pub mod task;

use std::ffi::OsString;
use std::process::ExitCode;

pub use task::AcmeDnsChallenge;

/// The executable on the arguments behind its name: the committer of its own changes, a helper of certmonger, or the module.
pub fn main(arguments: Vec<OsString>) -> ExitCode {
    match arguments.first().and_then(|word| word.to_str()) {
        Some("--commit") => tls_files::committer_main(),
        Some("--certmonger") => certmonger::main(arguments.into_iter().nth(1)),
        _ => ansible_module::main_on::<AcmeDnsChallenge>(arguments),
    }
}
