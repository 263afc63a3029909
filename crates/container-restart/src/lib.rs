// SPDX-License-Identifier: Apache-2.0
#![cfg_attr(not(test), warn(clippy::disallowed_methods))]
//! Exactly the container that uses a certificate, and proof that it serves the new one: observe, decide, apply.
//!
//! The walk of one task is [`task`]; each step has its file: `params` → `request` → `observe` → `decide` → `preflight`
//! → `apply` → `outcome`. Check mode stops before `apply`. `programs` is the table of what each program needs to read
//! its certificate again, `talk` what is said to those that are told over a Unix socket, `marker` what is remembered of a reload that nothing could prove.

pub mod apply;
pub mod decide;
pub mod failure;
pub mod marker;
pub mod observe;
pub mod outcome;
pub mod params;
pub mod preflight;
pub mod programs;
pub mod request;
pub mod talk;
pub mod task;

use std::ffi::OsString;
use std::process::ExitCode;

pub use task::ContainerRestart;

/// The executable on the arguments behind its name.
pub fn main(arguments: Vec<OsString>) -> ExitCode {
    ansible_module::main_on::<ContainerRestart>(arguments)
}
