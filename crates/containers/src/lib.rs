// SPDX-License-Identifier: Apache-2.0
#![cfg_attr(not(test), warn(clippy::disallowed_methods))]
//! Container engines, what runs in a container, and how to reach it without its help.
//!
//! - [`engine`] talks to Docker and Podman, over their sockets or Podman's command line: which containers there are
//!   ([`Container`]), restart, execute, the last lines of the log;
//! - [`processes`] says what a process is, and signals it through a pidfd: the engine's own `kill` disables Docker's
//!   restart policy (moby #11065);
//! - [`inside`] opens files as the container sees them, never a file of the host that a link points at;
//! - [`sockets`] finds the Unix sockets of a container's processes and talks over them, the same way;
//! - [`mounts`] says where a file of the host is in a container;
//! - [`kolla`] says where Kolla's start copied it to;
//! - [`units`] asks systemd for the unit that owns a container;
//! - [`pacemaker`] asks the cluster for the bundle that it is of.
//!
//! Nothing here knows of certificates: the executable `container_restart` does.

mod deadline;
pub mod engine;
mod error;
mod facts;
mod http;
pub mod inside;
mod instant;
pub mod kolla;
pub mod mounts;
pub mod pacemaker;
pub mod processes;
mod program;
pub mod sockets;
pub mod units;

pub use error::{Error, Result};
pub use facts::{Container, Health, Mount, MountKind, State};
pub use instant::Instant;
pub use program::{Account, Output, find as find_program};
