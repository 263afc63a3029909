// SPDX-License-Identifier: Apache-2.0
//! Servers that a test starts on free ports of the loopback, and that end with the value that stands for them.
//!
//! [`Pebble`] is the real one of Debian's packages, [`OpenBao`] that of its project. [`FaultProxy`] stands before it and does what Pebble cannot.
//! [`Named`] is BIND's server, [`DnsWorld`] three of them, [`PowerDnsServer`] another's. [`DnsStandIn`] and [`ChallengeStandIn`] answer fixed records and files: what is tested with them is what asks.

mod challenge_stand_in;
mod dns_stand_in;
mod dns_world;
mod fault_proxy;
mod https;
mod moto;
mod named;
mod openbao;
mod pebble;
mod powerdns;
mod service_stand_in;

use std::net::{Ipv4Addr, TcpListener};

pub use challenge_stand_in::ChallengeStandIn;
pub use dns_stand_in::DnsStandIn;
pub use dns_world::{DnsWorld, HOST_ZONE, SECRET, SIGNING_ZONE, World};
pub use fault_proxy::{FaultProxy, Rule};
pub use https::{Answer, Certificate, get, post};
pub use moto::MotoStandIn;
pub use named::{Named, free_addresses};
pub use openbao::OpenBao;
pub use pebble::{Pebble, Release, Settings};
pub use powerdns::PowerDnsServer;
pub use service_stand_in::{Asked, ServiceStandIn};

use crate::must;

/// A port of the loopback that nobody listens on now.
#[track_caller]
pub fn free_port() -> u16 {
    let listener = must(
        TcpListener::bind((Ipv4Addr::LOCALHOST, 0)),
        "cannot find a free port",
    );
    must(listener.local_addr(), "cannot see the port").port()
}
