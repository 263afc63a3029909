// SPDX-License-Identifier: Apache-2.0
#![cfg_attr(not(test), warn(clippy::disallowed_methods))]
//! Client of HashiCorp Vault and OpenBao: nodes, logins, retries, and the API of their PKI.
//!
//! [`Vault`] may be shared by threads, which use one token. It knows nothing of files but those that hold secrets for the
//! login, and nothing of Ansible or X.509; HTTP is [`web`]'s.

mod address;
mod answer;
mod ask;
mod call;
mod connection;
mod error;
mod held;
mod login;
mod node;
pub mod pki;
mod session;
mod settings;
mod system;
mod tries;
mod verdict;

pub use address::check_address;
pub use answer::Answer;
pub use call::Repeat;
pub use connection::{Vault, Wrapped};
pub use error::{Error, Result};
pub use held::read_text;
pub use settings::{Auth, Held, Secret, SecretId, Settings};
pub use system::{Health, Leader, MountInfo, SealStatus};
