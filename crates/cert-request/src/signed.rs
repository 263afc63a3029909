// SPDX-License-Identifier: Apache-2.0
//! Certificates that a Vault or OpenBao signs. The walk is that of all others; only that all certificates with the same
//! connection share it and its one login, and that a server which cannot be asked is no harm to one that is fine.
//!
//! The key is made here and lies nowhere until the certificate is installed with it: whatever kills the task in between
//! leaves a certificate at the server whose key nobody has, and the next run asks for another one.

mod answer;
mod error;
mod foreseen;
mod order;
mod servers;

pub use error::SignError;
pub use servers::{Server, Servers};

pub(crate) use answer::lacking_usages;
