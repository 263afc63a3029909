// SPDX-License-Identifier: Apache-2.0
#![cfg_attr(not(test), warn(clippy::disallowed_methods))]
//! ACME (RFC 8555) with renewal information (RFC 9773) and profiles, and what survives a crash.
//!
//! [`Server`] is one that has shown its directory; an [`Account`] of it orders, proves and downloads. Both may be
//! shared by threads, with one pool of nonces. Every wait is bounded by [`Patience`]; what a server asks for beyond
//! that is an error which says when it may be asked again.
//!
//! A [`Job`] is the walk of one certificate in phases (request, complete, cleanup), each of which may be a process of its
//! own; who shows the proofs is a [`Publisher`]. What it keeps in between is in [`state`], and `examples/one_certificate.rs`
//! is all that a program around it needs.
//!
//! A server is hostile until it has shown the contrary: sizes and times are bounded by `web`, URLs that it names must
//! be on the hosts of its directory, no redirect is followed, its words are cut and cleaned before they go into a
//! message, and what it issues must be for our key and our names.

mod account;
mod authorization;
mod certificate;
mod challenge;
mod clock;
mod directory;
mod error;
mod http01;
mod identifier;
pub mod import;
mod job;
mod jws;
mod nonces;
mod order;
mod orders;
mod patience;
mod problem;
mod release;
mod renewal;
mod revocation;
mod rounds;
mod server;
pub mod state;
mod tries;
mod wire;

pub use account::{Account, AccountFacts, ExternalAccount, Registration};
pub use authorization::{Authorization, AuthorizationStatus, Challenge};
pub use certificate::{Chain, Issued, PreferredChain};
pub use challenge::{
    ChallengeKind, Holder, Proof, account_label, persistent_name, persistent_value,
};
pub use clock::{Clock, RunningClock};
pub use directory::{Directory, LETSENCRYPT, LETSENCRYPT_STAGING, Meta, directory_url};
pub use error::{Error, FailedIdentifier, Result};
pub use http01::{Demand, HttpPublisher, Responder, SelfCheck};
pub use identifier::Identifier;
pub use job::{Begun, Done, Job, Ordered, Publisher, Underway};
pub use order::{Order, OrderRequest, OrderStatus};
pub use patience::Patience;
pub use problem::{Problem, ProblemKind, Subproblem};
pub use release::Released;
pub use renewal::{RenewalInfo, certificate_id, latest_renewal, renew_at_by_lifetime};
pub use revocation::{Revoked, revoke_with_key};
pub use rounds::rounds;
pub use server::Server;
