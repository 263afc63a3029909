// SPDX-License-Identifier: Apache-2.0
//! The API of a PKI mount. Certificates and requests are PEM texts: who has X.509 looks into them.
//!
//! An issuer is named by its identifier, its name, or `default`. The server does not check what is imported: it takes
//! certificates of other keys, without a chain, expired ones. Who imports checks before.

mod config;
mod importing;
mod issuers;
mod making;
mod roles;
mod signing;
mod stored;

pub use importing::Import;
pub use issuers::{Issuer, IssuerEntry, KeyEntry};
pub use making::{MadeCsr, MadeIssuer};
pub use signing::{SignRequest, Signed};
pub use stored::Stored;

use crate::Vault;

/// A PKI mount of a server.
#[derive(Clone, Copy, Debug)]
pub struct Mount<'a> {
    vault: &'a Vault,
    path: &'a str,
}

impl<'a> Mount<'a> {
    /// The mount at this path (`pki`, `teams/web/pki`). Nothing is asked.
    pub fn new(vault: &'a Vault, path: &'a str) -> Self {
        let path = path.trim_matches('/');
        Self { vault, path }
    }

    /// Its path, without slashes at the ends.
    pub fn path(&self) -> &'a str {
        self.path
    }

    /// The connection.
    pub fn vault(&self) -> &'a Vault {
        self.vault
    }

    /// A path below it.
    pub fn below(&self, rest: &str) -> String {
        format!("{}/{rest}", self.path)
    }
}
