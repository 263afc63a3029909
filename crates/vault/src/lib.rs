// SPDX-License-Identifier: Apache-2.0
#![cfg_attr(not(test), warn(clippy::disallowed_methods))]
//! Client of HashiCorp Vault and OpenBao: nodes, logins, retries, and the API of their PKI.
//!
//! [`Vault`] may be shared by threads, which use one token. It knows nothing of files but those that hold secrets for the
//! login, and nothing of Ansible or X.509; HTTP is [`web`]'s.
//!
//! ```no_run
//! use vault::{Auth, Held, Secret, Settings, Vault, pki::Mount};
//!
//! # fn main() -> vault::Result<()> {
//! let vault = Vault::open(Settings {
//!     addresses: vec!["https://vault1.example:8200".into(), "https://vault2.example:8200".into()],
//!     auth: Auth::Token(Held::Given(Secret::new("s.…"))),
//!     ..Settings::default()
//! })?;
//! for issuer in Mount::new(&vault, "pki").issuers()? {
//!     let _ = (issuer.name, issuer.is_default);
//! }
//! # Ok(()) }
//! ```
//!
//! # Which node is asked
//!
//! Of several addresses the one that leads, as `sys/leader` says: standbys serve reads from a state that is behind, so who has
//! just written would not see it. Behind one address there may be a proxy, and nothing is chosen; name all nodes where reads
//! must see writes. Each failure of what will pass begins a look for the leader anew, in the list that was given. A redirect is
//! followed once, and only to an address of that list: a token is for the servers that were named.
//!
//! # What is asked again
//!
//! | answer | what becomes of it |
//! |---|---|
//! | no connection, one that ends in the TLS handshake, no answer in time, 502, 504, 503 without words of Vault | the next address, then pauses from 0.1 s to 2 s, for [`Settings::retry_window`] |
//! | no leader, leadership lost, redirect of a standby | the same |
//! | 429, 412 | the same; `Retry-After` counts if it is longer |
//! | sealed, not initialized | other addresses, then a failure at once, or [`Settings::wait_unsealed`] |
//! | name that does not resolve, certificate that is not trusted | other addresses, then a failure at once |
//! | 403 | the token is looked up: unknown, or without a policy; one that we logged in for is got anew once |
//! | every other answer, most of status 500 too | a failure at once |
//!
//! What must not be done twice ([`Repeat::Never`]) is asked again only if it certainly was not done; otherwise it fails with
//! [`Error::LostAnswer`].
//!
//! # What was verified, and where
//!
//! All tests of this crate at OpenBao 2.7.2; `BAO_VERSION=2.6.2 cargo test -p vault` runs them at OpenBao 2.6.2, and did with the
//! same result on 2026-11-26. One of them runs at both in any case.
//!
//! | what | OpenBao 2.7.2 and 2.6.2 | stand-in | only read in a source or a manual |
//! |---|---|---|---|
//! | logins by token, AppRole, wrapped secret, certificate, JWT, userpass | yes | | |
//! | login by Kubernetes | yes, the server asks | a stand-in for Kubernetes | |
//! | cluster: step-down, crash of the leader, sealed node, no majority, reads after writes | yes, raft | | |
//! | sealed server, sealed namespace, quota, namespaces | yes | | |
//! | redirects, HTML, lost answers, `Retry-After`, a server that hangs | | yes | |
//! | 500 "leadership lost while committing log" | in the program's text | yes | |
//! | Vault 1.10 and before | | yes, from its source | |
//! | Vault 1.11 and later; 472 and 473 of Vault Enterprise; its sentinel policies and MFA | | | inferred from OpenBao |

mod address;
mod answer;
mod ask;
mod call;
mod connection;
mod denial;
mod error;
mod held;
mod leader;
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
