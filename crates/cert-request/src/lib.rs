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
pub mod outcome;
pub mod params;
pub mod request;
pub mod state;
pub mod task;

pub use task::CertRequest;
