// SPDX-License-Identifier: Apache-2.0
//! The configuration of a PKI mount: what `vault_config` describes is read, compared and changed; what it does not say
//! stays as somebody made it.
//!
//! `params` → `wish` → `observe` → `decide` (pure) → `permissions` → `apply` → the objects are read again. One table of
//! fields (`fields`) is the options, the comparison and what is sent.

pub mod access;
pub mod apply;
pub mod decide;
pub mod error;
pub mod facts;
pub mod field;
pub mod fields;
pub mod object;
pub mod observe;
pub mod params;
pub(crate) mod part;
pub mod permissions;
pub mod plan;
pub mod secret_id;
pub mod span;
pub mod value;
pub mod wish;
