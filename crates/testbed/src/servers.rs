// SPDX-License-Identifier: Apache-2.0
//! Servers that a test starts on free ports of the loopback, and that end with the value that stands for them.
//!
//! [`BaoServer`] and [`BaoCluster`] are OpenBao as the free Vault that it is.
//! [`Pebble`] is the real one of Debian's packages, [`OpenBao`] that of its project. [`FaultProxy`] stands before it and does what Pebble cannot.
//! [`Named`] is BIND's server, [`DnsWorld`] three of them, [`PowerDnsServer`] another's. [`DnsStandIn`] and [`ChallengeStandIn`] answer fixed records and files: what is tested with them is what asks.

mod bao;
mod bao_cluster;
mod challenge_stand_in;
mod dns_stand_in;
mod dns_world;
mod fault_proxy;
mod https;
mod jwt;
mod moto;
mod named;
mod old_vault_stand_in;
mod openbao;
mod pebble;
mod powerdns;
mod service_stand_in;

use std::net::{Ipv4Addr, TcpListener, UdpSocket};
use std::sync::atomic::{AtomicU32, Ordering};

pub use bao::{BaoAnswer, BaoRelease, BaoServer};
pub use bao_cluster::BaoCluster;
pub use challenge_stand_in::ChallengeStandIn;
pub use dns_stand_in::DnsStandIn;
pub use dns_world::{DnsWorld, HOST_ZONE, SECRET, SIGNING_ZONE, World};
pub use fault_proxy::{FaultProxy, Rule};
pub use https::{Answer, Certificate, get, post};
pub use jwt::JwtSigner;
pub use moto::MotoStandIn;
pub use named::{Named, free_addresses};
pub use old_vault_stand_in::old_vault_stand_in;
pub use openbao::OpenBao;
pub use pebble::{Pebble, Release, Settings};
pub use powerdns::PowerDnsServer;
pub use service_stand_in::{Asked, ServiceStandIn};

use crate::must;

/// A port of the loopback that nobody has for TCP and UDP, also not later: not of the range from which the system gives
/// one to any connection. Each is found once, and other test programs begin elsewhere.
#[track_caller]
pub fn free_port() -> u16 {
    const FIRST: u32 = 20_000;
    const COUNT: u32 = 12_000;
    static NEXT: AtomicU32 = AtomicU32::new(0);
    for _ in 0..COUNT {
        let next = NEXT.fetch_add(1, Ordering::SeqCst) + std::process::id() % 120 * 100;
        let port = must(u16::try_from(FIRST + next % COUNT), "the port is none");
        let address = (Ipv4Addr::LOCALHOST, port);
        if TcpListener::bind(address).is_ok() && UdpSocket::bind(address).is_ok() {
            return port;
        }
    }
    panic!("no port is free");
}
