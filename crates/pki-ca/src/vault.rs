// SPDX-License-Identifier: Apache-2.0
//! Backend `vault`: the authorities of a PKI mount of a Vault or OpenBao, the same walk as for files.

pub mod apply;
pub mod config;
pub mod decide;
pub mod failure;
pub(crate) mod lists;
pub mod observe;
pub(crate) mod options;
pub(crate) mod outcome;
pub mod params;
pub mod plan;
pub(crate) mod preflight;
pub mod request;
pub(crate) mod revoke;
pub mod server;
pub(crate) mod subject;
pub(crate) mod task;
