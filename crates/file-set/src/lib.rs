// SPDX-License-Identifier: Apache-2.0
#![cfg_attr(not(test), warn(clippy::disallowed_methods))]
//! Files whose content somebody else made, replaced as sets: all files of a set or none, also under `kill -9`.
//!
//! Where a certificate is made on one host and used on another, its bytes travel through the play. This module reads
//! them on the one host and writes them on the other, with the same care as `cert_request` writes its own.
//!
//! The walk of one task is [`task`]; each step has its file: `params` → `request` → `observe` → `decide` → `apply` →
//! `outcome`. Check mode stops before `apply`.

pub mod apply;
pub mod decide;
pub mod directories;
pub mod failure;
pub mod observe;
pub mod outcome;
pub mod params;
pub mod request;
pub mod task;

use std::ffi::OsString;
use std::process::ExitCode;

pub use task::FileSetModule;

/// The executable on the arguments behind its name: the committer of its own changes, or the module.
pub fn main(arguments: Vec<OsString>) -> ExitCode {
    if arguments.first().is_some_and(|first| first == "--commit") {
        return tls_files::committer_main();
    }
    ansible_module::main_on::<FileSetModule>(arguments)
}
