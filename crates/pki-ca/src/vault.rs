// SPDX-License-Identifier: Apache-2.0
//! Backend `vault`: the authorities of a PKI mount of a Vault or OpenBao, the same walk as for files.

pub mod config;
pub(crate) mod options;
pub mod params;
pub mod request;
pub(crate) mod subject;
