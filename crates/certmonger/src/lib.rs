// SPDX-License-Identifier: Apache-2.0
#![cfg_attr(not(test), warn(clippy::disallowed_methods))]
//! Talks to certmonger over D-Bus.
//!
//! The client is our own, on the standard library alone: authentication, marshalling, calls with a time limit and
//! signals are all that is needed of D-Bus, and what comes in is checked against bounds before it is believed.
//! On top of it [`Daemon`] speaks certmonger's interface: [`Tracked`] requests, their [`State`], [`Authority`]s.
//!
//! Nothing here knows of Ansible, of files or of X.509: certificates are PEM text.

mod address;
mod authority;
mod bus;
mod connection;
mod daemon;
mod error;
mod fields;
mod state;
mod tracked;
pub mod wire;

pub use address::{Address, Place};
pub use authority::Authority;
pub use daemon::{Change, Daemon, Start};
pub use error::Error;
pub use fields::{Field, Fields};
pub use state::{Class, State};
pub use tracked::{RequestPath, Tracked};
