// SPDX-License-Identifier: Apache-2.0
#![cfg_attr(not(test), warn(clippy::disallowed_methods))]
//! What every service really serves, by whom, and when it ends: observe, decide, and write what was asked for.
//!
//! The walk of one task is [`task`]; each step has its file: `params` → `request` → `observe` → `decide` → `write` →
//! `outcome`. Check mode stops before `write`. Nothing that is looked at is changed. `config` is the other way to be
//! called: without Ansible, by a timer.

pub mod config;
pub mod decide;
pub mod failure;
pub mod observe;
pub mod outcome;
pub mod params;
pub mod request;
pub mod task;
pub mod write;

use std::ffi::OsString;
use std::process::ExitCode;

pub use task::CertCheck;

/// The executable on the arguments behind its name: the committer of its own files, a check without Ansible, or the module.
pub fn main(arguments: Vec<OsString>) -> ExitCode {
    match arguments.first().and_then(|word| word.to_str()) {
        Some("--commit") => tls_files::committer_main(),
        Some("--config") => config::main(&arguments[1..]),
        _ => ansible_module::main_on::<CertCheck>(arguments),
    }
}
