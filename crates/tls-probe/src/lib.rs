// SPDX-License-Identifier: Apache-2.0
#![cfg_attr(not(test), warn(clippy::disallowed_methods))]
//! Who serves which certificate where.
//!
//! Three questions, each answered by the machine itself and not by a configuration file:
//!
//! 1. *Which certificate is served at this address?* [`Prober::probe`] begins a TLS handshake, after STARTTLS where
//!    the protocol has it, and stops as soon as the server has sent its certificates. The server may demand a
//!    certificate of us, speak TLS 1.3 only or never finish: what it sent is known by then.
//! 2. *Where do these processes listen?* [`listeners()`] finds the TCP sockets in state LISTEN that are open in one of
//!    them, in whatever network namespace each lives; [`Processes::members`] tells the processes of a container.
//! 3. *Which process answered?* [`accepted_by`] finds the process that holds the other end of a connection that is
//!    still open. Two programs that share a port (SO_REUSEPORT, host network) are told apart so, and nothing else
//!    tells them apart.
//!
//! ```no_run
//! use std::time::Duration;
//! use tls_probe::{Ask, Place, Processes, Prober, accepted_by, listeners};
//!
//! # fn main() -> tls_probe::Result<()> {
//! # let init = rustix::process::Pid::INIT;
//! let prober = Prober::new()?;
//! let members = Processes::snapshot()?.members(init)?;
//! for listener in listeners(&members.pids)? {
//!     for address in listener.addresses() {
//!         let place = Place::inside(address, &listener.network);
//!         let held = prober.probe(&place, &Ask::default(), Duration::from_secs(5))?;
//!         let served = held.presented().fingerprint_sha256_text();
//!         let who = accepted_by(held.link(), &listener.network, &members.pids)?;
//!         held.finish(Duration::from_secs(1));
//!         # let _ = (served, who);
//!     }
//! }
//! # Ok(())
//! # }
//! ```
//!
//! Peers are hostile: every exchange has one deadline and a limit of bytes, and no byte that a peer sent is trusted.
//! Nothing is verified here, and nothing but DER of certificates and text for people comes out. A connection to a
//! listener of this machine never leaves it ([`Place::inside`]).

mod attribution;
mod deadline;
mod error;
mod handshake;
mod listeners;
mod members;
mod name;
mod namespace;
mod place;
mod presented;
mod processes;
mod sock_diag;
mod starttls;
mod tcp_table;
mod wire;

pub use attribution::{AcceptedBy, Link, accepted_by, is_in, led_to};
pub use error::{Error, Result, Stage};
pub use handshake::{Ask, Conclusion, Ending, Held, KeyKind, Prober};
pub use listeners::{Listener, listeners};
pub use members::{Members, Membership};
pub use name::ServerName;
pub use namespace::NetworkNamespace;
pub use place::Place;
pub use presented::Presented;
pub use processes::Processes;
pub use starttls::StartTls;
