// SPDX-License-Identifier: Apache-2.0
#![cfg_attr(not(test), warn(clippy::disallowed_methods))]
//! Asks and updates the domain name system, and publishes TXT records.
//!
//! The way of a dns-01 record: [`target`] walks the CNAMEs of `_acme-challenge.NAME` to the [`zone`] that must hold the
//! record, [`publish`] writes it (by [`update`], or in another of several ways), and [`visible`] waits until every
//! authoritative server shows it. The last name is never asked through a recursive server before the record is there.
//!
//! [`Resolver`] is what a static executable has instead of `getaddrinfo`, for HTTPS as well.

mod clock;
mod error;
mod exchange;
pub mod message;
mod name;
mod parallel;
mod program;
pub mod publish;
pub mod resolver;
pub mod target;
pub mod tsig;
pub mod update;
pub mod visible;
pub mod zone;

pub use clock::Clock;
pub use error::{Error, Result, TsigFault};
pub use exchange::{Patience, ask};
pub use name::Name;
pub use resolver::Resolver;
pub use target::Target;
pub use visible::Laggard;
